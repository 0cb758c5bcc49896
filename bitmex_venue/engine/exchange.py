"""The exchange: commands and a time in, events out. Nothing here knows sockets, threads, the wall clock or the wire.

Rules:

* the same commands at the same times give the same results and the same events, always;
* what is due by itself (marks, funding, dead man's switches, the end of the day, settlement) runs before a command, at its
  own time;
* a command that is refused leaves everything as it was, but for what was due before it;
* time never goes back: a command with an earlier time happens now.

`Exchange.audit()` adds up all money and all positions; `digest()` is a fingerprint of the whole state.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from . import checks, inspection, settlement, triggers
from . import commands as c
from . import texts as texts_module
from .accounts import Account
from .book import Book
from .checks import Plan
from .clearing import EXTERNAL_ACCOUNT, Clearing, Market, blank_house
from .events import InstrumentEvent, WalletEvent
from .funding import Funding, next_funding
from .ids import Ids
from .instruments import DAY, HOUR, Instrument, InstrumentSpec
from .liquidation import Liquidation
from .marks import REFRESH, Marks
from .matching import PriceTimeMatcher
from .orders import Order
from .outbox import Outbox
from .refusals import Refused
from .trading import Trading

MARKS, DEAD_MAN, FUNDING, SWEEP, SETTLE, MIDNIGHT = range(6)


class Exchange:
    """A venue's engine. `now` in ns since the epoch.

    `self_trade` is "allow" (booked and counted) or "cancel" (the resting order is cancelled); `matcher` a factory
    `(book, host)`, see `matching`; `texts` is "classic" or "modern"; at most `kept` ended orders are remembered per account.
    """

    def __init__(
        self,
        instruments: Iterable[InstrumentSpec],
        now: int,
        *,
        seed: int = 0,
        self_trade: str = "allow",
        matcher: Callable[[Book, Any], Any] = PriceTimeMatcher,
        texts: str = "classic",
        kept: int = 1000,
    ) -> None:
        if self_trade not in ("allow", "cancel"):
            raise ValueError(f"unknown self_trade {self_trade!r}: allow or cancel")
        self.now = now
        self.seed = seed
        self.self_trade = self_trade
        self.texts = texts_module.get(texts)
        self.kept = kept
        self.ids = Ids(seed)
        self.outbox = Outbox()
        self.accounts: dict[int, Account] = {}
        self.orders: dict[str, Order] = {}
        self.day_orders: dict[str, Order] = {}
        self.instruments: dict[str, Instrument] = {}
        self.markets: dict[str, Market] = {}
        self.books: dict[str, Book] = {}
        self.clearing = Clearing(self)
        self.trading = Trading(self, self.clearing)
        self.marks = Marks(self)
        self.funding = Funding(self, self.clearing)
        self.liquidation = Liquidation(self)
        self.insurance: dict[str, int] = {}
        self._timers: list[tuple[int, int, Any]] = []
        for spec in instruments:
            self._list(spec, matcher)
        self._start_timers()
        self._handlers = {
            c.Place: self._place,
            c.PlaceBulk: self._place_bulk,
            c.Amend: self._amend,
            c.AmendBulk: self._amend_bulk,
            c.Cancel: self._cancel,
            c.CancelAll: self._cancel_all,
            c.CancelAllAfter: self._cancel_all_after,
            c.OpenAccount: self._open_account,
            c.Deposit: self._deposit,
            c.Withdraw: self._withdraw,
            c.SetLeverage: self._set_leverage,
            c.SetIndex: self._set_index,
            c.SetState: self._set_state,
            c.SetLevel: self._set_level,
            c.RecordedTrade: self._recorded_trade,
            c.SetRiskLimit: self._set_risk_limit,
            c.TransferMargin: self._transfer_margin,
            c.SetFees: self._set_fees,
            c.Advance: lambda command: None,
        }

    def _list(self, spec: InstrumentSpec, matcher) -> None:
        instrument = self.instruments[spec.symbol] = Instrument(spec)
        if spec.is_index:
            return
        book = self.books[spec.symbol] = Book(spec.symbol)
        market = self.markets[spec.symbol] = Market(instrument, book)
        market.matcher = matcher(book, self.clearing)

    # -- the door ------------------------------------------------------------------------------------------------------

    def execute(self, now: int, command) -> Any:
        """Run what is due by `now`, then the command. Raises Refused; see the contract for what each command returns."""
        if now > self.now:
            if self._timers[0][0] <= now:
                self._run_timers(now)
            self.now = now
        try:
            handler = self._handlers[type(command)]
        except KeyError:
            raise TypeError(f"not a command: {command!r}") from None
        result = handler(command)
        self._finish()
        return result

    def _finish(self) -> None:
        """Set off what the command made due, and tell everything."""
        markets = self.markets.values()
        for market in markets:
            if market.triggers.count:
                triggers.run(self, market)
        self.outbox.flush(self.now, markets)

    def take_events(self) -> list[Any]:
        """All events since the last call; the list is the caller's."""
        return self.outbox.take()

    def next_timer(self) -> int | None:
        """When something is due by itself (ns)."""
        return self._timers[0][0] if self._timers else None

    # -- looking -------------------------------------------------------------------------------------------------------

    def order(self, order_id: str) -> Order | None:
        """An order that is open or still remembered."""
        return self.orders.get(order_id)

    def order_by_cl_ord_id(self, account_id: int, cl_ord_id: str) -> Order | None:
        account = self.accounts.get(account_id)
        return account.by_cl_ord_id.get(cl_ord_id) if account is not None else None

    def open_orders(self, account_id: int, symbol: str | None = None) -> list[Order]:
        """Open orders, oldest first."""
        account = self.accounts.get(account_id)
        if account is None:
            return []
        return [order for order in account.open.values() if symbol is None or order.symbol == symbol]

    def orders_of(self, account_id: int, symbol: str | None = None) -> list[Order]:
        """Open and remembered orders, oldest first."""
        account = self.accounts.get(account_id)
        if account is None:
            return []
        both = [*account.ended.values(), *account.open.values()]
        both.sort(key=lambda order: order.submitted_time)
        return [order for order in both if symbol is None or order.symbol == symbol]

    @property
    def fees(self) -> dict[str, int]:
        """What the venue earned, by currency."""
        return self.clearing.fees

    def audit(self) -> inspection.Audit:
        """Add up all money and all positions (see `inspection`)."""
        return inspection.audit(self)

    def digest(self) -> str:
        """A fingerprint of the whole state."""
        return inspection.digest(self)

    # -- orders --------------------------------------------------------------------------------------------------------

    def _place(self, command: c.Place) -> Order:
        return self.trading.place((checks.check_place(self, command),))[0]

    def _place_bulk(self, command: c.PlaceBulk) -> list[Order]:
        plan = Plan("Bulk orders: ")
        for item in command.orders:
            if item.account_id != command.account_id:
                raise Refused("Accounts do not match")
        return self.trading.place([checks.check_place(self, item, plan) for item in command.orders])

    def _amend(self, command: c.Amend) -> Order:
        return self.trading.amend((checks.check_amend(self, command),))[0]

    def _amend_bulk(self, command: c.AmendBulk) -> list[Order]:
        plan = Plan("Bulk orders: ")
        for item in command.amends:
            if item.account_id != command.account_id:
                raise Refused("Accounts do not match")
        return self.trading.amend([checks.check_amend(self, item, plan) for item in command.amends])

    def _cancel(self, command: c.Cancel) -> list:
        account = checks.account_of(self, command.account_id)
        if not command.order_ids and not command.cl_ord_ids:
            raise Refused("orderID or clOrdID must be sent.")
        return self.trading.cancel(account, command)

    def _cancel_all(self, command: c.CancelAll) -> list[Order]:
        account = checks.account_of(self, command.account_id)
        if command.symbol is not None and command.symbol not in self.instruments:
            raise Refused("Invalid symbol")
        return self.trading.cancel_all(account, command.symbol, command.side, command.text)

    def _cancel_all_after(self, command: c.CancelAllAfter) -> tuple[int, int | None]:
        account = checks.account_of(self, command.account_id)
        if type(command.timeout_ms) is not int or command.timeout_ms < 0:
            raise Refused("Invalid timeout")
        account.cancel_at = self.now + command.timeout_ms * 1_000_000 if command.timeout_ms else None
        if account.cancel_at is not None and (account.timer_at is None or account.timer_at > account.cancel_at):
            self._arm_dead_man(account)
        return self.now, account.cancel_at

    # -- accounts and money --------------------------------------------------------------------------------------------

    def _open_account(self, command: c.OpenAccount) -> None:
        if type(command.account_id) is not int or command.account_id in self.accounts:
            raise Refused("Invalid account")
        kept = 50 if command.house else self.kept
        account = Account(command.account_id, command.name, command.house, kept, self.texts)
        self.accounts[command.account_id] = account

    def external_account(self) -> Account:
        """The house account that stands for liquidity from outside, opened when first needed."""
        account = self.accounts.get(EXTERNAL_ACCOUNT)
        if account is None:
            account = self.accounts[EXTERNAL_ACCOUNT] = blank_house(EXTERNAL_ACCOUNT, 50, self.texts)
        return account

    def _currency(self, currency: str) -> None:
        if not any(market.instrument.spec.settl_currency == currency for market in self.markets.values()):
            raise Refused("Invalid currency")

    def _deposit(self, command: c.Deposit) -> None:
        account = checks.account_of(self, command.account_id)
        self._currency(command.currency)
        if type(command.amount) is not int or command.amount <= 0:
            raise Refused("Invalid amount")
        wallet = account.wallet(command.currency)
        wallet.amount += command.amount
        wallet.deposited += command.amount
        self._ledger(account, wallet, "Deposit", command.amount, 0)

    def _withdraw(self, command: c.Withdraw) -> None:
        account = checks.account_of(self, command.account_id)
        self._currency(command.currency)
        if type(command.amount) is not int or command.amount <= 0 or command.fee < 0:
            raise Refused("Invalid amount")
        whole = command.amount + command.fee
        image = account.margin_image(command.currency)
        if whole > min(image.withdrawable_margin, max(0, image.amount + min(0, image.realised_pnl))):
            raise Refused(f"Account has insufficient Available Balance, {whole} {command.currency} required")
        wallet = account.wallet(command.currency)
        wallet.amount -= whole
        wallet.withdrawn += command.amount
        self.clearing.fees[command.currency] = self.clearing.fees.get(command.currency, 0) + command.fee
        self._ledger(account, wallet, "Withdrawal", -command.amount, command.fee, command.address, command.text)

    def _ledger(self, account, wallet, kind: str, amount: int, fee: int, address: str = "", text: str = "") -> None:
        if not account.house:
            self.outbox.rest.append(
                WalletEvent(
                    self.now, account.account_id, wallet.currency, kind, amount, fee, wallet.amount, address, text
                )
            )
            self.outbox.wallets[wallet] = account

    def _set_leverage(self, command: c.SetLeverage) -> None:
        account = checks.account_of(self, command.account_id)
        market = checks.tradable(self, command.symbol)
        self._check_leverage(market.instrument.spec, command.leverage_e2)
        old = account.positions.get(command.symbol)
        before = (old.leverage_e2, old.transferred) if old is not None else (0, 0)
        if old is None and not command.leverage_e2:
            return
        position = account.position(market.instrument)
        self._relever(position, command.leverage_e2, 0 if not command.leverage_e2 else before[1])
        if not account.house and command.leverage_e2 and position.wallet.available() < 0:
            self._relever(position, *before)
            if old is None:
                del account.positions[command.symbol]
                position.wallet.positions.remove(position)
            raise Refused(f"Account has insufficient Available Balance, 0 {position.wallet.currency} required")
        self.outbox.touch(position)

    @staticmethod
    def _check_leverage(spec, leverage_e2) -> None:
        highest = highest_leverage_e2(spec)
        if type(leverage_e2) is not int or leverage_e2 < 0 or leverage_e2 > highest:
            raise Refused("Invalid leverage")

    @staticmethod
    def _relever(position, leverage_e2: int, transferred: int) -> None:
        position.leverage_e2, position.transferred = leverage_e2, transferred
        position.refresh_terms()
        position.refresh_order_margin()

    def _set_risk_limit(self, command: c.SetRiskLimit) -> None:
        account = checks.account_of(self, command.account_id)
        instrument = checks.tradable(self, command.symbol).instrument
        spec, limit = instrument.spec, command.risk_limit
        if type(limit) is not int or limit < spec.risk_limit or limit > spec.risk_limit + 10 * spec.risk_step:
            raise Refused("Invalid riskLimit")
        position = account.positions.get(command.symbol) or account.blank_position(instrument)
        old, position.risk_limit = position.risk_limit, limit
        held = abs(instrument.mark_value(position.current_qty)) + position.order_margin.gross_open_cost
        self._relever(position, position.leverage_e2, position.transferred)
        if held > limit or (limit > old and not account.house and position.wallet.available() < 0):
            position.risk_limit = old
            self._relever(position, position.leverage_e2, position.transferred)
            raise Refused("Value of position and orders exceeds position Risk Limit" if held > limit else _poor(position, 0))
        account.adopt(position)
        self.outbox.touch(position)

    def _transfer_margin(self, command: c.TransferMargin) -> None:
        account = checks.account_of(self, command.account_id)
        checks.tradable(self, command.symbol)
        position = account.positions.get(command.symbol)
        if position is None or not position.leverage_e2 or not position.current_qty:
            raise Refused("Position is not isolated")
        if type(command.amount) is not int or not command.amount or position.transferred + command.amount < 0:
            raise Refused("Invalid amount")
        if not account.house and command.amount > max(0, position.wallet.available()):
            raise Refused(_poor(position, command.amount))
        position.transferred += command.amount
        self.outbox.touch(position)

    # -- the market's own commands -------------------------------------------------------------------------------------

    def _set_index(self, command: c.SetIndex) -> None:
        instrument = self.instruments.get(command.symbol)
        if instrument is None or not instrument.spec.is_index:
            raise Refused("Invalid symbol")
        if type(command.price_e8) is not int or command.price_e8 <= 0:
            raise Refused("Invalid price")
        self.marks.set_index(command.symbol, command.price_e8)

    def _set_state(self, command: c.SetState) -> None:
        market = self.markets.get(command.symbol)
        if market is None:
            raise Refused("Invalid symbol")
        if command.state not in ("Open", "Closed") or market.instrument.state not in ("Open", "Closed"):
            raise Refused("Invalid state")
        market.instrument.state = command.state
        self.outbox.rest.append(InstrumentEvent(self.now, command.symbol, {"state": command.state}))

    def _set_fees(self, command: c.SetFees) -> None:
        market = self.markets.get(command.symbol)
        if market is None:
            raise Refused("Invalid symbol")
        for rate in (command.maker_fee_e8, command.taker_fee_e8):
            if type(rate) is not int or abs(rate) >= 100_000_000:
                raise Refused("Invalid fee")
        spec = replace(market.instrument.spec, maker_fee_e8=command.maker_fee_e8, taker_fee_e8=command.taker_fee_e8)
        market.instrument.respec(spec)
        for account in self.accounts.values():
            position = account.positions.get(command.symbol)
            if position is not None and not account.house:
                self._relever(position, position.leverage_e2, position.transferred)
                self.outbox.touch(position)
        columns = {"maker_fee_e8": command.maker_fee_e8, "taker_fee_e8": command.taker_fee_e8}
        self.outbox.rest.append(InstrumentEvent(self.now, command.symbol, columns))

    def _set_level(self, command: c.SetLevel) -> None:
        market = checks.tradable(self, command.symbol)
        self._check_outside(market, command)
        market.matcher.set_level(command.side, command.price, command.size)

    def _recorded_trade(self, command: c.RecordedTrade) -> None:
        market = checks.tradable(self, command.symbol)
        self._check_outside(market, command)
        market.matcher.recorded_trade(command.side, command.price, command.size)

    @staticmethod
    def _check_outside(market, command) -> None:
        spec = market.instrument.spec
        if command.side not in (1, -1):
            raise Refused("Invalid side")
        checks.check_ticks(spec, command.price, "price")
        if type(command.size) is not int or command.size < 0:
            raise Refused("Invalid size")

    # -- what is due by itself -----------------------------------------------------------------------------------------

    def _start_timers(self) -> None:
        push = self._timers.append
        push((self.now // REFRESH * REFRESH + REFRESH, MARKS, ""))
        push(((self.now // DAY + 1) * DAY, MIDNIGHT, ""))
        if not self.texts.sweeps_per_fill:
            push((next_funding(self.now, DAY) + 8 * HOUR, SWEEP, ""))
        for market in self.markets.values():
            spec = market.instrument.spec
            if spec.funding_interval:
                market.instrument.funding_timestamp = next_funding(self.now, spec.funding_interval)
                push((market.instrument.funding_timestamp, FUNDING, market.symbol))
            if spec.expiry is not None and spec.expiry > self.now:
                push((spec.expiry, SETTLE, market.symbol))
        heapq.heapify(self._timers)

    def _arm_dead_man(self, account: Account) -> None:
        account.timer_at = account.cancel_at
        heapq.heappush(self._timers, (account.cancel_at, DEAD_MAN, account.account_id))

    def _run_timers(self, now: int) -> None:
        timers = self._timers
        while timers[0][0] <= now:
            at, kind, key = heapq.heappop(timers)
            self.now = max(self.now, at)
            if kind == MARKS:
                self.marks.refresh()
                self.liquidation.check()
                heapq.heappush(timers, (at + REFRESH, MARKS, ""))
            elif kind == DEAD_MAN:
                self._dead_man(at, self.accounts[key])
            elif kind == FUNDING:
                market = self.markets[key]
                self.funding.charge(market)
                heapq.heappush(timers, (market.instrument.funding_timestamp, FUNDING, key))
            elif kind == SWEEP:
                self.funding.sweep_all()
                heapq.heappush(timers, (at + DAY, SWEEP, ""))
            elif kind == MIDNIGHT:
                for order in list(self.day_orders.values()):
                    self.clearing.end_by_rule(order, "Order had timeInForce of Day")
                heapq.heappush(timers, (at + DAY, MIDNIGHT, ""))
            elif kind == SETTLE:
                settlement.settle(self, self.markets[key])
            self._finish()

    def _dead_man(self, at: int, account: Account) -> None:
        """A dead man's switch may have run out; it may also have been moved on or disarmed since it was set."""
        if account.timer_at == at:
            account.timer_at = None
        if account.cancel_at is None:
            return
        if account.cancel_at <= at:
            account.cancel_at = None
            self.trading.cancel_all(account, text="Canceled via cancelAllAfter.")
        elif account.timer_at is None:
            self._arm_dead_man(account)


def _poor(position, amount: int) -> str:
    return f"Account has insufficient Available Balance, {amount} {position.wallet.currency} required"


def highest_leverage_e2(spec) -> int:
    """The highest leverage of a contract, times 100."""
    return 100 * 100_000_000 // spec.init_margin_e8
