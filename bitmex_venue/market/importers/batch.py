"""The columns in which market data travel: `Batch` for everybody, `Rows` (with the line each came from) in here.

What a row means, by its kind:

* TRADE -- somebody traded `size` at `price`; `side` is the taker's.
* LEVEL -- this price of this side of the book now shows `size` in all; 0: it is gone.
* CLEAR -- the whole book is to be forgotten: a snapshot follows. side 0, price and size 0.
* TOUCH -- the best price of this side is now `price` with `size`; size 0: the side is empty, the price means nothing.

Prices are in quote currency as printed, sizes in contracts, times in nanoseconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

TRADE, LEVEL, CLEAR, TOUCH = 1, 2, 3, 4
BUY, SELL = 1, -1
TYPES = (np.int64, np.uint8, np.int8, np.float64, np.float64)


class Batch(NamedTuple):
    """Rows as equally long columns: int64 ns, uint8 kind, int8 side (+1 buy, -1 sell), float64 price, float64 size."""

    time: np.ndarray
    kind: np.ndarray
    side: np.ndarray
    price: np.ndarray
    size: np.ndarray


class Rows(NamedTuple):
    """A batch with the number of the line that each row came from (0: none)."""

    time: np.ndarray
    kind: np.ndarray
    side: np.ndarray
    price: np.ndarray
    size: np.ndarray
    line: np.ndarray

    def __getitem__(self, which) -> Rows:  # of all columns: a slice, a mask or an order
        return Rows(*(column[which] for column in self))

    @property
    def count(self) -> int:
        return self.time.size

    @property
    def batch(self) -> Batch:
        return Batch(*list(self)[:5])


def rows(time, kind, side, price, size, line) -> Rows:
    """Rows of columns or sequences of the same length, in the right types."""
    columns = (time, kind, side, price, size)
    return Rows(*(np.asarray(column, dtype) for column, dtype in zip(columns, TYPES, strict=True)), np.asarray(line, np.int64))


EMPTY = rows((), (), (), (), (), ())


def joined(parts: Sequence[Rows]) -> Rows:
    """Rows after each other."""
    parts = [part for part in parts if part.count]
    if len(parts) <= 1:
        return parts[0] if parts else EMPTY
    return Rows(*map(np.concatenate, zip(*parts, strict=True)))
