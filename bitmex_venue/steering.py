"""The market's strings: pausing it, moving its index, sweeping and emptying its books, from outside.

Theory of operation. The market meets the exchange through a `Gate`, which lets everything pass until somebody steers: then it keeps
others' orders off a side of a book, scales an index that is told, and hides how long the market was paused. `Steering` is
what the control door and the faults of the market call; all of it goes through commands of the exchange, so that money stays
conserved and a log of commands stays whole.

Rules
* Nobody steers: the gate adds a comparison to a command of the market and nothing else.
* A paused market loses no time: what it would have done then it does afterwards, at its own pace.
* Only others' orders are removed; clients' orders are filled by a sweep like everybody's, and otherwise left alone.
* Sweeps trade for a house account of their own, `STEERER`.

Known difference: on a recorded market (`external`) a moved index does not move the recorded book.
"""

from __future__ import annotations

from typing import Any

from .engine import commands as cmd
from .engine.refusals import Refused

STEERER = 990
SIDES = {"Buy": cmd.BUY, "Sell": cmd.SELL}
MOST_ORDERS = 1000


class BadSteering(ValueError):
    """What cannot be done to the market; one line."""


class _Nothing:
    """Stands for an order that was not let through."""

    order_id = ""
    leaves_qty = 0

    def __init__(self, price: int | None) -> None:
        self.price = price


class Gate:
    """The exchange as the market sees it."""

    def __init__(self, exchange: Any) -> None:
        self.exchange = exchange
        self.instruments = exchange.instruments
        self.books = exchange.books
        self.lag = 0  # how long the market was paused, ns
        self.kept_off: dict[tuple[str, int], int] = {}  # (symbol, side) -> how many times over
        self.factors: dict[str, float] = {}  # index -> what its values are multiplied by
        self.levels: dict[tuple[str, int, int], cmd.SetLevel] = {}  # external levels that were kept off
        self.is_used = False

    @property
    def now(self) -> int:
        """The market's time."""
        return self.exchange.now - self.lag

    def execute(self, now: int, command: Any) -> Any:
        if not self.is_used:
            return self.exchange.execute(now, command)
        kind = type(command)
        if kind is cmd.PlaceBulk and self.kept_off:
            return self._bulk(now, command)
        if kind is cmd.Place and (command.symbol, command.side) in self.kept_off and command.time_in_force == "GoodTillCancel":
            return None
        if kind is cmd.SetLevel and (command.symbol, command.side) in self.kept_off:
            self.levels[command.symbol, command.side, command.price] = command
            return None
        if kind is cmd.SetIndex and command.symbol in self.factors:
            command = command._replace(price_e8=max(1, round(command.price_e8 * self.factors[command.symbol])))
        return self.exchange.execute(now + self.lag, command)

    def _bulk(self, now: int, command: cmd.PlaceBulk) -> list[Any]:
        """Place what may be placed; the answer has a row for each order all the same."""
        passed = tuple(o for o in command.orders if (o.symbol, o.side) not in self.kept_off)
        placed = self.exchange.execute(now + self.lag, cmd.PlaceBulk(command.account_id, passed)) if passed else []
        found = iter(placed)
        return [
            _Nothing(o.price) if (o.symbol, o.side) in self.kept_off else next(found) for o in command.orders
        ]  # fmt: skip


