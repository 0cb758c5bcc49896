"""What happens at the venue itself: its market, its rules, its staff, its machines, and whatever else it can be told to do wrong.

Rules:

* An event is begun at a drawn time and, where it lasts, ends by itself; one at a time.
* While nobody could quote (closed, one side empty, down, banned) `outage` is True, and the score does not count that time against the bot.
"""

from __future__ import annotations

import math

from bitmex_venue.engine.commands import BUY, SELL, Cancel, CancelAll, Place
from bitmex_venue.engine.refusals import Refused
from bitmex_venue.faults import BadFault
from bitmex_venue.market.base import TAKERS
from bitmex_venue.wire.encode import SECOND
from chaos.armings import BY_KIND, SYMBOL, WITH_NEW_SOCKETS


class Events:
    """Begins and ends what happens at a venue. `look()` is to be called whenever time has passed there."""

    def __init__(self, venue, mischief):
        self.venue, self.mischief = venue, mischief
        self.outage = False
        self._next, self._what, self._until = None, None, None
        self._first_spec = venue.exchange.instruments[SYMBOL].spec
        self._is_busy = False

    def begin(self):
        """From now on things happen, the first of them at once: a bot begins with a dozen requests."""
        self._plan()
        if self._next is not None:
            self._next = self.venue.now
            self.look()

    def _plan(self):
        seconds, self._what = self.mischief.next_event()
        self._next = None if seconds is None else self.venue.now + round(seconds * SECOND)

    def look(self):
        if self._is_busy:
            return
        self._is_busy = True
        try:
            self._advance()
        finally:
            self._is_busy = False

    def _advance(self):
        now = self.venue.now
        if self._until is not None and now >= self._until:
            self._until, self.outage = None, False
            self._plan()
        if self._until is not None or self._next is None or now < self._next:
            return
        if not self.mischief.level:
            self._next = None
            return
        seconds = self._arm(BY_KIND[self._what]) if self._what in BY_KIND else self._do_it_all()
        if seconds:
            self._until = now + round(seconds * SECOND)
        else:
            self._plan()

    # ---- what happens

    def _arm(self, arming):
        """Seconds that a fault of the venue will last. Some cannot be armed now, such as a lot that does not fit a position: then nothing happens."""
        settings = arming.settings(self.mischief.random, self._first_spec)
        try:
            self.venue.faults.arm(arming.fault, **settings)
        except BadFault:
            return 0
        if arming.fault in WITH_NEW_SOCKETS:
            self.venue.faults.arm("drop_socket")
        self.outage = arming.outage
        return settings.get("for_s", settings.get("down_s", 0))

    def _do_it_all(self):
        self.mischief.drawn(self._what)
        self.do(CancelAll(self.venue.account_id, SYMBOL, text="Canceled: by the venue"))
        return 0

    def own_orders(self):
        return self.venue.exchange.open_orders(self.venue.account_id, SYMBOL)

    def do(self, command):
        try:
            return self.venue.execute(command)
        except Refused:
            return None

    def race(self, kind):
        """Something happens to one of our orders while a request about them is on its way."""
        orders = self.own_orders()
        if not orders:
            return
        if kind == "cancel":
            order = self.mischief.random.choice(orders)
            self.do(Cancel(self.venue.account_id, (order.order_id,), text="Canceled: by the venue"))
            return
        side = self.mischief.random.choice((BUY, SELL))
        mine = [order for order in orders if order.side == side]
        if mine:
            best = max(mine, key=lambda order: order.price * side)
            spec = self.venue.exchange.instruments[SYMBOL].spec
            ahead = sum(size for ticks, size in self.venue.exchange.books[SYMBOL].levels(side) if (ticks - best.price) * side > 0)
            share = math.ceil(best.leaves_qty * self.mischief.random.choice((0.3, 1.0)) / spec.lot_size) * spec.lot_size
            self.do(Place(TAKERS, SYMBOL, -side, ahead + share, best.price, time_in_force="ImmediateOrCancel"))
