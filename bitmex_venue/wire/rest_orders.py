"""Routes of the order family, and the reading of what an order says.

Rules (bitmex-api.md section 3)
* Numbers may be strings; a negative `orderQty` sells; `quantity`, `stopPrice` and `type` are the names of 2016.
* `ordType` follows from what is sent: price makes Limit, stopPx Stop, both StopLimit, none of them Market.
* A caller's `text` takes the place of `Submitted via API.`
* DELETE answers 200 with an array in the order asked for; what could not be cancelled is a row with an `error`.
* Pegs, hidden and iceberg orders and linked orders are refused in the venue's own words.

Known differences: a `clOrdID` longer than 36 characters is `Invalid clOrdID`; a `displayQty` of at least the whole order is accepted,
since it hides nothing; a DELETE that names one order twice (by both ids) cancels it once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..engine import commands as cmd
from . import errors, http, query
from .auth import CANCEL, ORDER
from .encode import iso
from .realtime import cancel_times
from .rest import USER, Call, Route, Routes, bulk_items

MAX_CL_ORD_ID = 36
MAX_TEXT = 256
MAX_BULK = 500


def _alias(args: Mapping[str, Any], name: str, old: str) -> str:
    return old if args.get(name) in (None, "") and args.get(old) not in (None, "") else name


def place(args: Mapping[str, Any], account: int, instruments: Mapping[str, Any]) -> cmd.Place:
    """The command that these arguments mean. Raises ApiError or Refused for what cannot be read."""
    symbol = http.text(args, "symbol")
    if not symbol:
        raise errors.required("symbol")
    inst = instruments.get(symbol)
    if inst is None or inst.spec.is_index:
        raise errors.bad_request("Invalid symbol")
    _refuse_what_is_not_there(args)
    exec_inst = tuple(http.items(args, "execInst"))
    qty = http.integer(args, _alias(args, "orderQty", "quantity"))
    if qty is None and "Close" not in exec_inst:
        if args.get("simpleOrderQty") not in (None, ""):
            raise errors.bad_request("Invalid simpleOrderQty")
        raise errors.required("orderQty")
    side = _side(http.text(args, "side"), qty)
    price = http.number(args, "price")
    stop = http.number(args, _alias(args, "stopPx", "stopPrice"))
    ord_type = http.text(args, _alias(args, "ordType", "type")) or _default_type(price, stop)
    tif = http.text(args, "timeInForce") or ("ImmediateOrCancel" if ord_type == "Market" else "GoodTillCancel")
    _check_display(args, qty)
    return cmd.Place(
        account_id=account,
        symbol=symbol,
        side=side,
        order_qty=abs(qty) if qty is not None else None,
        price=inst.spec.to_ticks(price, "price") if price is not None else None,
        ord_type=ord_type,
        time_in_force=tif,
        exec_inst=exec_inst,
        cl_ord_id=http.text(args, "clOrdID", MAX_CL_ORD_ID),
        text=http.text(args, "text", MAX_TEXT) or cmd.Place._field_defaults["text"],
        stop_px=inst.spec.to_ticks(stop, "stopPx") if stop is not None else None,
    )


def _refuse_what_is_not_there(args: Mapping[str, Any]) -> None:
    def sent(name: str) -> bool:
        return args.get(name) not in (None, "")

    if sent("pegPriceType") or sent("pegOffsetValue"):
        raise errors.bad_request("Unsupported pegPriceType")
    if sent("contingencyType") or sent("clOrdLinkID"):
        raise errors.bad_request("Unsupported contingencyType")
    if http.text(args, "strategy") not in ("", "OneWay"):
        raise errors.bad_request("Invalid strategy")


def _check_display(args: Mapping[str, Any], qty: int | None) -> None:
    display = http.integer(args, "displayQty")
    if display is not None and (qty is None or display < abs(qty)):
        raise errors.bad_request("Invalid displayQty")


def _side(word: str, qty: int | None) -> int:
    if word not in ("", "Buy", "Sell"):
        raise errors.bad_request("Invalid side")
    if qty is not None and qty < 0:
        if word == "Buy":
            raise errors.bad_request("Invalid side")
        return cmd.SELL
    if qty is None and not word:
        return 0
    return cmd.SELL if word == "Sell" else cmd.BUY


def _default_type(price: Any, stop: Any) -> str:
    if price is not None:
        return "StopLimit" if stop is not None else "Limit"
    return "Stop" if stop is not None else "Market"


def amend(args: Mapping[str, Any], account: int, exchange: Any, old_names: bool) -> cmd.Amend:
    """The command of a PUT. With `old_names` a plain clOrdID names the order, as in 2016."""
    order_id = http.text(args, "orderID")
    original = http.text(args, "origClOrdID")
    renamed = http.text(args, "clOrdID", MAX_CL_ORD_ID)
    if not order_id and not original and old_names:
        original, renamed = renamed, ""
    if not order_id and not original:
        raise errors.bad_request("orderID or origClOrdID must be sent.")
    order = exchange.order(order_id) if order_id else exchange.order_by_cl_ord_id(account, original)
    if order is None or order.account_id != account:
        raise errors.bad_request("Invalid orderID" if order_id else "Invalid origClOrdID")
    if args.get("pegOffsetValue") not in (None, ""):
        raise errors.bad_request("Unsupported pegPriceType")
    if renamed and renamed == order.cl_ord_id:
        renamed = ""
    spec = exchange.instruments[order.symbol].spec
    price = http.number(args, "price")
    stop = http.number(args, _alias(args, "stopPx", "stopPrice"))
    qty = http.integer(args, _alias(args, "orderQty", "quantity"))
    return cmd.Amend(
        account_id=account,
        order_id=order.order_id,
        orig_cl_ord_id=original,
        cl_ord_id=renamed,
        order_qty=abs(qty) if qty is not None else None,
        leaves_qty=http.integer(args, "leavesQty"),
        price=spec.to_ticks(price, "price") if price is not None else None,
        stop_px=spec.to_ticks(stop, "stopPx") if stop is not None else None,
        text=http.text(args, "text", MAX_TEXT) or cmd.Amend._field_defaults["text"],
    )


# ---- handlers


def get_orders(call: Call) -> Any:
    venue = call.venue
    table = venue.rows.tables["order"]
    asked = query.parse(call.args, table.types)
    symbols = venue.symbols(asked.symbol) if asked.symbol else None
    orders = venue.exchange.orders_of(call.account)
    if asked.live_only:
        orders = [order for order in orders if order.is_open]
    chosen = (
        order
        for order in query.directed(orders, asked.reverse)
        if (symbols is None or order.symbol in symbols) and asked.wants_time(order.timestamp)
    )
    return query.select((venue.rows.order(order) for order in chosen), asked, table.keys)


def post_order(call: Call) -> Any:
    command = place(call.args, call.account, call.venue.exchange.instruments)
    return call.venue.rows.order(call.venue.execute(command))


def put_order(call: Call) -> Any:
    command = amend(call.args, call.account, call.venue.exchange, call.venue.profile.login)
    return call.venue.rows.order(call.venue.execute(command))


def post_bulk(call: Call) -> Any:
    items = _limited(bulk_items(call.args))
    orders = tuple(place(item, call.account, call.venue.exchange.instruments) for item in items)
    placed = call.venue.execute(cmd.PlaceBulk(call.account, orders))
    return [call.venue.rows.order(order) for order in placed]


def put_bulk(call: Call) -> Any:
    items = _limited(bulk_items(call.args))
    amends = tuple(amend(item, call.account, call.venue.exchange, call.venue.profile.login) for item in items)
    amended = call.venue.execute(cmd.AmendBulk(call.account, amends))
    return [call.venue.rows.order(order) for order in amended]


def _limited(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if len(items) > MAX_BULK:
        raise errors.bad_request("Too many orders sent.")
    return items


def delete_order(call: Call) -> Any:
    order_ids = _ids(call.args, "orderID")
    cl_ord_ids = _ids(call.args, "clOrdID")
    if not order_ids and not cl_ord_ids:
        raise errors.bad_request("orderID or clOrdID must be sent.")
    exchange = call.venue.exchange
    named = set(order_ids)
    known = {name: exchange.order_by_cl_ord_id(call.account, name) for name in cl_ord_ids}
    cl_ord_ids = [name for name in cl_ord_ids if known[name] is None or known[name].order_id not in named]
    text = http.text(call.args, "text", MAX_TEXT) or cmd.Cancel._field_defaults["text"]
    command = cmd.Cancel(call.account, tuple(order_ids), tuple(cl_ord_ids), text)
    results = call.venue.execute(command)
    return [
        cancel_row(call.venue, call.account, result, number < len(order_ids)) for number, result in enumerate(results)
    ]


def _ids(args: Mapping[str, Any], name: str) -> list[str]:
    ids = http.items(args, name)
    if len(ids) > MAX_BULK:
        raise errors.bad_request("Too many orders sent.")
    return ids


def cancel_row(venue: Any, account: int, result: Any, by_order_id: bool) -> dict[str, Any]:
    """One row of the answer to a cancel (bitmex-api.md 3.5)."""
    if result.error is None:
        return venue.rows.order(result.order)
    name = "orderID" if by_order_id else "clOrdID"
    if venue.profile.cancel_error_rows:
        if result.order is None:
            return {name: result.requested_id, "error": result.error}
        return {**venue.rows.order(result.order), "error": result.error}
    now = iso(venue.now)
    row = {"account": account, "error": result.error, name: result.requested_id}
    if result.order is not None:
        row["orderID"] = result.order.order_id
    row.update(timestamp=now, transactTime=now, workingIndicator=False)
    return dict(sorted(row.items()))


def delete_all(call: Call) -> Any:
    venue, exchange = call.venue, call.venue.exchange
    text = http.text(call.args, "text", MAX_TEXT) or cmd.CancelAll._field_defaults["text"]
    asked = query.parse(call.args, venue.rows.tables["order"].types)
    if not asked.tests:
        symbol = asked.symbol or None
        if symbol is not None and symbol not in exchange.instruments:
            raise errors.bad_request("Invalid symbol")
        return [venue.rows.order(o) for o in venue.execute(cmd.CancelAll(call.account, symbol, None, text))]
    chosen = [
        order.order_id
        for order in exchange.open_orders(call.account, asked.symbol or None)
        if asked.matches(venue.rows.order(order))
    ]
    if not chosen:
        return []
    results = venue.execute(cmd.Cancel(call.account, tuple(chosen), (), text))
    return [cancel_row(venue, call.account, result, True) for result in results]


def cancel_all_after(call: Call) -> Any:
    timeout = http.integer(call.args, "timeout")
    if timeout is None:
        raise errors.required("timeout")
    if not 0 <= timeout < 10**12:
        raise errors.invalid("timeout")
    return cancel_times(call.venue.execute(cmd.CancelAllAfter(call.account, timeout)))


def close_position(call: Call) -> Any:
    args = {"symbol": call.args.get("symbol"), "price": call.args.get("price"), "execInst": "Close"}
    command = place(args, call.account, call.venue.exchange.instruments)
    return call.venue.rows.order(call.venue.execute(command))


ROUTES: Routes = {
    ("GET", "order"): Route(get_orders, USER),
    ("POST", "order"): Route(post_order, ORDER, burst=True),
    ("PUT", "order"): Route(put_order, ORDER, burst=True),
    ("DELETE", "order"): Route(delete_order, CANCEL, burst=True, refusable=False),
    ("DELETE", "order/all"): Route(delete_all, CANCEL, burst=True, refusable=False),
    ("POST", "order/bulk"): Route(post_bulk, ORDER, burst=True, bulk=True),
    ("PUT", "order/bulk"): Route(put_bulk, ORDER, burst=True, bulk=True),
    ("POST", "order/cancelAllAfter"): Route(cancel_all_after, CANCEL),
    ("POST", "order/closePosition"): Route(close_position, ORDER, burst=True),
}
