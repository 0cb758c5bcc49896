"""Recorded market data as hftbacktest wants it: files of event rows, written batch by batch so that memory stays bounded.

Each row is written twice. The rows of `matching` are seen by the library's exchange alone, so that nothing but our own orders stops its
clock; those of `showing` by its client alone, and make the book that the venue shows. (One set with both flags would stop at every row.)

What is known decides what is written

* Book changes (LEVEL): a row sets the size of its level absolutely; a level without a row holds nothing.
* The touch alone (TOUCH): nothing is known of the levels beyond it. For matching they hold more than will ever be traded, so that an order
  there is filled only when a trade goes through its price, or when the touch has come to it: then it waits behind all that is shown.
  Levels that the touch leaves behind on the way back are empty; those that it leaves on the way out are unknown again.
* Where both are recorded the first kind that comes is the book, and rows of the other kind are passed over.
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

TRADE, LEVEL, CLEAR, TOUCH = 1, 2, 3, 4
UNKNOWN = 1e12  # contracts; more than the venue has ever traded at one price
FAR = 2**62  # ns; a last row that is never reached, lest the library say that the data are over
BATCH = 200_000


class NoMarket(ValueError):
    """The data show no book: nothing can be traded in them; one line."""


class Rows:
    """Event rows under construction: parts with the place each has in the batch."""

    def __init__(self, times: Any, flag: int) -> None:
        self._times, self._flag = times, flag
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
        out["exch_ts"] = out["local_ts"] = self._times[place[order]]
        out["px"] = ticks[order] * tick
        out["qty"] = quantity[order]
        return out


class Tape:
    """The files of one run, in `folder`. `tick` in quote currency, `lot` in contracts.

    After `write`: `matching` and `showing` are file names; `begin` and `end` the times of the first and last row (ns), `rows` how many
    there were; `has_depth` whether more than the touch is known; `first` the first (bid, ask) in ticks.
    """

    def __init__(self, folder: str, tick: float, lot: int) -> None:
        self.folder = folder
        self.matching: list[str] = []
        self.showing: list[str] = []
        self.begin = self.end = self.rows = self.passed_over = 0
        self.source: int | None = None
        self._tick, self._lot = tick, lot
        self._touch = {1: 0, -1: 0}
        self._first: dict[int, int] = {}
        self._range = [2**62, 0]

    @property
    def has_depth(self) -> bool:
        return self.source == LEVEL

    @property
    def first(self) -> tuple[int, int]:
        return self._first[1], self._first[-1]

    def write(self, data: Any, told: Callable[[int], None] | None = None) -> Tape:
        """Write all that `data` holds. `told(rows so far)` is called after each batch. Raises NoMarket."""
        for batch in data.batches():
            for start in range(0, len(batch.time), BATCH):
                self._take(*(column[start : start + BATCH] for column in batch))
                if told is not None:
                    told(self.rows)
        if len(self._first) < 2:
            raise NoMarket("there is no bid and ask in the data" if self.rows else "there is no row in the data")
        self.matching.insert(0, self._save("matching", self._unknown()))
        for names, flag in ((self.matching, EXCH_EVENT), (self.showing, LOCAL_EVENT)):
            names.append(self._save("last", self._one(FAR, DEPTH_EVENT | BUY_EVENT, 1, 0.0, flag)))
        self.showing.insert(0, self._save("first", self._one(self.begin, DEPTH_EVENT | BUY_EVENT, 1, 0.0, LOCAL_EVENT)))
        return self

    # ---- one batch

    def _take(self, time: Any, kind: Any, side: Any, price: Any, size: Any) -> None:
        if not len(time):
            return
        time = np.maximum(np.maximum.accumulate(np.asarray(time, np.int64)), self.end)
        kind, side = np.asarray(kind), np.asarray(side, np.int64)
        if not self.rows:
            self.begin = int(time[0])
        self.end = int(time[-1])
        self.rows += len(time)
        if self.source is None:
            found = [k for k in (LEVEL, TOUCH) if (kind == k).any()]
            self.source = found[0] if found else None
        self.passed_over += int(((kind == LEVEL) | (kind == TOUCH)).sum() - (kind == self.source).sum())
        is_trade = kind == TRADE
        ticks = self._ticks(np.where(is_trade, -side, side), price)
        lots = np.where(size > 0, np.maximum(np.asarray(size) // self._lot, 1) * self._lot, 0).astype(np.float64)
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

    def _ticks(self, side: Any, price: Any) -> Any:
        exact = np.round(np.nan_to_num(np.asarray(price, np.float64)) / self._tick, 6)
        return np.where(side > 0, np.floor(exact), np.ceil(exact)).astype(np.int64)

    def _levels(self, matching: Rows, showing: Rows, kind: Any, side: Any, ticks: Any, lots: Any) -> None:
        cleared = np.flatnonzero(kind == CLEAR)
        far = np.where(side[cleared] > 0, 0, 2 * max(self._range[1], int(ticks.max())))
        found = np.flatnonzero((kind == LEVEL) & (ticks > 0))
        for rows in (matching, showing):
            for sign in (1, -1):
                of = side[cleared] != -sign
                rows.add(cleared[of], DEPTH_CLEAR_EVENT | _sides(np.full(of.sum(), sign)), np.where(sign > 0, 0, far[of]), 0.0)
            rows.add(found, DEPTH_EVENT | _sides(side[found]), ticks[found], lots[found])
        for sign in (1, -1):
            if sign not in self._first:
                shown = found[(side[found] == sign) & (lots[found] > 0)]
                if len(shown):
                    self._first[sign] = int(ticks[shown[0]])

    def _touches(self, matching: Rows, showing: Rows, sign: int, at: Any, ticks: Any, lots: Any) -> None:
        """A side's touch, row by row. Ticks are turned so that higher is better on both sides."""
        is_there = (lots > 0) & (ticks > 0)
        event = DEPTH_EVENT | (BUY_EVENT if sign > 0 else SELL_EVENT)
        gone = np.flatnonzero(~is_there)
        kept = np.flatnonzero(is_there)
        if len(kept) and sign not in self._first:
            self._first[sign] = int(ticks[kept[0]])
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
        rows = Rows(np.array([self.begin]), EXCH_EVENT)
        for sign, levels in ((1, np.arange(lowest, self._first[1])), (-1, np.arange(self._first[-1] + 1, highest + 1))):
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
