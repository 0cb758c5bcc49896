"""Reading a recorded realtime stream: lines of a file become timed messages, messages become levels and trades. Pure.

Formats: `{"t": unix seconds, "dir": "in", "msg": {...}}` a line (what cryptofeed and we record), or the messages
themselves, one a line; then the timestamps inside the rows are the clock.

Rules:
* Only what came in counts; welcomes, acknowledgements and tables of no use here are passed over.
* A line that is no JSON object is an error with its number, except a last line that was cut off in writing. A caller who brings `bad`
  is told of such lines and rows instead, and the rest is read: of a message with a bad row its other rows.
* Time never goes back. What comes before the first timestamp (of the first messages, lest memory be unbounded) has its time.
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
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from typing import Any, NamedTuple

from bitmex_venue.engine.commands import BUY, SELL

from .base import SECOND, BadMarketFile

BOOKS = ("orderBookL2", "orderBookL2_100", "orderBookL2_25")
SIDES = {"Buy": BUY, "Sell": SELL}
UNDATED = 1000  # messages that wait for a timestamp

Level = tuple[int, int]  # side, ticks
OnBadLine = Callable[[int, str, str], None]  # line, kind, what


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


def messages(lines: Iterator[tuple[int, str]], path: str, bad: OnBadLine | None = None) -> Iterator[Message]:
    """The table messages of a recording. Raises BadMarketFile for a line that is no JSON object, unless `bad` is told."""
    undated: list[Message] | None = []
    for message in _messages(lines, path, bad):
        if undated is not None and message.time == 0 and len(undated) < UNDATED:
            undated.append(message)
            continue
        if undated is not None:
            yield from (early._replace(time=message.time) for early in undated)
            undated = None
        yield message
    yield from undated or ()


def _messages(lines: Iterator[tuple[int, str]], path: str, bad: OnBadLine | None) -> Iterator[Message]:
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
            _complain(path, bad, number, "line", "not a JSON object")
            continue
        message = line.get("msg") if "dir" in line else line
        if line.get("dir", "in") != "in" or not isinstance(message, dict) or "table" not in message:
            continue
        rows = message.get("data")
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            _complain(path, bad, number, "row", f"a message of table {message['table']} without rows")
            continue
        time = max(time, _time(line, rows, time))
        yield Message(time, number, str(message["table"]), str(message.get("action")), rows)


def _complain(path: str, bad: OnBadLine | None, line: int, kind: str, what: str) -> None:
    if bad is None:
        raise BadMarketFile(f"{path}:{line}: {what}")
    bad(line, kind, what)


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


def touch(row: dict[str, Any]) -> Iterator[tuple[int, float | None, float]]:
    """(side, price, size) of both sides of a quote; size 0 where a side is empty. May raise TypeError, ValueError."""
    for side, name in ((BUY, "bid"), (SELL, "ask")):
        price, size = row.get(name + "Price"), row.get(name + "Size")
        if price and size:
            yield side, float(price), float(size)
        else:
            yield side, None, 0.0


class ExactBook:
    """The levels of one symbol as rows say, at prices as printed.

    Rows are set by a key of their own (`put`, `drop`, `clear`); `changes` tells {(side, price): size} of the levels they concern, 0 for gone,
    also where a row repeats what was known: what trades have taken from a level on the floor is there again then. `apply` does all
    that for a message.
    """

    def __init__(self) -> None:
        self.source: str | None = None
        self._rows: dict[Any, tuple[Any, float]] = {}
        self._sizes: dict[Any, float] = {}
        self._before: dict[Any, float] = {}  # of what changed: what it was

    @property
    def levels(self) -> dict[Any, float]:
        """Every level there is now."""
        return {level: self.size(size) for level, size in self._sizes.items()}

    def level(self, side: int, price: float) -> Any:
        return side, float(price)

    def size(self, size: float) -> float:
        """What is shown of a level that is there."""
        return size

    # ---- messages

    def apply(
        self, message: Message, rows: list[dict[str, Any]], bad: Callable[[str], None] | None = None
    ) -> dict[Any, float]:
        """What `rows`, those of `message` about this symbol, set. A bad row is told to `bad`, or raises KeyError, TypeError, ValueError."""
        if message.table == "quote":
            return self._quote(rows[-1]) if self.source is None else {}
        if self.source is None and message.action == "partial":
            self.source = message.table
        if message.table != self.source:
            return {}
        if message.action == "partial":
            self.clear()
        for row in rows:
            try:
                self._row(message.action, row)
            except (KeyError, TypeError, ValueError) as error:
                if bad is None:
                    raise
                bad(repr(error))
        return self.changes()

    def _quote(self, row: dict[str, Any]) -> dict[Any, float]:
        for side, price, size in touch(row):
            if size:
                self.put(side, side, price, size)
            else:
                self.drop(side)
        return self.changes()

    def _row(self, action: str, row: dict[str, Any]) -> None:
        key = row["id"]
        known = self._rows.get(key)
        if known is None and action in ("update", "delete"):
            return
        if action == "delete":
            self.drop(key)
        else:
            self._set(key, *self._said(row, known))

    def _said(self, row: dict[str, Any], known: tuple[Any, float] | None) -> tuple[Any, float]:
        """Level and size that a row gives, with what it leaves out."""
        price, size = row.get("price"), row.get("size")
        if known is None and (price is None or size is None):
            raise ValueError("a level without a price or a size")
        if price is not None and not price > 0:
            raise ValueError(f"price {price!r}")
        if size is not None and not size >= 0:
            raise ValueError(f"size {size!r}")
        level = known[0] if price is None else self.level(SIDES[row["side"]], price)
        return level, known[1] if size is None else int(size)

    # ---- rows

    def put(self, key: Any, side: int, price: float, size: float) -> None:
        """The row `key` now shows `size` at this price, wherever it was before."""
        self._set(key, self.level(side, price), size)

    def drop(self, key: Any) -> None:
        """The row `key` is gone. Nothing when it is not known."""
        known = self._rows.pop(key, None)
        if known is not None:
            self._add(known[0], -known[1])

    def clear(self) -> None:
        """Everything is gone."""
        for level, size in self._sizes.items():
            self._before.setdefault(level, size)
        self._rows.clear()
        self._sizes.clear()

    def changes(self) -> dict[Any, float]:
        """What rows have set or taken away since this was last asked; what goes comes first, lest the book cross."""
        changes = {}
        for level, old in self._before.items():
            new = self._sizes.get(level, 0)
            if old or new:
                changes[level] = self.size(new) if new else 0
        self._before = {}
        return dict(sorted(changes.items(), key=lambda change: change[1] != 0))

    def _set(self, key: Any, level: Any, size: float) -> None:
        self.drop(key)
        self._rows[key] = (level, size)
        self._add(level, size)

    def _add(self, level: Any, size: float) -> None:
        old = self._sizes.get(level, 0)
        self._before.setdefault(level, old)
        if old + size > 0:
            self._sizes[level] = old + size
        else:
            self._sizes.pop(level, None)


class RecordedBook(ExactBook):
    """The same on the grid of an instrument: levels are (side, ticks), sizes whole lots."""

    def __init__(self, tick: float, lot: int) -> None:
        super().__init__()
        self.off_grid: float | None = None  # the first price that had to be moved
        self._tick = tick
        self._lot = lot

    @property
    def mid(self) -> float | None:
        """In quote currency; None while a side is empty."""
        bids = [ticks for side, ticks in self._sizes if side == BUY]
        asks = [ticks for side, ticks in self._sizes if side == SELL]
        return (max(bids) + min(asks)) / 2 * self._tick if bids and asks else None

    def level(self, side: int, price: float) -> Level:
        return side, self.ticks(side, price)

    def ticks(self, side: int, price: float) -> int:
        exact = round(price / self._tick, 6)
        if self.off_grid is None and exact != int(exact):
            self.off_grid = price
        return math.floor(exact) if side == BUY else math.ceil(exact)

    def size(self, size: float) -> int:
        return max(int(size) // self._lot, 1) * self._lot
