"""Pure: what to do about post-only orders that the venue cancelled because they would have traded.

Rules:

* Such an order does not rest. The next one of its side is priced at least a tick further on our own side.
* A second refusal in a row waits, and each further one longer, before the side is priced towards the touch again.
* An order that rests ends it.

Times are handed in, in seconds of a clock that is never set back.
"""
from __future__ import absolute_import, division, print_function

from market_maker.convergence import BUY
from market_maker.utils.math import to_decimal

LONGEST_WAIT_S = 60.0
POST_ONLY = 'ParticipateDoNotInitiate'


def is_refused(row):
    """Whether an answer's order is over without having been filled: the venue took it and ended it at once."""
    return row.get('ordStatus') in ('Canceled', 'Rejected') and not row.get('cumQty')


def is_post_only(row):
    return POST_ONLY in (row.get('text') or '') or POST_ONLY in (row.get('execInst') or '')


class _Side(object):
    __slots__ = ('limit', 'in_a_row', 'not_before')

    def __init__(self):
        self.limit, self.in_a_row, self.not_before = None, 0, 0.0


class Refusals(object):
    """What was refused lately, by side."""

    def __init__(self, first_wait):
        self.first_wait = first_wait
        self.count = 0              # since the start
        self._sides = {}

    def _side(self, name):
        return self._sides.setdefault(name, _Side())

    def note(self, rows, tick, now):
        """Learn from the rows of an answer; return those refused."""
        refused = [row for row in rows if is_refused(row)]
        for name in set(row['side'] for row in rows if row.get('side')):
            if not any(row['side'] == name for row in refused):
                self._sides.pop(name, None)
        for name in set(row['side'] for row in refused):
            side = self._side(name)
            side.in_a_row += 1
            side.not_before = now + min(LONGEST_WAIT_S, self.first_wait * (2 ** min(side.in_a_row - 1, 10) - 1))
            prices = [row['price'] for row in refused if row['side'] == name and row.get('price') and is_post_only(row)]
            if prices:
                inner = to_decimal(max(prices) if name == BUY else min(prices))
                side.limit = float(inner - to_decimal(tick) if name == BUY else inner + to_decimal(tick))
        self.count += len(refused)
        return refused

    def adjust(self, orders):
        """The desired orders, none beyond the price that the last refusal leaves to its side."""
        return [self._held(order) for order in orders]

    def hold_back(self, plan, now):
        """The plan without what a side that waits would create or move towards the touch."""
        waiting = [name for name, side in self._sides.items() if now < side.not_before]
        if not waiting:
            return plan
        batches = [[amend for amend in batch if not (amend.order['side'] in waiting and amend.advances)] for batch in plan.batches]
        batches = [batch for batch in batches if batch]
        return plan._replace(amend=[amend for batch in batches for amend in batch], batches=batches,
                             create=[order for order in plan.create if order['side'] not in waiting])

    def _held(self, order):
        side = self._sides.get(order['side'])
        if side is None or side.limit is None:
            return order
        price = min(order['price'], side.limit) if order['side'] == BUY else max(order['price'], side.limit)
        return order if price == order['price'] else dict(order, price=price)
