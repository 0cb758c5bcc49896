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

from collections.abc import Callable, Iterable
from typing import Any

from . import checks, inspection, triggers
from . import commands as c
from . import texts as texts_module
from .accounts import Account
from .administration import HOUSE_KEPT, Administration
from .affordable import Plan
from .amend_checks import check_amend
from .book import Book
from .clearing import EXTERNAL_ACCOUNT, Clearing, Market
from .funding import Funding
from .grid import Grids
from .ids import Ids
from .instruments import Instrument, InstrumentSpec
from .liquidation import Liquidation
from .marks import Marks
from .matching import PriceTimeMatcher
from .orders import Order
from .outbox import Outbox
from .refusals import Refused
from .timers import Timers
from .trading import Trading


class Exchange:
    """A venue's engine. `now` in ns since the epoch.

    `self_trade` is "allow" (booked and counted) or "cancel" (the resting order is cancelled); `matcher` a factory
    `(book, host)`, see `matching`; `texts` is "classic" or "modern"; at most `kept` ended orders are remembered per account.
    `log(now, command)`, when set, is told every command that was carried out: all of them, at their times, are the whole
    history. An exchange can be pickled; the queues of its books are kept beside it (`Book.queues`, `Book.relink`).
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
        self._matcher: Any = matcher
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
        for spec in instruments:
            self.list_contract(spec)
        self.administration = Administration(self)
        self.grids = Grids(self)
        self.timers = Timers(self)
        self.log: Callable[[int, Any], None] | None = None
        self._handlers = self._all_handlers()

    def _all_handlers(self) -> dict[type, Callable[[Any], Any]]:
        return {
            c.Place: self._place,
            c.PlaceBulk: self._place_bulk,
            c.Amend: self._amend,
            c.AmendBulk: self._amend_bulk,
            c.Cancel: self._cancel,
            c.CancelAll: self._cancel_all,
            c.CancelAllAfter: self._cancel_all_after,
            **self.administration.handlers(),
            **self.grids.handlers(),
            c.Advance: self._advance,
        }

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in ("_handlers", "log", "_matcher")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.log = None
        self._handlers = self._all_handlers()
        self._matcher = next((type(market.matcher) for market in self.markets.values()), PriceTimeMatcher)

    def list_contract(self, spec: InstrumentSpec) -> Market | None:
        """Begin to trade a contract; None for an index, which is only told."""
        instrument = self.instruments[spec.symbol] = Instrument(spec)
        if spec.is_index:
            return None
        book = self.books[spec.symbol] = Book(spec.symbol)
        market = self.markets[spec.symbol] = Market(instrument, book)
        market.matcher = self._matcher(book, self.clearing)
        return market

    # -- the door ------------------------------------------------------------------------------------------------------

    def execute(self, now: int, command) -> Any:
        """Run what is due by `now`, then the command. Raises Refused; see the contract for what each command returns."""
        if now > self.now:
            if self.timers.next <= now:
                self.timers.run(now)
            self.now = now
        try:
            handler = self._handlers[type(command)]
        except KeyError:
            raise TypeError(f"not a command: {command!r}") from None
        result = handler(command)
        self.finish()
        if self.log is not None:
            self.log(self.now, command)
        return result

    def _advance(self, command: c.Advance) -> None:
        for market in self.markets.values():
            market.matcher.advance()

    def finish(self) -> None:
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
        return self.timers.next

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
        return self.trading.amend((check_amend(self, command),))[0]

    def _amend_bulk(self, command: c.AmendBulk) -> list[Order]:
        plan = Plan("Bulk orders: ")
        for item in command.amends:
            if item.account_id != command.account_id:
                raise Refused("Accounts do not match")
        return self.trading.amend([check_amend(self, item, plan) for item in command.amends])

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
        at = self.now + command.timeout_ms * 1_000_000 if command.timeout_ms else None
        self.timers.set_dead_man(account, at)
        return self.now, account.cancel_at

    def external_account(self) -> Account:
        """The house account that stands for liquidity from outside, opened when first needed."""
        account = self.accounts.get(EXTERNAL_ACCOUNT)
        if account is None:
            account = self.accounts[EXTERNAL_ACCOUNT] = Account(EXTERNAL_ACCOUNT, "external", True, HOUSE_KEPT, self.texts)
        return account
