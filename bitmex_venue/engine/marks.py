"""Index and mark prices, and the figures an instrument shows every few seconds.

Rules (bitmex-api.md 4.5, 5.7):

* a perpetual's mark is index x (1 + funding rate x time to funding / interval), a future's index x (1 + basis), where the
  basis is a slow average of its book's premium over the index; without a book it stays where it is;
* an index is rounded to its tick, as the real ones are, and stands among the trades once a minute, with size 0;
* marks are refreshed every 5 s, on multiples of 5 s; the first index of all sets the mark at once; an index is told to the
  contracts that follow it as it moves;
* instrument rows are told in small groups, one concern each: mark and basis, bid/ask/mid, 24 h figures, open interest and its
  value, funding, the hour of the session (classic);
* the figures of a refresh (touch, 24 h, open interest) are told for closed contracts too, and no more once one has settled;
* open positions (not the house's) are told again when their mark moved; a flat one has no mark.

Known difference: the real venue's impact prices and its 30 minute averages are left out.
"""

from __future__ import annotations

from . import contract_math, events
from .contract_math import E8
from .instruments import DAY, HOUR, MINUTE, SECOND, Instrument

REFRESH = 5 * SECOND
BASIS_WEIGHT = 60
YEAR = 365 * DAY
SHOWN_RATE_E8 = 10_000  # the rate a year of a dated future is shown to four decimals


def fair_mark(instrument: Instrument, now: int) -> int:
    """The mark (e8) that follows from the index, on the instrument's mark step. Needs an index."""
    spec, index = instrument.spec, instrument.index_e8
    if spec.funding_interval and instrument.funding_timestamp is not None:
        left = max(0, instrument.funding_timestamp - now)
        basis = contract_math.div_half_away(instrument.funding_rate_e8 * left, spec.funding_interval)
    else:
        basis = instrument.fair_basis_rate_e8
    step = spec.mark_step_e8
    return max(step, contract_math.div_half_away(index * (E8 + basis), E8 * step) * step)


def basis_rate(instrument: Instrument, now: int) -> int:
    """What a dated future is above its index as a rate a year (e8); 0 for a perpetual, whose funding rate says it."""
    expiry = instrument.spec.expiry
    if expiry is None or expiry <= now:
        return 0
    return contract_math.div_half_away(instrument.fair_basis_rate_e8 * YEAR, (expiry - now) * SHOWN_RATE_E8) * SHOWN_RATE_E8


def direction(instrument: Instrument, ticks: int) -> str:
    """The tickDirection of a price after the last one."""
    last = instrument.last_price
    if last is None or ticks > last:
        return "PlusTick"
    if ticks < last:
        return "MinusTick"
    return "ZeroPlusTick" if "Plus" in instrument.last_tick_direction else "ZeroMinusTick"


def premium_e8(market) -> int | None:
    """How far the middle of the book is above the index; None without both sides and an index."""
    book, instrument = market.book, market.instrument
    if book.best_bid is None or book.best_ask is None or not instrument.index_e8:
        return None
    twice_mid = (book.best_bid + book.best_ask) * instrument.spec.tick_e8
    return contract_math.div_half_away((twice_mid - 2 * instrument.index_e8) * E8, 2 * instrument.index_e8)


