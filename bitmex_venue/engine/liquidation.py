"""What happens to an account that can no longer carry its position.

Rules (bitmex-api.md 4.5, issue 3):

* whenever marks are refreshed, every client's position is looked at: with cross margin all positions of a currency stand
  together (wallet plus unrealised profit against maintenance margin), an isolated one stands alone;
* one that is short of maintenance first loses its open orders (isolated: those of the contract; cross: those of the currency);
  often that is enough only for availability, never for maintenance, so then
* the largest position is taken over at its bankruptcy price by the house account 998, with an order of text `Liquidation`;
  then the next, until the account is in order; an account never owes money for it;
* the house account sells what it took over at the bankruptcy price or better; what it gains or loses when it is flat again
  is the insurance fund's, which may run dry and below.

* the take-over costs the taker's fee (a recorded row of 2017), where the position's margin has it set aside;

Known differences: no step-wise reduction of large positions, no auto-deleveraging.
"""

from __future__ import annotations

from . import contract_math, events
from .accounts import Account, Position
from .checks import Draft
from .clearing import ENGINE_ACCOUNT
from .orders import Order


def short_of_maintenance(position: Position) -> bool:
    """Whether what stands behind a position is less than its maintenance margin."""
    unrealised = position.unrealised_pnl
    if position.leverage_e2:
        margin = position.margin(unrealised)
        return margin.maint_margin < margin.maint
    wallet = position.wallet
    equity = wallet.balance
    needed = 0
    for other in wallet.positions:
        if not other.current_qty:
            continue
        profit = other.unrealised_pnl
        margin = other.margin(profit)
        if other.leverage_e2:
            equity -= margin.margin
        else:
            equity += profit
            needed += margin.maint
    return equity < needed


def bankruptcy_ticks(position: Position) -> int:
    """The price, on the grid, at which nothing is left behind a position once the fee is paid for which it has set something aside
    (posComm), as its row shows it; never negative equity."""
    tick = position.instrument.spec.tick_e8
    wallet, unrealised = position.wallet, position.unrealised_pnl
    behind = wallet.balance
    for other in wallet.positions:
        if other is not position and other.current_qty:
            profit = other.unrealised_pnl
            behind += -other.margin(profit).margin if other.leverage_e2 else profit
    margin = position.margin(unrealised)
    if position.leverage_e2:  # its own margin, as far as funding and fees have left the wallet that much
        behind = min(behind, margin.margin)
    lots = position.current_qty // position.instrument.lot_size
    spec = position.instrument.spec
    owed = position.pos_cost - behind
    price = contract_math.price_for_mark_value(spec, lots, owed + margin.comm)
    if price is None:
        return spec.max_ticks if spec.is_inverse else 1
    if price > spec.max_price_e8:
        return spec.max_ticks
    ticks = contract_math.ceil_div(price, tick) if position.current_qty > 0 else price // tick
    return _towards_safety(position, max(1, ticks), owed, take_over_fee_e8(position))


def _towards_safety(position: Position, ticks: int, owed: int, fee_e8: int) -> int:
    """The value of a lot is rounded, which many lots multiply: the first price from there at which they pay what is owed."""
    instrument = position.instrument
    step = 1 if position.current_qty > 0 else -1
    lots = -position.current_qty // instrument.lot_size if instrument.is_inverse else position.current_qty // instrument.lot_size
    while 1 <= ticks + step <= instrument.spec.max_ticks:
        value = lots * instrument.value_at(ticks)
        if value - contract_math.commission(abs(value), fee_e8) >= owed:
            break
        ticks += step
    return ticks


def take_over_fee_e8(position: Position) -> int:
    """The taker's, where the margin of the position has something set aside for it (all but cross margin of 2024 and later)."""
    return position.instrument.spec.taker_fee_e8 if position.margin(position.unrealised_pnl).comm else 0


