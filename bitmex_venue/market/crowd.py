"""The other participants of one instrument: who rests orders, who takes them, and when.

Model. The price that everybody agrees on, `fair`, comes from a path (paths.py). Around it:

* Every `step` seconds or so makers and takers look at `fair`. Most of the standing orders (one per level of the
  book's grid, shape.py) that it has made worthless are withdrawn, the rest are taken by somebody who saw it too,
  together with everything else that is priced on the wrong side of it, whoever owns it. This is what makes a stale
  quote expensive: Glosten and Milgrom (J. Financial Economics 14, 1985), Budish, Cramton and Shim (Q. J. Economics
  130, 2015). Then the levels next to the touch are filled up at once and those behind a few at a time, so that a
  book that was swept recovers from the touch outwards within about ten seconds.
* Between the steps brief orders and small market orders, after Cont, Stoikov and Talreja, "A stochastic model for
  order book dynamics", Operations Research 58 (2010): independent Poisson arrivals; limit orders at a distance of i
  from the opposite best quote at a rate proportional to i^-alpha (their fit: alpha 0.52); each lives for an
  exponential time; market orders on both sides at one constant rate. Sizes are lognormal.

The rules that makers and takers keep are theirs (makers.py, takers.py). All draws of a crowd come from one
generator, and are the same for the same commands of others.
"""

from __future__ import annotations

import math
from random import Random
from typing import Any

from bitmex_venue.engine.commands import BUY, SELL

from .base import SECOND, Floor
from .habits import Habits
from .makers import Makers
from .shape import Grid
from .takers import Takers


class Crowd:
    """Everybody else who trades `symbol`. `value` and `sweeps` are paths; fair is value x exp(displacement)."""

    def __init__(self, floor: Floor, symbol: str, value: Any, sweeps: Any, habits: Habits, rng: Random) -> None:
        self._floor = floor
        self._symbol = symbol
        self._value = value
        self._sweeps = sweeps
        self._habits = habits
        self._rng = rng
        self._bid = 0  # the tick just below the fair price

    def begin(self, time: int) -> None:
        """Fill the book; also anew, when the contract has another grid."""
        self._tick = self._floor.exchange.instruments[self._symbol].spec.price(1)
        fair = self._value.at(time) / self._tick
        grid = Grid(self._rng, fair)
        self._makers = Makers(self._floor, self._symbol, self._habits, self._rng, grid)
        self._takers = Takers(self._floor, self._symbol, self._habits, self._rng, self._habits.market_depth * grid.step)
        self._bid = int(fair)
        self._makers.fill_book(time, self._bid)

    def step(self, time: int) -> int:
        """Follow the fair price; returns the time of the next step."""
        habits = self._habits
        anchor = self._value.at(time) / self._tick
        self._bid = int(anchor * math.exp(self._sweeps.at(time)))
        sweeping = self._sweeps.is_under_way(time)
        self._makers.withdraw(time, self._bid, habits.withdrawn_in_sweep if sweeping else habits.withdrawn)
        self._takers.take_mispriced(time, self._bid)
        self._makers.refill(time, self._bid, int(anchor))
        pause = int(self._rng.uniform(*(habits.sweep_step_s if sweeping else habits.step_s)) * SECOND)
        edge = self._sweeps.next_edge(time)
        return time + pause if edge is None else min(time + pause, edge)

    def flurry(self, time: int) -> int:
        """One brief order or one small market order; returns the time of the next."""
        habits, rng = self._habits, self._rng
        rate = habits.limit_rate + habits.market_rate
        side = BUY if rng.random() < 0.5 else SELL
        if rng.random() * rate < habits.limit_rate:
            self._makers.brief_order(time, side, self._bid)
        else:
            self._takers.small_order(time, side)
        return time + int(rng.expovariate(rate) * SECOND)
