"""Price-time matching, and the seam at which another matcher takes its place.

A matcher is made by a factory `matcher(book, host)`, one per instrument, and is asked for:

    would_take(side, limit) -> bool          whether such an order would trade at once (for post-only)
    can_fill(order) -> bool                  whether all of it would trade at once (for FillOrKill)
    take(order)                              trade the order against what stands there, as far as its limit allows
    rest(order) / remove(order)              put what is left into the book / take a resting order out
    resize(order, leaves)                    make a resting order smaller where it stands
    advance()                                book what time alone has brought: nothing here, fills where orders wait in a recording
    set_level(side, price, size)             other people's liquidity, set absolutely       (only `external` does this)
    recorded_trade(side, price, size)        a trade that other people made                 (only `external` does this)

and says what happened through its host:

    host.forbids_self_trade                  true when an account may not trade with itself
    host.filled(taker, maker, qty, ticks)    both are orders here; the matcher has already taken `qty` off the maker
    host.filled_outside(order, qty, ticks, liquidity)   the other side is external liquidity
    host.outside_trade(side, qty, ticks)     a trade between others, for the public feed
    host.self_trade(taker, maker)            end the maker, because it would trade with its own account

The host may shrink or end other orders inside any of these calls (ReduceOnly), so a matcher looks at the book afresh after
each. Rules:

* better prices first, and at one price the order that came first;
* a trade is made at the price of the resting order;
* FillOrKill trades wholly or not at all; reduce-only orders of others do not count as liquidity for it, since they may
  shrink during the match (a known difference: such an order may be killed where the real venue would fill it);
* with self-trades forbidden it is the resting order that is cancelled, and the newcomer goes on.
"""

from __future__ import annotations

from .book import Book
from .orders import Order
from .refusals import Refused


class PriceTimeMatcher:
    """The matcher of a live venue."""

    def __init__(self, book: Book, host) -> None:
        self.book = book
        self.host = host

    def would_take(self, side: int, limit: int) -> bool:
        return (self.book.asks if side > 0 else self.book.bids).reaches(limit)

    def can_fill(self, order: Order) -> bool:
        wanted = order.leaves_qty
        for level in self.book.side(-order.side).in_order():
            if (order.limit - level.price) * order.side < 0:
                return False
            wanted -= level.external
            for maker in level.orders():
                if not maker.reduce_only and not (self.host.forbids_self_trade and maker.account is order.account):
                    wanted -= maker.leaves_qty
            if wanted <= 0:
                return True
        return False

    def take(self, order: Order) -> None:
        book, host = self.book, self.host
        opposite = book.asks if order.side > 0 else book.bids
        while order.leaves_qty and opposite.reaches(order.limit):
            price = opposite.best
            maker = opposite.levels[price].head
            if maker.account is order.account and host.forbids_self_trade:
                host.self_trade(order, maker)
                continue
            qty = order.leaves_qty if order.leaves_qty < maker.leaves_qty else maker.leaves_qty
            book.reduce(maker, qty)
            host.filled(order, maker, qty, price)

    def rest(self, order: Order) -> None:
        self.book.add(order)

    def remove(self, order: Order) -> None:
        self.book.remove(order)

    def resize(self, order: Order, leaves: int) -> None:
        self.book.reduce(order, order.leaves_qty - leaves)

    def advance(self) -> None:
        """Whatever fills here is filled by somebody's command."""

    def set_level(self, side: int, price: int, size: int) -> None:
        raise Refused("This market takes no external levels")

    def recorded_trade(self, side: int, price: int, size: int) -> None:
        raise Refused("This market takes no recorded trades")
