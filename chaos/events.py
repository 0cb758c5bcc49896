"""What happens at the venue itself: its market, its rules, its staff, its machines. In process, on venue time.

Rules:

* An event is begun at a drawn time and, where it lasts, ended by itself; one at a time.
* While nobody could quote (closed, one side empty, down) `outage` is True, and the score does not count that time against the bot.
"""

from __future__ import annotations

import math
from bitmex_venue.engine.commands import BUY, SELL, Cancel, CancelAll, Place, SetFees, SetState
from bitmex_venue.engine.refusals import Refused
from bitmex_venue.market.base import MAKERS, TAKERS
from bitmex_venue.market.paths import Diffusion
from bitmex_venue.market.synthetic import DEVIATION, FIRST_PRICES, Synthetic
from bitmex_venue.steering import BadSteering
from bitmex_venue.wire.encode import SECOND

SYMBOL = "XBTUSD"


class Shocks:
    """A path of prices that somebody can push: `factor` times a random walk."""

    def __init__(self, rng, start):
        self._walk = Diffusion(rng, start, DEVIATION)
        self.factor = 1.0

    def at(self, time):
        return self._walk.at(time) * self.factor


def make_market(seed, profile, name="lively"):
    """(market, its Shocks): one of the synthetic ones, on a path that can be pushed."""
    from random import Random

    path = Shocks(Random(f"{seed}/.BXBT"), FIRST_PRICES[profile][".BXBT"])
    return Synthetic(name, seed, profile, sweeps=name == "lively", text="a market that is pushed about", value=path), path


class Events:
    """Begins and ends what happens at a venue. `look()` is to be called whenever time has passed there."""

    def __init__(self, venue, mischief, path, doors):
        self.venue, self.mischief, self.path = venue, mischief, path
        self._rest, self._realtime = doors
        self.outage = False
        self._next, self._what = None, None
        self._until, self._undo = None, None
        self._first_grid = None
        self._each_time = None
        self._is_busy = False

    def begin(self):
        """From now on things happen."""
        self._plan()

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
            self._until, self._each_time = None, None
            self.outage = False
            if self._undo is not None:
                undo, self._undo = self._undo, None
                undo()
            self._plan()
        if self._each_time is not None:
            self._each_time()
        if self._until is None and self._next is not None and now >= self._next:
            what = self._what
            if not self.mischief.level:
                self._next = None
                return
            self.mischief.drawn(what)
            seconds = BEGIN[what](self)
            if seconds is None:
                self._plan()
            else:
                self._until = now + round(seconds * SECOND)

    # ---- what happens

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
            self.cancel_one()
            return
        side = self.mischief.random.choice((BUY, SELL))
        mine = [order for order in orders if order.side == side]
        if mine:
            best = max(mine, key=lambda order: order.price * side)
            spec = self.venue.exchange.instruments[SYMBOL].spec
            ahead = sum(size for ticks, size in self.venue.exchange.books[SYMBOL].levels(side) if (ticks - best.price) * side > 0)
            share = math.ceil(best.leaves_qty * self.mischief.random.choice((0.3, 1.0)) / spec.lot_size) * spec.lot_size
            self.do(Place(TAKERS, SYMBOL, -side, ahead + share, best.price, time_in_force="ImmediateOrCancel"))

    def cancel_one(self):
        orders = self.own_orders()
        if orders:
            order = self.mischief.random.choice(orders)
            self.do(Cancel(self.venue.account_id, (order.order_id,), text="Canceled: by the venue"))

    def cancel_all(self):
        self.do(CancelAll(self.venue.account_id, SYMBOL, text="Canceled: by the venue"))

    def close_market(self):
        self.outage = True
        self.do(SetState(SYMBOL, "Closed"))
        self._undo = lambda: self.do(SetState(SYMBOL, "Open"))
        return self.mischief.random.uniform(3, 20)

    def empty(self, *sides):
        self.outage = True
        self._each_time = lambda: [self.do(CancelAll(MAKERS, SYMBOL, side)) for side in sides]
        return self.mischief.random.uniform(1, 8)

    def gap(self):
        self.path.factor *= self.mischief.random.choice((0.97, 0.985, 1.015, 1.03))

    def crash(self):
        before, self.path.factor = self.path.factor, self.path.factor * self.mischief.random.choice((0.9, 1.1))
        self._undo = lambda: setattr(self.path, "factor", before)
        return self.mischief.random.uniform(2, 6)

    def restart(self):
        """The venue is away and comes back with the orders it had, as BitMEX did; every connection is gone."""
        seconds = self.mischief.random.uniform(2, 15)
        self.outage = True
        self._rest.down_until = self._realtime.refuse_until = self.venue.now + round(seconds * SECOND)
        for session in list(self.venue.sessions):
            session.close("the venue restarts")
        return seconds

    def change_fees(self):
        spec = self.venue.exchange.instruments[SYMBOL].spec
        self.do(SetFees(SYMBOL, spec.taker_fee_e8, spec.maker_fee_e8))

    def change_grid(self, ticks=1, lots=1):
        """The contract gets so many times its first tick and lot, or if it has those, its first ones; orders that do not fit are cancelled.
        Where somebody holds what is no multiple of the lot, the venue refuses, and nothing has happened."""
        spec = self.venue.exchange.instruments[SYMBOL].spec
        now = spec.tick_e8, spec.lot_size
        self._first_grid = self._first_grid or now
        tick, lot = self._first_grid if now != self._first_grid else (now[0] * ticks, now[1] * lots)
        try:
            self.venue.steering.regrid(SYMBOL, tick / 1e8, lot)
        except BadSteering:
            self.mischief.injected[self._what] -= 1


BEGIN = {
    "one order cancelled by the venue": Events.cancel_one,
    "all orders cancelled by the venue": Events.cancel_all,
    "market closed": Events.close_market,
    "empty book": lambda events: events.empty(BUY, SELL),
    "one-sided book": lambda events: events.empty(events.mischief.random.choice((BUY, SELL))),
    "price gap": Events.gap,
    "flash crash": Events.crash,
    "venue restart": Events.restart,
    "fees change": Events.change_fees,
    "tick changes": lambda events: events.change_grid(ticks=events.mischief.random.choice((2, 4, 10))),
    "lot changes": lambda events: events.change_grid(lots=events.mischief.random.choice((2, 5, 10))),
}
