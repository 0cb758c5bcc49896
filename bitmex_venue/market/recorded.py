"""Reading a recorded realtime stream: lines of a file become timed messages, messages become levels and trades. Pure.

Formats: `{"t": unix seconds, "dir": "in", "msg": {...}}` a line (what cryptofeed and we record), or the messages
themselves, one a line; then the timestamps inside the rows are the clock.

Rules:
* Only what came in counts; welcomes, acknowledgements and tables of no use here are passed over.
* A line that is no JSON object is an error with its number, except a last line that was cut off in writing.
* Time never goes back.
* A book has one source: the first of orderBookL2, orderBookL2_100, orderBookL2_25 that sends a partial for the
  symbol; quotes make a book of one level a side as long as there is none.
* Rows are known by id: updates and deletes of classic streams name no price. Two ids at one price add up. Rows of an
  unknown id are passed over; nothing counts before the partial.
* Prices go onto the instrument's tick away from the touch (bids down, asks up), sizes down to whole lots but not
  below one: a recording of one era can be played on the other's instruments.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any, NamedTuple

from bitmex_venue.engine.commands import BUY, SELL

from .base import SECOND, BadMarketFile

BOOKS = ("orderBookL2", "orderBookL2_100", "orderBookL2_25")
SIDES = {"Buy": BUY, "Sell": SELL}

Level = tuple[int, int]  # side, ticks


class Message(NamedTuple):
    time: int  # ns by the recording's clock
    line: int
    table: str
    action: str
    rows: list[dict[str, Any]]


class Trade(NamedTuple):
    side: int  # the taker's
    ticks: int
    size: int


def messages(lines: Iterator[tuple[int, str]], path: str) -> Iterator[Message]:
    """The table messages of a recording. Raises BadMarketFile for a line that is no JSON object."""
    time = 0
    for number, text in lines:
        if not text.strip():
            continue
        try:
            line = json.loads(text)
        except ValueError:
            if not text.endswith("\n"):
                return  # the recording was cut off here
            line = None
        if not isinstance(line, dict):
            raise BadMarketFile(f"{path}:{number}: not a JSON object")
        message = line.get("msg") if "dir" in line else line
        if line.get("dir", "in") != "in" or not isinstance(message, dict) or "table" not in message:
            continue
        rows = message.get("data")
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise BadMarketFile(f"{path}:{number}: a message of table {message['table']} without rows")
        time = max(time, _time(line, rows, time))
        yield Message(time, number, str(message["table"]), str(message.get("action")), rows)


def _time(line: dict[str, Any], rows: list[dict[str, Any]], before: int) -> int:
    if isinstance(line.get("t"), (int, float)):
        return int(line["t"] * 1e9)
    stamps = [row["timestamp"] for row in rows if isinstance(row.get("timestamp"), str)]
    try:
        return max((_nanoseconds(stamp) for stamp in stamps), default=before)
    except ValueError:
        return before


def _nanoseconds(stamp: str) -> int:
    moment = datetime.strptime(stamp[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    fraction = stamp[19:].strip("Z.")
    return int(moment.timestamp()) * SECOND + (int(fraction.ljust(9, "0")[:9]) if fraction else 0)


class RecordedBook:
    """The levels of one symbol as the rows say. `apply` returns what changed: {(side, ticks): size}, 0 for gone."""

    def __init__(self, tick: float, lot: int) -> None:
        self._tick = tick
        self._lot = lot
        self._source: str | None = None
        self._rows: dict[Any, tuple[Level, int]] = {}
        self._sizes: dict[Level, int] = {}

    @property
    def mid(self) -> float | None:
        """In quote currency; None while a side is empty."""
        bids = [ticks for side, ticks in self._sizes if side == BUY]
        asks = [ticks for side, ticks in self._sizes if side == SELL]
        return (max(bids) + min(asks)) / 2 * self._tick if bids and asks else None

    def ticks(self, side: int, price: float) -> int:
        exact = round(price / self._tick, 6)
        return math.floor(exact) if side == BUY else math.ceil(exact)

    def size(self, size: float) -> int:
        return max(int(size) // self._lot, 1) * self._lot

    def apply(self, message: Message, rows: list[dict[str, Any]]) -> dict[Level, int]:
        """`rows` are those of `message` about this symbol. May raise KeyError, TypeError, ValueError."""
        if message.table == "quote":
            return self._quote(rows[-1]) if self._source is None else {}
        if self._source is None and message.action == "partial":
            self._source = message.table
        if message.table != self._source:
            return {}
        before: dict[Level, int] = {}
        if message.action == "partial":
            before.update(self._sizes)
            self._rows.clear()
            self._sizes.clear()
        for row in rows:
            self._row(message.action, row, before)
        return self._changes(before)

    def _quote(self, row: dict[str, Any]) -> dict[Level, int]:
        before = dict(self._sizes)
        self._sizes.clear()
        for side, name in ((BUY, "bid"), (SELL, "ask")):
            if row.get(name + "Price") and row.get(name + "Size"):
                self._add((side, self.ticks(side, row[name + "Price"])), int(row[name + "Size"]), before)
        return self._changes(before)

    def _row(self, action: str, row: dict[str, Any], before: dict[Level, int]) -> None:
        known = self._rows.get(row["id"])
        if known is None and action in ("update", "delete"):
            return
        if known is not None:
            self._add(known[0], -known[1], before)
            del self._rows[row["id"]]
        if action == "delete":
            return
        if row.get("price") is not None:
            side = SIDES[row["side"]]
            level = (side, self.ticks(side, row["price"]))
        else:
            level = known[0]
        size = int(row["size"]) if row.get("size") is not None else known[1]
        self._rows[row["id"]] = (level, size)
        self._add(level, size, before)

    def _add(self, level: Level, size: int, before: dict[Level, int]) -> None:
        old = self._sizes.get(level, 0)
        before.setdefault(level, old)
        if old + size > 0:
            self._sizes[level] = old + size
        else:
            self._sizes.pop(level, None)

    def _changes(self, before: dict[Level, int]) -> dict[Level, int]:
        """Of the levels in `before` those that changed, in lots; what goes comes first, lest the book cross."""
        changes = {}
        for level, old in before.items():
            new = self._sizes.get(level, 0)
            if old != new:
                changes[level] = self.size(new) if new else 0
        return dict(sorted(changes.items(), key=lambda change: change[1] != 0))
