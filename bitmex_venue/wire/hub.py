"""From events to realtime messages: who listens to what, what goes to whom, in which order.

Theory of operation. Each command of the exchange leaves a batch of events. The hub walks through it once and turns an event into
a row only when somebody is subscribed to its table. Rows of one kind become one message, in the order in which the
events came (bitmex-api.md 5.6). A message is encoded once and the same text is handed to every session.

Rules
* A row is rendered only for tables somebody listens to; a message is encoded once, not once per client, and not at all for a client in
  process that takes rows.
* Private rows go to sessions of their own account only.
* Neighbouring private rows of one table, action, account and symbol share a message; all trades (or quotes) of a
  symbol in one batch share a message.
* A delta of the book carries one symbol, and each level at most once per batch.
* orderBookL2_25 sends a level that enters the best 25 of its side as an insert, and one that leaves as a delete.
* Position, margin, wallet and instrument updates carry keys, changed columns and the columns that the venue always repeats; what
  changes nothing that the listeners hold is not sent.

Known differences: orderBookL2_25 is not throttled; deltas of the book follow the touch's quote in the same batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..engine import events as ev
from . import account_rows, instrument_rows
from .columns import DEPTHS
from .encode import dumps
from .history import History
from .level_ids import OpaqueIds, PriceIds
from .tables import Row, Rows

Topic = tuple[str, str | None, int | None]  # table, symbol or None for all, account or None for public
STREAMS = ("trade", "quote")
TOPS = ("orderBookL2_25", "orderBookL2_100")
INSTRUMENT_REPEATS = ("symbol", "timestamp")


class Message:
    """One delta on its way out."""

    __slots__ = ("table", "action", "rows", "listeners")

    def __init__(self, table: str, action: str, listeners: list[Any]) -> None:
        self.table = table
        self.action = action
        self.rows: list[Row] = []
        self.listeners = listeners


class Batch:
    """The messages of one command, in order."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._last: dict[Any, tuple[Any, Message]] = {}

    def add(self, row: Row, table: str, action: str, listeners: list[Any], symbol: str | None, account: Any) -> None:
        """Append a row, to the message before it where the rules let them share one."""
        lane = (table, symbol) if table in STREAMS else account if account is not None else None
        kind = (table, action, symbol)
        before = self._last.get(lane) if lane is not None else None
        if before is not None and before[0] == kind:
            before[1].rows.append(row)
            return
        message = Message(table, action, listeners)
        message.rows.append(row)
        self.messages.append(message)
        if lane is not None:
            self._last[lane] = (kind, message)


