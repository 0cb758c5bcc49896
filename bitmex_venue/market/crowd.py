"""The other participants of one instrument: who rest orders, who take them, and who leave.

Model. The price that everybody agrees on, `fair`, comes from a path (paths.py). Around it:

* Standing orders, one per level of the grid (shape.py). Every `step` seconds or so the makers look at `fair`: most
  of the orders that it has made worthless are withdrawn (`withdrawn`), the rest are taken by somebody who saw it
  too, together with everything else that is priced on the wrong side of it, whoever owns it. This is what makes a
  stale quote expensive: Glosten and Milgrom (J. Financial Economics 14, 1985), Budish, Cramton and Shim (Q. J.
  Economics 130, 2015). Then the levels next to the touch are filled up at once and those behind a few at a time, so
  that a book that was swept recovers from the touch outwards within about ten seconds.
* Brief orders and small market orders between the steps, after Cont, Stoikov and Talreja, "A stochastic model for
  order book dynamics", Operations Research 58 (2010): independent Poisson arrivals; limit orders at a distance of i
  from the opposite best quote at a rate proportional to i^-ALPHA (their fit: alpha 0.52); each lives for an
  exponential time; market orders on both sides at one constant rate. Sizes are lognormal.

Rules:
* Makers never cross: their orders stop short of `fair` and of the best opposite order in the book.
* Takers pay up to `fair` and no further, or a few levels beyond the touch for the small ones; nothing of theirs ever
  rests.
* A taker cannot buy more in one order than the instrument allows, so a wall can hold a price for a while.
* All draws come from one generator, and are the same for the same commands of others.
"""

from __future__ import annotations

import math
from bisect import bisect
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from typing import Any

from bitmex_venue.engine.commands import BUY, SELL, Cancel, Place, PlaceBulk

from .base import MAKERS, SECOND, TAKERS, Floor
from .shape import SIGMA, Grid, contracts, density, stride

ALPHA = 0.52
WIDEST = 2.5  # lognormal sizes are cut at so many sigmas
MEDIAN_OF_MEAN = math.exp(-SIGMA * SIGMA / 2)  # of a lognormal
FARTHEST = 10  # brief orders come at most so many grid steps from the opposite best quote
_WEIGHTS = [i**-ALPHA for i in range(1, FARTHEST + 1)]
_CUMULATIVE = [sum(_WEIGHTS[: i + 1]) for i in range(FARTHEST)]

Drafts = dict[tuple[int, int], Place]  # new orders by side and number of their level


@dataclass(frozen=True)
class Habits:
    """How busy an instrument is. Rates are per second and for both sides together, sizes in XBTUSD-like contracts."""

    scale: float = 1.0  # contracts of this instrument for one of XBTUSD
    step_s: tuple[float, float] = (0.4, 1.2)  # seconds between two looks at the fair price, uniform
    sweep_step_s: tuple[float, float] = (0.15, 0.35)  # the same while somebody sweeps
    limit_rate: float = 4.0
    market_rate: float = 1.5
    life_s: float = 4.0
    limit_size: tuple[float, float] = (9_000.0, 1.2)  # median and sigma of a lognormal
    market_size: tuple[float, float] = (2_500.0, 1.5)
    market_depth: int = 2  # grid steps that a small market order may walk
    withdrawn: float = 0.98  # share of worthless standing orders that get away
    withdrawn_in_sweep: float = 0.75
    near: int = 8  # levels a side that are filled up at once
    patience: int = 12  # levels a side behind them that are looked at in each step
    reach_bp: float = 1000.0  # how far from the touch levels are found


