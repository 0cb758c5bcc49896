"""The matcher of a back-test on recorded data: our orders wait in hftbacktest's queues, the venue's accounts book what is filled.

It takes the place of `bitmex_venue.engine.matching` behind the venue's doors (see there for what a matcher is asked).

How our orders are filled. A buy (sells mirrored)

* that rests is filled at its price
  - wholly, when the best ask comes to its price or below, or when somebody sells at a price below its own, however little was sold;
  - when somebody sells at its price, by what is left of that sale after the contracts that stood before it (`partial`; otherwise wholly,
    as soon as none is left before it);
* stands behind all that was shown at its price when it came there. Sales at its price move it forward; so does, in the probabilistic
  queue, a part of what is cancelled there; in the conservative one only a level that has less than stands before it;
* made smaller keeps its place; moved or made larger it goes to the back;
* that is post-only is refused when it would trade with the best ask;
* that crosses takes what is shown down to its limit, each level at its price. What is left of it ends (immediate or cancel, market), or
  is filled at its own limit (good till cancelled: hftbacktest keeps no order inside the recorded book).

Where the data know the touch alone, an order beyond it is filled only when somebody trades through its price, or once the touch has come
to it (see `tape`).

Our orders change nothing: what they take is there again in the next row, two of ours at one price are both filled by one sale, and they
never meet each other.
"""

from __future__ import annotations

from typing import Any

from bitmex_venue.engine.book import Book
from bitmex_venue.engine.external import MAKER, TAKER
from bitmex_venue.engine.orders import Order

from .lane import Lane

IMMEDIATE = frozenset(("ImmediateOrCancel", "FillOrKill"))


class HftMatcher:
    """`matching` holds our orders, and is at the venue's time when anything is asked; `showing` is the book that is seen."""

    def __init__(self, book: Book, host: Any, matching: Lane, showing: Lane, has_depth: bool) -> None:
        self.book = book
        self.host = host
        self._matching, self._showing = matching, showing
        self._has_depth = has_depth
        self._resting: dict[int, Order] = {}
        self._numbers: dict[str, int] = {}  # order id -> number in the lane
        self._count = 0
        self.is_due = False  # the library has answered, which means a fill

    # ---- what a matcher is asked

    def would_take(self, side: int, limit: int) -> bool:
        bid, _, ask, _ = self._touch()
        best = ask if side > 0 else bid
        return best is not None and (limit - best) * side >= 0

    def can_fill(self, order: Order) -> bool:
        return sum(size for _, size in self._shown(order)) >= order.leaves_qty

    def take(self, order: Order) -> None:
        if not self.would_take(order.side, order.limit):
            return
        ends = order.time_in_force in IMMEDIATE or order.ord_type == "Market"
        shown = self._shown(order)
        self._count += 1
        limit = order.limit if self._has_depth or not ends else shown[0][0]
        self._matching.submit(self._count, order.side, limit, order.leaves_qty, only_now=ends)
        left = self._matching.leaves(self._count)
        self._matching.forget(self._count)
        filled = order.leaves_qty - left
        for ticks, size in [*shown, (order.limit, filled)]:
            part = min(filled, size, order.leaves_qty)  # a reduce-only order may end in the middle
            filled -= part
            if part:
                self.host.filled_outside(order, part, ticks, TAKER)

    def rest(self, order: Order) -> None:
        self._count += 1
        self._resting[self._count] = order
        self._numbers[order.order_id] = self._count
        self._matching.submit(self._count, order.side, order.limit, order.leaves_qty)
        self.book.add(order)

    def remove(self, order: Order) -> None:
        self.book.remove(order)
        number = self._numbers.pop(order.order_id)
        del self._resting[number]
        if self._matching.leaves(number):
            self._matching.cancel(number)
        self._matching.forget(number)

    def resize(self, order: Order, leaves: int) -> None:
        number = self._numbers[order.order_id]
        if 0 < leaves < self._matching.leaves(number):
            self._matching.shrink(number, order.limit, leaves)
        self.book.reduce(order, order.leaves_qty - leaves)
        if not leaves:
            self._forget(number, order)

    def advance(self) -> None:
        """Book what was filled since the last time, in the order of price, then of arrival. `is_due` says that there is something."""
        if not self.is_due:
            return
        self.is_due = False
        found = []
        for number, order in self._resting.items():
            filled = order.leaves_qty - self._matching.leaves(number)
            if filled > 0:
                found.append((-order.side * order.limit, number, order, filled))
        found.sort(key=lambda fill: fill[:2])
        for _, number, order, filled in found:
            quantity = min(filled, order.leaves_qty)
            if order.level is None or not quantity:  # ended by what an earlier fill led to
                continue
            ticks = order.limit
            self.book.reduce(order, quantity)
            if not order.leaves_qty:
                self._forget(number, order)
            self.host.filled_outside(order, quantity, ticks, MAKER)

    def set_level(self, side: int, price: int, size: int) -> None:
        """What others show at a price. It is only shown: fills are the library's."""
        self.book.set_external(side, price, size)

    def recorded_trade(self, side: int, price: int, size: int) -> None:
        self.host.outside_trade(self.host.exchange.markets[self.book.symbol], side, size, price)

    # ---- parts

    def _forget(self, number: int, order: Order) -> None:
        del self._resting[number], self._numbers[order.order_id]
        self._matching.forget(number)

    def _touch(self) -> tuple[int | None, int, int | None, int]:
        """The recorded touch at the venue's time."""
        now = self.host.exchange.now
        if now > self._showing.now:
            self._showing.look(now)
        return self._showing.touch()

    def _shown(self, order: Order) -> list[tuple[int, int]]:
        """(ticks, contracts) of the levels an order reaches, the best first, until they are enough."""
        bid, bid_size, ask, ask_size = self._touch()
        ticks, size = (ask, ask_size) if order.side > 0 else (bid, bid_size)
        levels: list[tuple[int, int]] = []
        wanted = order.leaves_qty
        while ticks is not None and (order.limit - ticks) * order.side >= 0 and wanted > 0:
            if size:
                levels.append((ticks, size))
                wanted -= size
            if not self._has_depth:
                break
            ticks += order.side
            size = self._showing.size_at(-order.side, ticks)
        return levels
