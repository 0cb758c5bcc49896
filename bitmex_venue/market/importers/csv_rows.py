"""From text cells to rows: what a line of BitMEX's archive or of Tardis says, and whether it can be true.

Rules:
* A row counts whole or not at all; the first thing that is wrong with it names it.
* Trades have a side, a price and a size above 0. Trades of an index (`trdType` Referential) are no trades and are passed over.
* A quote tells both sides at once. A side without a price or a size is empty; a bid that is not below its ask is no quote.
* Book changes set a size of 0 or more at a price above 0. The first row of a snapshot after rows of none (and a snapshot that
  begins a file) empties the book.
* The clock: `timestamp` of the archive; `local_timestamp` of Tardis, the one clock that all its files share (its `timestamp` is the
  venue's where the venue told one, and the collector's where it did not).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import polars as pl

from ..base import SECOND
from ..headers import CsvFormat
from ..problems import Problems, shown
from .batch import BUY, CLEAR, LEVEL, SELL, TOUCH, TRADE, Rows, rows
from .csv_lines import BLOCK, Chunk, chunks, header_of

YEAR = 31_556_952 * SECOND
EARLIEST, LATEST = 39 * YEAR, 130 * YEAR  # 2009 to 2100
SIDES = {"trades of BitMEX's archive": ("Buy", "Sell"), "trades of Tardis": ("buy", "sell"), "book changes of Tardis": ("bid", "ask")}


class Judge:
    """The cells of a chunk as numbers, and which of its rows are good so far."""

    def __init__(self, chunk: Chunk) -> None:
        self._cells, self._path = chunk
        self.good = np.ones(self._cells.height, bool)
        self._bad: list[tuple[str, np.ndarray, Callable[[int], str]]] = []

    def number(self, column: str) -> np.ndarray:
        """float64, NaN where a cell is no number."""
        return self._cells[column].cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy()

    def text(self, column: str) -> pl.Series:
        return self._cells[column]

    def above_zero(self, column: str, kind: str) -> np.ndarray:
        values = self.number(column)
        self.need(np.isfinite(values) & (values > 0), kind, column, "is no number above 0")
        return values

    def not_below_zero(self, column: str, kind: str) -> np.ndarray:
        values = self.number(column)
        self.need(np.isfinite(values) & (values >= 0), kind, column, "is no number from 0 up")
        return values

    def side(self, column: str, words: tuple[str, str]) -> np.ndarray:
        """+1 for the first of the words, -1 for the second."""
        cells = self._cells[column]
        buy, sell = ((cells == word).to_numpy() for word in words)
        self.need(buy | sell, "side", column, "is neither {} nor {}".format(*words))
        return np.where(buy, BUY, SELL).astype(np.int8)

    def time(self, form: CsvFormat) -> np.ndarray:
        """ns of the clock's column."""
        cells = self._cells[form.clock]
        if form.clock == "timestamp":
            times = _archive_times(cells)
        else:
            micros = cells.cast(pl.Int64, strict=False)
            times = micros.clip(0, LATEST // 1000).fill_null(0).to_numpy() * 1000
        self.need((times > EARLIEST) & (times < LATEST), "time", form.clock, "is no time")
        return times

    def need(self, mask: np.ndarray, kind: str, column: str, complaint: str) -> None:
        """Rows where `mask` is false are bad, unless they were so before."""
        wrong = self.good & ~mask
        if wrong.any():
            self._bad.append((kind, wrong, lambda row: f"{column} {shown(self._cells[column][row])} {complaint}"))
            self.good &= mask

    def settle(self, problems: Problems) -> np.ndarray:
        """Report what was bad, the earliest line first; the lines of all rows."""
        lines = self._cells["line"].to_numpy()
        for kind, wrong, what in sorted(self._bad, key=lambda bad: bad[1].argmax()):
            first = int(wrong.argmax())
            problems.add(kind, self._path, int(lines[first]), what(first), int(wrong.sum()))
        return lines


def _archive_times(cells: pl.Series) -> np.ndarray:
    """ns of `2024-01-15D00:00:00.451986388`; 0 where a cell is no time. The seconds are read once for all rows that share them."""
    runs = cells.fill_null("").str.head(19).rle()
    seconds = runs.struct.field("value").str.strptime(pl.Datetime("ns"), "%Y-%m-%dD%H:%M:%S", strict=False).dt.timestamp("ns")
    seconds = np.repeat(seconds.fill_null(0).to_numpy(), runs.struct.field("len").to_numpy())
    rest = cells.str.slice(19)
    digits = rest.str.slice(1)
    whole = ((rest.str.len_bytes() == 10) & rest.str.starts_with(".") & digits.str.contains(r"^[0-9]+$")).fill_null(False).to_numpy()
    times = np.where(whole, seconds + digits.cast(pl.Int64, strict=False).fill_null(0).to_numpy(), 0)
    times[seconds == 0] = 0
    if not whole.all():  # fewer digits, or none
        odd = cells.filter(pl.Series(~whole)).str.strptime(pl.Datetime("ns"), "%Y-%m-%dD%H:%M:%S%.f", strict=False)
        times[~whole] = odd.dt.timestamp("ns").fill_null(0).to_numpy()
    return times


class CsvSource:
    """The rows of one symbol in one CSV file, in the order of the file."""

    def __init__(self, path: str) -> None:
        self.form, _ = header_of(path)
        self._path = path
        self._in_snapshot = False

    def rows(self, symbol: str, problems: Problems, size: int = BLOCK) -> Iterator[Rows]:
        """Chunk by chunk; `size` bytes of the file each. Raises BadMarketFile."""
        self._in_snapshot = False
        make = {"trades": self._trades, "quotes": self._quotes, "levels": self._levels}[self.form.what]
        for chunk in chunks(self._path, symbol, problems, size):
            yield make(Judge(_without_indices(chunk)), problems)

    def _trades(self, judge: Judge, problems: Problems) -> Rows:
        time = judge.time(self.form)
        side = judge.side("side", SIDES[self.form.name])
        price = judge.above_zero("price", "price")
        size = judge.above_zero("size" if "size" in self.form.columns else "amount", "size")
        kind = np.full(time.size, TRADE)
        return rows(time, kind, side, price, size, judge.settle(problems))[judge.good]

    def _quotes(self, judge: Judge, problems: Problems) -> Rows:
        archive = "bidSize" in self.form.columns
        time = judge.time(self.form)
        names = ("bidPrice", "bidSize", "askPrice", "askSize") if archive else ("bid_price", "bid_amount", "ask_price", "ask_amount")
        bid, bid_size = self._quoted(judge, *names[:2])
        ask, ask_size = self._quoted(judge, *names[2:])
        one_sided = (bid_size == 0) | (ask_size == 0)
        judge.need((bid < ask) | one_sided, "crossed", names[0], "is not below the ask")
        lines = judge.settle(problems)
        count = int(judge.good.sum())

        def two(first: np.ndarray, second: np.ndarray) -> np.ndarray:
            return np.column_stack((first[judge.good], second[judge.good])).ravel()

        side = np.tile(np.array((BUY, SELL), np.int8), count)
        return rows(two(time, time), np.full(2 * count, TOUCH), side, two(bid, ask), two(bid_size, ask_size), two(lines, lines))

    @staticmethod
    def _quoted(judge: Judge, price_column: str, size_column: str) -> tuple[np.ndarray, np.ndarray]:
        """Price and size of one side; an empty cell is 0, and both are 0 where the side is empty."""
        columns = []
        for column, kind in ((price_column, "price"), (size_column, "size")):
            blank = (judge.text(column).fill_null("") == "").to_numpy()
            values = np.where(blank, 0.0, judge.number(column))
            judge.need(np.isfinite(values) & (values >= 0), kind, column, "is no number from 0 up")
            columns.append(values)
        price, size = columns
        empty = (price == 0) | (size == 0)
        return np.where(empty, 0.0, price), np.where(empty, 0.0, size)

    def _levels(self, judge: Judge, problems: Problems) -> Rows:
        time = judge.time(self.form)
        snapshot = judge.side("is_snapshot", ("true", "false")) == BUY
        side = judge.side("side", SIDES[self.form.name])
        price = judge.above_zero("price", "price")
        size = judge.not_below_zero("amount", "size")
        kind = np.full(time.size, LEVEL)
        found = rows(time, kind, side, price, size, judge.settle(problems))[judge.good]
        return self._cleared(found, snapshot[judge.good])

    def _cleared(self, found: Rows, snapshot: np.ndarray) -> Rows:
        """With a CLEAR before the first row of each snapshot."""
        if not found.count:
            return found
        before = np.concatenate(((self._in_snapshot,), snapshot[:-1]))
        self._in_snapshot = bool(snapshot[-1])
        at = np.flatnonzero(snapshot & ~before)
        if not at.size:
            return found
        clear = (found.time[at], CLEAR, 0, 0.0, 0.0, found.line[at])
        return Rows(*(np.insert(column, at, values) for column, values in zip(found, clear, strict=True)))


def _without_indices(chunk: Chunk) -> Chunk:
    cells = chunk.cells
    return chunk if "trdType" not in cells.columns else Chunk(cells.filter(pl.col("trdType") != "Referential"), chunk.path)


def first_time(path: str) -> int:
    """ns of the first row, of whatever symbol, whose time can be read; 0 when there is none."""
    form, _ = header_of(path)
    for chunk in chunks(path, None, Problems(), 1 << 16):
        times = Judge(chunk).time(form)
        good = times[times > EARLIEST]
        if good.size:
            return int(good[0])
    return 0
