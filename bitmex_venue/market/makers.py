"""Those whose orders rest: standing orders on the levels of the grid, and brief ones near the touch.

Rules:
* At most one standing order a level. An order that is gone is replaced when its level is looked at: the nearest
  levels at every step, those behind in rounds, so a book that was swept recovers from the touch outwards.
* Makers never cross: their orders stop short of the fair price and of the best opposite order in the book.
* Of the orders that the fair price has passed a share is withdrawn; the rest is there to be taken.
* A brief order comes at i grid steps from the opposite best quote (the first step is a tick) at a rate like i^-ALPHA
  and lives for an exponential time.
* Where the grid is wider than a tick somebody always quotes the very best price.
"""

from __future__ import annotations

import math
from bisect import bisect
from collections.abc import Iterable
from random import Random
from typing import Any

from bitmex_venue.engine.commands import BUY, SELL, Cancel, Place, PlaceBulk

from .base import MAKERS, SECOND, Floor
from .habits import Habits
from .shape import SIGMA, Grid, density, stride

ALPHA = 0.52
FARTHEST = 10  # brief orders come at most so many grid steps from the opposite best quote
MEDIAN_OF_MEAN = math.exp(-SIGMA * SIGMA / 2)  # of a lognormal
_WEIGHTS = [i**-ALPHA for i in range(1, FARTHEST + 1)]
_CUMULATIVE = [sum(_WEIGHTS[: i + 1]) for i in range(FARTHEST)]

Drafts = dict[tuple[int, int], Place]  # new orders by side and number of their level


