"""Several files as one stream in the order of time.

Rules:
* Rows of the same time: those of files with trades alone come first (a trade comes before what it does to the touch), then the files in
  the order given; within a file nothing changes its place.
* A file is opened when the stream comes to the time it begins at, so that a month of days needs the memory of one.
* A row that comes when later ones have gone out already (it was before its file's begin) is bad.
* Where the files were cut into chunks changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from ..problems import Problems
from .batch import EMPTY, Rows, joined

NEVER = np.iinfo(np.int64).max


class Part(NamedTuple):
    """One file: `path`; `begins`, before which it has no row (ns); `open` makes the iterator of its rows, which are in order."""

    path: str
    begins: int
    open: Callable[[], Iterator[Rows]]


class _Open:
    def __init__(self, rank: int, part: Part) -> None:
        self.rank, self.path = rank, part.path
        self.rows, self.is_over = EMPTY, False
        self._source = part.open()

    def fill(self, after: int, problems: Problems) -> None:
        """One batch more, of rows at `after` or later."""
        more = next(self._source, None)
        if more is None:
            self.is_over = True
            return
        late = int(np.searchsorted(more.time, after, "left"))
        if late:
            lines = np.unique(more.line[:late])
            problems.add("order", self.path, int(lines[0]), "before what the other files already told", lines.size)
            problems.settle()
        self.rows = joined((self.rows, more[late:]))

    @property
    def knows_until(self) -> int:
        """No row before this is still to come of it."""
        return NEVER if self.is_over else int(self.rows.time[-1]) if self.rows.count else -1


def merged(parts: Sequence[Part], problems: Problems) -> Iterator[Rows]:
    """The rows of all parts; ties go to the part that stands first in `parts`."""
    waiting = sorted(enumerate(parts), key=lambda item: (item[1].begins, item[0]), reverse=True)
    active: list[_Open] = []
    told = 0
    while waiting or active:
        if not active:
            active.append(_Open(*waiting.pop()))
        until = min(part.knows_until for part in active)
        while waiting and waiting[-1][1].begins <= until:
            active.append(_Open(*waiting.pop()))
            until = -1
        for part in active:
            while part.knows_until <= until or part.knows_until < 0:
                part.fill(told, problems)
        until = min([part.knows_until for part in active] + ([waiting[-1][1].begins] if waiting else []))
        active.sort(key=lambda part: part.rank)
        ready = []
        for part in active:
            count = int(np.searchsorted(part.rows.time, until, "left"))
            ready.append(part.rows[:count])
            part.rows = part.rows[count:]
        active = [part for part in active if part.rows.count or not part.is_over]
        out = joined(ready)
        if out.count:
            if sum(bool(rows.count) for rows in ready) > 1:
                out = out[np.argsort(out.time, kind="stable")]
            told = max(told, int(out.time[-1]))
            yield out
