"""Pure: value, cost, margin, delta, profit of inverse, linear and quanto contracts.

Every function takes the instrument's row as the venue sends it: the full rows of 2018 or the sparse ones of 2026, in which
empty fields are absent. Money is an integer in the settlement currency's smallest unit (satoshi for XBt, millionths of a
dollar for USDt). Formulas are those of bitmex-api.md 4.3 to 4.5, checked there against recorded rows.

Rules:

* The value of one lot is rounded to the unit, half away from zero; a position is worth that many times its lots.
* Fees are cut off towards zero.
* Delta is exposure to the price: of an inverse or linear contract the amount of the underlying that one holds, of a quanto, which
  delivers nothing, its value in the settlement currency. Amounts of different currencies are never added up.
"""
from __future__ import absolute_import, division, print_function

from collections import namedtuple
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_HALF_UP, Decimal

from market_maker.utils.math import EXACT, to_decimal

INVERSE, QUANTO, LINEAR = 'Inverse', 'Quanto', 'Linear'
TERMS = ('tickSize', 'lotSize', 'multiplier', 'makerFee', 'takerFee', 'initMargin')  # of a contract, which a venue may change

# name -- as people write it; digits -- decimals between the unit and one of it
Currency = namedtuple('Currency', 'name digits')

_CURRENCIES = {
    'XBt': Currency('XBT', 8), 'USDt': Currency('USDT', 6), 'BMEx': Currency('BMEX', 6), 'ETh': Currency('ETH', 9),
}


def currency(code):
    """The Currency of a unit such as XBt. An unknown one is shown in its smallest unit, under its own name."""
    return _CURRENCIES.get(code) or Currency(code, 0)


def in_whole(units, code):
    """Smallest units -> the currency itself, as a float: 150000000 XBt -> 1.5."""
    return float(units) / 10 ** currency(code).digits


def settlement(row):
    """The code of the unit the contract settles in."""
    return row.get('settlCurrency') or 'XBt'


def kind(row):
    """INVERSE, QUANTO or LINEAR."""
    if row.get('isQuanto'):
        return QUANTO
    if row.get('isInverse') or (row.get('multiplier') or 0) < 0:
        return INVERSE
    return LINEAR


def lot_size(row):
    return row.get('lotSize') or 1


def lot_value(row, price):
    """Value of one lot at a price, in units."""
    size = to_decimal(abs(row['multiplier'])) * lot_size(row)
    price = to_decimal(price)
    exact = EXACT.divide(size, price) if kind(row) == INVERSE else EXACT.multiply(size, price)
    return int(exact.to_integral_value(ROUND_HALF_UP))


def cost(row, quantity, price):
    """What `quantity` contracts (of either sign) are worth at a price, in units; never negative."""
    exact = EXACT.divide(to_decimal(abs(quantity)), to_decimal(lot_size(row))) * lot_value(row, price)
    return int(exact.to_integral_value(ROUND_HALF_UP))


def profit(row, quantity, entry, leave):
    """What a position of `quantity` contracts (negative: short) makes between two prices, in units, before fees."""
    made = cost(row, quantity, entry) - cost(row, quantity, leave)
    return made if (kind(row) == INVERSE) == (quantity > 0) else -made


def fee(row, units, is_maker):
    """The fee on a trade worth `units`; negative when the venue pays."""
    rate = to_decimal(row.get('makerFee' if is_maker else 'takerFee') or 0)
    return int((rate * units).to_integral_value(ROUND_DOWN))


def initial_margin(row, quantity, price):
    """Units an order or position blocks, without fees: its cost times initMargin."""
    return _up(to_decimal(row.get('initMargin') or 0) * cost(row, quantity, price))


