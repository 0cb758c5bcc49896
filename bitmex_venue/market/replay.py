"""A recorded realtime stream as the market, all of its symbols that the venue lists. See `playback` for what it does with them.

Rules:
* The first book or quote message of a listed symbol is played when the market begins, everything after at its own
  distance in time (the venue's --speed scales time, not this room). What was recorded before it is not played.
* Only symbols that the venue lists are played; the books of the others stay empty.
* The recording's own index is that of `.BXBT` rows, or indicativeSettlePrice of the perpetual.
* A line or row that cannot be read is counted, named at the end and left out; the rest of its message is played. With `strict` all of
  the file is read first, and the first bad row is an error before the market begins.
* Memory is bounded: the file is read message by message.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from .base import BadMarketFile
from .files import numbered_lines
from .playback import INDEX_OF, Playback
from .problems import Problems
from .recorded import BOOKS, SIDES, ExactBook, Message, messages

TABLES = frozenset(BOOKS + ("quote", "trade", "instrument"))
BAD_ROW = (KeyError, TypeError, ValueError, AttributeError)


class Replay(Playback):
    """The recording in `path`. Raises BadMarketFile when it holds no book, quote or trade of anything."""

    def __init__(self, path: str, profile: str = "classic", strict: bool = False) -> None:
        super().__init__(path, profile)
        self.problems = Problems()
        if strict:
            look_through(path)
        lines = numbered_lines(path, lambda what: self.problems.add("damaged", path, 0, what))
        read = messages(lines, path, lambda line, kind, what: self.problems.add(kind, path, line, what))
        self._messages = (message for message in read if message.table in TABLES)
        self._ahead: deque[Message] = deque()
        self._shift = 0  # recorded time + shift = venue time
        if not self._read():
            raise BadMarketFile(f"{path}: no book, quote or trade in it")

    def describe(self) -> str:
        return f"{self.name}: a recorded stream, replayed once; at its end the market stays as it was"

    def begin(self, exchange: Any, now: int) -> None:
        self._enter(exchange, [symbol for symbol, instrument in exchange.instruments.items() if not instrument.spec.is_index])
        while self._ahead and not self._opens(self._ahead[0]):
            self._ahead.popleft()
            self._read()
        if not self._ahead:
            raise BadMarketFile("{}: no book or quote of {} in it".format(self.name, ", ".join(self.books)))
        self._shift = now - self._ahead[0].time
        self.act(now)
        self._first_indices(now)

    def next_time(self) -> int | None:
        return self._ahead[0].time + self._shift if self._ahead else None

    def act(self, now: int) -> None:
        while self._ahead and self._ahead[0].time + self._shift <= now:
            message = self._ahead.popleft()
            try:
                self._play(message.time + self._shift, message)
                if not self._read():
                    self._is_over()
            except BadMarketFile as error:
                self._fails(error)

    def _read(self) -> bool:
        message = next(self._messages, None)
        if message is not None:
            self._ahead.append(message)
        return message is not None

    def _opens(self, message: Message) -> bool:
        shows = message.table == "quote" or (message.table in BOOKS and message.action == "partial")
        return shows and any(row.get("symbol") in self.books for row in message.rows)

    # ---- playing

    def _play(self, time: int, message: Message) -> None:
        def bad(what: str) -> None:
            self.problems.add("row", self.name, message.line, f"a bad row of {message.table}: {what}")

        if message.table == "instrument":
            self._each(message.rows, lambda row: self._play_instrument(time, row), bad)
        elif message.table == "trade":
            if message.action == "insert":  # a partial repeats what was traded before
                self._each(message.rows, lambda row: self._play_trade(time, row), bad)
        else:
            for symbol, rows in _by_symbol(message.rows).items():
                if symbol in self.books:
                    try:
                        self._tell_levels(time, symbol, self.books[symbol].apply(message, rows, bad))
                    except BAD_ROW as error:  # a quote
                        bad(repr(error))

    @staticmethod
    def _each(rows: list[dict[str, Any]], play: Callable[[dict[str, Any]], None], bad: Callable[[str], None]) -> None:
        for row in rows:
            try:
                play(row)
            except BAD_ROW as error:
                bad(repr(error))

    def _play_trade(self, time: int, row: dict[str, Any]) -> None:
        symbol = row.get("symbol")
        if symbol not in self.books:
            self._tell_recorded_index(time, symbol, row.get("price"))
        elif row.get("size"):
            self._tell_trade(time, symbol, *_traded(row))

    def _play_instrument(self, time: int, row: dict[str, Any]) -> None:
        symbol = row.get("symbol")
        self._tell_recorded_index(time, symbol, row.get("lastPrice"))
        self._tell_recorded_index(time, INDEX_OF.get(symbol, ""), row.get("indicativeSettlePrice"))


def look_through(path: str) -> None:
    """Read all of a recording. Raises BadMarketFile for the first line or row that cannot be read."""
    books: dict[str, ExactBook] = {}
    for message in messages(numbered_lines(path), path):
        try:
            if message.table == "trade" and message.action == "insert":
                for row in message.rows:
                    if row.get("size"):
                        _traded(row)
            elif message.table in TABLES and message.table not in ("trade", "instrument"):
                for symbol, rows in _by_symbol(message.rows).items():
                    books.setdefault(symbol, ExactBook()).apply(message, rows)
        except BAD_ROW as error:
            raise BadMarketFile(f"{path}:{message.line}: a bad row of {message.table}: {error!r}") from None


def _traded(row: dict[str, Any]) -> tuple[int, float, float]:
    """Side of the taker, price and size of a trade. May raise KeyError, TypeError, ValueError."""
    side, price, size = SIDES[row["side"]], float(row["price"]), float(row["size"])
    if not (price > 0 and size > 0):
        raise ValueError(f"price {price!r}, size {size!r}")
    return side, price, size


def _by_symbol(rows: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    grouped: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        grouped.setdefault(row.get("symbol", ""), []).append(row)
    return grouped
