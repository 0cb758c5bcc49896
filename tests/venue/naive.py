"""The oracle: matching by price and time, and what fills come to, in the plainest way there is.

Lists are sorted anew for every order; money is fractions where the engine has integers. It is slow, and has no feature
that the comparison does not need.
"""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction


class NaiveBook:
    """Resting orders as a list of [id, owner, side, price, leaves, arrival]; fills as (maker, taker, price, qty)."""

    def __init__(self):
        self.orders = []
        self.fills = []
        self.arrivals = 0

    def _next(self):
        self.arrivals += 1
        return self.arrivals

    def crossing(self, side, price):
        against = [o for o in self.orders if o[2] == -side and (o[3] <= price if side > 0 else o[3] >= price)]
        return sorted(against, key=lambda o: (o[3] * side, o[5]))

    def place(self, order_id, owner, side, price, qty, tif="GoodTillCancel", post_only=False):
        """Returns what rests of it."""
        against = self.crossing(side, price)
        if post_only and against:
            return 0
        if tif == "FillOrKill" and sum(o[4] for o in against) < qty:
            return 0
        for maker in against:
            done = min(qty, maker[4])
            maker[4] -= done
            qty -= done
            self.fills.append((maker[0], order_id, maker[3], done))
            if not qty:
                break
        self.orders = [o for o in self.orders if o[4]]
        if qty and tif == "GoodTillCancel":
            self.orders.append([order_id, owner, side, price, qty, self._next()])
            return qty
        return 0

    def cancel(self, order_id):
        self.orders = [o for o in self.orders if o[0] != order_id]

    def amend(self, order_id, price, leaves):
        """leaves: the new size still to fill."""
        (order,) = [o for o in self.orders if o[0] == order_id]
        if price == order[3] and leaves <= order[4]:
            order[4] = leaves
            self.orders = [o for o in self.orders if o[4]]
            return
        self.cancel(order_id)
        if leaves:
            self.place(order_id, order[1], order[2], price, leaves)

    def levels(self, side):
        prices = sorted({o[3] for o in self.orders if o[2] == side}, reverse=side > 0)
        return [(p, sum(o[4] for o in self.orders if o[2] == side and o[3] == p)) for p in prices]

    def queue(self, side, price):
        return [o[0] for o in sorted(self.orders, key=lambda o: o[5]) if o[2] == side and o[3] == price]


def naive_value(kind, multiplier, lot, price):
    """Value of a lot, by decimal arithmetic; price is a Decimal."""
    exact = abs(multiplier) * lot / price if kind == "inverse" else multiplier * lot * price
    return int(Decimal(exact).quantize(Decimal(1), ROUND_HALF_UP))


class NaivePosition:
    """Quantity, cost and realised profit from a list of fills (signed qty, value of one contract)."""

    def __init__(self, inverse):
        self.inverse = inverse
        self.fills = []

    def add(self, signed_qty, value):
        self.fills.append((signed_qty, value))

    @property
    def qty(self):
        return sum(q for q, _ in self.fills)

    @property
    def cash(self):
        """All that came in less all that went out, in settlement units, if marked to nothing."""
        return sum(q * v for q, v in self.fills) * (1 if self.inverse else -1)


def naive_order_margin(init, taker, position, orders):
    """(grossOpenCost, initMargin) from a list of resting orders (side, qty, cost), in fractions (api 4.5)."""
    sums = {1: [0, 0], -1: [0, 0]}
    for side, qty, cost in orders:
        sums[side][0] += qty
        sums[side][1] += cost
    opening = {1: max(0, sums[1][0] - max(0, -position)), -1: max(0, sums[-1][0] - max(0, position))}
    each = {side: Fraction(cost, qty) if qty else Fraction(0) for side, (qty, cost) in sums.items()}
    pair = min(opening.values())
    parts = [math.ceil(pair * max(each.values())) if pair else 0]
    parts.append(sum(math.ceil((opening[side] - pair) * each[side]) for side in (1, -1)))
    rate = init + taker + taker * (1 + init)
    return sum(parts), sum(math.ceil(part * rate) for part in parts)
