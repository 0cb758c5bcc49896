"""Matching against recorded data: levels of other people's liquidity, and trades that other people made.

Rules (issue 2, section 3; the conservative choice wherever two are possible):

* a recorded row sets the external size of its level absolutely; our own orders stand there besides;
* an order of ours waits behind the external size that stood at its level when it came there (`ahead`);
* a decrease that no trade explains leaves the size ahead as it is, but it never exceeds the level's external size; an
  increase stands behind us;
* a recorded trade fills our orders that are priced better than it, then ours at its price after the size ahead of them, and
  never more in all than its own size, to the last contract of a lot;
* an order of ours that crosses takes what is shown, better prices first and in the order of the queue; what it took is not
  given twice: the level shows less until the next row sets it;
* a row whose price meets an order of ours on the other side trades with it, at our price, for no more than the row's size;
* a row never leaves the book crossed: external size on the other side that it meets is dropped.

Fills against external liquidity are booked to the house account 999. A recorded trade is told to the public whole: what
filled us at our price, the rest at its own.
"""

from __future__ import annotations

from .book import Level
from .matching import PriceTimeMatcher
from .orders import Order

MAKER, TAKER = "AddedLiquidity", "RemovedLiquidity"


class ExternalMatcher(PriceTimeMatcher):
    """A price-time matcher whose levels also hold external size. Sizes are contracts, prices ticks."""

    # -- our orders ----------------------------------------------------------------------------------------------------

    def rest(self, order: Order) -> None:
        level = self.book.side(order.side).levels.get(order.limit)
        order.ahead = level.external if level is not None else 0
        self.book.add(order)

    def take(self, order: Order) -> None:
        book, host = self.book, self.host
        opposite = book.side(-order.side)
        while order.leaves_qty and opposite.reaches(order.limit):
            level = opposite.levels[opposite.best]
            maker = level.head
            if maker is not None and not maker.ahead:
                if maker.account is order.account and host.forbids_self_trade:
                    host.self_trade(order, maker)
                    continue
                qty = min(order.leaves_qty, maker.leaves_qty)
                book.reduce(maker, qty)
                host.filled(order, maker, qty, level.price)
                continue
            shown = level.external if maker is None else maker.ahead
            qty = min(order.leaves_qty, self._whole_lots(order, shown))
            if not qty:  # less than a lot stands there: nobody can have it
                self._consume(-order.side, level, shown)
                continue
            price = level.price
            self._consume(-order.side, level, qty)
            host.filled_outside(order, qty, price, TAKER)

    def can_fill(self, order: Order) -> bool:
        """As in price-time matching, with external size counted in whole lots."""
        wanted = order.leaves_qty
        for level in self.book.side(-order.side).in_order():
            if (order.limit - level.price) * order.side < 0:
                return False
            wanted -= self._surely_there(order, level)
            if wanted <= 0:
                return True
        return False

    def _surely_there(self, order: Order, level: Level) -> int:
        """What the order gets of this level at the least: each piece between our orders loses its part of a lot."""
        total = behind = 0
        for maker in level.orders():
            total += self._whole_lots(order, maker.ahead - behind)
            behind = maker.ahead
            if not maker.reduce_only and not (self.host.forbids_self_trade and maker.account is order.account):
                total += maker.leaves_qty
        return total + self._whole_lots(order, level.external - behind)

    # -- recorded data -------------------------------------------------------------------------------------------------

    def set_level(self, side: int, price: int, size: int) -> None:
        if size:
            size -= self._meet(side, price, size)
        self.book.set_external(side, price, size)
        level = self.book.side(side).levels.get(price)
        if level is not None:
            for order in level.orders():
                if order.ahead > size:
                    order.ahead = size

    def recorded_trade(self, side: int, price: int, size: int) -> None:
        filled = self._fill_better(-side, price, size)
        rest = size - filled
        level = self.book.side(-side).levels.get(price)
        if rest and level is not None:
            rest -= self._fill_level(-side, level, rest)
        if rest:
            self.host.outside_trade(self._market, side, rest, price)

    # -- parts ---------------------------------------------------------------------------------------------------------

    @property
    def _market(self):
        return self.host.exchange.markets[self.book.symbol]

    def _whole_lots(self, order: Order, size: int) -> int:
        lot = order.market.instrument.lot_size
        return size // lot * lot

    def _consume(self, side: int, level: Level, qty: int) -> None:
        """External size goes from the front of a level: everybody behind it moves up."""
        for order in level.orders():
            order.ahead = max(0, order.ahead - qty)
        self.book.set_external(side, level.price, max(0, level.external - qty))

    def _fill_maker(self, maker: Order, most: int) -> int:
        """Fill one of our resting orders with external flow; returns how much."""
        qty = min(maker.leaves_qty, self._whole_lots(maker, most))
        if qty:
            price = maker.level.price
            self.book.reduce(maker, qty)
            self.host.filled_outside(maker, qty, price, MAKER)
        return qty

    def _fill_better(self, side: int, price: int, size: int) -> int:
        """Fill our orders on `side` that are priced better than `price`; returns how much of `size` they took."""
        left = size
        for maker in self._ours(side, price, inclusive=False):
            if maker.level is not None:
                left -= self._fill_maker(maker, left)
        return size - left

    def _fill_level(self, side: int, level: Level, size: int) -> int:
        """A trade of `size` at a level: the external size ahead of each order of ours, then the order. Returns our part."""
        price, left, filled, passed = level.price, size, 0, 0
        for maker in list(level.orders()):
            if maker.level is None:  # ended by what an earlier fill led to
                continue
            wait = max(0, maker.ahead - passed)
            if wait >= left:
                passed += left
                left = 0
                break
            passed += wait
            left -= wait
            done = self._fill_maker(maker, left)
            filled += done
            left -= done
        level = self.book.side(side).levels.get(price)
        if level is not None:
            self._consume(side, level, passed + left)
        return filled

    def _ours(self, side: int, price: int, inclusive: bool) -> list:
        """Our orders on a side priced better than `price` (or at it), in the order in which they would trade."""
        found = []
        for level in self.book.side(side).in_order():
            better = (level.price - price) * side
            if better < 0 or (better == 0 and not inclusive):
                break
            found.extend(level.orders())
        return found

    def _meet(self, side: int, price: int, size: int) -> int:
        """A row of `side` at `price` reaches the other side: our orders there trade, external size is dropped."""
        opposite = self.book.side(-side)
        if not opposite.reaches(price):
            return 0
        while opposite.reaches(price):
            level = next((x for x in opposite.in_order() if x.external), None)
            if level is None or (level.price - price) * side > 0:
                break
            self._consume(-side, level, level.external)
        left = size
        for maker in self._ours(-side, price, inclusive=True):
            if maker.level is not None:
                left -= self._fill_maker(maker, left)
        return size - left
