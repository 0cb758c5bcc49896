"""Rows of the wire, made from the engine's records.

Rules
* A row has its columns in the venue's order. classic: every column, null or "" where empty; modern: empty ones left out.
* An update row carries the keys and what changed, then the columns that the venue always repeats (bitmex-api.md 5.6).
* Prices come from ticks by one correctly rounded division; money stays whole; 6370.0 is written 6370 in classic.
* Rendering reads records and constants only, so that a record may be rendered long after it was made.

Positions, margins and wallets are in `account_rows`, instruments in `instrument_rows`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..engine import events as ev
from ..profiles import Profile
from . import columns as cols
from .encode import E8, from_e8, iso, whole

Row = dict[str, Any]
SIDES = {1: "Buy", -1: "Sell", 0: ""}
ZERO_GUID = "00000000-0000-0000-0000-000000000000"

# our name of an order column -> the wire's, in the wire's order
ORDER_COLUMNS: tuple[tuple[str, str], ...] = (
    ("order_qty", "orderQty"),
    ("price", "price"),
    ("stop_px", "stopPx"),
    ("ord_status", "ordStatus"),
    ("triggered", "triggered"),
    ("working", "workingIndicator"),
    ("leaves_qty", "leavesQty"),
    ("cum_qty", "cumQty"),
    ("avg_px_e8", "avgPx"),
    ("text", "text"),
    ("transact_time", "transactTime"),
)


class Rows:
    """Renders records of one venue in one profile. `instruments` is the exchange's own mapping."""

    def __init__(self, profile: Profile, instruments: Mapping[str, Any]) -> None:
        self.profile = profile
        self.instruments = instruments
        self.tables = cols.tables(profile)
        self.number = whole if profile.whole_numbers else _same
        self._blank = {name: cols.blank(table) for name, table in self.tables.items()}
        self._zeroed: dict[str, Row] = {}

    # ---- helpers

    def blank(self, table: str) -> Row:
        """A fresh row of a table with every column empty."""
        return dict(self._blank[table])

    def zeroed(self, table: str) -> Row:
        """A fresh row of a table with whole numbers 0 and every other column empty."""
        zeroed = self._zeroed.get(table)
        if zeroed is None:
            zeroed = self._zeroed[table] = self.blank(table)
            zeroed.update((name, 0) for name, kind in self.tables[table].types.items() if kind == "long")
        return dict(zeroed)

    def finish(self, row: Row) -> Row:
        """The row as this profile sends it."""
        if not self.profile.sparse:
            return row
        return {name: value for name, value in row.items() if value is not None and value != ""}

    def price(self, symbol: str, ticks: int | None) -> Any:
        """A price in ticks as the wire shows it."""
        if ticks is None:
            return None
        return self.number(self.instruments[symbol].spec.price(ticks))

    def e8(self, value: int | None) -> Any:
        """A price or rate of 1e-8 as the wire shows it."""
        return self.number(from_e8(value))

    # ---- orders and executions

    def order(self, order: Any, columns: Mapping[str, Any] | None = None) -> Row:
        """The whole row of an order, as it is or as `columns` of an event tell."""
        c = order.columns() if columns is None else columns
        row = self._order_base("order", order, c)
        row = self.finish(row)
        return dict(sorted(row.items())) if self.profile.sorted_columns else row

    def order_update(self, event: ev.OrderEvent) -> Row:
        """What changed, and the columns that every order update repeats."""
        order, changed = event.order, event.columns
        row: Row = {"orderID": order.order_id}
        for ours, wires in ORDER_COLUMNS:
            if ours in changed:
                row[wires] = self._order_value(order.symbol, ours, changed[ours])
        row["clOrdID"] = changed.get("cl_ord_id", order.cl_ord_id)
        row["account"] = order.account_id
        row["symbol"] = order.symbol
        row["timestamp"] = iso(changed.get("timestamp", event.time))
        return row

    def execution(self, event: ev.ExecutionEvent) -> Row:
        """A row of the execution table."""
        order, c = event.order, event.columns
        if not c:
            return self._charge(event)
        row = self._order_base("execution", order, c)
        trade = bool(event.last_qty)
        row["execID"] = event.exec_id
        row["execType"] = event.exec_type
        row["trdMatchID"] = event.trd_match_id
        row["lastQty"] = event.last_qty if trade else None
        row["lastPx"] = self.price(order.symbol, event.last_px)
        row["lastLiquidityInd"] = event.liquidity
        row["commission"] = self.e8(event.commission_e8)
        row["execCost"] = event.exec_cost
        row["execComm"] = event.exec_comm
        if self.profile.lastmkt and trade:
            row["lastMkt"] = "XBME"
        if trade and event.exec_cost is not None:
            if event.exec_type == "Trade":
                row["tradePublishIndicator"] = "PublishTrade"
                if "trdType" in row:
                    row["trdType"] = "Regular"
                if "feeType" in row:
                    row["feeType"] = "Normal"
            home, foreign = self.notionals(order.symbol, event.last_qty * order.side, event.exec_cost)
            row["homeNotional"], row["foreignNotional"] = home, foreign
        if self.profile.sparse and event.trd_match_id == ZERO_GUID:
            row["trdMatchID"] = None
        return self.finish(row)

    def _charge(self, event: ev.ExecutionEvent) -> Row:
        """Funding (or settlement): `order` is the position it was charged on (bitmex-api.md 4.3)."""
        held = event.order
        spec = self.instruments[held.symbol].spec
        row = self.blank("execution")
        home, foreign = self.notionals(held.symbol, event.last_qty, event.exec_cost or 0)
        row.update(
            execID=event.exec_id,
            orderID=ZERO_GUID,
            account=held.account.account_id,
            symbol=held.symbol,
            lastQty=event.last_qty,
            lastPx=self.price(held.symbol, event.last_px),
            orderQty=event.last_qty,
            currency=spec.quote_currency,
            settlCurrency=spec.settl_currency,
            execType=event.exec_type,
            ordType="Limit",
            timeInForce="AllOrNone",
            ordStatus="Filled",
            workingIndicator=False,
            leavesQty=0,
            cumQty=event.last_qty,
            commission=self.e8(event.commission_e8),
            text=event.exec_type,
            trdMatchID=event.trd_match_id,
            execCost=event.exec_cost,
            execComm=event.exec_comm,
            homeNotional=home,
            foreignNotional=foreign,
            transactTime=iso(event.time),
            timestamp=iso(event.time),
        )
        if self.profile.lastmkt:
            row.update(lastMkt="XBME", exDestination="XBME", multiLegReportingType="SingleSecurity")
        if self.profile.strategy:
            row.update(strategy="OneWay", feeType="Funding" if event.exec_type == "Funding" else None)
        return self.finish(row)

    def notionals(self, symbol: str, qty: int, cost: int) -> tuple[Any, Any]:
        """homeNotional and foreignNotional of a signed quantity with a signed cost (bitmex-api.md 4.3)."""
        spec = self.instruments[symbol].spec
        if spec.is_inverse:
            return self.number(-cost / E8), -qty
        scale = spec.quote_to_settle_multiplier or spec.underlying_to_settle_multiplier or 1
        return self.number(qty * spec.multiplier / scale), self.number(-cost / scale)

    def _order_value(self, symbol: str, ours: str, value: Any) -> Any:
        if ours == "price" or ours == "stop_px":
            return self.price(symbol, value)
        if ours == "avg_px_e8":
            return self.e8(value)
        if ours == "transact_time":
            return iso(value)
        return value

    def _order_base(self, table: str, order: Any, c: Mapping[str, Any]) -> Row:
        symbol = order.symbol
        spec = self.instruments[symbol].spec
        row = self.blank(table)
        row["orderID"] = order.order_id
        row["clOrdID"] = c["cl_ord_id"]
        row["account"] = order.account_id
        row["symbol"] = symbol
        row["side"] = SIDES[order.side]
        row["orderQty"] = c["order_qty"]
        row["price"] = self.price(symbol, c["price"])
        row["stopPx"] = self.price(symbol, c["stop_px"])
        row["currency"] = spec.quote_currency
        row["settlCurrency"] = spec.settl_currency
        row["ordType"] = order.ord_type
        row["timeInForce"] = order.time_in_force
        row["execInst"] = ",".join(order.exec_inst)
        row["ordStatus"] = c["ord_status"]
        row["triggered"] = c["triggered"]
        row["workingIndicator"] = c["working"]
        row["leavesQty"] = c["leaves_qty"]
        row["cumQty"] = c["cum_qty"]
        row["avgPx"] = self.e8(c["avg_px_e8"])
        row["text"] = c["text"]
        row["transactTime"] = iso(c["transact_time"])
        row["timestamp"] = iso(c["timestamp"])
        if self.profile.lastmkt:
            row["exDestination"] = "XBME"
            row["multiLegReportingType"] = "SingleSecurity"
        if self.profile.strategy:
            row["strategy"] = "OneWay"
        return row

    # ---- market data

    def trade(self, event: ev.TradeEvent) -> Row:
        if self.instruments[event.symbol].spec.is_index:
            return self._index_trade(event)
        home, foreign = self.notionals(event.symbol, event.size, event.gross_value)
        row = {
            "timestamp": iso(event.time),
            "symbol": event.symbol,
            "side": SIDES[event.side],
            "size": event.size,
            "price": self.price(event.symbol, event.price),
            "tickDirection": event.tick_direction,
            "trdMatchID": event.trd_match_id,
            "grossValue": event.gross_value,
            "homeNotional": abs(home),
            "foreignNotional": abs(foreign),
        }
        if self.profile.sparse:
            row["trdType"] = "Regular"
        return row

    def _index_trade(self, event: ev.TradeEvent) -> Row:
        row = self.blank("trade")
        row.update(timestamp=iso(event.time), symbol=event.symbol, side=SIDES[event.side], size=0)
        row.update(price=self.price(event.symbol, event.price), tickDirection=event.tick_direction, trdMatchID=ZERO_GUID)
        if self.profile.sparse:
            row["trdType"] = "Referential"
        return self.finish(row)

    def quote(self, event: Any) -> Row:
        """A quote, or a quote bin. An empty side is null in classic and absent in modern."""
        bid, ask = event.bid_price, event.ask_price
        return self.finish(
            {
                "timestamp": iso(event.time),
                "symbol": event.symbol,
                "bidSize": event.bid_size if bid is not None else None,
                "bidPrice": self.price(event.symbol, bid),
                "askPrice": self.price(event.symbol, ask),
                "askSize": event.ask_size if ask is not None else None,
            }
        )

    def trade_bin(self, event: Any) -> Row:
        """A closed bin of trades."""
        symbol = event.symbol
        spec = self.instruments[symbol].spec
        vwap = None
        if event.volume:  # four decimals, as recorded bins show it
            vwap = self.number(round(event.weighted * spec.tick_e8 / event.volume / E8, 4))
        home, foreign = self.notionals(symbol, event.volume, event.turnover)
        return self.finish(
            {
                "timestamp": iso(event.time),
                "symbol": symbol,
                "open": self.price(symbol, event.open),
                "high": self.price(symbol, event.high),
                "low": self.price(symbol, event.low),
                "close": self.price(symbol, event.close),
                "trades": event.trades,
                "volume": event.volume,
                "vwap": vwap,
                "lastSize": event.last_size,
                "turnover": event.turnover,
                "homeNotional": abs(home),
                "foreignNotional": abs(foreign),
            }
        )

    def level(self, ids: Any, symbol: str, side: int, ticks: int, size: int, time: int, action: str = "insert") -> Row:
        """A row of the book; `action` is insert (also for a partial), update or delete."""
        row: Row = {"symbol": symbol, "id": ids.get(symbol, side, ticks), "side": SIDES[side]}
        if action != "delete":
            row["size"] = size
        if action == "insert" or self.profile.book_price_always:
            row["price"] = self.price(symbol, ticks)
        for name in self.profile.book_times:
            row[name] = iso(time)
        return row

    def levels(self, ids: Any, symbol: str, book: Any, depth: int, time: int) -> Iterable[Row]:
        """The book: sells from the highest price down, then buys from the best down. `depth` 0 is all."""
        for ticks, size in reversed(list(book.levels(-1, depth))):
            yield self.level(ids, symbol, -1, ticks, size, time)
        for ticks, size in book.levels(1, depth):
            yield self.level(ids, symbol, 1, ticks, size, time)

    def level_pairs(self, symbol: str, book: Any, depth: int, time: int) -> Iterable[Row]:
        """The book of the 2016 route: one row for the best bid and ask, one for the second best, and so on."""
        bids, asks = list(book.levels(1, depth)), list(book.levels(-1, depth))
        for level in range(max(len(bids), len(asks))):
            bid, bid_size = bids[level] if level < len(bids) else (None, None)
            ask, ask_size = asks[level] if level < len(asks) else (None, None)
            yield {
                "symbol": symbol,
                "level": level,
                "bidSize": bid_size,
                "bidPrice": self.price(symbol, bid),
                "askPrice": self.price(symbol, ask),
                "askSize": ask_size,
                "timestamp": iso(time),
            }

    def book10(self, symbol: str, book: Any, time: int) -> Row:
        """The row of orderBook10."""
        return {
            "symbol": symbol,
            "bids": [[self.price(symbol, ticks), size] for ticks, size in book.levels(1, 10)],
            "asks": [[self.price(symbol, ticks), size] for ticks, size in book.levels(-1, 10)],
            "timestamp": iso(time),
        }

    def funding(self, event: ev.FundingEvent) -> Row:
        spec = self.instruments[event.symbol].spec
        day = 86_400 * 10**9
        interval = getattr(spec, "funding_interval", 0) or day // 3
        return {
            "timestamp": iso(event.time),
            "symbol": event.symbol,
            "fundingInterval": timespan(interval),
            "fundingRate": self.e8(event.rate_e8),
            "fundingRateDaily": self.number(event.rate_e8 * day / interval / E8),
        }

    def settlement(self, event: ev.SettlementEvent) -> Row:
        row = self.blank("settlement")
        row["timestamp"] = iso(event.time)
        row["symbol"] = event.symbol
        row["settlementType"] = event.kind
        row["settledPrice"] = self.e8(event.price_e8)
        return self.finish(row)

    def insurance(self, event: ev.InsuranceEvent) -> Row:
        return {"currency": event.currency, "timestamp": iso(event.time), "walletBalance": event.balance}

    def liquidation(self, event: ev.LiquidationEvent) -> Row:
        order = event.order
        if event.action == "delete":
            return {"orderID": order.order_id, "symbol": order.symbol}
        return {
            "orderID": order.order_id,
            "symbol": order.symbol,
            "side": SIDES[order.side],
            "price": self.price(order.symbol, order.price),
            "leavesQty": event.leaves_qty,
        }


def _same(value: Any) -> Any:
    return value


def timespan(ns: int) -> str:
    """A length of time as the venue writes it: an instant that long after the first day of 2000."""
    return iso(946_684_800 * 10**9 + ns)
