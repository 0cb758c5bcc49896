"""One-minute, five-minute, hourly and daily bins of trades and quotes.

Rules: a bin is stamped with the end of its period and never changes once closed; its `open` is the close before it, so it
can lie outside high and low; a period without trades repeats the last price with volume 0 and no vwap; there is nothing
before the first trade (or quote) of a symbol. Prices are ticks, turnover is in the settlement currency's smallest unit.
"""

from __future__ import annotations

from collections import deque
from typing import Any, NamedTuple

from .columns import BIN_SIZES
from .encode import SECOND

KEPT = 10_000
MINUTE = 60 * SECOND


class TradeBin(NamedTuple):
    """A closed period. `weighted` is the sum of ticks times size."""

    time: int
    symbol: str
    open: int
    high: int
    low: int
    close: int
    trades: int
    volume: int
    weighted: int
    last_size: int | None
    turnover: int


class QuoteBin(NamedTuple):
    time: int
    symbol: str
    bid_price: int | None
    bid_size: int
    ask_price: int | None
    ask_size: int


class _Period:
    """What was traded since the last close."""

    __slots__ = ("high", "low", "close", "trades", "volume", "weighted", "last_size", "turnover", "before")

    def __init__(self, before: int | None) -> None:
        self.before = before
        self.high: int | None = None
        self.low: int | None = None
        self.close = before
        self.trades = self.volume = self.weighted = self.turnover = 0
        self.last_size: int | None = None

    def add(self, price: int, size: int, value: int) -> None:
        self.high = price if self.high is None or price > self.high else self.high
        self.low = price if self.low is None or price < self.low else self.low
        self.close = price
        self.trades += 1
        self.volume += size
        self.weighted += price * size
        self.last_size = size
        self.turnover += value

    def peek(self, time: int, symbol: str) -> TradeBin | None:
        """The bin as it would be if the period ended now."""
        if self.close is None:
            return None
        first = self.before if self.before is not None else self.close
        high = self.close if self.high is None else self.high
        low = self.close if self.low is None else self.low
        return TradeBin(
            time, symbol, first, high, low, self.close, self.trades, self.volume, self.weighted, self.last_size, self.turnover
        )


class Bins:
    """All bins of a venue. `next_time` is when the next minute ends."""

    def __init__(self, now: int) -> None:
        self.next_time = (now // MINUTE + 1) * MINUTE
        self._periods: dict[str, dict[str, _Period]] = {}
        self._quotes: dict[str, Any] = {}
        self.trades: dict[tuple[str, str], deque[TradeBin]] = {}
        self.quotes: dict[tuple[str, str], deque[QuoteBin]] = {}

    def trade(self, event: Any) -> None:
        periods = self._periods.get(event.symbol)
        if periods is None:
            periods = self._periods[event.symbol] = {size: _Period(None) for size in BIN_SIZES}
        for period in periods.values():
            period.add(event.price, event.size, event.gross_value)

    def quote(self, event: Any) -> None:
        self._quotes[event.symbol] = event

    def regrid(self, symbol: str, on: Any) -> None:
        """Prices go over to another grid: `on` turns old ticks into new ones (None stays None)."""
        for period in self._periods.get(symbol, {}).values():
            for name in ("before", "high", "low", "close"):
                setattr(period, name, on(getattr(period, name)))
            period.weighted = on(period.weighted) if period.weighted else 0
        if symbol in self._quotes:
            last = self._quotes[symbol]
            self._quotes[symbol] = last._replace(bid_price=on(last.bid_price), ask_price=on(last.ask_price))
        for size in BIN_SIZES:
            trades, quotes = self.trades.get((symbol, size)), self.quotes.get((symbol, size))
            for index, old in enumerate(trades or ()):
                prices = {name: on(getattr(old, name)) for name in ("open", "high", "low", "close")}
                trades[index] = old._replace(weighted=on(old.weighted) if old.weighted else 0, **prices)
            for index, old in enumerate(quotes or ()):
                quotes[index] = old._replace(bid_price=on(old.bid_price), ask_price=on(old.ask_price))

    def running(self, kind: str, symbol: str, size: str) -> list[Any]:
        """The bin that has not ended yet, stamped with its end; none before the first trade or quote."""
        length = BIN_SIZES[size] * SECOND
        end = -(-self.next_time // length) * length
        if kind == "tradeBin":
            period = self._periods.get(symbol, {}).get(size)
            shut = period.peek(end, symbol) if period is not None else None
            return [shut] if shut is not None else []
        last = self._quotes.get(symbol)
        if last is None:
            return []
        return [QuoteBin(end, symbol, last.bid_price, last.bid_size, last.ask_price, last.ask_size)]

    def close(self, now: int) -> list[tuple[str, str, Any]]:
        """Close what ended by `now`: (kind, size, bin) with kind `tradeBin` or `quoteBin`, oldest first."""
        out: list[tuple[str, str, Any]] = []
        while self.next_time <= now:
            end = self.next_time
            self.next_time += MINUTE
            for size, seconds in BIN_SIZES.items():
                if end % (seconds * SECOND):
                    continue
                for symbol, periods in self._periods.items():
                    shut = periods[size].peek(end, symbol)
                    periods[size] = _Period(periods[size].close)
                    if shut is not None:
                        self.trades.setdefault((symbol, size), deque(maxlen=KEPT)).append(shut)
                        out.append(("tradeBin", size, shut))
                for symbol, last in self._quotes.items():
                    quote = QuoteBin(end, symbol, last.bid_price, last.bid_size, last.ask_price, last.ask_size)
                    self.quotes.setdefault((symbol, size), deque(maxlen=KEPT)).append(quote)
                    out.append(("quoteBin", size, quote))
        return out
