"""Whether the venue takes a new order: every refusal is decided here, before anything changes.

Rules:

* what is refused has changed nothing; what is returned can be carried out to the end (bulk: all of it, or none);
* texts are the venue's own (bitmex-api.md 1.6, 3.3, 3.8);
* margin is checked by `affordable`, but not of reduce-only orders, nor of stops before they go off;
* house accounts are not asked for margin, and have no cap on open orders;
* a clOrdID may not be used again while the order that had it is open or still remembered (practice of 2018 on).
"""

from __future__ import annotations

from typing import NamedTuple

from . import contract_math
from .accounts import Account, Position
from .affordable import Plan, check_margin
from .commands import Place
from .orders import (
    CLOSE,
    EXEC_INSTS,
    ORD_TYPES,
    POST_ONLY,
    REDUCE_ONLY,
    STOP_TYPES,
    TIMES_IN_FORCE,
    TRIGGERS,
)
from .refusals import Refused

MAX_OPEN_ORDERS = 200
MAX_STOP_ORDERS = 10
PROTECTION_PCT = 5


class Draft(NamedTuple):
    """An order that may be made."""

    account: Account
    market: object
    side: int
    qty: int
    price: int | None
    limit: int | None
    ord_type: str
    time_in_force: str
    exec_inst: tuple[str, ...]
    cl_ord_id: str
    text: str
    stop_px: int | None


def position_of(account: Account, instrument, plan: Plan | None) -> Position:
    """The position, or a blank one that belongs to nobody yet (a check may not make one)."""
    position = account.positions.get(instrument.symbol)
    if position is not None:
        return position
    key = (account.account_id, instrument.symbol)
    if plan is not None and key in plan.fresh:
        return plan.fresh[key]
    position = account.blank_position(instrument)
    if plan is not None:
        plan.fresh[key] = position
    return position


def account_of(exchange, account_id: int) -> Account:
    account = exchange.accounts.get(account_id)
    if account is None:
        raise Refused("Invalid account")
    return account


def tradable(exchange, symbol: str):
    """The market of a symbol that takes orders now."""
    market = exchange.markets.get(symbol)
    if market is None:
        raise Refused("Instrument not listed for trading yet" if symbol in exchange.instruments else "Invalid symbol")
    state = market.instrument.state
    if state != "Open":
        raise Refused("Instrument expired" if state in ("Settled", "Expired") else "Market is not open")
    return market


def check_place(exchange, cmd: Place, plan: Plan | None = None) -> Draft:
    """The draft of a new order, or Refused."""
    account = account_of(exchange, cmd.account_id)
    market = tradable(exchange, cmd.symbol)
    instrument = market.instrument
    ord_type, time_in_force, exec_inst = cmd.ord_type, cmd.time_in_force, cmd.exec_inst
    if ord_type == "Limit" and time_in_force == "GoodTillCancel" and not exec_inst:
        pass  # nothing to disagree about, and the common case
    else:
        time_in_force = check_manner(ord_type, time_in_force, exec_inst)
    position = position_of(account, instrument, plan)
    side, qty = cmd.side, cmd.order_qty
    reduce_only = exec_inst and (REDUCE_ONLY in exec_inst or CLOSE in exec_inst)
    if reduce_only:
        side, qty = check_reducing(position, cmd)
    if side != 1 and side != -1:
        raise Refused("Invalid side")
    check_qty(instrument.spec, qty)
    if reduce_only and cmd.stop_px is None:
        qty = min(qty, abs(position.current_qty))
    price, stop_px = check_prices(instrument.spec, cmd)
    limit = price if price is not None else protection(market, side) if stop_px is None else None
    if cmd.cl_ord_id:
        check_cl_ord_id(account, cmd.cl_ord_id, plan)
    if not account.house:
        if instrument.mark_e8 is None:
            raise Refused("Instrument has no mark price")
        check_count(position, stop_px is not None, plan)
        if stop_px is None and not reduce_only and limit is not None:
            check_margin(exchange, position, market, side, qty, limit, plan)
    return Draft(account, market, side, qty, price, limit, ord_type, time_in_force, exec_inst, cmd.cl_ord_id, cmd.text, stop_px)


