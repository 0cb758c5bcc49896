"""Everything but orders: accounts, money, leverage, and what the market itself tells the exchange.

Rules:

* no more than the withdrawable margin can be taken out; the withdrawal fee goes to the venue's fees (bitmex-api.md 4.5);
* a withdrawal leaves the wallet at once and the venue when its time is up; cancelled before, it comes back, fee and all;
* leverage, risk limit and margin transfers are refused when the account could not carry what follows from them;
* an index, a state, a fee or a recorded row is checked like a client's command, and refused without a trace.
"""

from __future__ import annotations

from dataclasses import replace

from . import checks
from . import commands as c
from .accounts import Account, Position, Withdrawal
from .events import InstrumentEvent, WalletEvent
from .refusals import Refused
from .timers import WITHDRAWAL

HOUSE_KEPT = 50
RISK_STEPS = 10


def poor(position: Position, amount: int) -> Refused:
    """The refusal of what an account cannot pay for."""
    return Refused(f"Account has insufficient Available Balance, {amount} {position.wallet.currency} required")


def highest_leverage_e2(spec) -> int:
    """The highest leverage of a contract, times 100."""
    return 100 * 100_000_000 // spec.init_margin_e8


class Administration:
    """Carries out the commands of `handlers` for an exchange."""

    def __init__(self, exchange) -> None:
        self.exchange = exchange
        self.outbox = exchange.outbox

    def handlers(self) -> dict:
        """The methods by type of command; each takes the command and returns None or raises Refused."""
        return {
            c.OpenAccount: self.open_account,
            c.Deposit: self.deposit,
            c.Withdraw: self.withdraw,
            c.CancelWithdrawal: self.cancel_withdrawal,
            c.SetLeverage: self.set_leverage,
            c.SetRiskLimit: self.set_risk_limit,
            c.TransferMargin: self.transfer_margin,
            c.SetIndex: self.set_index,
            c.SetState: self.set_state,
            c.SetFees: self.set_fees,
            c.RefusePostOnly: self.refuse_post_only,
            c.SetLevel: self.set_level,
            c.RecordedTrade: self.recorded_trade,
        }

    # -- accounts and money --------------------------------------------------------------------------------------------

    def open_account(self, command: c.OpenAccount) -> None:
        exchange = self.exchange
        if type(command.account_id) is not int or command.account_id in exchange.accounts:
            raise Refused("Invalid account")
        for currency in command.currencies:
            self._currency(currency)
        kept = HOUSE_KEPT if command.house else exchange.kept
        account = Account(command.account_id, command.name, command.house, kept, exchange.texts)
        for currency in command.currencies:
            account.wallet(currency)
        exchange.accounts[command.account_id] = account

    def _currency(self, currency: str) -> None:
        if not any(m.instrument.spec.settl_currency == currency for m in self.exchange.markets.values()):
            raise Refused("Invalid currency")

    def deposit(self, command: c.Deposit) -> None:
        account = checks.account_of(self.exchange, command.account_id)
        self._currency(command.currency)
        if type(command.amount) is not int or command.amount <= 0:
            raise Refused("Invalid amount")
        wallet = account.wallet(command.currency)
        wallet.amount += command.amount
        wallet.deposited += command.amount
        self._ledger(account, wallet, "Deposit", command.amount, 0)

    def withdraw(self, command: c.Withdraw) -> str:
        account = checks.account_of(self.exchange, command.account_id)
        self._currency(command.currency)
        if type(command.amount) is not int or command.amount <= 0 or type(command.fee) is not int or command.fee < 0:
            raise Refused("Invalid amount")
        if type(command.hold_ms) is not int or command.hold_ms < 0:
            raise Refused("Invalid time")
        whole = command.amount + command.fee
        image = account.margin_image(command.currency)
        if whole > min(image.withdrawable_margin, max(0, image.amount + min(0, image.realised_pnl))):
            raise Refused(f"Account has insufficient Available Balance, {whole} {command.currency} required")
        wallet = account.wallet(command.currency)
        wallet.amount -= whole
        now, number = self.exchange.now, self.exchange.ids.next()
        one = Withdrawal(number, command.amount, command.fee, command.address, command.text, now, wallet.amount)
        wallet.held[number] = one
        if command.hold_ms:
            self._withdrawal(account, wallet, one, "Pending")
            until = now + command.hold_ms * 1_000_000
            self.exchange.timers.push(until, WITHDRAWAL, (account.account_id, command.currency, number))
        else:
            self.let_go(account.account_id, command.currency, number)
        return number

    def let_go(self, account_id: int, currency: str, transact_id: str) -> None:
        """A withdrawal's time is up: it is away, unless it was cancelled."""
        account = self.exchange.accounts[account_id]
        wallet = account.wallets[currency]
        one = wallet.held.pop(transact_id, None)
        if one is not None:
            wallet.withdrawn += one.amount
            fees = self.exchange.clearing.fees
            fees[currency] = fees.get(currency, 0) + one.fee
            self._withdrawal(account, wallet, one, "Completed")

    def cancel_withdrawal(self, command: c.CancelWithdrawal) -> None:
        account = checks.account_of(self.exchange, command.account_id)
        for wallet in account.wallets.values():
            one = wallet.held.pop(command.transact_id, None)
            if one is not None:
                wallet.amount += one.whole
                self._withdrawal(account, wallet, one._replace(balance=one.balance + one.whole), "Canceled")
                return
        raise Refused("Invalid token")

    def _withdrawal(self, account, wallet, one: Withdrawal, status: str) -> None:
        now, owner = self.exchange.now, account.account_id
        self._line(account, wallet, WalletEvent(
            now, owner, wallet.currency, "Withdrawal", -one.amount, one.fee, one.balance, one.address, one.text, status,
            one.transact_id, one.asked,
        ))  # fmt: skip

    def _ledger(self, account, wallet, kind: str, amount: int, fee: int) -> None:
        now, owner = self.exchange.now, account.account_id
        self._line(account, wallet, WalletEvent(now, owner, wallet.currency, kind, amount, fee, wallet.amount))

    def _line(self, account, wallet, line: WalletEvent) -> None:
        if not account.house:
            self.outbox.rest.append(line)
            self.outbox.wallets[wallet] = account

    # -- leverage, risk limit, isolated margin -------------------------------------------------------------------------

    def set_leverage(self, command: c.SetLeverage) -> None:
        account = checks.account_of(self.exchange, command.account_id)
        instrument = checks.tradable(self.exchange, command.symbol).instrument
        wanted = command.leverage_e2
        if type(wanted) is not int or wanted < 0 or wanted > highest_leverage_e2(instrument.spec):
            raise Refused("Invalid leverage")
        position = account.positions.get(command.symbol) or account.blank_position(instrument)
        before = position.leverage_e2, position.transferred
        self.rework(position, wanted, position.transferred if wanted else 0)
        if wanted and not account.house and position.wallet.available() < 0:
            self.rework(position, *before)
            raise poor(position, 0)
        account.adopt(position)
        self.outbox.touch(position)

    @staticmethod
    def rework(position: Position, leverage_e2: int, transferred: int) -> None:
        """Give a position other terms, and bring the margin of its orders up to date."""
        position.leverage_e2, position.transferred = leverage_e2, transferred
        position.refresh_terms()
        position.refresh_order_margin()

    def set_risk_limit(self, command: c.SetRiskLimit) -> None:
        account = checks.account_of(self.exchange, command.account_id)
        instrument = checks.tradable(self.exchange, command.symbol).instrument
        spec, limit = instrument.spec, command.risk_limit
        if type(limit) is not int or not spec.risk_limit <= limit <= spec.risk_limit + RISK_STEPS * spec.risk_step:
            raise Refused("Invalid riskLimit")
        position = account.positions.get(command.symbol) or account.blank_position(instrument)
        if abs(instrument.mark_value(position.current_qty)) + position.order_margin.gross_open_cost > limit:
            raise Refused("Value of position and orders exceeds position Risk Limit")
        old, position.risk_limit = position.risk_limit, limit
        self.rework(position, position.leverage_e2, position.transferred)
        if limit > old and not account.house and position.wallet.available() < 0:
            position.risk_limit = old
            self.rework(position, position.leverage_e2, position.transferred)
            raise poor(position, 0)
        account.adopt(position)
        self.outbox.touch(position)

    def transfer_margin(self, command: c.TransferMargin) -> None:
        account = checks.account_of(self.exchange, command.account_id)
        checks.tradable(self.exchange, command.symbol)
        position = account.positions.get(command.symbol)
        if position is None or not position.leverage_e2 or not position.current_qty:
            raise Refused("Position is not isolated")
        if type(command.amount) is not int or not command.amount or position.transferred + command.amount < 0:
            raise Refused("Invalid amount")
        if not account.house and command.amount > max(0, position.wallet.available()):
            raise poor(position, command.amount)
        position.transferred += command.amount
        self.outbox.touch(position)

    # -- the market's own commands -------------------------------------------------------------------------------------

    def set_index(self, command: c.SetIndex) -> None:
        instrument = self.exchange.instruments.get(command.symbol)
        if instrument is None or not instrument.spec.is_index:
            raise Refused("Invalid symbol")
        if type(command.price_e8) is not int or command.price_e8 <= 0:
            raise Refused("Invalid price")
        self.exchange.marks.set_index(command.symbol, command.price_e8)

    def _market(self, symbol: str):
        market = self.exchange.markets.get(symbol)
        if market is None:
            raise Refused("Invalid symbol")
        return market

    def set_state(self, command: c.SetState) -> None:
        market = self._market(command.symbol)
        if command.state not in ("Open", "Closed") or market.instrument.state not in ("Open", "Closed"):
            raise Refused("Invalid state")
        market.instrument.state = command.state
        self._tell(command.symbol, {"state": command.state})

    def set_fees(self, command: c.SetFees) -> None:
        market = self._market(command.symbol)
        for rate in (command.maker_fee_e8, command.taker_fee_e8):
            if type(rate) is not int or abs(rate) >= 100_000_000:
                raise Refused("Invalid fee")
        spec = replace(market.instrument.spec, maker_fee_e8=command.maker_fee_e8, taker_fee_e8=command.taker_fee_e8)
        market.instrument.respec(spec)
        for account in self.exchange.accounts.values():
            position = account.positions.get(command.symbol)
            if position is not None and not account.house:
                self.rework(position, position.leverage_e2, position.transferred)
                self.outbox.touch(position)
        self._tell(command.symbol, {"maker_fee_e8": command.maker_fee_e8, "taker_fee_e8": command.taker_fee_e8})

    def refuse_post_only(self, command: c.RefusePostOnly) -> None:
        checks.account_of(self.exchange, command.account_id)
        if type(command.count) is not int or command.count < 0:
            raise Refused("Invalid count")
        refusals = self.exchange.trading.refusals
        refusals.pop(command.account_id, None)
        if command.count:
            refusals[command.account_id] = command.count

    def _tell(self, symbol: str, columns: dict) -> None:
        self.outbox.rest.append(InstrumentEvent(self.exchange.now, symbol, columns))

    def set_level(self, command: c.SetLevel) -> None:
        self._outside(command).matcher.set_level(command.side, command.price, command.size)

    def recorded_trade(self, command: c.RecordedTrade) -> None:
        self._outside(command).matcher.recorded_trade(command.side, command.price, command.size)

    def _outside(self, command):
        """The market of a recorded row, which is in order."""
        market = checks.tradable(self.exchange, command.symbol)
        if command.side not in (1, -1):
            raise Refused("Invalid side")
        checks.check_ticks(market.instrument.spec, command.price, "price")
        if type(command.size) is not int or command.size < 0:
            raise Refused("Invalid size")
        return market
