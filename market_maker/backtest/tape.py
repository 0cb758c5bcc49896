"""Recorded market data as hftbacktest wants it: files of event rows, written batch by batch so that memory stays bounded.

Each row is written twice. The rows of `matching` are seen by the library's exchange alone, so that nothing but our own orders stops its
clock; those of `showing` by its client alone, and make the book that the venue shows. (One set with both flags would stop at every row.)

What is known decides what is written

* Book changes (LEVEL): a row sets the size of its level absolutely; a level without a row holds nothing.
* The touch alone (TOUCH): nothing is known of the levels beyond it. For matching they hold more than will ever be traded, so that an order
  there is filled only when a trade goes through its price, or when the touch has come to it: then it waits behind all that is shown.
  Levels that the touch leaves behind on the way back are empty; those that it leaves on the way out are unknown again.
* Where both are recorded the first kind that comes is the book, and rows of the other kind are left out.
* Prices go onto the instrument's tick away from the touch (bids down, asks up), sizes down to whole lots but not below one.
* Time never goes back.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
from hftbacktest.types import (
    BUY_EVENT,
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    EXCH_EVENT,
    LOCAL_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
    event_dtype,
)

from bitmex_venue.market.base import BadMarketFile
from bitmex_venue.market.importers.batch import CLEAR, LEVEL, TOUCH, TRADE, Batch

UNKNOWN = 1e12  # contracts; more than the venue has ever traded at one price
FAR = 2**62  # ns; a last row that is never reached, lest the library say that the data are over
BATCH = 200_000


class NoMarket(BadMarketFile):
    """The data show no book: nothing can be traded in them; one line."""


class Opening:
    """When a market opens: both sides of its book have been seen. `first` is side -> (ns, price) of the first row that shows it."""

    def __init__(self) -> None:
        self.first: dict[int, tuple[int, float]] = {}

    def note(self, batch: Batch) -> None:
        """Rows go by, in the order of time."""
        for side in (1, -1):
            if side not in self.first:
                shown = np.flatnonzero((batch.kind != TRADE) & (batch.side == side) & (batch.size > 0) & (batch.price > 0))
                if len(shown):
                    self.first[side] = int(batch.time[shown[0]]), float(batch.price[shown[0]])

    @property
    def time(self) -> int:
        """Raises NoMarket while a side was not seen."""
        if len(self.first) < 2:
            raise NoMarket("There is no bid and ask in the data: nothing can be traded on trades alone.")
        return max(time for time, _ in self.first.values())


def on_the_grid(batch: Batch, tick: float, lot: int) -> tuple[Any, Any]:
    """Prices in ticks and sizes in contracts, both int64: bids and what sells hit down, asks and what buys hit up, whole lots but not below one."""
    side = np.where(batch.kind == TRADE, -batch.side, batch.side)
    exact = np.round(np.nan_to_num(batch.price) / tick, 6)
    lots = np.where(batch.size > 0, np.maximum(batch.size // lot, 1) * lot, 0)
    return np.where(side > 0, np.floor(exact), np.ceil(exact)).astype(np.int64), lots.astype(np.int64)


class Rows:
    """Event rows under construction: parts with the place each has in the batch."""

    def __init__(self, times: Any, flag: int) -> None:
        self.times, self._flag = times, flag
        self._parts: list[tuple[Any, Any, Any, Any]] = []

    def add(self, place: Any, event: Any, ticks: Any, quantity: Any) -> None:
        """Rows for the batch's rows at `place`. Later parts stand behind earlier ones where the place is the same."""
        shape = len(place)
        self._parts.append((place, np.broadcast_to(event, shape), np.broadcast_to(ticks, shape), np.broadcast_to(quantity, shape)))

    def done(self, tick: float) -> Any:
        place, event, ticks, quantity = (np.concatenate(column) for column in zip(*self._parts, strict=True))
        order = np.argsort(place, kind="stable")
        out = np.zeros(len(order), event_dtype)
        out["ev"] = event[order].astype(np.uint64) | np.uint64(self._flag)
        out["exch_ts"] = out["local_ts"] = self.times[place[order]]
        out["px"] = ticks[order] * tick
        out["qty"] = quantity[order]
        return out


