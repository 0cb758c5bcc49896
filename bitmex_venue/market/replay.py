"""A recorded realtime stream as the market: its levels are other people's liquidity, its trades are other people's
trades.

How orders here meet it is the business of the engine's `external` matcher; this room only tells it what the
recording says.

Rules:
* The first book or quote message of a listed symbol is played when the market begins, everything after at its own
  distance in time (the venue's --speed scales time, not this room). What was recorded before it is not played.
* Only symbols that the venue lists are played; the books of the others stay empty.
* The index follows the recording's own (`.BXBT` rows, or indicativeSettlePrice of the perpetual); where there is
  none it is the middle of XBTUSD's (ETHUSD's) recorded book, once a second.
* At the end the market stays as it was and the log says so, once.
* A line or row that cannot be read ends the replay there: the log names file and line, `failure` holds the same text,
  and the market stays as it was.
* Memory is bounded: the file is read message by message.
"""

from __future__ import annotations

import logging
from collections import deque
from typing import Any

from bitmex_venue.engine.commands import RecordedTrade, SetIndex, SetLevel
from bitmex_venue.engine.external import ExternalMatcher

from .base import SECOND, BadMarketFile, Floor, Market
from .files import numbered_lines
from .recorded import BOOKS, SIDES, Message, RecordedBook, messages
from .synthetic import FIRST_PRICES

TABLES = frozenset(BOOKS + ("quote", "trade", "instrument"))
INDEX_OF = {"XBTUSD": ".BXBT", "ETHUSD": ".BETH"}

_log = logging.getLogger(__name__)


class Replay(Market):
    """The recording in `path`. Raises BadMarketFile when it holds no book, quote or trade of anything."""

    matcher = ExternalMatcher
    failure: str | None = None

    def __init__(self, path: str, profile: str = "classic") -> None:
        self.name = path
        self._first_prices = FIRST_PRICES.get(profile, FIRST_PRICES["classic"])
        self._messages = (message for message in messages(numbered_lines(path), path) if message.table in TABLES)
        self._books: dict[str, RecordedBook] = {}
        self._ahead: deque[Message] = deque()
        self._shift = 0  # recorded time + shift = venue time
        self._told: dict[str, int] = {}  # index -> when it was last told
        self._recorded_index: set = set()
        if not self._read():
            raise BadMarketFile(f"{path}: no book, quote or trade in it")

    def describe(self) -> str:
        return f"{self.name}: a recorded stream, replayed once; at its end the market stays as it was"

    def begin(self, exchange: Any, now: int) -> None:
        self._floor = Floor(exchange)
        self._books = {
            symbol: RecordedBook(instrument.spec.price(1), instrument.spec.lot_size)
            for symbol, instrument in exchange.instruments.items()
            if not instrument.spec.is_index
        }
        while self._ahead and not self._opens(self._ahead[0]):
            self._ahead.popleft()
            self._read()
        if not self._ahead:
            raise BadMarketFile("{}: no book or quote of {} in it".format(self.name, ", ".join(self._books)))
        self._shift = now - self._ahead[0].time
        self.act(now)
        for symbol, price in self._first_prices.items():
            if symbol not in self._told:
                self._tell_index(now, symbol, price)
                del self._told[symbol]

    def next_time(self) -> int | None:
        return self._ahead[0].time + self._shift if self._ahead else None

    def act(self, now: int) -> None:
        while self._ahead and self._ahead[0].time + self._shift <= now:
            message = self._ahead.popleft()
            try:
                self._play(message.time + self._shift, message)
                if not self._read():
                    _log.info("The recording %s is over: the market stays as it is.", self.name)
            except BadMarketFile as error:
                self.failure = str(error)
                _log.error("The recording ends here, the market stays as it is: %s", error)

    def _read(self) -> bool:
        message = next(self._messages, None)
        if message is not None:
            self._ahead.append(message)
        return message is not None

    def _opens(self, message: Message) -> bool:
        shows = message.table == "quote" or (message.table in BOOKS and message.action == "partial")
        return shows and any(row.get("symbol") in self._books for row in message.rows)

    # ---- playing

    def _play(self, time: int, message: Message) -> None:
        try:
            if message.table == "instrument":
                self._play_instruments(time, message.rows)
            elif message.table == "trade":
                self._play_trades(time, message)
            else:
                for symbol, rows in _by_symbol(message.rows).items():
                    if symbol in self._books:
                        self._play_book(time, symbol, message, rows)
        except (KeyError, TypeError, ValueError) as error:
            place = f"{self.name}:{message.line}"
            raise BadMarketFile(f"{place}: a bad row of {message.table}: {error!r}") from None

    def _play_book(self, time: int, symbol: str, message: Message, rows: list[dict[str, Any]]) -> None:
        book = self._books[symbol]
        for (side, ticks), size in book.apply(message, rows).items():
            self._floor.do(time, SetLevel(symbol, side, ticks, size))
        index = INDEX_OF.get(symbol)
        if index and index not in self._recorded_index and time >= self._told.get(index, time - SECOND) + SECOND:
            mid = book.mid
            if mid is not None:
                self._tell_index(time, index, mid)

    def _play_trades(self, time: int, message: Message) -> None:
        if message.action != "insert":
            return  # a partial repeats what was traded before
        for row in message.rows:
            symbol = row.get("symbol")
            if symbol not in self._books:
                self._index_row(time, symbol, row.get("price"))
            elif row.get("size"):
                book, side = self._books[symbol], SIDES[row["side"]]
                size = book.size(row["size"])
                self._floor.do(time, RecordedTrade(symbol, side, book.ticks(-side, row["price"]), size))

    def _play_instruments(self, time: int, rows: list[dict[str, Any]]) -> None:
        for row in rows:
            symbol = row.get("symbol")
            self._index_row(time, symbol, row.get("lastPrice"))
            self._index_row(time, INDEX_OF.get(symbol, ""), row.get("indicativeSettlePrice"))

    def _index_row(self, time: int, symbol: str, price: float | None) -> None:
        if price and symbol in self._first_prices:
            self._recorded_index.add(symbol)
            self._tell_index(time, symbol, price)

    def _tell_index(self, time: int, symbol: str, price: float) -> None:
        if symbol in self._floor.exchange.instruments:
            self._told[symbol] = time
            self._floor.do(time, SetIndex(symbol, round(price * 1e8)))


def _by_symbol(rows: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    grouped: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        grouped.setdefault(row.get("symbol", ""), []).append(row)
    return grouped
