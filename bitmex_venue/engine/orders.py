"""An order, the states it can be in, and the answer to a cancel.

Rules:

* an order moves between states only as `TRANSITIONS` says; it begins New (a stop that waits is New too, as in 2018, and not
  working) and ends in one of `ENDED`; only a Filled one can come back, by an amend within 60 s (3.4);
* `leaves_qty` is 0 exactly when the order has ended; `order_qty = cum_qty + leaves_qty` while it is open (3.4);
* `text` is the newest event first, the client's own text last (bitmex-api.md 3.7).

`price` is what the row shows; `limit` is what the matcher obeys (they differ for market orders of the modern profile).
"""

from __future__ import annotations

from typing import Any, NamedTuple

NEW = "New"
PARTIALLY_FILLED = "PartiallyFilled"
FILLED = "Filled"
CANCELED = "Canceled"
REJECTED = "Rejected"

TRANSITIONS = {
    NEW: frozenset({PARTIALLY_FILLED, FILLED, CANCELED, REJECTED}),
    PARTIALLY_FILLED: frozenset({FILLED, CANCELED}),
    FILLED: frozenset({PARTIALLY_FILLED}),
    CANCELED: frozenset(),
    REJECTED: frozenset(),
}
OPEN = frozenset({NEW, PARTIALLY_FILLED})
ENDED = frozenset({FILLED, CANCELED, REJECTED})

ORD_TYPES = frozenset({"Limit", "Market"})
STOP_TYPES = frozenset({"Stop", "StopLimit", "MarketIfTouched", "LimitIfTouched"})
TIMES_IN_FORCE = frozenset({"GoodTillCancel", "ImmediateOrCancel", "FillOrKill", "Day"})
POST_ONLY = "ParticipateDoNotInitiate"
REDUCE_ONLY = "ReduceOnly"
CLOSE = "Close"
TRIGGERS = frozenset({"LastPrice", "MarkPrice", "IndexPrice"})
LINKS = ("prev", "next", "level")
EXEC_INSTS = frozenset({POST_ONLY, REDUCE_ONLY, CLOSE}) | TRIGGERS


class Order:
    """One order; the exchange alone writes to it. Units as in `commands`; `avg_px_e8` is None until the first fill.

    `prev`, `next`, `level` and `ahead` belong to the book; `lot_value` is the value of a lot at `limit`; `cum_cost`
    the unsigned value of what is filled.
    """

    __slots__ = (
        "order_id", "cl_ord_id", "account_id", "symbol", "side", "order_qty", "price", "stop_px", "ord_type",
        "time_in_force", "exec_inst", "ord_status", "working", "leaves_qty", "cum_qty", "avg_px_e8", "text", "triggered",
        "transact_time", "timestamp", "submitted_time", "origin_text", "limit", "lot_value", "cum_cost", "house",
        "post_only", "reduce_only", "counted", "ahead", "account", "position", "market", "prev", "next", "level",
    )  # fmt: skip

    def __init__(
        self, order_id: str, account: Any, position: Any, market: Any, side: int, order_qty: int, price: int | None,
        limit: int | None, ord_type: str, time_in_force: str, exec_inst: tuple[str, ...], cl_ord_id: str, text: str,
        now: int, stop_px: int | None = None,
    ) -> None:  # fmt: skip
        self.order_id = order_id
        self.cl_ord_id = cl_ord_id
        self.account = account
        self.account_id = account.account_id
        self.house = account.house
        self.position = position
        self.market = market
        self.symbol = market.symbol
        self.side = side
        self.order_qty = self.leaves_qty = order_qty
        self.price = price
        self.limit = limit
        self.stop_px = stop_px
        self.ord_type = ord_type
        self.time_in_force = time_in_force
        self.exec_inst = exec_inst
        self.post_only = POST_ONLY in exec_inst
        self.reduce_only = REDUCE_ONLY in exec_inst or CLOSE in exec_inst
        self.ord_status = NEW
        self.working = False
        self.cum_qty = self.cum_cost = 0
        self.avg_px_e8: int | None = None
        self.text = self.origin_text = text
        self.triggered = ""
        self.transact_time = self.timestamp = self.submitted_time = now
        self.lot_value = 0
        self.counted = False
        self.ahead = 0
        self.prev = self.next = self.level = None

    def __getstate__(self) -> tuple[None, dict[str, Any]]:
        """Without the links of the queue, which would nest as deep as it is long (see `Book.queues`)."""
        return None, {n: getattr(self, n) for n in self.__slots__ if n not in LINKS} | dict.fromkeys(LINKS)

    @property
    def is_open(self) -> bool:
        return self.ord_status in OPEN

    def columns(self) -> dict[str, Any]:
        """Everything about the order that can change, as it is now (see `events.OrderEvent`)."""
        return {
            "cl_ord_id": self.cl_ord_id,
            "ord_status": self.ord_status,
            "working": self.working,
            "order_qty": self.order_qty,
            "price": self.price,
            "stop_px": self.stop_px,
            "leaves_qty": self.leaves_qty,
            "cum_qty": self.cum_qty,
            "avg_px_e8": self.avg_px_e8,
            "text": self.text,
            "triggered": self.triggered,
            "transact_time": self.transact_time,
            "timestamp": self.timestamp,
        }

    def __repr__(self) -> str:
        word = "buy" if self.side > 0 else "sell"
        return f"<Order {self.order_id} {word} {self.leaves_qty}/{self.order_qty} {self.symbol} @{self.price} {self.ord_status}>"


class CancelResult(NamedTuple):
    """One row of the answer to a cancel: the order when it is known, and why it could not be cancelled if so."""

    order: Order | None
    error: str | None
    requested_id: str
