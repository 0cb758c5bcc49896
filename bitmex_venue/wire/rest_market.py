"""Routes of market data: instruments, book, quotes, trades, bins, funding, insurance, settlement, liquidation.

Rules (bitmex-api.md 3.9, 4.1)
* Open to everybody; without a login the limit per address applies.
* `symbol` may be a contract, an index, or a series such as `XBT:perpetual`; an unknown one simply has no rows.
* Count is cut to 500, and to 1000 on trade and quote.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from . import description, errors, http, instrument_rows, query, series
from .columns import BIN_SIZES
from .encode import MILLISECOND
from .realtime import help_text
from .rest import Call, Route, Routes

DEFAULT_DEPTH = 25
LONG = 1000


def _instruments(call: Call, symbols: Iterable[str]) -> list[dict[str, Any]]:
    venue = call.venue
    asked = query.parse(call.args, venue.rows.tables["instrument"].types)
    wanted = frozenset(venue.symbols(asked.symbol)) if asked.symbol else None
    names = [name for name in symbols if wanted is None or name in wanted]
    if not asked.wants_time(venue.now):
        return []
    rows = (
        instrument_rows.full(venue.rows, venue.exchange, name, venue.now)
        for name in query.directed(names, asked.reverse)
    )
    return query.select(rows, asked, ("symbol",))


def get_instruments(call: Call) -> Any:
    return _instruments(call, list(call.venue.exchange.instruments))


def get_active(call: Call) -> Any:
    return _instruments(call, call.venue.active())


def get_indices(call: Call) -> Any:
    return _instruments(call, call.venue.indices())


def get_active_and_indices(call: Call) -> Any:
    return _instruments(call, [*call.venue.indices(), *call.venue.active()])


def get_intervals(call: Call) -> Any:
    """The series that may be asked for, and the contract each stands for."""
    venue = call.venue
    traded = series.traded(venue.exchange.instruments, venue.active())
    return {"intervals": list(traded), "symbols": list(traded.values())}


def get_book(call: Call) -> Any:
    """One row a level."""
    hub, rows = call.venue.hub, call.venue.rows
    return _book(call, lambda symbol, book, depth, now: rows.levels(hub.ids, symbol, book, depth, now))


def get_paired_book(call: Call) -> Any:
    """One row a pair of levels (until 2017)."""
    return _book(call, call.venue.rows.level_pairs)


def _book(call: Call, render: Callable[[str, Any, int, int], Iterable[Any]]) -> list[Any]:
    venue = call.venue
    symbol = http.text(call.args, "symbol")
    if not symbol:
        raise errors.required("symbol")
    try:
        depth = http.integer(call.args, "depth")
    except errors.ApiError:
        raise errors.bad_request("depth not valid") from None
    if depth is not None and depth < 0:
        raise errors.bad_request("depth not valid")
    depth = DEFAULT_DEPTH if depth is None else depth
    rows: list[dict[str, Any]] = []
    for name in venue.symbols(symbol):
        if name in venue.exchange.books:
            rows.extend(render(name, venue.exchange.books[name], depth, venue.now))
    return rows


def _stream(
    call: Call, table: str, kept: dict[str, deque[Any]], render: Callable[[Any], Any], cap: int = 500
) -> list[dict[str, Any]]:
    """Rows of a table kept as records by symbol."""
    venue = call.venue
    spec = venue.rows.tables[table]
    asked = query.parse(call.args, spec.types, cap)
    symbols = venue.symbols(asked.symbol) if asked.symbol else list(kept)
    return _records(asked, venue.history.merged(kept, symbols), render, ("timestamp", "symbol"))


def _records(asked: query.Query, records: Any, render: Callable[[Any], Any], keys: tuple[str, ...]) -> Any:
    timed = (r for r in query.directed(records, asked.reverse) if asked.wants_time(r.time))
    return query.select((render(record) for record in timed), asked, keys)


def get_quotes(call: Call) -> Any:
    return _stream(call, "quote", call.venue.history.quotes, call.venue.rows.quote, LONG)


def get_trades(call: Call) -> Any:
    return _stream(call, "trade", call.venue.history.trades, call.venue.rows.trade, LONG)


def _bucketed(call: Call, kind: str) -> Any:
    venue = call.venue
    size = http.text(call.args, "binSize") or "1m"
    if size not in BIN_SIZES:
        raise errors.bad_request("binSize not valid")
    whole = venue.bins.trades if kind == "tradeBin" else venue.bins.quotes
    kept = {symbol: records for (symbol, one), records in whole.items() if one == size}
    if http.flag(call.args, "partial", False):
        names = [*kept, *(name for name in venue.active() if name not in kept)]
        kept = {name: [*kept.get(name, ()), *venue.bins.running(kind, name, size)] for name in names}
    render = venue.rows.trade_bin if kind == "tradeBin" else venue.rows.quote
    return _stream(call, kind + size, kept, render, LONG)


def get_quote_bins(call: Call) -> Any:
    return _bucketed(call, "quoteBin")


def get_trade_bins(call: Call) -> Any:
    return _bucketed(call, "tradeBin")


def get_funding(call: Call) -> Any:
    return _stream(call, "funding", call.venue.history.funding, call.venue.rows.funding)


def get_settlement(call: Call) -> Any:
    kept: dict[str, Any] = {}
    for event in call.venue.history.settlements:
        kept.setdefault(event.symbol, []).append(event)
    return _stream(call, "settlement", kept, call.venue.rows.settlement)


def get_insurance(call: Call) -> Any:
    venue = call.venue
    asked = query.parse(call.args, venue.rows.tables["insurance"].types)
    return _records(asked, venue.history.insurance, venue.rows.insurance, ("currency", "timestamp"))


def get_liquidation(call: Call) -> Any:
    venue = call.venue
    asked = query.parse(call.args, venue.rows.tables["liquidation"].types)
    symbols = venue.symbols(asked.symbol) if asked.symbol else None
    live = [e for e in venue.history.liquidations.values() if symbols is None or e.order.symbol in symbols]
    return _records(asked, live, venue.rows.liquidation, ("orderID",))


def get_help(call: Call) -> Any:
    return help_text(list(call.venue.rows.tables))


def get_root(call: Call) -> Any:
    """What the API is and what time it has, in milliseconds: clients set their clocks by it."""
    return {"name": "BitMEX API", "version": description.API_VERSION, "timestamp": call.venue.now // MILLISECOND}


ROUTES: Routes = {
    ("GET", ""): Route(get_root),
    ("GET", "instrument"): Route(get_instruments),
    ("GET", "instrument/active"): Route(get_active),
    ("GET", "instrument/indices"): Route(get_indices),
    ("GET", "instrument/activeAndIndices"): Route(get_active_and_indices),
    ("GET", "instrument/activeIntervals"): Route(get_intervals),
    ("GET", "orderBook/L2"): Route(get_book),
    ("GET", "orderBook"): Route(get_paired_book, classic=True),
    ("GET", "quote"): Route(get_quotes),
    ("GET", "quote/bucketed"): Route(get_quote_bins),
    ("GET", "trade"): Route(get_trades),
    ("GET", "trade/bucketed"): Route(get_trade_bins),
    ("GET", "funding"): Route(get_funding),
    ("GET", "settlement"): Route(get_settlement),
    ("GET", "insurance"): Route(get_insurance),
    ("GET", "liquidation"): Route(get_liquidation),
    ("GET", "schema/websocketHelp"): Route(get_help),
}