class Tape:
    """The files of one run, in `folder`. `tick` in quote currency, `lot` in contracts.

    After `write`: `matching` and `showing` are file names; `begin` and `end` the times of the first and last row (ns), `rows` how many
    there were; `has_depth` whether more than the touch is known; `opens` when both sides of the book have been seen.
    """

    def __init__(self, folder: str, tick: float, lot: int) -> None:
        self.folder = folder
        self.matching: list[str] = []
        self.showing: list[str] = []
        self.begin = self.end = self.opens = self.rows = 0
        self.source: int | None = None
        self._tick, self._lot = tick, lot
        self._touch = {1: 0, -1: 0}
        self._opening = Opening()
        self._range = [2**62, 0]

    @property
    def has_depth(self) -> bool:
        return self.source == LEVEL

    def write(self, data: Any, told: Callable[[int], None] | None = None, longest: int = FAR) -> Tape:
        """Write what `data` holds, no more than `longest` ns of it. `told(rows so far)` is called after each batch. Raises NoMarket."""
        for batch in data.batches():
            for start in range(0, len(batch.time), BATCH):
                self._take(Batch(*(column[start : start + BATCH] for column in batch)))
                if told is not None:
                    told(self.rows)
            if self.end - self.begin > longest:
                break
        self.opens = self._opening.time
        self.matching.insert(0, self._save("matching", self._unknown()))
        for names, flag in ((self.matching, EXCH_EVENT), (self.showing, LOCAL_EVENT)):
            names.append(self._save("last", self._one(FAR, DEPTH_EVENT | BUY_EVENT, 1, 0.0, flag)))
        self.showing.insert(0, self._save("first", self._one(self.begin, DEPTH_EVENT | BUY_EVENT, 1, 0.0, LOCAL_EVENT)))
        return self

    # ---- one batch

    def _take(self, batch: Batch) -> None:
        time, kind, side = batch.time, batch.kind, batch.side
        if not len(time):
            return
        time = np.maximum(np.maximum.accumulate(time), self.end)
        side = side.astype(np.int64)
        if not self.rows:
            self.begin = int(time[0])
        self.end = int(time[-1])
        self.rows += len(time)
        self._opening.note(batch._replace(time=time))
        if self.source is None:
            found = [k for k in (LEVEL, TOUCH) if (kind == k).any()]
            self.source = found[0] if found else None
        is_trade = kind == TRADE
        ticks, lots = on_the_grid(batch, self._tick, self._lot)
        matching, showing = Rows(time, EXCH_EVENT), Rows(time, LOCAL_EVENT)
        traded = np.flatnonzero(is_trade & (lots > 0))
        for rows in (matching, showing):
            rows.add(traded, TRADE_EVENT | _sides(side[traded]), ticks[traded], lots[traded])
        if self.source == LEVEL:
            self._levels(matching, showing, kind, side, ticks, lots)
        else:
            for sign in (1, -1):
                at = np.flatnonzero((kind == TOUCH) & (side == sign))
                self._touches(matching, showing, sign, at, ticks[at], lots[at])
        seen = ticks[(is_trade | (kind == self.source)) & (ticks > 0)]
        if len(seen):
            self._range = [min(self._range[0], int(seen.min())), max(self._range[1], int(seen.max()))]
        number = len(self.matching)
        self.matching.append(self._save(f"matching-{number}", matching.done(self._tick)))
        self.showing.append(self._save(f"showing-{number}", showing.done(self._tick)))

    def _levels(self, matching: Rows, showing: Rows, kind: Any, side: Any, ticks: Any, lots: Any) -> None:
        cleared = np.flatnonzero(kind == CLEAR)
        far = np.where(side[cleared] > 0, 0, 2 * max(self._range[1], int(ticks.max())))
        found = np.flatnonzero((kind == LEVEL) & (ticks > 0))
        for rows in (matching, showing):
            for sign in (1, -1):
                of = side[cleared] != -sign
                rows.add(cleared[of], DEPTH_CLEAR_EVENT | _sides(np.full(of.sum(), sign)), np.where(sign > 0, 0, far[of]), 0.0)
            rows.add(found, DEPTH_EVENT | _sides(side[found]), ticks[found], lots[found])

    def _touches(self, matching: Rows, showing: Rows, sign: int, at: Any, ticks: Any, lots: Any) -> None:
        """A side's touch, row by row. Ticks are turned so that higher is better on both sides."""
        is_there = (lots > 0) & (ticks > 0)
        event = DEPTH_EVENT | (BUY_EVENT if sign > 0 else SELL_EVENT)
        gone = np.flatnonzero(~is_there)
        kept = np.flatnonzero(is_there)
        now = ticks[kept] * sign
        before = np.concatenate(([self._touch[sign] * sign or now[0]], now[:-1])) if len(kept) else now
        if len(gone):  # an empty side is shown as such; for matching the level stays as it was
            last = np.searchsorted(kept, gone) - 1
            was = np.where(last >= 0, now[np.maximum(last, 0)] * sign if len(kept) else 0, self._touch[sign])
            known = was > 0
            showing.add(at[gone][known], event, was[known], 0.0)
        if not len(kept):
            return
        moved = np.flatnonzero(now != before)
        showing.add(at[kept][moved], event, before[moved] * sign, 0.0)
        showing.add(at[kept], event, now * sign, lots[kept])
        out, back = now > before, now < before
        for which, first, count, size in ((out, before, now - before, UNKNOWN), (back, now + 1, before - now, 0.0)):
            chosen = np.flatnonzero(which)
            steps = count[chosen]
            level = np.repeat(first[chosen], steps) + np.arange(steps.sum()) - np.repeat(np.cumsum(steps) - steps, steps)
            matching.add(np.repeat(at[kept][chosen], steps), event, level * sign, size)
        matching.add(at[kept], event, now * sign, lots[kept])
        self._touch[sign] = int(now[-1] * sign)

    # ---- the first and the last file

    def _unknown(self) -> Any:
        """Before the first row: nobody knows what stands beyond the touch, within the prices that will be seen."""
        if self.has_depth:
            return self._one(self.begin, DEPTH_EVENT | BUY_EVENT, 1, 0.0, EXCH_EVENT)
        lowest, highest = self._range
        bid, ask = (round(self._opening.first[side][1] / self._tick) for side in (1, -1))
        rows = Rows(np.array([self.begin]), EXCH_EVENT)
        for sign, levels in ((1, np.arange(lowest, bid)), (-1, np.arange(ask + 1, highest + 1))):
            rows.add(np.zeros(len(levels), np.int64), DEPTH_EVENT | (BUY_EVENT if sign > 0 else SELL_EVENT), levels, UNKNOWN)
        rows.add(np.zeros(1, np.int64), DEPTH_EVENT | BUY_EVENT, 1, 0.0)
        return rows.done(self._tick)

    def _one(self, time: int, event: int, ticks: int, quantity: float, flag: int) -> Any:
        rows = Rows(np.array([time]), flag)
        rows.add(np.zeros(1, np.int64), event, ticks, quantity)
        return rows.done(self._tick)

    def _save(self, name: str, rows: Any) -> str:
        path = os.path.join(self.folder, f"{name}-{len(os.listdir(self.folder))}.npz")
        np.savez(path, data=rows)
        return path


def _sides(side: Any) -> Any:
    return np.where(side > 0, BUY_EVENT, SELL_EVENT)
