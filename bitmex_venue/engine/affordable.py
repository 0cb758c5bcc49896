"""Whether an account can carry more orders: the margin and risk-limit check, for one order or for all of a bulk request.

Rules (bitmex-api.md 4.5, 3.6, 3.8):

* refused is what would make availableMargin negative; the text names the order's own requirement;
* an order that does not raise what its account must hold is never refused for lack of margin;
* an order that would trade at once is charged at the dearer of its limit and the touch;
* |markValue| + grossOpenCost may not pass the position's risk limit by an order that adds to it;
* the items of a bulk request are checked one on top of another, and the text says `Bulk orders: `.
"""

from __future__ import annotations

from . import contract_math
from .accounts import Position
from .orders import Order
from .refusals import Refused


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
