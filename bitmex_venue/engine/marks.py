"""Index and mark prices, and the figures an instrument shows every few seconds.

Rules (bitmex-api.md 4.5, 5.7):

* a perpetual's mark is index x (1 + funding rate x time to funding / interval), a future's index x (1 + basis), where the
  basis is a slow average of its book's premium over the index; without a book it stays where it is;
* marks are refreshed every 5 s, on multiples of 5 s; the first index of all sets the mark at once;
* instrument rows are told in small groups, one concern each: mark, bid/ask/mid, 24 h figures, open interest, funding;
* open positions (not the house's) are told again when their mark moved.

Known difference: the real venue's impact prices and its 30 minute averages are left out.
"""

from __future__ import annotations

from . import contract_math, events
from .contract_math import E8
from .instruments import SECOND, Instrument

REFRESH = 5 * SECOND
BASIS_WEIGHT = 60


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
        now = self.exchange.now
        index = self.exchange.instruments[symbol]
        index.last_price = price_e8 // index.spec.tick_e8
        index.index_e8 = index.mark_e8 = price_e8
        columns = {"last_price": index.last_price, "mark_e8": price_e8}
        self.outbox.rest.append(events.InstrumentEvent(now, symbol, columns))
        for market in self.exchange.markets.values():
            instrument = market.instrument
            if instrument.spec.reference == symbol:
                instrument.index_e8 = price_e8
                if instrument.mark_e8 is None:
                    self.remark(market)

    def remark(self, market) -> None:
        """Bring one mark up to date; tell it, and the positions that live by it, when it moved."""
        instrument = market.instrument
        mark = fair_mark(instrument, self.exchange.now)
        if mark == instrument.mark_e8:
            return
        instrument.set_mark(mark)
        columns = {"mark_e8": mark, "index_e8": instrument.index_e8}
        self.outbox.rest.append(events.InstrumentEvent(self.exchange.now, market.symbol, columns))
        for position in instrument.holders:
            self.outbox.touch(position)

    def refresh(self) -> None:
        """What is due every 5 s."""
        for market in self.exchange.markets.values():
            instrument = market.instrument
            if instrument.state != "Open":
                continue
            premium = premium_e8(market)
            if premium is not None:
                instrument.premium_sum += premium
                instrument.premium_count += 1
                if not instrument.spec.funding_interval:
                    gap = premium - instrument.fair_basis_rate_e8
                    instrument.fair_basis_rate_e8 += contract_math.trunc_div(gap, BASIS_WEIGHT)
            if instrument.index_e8:
                self.remark(market)
            self._figures(market)

    def _figures(self, market) -> None:
        instrument, book = market.instrument, market.book
        now = self.exchange.now
        instrument.window.forget(now)
        window = instrument.window
        bid, ask = book.best_bid, book.best_ask
        groups = (
            {"bid_price": bid, "ask_price": ask},
            {"volume_24h": window.volume, "turnover_24h": window.turnover, "prev_price_24h": window.prev_price},
            {"open_interest": instrument.open_interest},
        )
        for number, columns in enumerate(groups):
            key = (market.symbol, number)
            if self.shown.get(key) != columns:
                self.shown[key] = columns
                self.outbox.rest.append(events.InstrumentEvent(now, market.symbol, dict(columns)))