def order_margin(row, buys, sells, position=0):
    """Units the venue blocks for resting orders, fees to enter and to leave included (bitmex-api.md 4.5).

    buys, sells -- lists of (quantity, price); position -- contracts held. What only closes the position blocks nothing, and
    of a pair of a buy and a sell the dearer one counts.
    """
    rate, taker = to_decimal(row.get('initMargin') or 0), to_decimal(row.get('takerFee') or 0)
    blocked = rate + taker + taker * (1 + rate)
    opening_buys, buy_cost = _opening(row, buys, max(0, -position))
    opening_sells, sell_cost = _opening(row, sells, max(0, position))
    paired = min(opening_buys, opening_sells)
    both = _up(paired * max(buy_cost, sell_cost))
    one = _up((opening_buys - paired) * buy_cost) or _up((opening_sells - paired) * sell_cost)
    return _up(both * blocked) + _up(one * blocked)


def round_trip(row, buy_price, sell_price, quantity=100, is_maker=True):
    """(units, fraction of what the buy costs) that buying and selling `quantity` contracts nets after fees."""
    bought, sold = cost(row, quantity, buy_price), cost(row, quantity, sell_price)
    net = profit(row, quantity, buy_price, sell_price) - fee(row, bought, is_maker) - fee(row, sold, is_maker)
    return net, net / bought if bought else 0.0


def mark_price(row):
    """The mark price, or in a sparse row the best stand-in for it; None when there is nothing."""
    return _first(row, 'markPrice', 'fairPrice', 'midPrice', 'lastPrice', 'indicativeSettlePrice')


def spot_price(row):
    """The price of the index the contract settles at, or the best stand-in for it; None when there is nothing."""
    return _first(row, 'indicativeSettlePrice', 'markPrice', 'fairPrice', 'midPrice', 'lastPrice')


def multiplier(row):
    """What one contract is, for delta: in the underlying (linear), the settlement currency at a price of 1 (inverse, quanto)."""
    scale = 10.0 ** currency(settlement(row)).digits
    if kind(row) == INVERSE:
        return row['multiplier'] / float(row.get('underlyingToSettleMultiplier') or -scale)
    if kind(row) == QUANTO:
        return row['multiplier'] / scale
    return row['multiplier'] / float(row.get('underlyingToSettleMultiplier') or row.get('quoteToSettleMultiplier') or scale)


def delta_currency(row):
    """The name of the currency that the contract's delta is an amount of."""
    if kind(row) == LINEAR and row.get('underlying'):
        return row['underlying']
    return currency(settlement(row)).name


def portfolio_item(row, quantity):
    """One entry of `get_portfolio`, with the original's keys and the delta's currency."""
    return {'currentQty': float(quantity or 0), 'futureType': kind(row), 'multiplier': multiplier(row),
            'markPrice': _float(mark_price(row)), 'spot': _float(spot_price(row)), 'currency': delta_currency(row)}


def item_delta(item, price_name):
    """Delta of a portfolio entry at its 'spot' or 'markPrice'."""
    amount = item['currentQty'] * item['multiplier']
    price = item[price_name]
    if item['futureType'] == LINEAR or not amount:
        return amount
    if not price:
        return 0.0
    return amount / price if item['futureType'] == INVERSE else amount * price


def delta(portfolio, name):
    """{'spot', 'mark_price', 'basis', 'currency', 'others'}: the sums over the entries whose delta is in currency `name`.

    'others' holds the spot delta of the other entries, by currency.
    """
    spot = mark = 0.0
    others = {}
    for item in portfolio.values():
        at_spot = item_delta(item, 'spot')
        if item['currency'] == name:
            spot += at_spot
            mark += item_delta(item, 'markPrice')
        else:
            others[item['currency']] = others.get(item['currency'], 0.0) + at_spot
    return {'spot': spot, 'mark_price': mark, 'basis': mark - spot, 'currency': name, 'others': others}


def _opening(row, orders, closing):
    """(contracts of the orders beyond `closing`, average cost per contract of them all)."""
    quantity = sum(size for size, _ in orders)
    if not quantity:
        return 0, Decimal(0)
    return max(0, quantity - closing), EXACT.divide(Decimal(sum(cost(row, size, price) for size, price in orders)), Decimal(quantity))


def _up(exact):
    return int(to_decimal(exact).to_integral_value(ROUND_CEILING))


def _first(row, *names):
    for name in names:
        if row.get(name):
            return row[name]
    return None


def _float(number):
    return None if number is None else float(number)
