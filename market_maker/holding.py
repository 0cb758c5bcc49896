"""Pure: a position that grows fill by fill: what it cost, its average entry, the margin it needs, where it would be liquidated.

Quantities are contracts, negative when short; money is in units of the settlement currency. Formulas are those of bitmex-api.md 4.4
and 4.5, as the venue of 2018 reckoned cross margin:

* Reducing a position releases its cost in proportion; going through zero closes it all and opens the rest.
* The average entry comes from the ceiling of the signed cost of a lot, to four decimals; where all lots cost the same it is on the tick.
* Margin used is the initial margin and the fee to leave; kept must be the maintenance margin, that fee, and the fee on what is lost.

Known differences: from 2024 on the venue locked the maintenance margin alone, so that there its liquidation price is further away by
about the taker fee. Funding, which changes the balance every eight hours, and other positions of the account are not reckoned with.
"""
from __future__ import absolute_import, division, print_function

from collections import namedtuple
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

from market_maker import contracts
from market_maker.utils.math import EXACT, to_decimal, to_multiple

_ENTRY_STEP = Decimal('0.0001')

# quantity -- contracts; cost -- units, never negative; realised -- units made by what was closed, less fees
Holding = namedtuple('Holding', 'quantity cost realised')
FLAT = Holding(0, 0, 0)


def at(row, quantity, price):
    """The Holding of a position with this average entry; FLAT without contracts."""
    return Holding(quantity, contracts.cost(row, quantity, price), 0) if quantity else FLAT


def fill(row, held, quantity, price, is_maker=True):
    """The Holding after buying `quantity` contracts (negative: selling) at a price, fee included."""
    paid = contracts.fee(row, contracts.cost(row, quantity, price), is_maker)
    closed = min(abs(quantity), abs(held.quantity)) if held.quantity * quantity < 0 else 0
    opened = abs(quantity) - closed
    made = 0
    cost = held.cost
    if closed:
        released = _rounded(EXACT.divide(Decimal(held.cost * closed), Decimal(abs(held.quantity))))
        made = _made(row, held.quantity > 0, released, contracts.cost(row, closed, price))
        cost -= released
    return Holding(held.quantity + quantity, cost + contracts.cost(row, opened, price), held.realised + made - paid)


def entry(row, held):
    """Average entry price, with four decimals, or on the tick where every lot cost the same; None when flat."""
    if not held.quantity or not held.cost:
        return None
    exact = EXACT.divide(to_decimal(held.cost) * contracts.lot_size(row), Decimal(abs(held.quantity)))
    is_positive = (contracts.kind(row) == contracts.INVERSE) == (held.quantity < 0)
    per_lot = exact.to_integral_value(ROUND_CEILING if is_positive else ROUND_FLOOR)
    if not per_lot:
        return None
    price = _price(row, per_lot, contracts.lot_size(row))
    if per_lot == exact:
        on_tick = to_multiple(price, row['tickSize'], ROUND_HALF_UP)
        if on_tick and contracts.cost(row, contracts.lot_size(row), on_tick) == per_lot:
            return float(on_tick)
    return float(to_multiple(price, _ENTRY_STEP, ROUND_HALF_EVEN))


def unrealised(row, held, price):
    """Units the open part would make at a price, before the fee to leave."""
    return _made(row, held.quantity > 0, held.cost, contracts.cost(row, held.quantity, price))


def margin(row, held):
    """Units the position locks: posInit and posComm of bitmex-api.md 4.5."""
    initial = _up(_rate(row, 'initMargin') * held.cost)
    return initial + _up(_rate(row, 'takerFee') * (held.cost + initial))


def liquidation(row, held, balance):
    """The price, on the tick nearer to safety, at which `balance` units (before this holding's own profit) are down to the maintenance
    margin; None when flat, or when no price the venue knows does that."""
    if not held.quantity or not row.get('maintMargin'):
        return None
    taker = _rate(row, 'takerFee')
    initial = _up(_rate(row, 'initMargin') * held.cost)
    needed = _up(_rate(row, 'maintMargin') * held.cost) + _up(taker * (held.cost + initial))
    loss = EXACT.divide(Decimal(balance + held.realised - needed), 1 + taker)
    is_long = held.quantity > 0
    value = held.cost + loss if (contracts.kind(row) == contracts.INVERSE) == is_long else held.cost - loss
    if value <= 0:
        return None
    price = to_multiple(_price(row, value, abs(held.quantity)), row['tickSize'], ROUND_CEILING if is_long else ROUND_FLOOR)
    highest = row.get('maxPrice') or 1000000
    return float(price) if 0 < price < highest else None


def _made(row, is_long, cost, value):
    """Profit of a position that cost `cost` and is worth `value`."""
    return cost - value if (contracts.kind(row) == contracts.INVERSE) == is_long else value - cost


def _price(row, units, quantity):
    """The price at which `quantity` contracts are worth `units`."""
    size = EXACT.multiply(to_decimal(abs(row['multiplier'])), Decimal(quantity))
    units = to_decimal(units)
    return EXACT.divide(size, units) if contracts.kind(row) == contracts.INVERSE else EXACT.divide(units, size)


def _rate(row, name):
    return to_decimal(row.get(name) or 0)


def _rounded(exact):
    return int(exact.to_integral_value(ROUND_HALF_UP))


def _up(exact):
    return int(exact.to_integral_value(ROUND_CEILING))
