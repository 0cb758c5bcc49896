"""Market data of any format that is read here as the market, one symbol of one or several files. See `playback` for what it does with it.

Rules:
* The first row of a book or a touch is played when the market begins, everything after at its own distance in time. Trades that were
  recorded before it are not played. Where there are trades alone, the first of them begins, and the book stays empty.
* Where the data know only the touch, the book has one level a side. It shows what the newest quote says, also after a trade that took all of
  it: what stands behind is not known, and the next quote is on its way.
* Rows of the same time are one moment: their changes of the book are told together, in the order of the trades between them.
* Prices go onto the instrument's tick away from the touch, sizes down to whole lots but not below one, as in a recorded stream.
* Bad rows are counted and named at the end. With `strict` all files are read first, and the first bad row is an error before the market begins.
* Memory is bounded: a piece of each file that is open at the time. With `ahead` a thread reads the next pieces, for a venue that is live.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from .ahead import read_ahead
from .base import BadMarketFile
from .importers import CLEAR, LEVEL, TOUCH, TRADE, Batch, open_data
from .playback import Playback

Row = tuple[int, int, int, float, float]  # as in a Batch


class DataReplay(Playback):
    """`symbol` in the files of `paths`. Raises BadMarketFile for files that cannot be read, or hold nothing of it."""

    def __init__(self, paths: Sequence[str], symbol: str, profile: str = "classic", strict: bool = False, ahead: bool = False) -> None:
        super().__init__(", ".join(paths), profile)
        self._symbol = symbol
        self._ahead = ahead
        self._data = open_data(paths, symbol, strict=strict)
        if strict:
            for _ in self._data.batches():
                pass
        self.problems = self._data.problems
        self._moments = self._read()
        self._next: list[Row] | None = next(self._moments)  # an error here is one at the start
        self._shift = 0  # recorded time + shift = venue time

    def describe(self) -> str:
        what = "the best prices and trades as recorded" if self._data.knows_only_touch else "the book and trades as recorded"
        if self._data.trades_alone:
            what = "trades alone, so the book stays empty (give the file with the quotes, too)"
        return f"{self.name}: {self._symbol}, {what}; played once, at the end the market stays as it was"

    def begin(self, exchange: Any, now: int) -> None:
        listed = [symbol for symbol, instrument in exchange.instruments.items() if not instrument.spec.is_index]
        if self._symbol not in listed:
            raise BadMarketFile(f"{self.name}: the venue does not list {self._symbol}, but {', '.join(listed)}")
        self._enter(exchange, [self._symbol])
        if not self._data.trades_alone:
            while self._next is not None and not any(row[1] in (LEVEL, TOUCH) for row in self._next):
                self._next = next(self._moments, None)
        if self._next is None:  # a stream of trades alone
            self._moments = self._read()
            self._next = next(self._moments)
        self._shift = now - self._next[0][0]
        self.act(now)
        self._first_indices(now)

    def _read(self) -> Iterator[list[Row]]:
        batches = self._data.batches()
        return _moments(read_ahead(batches) if self._ahead else batches)

    def next_time(self) -> int | None:
        return self._next[0][0] + self._shift if self._next is not None else None

    def act(self, now: int) -> None:
        while self._next is not None and self._next[0][0] + self._shift <= now:
            rows, self._next = self._next, None
            self._play(rows[0][0] + self._shift, rows)
            try:
                self._next = next(self._moments, None)
                if self._next is None:
                    self._is_over()
            except BadMarketFile as error:
                self._fails(error)

    def _play(self, time: int, rows: list[Row]) -> None:
        book = self.books[self._symbol]
        for _, kind, side, price, size in rows:
            if kind == TRADE:
                self._tell_levels(time, self._symbol, book.changes())
                self._tell_trade(time, self._symbol, side, price, size)
                if self._data.knows_only_touch:
                    self._tell_levels(time, self._symbol, {level: shown for level, shown in book.levels.items() if level[0] == -side})
            elif kind == CLEAR:
                book.clear()
            else:
                key = side if kind == TOUCH else (side, price)
                if size > 0:
                    book.put(key, side, price, size)
                else:
                    book.drop(key)
        self._tell_levels(time, self._symbol, book.changes())


def _moments(batches: Iterator[Batch]) -> Iterator[list[Row]]:
    """The rows of each time; also those before the place where a file cannot be read any further."""
    moment: list[Row] = []
    failure: BadMarketFile | None = None
    try:
        for batch in batches:
            for row in zip(*(column.tolist() for column in batch), strict=True):
                if moment and row[0] != moment[0][0]:
                    yield moment
                    moment = []
                moment.append(row)
    except BadMarketFile as error:
        failure = error
    if moment:
        yield moment
    if failure is not None:
        raise failure
