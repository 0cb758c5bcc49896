"""The first message of a subscription: a table as it is now.

Rules (bitmex-api.md 5.5): order has the live orders, position, margin and wallet all rows of the account, instrument and book the
whole of theirs, streams the last row of each symbol, execution and transact nothing.

What a partial shows of rows that are later told by what changed in them is remembered in the hub, so that the next update is
measured against what the listener holds; who comes to the instruments later is shown what the others hold.
"""

from __future__ import annotations

from typing import Any

from . import account_rows, instrument_rows
from .columns import DEPTHS
from .hub import Hub
from .tables import Row


def image(hub: Hub, table: str, symbol: str | None, account: int | None, now: int) -> dict[str, Any]:
    """The partial of a topic at `now`; `account` is None for public tables."""
    filter: dict[str, Any] = {}
    if account is not None:
        filter["account"] = account
    if symbol is not None:
        filter["symbol"] = symbol
    rows = _private(hub, table, symbol, account, now) if account is not None else _public(hub, table, symbol, now)
    return hub.rows.tables[table].image(hub.rows.profile, filter, rows)


def _public(hub: Hub, table: str, symbol: str | None, now: int) -> list[Row]:
    rows, history, exchange = hub.rows, hub.history, hub.exchange
    symbols = [symbol] if symbol is not None else list(exchange.instruments)
    if table == "instrument":
        for name in symbols:
            if name not in hub.contracts:
                hub.contracts[name] = instrument_rows.full(rows, exchange, name, now)
        return [rows.finish(dict(hub.contracts[name])) for name in symbols]
    if table == "quote":
        return [rows.quote(history.quotes[name][-1]) for name in symbols if history.quotes.get(name)]
    if table == "trade":
        return [rows.trade(history.trades[name][-1]) for name in symbols if history.trades.get(name)]
    if table.startswith("orderBook"):
        return _books(hub, table, [name for name in symbols if name in exchange.books], now)
    if table == "funding":
        return [rows.funding(history.funding[name][-1]) for name in symbols if history.funding.get(name)]
    if table == "settlement":
        return [rows.settlement(event) for event in history.settlements if event.symbol in symbols]
    if table == "insurance":
        return [rows.insurance(event) for event in {e.currency: e for e in history.insurance}.values()]
    if table == "liquidation":
        return [rows.liquidation(e) for e in history.liquidations.values() if e.order.symbol in symbols]
    size = table[-2:]
    if table.startswith("tradeBin"):
        return [rows.trade_bin(hub.bins.trades[n, size][-1]) for n in symbols if (n, size) in hub.bins.trades]
    return [rows.quote(hub.bins.quotes[n, size][-1]) for n in symbols if (n, size) in hub.bins.quotes]


def _books(hub: Hub, table: str, symbols: list[str], now: int) -> list[Row]:
    books = hub.exchange.books
    if table == "orderBook10":
        hub.tens.update({name: hub.rows.book10(name, books[name], now) for name in symbols})
        return [hub.tens[name] for name in symbols]
    depth = DEPTHS[table]
    out: list[Row] = []
    for name in symbols:
        out.extend(hub.rows.levels(hub.ids, name, books[name], depth, now))
        if depth:
            hub.tops[table, name] = hub.top(table, name)
    return out


def _private(hub: Hub, table: str, symbol: str | None, account_id: int, now: int) -> list[Row]:
    account = hub.exchange.accounts.get(account_id)
    if account is None or table in ("execution", "transact", "affiliate"):
        return []
    if table == "order":
        return [hub.rows.order(order) for order in hub.exchange.open_orders(account_id, symbol)]
    out: list[Row] = []
    if table == "position":
        for name in account.positions:
            if symbol is None or name == symbol:
                time = hub.history.touched.get((account_id, name), now)
                row = account_rows.position(hub.rows, account.position_image(name), time)
                hub.shown["position", account_id, name] = row
                out.append(row)
        return out
    render, of = (account_rows.margin, ()) if table == "margin" else (account_rows.wallet, ("wallet",))
    for currency in account.wallets:
        time = hub.history.touched.get((account_id, currency, *of), now)
        row = render(hub.rows, account.margin_image(currency), time)
        hub.shown[table, account_id, currency] = row
        out.append(row)
    return out
