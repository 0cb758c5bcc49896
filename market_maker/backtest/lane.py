"""One hftbacktest: recorded rows go by in simulated time, and our orders wait among them in its queues.

The library's Python face is made for code that numba compiles; from plain Python its C functions are called straight, which costs a
microsecond each. Floats become ticks and contracts here, and nowhere else.

Rules

* A lane that matches is moved by `go`, which stops at the moment at which something became of an order of ours, so that fills are found
  in their order and with their own time. One that shows is moved by `look` and `step`: each of its rows would stop `go`.
* An order request takes no time in here: latency is made at the doors of the venue (see `doors`), where replies and time-outs feel it
  too, and rows are not delayed.
* A number names one order for ever.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from hftbacktest import BacktestAsset, _hftbacktest, binding
from hftbacktest.order import GTC, IOC, LIMIT
from hftbacktest.types import BUY_EVENT, SELL_EVENT, event_dtype, order_dtype, state_values_dtype

FEED, RESPONSE = 2, 3  # what made the library stop
PROBABILITY_POWER = 3.0  # of the probabilistic queue model: see hftbacktest's PowerProbQueueModel3
KEPT_TRADES = 1024
ENOUGH = 4096  # ended orders after which the library is told to forget them

NO_ASK = 2**63 - 1  # what the library calls the best ask of an empty side

_LEAVES_AT = order_dtype.fields["leaves_qty"][1]
_double = struct.Struct("<d").unpack
_trade, _trade_size = struct.Struct("<Qqqdd").unpack, 40  # the first columns of an event row: ev, exch_ts, local_ts, px, qty


class LaneError(RuntimeError):
    """The library refused what we thought could be done: a fault of ours, never of the data."""


class Model(NamedTuple):
    """How orders wait and are filled. `queue`: conservative or probabilistic; `partial` whether a trade fills part of an order.

    `tick` in quote currency; `lot` in contracts; the rest is for the library's own books, which nobody here relies on.
    """

    tick: float
    lot: int
    queue: str = "conservative"
    partial: bool = True
    is_inverse: bool = True
    multiplier: float = 1.0
    maker_fee: float = 0.0
    taker_fee: float = 0.0


class Lane:
    """`files` are .npz files of hftbacktest's event rows, in the order of time. `start` must be called first."""

    def __init__(self, files: Sequence[str], model: Model, keeps_trades: bool = False) -> None:
        asset = BacktestAsset().data(list(files))
        asset = asset.inverse_asset(model.multiplier) if model.is_inverse else asset.linear_asset(model.multiplier)
        asset = asset.constant_order_latency(0, 0).trading_value_fee_model(model.maker_fee, model.taker_fee)
        asset = asset.tick_size(model.tick).lot_size(float(model.lot)).last_trades_capacity(KEPT_TRADES if keeps_trades else 0)
        prudent = model.queue == "conservative"
        asset = asset.risk_adverse_queue_model() if prudent else asset.power_prob_queue_model3(PROBABILITY_POWER)
        asset = asset.partial_fill_exchange() if model.partial else asset.no_partial_fill_exchange()
        self._tick = model.tick
        self._bt = _hftbacktest.build_hashmap_backtest([asset])
        self._asset = asset
        self._depth = binding.hashmapbt_depth(self._bt, 0)
        self._ended = 0
        self.now = 0

    def start(self) -> int:
        """Go to the first row; its time."""
        binding.hashmapbt_wait_next_feed(self._bt, True, 0)
        self.now = binding.hashmapbt_current_timestamp(self._bt)
        return self.now

    def go(self, until: int) -> bool:
        """Let the rows go by until `until` (ns), or until something became of an order: then True, and `now` tells when."""
        answer = binding.hashmapbt_wait_next_feed(self._bt, True, until - self.now)
        if answer == RESPONSE:
            self.now = binding.hashmapbt_current_timestamp(self._bt)
            return True
        self.now = until
        return False

    def look(self, until: int) -> None:
        """Let all rows go by until `until`, for a lane that shows them."""
        binding.hashmapbt_elapse(self._bt, until - self.now)
        self.now = until

    def step(self, until: int) -> bool:
        """Go to the next moment at which there are rows for whoever looks on, or to `until` when there is none before: then False."""
        if binding.hashmapbt_wait_next_feed(self._bt, False, until - self.now) == FEED:
            self.now = binding.hashmapbt_current_timestamp(self._bt)
            return True
        self.now = until
        return False

    # ---- our orders

    def submit(self, number: int, side: int, ticks: int, quantity: int, only_now: bool = False) -> None:
        """A new order; `only_now`: what is not filled at once is not wanted (immediate or cancel)."""
        send = binding.hashmapbt_submit_buy_order if side > 0 else binding.hashmapbt_submit_sell_order
        self._check(send(self._bt, 0, number, ticks * self._tick, float(quantity), IOC if only_now else GTC, LIMIT, False))

    def shrink(self, number: int, ticks: int, leaves: int) -> None:
        """An order that rests is made smaller, and keeps its place."""
        self._check(binding.hashmapbt_modify(self._bt, 0, number, ticks * self._tick, float(leaves), False))

    def cancel(self, number: int) -> None:
        """Take an order out."""
        self._check(binding.hashmapbt_cancel(self._bt, 0, number, False))

    def leaves(self, number: int) -> int:
        """What of an order is not filled, in contracts."""
        address = binding.orders_get(binding.hashmapbt_orders(self._bt, 0), number)
        if not address:
            raise LaneError(f"order {number} is not known")
        return round(_double(ctypes.string_at(address + _LEAVES_AT, 8))[0])

    def forget(self, number: int) -> None:
        """An order has ended, and nobody will ask for it again."""
        self._ended += 1
        if self._ended >= ENOUGH:
            self._ended = 0
            binding.hashmapbt_clear_inactive_orders(self._bt, 0)

    def _check(self, code: int) -> None:
        """The request was taken; let its answer come, which takes no time."""
        if code:
            raise LaneError(f"hftbacktest refused a request with {code}")
        binding.hashmapbt_wait_next_feed(self._bt, True, 0)

    # ---- what the rows show

    def touch(self) -> tuple[int | None, int, int | None, int]:
        """(bid, its size, ask, its size): ticks and contracts; None and 0 where a side is empty."""
        depth = self._depth
        bid, ask = binding.hashmapdepth_best_bid_tick(depth), binding.hashmapdepth_best_ask_tick(depth)
        bid_size = binding.hashmapdepth_best_bid_qty(depth) if bid > 0 else 0.0
        ask_size = binding.hashmapdepth_best_ask_qty(depth) if 0 < ask < NO_ASK else 0.0
        return (bid if bid_size else None), round(bid_size), (ask if ask_size else None), round(ask_size)

    def size_at(self, side: int, ticks: int) -> int:
        """What stands at a price, in contracts."""
        look = binding.hashmapdepth_bid_qty_at_tick if side > 0 else binding.hashmapdepth_ask_qty_at_tick
        return round(look(self._depth, ticks))

    def levels(self, depth: int) -> dict[tuple[int, int], int]:
        """(side, ticks) -> contracts of the best `depth` levels of each side."""
        count = ctypes.c_uint64()
        address = binding.hashmapdepth_snapshot(self._depth, ctypes.byref(count))
        try:
            found = _events(address, count.value)
            bids = found[(found["ev"] & BUY_EVENT) != 0]
            asks = found[(found["ev"] & SELL_EVENT) != 0]
            return {**self._best(1, bids, depth), **self._best(-1, asks, depth)}
        finally:
            binding.hashmapdepth_snapshot_free(address, count.value)

    def _best(self, side: int, rows: Any, depth: int) -> dict[tuple[int, int], int]:
        ticks = np.rint(rows["px"] / self._tick).astype(np.int64)
        order = np.argsort(-side * ticks, kind="stable")[:depth]
        return {(side, int(ticks[i])): round(rows["qty"][i]) for i in order}

    def last_trade(self) -> tuple[int, int, int] | None:
        """(taker's side, ticks, contracts) of the newest trade since the last call; None where there was none."""
        count = ctypes.c_uint64()
        address = binding.hashmapbt_last_trades(self._bt, 0, ctypes.byref(count))
        if not count.value:
            return None
        event, _, _, price, quantity = _trade(ctypes.string_at(address + (count.value - 1) * event_dtype.itemsize, _trade_size))
        found = (1 if event & BUY_EVENT else -1), round(price / self._tick), round(quantity)
        binding.hashmapbt_clear_last_trades(self._bt, 0)
        return found

    def books(self) -> tuple[float, float]:
        """(position, fee) as the library keeps them: to be compared with the venue's accounts, which count."""
        values = np.frombuffer(_bytes(binding.hashmapbt_state_values(self._bt, 0), state_values_dtype.itemsize), state_values_dtype)[0]
        return float(values["position"]), float(values["fee"])

    def close(self) -> None:
        """Give back the library's memory. Calling again is harmless."""
        if self._bt:
            binding.hashmapbt_close(self._bt)
            self._bt = 0


def _bytes(address: int, size: int) -> Any:
    return (ctypes.c_char * size).from_address(address)


def _events(address: int, count: int) -> Any:
    """A view of event rows in the library's memory, valid until its next call."""
    return np.frombuffer(_bytes(address, count * event_dtype.itemsize), event_dtype) if count else np.empty(0, event_dtype)
