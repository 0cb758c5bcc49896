"""The rows of one file in the order of time.

Rules (t: the newest time of the rows before):
* A row up to TOLERANCE before t is sorted in; rows of the same time stay in the order of the file.
* A row more than that before t is bad: it came too late to be placed.
* A row an HOUR or more after t is bad when one of the LOOK rows after it is more than an hour before it: a broken clock must not make
  all that follows too late. While no row was good yet, t is the middle one of the next rows.
* Where the file was cut into chunks changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..base import SECOND
from ..problems import Problems
from .batch import EMPTY, Rows, joined

TOLERANCE = SECOND
HOUR = 3600 * SECOND
LOOK = 64


def in_order(source: Iterator[Rows], path: str, problems: Problems) -> Iterator[Rows]:
    """The good rows of `source`, none before the ones yielded before."""
    undecided = waiting = EMPTY
    newest = 0
    for rows in source:
        undecided = joined((undecided, rows))
        decided, newest = _judged(undecided, max(undecided.count - LOOK, 0), newest, path, problems)
        undecided = undecided[max(undecided.count - LOOK, 0) :]
        problems.settle()
        waiting = _sorted(joined((waiting, decided)))
        ready = int(np.searchsorted(waiting.time, newest - TOLERANCE, "right"))
        if ready:
            yield waiting[:ready]
            waiting = waiting[ready:]
    decided, _ = _judged(undecided, undecided.count, newest, path, problems)
    problems.settle()
    waiting = _sorted(joined((waiting, decided)))
    if waiting.count:
        yield waiting


def _judged(rows: Rows, count: int, newest: int, path: str, problems: Problems) -> tuple[Rows, int]:
    """The good ones among the first `count` rows, and the newest time so far."""
    if not count:
        return EMPTY, newest
    good = np.ones(rows.count, bool)
    good[_ahead(rows.time, count, newest)] = False
    times = np.where(good, rows.time, 0)[:count]
    before = np.maximum.accumulate(np.concatenate(((newest,), times[:-1])))
    good = good[:count]
    ahead = ~good
    late = good & (times < before - TOLERANCE)
    for bad, what in ((ahead, "hours ahead of the rows around it"), (late, f"more than {TOLERANCE // SECOND} s before a row above it")):
        if bad.any():
            lines = np.unique(rows.line[:count][bad])
            problems.add("order", path, int(lines[0]), what, lines.size)
    return rows[:count][good & ~late], int(max(before[-1], times[-1]))


def _ahead(time: np.ndarray, count: int, newest: int) -> list[int]:
    """The rows among the first `count` whose clock was broken."""
    if not (np.maximum.accumulate(time) - time >= HOUR).any():
        return []
    following = np.full(time.size, np.iinfo(np.int64).max)  # the earliest of the rows to come
    for step in range(1, min(LOOK, time.size - 1) + 1):
        following[:-step] = np.minimum(following[:-step], time[step:])
    found: list[int] = []
    last, seen = newest, 0
    for row in np.flatnonzero(time[:count] - HOUR > following[:count]).tolist():
        if row > seen:
            last = max(last, int(time[seen:row].max()))
        seen = row + 1
        if time[row] >= (last or int(np.median(time[row : row + LOOK + 1]))) + HOUR:
            found.append(row)
        else:
            last = max(last, int(time[row]))
    return found


def _sorted(rows: Rows) -> Rows:
    if rows.count < 2 or (np.diff(rows.time) >= 0).all():
        return rows
    return rows[np.argsort(rows.time, kind="stable")]