class Marks:
    """Keeps indices and marks of an exchange."""

    def __init__(self, exchange) -> None:
        self.exchange = exchange
        self.outbox = exchange.outbox
        self.shown: dict = {}

    def set_index(self, symbol: str, price_e8: int) -> None:
        """An index has a new value: its own row is told; marks follow at the next refresh."""
        index = self.exchange.instruments[symbol]
        tick = index.spec.tick_e8
        price = max(1, contract_math.div_half_away(price_e8, tick))
        index.last_tick_direction = direction(index, price)
        index.last_price = price
        index.index_e8 = index.mark_e8 = price_e8 = index.last_price * tick
        index.window.add(self.exchange.now, index.last_price, 0, 0)
        self._tell(symbol, {"last_price": index.last_price, "last_tick_direction": index.last_tick_direction, "mark_e8": price_e8})
        for market in self.exchange.markets.values():
            instrument = market.instrument
            if instrument.spec.reference == symbol and instrument.state != "Settled":
                instrument.index_e8 = price_e8
                self._tell(market.symbol, {"index_e8": price_e8})
                if instrument.mark_e8 is None:
                    self.remark(market)

    def remark(self, market) -> None:
        """Bring one mark up to date; tell it, and the positions that live by it, when it moved."""
        instrument, now = market.instrument, self.exchange.now
        mark = fair_mark(instrument, now)
        figures = mark, mark - instrument.index_e8, basis_rate(instrument, now)
        before = instrument.mark_e8
        if figures == (before, instrument.basis_e8, instrument.basis_rate_e8):
            return
        _, instrument.basis_e8, instrument.basis_rate_e8 = figures
        columns = dict(zip(("mark_e8", "basis_e8", "basis_rate_e8"), figures, strict=True))
        if instrument.prev_close_e8 is None:
            instrument.prev_close_e8 = columns["prev_close_e8"] = mark
        self._tell(market.symbol, columns)
        if mark != before:
            instrument.set_mark(mark)
            for position in instrument.holders:
                self.outbox.touch(position)

    def refresh(self) -> None:
        """The marks, due every 5 s; positions are looked at after it."""
        for market in self.exchange.markets.values():
            if self.exchange.now % HOUR == 0:
                market.instrument.prev_close_e8 = market.instrument.mark_e8
            if market.instrument.state == "Open":
                self._refresh_one(market)

    def tell_figures(self) -> None:
        """What is told every 5 s, when all that was due has moved the books."""
        for market in self.exchange.markets.values():
            if market.instrument.state != "Settled":
                self._figures(market)
        for instrument in self.exchange.instruments.values():
            if instrument.spec.is_index:
                if self.exchange.now % MINUTE == 0 and instrument.last_price is not None:
                    self._print(instrument)
                if instrument.window.forget(self.exchange.now):
                    self._tell(instrument.symbol, {"last_price": instrument.last_price, "mark_e8": instrument.mark_e8})
            elif self.exchange.now % HOUR == 0:
                self._tell(instrument.symbol, {"session": self.exchange.now, "prev_close_e8": instrument.prev_close_e8})

    def _refresh_one(self, market) -> None:
        instrument = market.instrument
        premium = premium_e8(market)
        if premium is not None:
            instrument.premium_sum += premium
            instrument.premium_count += 1
            if not instrument.spec.funding_interval:
                gap = premium - instrument.fair_basis_rate_e8
                instrument.fair_basis_rate_e8 += contract_math.trunc_div(gap, BASIS_WEIGHT)
        if instrument.index_e8:
            self.remark(market)

    def _figures(self, market) -> None:
        instrument, book, symbol = market.instrument, market.book, market.symbol
        instrument.window.forget(self.exchange.now)
        window = instrument.window
        if market.moved:
            market.moved = False
            self._tell(symbol, {"bid_price": book.best_bid, "ask_price": book.best_ask})
        groups = (
            {"volume_24h": window.volume, "turnover_24h": window.turnover, "prev_price_24h": window.prev_price},
            {"open_interest": instrument.open_interest, "open_value": instrument.open_value},
        )
        for number, columns in enumerate(groups):
            if self.shown.get((symbol, number)) != columns:
                self.shown[symbol, number] = columns
                self._tell(symbol, dict(columns))

    def _print(self, index: Instrument) -> None:
        """The trade of nothing that says once a minute where an index stands."""
        self.outbox.trades.append(events.TradeEvent(
            self.exchange.now, index.symbol, 1, 0, index.last_price, index.last_tick_direction, events.NO_MATCH, 0
        ))  # fmt: skip

    def _tell(self, symbol: str, columns: dict) -> None:
        self.outbox.rest.append(events.InstrumentEvent(self.exchange.now, symbol, columns))
