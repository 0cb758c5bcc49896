"""Recorded data on the floor of the venue: what every replay does with levels, trades and the index, and how it ends.

How orders here meet the data is the business of the engine's `external` matcher; a replay only tells it what was recorded.

Rules:
* Levels are other people's liquidity, trades other people's trades.
* The index follows the recording's own where there is one; elsewhere it is the middle of the recorded book of the contract that
  `INDEX_OF` names, once a second.
* Prices that do not fit the instrument's tick are moved away from the touch; the log says so once.
* At the end the market stays as it was and the log says so, once, with what was wrong with the data: how many rows of each kind, and
  the first of them.
* A file that cannot be read any further ends the replay there: the log says why, `failure` holds the same text, the market stays as
  it was.
"""

from __future__ import annotations

import logging
from typing import Any

from bitmex_venue.engine.commands import RecordedTrade, SetIndex, SetLevel
from bitmex_venue.engine.external import ExternalMatcher

from .base import SECOND, BadMarketFile, Floor, Market
from .problems import Problems
from .recorded import RecordedBook
from .synthetic import FIRST_PRICES

INDEX_OF = {"XBTUSD": ".BXBT", "ETHUSD": ".BETH"}

_log = logging.getLogger(__name__)


class Playback(Market):
    """Base of the replays. `books` holds a RecordedBook for each contract that is played."""

    matcher = ExternalMatcher
    failure: str | None = None
    problems: Problems

    def __init__(self, name: str, profile: str) -> None:
        self.name = name
        self._first_prices = FIRST_PRICES.get(profile, FIRST_PRICES["classic"])
        self.books: dict[str, RecordedBook] = {}
        self._told: dict[str, int] = {}  # index -> when it was last told
        self._recorded_index: set[str] = set()
        self._said_off_grid = False

    # ---- for the replays

    def _enter(self, exchange: Any, symbols: list[str]) -> None:
        self._floor = Floor(exchange)
        specs = {symbol: exchange.instruments[symbol].spec for symbol in symbols}
        self.books = {symbol: RecordedBook(spec.price(1), spec.lot_size) for symbol, spec in specs.items()}

    def _first_indices(self, now: int) -> None:
        """Indices that the data has not told yet begin somewhere."""
        for symbol, price in self._first_prices.items():
            if symbol not in self._told:
                self._tell_index(now, symbol, price)
                self._told.pop(symbol, None)

    def _tell_levels(self, time: int, symbol: str, changes: dict[Any, float]) -> None:
        for (side, ticks), size in changes.items():
            self._floor.do(time, SetLevel(symbol, side, ticks, size))
        if not self._said_off_grid and self.books[symbol].off_grid is not None:
            self._say_off_grid(symbol)
        index = INDEX_OF.get(symbol)
        if index and index not in self._recorded_index and time >= self._told.get(index, time - SECOND) + SECOND:
            mid = self.books[symbol].mid
            if mid is not None:
                self._tell_index(time, index, mid)

    def _tell_trade(self, time: int, symbol: str, side: int, price: float, size: float) -> None:
        book = self.books[symbol]
        self._floor.do(time, RecordedTrade(symbol, side, book.ticks(-side, price), book.size(size)))

    def _tell_recorded_index(self, time: int, symbol: str, price: float | None) -> None:
        if price and symbol in self._first_prices:
            self._recorded_index.add(symbol)
            self._tell_index(time, symbol, price)

    def _tell_index(self, time: int, symbol: str, price: float) -> None:
        if symbol in self._floor.exchange.instruments:
            self._told[symbol] = time
            self._floor.do(time, SetIndex(symbol, round(price * 1e8)))

    # ---- the end

    def _is_over(self) -> None:
        _log.warning("The recording is over, the market stays as it is: %s", self.name)
        self._say_problems()

    def _fails(self, error: BadMarketFile) -> None:
        self.failure = str(error)
        _log.error("The recording ends here, the market stays as it is: %s", error)
        self._say_problems()

    def _say_off_grid(self, symbol: str) -> None:
        self._said_off_grid = True
        tick = self._floor.exchange.instruments[symbol].spec.price(1)
        price = self.books[symbol].off_grid
        text = "Prices of %s such as %s do not fit the tick of %s that it has here and are moved onto it: is this the right profile?"
        _log.warning(text, symbol, price, tick)

    def _say_problems(self) -> None:
        for line in self.problems.lines():
            _log.warning("Something was wrong with it. %s", line)
