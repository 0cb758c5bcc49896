"""What a position or a margin row looked like at one moment: immutable, and enough to work out every column later.

Rules (bitmex-api.md 4.4, 4.5, each held by a recorded row in the tests):

* the stored fields are raw integers; every other column is a property, so that an image nobody reads costs little;
* costs of open orders are unsigned here; on the wire those of inverse contracts are negative on both sides;
* prices `*_e8` are integers of 1e-8; ratios are floats rounded as the wire shows them;
* a flat position has no mark (recorded in 2017, 2019 and 2021), so that its row does not change while nothing happens to it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from . import contract_math
from .contract_math import E8, PositionMargin


class PositionImage(NamedTuple):
    """`equity` comes last: see `shows`."""

    spec: Any
    account_id: int
    symbol: str
    currency: str
    current_qty: int
    current_cost: int
    current_comm: int
    pos_cost: int
    rebalanced_pnl: int
    prev_realised_pnl: int
    open_order_buy_qty: int
    open_buy_cost: int
    open_order_sell_qty: int
    open_sell_cost: int
    gross_open_cost: int
    init_margin: int
    mark_e8: int | None
    mark_value: int
    margin: PositionMargin
    leverage_e2: int
    init_req_e8: int
    maint_req_e8: int
    risk_limit: int
    equity: int

    @property
    def is_open(self) -> bool:
        return self.current_qty != 0

    @property
    def cross_margin(self) -> bool:
        return not self.leverage_e2

    @property
    def leverage(self) -> float:
        """As shown: the highest possible when cross."""
        return self.leverage_e2 / 100 if self.leverage_e2 else E8 / self.init_req_e8

    @property
    def lots(self) -> int:
        return abs(self.current_qty) // self.spec.lot_size

    @property
    def open_order_buy_cost(self) -> int:
        return -self.open_buy_cost if self.spec.is_inverse else self.open_buy_cost

    @property
    def open_order_sell_cost(self) -> int:
        return -self.open_sell_cost

    @property
    def realised_cost(self) -> int:
        return self.current_cost - self.pos_cost

    @property
    def unrealised_cost(self) -> int:
        return self.pos_cost

    @property
    def realised_pnl(self) -> int:
        return -self.realised_cost - self.current_comm

    @property
    def unrealised_pnl(self) -> int:
        return self.mark_value - self.pos_cost if self.current_qty else 0

    @property
    def unrealised_pnl_pcnt(self) -> float:
        return round(self.unrealised_pnl / abs(self.pos_cost), 4) if self.pos_cost else 0.0

    @property
    def unrealised_roe_pcnt(self) -> float:
        if not self.pos_cost:
            return 0.0
        return round(self.unrealised_pnl * E8 / (abs(self.pos_cost) * self.init_req_e8), 4)

    @property
    def risk_value(self) -> int:
        return abs(self.mark_value) + self.gross_open_cost

    @property
    def home_notional(self) -> float:
        """In the underlying: -markValue/1e8 for inverse contracts, contracts times their size for linear ones."""
        if self.spec.is_inverse:
            return -self.mark_value / E8
        per_unit = self.spec.underlying_to_position_multiplier
        return self.current_qty / per_unit if per_unit else float(self.current_qty)

    @property
    def foreign_notional(self) -> float:
        if self.spec.is_inverse:
            return -self.current_qty
        per_unit = self.spec.quote_to_settle_multiplier
        if self.spec.kind == "linear" and per_unit:
            return -self.mark_value / per_unit
        return -self.current_qty * (self.mark_e8 or 0) / E8

    @property
    def avg_entry_price_e8(self) -> int | None:
        return contract_math.average_price_e8(self.spec, self.lots, self.pos_cost) if self.current_qty else None

    def _price_at(self, mark_value: int) -> int:
        """The price at which the position has this markValue, on the tick towards safety; the open end when there is none."""
        lots = self.lots if self.current_qty > 0 else -self.lots
        tick = self.spec.tick_e8
        price = contract_math.price_for_mark_value(self.spec, lots, mark_value)
        if price is None:
            return self.spec.max_price_e8 if self.spec.is_inverse else tick
        if price > self.spec.max_price_e8:
            return self.spec.max_price_e8
        if self.current_qty > 0:
            return max(tick, contract_math.ceil_div(price, tick) * tick)
        return price // tick * tick

    @property
    def break_even_price_e8(self) -> int | None:
        """Where what was realised and what is not add up to nothing, by the ceiling per lot as the entry is.

        The rule is ours; it gives the recorded prices of 2018-08-19 and 2026-05-03.
        """
        if not self.current_qty:
            return None
        per_lot = contract_math.ceil_div(self.pos_cost - self.realised_pnl - self.rebalanced_pnl, self.lots)
        return self._price_at(per_lot * self.lots)

    @property
    def liquidation_price_e8(self) -> int | None:
        """Where equity is down to the maintenance margin; maxPrice for a short, one tick for a long, that no price reaches."""
        if not self.current_qty:
            return None
        return self._price_at(self.pos_cost + self.margin.maint - self._behind)

    @property
    def bankrupt_price_e8(self) -> int | None:
        """Where equity is gone, but for what is set aside for the fee of getting out (rows of 2019-02-11 and 2019-02-20)."""
        if not self.current_qty:
            return None
        return self._price_at(self.pos_cost - max(0, self._behind - self.margin.comm))

    def shows(self, other: PositionImage | None) -> bool:
        """Whether the two have the same row: equity shows in two prices only."""
        if other is None or self == other:
            return other is not None
        if self.equity == other.equity or self[:-1] != other[:-1]:
            return False
        return (self.liquidation_price_e8, self.bankrupt_price_e8) == (other.liquidation_price_e8, other.bankrupt_price_e8)

    @property
    def _behind(self) -> int:
        if self.leverage_e2:
            return self.margin.margin
        return max(0, self.equity)


class MarginImage(NamedTuple):
    account_id: int
    currency: str
    amount: int
    realised_pnl: int
    unrealised_pnl: int
    init_margin: int
    maint_margin: int
    gross_open_cost: int
    gross_mark_value: int
    gross_comm: int
    deposited: int
    withdrawn: int
    prev_realised_pnl: int
    pending_debit: int = 0  # amounts and fees of withdrawals that are held

    def shows(self, other: MarginImage | None, with_pending: bool) -> bool:
        """Whether the two have the same margin row, which has the pending debits or has not."""
        return self == other or (other is not None and not with_pending and self[:-1] == other[:-1])

    @property
    def wallet_balance(self) -> int:
        return self.amount + self.realised_pnl

    @property
    def margin_balance(self) -> int:
        return self.amount + self.realised_pnl + self.unrealised_pnl

    @property
    def excess_margin(self) -> int:
        return max(0, self.margin_balance - self.init_margin - self.maint_margin)

    @property
    def available_margin(self) -> int:
        return self.excess_margin

    @property
    def withdrawable_margin(self) -> int:
        return self.excess_margin

    @property
    def margin_used_pcnt(self) -> float:
        balance = self.margin_balance
        return round((self.init_margin + self.maint_margin) / balance, 4) if balance > 0 else 0.0

    @property
    def margin_leverage(self) -> float:
        balance = self.margin_balance
        return self.gross_mark_value / balance if balance > 0 else 0.0

    @property
    def risk_value(self) -> int:
        return self.gross_mark_value + self.gross_open_cost
