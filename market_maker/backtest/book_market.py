"""Recorded data in the venue's own book: rows set its levels, and our orders match there (`engine.external` says how).

For full books. Every row is told at its own time, which costs more than hftbacktest's queues, and what our orders take is gone.

Rules

* The data are read twice: once to know when they begin and end, once as they are played. Memory is bounded.
* A touch without a book is a book of one level a side.
* After a snapshot the levels that it does not show are gone; those it shows were there all the time.
* The index is the middle of the recorded book, told as the venue looks at its marks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bitmex_venue.engine.commands import RecordedTrade, SetIndex, SetLevel
from bitmex_venue.engine.external import ExternalMatcher
from bitmex_venue.engine.instruments import InstrumentSpec
from bitmex_venue.engine.marks import REFRESH
from bitmex_venue.market.base import SECOND, Floor, Market
from bitmex_venue.market.importers.batch import CLEAR, TOUCH, TRADE

from .tape import Opening, on_the_grid

BEFORE_MARKS = SECOND // 1000

Row = tuple[int, int, int, int, int]  # time, kind, side, ticks, contracts


class BookMarket(Market):
    """The market of one contract. `begins` (both sides are known then) and `ends` in ns; `rows` how many there are."""

    matcher = ExternalMatcher
    name = "recorded data"

    def __init__(self, data: Any, spec: InstrumentSpec, longest: int | None) -> None:
        self.spec = spec
        self._data = data
        self._tick, self._lot = spec.price(1), spec.lot_size
        opening = Opening()
        self.rows, self.ends = 0, 0
        for batch in data.batches():
            opening.note(batch)
            self.rows += len(batch.time)
            self.ends = int(batch.time[-1])
        self.begins = opening.time
        if longest is not None:
            self.ends = min(self.ends, self.begins + longest)
        self._levels: set[tuple[int, int]] = set()
        self._unseen: set[tuple[int, int]] = set()  # levels of before a snapshot that it has not shown yet
        self._rows = self._read()
        self._ahead: Row | None = next(self._rows, None)
        self._index_at = self._told = 0

    def lists(self, spec: Any) -> bool:
        return spec.symbol in (self.spec.symbol, self.spec.reference)

    def _read(self) -> Iterator[Row]:
        for batch in self._data.batches():
            ticks, lots = on_the_grid(batch, self._tick, self._lot)
            yield from zip(batch.time.tolist(), batch.kind.tolist(), batch.side.tolist(), ticks.tolist(), lots.tolist(), strict=True)

    def begin(self, exchange: Any, now: int) -> None:
        self._floor = Floor(exchange)
        self._book = exchange.books[self.spec.symbol]
        self._play(now)
        self._tell_index(now)
        exchange.instruments[self.spec.symbol].last_price = self._book.best_bid  # until the first trade

    def next_time(self) -> int | None:
        return self._index_at if self._ahead is None else min(self._index_at, self._ahead[0])

    def act(self, now: int) -> None:
        self._play(now)
        if self._index_at <= now:
            self._tell_index(now)

    def _play(self, now: int) -> None:
        symbol, do = self.spec.symbol, self._floor.do
        while self._ahead is not None and self._ahead[0] <= now:
            time, kind, side, ticks, size = self._ahead
            if kind == TRADE:
                if size:
                    do(time, RecordedTrade(symbol, side, ticks, size))
            elif kind == CLEAR:
                self._unseen = set(self._levels)
            else:
                if kind == TOUCH:
                    self._drop(time, {level for level in self._levels if level[0] == side and level[1] != ticks})
                self._unseen.discard((side, ticks))
                self._set(time, side, ticks, size)
            self._ahead = next(self._rows, None)
            if self._unseen and (self._ahead is None or self._ahead[0] > time):
                self._drop(time, self._unseen)
                self._unseen = set()

    def _drop(self, time: int, levels: set[tuple[int, int]]) -> None:
        for level in sorted(levels):
            self._set(time, *level, 0)

    def _set(self, time: int, side: int, ticks: int, size: int) -> None:
        if ticks <= 0:
            return
        (self._levels.add if size else self._levels.discard)((side, ticks))
        self._floor.do(time, SetLevel(self.spec.symbol, side, ticks, size))

    def _tell_index(self, now: int) -> None:
        self._index_at = (now + BEFORE_MARKS) // REFRESH * REFRESH + REFRESH - BEFORE_MARKS
        best = [next((level.price for level in self._book.side(side).in_order() if level.external), None) for side in (1, -1)]
        if None not in best and sum(best) != self._told:
            self._told = sum(best)
            self._floor.do(now, SetIndex(self.spec.reference, self._told * self.spec.tick_e8 // 2))