def check_manner(ord_type: str, time_in_force: str, exec_inst: tuple[str, ...]) -> str:
    """Whether type, time in force and instructions go together; returns the time in force that will be reported."""
    stop = ord_type in STOP_TYPES
    if ord_type not in ORD_TYPES and not stop:
        raise Refused("Unsupported ordType")
    if time_in_force not in TIMES_IN_FORCE:
        raise Refused("Unsupported timeInForce")
    for word in exec_inst:
        if word not in EXEC_INSTS:
            raise Refused("Unsupported execInst")
    triggers = [word for word in exec_inst if word in TRIGGERS]
    if len(triggers) > 1:
        raise Refused("Invalid execInst")
    if triggers and not stop:
        raise Refused("Invalid ordType for execInst")
    takes = ord_type in ("Market", "Stop", "MarketIfTouched")
    if POST_ONLY in exec_inst and (takes or time_in_force in ("ImmediateOrCancel", "FillOrKill")):
        raise Refused("Invalid ordType or timeInForce for execInst")
    if ord_type == "Market" and time_in_force != "FillOrKill":
        return "ImmediateOrCancel"
    return time_in_force


def check_reducing(position: Position, cmd: Place) -> tuple[int, int | None]:
    """Side and quantity of a ReduceOnly or Close order, filled in from the position where they may be left out."""
    held = position.current_qty
    close = CLOSE in cmd.exec_inst
    side, qty = cmd.side, cmd.order_qty
    if close:
        side = side or (-1 if held > 0 else 1)
        qty = abs(held) if qty is None else qty
    if cmd.stop_px is not None and side:
        return side, qty or abs(held)
    if side and held * side >= 0:
        word = CLOSE if close else REDUCE_ONLY
        name = "Buy" if side > 0 else "Sell"
        raise Refused(f"Order had execInst of {word} and side of {name} but current position is {held}")
    return side, qty


def check_qty(spec, qty) -> None:
    if type(qty) is not int or qty <= 0 or qty > spec.max_order_qty or qty % spec.lot_size:
        raise Refused("Invalid orderQty")


def check_ticks(spec, ticks, field: str) -> None:
    if type(ticks) is not int or ticks <= 0 or ticks > spec.max_ticks:
        raise Refused(f"Invalid {field}")


def check_prices(spec, cmd: Place) -> tuple[int | None, int | None]:
    """Price and stop price that belong to the type; a market order has no price."""
    price, stop_px = cmd.price, cmd.stop_px
    ord_type = cmd.ord_type
    if ord_type in ("Market", "Stop", "MarketIfTouched"):
        price = None
    else:
        check_ticks(spec, price, "price")
    if ord_type in STOP_TYPES:
        check_ticks(spec, stop_px, "stopPx")
    elif stop_px is not None:
        raise Refused("Invalid stopPx for ordType")
    return price, stop_px


def protection(market, side: int) -> int | None:
    """The limit of a market order: five percent through the touch, or through the mark when nothing stands there (2.3)."""
    best = market.book.best_ask if side > 0 else market.book.best_bid
    spec = market.instrument.spec
    if best is None:
        if market.instrument.mark_e8 is None:
            return None
        best = market.instrument.mark_e8 // spec.tick_e8
    if side > 0:
        return min(max(best, best * (100 + PROTECTION_PCT) // 100), spec.max_ticks)
    return max(1, contract_math.ceil_div(best * (100 - PROTECTION_PCT), 100))


def check_cl_ord_id(account: Account, cl_ord_id: str, plan: Plan | None) -> None:
    if len(cl_ord_id) > 36:
        raise Refused("Invalid clOrdID")
    if cl_ord_id in account.by_cl_ord_id or (plan is not None and cl_ord_id in plan.cl_ord_ids):
        raise Refused("Duplicate clOrdID")
    if plan is not None:
        plan.cl_ord_ids.add(cl_ord_id)


def check_count(position: Position, is_stop: bool, plan: Plan | None) -> None:
    orders, stops = position.orders, position.stops
    if plan is not None:
        sums = plan.sums(position)
        orders += sums[4]
        stops += sums[5]
        sums[4] += 1
        sums[5] += is_stop
    if orders >= MAX_OPEN_ORDERS or (is_stop and stops >= MAX_STOP_ORDERS):
        raise Refused("Too many open orders")
