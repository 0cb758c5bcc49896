"""What an account owns: wallets, positions, open orders; and the immutable images of them that events carry.

Rules (bitmex-api.md 4.4, 4.5):

* a position's cost is the sum of its fills less what reductions released; realised cost is all the rest, so that
  wallet + realised + unrealised of all accounts is what was paid in, less fees, exactly;
* reducing releases cost in proportion; a flip is a full close and then an opening at the fill price; flat means zero cost;
* unrealised profit and everything that follows from it is worked out when asked, from the mark of that moment;
* margin of resting orders is kept up to date per (account, symbol), never by going through the orders;
* classic cross margin: posCross is the unrealised loss of this moment (the real venue sampled it every few seconds).

Money is in the smallest unit of the wallet's currency.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from . import contract_math
from .contract_math import E8, FLAT, NO_ORDER_MARGIN, OrderMargin, PositionMargin
from .images import MarginImage, PositionImage
from .instruments import Instrument
from .orders import Order
from .texts import Texts


class Withdrawal(NamedTuple):
    """Money on its way out: no longer in the wallet's `amount`, and not yet away. `balance` is what was left."""

    transact_id: str
    amount: int
    fee: int
    address: str
    text: str
    asked: int
    balance: int

    @property
    def whole(self) -> int:
        return self.amount + self.fee


class Wallet:
    """One currency of one account. `realised` and `init_margin` are sums over the positions settled in it; `held` the withdrawals
    that can still be cancelled; `told` the image of it that was last told."""

    __slots__ = ("currency", "amount", "deposited", "withdrawn", "held", "realised", "init_margin", "positions", "prev_realised",
                 "told")  # fmt: skip

    def __init__(self, currency: str) -> None:
        self.currency = currency
        self.amount = self.deposited = self.withdrawn = self.realised = self.init_margin = self.prev_realised = 0
        self.held: dict[str, Withdrawal] = {}
        self.positions: list[Position] = []
        self.told: MarginImage | None = None

    @property
    def balance(self) -> int:
        """walletBalance: amount plus realised profit that has not been swept yet."""
        return self.amount + self.realised

    @property
    def on_its_way(self) -> int:
        """Withdrawals that are held, with their fees."""
        return sum(one.whole for one in self.held.values())

    def available(self) -> int:
        """What may still be spent on margin; negative when the account is short of it (4.5)."""
        left = self.amount + self.realised - self.init_margin
        for position in self.positions:
            if position.current_qty:
                unrealised = position.unrealised_pnl
                left += unrealised - position.margin(unrealised).maint_margin
        return left


