"""Whether the venue takes an order or an amend: every refusal is decided here, before anything changes.

Rules:

* what is refused has changed nothing; what is returned can be carried out to the end (bulk: all of it, or none);
* texts are the venue's own (bitmex-api.md 1.6, 3.3, 3.4, 3.8); the margin text names the order's own requirement;
* an order that does not raise what its account must hold is never refused for lack of margin; reduce-only orders are
  not checked for margin at all;
* an order that would trade at once is charged at the dearer of its limit and the touch;
* house accounts are not asked for margin, and have no cap on open orders;
* a clOrdID may not be used again while the order that had it is open or still remembered (practice of 2018 on).
"""

from __future__ import annotations

from typing import NamedTuple

from . import contract_math
from .accounts import Account, Position
from .commands import Amend, Place
from .orders import (
    CLOSE,
    EXEC_INSTS,
    FILLED,
    ORD_TYPES,
    POST_ONLY,
    REDUCE_ONLY,
    STOP_TYPES,
    TIMES_IN_FORCE,
    TRIGGERS,
    Order,
)
from .refusals import Refused

MAX_OPEN_ORDERS = 200
MAX_STOP_ORDERS = 10
PROTECTION_PCT = 5
REOPEN_NS = 60_000_000_000


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


class Plan:
    """What earlier items of one bulk request would add, so that later ones are checked against all of it."""

    def __init__(self, prefix: str = "") -> None:
        self.prefix = prefix
        self.cl_ord_ids: set = set()
        self.order_ids: set = set()
        self.added: dict[Position, list[int]] = {}  # position -> buy qty, buy cost, sell qty, sell cost, orders, stops
        self.fresh: dict[tuple[int, str], Position] = {}

    def sums(self, position: Position) -> list[int]:
        return self.added.setdefault(position, [0, 0, 0, 0, 0, 0])


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


def check_margin(exchange, position: Position, market, side: int, qty: int, limit: int, plan: Plan | None) -> None:
    """Refuse what the account cannot pay for. `qty` and `limit` are those of one order that comes on top."""
    instrument = market.instrument
    value = instrument.value_at(limit)
    opposite = market.book.asks if side > 0 else market.book.bids
    if opposite.reaches(limit):
        value = max(value, instrument.value_at(opposite.best))
    cost = qty // instrument.lot_size * value
    if side > 0:
        require(exchange, position, qty, cost, 0, 0, cost, plan)
    else:
        require(exchange, position, 0, 0, qty, cost, cost, plan)


def require(exchange, position: Position, bq: int, bc: int, sq: int, sc: int, cost: int, plan: Plan | None) -> None:
    """Whether the account can carry so much more resting quantity and cost; `cost` is the order's own."""
    pairs = ((position, (bq, bc, sq, sc)),)
    if plan is not None:
        sums = plan.sums(position)
        for at, more in enumerate((bq, bc, sq, sc)):
            sums[at] += more
        pairs = tuple((p, s) for p, s in plan.added.items() if p.wallet is position.wallet)
    increase = 0
    too_risky = False
    for other, more in pairs:
        after = contract_math.order_margin(
            other.k_e16, other.current_qty, other.open_buy_qty + more[0], other.open_buy_cost + more[1],
            other.open_sell_qty + more[2], other.open_sell_cost + more[3],
        )  # fmt: skip
        increase += after.init_margin - other.order_margin.init_margin
        if other is position and after.gross_open_cost > other.order_margin.gross_open_cost:
            value = abs(position.instrument.mark_value(position.current_qty)) + after.gross_open_cost
            too_risky = value > position.risk_limit
    if increase > 0 and position.wallet.available() < increase:
        needed = contract_math.ceil_div(cost * position.k_e16, contract_math.E16)
        prefix = plan.prefix if plan is not None else ""
        raise Refused(
            f"{prefix}Account has insufficient Available Balance, {needed} {position.wallet.currency} required",
            name=exchange.texts.margin_error_name,
        )
    if too_risky:
        raise Refused("Value of position and orders exceeds position Risk Limit")


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
        if order.ord_type in ("Market", "Stop", "MarketIfTouched"):
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


def check_amended_margin(exchange, order: Order, market, leaves: int, price: int | None, plan: Plan | None) -> None:
    """Margin for the order as it would be, in place of what it is."""
    limit = price if price is not None else order.limit
    if order.reduce_only or limit is None:
        return
    instrument = market.instrument
    value = instrument.value_at(limit)
    opposite = market.book.asks if order.side > 0 else market.book.bids
    if opposite.reaches(limit):
        value = max(value, instrument.value_at(opposite.best))
    cost = leaves // instrument.lot_size * value
    counted_qty = order.leaves_qty if order.counted else 0
    counted_cost = counted_qty // instrument.lot_size * order.lot_value
    more, more_cost = leaves - counted_qty, cost - counted_cost
    if order.side > 0:
        require(exchange, order.position, more, more_cost, 0, 0, cost, plan)
    else:
        require(exchange, order.position, 0, 0, more, more_cost, cost, plan)
