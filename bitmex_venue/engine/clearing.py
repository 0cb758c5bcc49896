"""What a fill does to both accounts: money, positions, fees, executions, the public trade.

Rules:

* both sides of a match are booked at the resting order's price with the same trdMatchID (bitmex-api.md 7);
* the taker pays the taker fee and the maker the maker fee, truncated (4.3), to the venue's fees account;
* a reduce-only order never outgrows the position: right after each fill it is trimmed, or cancelled when nothing is left
  to reduce;
* trades of an account with itself are booked like any other, and counted;
* modern: realised profit goes to the wallet at each closing fill; classic: once a day (`funding`).

This is also the host of the matchers (see `matching`).
"""

from __future__ import annotations

from . import contract_math, events
from .accounts import Position
from .book import Book
from .instruments import Instrument
from .marks import direction
from .orders import CANCELED, CLOSE, FILLED, PARTIALLY_FILLED, REDUCE_ONLY, Order
from .triggers import Triggers

EXTERNAL_ACCOUNT = 999
ENGINE_ACCOUNT = 998


class Market:
    """One instrument with its book and its matcher; `moved` says that the book changed since its touch was last told."""

    __slots__ = ("symbol", "instrument", "book", "matcher", "triggers", "moved")

    def __init__(self, instrument: Instrument, book: Book) -> None:
        self.symbol = instrument.symbol
        self.instrument = instrument
        self.book = book
        self.matcher = None
        self.triggers = Triggers(instrument)
        self.moved = False


