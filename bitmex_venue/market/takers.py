"""Those who trade at once: on what the fair price has left behind, and for reasons of their own.

Rules:
* Whatever is priced on the wrong side of the fair price is taken, whoever owns it; nobody pays more than the fair
  price.
* A small market order pays a few levels beyond the touch at most, so that noise alone never walks through the book.
* One order buys no more than the instrument allows, so a wall can hold a price for a while.
* Nothing of theirs ever rests.
"""

from __future__ import annotations

from random import Random

from bitmex_venue.engine.commands import BUY, SELL, Place

from .base import TAKERS, Floor
from .habits import Habits


class Takers:
    """The house account TAKERS on one instrument; `walk` is how far a small market order goes, in ticks."""

    def __init__(self, floor: Floor, symbol: str, habits: Habits, rng: Random, walk: int) -> None:
        self._floor = floor
        self._symbol = symbol
        self._habits = habits
        self._rng = rng
        self._walk = walk
        self._spec = floor.exchange.instruments[symbol].spec
        self._book = floor.exchange.books[symbol]

    def take_mispriced(self, time: int, bid: int) -> None:
        """Everything offered at `bid` or less, everything bid above it: the fair price lies just above `bid`."""
        book = self._book
        for side, limit in ((BUY, bid), (SELL, bid + 1)):
            best = book.best_ask if side == BUY else book.best_bid
            if best is not None and (limit - best) * side >= 0:
                self._take(time, side, self._shown(-side, limit), limit)

    def small_order(self, time: int, side: int) -> None:
        """A market order of somebody who knows nothing."""
        best = self._book.best_ask if side == BUY else self._book.best_bid
        amount = self._habits.size(self._rng, *self._habits.market_size, self._spec)
        if best is not None:
            self._take(time, side, amount, best + side * self._walk)

    def _shown(self, side: int, limit: int) -> int:
        """What rests on `side` at `limit` and better."""
        total = 0
        for level in self._book.side(side).in_order():
            if (level.price - limit) * side < 0:
                break
            total += level.size
        return total

    def _take(self, time: int, side: int, amount: int, limit: int) -> None:
        lot = self._spec.lot_size
        quantity = min(amount, self._spec.max_order_qty) // lot * lot
        if quantity > 0 and limit > 0:
            order = Place(TAKERS, self._symbol, side, quantity, limit, time_in_force="ImmediateOrCancel")
            self._floor.do(time, order)
