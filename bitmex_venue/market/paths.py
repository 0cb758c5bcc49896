"""Where prices go: pure, seeded, driven by times handed in. No orders here.

`Diffusion`  the fundamental value: a random walk of its logarithm without drift, so that what has happened says
             nothing about what comes. Bachelier 1900, Osborne 1959: the null hypothesis of every market. A quote far
             from the touch is filled only when the value has come to it, and is then worth nothing on average.
`Sweeps`     displacement of the quoted price from the value: at random times somebody in a hurry trades through the
             book, up or down with equal odds, and the book recovers exponentially. Permanent impact is nil: the
             value stays. Obizhaeva and Wang, "Optimal trading strategy and supply/demand dynamics", J. Financial
             Markets 16 (2013).
`Follower`   a second asset: moves with another path by `beta` and by itself. `Basis` is a path at a fixed distance.

Rules:
* Times handed in never go back; a path asked twice for one time answers the same.
* Prices are floats in quote currency: models know no ticks.
"""

from __future__ import annotations

import math
from random import Random
from typing import Any

from .base import SECOND


class Diffusion:
    """Log price with independent normal steps every `STEP`; `deviation` is that of the log return over one minute.

    Steps are made at the same moments however often the path is asked, so who asks when changes nothing.
    """

    STEP = SECOND // 4

    def __init__(self, rng: Random, start: float, deviation: float) -> None:
        self._rng = rng
        self._log = math.log(start)
        self._sigma = deviation * math.sqrt(self.STEP / (60 * SECOND))
        self._price = start
        self._next: int | None = None

    def at(self, time: int) -> float:
        if self._next is None:
            self._next = time + self.STEP
        if time >= self._next:
            while time >= self._next:
                self._log += self._sigma * self._rng.gauss(0.0, 1.0)
                self._next += self.STEP
            self._price = math.exp(self._log)
        return self._price


class Follower:
    """`start` times (leader now / leader at first)^beta times a diffusion of its own."""

    def __init__(self, rng: Random, start: float, leader: Any, beta: float, deviation: float) -> None:
        self._own = Diffusion(rng, start, deviation)
        self._leader = leader
        self._beta = beta
        self._first: float | None = None

    def at(self, time: int) -> float:
        leader = self._leader.at(time)
        if self._first is None:
            self._first = leader
        return self._own.at(time) * (leader / self._first) ** self._beta


class Basis:
    """Another path at a fixed relative distance: a dated future above its index."""

    def __init__(self, path: Any, basis: float) -> None:
        self._path = path
        self._factor = 1.0 + basis

    def at(self, time: int) -> float:
        return self._path.at(time) * self._factor


class Steered:
    """Another path, moved by hand: `factor` is 1 until somebody steers."""

    def __init__(self, path: Any) -> None:
        self._path = path
        self.factor = 1.0

    def at(self, time: int) -> float:
        return self._path.at(time) * self.factor


class NoSweeps:
    """Nobody is ever in a hurry."""

    def at(self, time: int) -> float:
        return 0.0

    def is_under_way(self, time: int) -> bool:
        return False

    def next_edge(self, time: int) -> int | None:
        return None


class Sweeps:
    """Displacement of the log price: rises to the sweep's size within `DURATION`, then halves every `HALF_LIFE`.

    Sizes are `LEAST` plus an exponential of mean `MORE`, at most `MOST`. Gaps between the end of one and the start
    of the next are uniform on `GAP`: irregular, but never so long that a bot started at any moment waits a minute.
    """

    DURATION = (int(0.8 * SECOND), int(2.0 * SECOND))
    HALF_LIFE = 1.5 * SECOND
    LEAST, MORE, MOST = 0.0068, 0.002, 0.02
    FIRST_GAP = (8 * SECOND, 32 * SECOND)
    GAP = (14 * SECOND, 36 * SECOND)

    def __init__(self, rng: Random, start: int) -> None:
        self._rng = rng
        self._left, self._left_at = 0.0, start  # what was displaced when the last sweep ended, and when that was
        self._plan(start, self.FIRST_GAP)

    def _plan(self, time: int, gap: tuple[int, int]) -> None:
        rng = self._rng
        self._begins = time + rng.randint(*gap)
        self._ends = self._begins + rng.randint(*self.DURATION)
        size = min(self.LEAST + rng.expovariate(1.0) * self.MORE, self.MOST)
        self._size = size if rng.random() < 0.5 else -size

    def _decayed(self, time: int) -> float:
        return self._left * 0.5 ** ((time - self._left_at) / self.HALF_LIFE)

    def at(self, time: int) -> float:
        """The displacement of the log price."""
        while time > self._ends:
            self._left, self._left_at = self._decayed(self._ends) + self._size, self._ends
            self._plan(self._ends, self.GAP)
        swept = 0.0
        if time > self._begins:
            swept = self._size * (time - self._begins) / (self._ends - self._begins)
        return self._decayed(time) + swept

    def is_under_way(self, time: int) -> bool:
        return self._begins < time <= self._ends

    def next_edge(self, time: int) -> int | None:
        """When the sweep that is planned or under way next begins or ends, after `time`."""
        return self._begins if time < self._begins else self._ends if time < self._ends else None
