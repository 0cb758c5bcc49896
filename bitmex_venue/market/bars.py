"""Recorded one-minute bars as a price path: what the index does in the market FILE.csv.

Format: that of BitMEX's tradeBin1m as CSV with a header, plain or gzipped; the columns timestamp, open, high, low
and close are read, others are ignored. Minutes without prices are skipped.

Rules:
* The first bar begins when the market begins; bar follows bar, a minute each, whatever gaps the file has between
  them.
* Within its minute the price goes through open, the two extremes and close. The extreme opposite to the minute's
  direction comes first (a rising minute falls to its low first), for a flat minute a seeded coin decides; the two
  moments are seeded. Between these points it follows a straight line, a little noise beside it, kept within the bar.
* After the last bar the price stays at its close; the log says so once. Nothing loops.
* Memory is bounded: the file is read bar by bar, at the pace of the market, after one look through all of it for bad
  rows.
"""

from __future__ import annotations

import csv
import logging
import math
from collections.abc import Iterator
from itertools import pairwise
from random import Random
from typing import NamedTuple

from .base import SECOND, BadMarketFile

MINUTE = 60 * SECOND
NOISE = 0.04  # deviation of each price from the line in the middle of it, in ranges of the bar

_log = logging.getLogger(__name__)


class Bar(NamedTuple):
    open: float
    high: float
    low: float
    close: float


def read_bars(lines: Iterator[tuple[int, str]], path: str) -> Iterator[Bar]:
    """The bars of a CSV file given as numbered lines. Raises BadMarketFile (with file:line) for a row that is none."""
    columns: list[int] = []
    for number, text in lines:
        cells = next(csv.reader([text.rstrip("\r\n")]), [])
        if not cells:
            continue
        if not columns:
            missing = [name for name in Bar._fields if name not in cells]
            if missing:
                raise BadMarketFile(f"{path}:{number}: no column named {', '.join(missing)}")
            columns = [cells.index(name) for name in Bar._fields]
            continue
        bar = _bar(cells, columns, f"{path}:{number}")
        if bar is not None:
            yield bar


def _bar(cells: list[str], columns: list[int], place: str) -> Bar | None:
    """One row; None for a minute without prices."""
    try:
        prices = [cells[column] for column in columns]
        if not any(prices):
            return None
        bar = Bar(*map(float, prices))
    except (IndexError, ValueError):
        raise BadMarketFile(f"{place}: not a bar: {','.join(cells)[:100]}") from None
    if not all(math.isfinite(price) and price > 0 for price in bar) or bar.low > bar.high:
        raise BadMarketFile(f"{place}: not a bar: {','.join(cells)[:100]}")
    return bar


def waypoints(bar: Bar, rng: Random) -> list[tuple[float, float]]:
    """(seconds into the minute, price): open, first extreme, second extreme, close."""
    rising = bar.close > bar.open or (bar.close == bar.open and rng.random() < 0.5)
    first, second = (bar.low, bar.high) if rising else (bar.high, bar.low)
    early, late = sorted((rng.uniform(3.0, 57.0), rng.uniform(3.0, 57.0)))
    return [(0.0, bar.open), (early, first), (late, second), (60.0, bar.close)]


class BarPath:
    """The price over time; the first time asked for is the beginning of the first bar."""

    def __init__(self, bars: Iterator[Bar], rng: Random, name: str) -> None:
        self._bars = bars
        self._rng = rng
        self._name = name
        self._begins: int | None = None
        self._bar: Bar | None = next(bars, None)
        if self._bar is None:
            raise BadMarketFile(f"{name}: no bar in it")
        self.first_price = self._bar.open
        self._enter(self._bar)

    def at(self, time: int) -> float:
        if self._begins is None:
            self._begins = time
        while self._bar is not None and time >= self._begins + MINUTE:
            self._begins += MINUTE
            closed, self._bar = self._bar, next(self._bars, None)
            if self._bar is None:
                self._closed_at = closed.close
                _log.info("The bars of %s are over: the index stays at %s.", self._name, closed.close)
            else:
                self._enter(self._bar)
        if self._bar is None:
            return self._closed_at
        return self._within((time - self._begins) / SECOND)

    def _enter(self, bar: Bar) -> None:
        self._points = waypoints(bar, self._rng)
        self._noise = [self._rng.gauss(0.0, NOISE) for _ in range(60)]

    def _within(self, second: float) -> float:
        bar = self._bar
        low, high = min(bar), max(bar)  # an open may lie outside of high and low
        for (begin, first), (end, then) in pairwise(self._points):
            if second <= end:
                share = (second - begin) / (end - begin) if end > begin else 1.0
                noise = self._noise[int(second)] * (high - low) * math.sqrt(max(share * (1 - share), 0.0))
                return min(max(first + share * (then - first) + noise, low), high)
        return bar.close