class Crowd:
    """Everybody else who trades `symbol`. `value` and `sweeps` are paths; the price is value x exp(displacement)."""

    def __init__(self, floor: Floor, symbol: str, value: Any, sweeps: Any, habits: Habits, rng: Random) -> None:
        instrument = floor.exchange.instruments[symbol]
        self.symbol = symbol
        self._floor = floor
        self._value = value
        self._sweeps = sweeps
        self._habits = habits
        self._rng = rng
        self._tick = instrument.spec.price(1)
        self._lot = instrument.spec.lot_size
        self._largest = instrument.spec.max_order_qty
        self._standing: dict[int, dict[int, Any]] = {BUY: {}, SELL: {}}
        self._brief: list[tuple[int, int, Any]] = []  # (expires, side, order)
        self._waiting: dict[int, list[int]] = {BUY: [], SELL: []}  # levels still to be looked at in this round

    # ---- what the market calls

    def begin(self, time: int) -> None:
        """The whole book, both sides, at once."""
        fair = self._value.at(time) / self._tick
        self._grid = Grid(self._rng, fair)
        self._bid = int(fair)
        self._level = self._grid.number(self._bid)
        drafts: Drafts = {}
        for side, limit in self._limits():
            numbers = self._grid.numbers_from(self._first(side, limit), side, self._habits.reach_bp)
            self._draft(side, numbers, limit, drafts)
        self._rest(time, drafts)

    def step(self, time: int) -> int:
        """Follow the fair price; returns the time of the next step."""
        habits, rng = self._habits, self._rng
        anchor = self._value.at(time) / self._tick
        self._bid = int(anchor * math.exp(self._sweeps.at(time)))
        sweeping = self._sweeps.is_under_way(time)
        self._withdraw(time, habits.withdrawn_in_sweep if sweeping else habits.withdrawn)
        self._take_mispriced(time)
        self._refill(time, int(anchor))
        pause = int(rng.uniform(*(habits.sweep_step_s if sweeping else habits.step_s)) * SECOND)
        edge = self._sweeps.next_edge(time)
        return time + pause if edge is None else min(time + pause, edge)

    def flurry(self, time: int) -> int:
        """One brief order or one small market order; returns the time of the next."""
        habits, rng = self._habits, self._rng
        side = BUY if rng.random() < 0.5 else SELL
        if rng.random() * (habits.limit_rate + habits.market_rate) < habits.limit_rate:
            self._brief_order(time, side)
        else:
            self._small_market_order(time, side)
        return time + int(rng.expovariate(habits.limit_rate + habits.market_rate) * SECOND)

    # ---- takers

    def _take_mispriced(self, time: int) -> None:
        book = self._floor.exchange.books[self.symbol]
        for side, limit in ((BUY, self._bid), (SELL, self._bid + 1)):
            best = book.best_ask if side == BUY else book.best_bid
            if best is not None and (limit - best) * side >= 0:
                self._take(time, side, self._shown(book, -side, limit), limit)

    def _shown(self, book: Any, side: int, limit: int) -> int:
        """What rests on `side` at `limit` and better."""
        total = 0
        for level in book.side(side).in_order():
            if (level.price - limit) * side < 0:
                break
            total += level.size
        return total

    def _take(self, time: int, side: int, amount: int, limit: int) -> None:
        quantity = min(amount, self._largest) // self._lot * self._lot
        if quantity > 0:
            order = Place(TAKERS, self.symbol, side, quantity, limit, time_in_force="ImmediateOrCancel")
            self._floor.do(time, order)

    def _small_market_order(self, time: int, side: int) -> None:
        book = self._floor.exchange.books[self.symbol]
        best = book.best_ask if side == BUY else book.best_bid
        amount = self._size(*self._habits.market_size)
        if best is not None:
            self._take(time, side, amount, best + side * self._habits.market_depth * self._grid.step)

    # ---- makers

    def _size(self, median: float, sigma: float) -> int:
        draw = min(max(self._rng.gauss(0.0, 1.0), -WIDEST), WIDEST)
        return contracts(self._habits.scale * median * math.exp(sigma * draw), self._lot)

    def _limits(self) -> list[tuple[int, int]]:
        """The best price at which makers will rest, a side each."""
        book = self._floor.exchange.books[self.symbol]
        bid, ask = self._bid, self._bid + 1
        if book.best_ask is not None:
            bid = min(bid, book.best_ask - 1)
        if book.best_bid is not None:
            ask = max(ask, book.best_bid + 1)
        return [(BUY, max(bid, 1)), (SELL, ask)]

    def _first(self, side: int, limit: int) -> int:
        """The level nearest to `limit` that does not pass it."""
        number = self._grid.number(limit)
        return number - side if (self._grid.price(number) - limit) * side > 0 else number

    def _withdraw(self, time: int, share: float) -> None:
        """Cancel what has expired, and `share` of what the fair price has passed."""
        rng = self._rng
        level = self._grid.number(self._bid)
        best = {BUY: self._bid, SELL: self._bid + 1}
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

    def _cancel(self, time: int, ids: list[str]) -> None:
        if ids:
            self._floor.do(time, Cancel(MAKERS, tuple(ids)))

    def _refill(self, time: int, anchor: int) -> None:
        """The nearest levels and the touch now, those behind by and by."""
        drafts: Drafts = {}
        for side, limit in self._limits():
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

    def _begin_round(self, time: int, side: int, anchor: int) -> None:
        """List the levels that should be there around the undisturbed price; cancel what is too far or off the grid."""
        wanted = self._grid.numbers_from(self._grid.number(anchor), side, self._habits.reach_bp)
        self._waiting[side] = wanted[::-1]
        standing = self._standing[side]
        nearest, known = wanted[0], set(wanted)
        alone = [n for n in standing if n not in known and (nearest - n) * side > 0]
        ids = [order.order_id for order in map(standing.pop, alone) if order.leaves_qty > 0]
        self._cancel(time, ids)

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
            size = self._size(typical * MEDIAN_OF_MEAN, SIGMA)
            drafts[side, number] = Place(MAKERS, self.symbol, side, min(size, self._largest), price)

    def _rest(self, time: int, drafts: Drafts) -> None:
        if drafts:
            placed = self._floor.do(time, PlaceBulk(MAKERS, tuple(drafts.values())))
            for (side, number), order in zip(drafts, placed or (), strict=False):
                self._standing[side][number] = order

    def _touch(self, time: int, side: int, limit: int) -> None:
        """Where the grid is wider than a tick: somebody quotes at the very best price."""
        book = self._floor.exchange.books[self.symbol]
        best = book.best_bid if side == BUY else book.best_ask
        if best is None or (limit - best) * side > 0:
            self._brief_at(time, side, limit, self._size(density(0.0) * self._grid.step_bp * MEDIAN_OF_MEAN, SIGMA))

    def _brief_order(self, time: int, side: int) -> None:
        """At i grid steps (the first is a tick) from the opposite best quote, at a rate like i^-ALPHA."""
        book = self._floor.exchange.books[self.symbol]
        opposite = book.best_ask if side == BUY else book.best_bid
        steps = bisect(_CUMULATIVE, self._rng.random() * _CUMULATIVE[-1])
        spread = steps * self._grid.step
        if self._grid.step > 1 and steps:
            spread -= self._rng.randrange(self._grid.step)
        size = self._size(*self._habits.limit_size)
        limit = dict(self._limits())[side]
        price = limit if opposite is None else opposite - side * (1 + spread)
        price = min(price, limit) if side == BUY else max(price, limit)
        if price > 0:
            self._brief_at(time, side, price, size)

    def _brief_at(self, time: int, side: int, price: int, size: int) -> None:
        life = int(self._rng.expovariate(1.0) * self._habits.life_s * SECOND)
        order = self._floor.do(time, Place(MAKERS, self.symbol, side, min(size, self._largest), price))
        if order is not None:
            self._brief.append((time + life, side, order))
