"""A market maker for the BitMEX API."""
from __future__ import absolute_import

__version__ = 'v2.0.0'
