"""What has happened, kept as event records and rendered only when somebody reads it.

Rules: memory is bounded (`maxlen` per symbol or account; the oldest go first); records are kept in the order of the events, so a
reader may walk from either end.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

from ..engine import events as ev
from .bins import Bins

TRADES = 20_000  # per symbol
QUOTES = 20_000
EXECUTIONS = 20_000  # per account
LEDGER = 10_000  # per account and currency
OTHERS = 5_000


class History:
    """The records behind the reading routes; trades and quotes go on to the bins. Houses (accounts below 1000) keep no private history."""

    def __init__(self, bins: Bins, first_client: int = 1000) -> None:
        self.bins = bins
        self.first_client = first_client
        self.trades: dict[str, deque[ev.TradeEvent]] = {}
        self.quotes: dict[str, deque[ev.QuoteEvent]] = {}
        self.executions: dict[int, deque[ev.ExecutionEvent]] = {}
        self.ledger: dict[int, deque[ev.WalletEvent]] = {}
        self.funding: dict[str, deque[ev.FundingEvent]] = {}
        self.settlements: deque[ev.SettlementEvent] = deque(maxlen=OTHERS)
        self.insurance: deque[ev.InsuranceEvent] = deque(maxlen=OTHERS)
        self.touched: dict[Any, int] = {}  # (account, symbol or currency) -> when it last changed; of a wallet's row beside that of its margin
        self.liquidations: dict[str, ev.LiquidationEvent] = {}
        self._keep = {
            ev.TradeEvent: self._trade,
            ev.QuoteEvent: self._quote,
            ev.ExecutionEvent: self._execution,
            ev.WalletEvent: self._wallet,
            ev.FundingEvent: self._funding,
            ev.SettlementEvent: self.settlements.append,
            ev.InsuranceEvent: self.insurance.append,
            ev.LiquidationEvent: self._liquidation,
            ev.PositionEvent: self._position,
            ev.MarginEvent: self._margin,
            ev.GridEvent: self._grid,
        }

    def record(self, events: Iterable[Any]) -> None:
        """Keep what a reader may ask for later."""
        keep = self._keep
        for event in events:
            keeper = keep.get(type(event))
            if keeper is not None:
                keeper(event)

    def merged(self, kept: dict[str, deque[Any]], symbols: Iterable[str]) -> list[Any]:
        """The records of several symbols in the order of time."""
        symbols = list(symbols)
        if len(symbols) == 1:
            return kept.get(symbols[0], ())  # type: ignore[return-value]
        out: list[Any] = []
        for symbol in symbols:
            out.extend(kept.get(symbol, ()))
        out.sort(key=lambda event: event.time)
        return out

    def _trade(self, event: ev.TradeEvent) -> None:
        self._bounded(self.trades, event.symbol, TRADES).append(event)
        self.bins.trade(event)

    def _quote(self, event: ev.QuoteEvent) -> None:
        self.bins.quote(event)
        self._bounded(self.quotes, event.symbol, QUOTES).append(event)

    def _execution(self, event: ev.ExecutionEvent) -> None:
        account = event.order.account.account_id
        if account >= self.first_client:
            self._bounded(self.executions, account, EXECUTIONS).append(event)

    def _wallet(self, event: ev.WalletEvent) -> None:
        self.touched[event.account_id, event.currency, "wallet"] = event.time
        if event.account_id >= self.first_client:
            lines = self._bounded(self.ledger, event.account_id, LEDGER)
            place = _told_before(lines, event) if event.transact_id and event.status != "Pending" else None
            if place is None:
                lines.append(event)
            else:
                lines[place] = event

    def _funding(self, event: ev.FundingEvent) -> None:
        self._bounded(self.funding, event.symbol, OTHERS).append(event)

    def _position(self, event: ev.PositionEvent) -> None:
        self.touched[event.account_id, event.symbol] = event.time

    def _margin(self, event: ev.MarginEvent) -> None:
        self.touched[event.account_id, event.currency] = event.time

    def _liquidation(self, event: ev.LiquidationEvent) -> None:
        if event.action == "delete":
            self.liquidations.pop(event.order.order_id, None)
        else:
            self.liquidations[event.order.order_id] = event

    def _grid(self, event: ev.GridEvent) -> None:
        """Prices are kept in ticks: what is remembered goes over to the new grid, rounded down to it."""
        symbol, scale = event.symbol, event.old_tick_e8

        def on(ticks: int | None) -> int | None:
            return ticks if ticks is None else max(1, ticks * scale // event.tick_e8)

        self._redo(self.trades.get(symbol), lambda e: e._replace(price=on(e.price)))
        self._redo(self.quotes.get(symbol), lambda e: e._replace(bid_price=on(e.bid_price), ask_price=on(e.ask_price)))
        for records in self.executions.values():
            self._redo(records, lambda e: _moved(e, on) if e.order.symbol == symbol else e)
        self.bins.regrid(symbol, on)

    @staticmethod
    def _redo(records: deque[Any] | None, change: Any) -> None:
        if records is not None:
            changed = [change(record) for record in records]
            records.clear()
            records.extend(changed)

    @staticmethod
    def _bounded(kept: dict[Any, deque[Any]], key: Any, size: int) -> deque[Any]:
        records = kept.get(key)
        if records is None:
            records = kept[key] = deque(maxlen=size)
        return records


def _told_before(lines: deque[ev.WalletEvent], event: ev.WalletEvent) -> int | None:
    """Where the ledger has this withdrawal already, with another status."""
    for place in range(len(lines) - 1, -1, -1):
        if lines[place].transact_id == event.transact_id:
            return place
    return None


def _moved(event: ev.ExecutionEvent, on: Any) -> ev.ExecutionEvent:
    columns = {name: on(value) if name in ("price", "stop_px") else value for name, value in event.columns.items()}
    return event._replace(columns=columns, last_px=on(event.last_px))
