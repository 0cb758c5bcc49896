"""A market maker for the BitMEX API."""
from __future__ import absolute_import

__version__ = 'v2.0.0'


def run():
    """What the command `marketmaker` does; the original's name for it."""
    from market_maker import cli
    cli.entry_point()
