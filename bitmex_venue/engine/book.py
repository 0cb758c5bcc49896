"""The resting orders of one instrument: price levels in order, a first-in first-out queue in each.

Rules:

* a level exists while it holds an order or external size, and `size` is the sum of both;
* orders of a level stand in the order in which they came; a decrease keeps the place, anything else goes to the back;
* adding, removing and changing cost O(log levels) at most, whatever stands in the book;
* every level whose size changed since the last `take_changes` is reported once, with the size it had before.

`external` is liquidity of nobody here (recorded data, see `external`); price-time matching leaves it 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sortedcontainers import SortedList

from .orders import Order


class Level:
    """One price: `size` contracts in all, `external` of them nobody's; the queue is linked from `head` to `tail`."""

    __slots__ = ("price", "size", "external", "head", "tail", "count")

    def __init__(self, price: int) -> None:
        self.price = price
        self.size = self.external = self.count = 0
        self.head: Order | None = None
        self.tail: Order | None = None

    def __getstate__(self) -> tuple[None, dict[str, Any]]:
        """Without the queue (see `Book.queues`)."""
        whole = {"price": self.price, "size": self.size, "external": self.external, "count": self.count}
        return None, {**whole, "head": None, "tail": None}

    def orders(self) -> Iterator[Order]:
        order = self.head
        while order is not None:
            yield order
            order = order.next


class Side:
    """Bids or asks. `best` is the best price in ticks or None."""

    __slots__ = ("sign", "levels", "prices", "best")

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.levels: dict[int, Level] = {}
        self.prices = SortedList()
        self.best: int | None = None

    def level(self, price: int) -> Level:
        """The level at a price, made when there is none."""
        level = self.levels.get(price)
        if level is None:
            level = self.levels[price] = Level(price)
            self.prices.add(price)
            if self.best is None or (price > self.best) == (self.sign > 0):
                self.best = price
        return level

    def drop(self, price: int) -> None:
        del self.levels[price]
        self.prices.remove(price)
        if price == self.best:
            prices = self.prices
            self.best = None if not prices else prices[-1] if self.sign > 0 else prices[0]

    def in_order(self) -> Iterator[Level]:
        """Levels from the best price outwards."""
        for price in reversed(self.prices) if self.sign > 0 else self.prices:
            yield self.levels[price]

    def reaches(self, limit: int) -> bool:
        """Whether an order on the other side with this limit would trade with the best price here."""
        best = self.best
        return best is not None and (limit <= best if self.sign > 0 else limit >= best)


class Book:
    """Both sides of one instrument. Prices are ticks, sizes contracts; side is +1 (bids) or -1 (asks)."""

    __slots__ = ("symbol", "bids", "asks", "_changes", "shown_quote")

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self.bids = Side(1)
        self.asks = Side(-1)
        self._changes: dict[tuple[int, int], int] = {}
        self.shown_quote: tuple = (None, 0, None, 0)

    @property
    def best_bid(self) -> int | None:
        return self.bids.best

    @property
    def best_ask(self) -> int | None:
        return self.asks.best

    @property
    def bid_size(self) -> int:
        return self.bids.levels[self.bids.best].size if self.bids.best is not None else 0

    @property
    def ask_size(self) -> int:
        return self.asks.levels[self.asks.best].size if self.asks.best is not None else 0

    def side(self, sign: int) -> Side:
        return self.bids if sign > 0 else self.asks

    def levels(self, side: int, depth: int = 0) -> list[tuple[int, int]]:
        """(ticks, size) from the best price outwards; at most `depth` of them, 0 for all."""
        result = []
        for level in self.side(side).in_order():
            result.append((level.price, level.size))
            if len(result) == depth:
                break
        return result

    def orders_at(self, side: int, ticks: int) -> list[Order]:
        """The orders of a level, first in line first."""
        level = self.side(side).levels.get(ticks)
        return list(level.orders()) if level is not None else []

    def size_at(self, side: int, ticks: int) -> int:
        level = self.side(side).levels.get(ticks)
        return level.size if level is not None else 0

    # -- being kept ----------------------------------------------------------------------------------------------------

    def queues(self) -> list[tuple[int, int, list[Order]]]:
        """(side, price, orders) of each level with orders: what a pickled book leaves out."""
        both = (self.bids, self.asks)
        return [(s.sign, at, list(level.orders())) for s in both for at, level in s.levels.items() if level.head]

    def relink(self, queues: Iterable[tuple[int, int, list[Order]]]) -> None:
        """Put the orders of `queues` back into the levels of an unpickled book."""
        for side, price, orders in queues:
            level = self.side(side).levels[price]
            for order in orders:
                order.level, order.prev, order.next = level, level.tail, None
                if level.tail is None:
                    level.head = order
                else:
                    level.tail.next = order
                level.tail = order

    # -- changes -------------------------------------------------------------------------------------------------------

    def add(self, order: Order) -> None:
        """Put an order at the back of the level of its limit."""
        level = (self.bids if order.side > 0 else self.asks).level(order.limit)
        self._changes.setdefault((order.side, level.price), level.size)
        level.size += order.leaves_qty
        level.count += 1
        order.level = level
        order.next = None
        order.prev = tail = level.tail
        if tail is None:
            level.head = order
        else:
            tail.next = order
        level.tail = order

    def remove(self, order: Order) -> None:
        """Take a resting order out of its level."""
        level = order.level
        self._changes.setdefault((order.side, level.price), level.size)
        before, after = order.prev, order.next
        if before is None:
            level.head = after
        else:
            before.next = after
        if after is None:
            level.tail = before
        else:
            after.prev = before
        level.size -= order.leaves_qty
        level.count -= 1
        order.level = order.prev = order.next = None
        if not level.size:
            (self.bids if order.side > 0 else self.asks).drop(level.price)

    def reduce(self, order: Order, qty: int) -> None:
        """`qty` of a resting order go; the order keeps its place, or leaves the book when nothing is left of it."""
        if qty == order.leaves_qty:
            self.remove(order)
        else:
            level = order.level
            self._changes.setdefault((order.side, level.price), level.size)
            level.size -= qty
        order.leaves_qty -= qty

    def set_external(self, side: int, price: int, size: int) -> None:
        """Let a level hold `size` contracts of external liquidity."""
        book_side = self.side(side)
        level = book_side.levels.get(price)
        if level is None:
            if not size:
                return
            level = book_side.level(price)
        self._changes.setdefault((side, price), level.size)
        level.size += size - level.external
        level.external = size
        if not level.size:
            book_side.drop(price)

    @property
    def changed(self) -> bool:
        return bool(self._changes)

    def take_changes(self) -> list[tuple[int, int, int, int]]:
        """(side, price, size, old size) of each level that changed since the last call, in the order of first change."""
        result = []
        for (side, price), old in self._changes.items():
            size = self.size_at(side, price)
            if size != old:
                result.append((side, price, size, old))
        self._changes.clear()
        return result

    def quote(self) -> tuple[int | None, int, int | None, int]:
        return (self.bids.best, self.bid_size, self.asks.best, self.ask_size)
