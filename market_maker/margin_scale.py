"""Pure: how much of the ladder the margin pays for.

Rules:

* The outermost level of both sides goes first, until what is left needs no more than there is.
* What was given up comes back only when there is a tenth more than it needs, so that it does not come and go with every tick.

Orders are lists of (quantity, price), outermost first; units are those of the settlement currency.
"""
from __future__ import absolute_import, division, print_function

from market_maker import contracts

TO_COME_BACK = 0.9


def levels(row, buys, sells, position, units, before=None):
    """How many levels a side can be paid from `units`; `before` is the answer of last time, None for the whole ladder."""
    found = _levels(row, buys, sells, position, units)
    if before is not None and found > before:
        found = max(before, _levels(row, buys, sells, position, units * TO_COME_BACK))
    return found


def innermost(orders, count):
    """The inner `count` of a side's orders."""
    return orders[len(orders) - count:] if count < len(orders) else orders


def _levels(row, buys, sells, position, units):
    for count in range(max(len(buys), len(sells)), 0, -1):
        if contracts.order_margin(row, innermost(buys, count), innermost(sells, count), position) <= units:
            return count
    return 0
