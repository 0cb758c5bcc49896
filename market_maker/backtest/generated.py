"""Market data made by a seeded generator, for measuring and testing: quotes and trades of a busy day, as arrays.

The middle is a random walk in half dollars, sizes are lognormal, a seventh of the rows are trades at the touch, one in forty of which
goes a few ticks through it. Nothing is earned by knowing that; it is there to be many.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from bitmex_venue.market.importers.batch import TOUCH, TRADE, Batch

BATCH = 200_000

DAY_NS = 86_400 * 10**9
BEGIN_NS = 1_534_377_600 * 10**9  # 16 August 2018
ROWS = 2_000_000


class Generated:
    """`rows` rows over `span_ns`; the same seed gives the same rows, whatever was made before."""

    def __init__(
        self, seed: int = 0, rows: int = ROWS, span_ns: int = DAY_NS, begin_ns: int = BEGIN_NS, price: float = 6360.0, tick: float = 0.5
    ) -> None:
        self.seed, self.rows, self.span_ns, self.begin_ns = seed, rows, span_ns, begin_ns
        self.price, self.tick = price, tick

    def describe(self) -> list[str]:
        return [f"{self.rows:,} generated rows of touch and trades (seed {self.seed})"]

    def batches(self) -> Iterator[Batch]:
        rng = np.random.default_rng(self.seed)
        middle, done = round(self.price / self.tick), 0
        while done < self.rows:
            count = min(BATCH, self.rows - done)
            batch, middle = self._batch(rng, done, count, middle)
            done += count
            yield batch

    def _batch(self, rng: Any, done: int, count: int, middle: int) -> tuple[Batch, int]:
        """Rows come in pairs, bid and ask; a trade stands in the place of a pair's ask."""
        pairs = -(-count // 2)
        steps = rng.choice(np.array([-1, 0, 1]), pairs, p=[0.1, 0.8, 0.1]) * rng.choice(np.array([1, 2, 5]), pairs, p=[0.9, 0.08, 0.02])
        middles = middle + np.cumsum(steps)
        bid, ask = middles, middles + 1
        is_trade = rng.random(pairs) < 2 / 7
        is_trade &= steps == 0  # where the touch moves both sides must be told
        buys = rng.random(pairs) < 0.5
        through = np.where(rng.random(pairs) < 1 / 40, rng.integers(1, 6, pairs), 0)
        kind, side = np.full((pairs, 2), TOUCH, np.uint8), np.tile(np.array([1, -1], np.int8), (pairs, 1))
        ticks = np.stack((bid, ask), axis=1)
        kind[is_trade, 1] = TRADE
        side[is_trade, 1] = np.where(buys, 1, -1)[is_trade]
        ticks[is_trade, 1] = np.where(buys, ask + through, bid - through)[is_trade]
        size = np.ceil(rng.lognormal(7.0, 1.2, (pairs, 2)))
        share = (np.arange(done, done + 2 * pairs, 2) + rng.random(pairs)) / self.rows
        time = self.begin_ns + (np.sort(share) * self.span_ns).astype(np.int64)
        columns = (np.repeat(time, 2), kind.ravel(), side.ravel(), ticks.ravel() * self.tick, size.ravel())
        return Batch(*(column[:count] for column in columns)), int(middles[-1])