class Steering:
    """Steers the market of a venue. `is_paused` says that it stands still."""

    def __init__(self, venue: Any, gate: Gate) -> None:
        self.venue = venue
        self.gate = gate
        self._paused_at: int | None = None

    @property
    def is_paused(self) -> bool:
        return self._paused_at is not None

    def pause(self) -> None:
        """Let nobody else act; safe to call again."""
        if self._paused_at is None:
            self._paused_at = self.venue.now

    def resume(self) -> None:
        """Let the market go on where it stood; safe to call again."""
        if self._paused_at is not None:
            self.gate.lag += self.venue.now - self._paused_at
            self.gate.is_used = True
            self._paused_at = None

    # ---- prices

    def move_index(self, symbol: str, percent: float) -> float:
        """Move an index (or the index of a contract) by so many percent, for good; returns its new value."""
        name = self.index_of(symbol)
        factor = 1 + percent / 100
        before = self.venue.exchange.instruments[name].mark_e8
        if factor <= 0 or before is None:
            raise BadSteering(f"{name} cannot be moved by {percent:g} %")
        after = round(before * factor)
        if not self.venue.market.steer(name, factor):
            self.gate.factors[name] = self.gate.factors.get(name, 1.0) * factor
            self.gate.is_used = True
        self._do(cmd.SetIndex(name, max(1, after)))
        return after / 1e8

    def gap(self, symbol: str, percent: float) -> float:
        """Move an index while no other order stands in the books that follow it; returns its new value."""
        name = self.index_of(symbol)
        for contract in self.venue.exchange.books:
            if self.venue.exchange.instruments[contract].spec.reference == name:
                self.empty(contract)
        return self.move_index(name, percent)

    def sweep(self, symbol: str, side: str, price: float | None = None, percent: float | None = None) -> int:
        """Buy (or sell) everything up (down) to a price, or to so many percent from the touch; returns the contracts
        traded. Raises BadSteering."""
        way = self._side(side)
        spec, book = self._spec(symbol), self.venue.exchange.books[symbol]
        if price is not None:
            limit = round(price * 1e8) // spec.tick_e8
        elif percent is not None:
            touch = (book.best_ask if way > 0 else book.best_bid) or 0
            limit = round(touch * (1 + way * abs(percent) / 100))
        else:
            raise BadSteering("a sweep needs a price or a percent")
        limit = max(1, min(limit, spec.max_ticks))
        self._open_account()
        traded = 0
        for _ in range(MOST_ORDERS):
            shown = sum(size for ticks, size in book.levels(-way) if (limit - ticks) * way >= 0)
            lots = min(shown, spec.max_order_qty) // spec.lot_size
            if not lots:
                break
            quantity = lots * spec.lot_size
            order = self._do(cmd.Place(STEERER, symbol, way, quantity, limit, time_in_force="ImmediateOrCancel"))
            traded += order.cum_qty
            if not order.cum_qty:
                break
        return traded

    # ---- books

    def empty(self, symbol: str, side: str | None = None) -> int:
        """Take others' orders off a book (or a side of it), once; returns how many."""
        self._spec(symbol)
        gone = 0
        exchange = self.venue.exchange
        for way in (1, -1) if side is None else (self._side(side),):
            for account in list(exchange.accounts.values()):
                if account.house:
                    ids = tuple(o.order_id for o in account.open.values() if o.symbol == symbol and o.side == way)
                    if ids:
                        self._do(cmd.Cancel(account.account_id, ids))
                        gone += len(ids)
            for level in list(exchange.books[symbol].side(way).in_order()):
                if level.external:
                    self.gate.levels[symbol, way, level.price] = cmd.SetLevel(symbol, way, level.price, level.external)
                    self._do(cmd.SetLevel(symbol, way, level.price, 0))
                    gone += 1
        return gone

    def keep_off(self, symbol: str, side: str | None = None) -> int:
        """Empty a book (or a side) and keep others' orders off it until `let_on`."""
        for way in self._ways(side):
            self.gate.kept_off[symbol, way] = self.gate.kept_off.get((symbol, way), 0) + 1
        self.gate.is_used = True
        return self.empty(symbol, side)

    def let_on(self, symbol: str, side: str | None = None) -> None:
        """The end of `keep_off`: recorded levels come back as the recording has them now, makers come back by themselves."""
        for way in self._ways(side):
            left = self.gate.kept_off.get((symbol, way), 0) - 1
            if left > 0:
                self.gate.kept_off[symbol, way] = left
                continue
            self.gate.kept_off.pop((symbol, way), None)
            for key in [key for key in self.gate.levels if key[:2] == (symbol, way)]:
                level = self.gate.levels.pop(key)
                if level.size:
                    self._do(level)

    def regrid(self, symbol: str, tick: float, lot: int) -> None:
        """Give a contract another tick and lot. Clients' orders that fit stay, others are cancelled; the market begins anew.
        Raises BadSteering, also on a recorded market."""
        self._spec(symbol)
        if self.venue.market.matcher is not None:
            raise BadSteering("a recorded market keeps the grid it was recorded with")
        tick_e8 = round(tick * 1e8)
        self._do(cmd.ClearGrid(symbol, tick_e8, lot))
        self._do(cmd.SetGrid(symbol, tick_e8, lot))
        self.venue.market.relist(symbol, self.venue.now - self.gate.lag)
        self.venue.execute(cmd.Advance())

    # ---- helpers

    def index_of(self, symbol: str) -> str:
        """The index itself, or the one that marks a contract. Raises BadSteering."""
        instrument = self.venue.exchange.instruments.get(symbol)
        if instrument is None:
            raise BadSteering(f"there is no {symbol!r}: {', '.join(self.venue.exchange.instruments)}")
        return symbol if instrument.spec.is_index else instrument.spec.reference

    def _spec(self, symbol: str) -> Any:
        if symbol not in self.venue.exchange.books:
            raise BadSteering(f"there is no contract {symbol!r}: {', '.join(self.venue.exchange.books)}")
        return self.venue.exchange.instruments[symbol].spec

    @staticmethod
    def _side(side: str) -> int:
        if side not in SIDES:
            raise BadSteering(f"a side is Buy or Sell, not {side!r}")
        return SIDES[side]

    def _ways(self, side: str | None) -> tuple[int, ...]:
        return (1, -1) if side is None else (self._side(side),)

    def _open_account(self) -> None:
        if STEERER not in self.venue.exchange.accounts:
            self._do(cmd.OpenAccount(STEERER, "steering", house=True))

    def _do(self, command: Any) -> Any:
        try:
            return self.venue.execute(command)
        except Refused as refusal:
            raise BadSteering(f"the exchange refused it: {refusal.message}") from None