class Clearing:
    """Books fills and ends orders for an exchange. `fees` is what the venue earned, by currency."""

    def __init__(self, exchange) -> None:
        self.exchange = exchange
        self.outbox = exchange.outbox
        self.ids = exchange.ids
        self.texts = exchange.texts
        self.fees: dict[str, int] = {}
        self.forbids_self_trade = exchange.self_trade == "cancel"
        self.self_trades = 0
        self.self_traded_qty = 0

    # -- what matchers call --------------------------------------------------------------------------------------------

    def filled(self, taker: Order, maker: Order, qty: int, ticks: int) -> None:
        """Two orders here traded `qty` contracts; the matcher has taken them off the maker."""
        instrument = taker.market.instrument
        spec = instrument.spec
        cost = qty // instrument.lot_size * instrument.value_at(ticks)
        match_id = self.ids.next()
        ours, theirs = taker.position, maker.position
        if ours is theirs:
            self.self_trades += 1
            self.self_traded_qty += qty
        before = abs(ours.current_qty) + abs(theirs.current_qty)
        taker.leaves_qty -= qty
        self._book(maker, qty, ticks, cost, spec.maker_fee_e8, "AddedLiquidity", match_id)
        self._book(taker, qty, ticks, cost, spec.taker_fee_e8, "RemovedLiquidity", match_id)
        after = abs(ours.current_qty) + abs(theirs.current_qty)
        if ours is not theirs:
            instrument.open_interest += (after - before) // 2
        self.maker_filled(maker, qty)
        self._public(instrument, taker.side, qty, ticks, cost, match_id)
        if theirs.reduce_only:
            self.enforce_reduce_only(theirs)
        if ours.reduce_only:
            self.enforce_reduce_only(ours)

    def filled_outside(self, order: Order, qty: int, ticks: int, liquidity: str) -> None:
        """An order traded with external liquidity, which the house account 999 stands for.

        `liquidity` is the order's; a maker has already been taken off the book by the matcher.
        """
        instrument = order.market.instrument
        spec = instrument.spec
        cost = qty // instrument.lot_size * instrument.value_at(ticks)
        match_id = self.ids.next()
        maker = liquidity == "AddedLiquidity"
        ours, theirs = order.position, self.exchange.external_account().position(instrument)
        before = abs(ours.current_qty) + abs(theirs.current_qty)
        if not maker:
            order.leaves_qty -= qty
        self._book(order, qty, ticks, cost, spec.maker_fee_e8 if maker else spec.taker_fee_e8, liquidity, match_id)
        self.settle(theirs, -order.side, qty, cost, spec.taker_fee_e8 if maker else spec.maker_fee_e8)
        instrument.open_interest += (abs(ours.current_qty) + abs(theirs.current_qty) - before) // 2
        if maker:
            self.maker_filled(order, qty)
        self._public(instrument, -order.side if maker else order.side, qty, ticks, cost, match_id)
        if ours.reduce_only:
            self.enforce_reduce_only(ours)

    def taken_over(self, order: Order, engine: Position, ticks: int, rate_e8: int) -> None:
        """A whole order is filled by the liquidation engine, which pays no fee, without a public trade."""
        instrument, qty = order.market.instrument, order.leaves_qty
        cost = qty // instrument.lot_size * instrument.value_at(ticks)
        ours = order.position
        before = abs(ours.current_qty) + abs(engine.current_qty)
        order.leaves_qty = 0
        self._book(order, qty, ticks, cost, rate_e8, "RemovedLiquidity", self.ids.next())
        self.settle(engine, -order.side, qty, cost, 0)
        instrument.open_interest += (abs(ours.current_qty) + abs(engine.current_qty) - before) // 2
        self.maker_filled(order, qty)

    def outside_trade(self, market: Market, side: int, qty: int, ticks: int) -> None:
        """Others traded among themselves: the public feed hears of it, no account does."""
        instrument = market.instrument
        cost = qty // instrument.lot_size * instrument.value_at(ticks)
        self._public(instrument, side, qty, ticks, cost, self.ids.next())

    def self_trade(self, taker: Order, maker: Order) -> None:
        self.end_by_rule(maker, "Order would have traded with an order of the same account")

    # -- booking -------------------------------------------------------------------------------------------------------

    def settle(self, position: Position, side: int, qty: int, cost: int, rate_e8: int) -> int:
        """Position, wallet and fees of one side; returns the commission."""
        instrument = position.instrument
        signed = cost if (side < 0) == instrument.is_inverse else -cost
        comm = contract_math.commission(cost, rate_e8)
        currency = position.wallet.currency
        self.fees[currency] = self.fees.get(currency, 0) + comm
        reduces = position.fill(side, qty, signed, comm)
        if position.current_qty:
            instrument.holders[position] = None
        else:
            instrument.holders.pop(position, None)
        account = position.account
        if not account.house:
            self.outbox.positions[position] = None
            if reduces and self.texts.sweeps_per_fill:
                self.sweep(position)
        return comm

    def _book(self, order: Order, qty: int, ticks: int, cost: int, rate_e8: int, liquidity: str, match_id: str) -> None:
        comm = self.settle(order.position, order.side, qty, cost, rate_e8)
        order.cum_qty += qty
        order.cum_cost += cost
        if order.house:
            return
        instrument = order.position.instrument
        order.avg_px_e8 = contract_math.avg_px_e8(instrument.spec, order.cum_qty // instrument.lot_size, order.cum_cost)
        if order.leaves_qty:
            order.ord_status = PARTIALLY_FILLED
        else:
            order.ord_status = FILLED
            order.working = False
        now = order.timestamp = self.exchange.now
        if self.texts.moves_transact_time:
            order.transact_time = now
        signed = cost if (order.side < 0) == instrument.is_inverse else -cost
        self.outbox.rest.append(
            events.ExecutionEvent(
                now, self.ids.next(), "Trade", order, order.columns(), qty, ticks, liquidity, rate_e8, signed, comm, match_id
            )
        )

    def sweep(self, position: Position) -> None:
        """Move realised profit to the wallet, with its line in the ledger; tells the account."""
        moved = position.sweep()
        if moved and not position.account.house:
            wallet, account = position.wallet, position.account
            wallet.prev_realised = moved
            now = self.exchange.now
            self.outbox.rest.append(
                events.WalletEvent(
                    now, account.account_id, wallet.currency, "RealisedPNL", moved, 0, wallet.amount, position.symbol
                )
            )
            self.outbox.positions[position] = None

    def maker_filled(self, maker: Order, qty: int) -> None:
        """A resting order lost `qty`: its sums, its row, its end."""
        if maker.counted:
            maker.position.count(maker.side, -qty, -(qty // maker.market.instrument.lot_size * maker.lot_value))
        if maker.leaves_qty == 0:
            maker.ord_status = FILLED
            maker.working = False
            self.forget(maker)
        else:
            maker.ord_status = PARTIALLY_FILLED
        self.fill_update(maker)

    def fill_update(self, order: Order) -> None:
        """The order row after fills."""
        if order.house:
            if order.account_id == ENGINE_ACCOUNT:
                action = "update" if order.leaves_qty else "delete"
                told = events.LiquidationEvent(self.exchange.now, action, order, order.leaves_qty)
                self.outbox.rest.append(told)
            return
        columns = {
            "ord_status": order.ord_status,
            "leaves_qty": order.leaves_qty,
            "cum_qty": order.cum_qty,
            "avg_px_e8": order.avg_px_e8,
        }
        if self.texts.moves_transact_time:
            columns["transact_time"] = order.transact_time
        if not order.working:
            columns["working"] = False
        self.outbox.order_update(self.exchange.now, order, columns)

    def _public(self, instrument: Instrument, side: int, qty: int, ticks: int, cost: int, match_id: str) -> None:
        moved = direction(instrument, ticks)
        if ticks != instrument.last_price or moved != instrument.last_tick_direction:
            instrument.last_price = ticks
            instrument.last_tick_direction = moved
            self.outbox.traded[instrument] = None
        instrument.traded(self.exchange.now, ticks, qty, cost)
        self.outbox.trades.append(
            events.TradeEvent(self.exchange.now, instrument.symbol, side, qty, ticks, moved, match_id, cost)
        )

    # -- ends of orders ------------------------------------------------------------------------------------------------

    def forget(self, order: Order) -> None:
        """An order has ended: it leaves the open ones and joins those remembered, of which the oldest goes."""
        account = order.account
        del account.open[order.order_id]
        order.position.orders -= 1
        if order.stop_px is not None and not order.triggered:
            order.position.stops -= 1
        if order.reduce_only:
            order.position.reduce_only.pop(order.order_id, None)
        if order.time_in_force == "Day":
            self.exchange.day_orders.pop(order.order_id, None)
        account.ended[order.order_id] = order
        if len(account.ended) > account.kept:
            _, old = account.ended.popitem(last=False)
            del self.exchange.orders[old.order_id]
            if old.cl_ord_id:
                del account.by_cl_ord_id[old.cl_ord_id]

    def unrest(self, order: Order) -> None:
        """Take an order out of the book (or from among the stops), and what it locked out of the sums."""
        if order.level is not None:
            order.market.matcher.remove(order)
        elif order.stop_px is not None and not order.triggered:
            order.market.triggers.remove(order)
        if order.counted:
            lots = order.leaves_qty // order.market.instrument.lot_size
            order.position.count(order.side, -order.leaves_qty, -lots * order.lot_value)
            order.counted = False
            self.outbox.touch(order.position)

    def end(self, order: Order, text: str, status: str = CANCELED, **also) -> None:
        """Cancel an open order: execution, order row, position and margin follow. `also`: other columns to tell."""
        self.unrest(order)
        order.ord_status = status
        order.leaves_qty = 0
        order.working = False
        order.text = text
        now = order.timestamp = self.exchange.now
        self.forget(order)
        if order.house:
            if order.account_id == ENGINE_ACCOUNT:
                self.outbox.rest.append(events.LiquidationEvent(now, "delete", order, 0))
            return
        columns = {"ord_status": status, "working": False, "leaves_qty": 0, "text": text, **also}
        if self.texts.moves_transact_time:
            order.transact_time = columns["transact_time"] = now
        self.outbox.rest.append(events.ExecutionEvent(now, self.ids.next(), status, order, order.columns()))
        self.outbox.order_update(now, order, columns)

    def end_by_rule(self, order: Order, rule: str) -> None:
        self.end(order, self.texts.canceled_by_rule(rule, order.origin_text))

    def enforce_reduce_only(self, position: Position) -> None:
        """Trim or end reduce-only orders that would do more than close the position."""
        held = position.current_qty
        for order in list(position.reduce_only.values()):
            room = max(0, -order.side * held)
            if order.leaves_qty == 0 or order.leaves_qty <= room or (order.stop_px is not None and not order.triggered):
                continue
            if room == 0:
                word = CLOSE if CLOSE in order.exec_inst else REDUCE_ONLY
                name = "Buy" if order.side > 0 else "Sell"
                if order.level is None and order.cum_qty:
                    self.fill_update(order)  # in the middle of its own match
                self.end_by_rule(order, f"Order had execInst of {word} and side of {name} but current position is {held}")
            else:
                self.shrink(order, order.leaves_qty - room, "Reduced with the position")

    def shrink(self, order: Order, qty: int, why: str | None) -> None:
        """Make an open order smaller by `qty` where it stands; with a reason it is told as an amend."""
        if order.level is not None:
            order.market.matcher.resize(order, order.leaves_qty - qty)
        else:
            order.leaves_qty -= qty
        if order.counted:
            order.position.count(order.side, -qty, -(qty // order.market.instrument.lot_size * order.lot_value))
        order.order_qty -= qty
        self.outbox.touch(order.position)
        if why and not order.house:
            order.text = self.texts.amended(("orderQty",), why, order.origin_text)
            now = order.timestamp = self.exchange.now
            self.outbox.rest.append(events.ExecutionEvent(now, self.ids.next(), "Replaced", order, order.columns()))
            columns = {"order_qty": order.order_qty, "leaves_qty": order.leaves_qty, "text": order.text}
            self.outbox.order_update(now, order, columns)