class Position:
    """What one account holds of one contract, and the sums of its resting orders there.

    Signed: current_qty, current_cost, pos_cost (4.4). Unsigned: the four sums of open orders. `leverage_e2` 0 is cross. `told`
    is the image that was last told.
    """

    __slots__ = (
        "account", "wallet", "instrument", "symbol", "texts", "current_qty", "current_cost", "current_comm", "pos_cost",
        "rebalanced_pnl", "prev_realised_pnl", "open_buy_qty", "open_buy_cost", "open_sell_qty", "open_sell_cost",
        "leverage_e2", "transferred", "risk_limit", "k_e16", "init_req_e8", "maint_req_e8", "order_margin", "orders",
        "stops", "reduce_only", "told",
    )  # fmt: skip

    def __init__(self, account: Account, wallet: Wallet, instrument: Instrument, texts: Texts) -> None:
        self.account = account
        self.wallet = wallet
        self.instrument = instrument
        self.symbol = instrument.symbol
        self.texts = texts
        self.current_qty = self.current_cost = self.current_comm = self.pos_cost = 0
        self.rebalanced_pnl = self.prev_realised_pnl = 0
        self.open_buy_qty = self.open_buy_cost = self.open_sell_qty = self.open_sell_cost = 0
        self.leverage_e2 = self.transferred = 0
        self.risk_limit = instrument.spec.risk_limit
        self.order_margin: OrderMargin = NO_ORDER_MARGIN
        self.orders = self.stops = 0
        self.reduce_only: dict[str, Order] = {}
        self.told: PositionImage | None = None
        self.refresh_terms()

    # -- what is required ----------------------------------------------------------------------------------------------

    def refresh_terms(self) -> None:
        """Work out the rates this position is charged, from the spec, the leverage and the risk limit."""
        self.init_req_e8, self.maint_req_e8 = requirements(self.instrument.spec, self.leverage_e2, self.risk_limit)
        self.k_e16 = contract_math.margin_factor_e16(self.init_req_e8, self.instrument.spec.taker_fee_e8)

    def refresh_order_margin(self) -> None:
        """Bring the margin of resting orders, here and in the wallet, up to date."""
        if self.open_buy_qty or self.open_sell_qty:
            margin = contract_math.order_margin(
                self.k_e16, self.current_qty, self.open_buy_qty, self.open_buy_cost,
                self.open_sell_qty, self.open_sell_cost,
            )  # fmt: skip
        else:
            margin = NO_ORDER_MARGIN
        self.wallet.init_margin += margin.init_margin - self.order_margin.init_margin
        self.order_margin = margin

    def count(self, side: int, qty: int, cost: int) -> None:
        """Add (or with negative numbers take away) resting quantity and its unsigned cost."""
        if side > 0:
            self.open_buy_qty += qty
            self.open_buy_cost += cost
        else:
            self.open_sell_qty += qty
            self.open_sell_cost += cost

    # -- what it is worth ----------------------------------------------------------------------------------------------

    @property
    def unrealised_pnl(self) -> int:
        return self.instrument.mark_value(self.current_qty) - self.pos_cost if self.current_qty else 0

    @property
    def realised_pnl(self) -> int:
        """Not yet swept into the wallet: minus realised cost, minus commission."""
        return self.pos_cost - self.current_cost - self.current_comm

    def margin(self, unrealised: int) -> PositionMargin:
        if not self.current_qty:
            return FLAT
        rate = self.instrument.funding_rate_e8 if self.current_qty > 0 else -self.instrument.funding_rate_e8
        pays = rate if rate > 0 else 0
        if self.texts.shares_unrealised and not self.leverage_e2:
            return contract_math.shared_position_margin(self.pos_cost, self.maint_req_e8, pays)
        return contract_math.held_position_margin(
            self.pos_cost, self.init_req_e8, self.maint_req_e8, self.instrument.spec.taker_fee_e8, unrealised,
            self.transferred if self.leverage_e2 else None, pays,
        )  # fmt: skip

    # -- what happens to it --------------------------------------------------------------------------------------------

    def fill(self, side: int, qty: int, signed_cost: int, comm: int) -> bool:
        """Book one fill; true when it reduced the position."""
        held, before = self.current_qty, self.pos_cost
        reduces = held != 0 and (held > 0) != (side > 0)
        if not reduces:
            if not held:
                self.rebalanced_pnl = 0
            self.pos_cost += signed_cost
        elif qty < abs(held):
            self.pos_cost -= contract_math.released_cost(before, qty, abs(held))
        else:
            self.pos_cost = signed_cost * (qty - abs(held)) // qty  # exact: whole lots of one value
            self.transferred = 0
        self.current_qty = held + side * qty
        self.current_cost += signed_cost
        self.current_comm += comm
        self.wallet.realised += self.pos_cost - before - signed_cost - comm
        return reduces

    def pay(self, amount: int) -> None:
        """Charge funding (negative: receive it)."""
        self.current_comm += amount
        self.wallet.realised -= amount

    def sweep(self) -> int:
        """Move realised profit into the wallet; returns how much (4.4, `Ledger`)."""
        moved = self.realised_pnl
        self.current_cost = self.pos_cost
        self.current_comm = 0
        self.rebalanced_pnl += moved
        self.prev_realised_pnl = moved
        self.wallet.amount += moved
        self.wallet.realised -= moved
        return moved

    def image(self, equity: int | None = None) -> PositionImage:
        """A copy for an event; `equity` is what stands behind an open position with cross margin before it is liquidated."""
        unrealised = self.unrealised_pnl
        margin = self.margin(unrealised)
        if equity is None:
            equity = self.wallet.available() + self.wallet.init_margin - unrealised + margin.maint_margin
        inst, held = self.instrument, self.current_qty
        if not held or self.leverage_e2:
            equity = 0  # stands behind nothing
        return PositionImage(
            inst.spec, self.account.account_id, self.symbol, self.wallet.currency, held, self.current_cost,
            self.current_comm, self.pos_cost, self.rebalanced_pnl, self.prev_realised_pnl, self.open_buy_qty,
            self.open_buy_cost, self.open_sell_qty, self.open_sell_cost, self.order_margin.gross_open_cost,
            self.order_margin.init_margin, inst.mark_e8 if held else None, inst.mark_value(held), margin, self.leverage_e2,
            self.init_req_e8, self.maint_req_e8, self.risk_limit, equity,
        )  # fmt: skip


