"""Pure: the constants of the contracts the bot is usually run on, for where no venue is asked: of the eras `classic` and `modern`.

Source: bitmex-api.md 4.2. A test holds them to the rows of the paper venue. Fees and margins of a real venue change: ask one when it matters.
"""
from __future__ import absolute_import, division, print_function

LIMITS = {'classic': 300, 'modern': 120}  # requests that an account's bucket holds

_COMMON = {'state': 'Open', 'isQuanto': False, 'isInverse': False, 'initMargin': 0.01, 'maintMargin': 0.005, 'maxPrice': 1000000}
_FEES = {'classic': {'makerFee': -0.00025, 'takerFee': 0.00075}, 'modern': {'makerFee': 0.0005, 'takerFee': 0.0005}}
_ROWS = {
    'XBTUSD': {'isInverse': True, 'multiplier': -100000000, 'underlyingToSettleMultiplier': -100000000, 'settlCurrency': 'XBt',
               'underlying': 'XBT'},
    'ETHUSD': {'isQuanto': True, 'multiplier': 100, 'quoteToSettleMultiplier': 1279, 'settlCurrency': 'XBt', 'underlying': 'ETH',
               'initMargin': 0.02, 'maintMargin': 0.01},
    'XBTUSDT': {'multiplier': 1, 'quoteToSettleMultiplier': 1000000, 'settlCurrency': 'USDt', 'underlying': 'XBT'},
}
_STEPS = {('XBTUSD', 'classic'): (0.5, 1), ('XBTUSD', 'modern'): (0.1, 100), ('ETHUSD', 'classic'): (0.05, 1), ('ETHUSD', 'modern'): (0.01, 1),
          ('XBTUSDT', 'classic'): (0.5, 1000), ('XBTUSDT', 'modern'): (0.1, 100)}
SYMBOLS = tuple(sorted(_ROWS))


def row(symbol, profile):
    """The row of an instrument, as a venue of that profile shows it, less what changes; None for one that is not known here."""
    if symbol not in _ROWS:
        return None
    tick, lot = _STEPS[symbol, profile]
    found = dict(_COMMON, symbol=symbol, tickSize=tick, lotSize=lot)
    found.update(_FEES[profile])
    found.update(_ROWS[symbol])
    return found
