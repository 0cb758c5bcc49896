"""Whether the venue takes an amend, and what it comes to: decided here, before anything changes.

Rules (bitmex-api.md 3.4):

* an order is named by orderID, or by origClOrdID; only then may it be given a new clOrdID;
* one of orderQty (with what is filled) and leavesQty (without) may change; price and stopPx besides;
* values equal to the current ones are refused, and so is an order that has ended, in the words of the era;
* a filled order can be brought back with leavesQty within 60 s of its fill;
* an order may be named once in a bulk request.
"""

from __future__ import annotations

from typing import NamedTuple

from .accounts import Account
from .affordable import Plan, check_amended_margin
from .checks import account_of, check_cl_ord_id, check_qty, check_ticks, tradable
from .commands import Amend
from .orders import FILLED, Order
from .refusals import Refused
from .triggers import MARKET_TYPES

REOPEN_NS = 60_000_000_000


class Change(NamedTuple):
    """An amend that may be made: the order and its new values (None: as it is)."""

    order: Order
    order_qty: int
    leaves_qty: int
    price: int | None
    stop_px: int | None
    cl_ord_id: str
    columns: tuple[str, ...]
    text: str
    reopens: bool


def named_order(exchange, account: Account, cmd: Amend) -> Order:
    """The order an amend is about."""
    if cmd.order_id:
        order = exchange.order(cmd.order_id)
        if order is None or order.account is not account:
            raise Refused("Invalid orderID")
        return order
    if not cmd.orig_cl_ord_id:
        raise Refused("orderID or origClOrdID must be sent.")
    order = account.by_cl_ord_id.get(cmd.orig_cl_ord_id)
    if order is None:
        raise Refused("Invalid origClOrdID")
    return order


def may_reopen(exchange, order: Order, cmd: Amend) -> bool:
    """A filled order may be brought back with leavesQty within 60 s of its fill (3.4)."""
    return bool(order.ord_status == FILLED and cmd.leaves_qty and exchange.now - order.timestamp <= REOPEN_NS)


def check_amend(exchange, cmd: Amend, plan: Plan | None = None) -> Change:
    """What an amend comes to, or Refused."""
    account = account_of(exchange, cmd.account_id)
    order = named_order(exchange, account, cmd)
    if plan is not None:
        if order.order_id in plan.order_ids:
            raise Refused("Duplicate orderID")
        plan.order_ids.add(order.order_id)
    if not order.is_open and not may_reopen(exchange, order, cmd):
        raise Refused(exchange.texts.wrong_state(order.ord_status))
    market = tradable(exchange, order.symbol)
    spec = market.instrument.spec
    columns: list[str] = []
    order_qty, leaves_qty = amended_qty(spec, order, cmd, columns)
    price, stop_px = order.price, order.stop_px
    if cmd.price is not None and cmd.price != price:
        if order.ord_type == "Market" or order.ord_type in MARKET_TYPES:
            raise Refused("Invalid price")
        check_ticks(spec, cmd.price, "price")
        price = cmd.price
        columns.append("price")
    if cmd.stop_px is not None and cmd.stop_px != stop_px:
        if stop_px is None or order.triggered:
            raise Refused("Invalid stopPx for ordType")
        check_ticks(spec, cmd.stop_px, "stopPx")
        stop_px = cmd.stop_px
        columns.append("stopPx")
    cl_ord_id = order.cl_ord_id
    if cmd.cl_ord_id and cmd.cl_ord_id != cl_ord_id:
        if not cmd.orig_cl_ord_id:
            raise Refused("Invalid origClOrdID")
        check_cl_ord_id(account, cmd.cl_ord_id, plan)
        cl_ord_id = cmd.cl_ord_id
        columns.append("clOrdID")
    if not columns and cmd.text != Amend._field_defaults["text"]:
        columns.append("text")  # a text alone may be changed (3.4)
    if not columns:
        raise Refused("Invalid amend: orderQty, leavesQty, price, stopPx unchanged")
    if not account.house and leaves_qty and (stop_px is None or order.triggered):
        check_amended_margin(exchange, order, market, leaves_qty, price, plan)
    return Change(order, order_qty, leaves_qty, price, stop_px, cl_ord_id, tuple(columns), cmd.text, not order.is_open)


def amended_qty(spec, order: Order, cmd: Amend, columns: list[str]) -> tuple[int, int]:
    """(orderQty, leavesQty) after the amend. A total at or below what is filled leaves nothing to fill (3.4)."""
    if cmd.leaves_qty is not None:
        if cmd.order_qty is not None:
            raise Refused("Invalid leavesQty")
        if type(cmd.leaves_qty) is not int or cmd.leaves_qty < 0:
            raise Refused("Invalid leavesQty")
        if cmd.leaves_qty % spec.lot_size:
            raise Refused("Invalid leavesQty for lotSize")
        total, leaves = order.cum_qty + cmd.leaves_qty, cmd.leaves_qty
        if total > spec.max_order_qty:
            raise Refused("Invalid leavesQty")
        changed = leaves != order.leaves_qty
        name = "leavesQty"
    elif cmd.order_qty is not None:
        if cmd.order_qty != 0:
            check_qty(spec, cmd.order_qty)
        total, leaves = cmd.order_qty, max(0, cmd.order_qty - order.cum_qty)
        changed = total != order.order_qty
        name = "orderQty"
    else:
        return order.order_qty, order.leaves_qty
    if changed:
        if order.reduce_only and leaves > abs(order.position.current_qty) and (order.stop_px is None or order.triggered):
            leaves = abs(order.position.current_qty)
            total = order.cum_qty + leaves
        columns.append(name)
        return total, leaves
    return order.order_qty, order.leaves_qty