def requirements(spec, leverage_e2: int, risk_limit: int):
    """(initMarginReq, maintMarginReq) in e8: each risk step above the base limit adds the base maintenance rate to both;
    isolated leverage asks 1/leverage, never less than the base."""
    steps = max(0, -(-(risk_limit - spec.risk_limit) // spec.risk_step)) if spec.risk_step else 0
    init = spec.init_margin_e8 + steps * spec.maint_margin_e8
    maint = spec.maint_margin_e8 + steps * spec.maint_margin_e8
    if leverage_e2:
        init = max(init, contract_math.ceil_div(E8 * 100, leverage_e2))
    return init, maint


class Account:
    """`open` orders by id in order of arrival; `ended` the last ones that ended, at most `kept` of them."""

    __slots__ = ("account_id", "name", "house", "kept", "positions", "wallets", "open", "ended", "by_cl_ord_id",
                 "cancel_at", "timer_at", "texts")  # fmt: skip

    def __init__(self, account_id: int, name: str, house: bool, kept: int, texts: Texts) -> None:
        self.account_id = account_id
        self.name = name
        self.house = house
        self.kept = kept
        self.texts = texts
        self.positions: dict[str, Position] = {}
        self.wallets: dict[str, Wallet] = {}
        self.open: dict[str, Order] = {}
        self.ended: OrderedDict[str, Order] = OrderedDict()
        self.by_cl_ord_id: dict[str, Order] = {}
        self.cancel_at: int | None = None
        self.timer_at: int | None = None

    def wallet(self, currency: str) -> Wallet:
        """The wallet of a currency, made when there is none."""
        wallet = self.wallets.get(currency)
        if wallet is None:
            wallet = self.wallets[currency] = Wallet(currency)
        return wallet

    def position(self, instrument: Instrument) -> Position:
        """The position in a contract, made when there is none."""
        position = self.positions.get(instrument.symbol)
        if position is None:
            wallet = self.wallet(instrument.spec.settl_currency)
            position = Position(self, wallet, instrument, self.texts)
            self.positions[instrument.symbol] = position
            wallet.positions.append(position)
        return position

    def blank_position(self, instrument: Instrument) -> Position:
        """A position that belongs to nobody: what the one to come would look like."""
        wallet = self.wallets.get(instrument.spec.settl_currency) or Wallet(instrument.spec.settl_currency)
        return Position(self, wallet, instrument, self.texts)

    def adopt(self, position: Position) -> None:
        """Make a blank position this account's own."""
        if position.symbol not in self.positions:
            position.wallet = self.wallet(position.wallet.currency)
            self.positions[position.symbol] = position
            position.wallet.positions.append(position)

    def position_image(self, symbol: str) -> PositionImage | None:
        """None when the account never touched the contract."""
        position = self.positions.get(symbol)
        return position.image() if position is not None else None

    def margin_image(self, currency: str) -> MarginImage:
        wallet = self.wallets.get(currency) or Wallet(currency)
        unrealised = maint = mark = comm = gross = 0
        for position in wallet.positions:
            gross += position.order_margin.gross_open_cost
            comm += position.current_comm
            if position.current_qty:
                profit = position.unrealised_pnl
                unrealised += profit
                maint += position.margin(profit).maint_margin
                mark += abs(position.instrument.mark_value(position.current_qty))
        withdrawn, on_its_way = wallet.withdrawn, 0
        if wallet.held:
            withdrawn, on_its_way = withdrawn + sum(one.amount for one in wallet.held.values()), wallet.on_its_way
        return MarginImage(
            self.account_id, currency, wallet.amount, wallet.realised, unrealised, wallet.init_margin, maint, gross,
            mark, comm, wallet.deposited, withdrawn, wallet.prev_realised, on_its_way,
        )  # fmt: skip


class Totals(NamedTuple):
    """What `Exchange.audit` adds up for one currency; `left` must be 0."""

    deposited: int
    withdrawn: int
    accounts: int
    fees: int
    funding_pool: int
    insurance: int

    @property
    def left(self) -> int:
        return self.deposited - self.withdrawn - self.accounts - self.fees - self.funding_pool - self.insurance