class Makers:
    """The house account MAKERS on one instrument. `bid` is always the tick just below the fair price."""

    def __init__(self, floor: Floor, symbol: str, habits: Habits, rng: Random, grid: Grid) -> None:
        self._floor = floor
        self._symbol = symbol
        self._habits = habits
        self._rng = rng
        self._grid = grid
        self._spec = floor.exchange.instruments[symbol].spec
        self._book = floor.exchange.books[symbol]
        self._standing: dict[int, dict[int, Any]] = {BUY: {}, SELL: {}}
        self._brief: list[tuple[int, int, Any]] = []  # (expires, side, order)
        self._waiting: dict[int, list[int]] = {BUY: [], SELL: []}  # levels still to be looked at in this round
        self._level = 0  # where the fair price was when last looked at

    def fill_book(self, time: int, bid: int) -> None:
        """The whole book, both sides, at once."""
        self._level = self._grid.number(bid)
        drafts: Drafts = {}
        for side, limit in self._limits(bid):
            numbers = self._grid.numbers_from(self._first(side, limit), side, self._habits.reach_bp)
            self._draft(side, numbers, limit, drafts)
        self._rest(time, drafts)

    def withdraw(self, time: int, bid: int, share: float) -> None:
        """Cancel what has expired, and `share` of what the fair price has passed."""
        rng = self._rng
        level = self._grid.number(bid)
        best = {BUY: bid, SELL: bid + 1}
        ids: list[str] = []
        for side, passed in ((SELL, range(self._level, level + 1)), (BUY, range(level, self._level + 1))):
            standing = self._standing[side]
            for number in passed:
                order = standing.get(number)
                if order is not None and (order.price - best[side]) * side > 0 and rng.random() < share:
                    del standing[number]
                    if order.leaves_qty > 0:
                        ids.append(order.order_id)
        kept = []
        for expires, side, order in self._brief:
            if order.leaves_qty <= 0:
                continue
            if time >= expires or ((order.price - best[side]) * side > 0 and rng.random() < share):
                ids.append(order.order_id)
            else:
                kept.append((expires, side, order))
        self._brief = kept
        self._level = level
        self._cancel(time, ids)

    def refill(self, time: int, bid: int, anchor: int) -> None:
        """The nearest levels and the touch now, those behind by and by; `anchor` is `bid` without any sweep."""
        drafts: Drafts = {}
        for side, limit in self._limits(bid):
            first = self._first(side, limit)
            self._draft(side, range(first, first - side * self._habits.near, -side), limit, drafts)
            if not self._waiting[side]:
                self._begin_round(time, side, anchor)
            waiting = self._waiting[side]
            looked_at = [waiting.pop() for _ in range(min(len(waiting), self._habits.patience))]
            self._draft(side, looked_at, limit, drafts)
            if self._grid.step > 1:
                self._touch(time, side, limit)
        self._rest(time, drafts)

    def brief_order(self, time: int, side: int, bid: int) -> None:
        """One more order near the touch."""
        opposite = self._book.best_ask if side == BUY else self._book.best_bid
        steps = bisect(_CUMULATIVE, self._rng.random() * _CUMULATIVE[-1])
        spread = steps * self._grid.step
        if self._grid.step > 1 and steps:
            spread -= self._rng.randrange(self._grid.step)
        size = self._habits.size(self._rng, *self._habits.limit_size, self._spec)
        limit = dict(self._limits(bid))[side]
        price = limit if opposite is None else opposite - side * (1 + spread)
        self._brief_at(time, side, min(price, limit) if side == BUY else max(price, limit), size)

    # ---- deciding

    def _limits(self, bid: int) -> list[tuple[int, int]]:
        """The best price at which makers will rest, a side each."""
        book, ask = self._book, bid + 1
        if book.best_ask is not None:
            bid = min(bid, book.best_ask - 1)
        if book.best_bid is not None:
            ask = max(ask, book.best_bid + 1)
        return [(BUY, max(bid, 1)), (SELL, ask)]

    def _first(self, side: int, limit: int) -> int:
        """The level nearest to `limit` that does not pass it."""
        number = self._grid.number(limit)
        return number - side if (self._grid.price(number) - limit) * side > 0 else number

    def _draft(self, side: int, numbers: Iterable[int], limit: int, drafts: Drafts) -> None:
        """Draft an order for each of those levels that is empty and not beyond `limit`."""
        standing, grid = self._standing[side], self._grid
        for number in numbers:
            order = standing.get(number)
            if (order is not None and order.leaves_qty > 0) or (side, number) in drafts:
                continue
            price = grid.price(number)
            if (limit - price) * side < 0 or price < 1:
                continue
            distance_bp = abs(limit - price) / limit * 1e4
            typical = density(distance_bp) * grid.step_bp * stride(distance_bp)
            size = self._habits.size(self._rng, typical * MEDIAN_OF_MEAN, SIGMA, self._spec)
            drafts[side, number] = Place(MAKERS, self._symbol, side, size, price)

    # ---- doing

    def _begin_round(self, time: int, side: int, anchor: int) -> None:
        """List the levels that should be there around the undisturbed price; cancel what is too far or off the grid."""
        wanted = self._grid.numbers_from(self._grid.number(anchor), side, self._habits.reach_bp)
        self._waiting[side] = wanted[::-1]
        standing = self._standing[side]
        nearest, known = wanted[0], set(wanted)
        alone = [number for number in standing if number not in known and (nearest - number) * side > 0]
        self._cancel(time, [order.order_id for order in map(standing.pop, alone) if order.leaves_qty > 0])

    def _rest(self, time: int, drafts: Drafts) -> None:
        if drafts:
            placed = self._floor.do(time, PlaceBulk(MAKERS, tuple(drafts.values())))
            for (side, number), order in zip(drafts, placed or (), strict=False):
                self._standing[side][number] = order

    def _cancel(self, time: int, ids: list[str]) -> None:
        if ids:
            self._floor.do(time, Cancel(MAKERS, tuple(ids)))

    def _touch(self, time: int, side: int, limit: int) -> None:
        best = self._book.best_bid if side == BUY else self._book.best_ask
        if best is None or (limit - best) * side > 0:
            typical = density(0.0) * self._grid.step_bp
            self._brief_at(time, side, limit, self._habits.size(self._rng, typical * MEDIAN_OF_MEAN, SIGMA, self._spec))

    def _brief_at(self, time: int, side: int, price: int, size: int) -> None:
        life = int(self._rng.expovariate(1.0) * self._habits.life_s * SECOND)
        order = self._floor.do(time, Place(MAKERS, self._symbol, side, size, price)) if price > 0 else None
        if order is not None:
            self._brief.append((time + life, side, order))
