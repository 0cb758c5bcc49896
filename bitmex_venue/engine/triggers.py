"""Stop and if-touched orders: where they wait, and when they go off.

Rules (bitmex-api.md 3.2, 3.3, 3.7):

* a Stop or StopLimit goes off when the price moves through `stop_px` against its owner (buy: at or above, sell: at or below);
  MarketIfTouched and LimitIfTouched go off the other way about;
* the price watched is the last trade, the mark or the index, as execInst says; without a word the mark (unconfirmed);
* until then the order is New and not working, locks no margin, and stands among the at most 10 stops of a symbol;
* when it goes off it must pass the margin check, or it is Rejected with the text of the refusal; a reduce-only one is cut to
  the position, or cancelled without one; then it meets the book like a new order, and a market one never rests;
* what one sets off may set off others: all within the same command, the one that waited longer at a price first.

Known difference: `LastWithinMark` is refused.
"""

from __future__ import annotations

from sortedcontainers import SortedDict

from . import checks, events
from .affordable import check_margin
from .orders import REJECTED, Order
from .refusals import Refused

LAST, MARK, INDEX = "LastPrice", "MarkPrice", "IndexPrice"
MARKET_TYPES = frozenset({"Stop", "MarketIfTouched"})


def watched(order: Order) -> str:
    """Which price sets an order off."""
    return next((word for word in order.exec_inst if word in (LAST, MARK, INDEX)), MARK)


def rises_to(order: Order) -> bool:
    """Whether the order waits for a price at or above its stop price (else at or below)."""
    return (order.side > 0) == (order.ord_type in ("Stop", "StopLimit"))


class Triggers:
    """The waiting orders of one instrument, by watched price and direction, then by stop price, then by arrival."""

    __slots__ = ("instrument", "count", "_waiting")

    def __init__(self, instrument) -> None:
        self.instrument = instrument
        self.count = 0
        self._waiting = {(word, up): SortedDict() for word in (LAST, MARK, INDEX) for up in (True, False)}

    def __getstate__(self) -> tuple[None, dict]:
        """A SortedDict cannot be pickled from inside of itself, and an order leads back to here."""
        waiting = {key: dict(queues) for key, queues in self._waiting.items()}
        return None, {"instrument": self.instrument, "count": self.count, "_waiting": waiting}

    def __setstate__(self, state: tuple[None, dict]) -> None:
        for name, value in state[1].items():
            setattr(self, name, value)
        self._waiting = {key: SortedDict(queues) for key, queues in self._waiting.items()}

    def _queues(self, order: Order) -> SortedDict:
        return self._waiting[watched(order), rises_to(order)]

    def add(self, order: Order) -> None:
        self._queues(order).setdefault(order.stop_px, {})[order.order_id] = order
        self.count += 1

    def remove(self, order: Order) -> None:
        queues = self._queues(order)
        queue = queues[order.stop_px]
        del queue[order.order_id]
        if not queue:
            del queues[order.stop_px]
        self.count -= 1

    def due(self):
        """The next order whose price has been reached, or None."""
        instrument = self.instrument
        tick = instrument.spec.tick_e8
        last = instrument.last_price
        now = {LAST: last * tick if last is not None else None, MARK: instrument.mark_e8, INDEX: instrument.index_e8}
        for (word, up), queues in self._waiting.items():
            if queues and now[word] is not None:
                stop_px = queues.peekitem(0 if up else -1)[0]
                if stop_px * tick <= now[word] if up else stop_px * tick >= now[word]:
                    return next(iter(queues[stop_px].values()))
        return None

    def orders(self) -> list:
        return [order for queues in self._waiting.values() for queue in queues.values() for order in queue.values()]


def run(exchange, market) -> None:
    """Set off everything that is due in one market."""
    while market.triggers.count:
        order = market.triggers.due()
        if order is None:
            return
        set_off(exchange, order)


def set_off(exchange, order: Order) -> None:
    """One order goes off."""
    market = order.market
    market.triggers.remove(order)
    order.triggered = "StopOrderTriggered"
    order.position.stops -= 1
    if order.ord_type in MARKET_TYPES:
        order.limit = checks.protection(market, order.side)
        if order.limit is not None:
            order.lot_value = market.instrument.value_at(order.limit)
    if not _affordable(exchange, order):
        return
    order.text = f"Triggered: Order StopPx reached\n{order.origin_text}"
    order.working = True
    now = order.timestamp = exchange.now
    if not order.house:
        outbox = exchange.outbox
        kind = "TriggeredOrActivatedBySystem"
        outbox.rest.append(events.ExecutionEvent(now, exchange.ids.next(), kind, order, order.columns()))
        outbox.order_update(now, order, {"triggered": order.triggered, "working": True, "text": order.text})
    if order.reduce_only:
        exchange.clearing.enforce_reduce_only(order.position)
    if order.is_open:
        exchange.trading.start(order, None)


def _affordable(exchange, order: Order) -> bool:
    if order.house or order.reduce_only or order.limit is None:
        return True
    try:
        check_margin(exchange, order.position, order.market, order.side, order.leaves_qty, order.limit, None)
    except Refused as refused:
        exchange.clearing.end(order, f"Rejected: {refused.message}\n{order.origin_text}", REJECTED)
        return False
    return True
