"""Carrying out what `checks` allowed: new orders, amends, cancels.

Rules (bitmex-api.md 3.4, 3.5, 3.7, 5.6):

* a new order trades at once as far as its limit goes; what is left rests, or is cancelled (IOC, Market, FOK);
* a post-only order that would trade is accepted and cancelled, and told as one row that is already Canceled;
* an amend that changes the price or adds size goes to the back of its new level, a smaller size keeps its place;
* an amend that leaves nothing to fill cancels the order;
* `Close` cancels other orders of its side, newest first, until the side is no larger than the position;
* every id in a cancel gets a row, an error in it when there is nothing to cancel.
"""

from __future__ import annotations

from collections.abc import Iterable

from . import events
from .amend_checks import Change
from .checks import Draft
from .clearing import Clearing
from .commands import Cancel
from .orders import CLOSE, FILLED, PARTIALLY_FILLED, POST_ONLY, CancelResult, Order
from .triggers import MARKET_TYPES


class Trading:
    """Acts on the exchange's state; decides nothing that could still be refused."""

    def __init__(self, exchange, clearing: Clearing) -> None:
        self.exchange = exchange
        self.clearing = clearing
        self.outbox = exchange.outbox
        self.ids = exchange.ids
        self.texts = exchange.texts
        self.refusals: dict[int, int] = {}  # post-only orders yet to be refused, by account

    # -- new orders ----------------------------------------------------------------------------------------------------

    def place(self, drafts: Iterable[Draft]) -> list[Order]:
        """Accept all, then let each meet the book in turn."""
        accepted = [self.accept(draft) for draft in drafts]
        if len(accepted) == 1:
            self._tell_locked(accepted[0][0])
        for order, row in accepted:
            if order.is_open:
                self.start(order, row)
        return [order for order, _ in accepted]

    def accept(self, draft: Draft):
        """Make the order and tell it; returns it with the columns of its insert event (None for the house)."""
        exchange = self.exchange
        account, market = draft.account, draft.market
        position = account.position(market.instrument)
        order = Order(
            self.ids.next(), account, position, market, draft.side, draft.qty, draft.price, draft.limit, draft.ord_type,
            draft.time_in_force, draft.exec_inst, draft.cl_ord_id, draft.text, exchange.now, draft.stop_px,
        )  # fmt: skip
        exchange.orders[order.order_id] = account.open[order.order_id] = order
        if order.cl_ord_id:
            account.by_cl_ord_id[order.cl_ord_id] = order
        position.orders += 1
        if order.reduce_only:
            position.reduce_only[order.order_id] = order
        if order.time_in_force == "Day":
            exchange.day_orders[order.order_id] = order
        if order.limit is not None:
            order.lot_value = market.instrument.value_at(order.limit)
        if order.house:
            return order, None
        return order, self._tell_new(order)

    def _tell_new(self, order: Order) -> dict:
        now, outbox = self.exchange.now, self.outbox
        row = order.columns()
        outbox.inserts.append(events.OrderEvent(now, "insert", order, row))
        shown = self.texts.shows_market_price and order.ord_type == "Market" and order.limit is not None
        if shown:
            order.price = order.limit
        new = order.columns()
        if order.stop_px is None:
            new["working"] = True
        outbox.news.append(events.ExecutionEvent(now, self.ids.next(), "New", order, new))
        outbox.touch(order.position)
        if order.stop_px is None and not order.post_only:
            self._tell_working(order, {"price": order.price} if shown else {})
        return row

    def _tell_locked(self, order: Order) -> None:
        """What an order that is about to trade has locked, as was recorded between its acceptance and its fill (5.6)."""
        if order.house or order.post_only or order.limit is None or order.stop_px is not None or order.time_in_force == "FillOrKill":
            return
        market, position = order.market, order.position
        if market.matcher.would_take(order.side, order.limit):
            cost = order.leaves_qty // market.instrument.lot_size * order.lot_value
            position.count(order.side, order.leaves_qty, cost)
            self.outbox.tell_accounts_between(self.exchange.now)
            position.count(order.side, -order.leaves_qty, -cost)
            position.refresh_order_margin()
            self.outbox.touch(position)

    def _tell_working(self, order: Order, columns: dict) -> None:
        order.working = columns["working"] = True
        columns["cl_ord_id"] = order.cl_ord_id
        columns["timestamp"] = self.exchange.now
        self.outbox.workings.append(events.OrderEvent(self.exchange.now, "update", order, columns))

    def start(self, order: Order, row) -> None:
        """Let a new order (or a stop that was triggered) meet the book."""
        if order.stop_px is not None and not order.triggered:
            order.position.stops += 1
            order.market.triggers.add(order)
            return
        if CLOSE in order.exec_inst:
            self.make_room(order)
        if order.post_only:
            if self._may_not_rest(order):
                self._refuse_post_only(order, row)
                return
            if row is not None:
                self._tell_working(order, {})
        self.run(order)

    def _may_not_rest(self, order: Order) -> bool:
        """Whether a post-only order would trade, or is refused on demand (`commands.RefusePostOnly`)."""
        if self.refusals and self.refusals.get(order.account_id):
            self.refusals[order.account_id] -= 1
            return True
        return order.market.matcher.would_take(order.side, order.limit)

    def _refuse_post_only(self, order: Order, row) -> None:
        """One order row that is already Canceled; the execution table has New and Canceled."""
        told = len(self.outbox.rest)
        self.clearing.end_by_rule(order, f"Order had execInst of {POST_ONLY}")
        if row is not None:
            row.update(order.columns())
            kept = [e for e in self.outbox.rest[told:] if type(e) is not events.OrderEvent]
            del self.outbox.rest[told:]
            self.outbox.rest.extend(kept)

    def run(self, order: Order) -> None:
        """Trade, then rest or end."""
        matcher = order.market.matcher
        if order.limit is None or (order.time_in_force == "FillOrKill" and not matcher.can_fill(order)):
            self.clearing.end_by_rule(order, f"Order had timeInForce of {order.time_in_force}")
            return
        filled = order.cum_qty
        matcher.take(order)
        if not order.is_open:
            if order.ord_status == FILLED:
                self._filled(order)
            return
        if order.leaves_qty == 0:
            self._filled(order)
            return
        if order.cum_qty != filled:
            order.ord_status = PARTIALLY_FILLED
            self.clearing.fill_update(order)
        if order.ord_type in MARKET_TYPES or order.time_in_force in ("ImmediateOrCancel", "FillOrKill"):
            manner = order.time_in_force if order.time_in_force == "FillOrKill" else "ImmediateOrCancel"
            self.clearing.end_by_rule(order, f"Order had timeInForce of {manner}")
            return
        matcher.rest(order)
        if not order.house:
            order.counted = True
            lots = order.leaves_qty // order.market.instrument.lot_size
            order.position.count(order.side, order.leaves_qty, lots * order.lot_value)
            self.outbox.touch(order.position)

    def _filled(self, order: Order) -> None:
        order.ord_status = FILLED
        order.working = False
        self.clearing.fill_update(order)
        if order.order_id in order.account.open:
            self.clearing.forget(order)

    def make_room(self, order: Order) -> None:
        """Cancel other orders of the closing side, newest first, until all of the side fits the position."""
        held = abs(order.position.current_qty)
        others = [
            o for o in order.account.open.values()
            if o.position is order.position and o.side == order.side and o.level is not None
        ]  # fmt: skip
        total = order.leaves_qty + sum(o.leaves_qty for o in others)
        while others and total > held:
            other = others.pop()
            total -= other.leaves_qty
            self.clearing.end_by_rule(other, f"Order had execInst of {CLOSE}")

    # -- amends --------------------------------------------------------------------------------------------------------

    def amend(self, changes: Iterable[Change]) -> list[Order]:
        """Carry out amends in turn. One whose order ended meanwhile (filled by an earlier one) is left as it is."""
        done = []
        for change in changes:
            if change.order.is_open or change.reopens:
                self._amend(change)
            done.append(change.order)
        return done

    def _amend(self, change: Change) -> None:
        order, clearing = change.order, self.clearing
        if not order.is_open:
            self._reopen(order)
        total, leaves = self._sizes(change)
        if leaves == 0:
            order.order_qty = total
            clearing.end(order, self.texts.canceled(change.text, order.origin_text), order_qty=total)
            return
        moves = change.price != order.price or leaves > order.leaves_qty
        if order.level is None:
            moves = order.stop_px is None or bool(order.triggered)
        if moves:
            clearing.unrest(order)
        elif leaves < order.leaves_qty:
            clearing.shrink(order, order.leaves_qty - leaves, None)
        if change.stop_px != order.stop_px:
            order.market.triggers.remove(order)
            order.stop_px = change.stop_px
            order.market.triggers.add(order)
        order.order_qty, order.leaves_qty = total, leaves
        self._rewrite(order, change)
        if moves:
            self._restart(order)

    @staticmethod
    def _sizes(change: Change):
        """(orderQty, leavesQty) now: an earlier amend of the same request may have filled some of the order."""
        order = change.order
        if "leavesQty" in change.columns:
            return order.cum_qty + change.leaves_qty, change.leaves_qty
        if "orderQty" in change.columns:
            return change.order_qty, max(0, change.order_qty - order.cum_qty)
        return order.order_qty, order.leaves_qty

    def _reopen(self, order: Order) -> None:
        """A filled order comes back (3.4)."""
        account = order.account
        del account.ended[order.order_id]
        account.open[order.order_id] = order
        order.position.orders += 1
        if order.reduce_only:
            order.position.reduce_only[order.order_id] = order
        if order.time_in_force == "Day":
            self.exchange.day_orders[order.order_id] = order
        order.ord_status = PARTIALLY_FILLED
        order.working = True

    def _rewrite(self, order: Order, change: Change) -> None:
        """The new values and the rows that tell them."""
        if change.cl_ord_id != order.cl_ord_id:
            by_id = order.account.by_cl_ord_id
            by_id.pop(order.cl_ord_id, None)
            by_id[change.cl_ord_id] = order
            order.cl_ord_id = change.cl_ord_id
        if change.price != order.price:
            order.price = order.limit = change.price
            order.lot_value = order.market.instrument.value_at(change.price)
        order.text = self.texts.amended(change.columns, change.text, order.origin_text)
        now = order.timestamp = self.exchange.now
        if order.house:
            return
        columns = {
            "order_qty": order.order_qty,
            "leaves_qty": order.leaves_qty,
            "price": order.price,
            "text": order.text,
            "ord_status": order.ord_status,
        }
        if order.stop_px is not None:
            columns["stop_px"] = order.stop_px
        order.transact_time = columns["transact_time"] = now
        self.outbox.rest.append(events.ExecutionEvent(now, self.ids.next(), "Replaced", order, order.columns()))
        self.outbox.order_update(now, order, columns)
        self.outbox.touch(order.position)

    def _restart(self, order: Order) -> None:
        if order.post_only and self._may_not_rest(order):
            self.clearing.end_by_rule(order, f"Order had execInst of {POST_ONLY}")
            return
        self.run(order)

    # -- cancels -------------------------------------------------------------------------------------------------------

    def cancel(self, account, cmd: Cancel) -> list[CancelResult]:
        results = []
        for order_id in cmd.order_ids:
            order = self.exchange.orders.get(order_id)
            results.append(self._cancel_one(order if order and order.account is account else None, order_id, cmd.text))
        for cl_ord_id in cmd.cl_ord_ids:
            results.append(self._cancel_one(account.by_cl_ord_id.get(cl_ord_id), cl_ord_id, cmd.text))
        return results

    def _cancel_one(self, order, requested: str, text: str) -> CancelResult:
        if order is None:
            return CancelResult(None, self.texts.not_found, requested)
        if not order.is_open:
            return CancelResult(order, self.texts.cannot_cancel(order.ord_status), requested)
        self.clearing.end(order, self.texts.canceled(text, order.origin_text))
        return CancelResult(order, None, requested)

    def cancel_all(self, account, symbol=None, side=None, text: str = "Canceled via API.") -> list[Order]:
        gone = [
            order for order in account.open.values()
            if (symbol is None or order.symbol == symbol) and (side is None or order.side == side)
        ]  # fmt: skip
        for order in gone:
            self.clearing.end(order, self.texts.canceled(text, order.origin_text))
        return gone



