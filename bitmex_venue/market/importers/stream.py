"""A recorded realtime stream as rows of one symbol. What a message means is `recorded`'s business; here it becomes columns.

Rules:
* A partial becomes CLEAR and then every level of it; what changes later becomes LEVEL.
* Where the file begins with a book (among its first messages), quotes are not used; elsewhere each quote is the TOUCH of both sides, and a
  book that comes later is not used.
* Trades are those that were inserted; a partial repeats what was traded before.
* A line or a row that cannot be read is counted and skipped, the rest of its message is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from ..files import numbered_lines
from ..problems import Problems
from ..recorded import BOOKS, SIDES, ExactBook, Message, messages, touch
from .batch import CLEAR, LEVEL, TOUCH, TRADE, Rows, rows

ROWS = 50_000  # of a batch
LOOKED_AT = 2_000  # messages in which a book has to begin; a subscription begins with it

Row = tuple[int, int, int, float, float, int]


class StreamSource:
    """The rows of one symbol in one recording."""

    def __init__(self, path: str, symbol: str) -> None:
        self._path, self._symbol = path, symbol
        self.first_time = 0
        self.has_book = False
        lines = numbered_lines(path, lambda what: None)
        for message in islice(messages(lines, path, lambda line, kind, what: None), LOOKED_AT):
            self.first_time = self.first_time or message.time
            if message.table in BOOKS and message.action == "partial" and self._ours(message):
                self.has_book = True
                break

    def rows(self, problems: Problems, size: int = ROWS) -> Iterator[Rows]:
        """Batches of about `size` rows. Raises BadMarketFile."""
        book, found = ExactBook(), []
        for message in self._messages(problems):
            bad = self._complain(problems, message)
            found += self._read(message, book, bad)
            if len(found) >= size:
                yield rows(*zip(*found, strict=True))
                found = []
        if found:
            yield rows(*zip(*found, strict=True))

    def symbols(self) -> list[str]:
        """The symbols of all rows, without indices; reads all of the file."""
        found = {str(row.get("symbol")) for message in self._messages(Problems()) for row in message.rows if message.table != "instrument"}
        return sorted(symbol for symbol in found if not symbol.startswith("."))

    def _messages(self, problems: Problems) -> Iterator[Message]:
        lines = numbered_lines(self._path, lambda what: problems.add("damaged", self._path, 0, what))
        return messages(lines, self._path, lambda line, kind, what: problems.add(kind, self._path, line, what))

    def _complain(self, problems: Problems, message: Message) -> Any:
        return lambda what: problems.add("row", self._path, message.line, f"a bad row of {message.table}: {what}")

    def _ours(self, message: Message) -> list[dict[str, Any]]:
        return [row for row in message.rows if row.get("symbol") == self._symbol]

    def _read(self, message: Message, book: ExactBook, bad: Any) -> list[Row]:
        ours = self._ours(message)
        if not ours:
            return []
        if message.table == "trade":
            return self._trades(message, ours, bad)
        if message.table == "quote":
            return [] if self.has_book else self._touches(message, ours[-1], bad)
        if message.table not in BOOKS or not self.has_book:
            return []
        changes = book.apply(message, ours, bad)
        time, line = message.time, message.line
        if message.action == "partial" and message.table == book.source:
            levels = [(time, LEVEL, side, price, size, line) for (side, price), size in book.levels.items()]
            return [(time, CLEAR, 0, 0.0, 0.0, line), *levels]
        return [(time, LEVEL, side, price, size, line) for (side, price), size in changes.items()]

    def _trades(self, message: Message, ours: list[dict[str, Any]], bad: Any) -> list[Row]:
        found = []
        for row in ours if message.action == "insert" else ():
            try:
                side, price, size = SIDES[row["side"]], float(row["price"]), float(row["size"])
                if not (price > 0 and size > 0):
                    raise ValueError("price and size are above 0")
                found.append((message.time, TRADE, side, price, size, message.line))
            except (KeyError, TypeError, ValueError) as error:
                bad(repr(error))
        return found

    def _touches(self, message: Message, row: dict[str, Any], bad: Any) -> list[Row]:
        try:
            return [(message.time, TOUCH, side, price or 0.0, size, message.line) for side, price, size in touch(row)]
        except (TypeError, ValueError) as error:
            bad(repr(error))
            return []
