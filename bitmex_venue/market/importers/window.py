"""A span of time of a stream: what was before its begin is told as the state at the begin.

Rules: at the begin stands what the book held then (CLEAR and its levels) or the touch of both sides, as one batch with the time of the
begin; trades before it are left out. Rows at the end or later are left out, and nothing is read after the first of them.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .batch import CLEAR, LEVEL, TOUCH, TRADE, Rows, joined, rows


def within(source: Iterator[Rows], begin: int | None, end: int | None) -> Iterator[Rows]:
    """The rows from `begin` (included) to `end` (not included), ns; None leaves a side open."""
    before = _State() if begin is not None else None
    for batch in source:
        if before is not None:
            count = int(np.searchsorted(batch.time, begin, "left"))
            before.take(batch[:count])
            batch = batch[count:]
            if not batch.count:
                continue
            if end is None or begin < end:
                yield from before.at(begin)
            before = None
        if end is not None:
            count = int(np.searchsorted(batch.time, end, "left"))
            if count:
                yield batch[:count]
            if count < batch.count:
                return
        elif batch.count:
            yield batch


class _State:
    """The book or the touch, of rows of the past."""

    def __init__(self) -> None:
        self._rows: list[Rows] = []
        self._is_book = False

    def take(self, batch: Rows) -> None:
        clears = np.flatnonzero(batch.kind == CLEAR)
        if clears.size:
            self._rows, self._is_book = [], True
            batch = batch[int(clears[-1]) + 1 :]
        past = joined((*self._rows, batch[batch.kind != TRADE]))
        price = np.where(past.kind == TOUCH, 0.0, past.price)  # of a touch only the newest counts, whatever its price
        keys = np.rec.fromarrays((past.kind, past.side, price))
        _, last = np.unique(keys[::-1], return_index=True)
        self._rows = [past[np.sort(past.count - 1 - last)]]

    def at(self, time: int) -> Iterator[Rows]:
        past = joined(self._rows)
        past = past[(past.size > 0) | (past.kind == TOUCH)]
        if past.count or self._is_book:
            book = self._is_book or bool((past.kind == LEVEL).any())
            clear = rows([time], [CLEAR], [0], [0.0], [0.0], [0]) if book else past[:0]
            yield joined((clear, past._replace(time=np.full(past.count, time))))