class Hub:
    """The subscriptions of a venue. `exchange`, `rows` and `history` are the venue's own."""

    def __init__(self, exchange: Any, rows: Rows, history: History, bins: Any) -> None:
        self.exchange = exchange
        self.rows = rows
        self.history = history
        self.bins = bins
        self.ids: Any = PriceIds(exchange.instruments) if rows.profile.price_ids else OpaqueIds()
        self._topics: dict[Topic, dict[Any, None]] = {}
        self.shown: dict[tuple[str, int, str], Row] = {}  # what listeners hold of positions, margins, wallets
        self.tops: dict[tuple[str, str], dict[tuple[int, int], int]] = {}  # (table, symbol)
        self.tens: dict[str, Row] = {}
        self.contracts: dict[str, Row] = {}  # what listeners hold of the instruments
        self.again: dict[Any, set[str]] = {}  # partials to be sent once more, after the batch (a fault)
        self._handlers: dict[type, Callable[[Any, Batch], None]] = {
            ev.OrderEvent: self._order,
            ev.ExecutionEvent: self._execution,
            ev.TradeEvent: self._trade,
            ev.QuoteEvent: self._quote,
            ev.InstrumentEvent: self._instrument,
            ev.ListingEvent: self._listing,
            ev.PositionEvent: self._position,
            ev.MarginEvent: self._margin,
            ev.WalletEvent: self._wallet,
            ev.FundingEvent: self._plain("funding", self.rows.funding),
            ev.SettlementEvent: self._plain("settlement", self.rows.settlement),
            ev.InsuranceEvent: self._insurance,
            ev.LiquidationEvent: self._liquidation,
        }

    # ---- subscriptions

    def join(self, topic: Topic, session: Any) -> bool:
        """Subscribe; False when the session was subscribed already."""
        listeners = self._topics.setdefault(topic, {})
        if session in listeners:
            return False
        listeners[session] = None
        return True

    def leave(self, topic: Topic, session: Any) -> bool:
        """Unsubscribe; False when the session was not subscribed."""
        listeners = self._topics.get(topic)
        if listeners is None or session not in listeners:
            return False
        del listeners[session]
        if not listeners:
            del self._topics[topic]
            self._forget(topic)
        return True

    def listeners(self, table: str, symbol: str | None, account: int | None = None) -> list[Any]:
        """The sessions that a row of this table, symbol and account goes to."""
        whole = self._topics.get((table, None, account))
        one = self._topics.get((table, symbol, account)) if symbol is not None else None
        if whole and one:
            return list({**whole, **one})
        return list(whole or one or ())

    def _forget(self, topic: Topic) -> None:
        """Nobody holds these rows any more: the next listener begins with a fresh image."""
        table, symbol, account = topic
        if account is not None:
            for key in [k for k in self.shown if k[0] == table and k[1] == account]:
                if not self.listeners(table, key[2], account):
                    del self.shown[key]
        for name in [n for t, n in self.tops if t == table and not self.listeners(table, n)]:
            del self.tops[table, name]
        if table == "orderBook10":
            for name in [n for n in self.tens if not self.listeners(table, n)]:
                del self.tens[name]
        if table == "instrument":
            for name in [n for n in self.contracts if not self.listeners(table, n)]:
                del self.contracts[name]

    # ---- deltas

    def publish(self, events: Iterable[Any]) -> None:
        """Send what these events (one command's) mean to whoever listens."""
        if not self._topics:
            if isinstance(self.ids, OpaqueIds):
                self._drop_ids(events)
            return
        batch = Batch()
        books: dict[str, list[ev.BookEvent]] = {}
        for event in events:
            kind = type(event)
            if kind is ev.BookEvent:
                books.setdefault(event.symbol, []).append(event)
                continue
            handler = self._handlers.get(kind)
            if handler is not None:
                handler(event, batch)
        for symbol, changes in books.items():
            self._book(symbol, changes, batch)
        self.send(batch)

    def send(self, batch: Batch) -> None:
        """Encode each message once and hand it to its listeners; to those that take rows as they are, rows of their own."""
        for message in batch.messages:
            text = None
            for session in message.listeners:
                if session.takes_rows:
                    session.give({"table": message.table, "action": message.action, "data": [dict(row) for row in message.rows]})
                    continue
                if text is None:
                    text = dumps({"table": message.table, "action": message.action, "data": message.rows})
                session.send(text)
        if self.again:
            again, self.again = self.again, {}
            for session, tables in again.items():
                for table in sorted(tables):
                    session.repeat(table)

    def publish_bins(self, closed: Iterable[tuple[str, str, Any]]) -> None:
        """Send closed bins: (kind, size, bin)."""
        if not self._topics:
            return
        batch = Batch()
        for kind, size, record in closed:
            table = kind + size
            listeners = self.listeners(table, record.symbol)
            if listeners:
                row = self.rows.trade_bin(record) if kind == "tradeBin" else self.rows.quote(record)
                batch.add(row, table, "insert", listeners, record.symbol, None)
        self.send(batch)

    def _order(self, event: ev.OrderEvent, batch: Batch) -> None:
        order = event.order
        listeners = self.listeners("order", order.symbol, order.account_id)
        if listeners:
            insert = event.action == "insert"
            row = self.rows.order(order, event.columns) if insert else self.rows.order_update(event)
            batch.add(row, "order", event.action, listeners, order.symbol, order.account_id)

    def _execution(self, event: ev.ExecutionEvent, batch: Batch) -> None:
        account, symbol = event.order.account.account_id, event.order.symbol
        listeners = self.listeners("execution", symbol, account)
        if listeners:
            batch.add(self.rows.execution(event), "execution", "insert", listeners, symbol, account)

    def _trade(self, event: ev.TradeEvent, batch: Batch) -> None:
        listeners = self.listeners("trade", event.symbol)
        if listeners:
            batch.add(self.rows.trade(event), "trade", "insert", listeners, event.symbol, None)

    def _quote(self, event: ev.QuoteEvent, batch: Batch) -> None:
        listeners = self.listeners("quote", event.symbol)
        if listeners:
            batch.add(self.rows.quote(event), "quote", "insert", listeners, event.symbol, None)

    def _instrument(self, event: ev.InstrumentEvent, batch: Batch) -> None:
        listeners = self.listeners("instrument", event.symbol)
        if listeners:
            row = instrument_rows.update(self.rows, self.exchange, event)
            held = self.contracts.setdefault(event.symbol, {"symbol": event.symbol})
            row = {name: value for name, value in row.items() if name in INSTRUMENT_REPEATS or held.get(name) != value}
            if len(row) > len(INSTRUMENT_REPEATS):
                held.update(row)
                batch.add(row, "instrument", "update", listeners, event.symbol, None)

    def _listing(self, event: ev.ListingEvent, batch: Batch) -> None:
        listeners = self.listeners("instrument", event.symbol)
        if listeners:
            row = self.contracts[event.symbol] = instrument_rows.full(self.rows, self.exchange, event.symbol, event.time)
            batch.add(dict(row), "instrument", "insert", listeners, event.symbol, None)

    def _position(self, event: ev.PositionEvent, batch: Batch) -> None:
        account, symbol = event.account_id, event.symbol
        listeners = self.listeners("position", symbol, account)
        if listeners:
            row = account_rows.position(self.rows, event.image, event.time)
            keys = self.rows.tables["position"].keys
            repeats = account_rows.POSITION_REPEATS
            self._image(("position", account, symbol), row, keys + ("currency",), repeats, listeners, batch, symbol)

    def _margin(self, event: ev.MarginEvent, batch: Batch) -> None:
        account, currency = event.account_id, event.currency
        listeners = self.listeners("margin", None, account)
        if listeners:
            row = account_rows.margin(self.rows, event.image, event.time)
            self._image(("margin", account, currency), row, ("account", "currency"), (), listeners, batch, None)

    def _image(
        self, key: tuple[str, int, str], row: Row, keys: Any, repeats: Any, listeners: Any, batch: Batch, symbol: Any
    ) -> None:
        """An update against what the listeners hold, or an insert when they do not have the row."""
        before = self.shown.get(key)
        self.shown[key] = row
        if before is None:
            batch.add(row, key[0], "insert", listeners, symbol, key[1])
            return
        delta = account_rows.changed(before, row, keys, repeats)
        if delta is not None:
            batch.add(delta, key[0], "update", listeners, symbol, key[1])

    def _wallet(self, event: ev.WalletEvent, batch: Batch) -> None:
        account = event.account_id
        listeners = self.listeners("wallet", None, account)
        if listeners:
            image = self.exchange.accounts[account].margin_image(event.currency)
            row = account_rows.wallet(self.rows, image, event.time)
            key = ("wallet", account, event.currency)
            self._image(key, row, ("account", "currency"), (), listeners, batch, None)
        listeners = self.listeners("transact", None, account)
        if listeners:  # new rows come as updates (bitmex-api.md 5.5)
            batch.add(account_rows.transact(self.rows, event), "transact", "update", listeners, None, account)

    def _plain(self, table: str, render: Callable[[Any], Row]) -> Callable[[Any, Batch], None]:
        def handler(event: Any, batch: Batch) -> None:
            listeners = self.listeners(table, event.symbol)
            if listeners:
                batch.add(render(event), table, "insert", listeners, event.symbol, None)

        return handler

    def _insurance(self, event: ev.InsuranceEvent, batch: Batch) -> None:
        listeners = self.listeners("insurance", None)
        if listeners:
            batch.add(self.rows.insurance(event), "insurance", "insert", listeners, None, None)

    def _liquidation(self, event: ev.LiquidationEvent, batch: Batch) -> None:
        symbol = event.order.symbol
        listeners = self.listeners("liquidation", symbol)
        if listeners:
            batch.add(self.rows.liquidation(event), "liquidation", event.action, listeners, symbol, None)

    # ---- the book

    def _book(self, symbol: str, changes: list[ev.BookEvent], batch: Batch) -> None:
        time = changes[-1].time
        levels: dict[tuple[int, int], tuple[int, int]] = {}
        for event in changes:
            key = (event.side, event.price)
            old = levels[key][0] if key in levels else event.old_size
            levels[key] = (old, event.size)
        listeners = self.listeners("orderBookL2", symbol)
        if listeners:
            self._levels("orderBookL2", symbol, levels, time, listeners, batch)
        for table in TOPS:
            listeners = self.listeners(table, symbol)
            if listeners:
                before = self.tops.get((table, symbol), {})
                after = self.tops[table, symbol] = self.top(table, symbol)
                moved = {key: (size, after.get(key, 0)) for key, size in before.items()}
                moved.update({key: (0, size) for key, size in after.items() if key not in before})
                self._levels(table, symbol, moved, time, listeners, batch)
        for (side, price), (_, size) in levels.items():
            if not size:
                self.ids.drop(symbol, side, price)
        listeners = self.listeners("orderBook10", symbol)
        if listeners:
            row = self.rows.book10(symbol, self.exchange.books[symbol], time)
            before_ten = self.tens.get(symbol)
            self.tens[symbol] = row
            if before_ten is None or before_ten["bids"] != row["bids"] or before_ten["asks"] != row["asks"]:
                batch.add(row, "orderBook10", "update", listeners, symbol, None)

    def _levels(
        self,
        table: str,
        symbol: str,
        levels: dict[tuple[int, int], tuple[int, int]],
        time: int,
        listeners: list[Any],
        batch: Batch,
    ) -> None:
        """Deletes, updates and inserts of levels: (side, ticks) -> (size before, size after)."""
        parts: dict[str, list[Row]] = {"delete": [], "update": [], "insert": []}
        for (side, ticks), (old, size) in levels.items():
            if old == size:
                continue
            action = "delete" if not size else "update" if old else "insert"
            parts[action].append(self.rows.level(self.ids, symbol, side, ticks, size, time, action))
        for action, rows in parts.items():
            if rows:
                message = Message(table, action, listeners)
                message.rows = rows
                batch.messages.append(message)

    def top(self, table: str, symbol: str) -> dict[tuple[int, int], int]:
        """The best levels of each side, as many as the table shows: (side, ticks) -> size."""
        book, depth = self.exchange.books[symbol], DEPTHS[table]
        return {(side, ticks): size for side in (-1, 1) for ticks, size in book.levels(side, depth)}

    def _drop_ids(self, events: Iterable[Any]) -> None:
        for event in events:
            if type(event) is ev.BookEvent and not event.size:
                self.ids.drop(event.symbol, event.side, event.price)
