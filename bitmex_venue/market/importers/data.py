"""Market files as one stream of one symbol: `open_data`.

Rules:
* Either books or touches: where any of the files holds a book, quotes are left out.
* Of files of one format that begin after each other, those are not read that ended before the span asked for: they are, by their format, followed
  by one that begins before it does. Files that begin after the span are not read either.
* A file without a row of the symbol is a problem; no row in all of them is an error that names the symbols that are there.
* Reading again begins anew, and with it the count of problems.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from ..base import SECOND, BadMarketFile
from ..files import Kind, kind_of
from ..problems import Problems
from .batch import TOUCH, Batch, Rows
from .csv_lines import BLOCK, symbols_in
from .csv_rows import CsvSource, first_time
from .merge import Part, merged
from .order import TOLERANCE, in_order
from .stream import ROWS, StreamSource
from .window import within

DAY = 86_400 * SECOND
NAMED = 12  # symbols in a complaint


class _File:
    """One file: what it is, when it begins, its rows."""

    def __init__(self, path: str, symbol: str) -> None:
        self.path, self._symbol = path, symbol
        kind = kind_of(path)
        if kind is Kind.BARS:
            raise BadMarketFile(
                f"{path}: one-minute bars hold no trades and no quotes; they make a synthetic market: marketmaker replay {path}, or PAPER_MARKET"
            )
        self._csv = CsvSource(path) if kind is Kind.CSV else None
        self._stream = StreamSource(path, symbol) if kind is Kind.STREAM else None
        self.form = self._csv.form if self._csv else None
        self.name = self._csv.form.name if self._csv else "a recorded stream with a book" if self._stream.has_book else "a recorded stream"
        self.has_book = self._csv.form.what == "levels" if self._csv else self._stream.has_book
        self.has_trades_alone = self._csv is not None and self._csv.form.what == "trades"
        self.begins = self._begins()

    def _begins(self) -> int:
        """No row is earlier. An archive holds a day, symbol by symbol: there the first row says which day."""
        if self._stream is not None:
            return self._stream.first_time
        first = first_time(self.path)
        return first // DAY * DAY if self._csv.form.clock == "timestamp" else first - TOLERANCE

    def rows(self, problems: Problems, block: int | None) -> Iterator[Rows]:
        """In the order of time."""
        source = self._csv.rows(self._symbol, problems, block or BLOCK) if self._csv else self._stream.rows(problems, block or ROWS)
        is_empty = True
        for rows in in_order(source, self.path, problems):
            is_empty = False
            yield rows
        if is_empty and not problems.strict:
            problems.add("symbol", self.path, 0, f"no row of {self._symbol} that can be used")

    def symbols(self) -> list[str]:
        return symbols_in(self.path) if self._csv else self._stream.symbols()


class Data:
    """The market data of one symbol in some files. Made by `open_data`."""

    def __init__(self, paths: Iterable[str], symbol: str, begin: int | None, end: int | None, strict: bool, block: int | None) -> None:
        self.symbol = symbol
        paths = list(paths)
        self.problems = Problems(strict, paths)
        self._files = [_File(path, symbol) for path in paths]
        if not self._files:
            raise BadMarketFile("no market file given")
        self._begin, self._end, self._block = begin, end, block
        self._has_book = any(file.has_book for file in self._files)

    @property
    def knows_only_touch(self) -> bool:
        """Whether nothing is known of the book but its best prices, or not even these."""
        return not self._has_book

    @property
    def trades_alone(self) -> bool:
        """Whether the files are such as hold trades and nothing else."""
        return all(file.has_trades_alone for file in self._files)

    def describe(self) -> list[str]:
        """One line per file."""
        return [f"{file.path}: {file.name}" for file in self._files]

    def batches(self) -> Iterator[Batch]:
        """The rows, in the order of time. Raises BadMarketFile when there are none, and with strict at the first bad one."""
        self.problems.clear()
        is_empty = True
        for rows in within(merged(self._parts(), self.problems), self._begin, self._end):
            if self._has_book:
                rows = rows[rows.kind != TOUCH]
            if rows.count:
                is_empty = False
                yield rows.batch
        if is_empty:
            raise BadMarketFile(self._nothing())

    def _needed(self, file: _File) -> bool:
        """Whether the span asked for can concern the file."""
        if self._end is not None and file.begins >= self._end:
            return False
        later = (other.begins for other in self._files if other.form is file.form is not None and other.begins > file.begins)
        return self._begin is None or all(begins > self._begin for begins in later)

    def _parts(self) -> list[Part]:
        files = sorted(filter(self._needed, self._files), key=lambda file: not file.has_trades_alone)
        return [Part(file.path, file.begins, partial(file.rows, self.problems, self._block)) for file in files]

    def _nothing(self) -> str:
        names = ", ".join(file.path for file in self._files)
        there = sorted(set().union(*(file.symbols() for file in self._files)))
        if self.symbol in there:
            return f"{names}: no row of {self.symbol} that can be used" + (" in that time" if self._begin or self._end else "")
        more = f" and {len(there) - NAMED} more" if len(there) > NAMED else ""
        return f"{names}: nothing of {self.symbol} in it; there is {', '.join(there[:NAMED]) or 'nothing at all'}{more}"


def open_data(
    paths: Iterable[str],
    symbol: str,
    begin_ns: int | None = None,
    end_ns: int | None = None,
    strict: bool = False,
    *,
    block: int | None = None,
) -> Data:
    """Market data of `symbol`, merged by time, from `begin_ns` (included) to `end_ns` (not included).

    With `strict` the first bad row is an error when it is read. `block` is how much is read at once (bytes of a CSV, rows of a stream).
    Raises BadMarketFile for a file that is missing, of no known format, or one-minute bars.
    """
    return Data(paths, symbol, begin_ns, end_ns, strict, block)
