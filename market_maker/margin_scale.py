"""How much of the ladder the margin pays for; pure, but for `MarginScale`, which asks the exchange that it is given.

Rules:

* The outermost level of both sides goes first, until what is left needs no more than there is.
* What was given up comes back only when there is a tenth more than it needs, so that it does not come and go with every tick.
* While there is a quarter more than the whole ladder needs, what rests is not looked at.

Orders are lists of (quantity, price), outermost first; units are those of the settlement currency.
"""
from __future__ import absolute_import, division, print_function

from market_maker import contracts
from market_maker.utils import log

logger = log.get_logger()

TO_COME_BACK = 0.9
AMPLE = 1.25


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


class MarginScale(object):
    """Scales the ladders of one run, and says when it begins to and when it ends."""

    def __init__(self, exchange):
        self._exchange = exchange
        self._levels = None                # a side, that the margin paid for last time; None for all
        self.forget()

    def forget(self):
        """The contract is another one."""
        self._needed = (None, 0)           # what the whole ladder needs: (of which ladder, units)

    def fit(self, buy_orders, sell_orders, instrument, price):
        """The inner part of both sides' orders (outermost first) that the margin pays for; usually all of it. `price` about the touch."""
        account, held = self._exchange.get_margin(), self._exchange.get_delta()
        available = account.get('availableMargin')
        if available is None:
            return buy_orders, sell_orders
        terms = self._terms(instrument)
        buys, sells = [[(order['orderQty'], order['price']) for order in orders] for orders in (buy_orders, sell_orders)]
        if self._levels is None and available >= AMPLE * self._need(terms, buys, sells, held, price):
            return buy_orders, sell_orders
        whole = max(len(buys), len(sells))
        count = levels(terms, buys, sells, held, self._units(terms, account, available, held), self._levels)
        self._say(count, whole)
        self._levels = count if count < whole else None
        return innermost(buy_orders, count), innermost(sell_orders, count)

    def _terms(self, instrument):
        """The contract's row with the initial margin that our position's leverage asks for, where its row tells."""
        usual = instrument.get('initMargin')
        asked = self._exchange.get_position().get('initMarginReq') or usual or 0
        return instrument if asked == usual else dict(instrument, initMargin=asked)

    def _need(self, terms, buys, sells, held, price):
        ladder = held, [size for size, _ in buys], [size for size, _ in sells], '%.1e' % price, terms.get('initMargin')  # to a tenth
        if ladder != self._needed[0]:
            self._needed = ladder, contracts.order_margin(terms, buys, sells, held)
        return self._needed[1]

    def _units(self, terms, account, available, held):
        """What a ladder may need: what is available, and what the resting orders have taken."""
        rows = [row for row in self._exchange.get_orders() if row.get('price')]
        resting = [[(row['leavesQty'], row['price']) for row in rows if row['side'] == side] for side in ('Buy', 'Sell')]
        units = available + contracts.order_margin(terms, resting[0], resting[1], held)
        return min(units, account['marginBalance'] - (account.get('maintMargin') or 0))  # the row may not know of what rests yet

    def _say(self, count, whole):
        if whole and not count and self._levels != 0:
            logger.warning('The margin does not pay for a single pair: nothing is quoted until it does.')
        elif 0 < count < whole and not self._levels:
            logger.warning('The margin pays for %d of %d levels: the outer ones are left out.', count, whole)
        elif count >= whole and self._levels is not None:
            logger.info('The margin pays for the whole ladder again.')
