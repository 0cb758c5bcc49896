"""Numbers and names that never change while the bot runs."""
from __future__ import absolute_import, division, print_function

XBt_TO_XBT = 100000000  # satoshi in a bitcoin
VERSION = 'v2.1.0'