class Liquidation:
    """The liquidation engine of an exchange."""

    def __init__(self, exchange) -> None:
        self.exchange = exchange
        self.taken = 0

    def check(self, only=None) -> None:
        """Look at every client's open position (in one market)."""
        for market in self.exchange.markets.values() if only is None else (only,):
            if market.instrument.state == "Open":
                for position in list(market.instrument.holders):
                    if not position.account.house and position.current_qty and short_of_maintenance(position):
                        self.liquidate(position)
        self.collect()

    def liquidate(self, position: Position) -> None:
        """Cancel orders, then take positions over until the account is in order."""
        account, isolated = position.account, bool(position.leverage_e2)
        for order in list(account.open.values()):
            if order.position is position or (not isolated and order.position.wallet is position.wallet):
                self.exchange.clearing.end_by_rule(order, "Cancel from Liquidation")
        if isolated:
            self.take_over(position)
            return
        crossed = [p for p in position.wallet.positions if p.current_qty and not p.leverage_e2]
        crossed.sort(key=lambda p: -abs(p.instrument.mark_value(p.current_qty)))
        for other in crossed:
            if short_of_maintenance(other) and other.instrument.state == "Open":
                self.take_over(other)

    def engine_account(self) -> Account:
        exchange = self.exchange
        account = exchange.accounts.get(ENGINE_ACCOUNT)
        if account is None:
            account = exchange.accounts[ENGINE_ACCOUNT] = Account(ENGINE_ACCOUNT, "liquidation", True, 50, exchange.texts)
        return account

    def take_over(self, position: Position) -> None:
        """The whole position goes to the house at the bankruptcy price, and from there into the book."""
        exchange = self.exchange
        market = exchange.markets[position.symbol]
        side, qty = (-1 if position.current_qty > 0 else 1), abs(position.current_qty)
        ticks, fee_e8 = bankruptcy_ticks(position), take_over_fee_e8(position)
        engine = self.engine_account()
        order = self._order(position.account, market, side, qty, ticks)
        exchange.clearing.taken_over(order, engine.position(market.instrument), ticks, fee_e8)
        self.taken += 1
        self._sell(engine, market, side, qty, ticks)

    def _sell(self, engine: Account, market, side: int, qty: int, ticks: int) -> None:
        selling = self._order(engine, market, side, qty, ticks)
        self.exchange.outbox.rest.append(events.LiquidationEvent(self.exchange.now, "insert", selling, qty))
        self.exchange.trading.start(selling, None)

    def _order(self, account, market, side: int, qty: int, ticks: int) -> Order:
        draft = Draft(account, market, side, qty, ticks, ticks, "Limit", "GoodTillCancel", (), "", "Liquidation", None)
        return self.exchange.trading.accept(draft)[0]

    def collect(self) -> None:
        """Give the insurance fund what the engine account made of positions it has got rid of, and offer again what it still has and
        no longer offers."""
        engine = self.exchange.accounts.get(ENGINE_ACCOUNT)
        if engine is None:
            return
        for wallet in engine.wallets.values():
            for position in wallet.positions:
                if not position.current_qty and position.realised_pnl:
                    position.sweep()
                elif position.current_qty and not position.orders and position.instrument.state == "Open":
                    self._offer_again(engine, position)
            if wallet.amount:
                fund = self.exchange.insurance
                fund[wallet.currency] = fund.get(wallet.currency, 0) + wallet.amount
                wallet.amount = 0
                self.exchange.outbox.rest.append(
                    events.InsuranceEvent(self.exchange.now, wallet.currency, fund[wallet.currency])
                )

    def _offer_again(self, engine: Account, position: Position) -> None:
        """What lost its order, to a change of the grid say, is sold at what it cost."""
        instrument, held = position.instrument, position.current_qty
        cost = contract_math.average_price_e8(instrument.spec, abs(held) // instrument.lot_size, position.pos_cost)
        ticks = min(max(1, cost // instrument.spec.tick_e8), instrument.spec.max_ticks)
        self._sell(engine, self.exchange.markets[position.symbol], -1 if held > 0 else 1, abs(held), ticks)
