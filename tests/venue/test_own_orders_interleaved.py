"""One truth about our orders, whatever the order in which it arrives.

A tape of small numbers decides everything: when a request arrives and whether its reply does, which table's next message comes when,
doubled or not at all, what is filled or cancelled meanwhile, when the line breaks, when the bot decides. The wrapper is the real one
(requests, replies, rows, look-ups), the venue is the real engine; the strategy is a small ladder that converges every time it is asked.

Always: at most one live order per slot, that is no more on a side than the ladder has; position and everything that rests within the
limits, whatever fills first. When the noise has ended our view is the venue's. A tape that fails is shrunk to its shortest.
"""
from __future__ import annotations

import random
from collections import defaultdict, deque

import pytest
import requests
from bitmex_venue.engine.commands import BUY, SELL, Cancel, Place
from bitmex_venue.engine.refusals import Refused
from bitmex_venue.inprocess import SimulatedClock, VenueAdapter, VenueFeed
from bitmex_venue.venue import Venue
from chaos.desk import Ids
from chaos.realtime_door import table_of
from chaos.rest_door import OVERLOADED, Refused as RefusedLine, RestDoor
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from market_maker import convergence
from market_maker.bitmex import BitMEX
from market_maker.utils import errors

SYMBOL = "XBTUSD"
START_NS = 1_700_000_000 * 10**9
PAIRS, STEP, LOWEST, HIGHEST = 2, 5, -150, 250
LADDER = ((0, 100), (1, 200))  # (steps from the inner price, contracts)
TABLES = ("order", "position", "execution", "margin", "quote")


class Tape:
    """Numbers to be used up; a tape that is over says 0, which always means that all goes well."""

    def __init__(self, numbers):
        self._numbers = deque(numbers)

    def __bool__(self):
        return bool(self._numbers)

    def draw(self, below):
        return self._numbers.popleft() % below if self._numbers else 0


class Feed(VenueFeed):
    """Messages wait, table by table, until somebody lets them through."""

    def __init__(self, venue):
        super().__init__(venue)
        self.queues = defaultdict(deque)

    def start(self, url, header, listener):
        self.queues.clear()
        super().start(url, header, listener)
        self.let_all_through()

    def pump(self):
        if self._session is not None:
            for text in self._session.take_outgoing():
                self.queues[table_of(text)].append(text)

    def let_through(self, table, times=1):
        self.pump()
        if self.queues[table]:
            text = self.queues[table].popleft()
            for _ in range(times):
                if self._listener is not None:
                    self._listener.on_message(text)

    def let_all_through(self):
        self.pump()
        for table in list(self.queues):
            while self.queues[table]:
                self.let_through(table)

    def drop(self):
        listener = self._listener
        if listener is not None:
            self._forget()
            self.queues.clear()
            listener.on_close("dropped")


class Door(VenueAdapter):
    """Each request meets what the tape says before it arrives, and its reply after that."""

    def __init__(self, world):
        super().__init__(world.venue)
        self.world = world
        self.late = []

    def send(self, request, **options):
        world = self.world
        world.happen(world.tape.draw(4))
        fate = world.tape.draw(12)
        if fate == 1:
            raise requests.exceptions.ConnectionError(RefusedLine())
        if fate == 2:
            raise requests.exceptions.ReadTimeout("lost")
        if fate == 3 and request.method != "GET":
            self.late.append(request)
            raise requests.exceptions.ReadTimeout("late")
        if fate == 4:
            return RestDoor.answer(self, request, 503, OVERLOADED)
        reply = super().send(request, **options)
        world.look()
        world.happen(world.tape.draw(4))
        if fate == 5:
            raise requests.exceptions.ConnectionError("reset")
        if fate == 6:
            return RestDoor.answer(self, request, 503, OVERLOADED)
        return reply

    def deliver_late(self):
        if self.late:
            super().send(self.late.pop(0))
            self.world.look()


class World:
    """The venue, the wrapper, a ladder, and somebody who trades with it."""

    def __init__(self, tape, transport):
        self.tape = Tape(())
        self.venue = Venue(seed=1, now=START_NS, balance={"XBt": 10**9})
        self.other = self.venue.open_account({"XBt": 10**9})
        self.feed, self.door, self.clock = Feed(self.venue), Door(self), SimulatedClock(self.venue)
        self.bitmex = BitMEX("http://127.0.0.1/api/v1/", SYMBOL, self.venue.api_key, self.venue.api_secret, transport=self.door, feed=self.feed,
                             clock=self.clock, new_id=Ids(), order_transport=transport, jitter=lambda: 0.0)
        self.middle, self.must_reconcile = 6360, False
        self.bitmex.check_alone()
        self.tape = tape

    # ---- what happens

    def happen(self, times):
        for _ in range(times):
            EVENTS[self.tape.draw(len(EVENTS))](self)

    def fill(self, side):
        ours = [order for order in self.orders() if order.side == side]
        if ours:
            order = max(ours, key=lambda order: order.price * side)
            quantity = order.leaves_qty if self.tape.draw(2) else max(1, order.leaves_qty // 3)
            self.do(Place(self.other, SYMBOL, -side, quantity, order.price, time_in_force="ImmediateOrCancel"))

    def cancel(self):
        ours = self.orders()
        if ours:
            self.do(Cancel(self.venue.account_id, (ours[self.tape.draw(len(ours))].order_id,)))

    def do(self, command):
        try:
            self.venue.execute(command)
        except Refused:
            pass
        self.look()

    def message(self, times):
        self.feed.let_through(TABLES[self.tape.draw(len(TABLES))], times)

    def lose(self):
        table = TABLES[self.tape.draw(len(TABLES))]
        self.feed.pump()
        if self.feed.queues[table]:
            self.feed.queues[table].popleft()

    def pass_time(self, seconds):
        self.venue.run_until(self.venue.now + round(seconds * 1e9))
        self.look()

    # ---- what the bot does

    def turn(self):
        """As the loop does it: no picture, no quotes; read what is doubtful first; an error that says so is read up."""
        bitmex = self.bitmex
        try:
            bitmex.ws.poll()
            if not bitmex.connected:
                return
            if self.must_reconcile or bitmex.needs_reconcile:
                bitmex.reconcile()
                self.must_reconcile = False
            self.converge()
        except errors.MarketMakerError as error:
            if error.action == errors.STOP and not isinstance(error, errors.VenueUnreachable):
                raise
            self.must_reconcile = self.must_reconcile or error.action == errors.RETICK

    def converge(self):
        bitmex = self.bitmex
        wanted = [[{"side": side, "orderQty": quantity, "price": float(self.middle - sign * STEP * (1 + steps))} for steps, quantity in reversed(LADDER)]
                  for side, sign in (("Buy", 1), ("Sell", -1))]
        limits = convergence.Limits(bitmex.position()["currentQty"], LOWEST, HIGHEST, *bitmex.worst_case())
        plan = convergence.diff(bitmex.open_orders(), wanted[0], wanted[1], 0.0, limits)
        if plan.cancel:
            rows = bitmex.cancel([row["orderID"] for row in plan.cancel])
            if any(row.get("error") for row in rows):
                raise errors.OrderGone("gone")
        for batch in plan.batches:
            bitmex.amend_bulk_orders([amend.request for amend in batch])
        if plan.create:
            bitmex.create_bulk_orders(plan.create)

    # ---- what must hold

    def orders(self):
        return self.venue.exchange.open_orders(self.venue.account_id, SYMBOL)

    @property
    def held(self):
        position = self.venue.exchange.accounts[self.venue.account_id].positions.get(SYMBOL)
        return position.current_qty if position is not None else 0

    def look(self):
        sides = {BUY: 0, SELL: 0}
        counts = {BUY: 0, SELL: 0}
        for order in self.orders():
            sides[order.side] += order.leaves_qty
            counts[order.side] += 1
        assert max(counts.values()) <= PAIRS, f"{counts} orders live"
        assert not sides[BUY] or self.held + sides[BUY] <= HIGHEST, f"{self.held} held, {sides[BUY]} to be bought"
        assert not sides[SELL] or self.held - sides[SELL] >= LOWEST, f"{self.held} held, {sides[SELL]} to be sold"

    def views_agree(self):
        price = self.venue.exchange.instruments[SYMBOL].spec.price
        ours = {row["clOrdID"]: (row["leavesQty"], row["price"]) for row in self.bitmex.open_orders()}
        assert ours == {order.cl_ord_id: (order.leaves_qty, price(order.price)) for order in self.orders()}
        assert self.bitmex.position()["currentQty"] == self.held
        assert not self.bitmex.needs_reconcile


EVENTS = (
    lambda world: world.message(1), lambda world: world.message(1), lambda world: world.message(2), World.lose,
    lambda world: world.tape.draw(4) or world.feed.let_all_through(),
    lambda world: world.fill(BUY), lambda world: world.fill(SELL), World.cancel, lambda world: world.door.deliver_late(),
    lambda world: world.pass_time(0.3), lambda world: world.tape.draw(6) or world.feed.drop(),
)


def play(numbers, transport):
    tape = Tape(numbers)
    world = World(tape, transport)
    while tape:
        world.happen(tape.draw(4))
        world.middle += (0, STEP, -STEP, 3 * STEP, -3 * STEP)[tape.draw(5)]
        world.turn()
        world.pass_time(tape.draw(8) * 0.5)
    for _ in range(8):  # the noise is over
        while world.door.late:
            world.door.deliver_late()
        world.pass_time(2)
        world.feed.let_all_through()
        world.turn()
        world.feed.let_all_through()
    world.must_reconcile or world.bitmex.reconcile()
    world.views_agree()
    assert world.venue.exchange.audit().ok


@pytest.mark.parametrize("transport", ["bulk", "single"])
@given(numbers=st.lists(st.integers(0, 2519), max_size=150))
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_whatever_the_order_of_arrival_there_is_one_order_a_slot_no_limit_is_passed_and_in_the_end_the_views_agree(transport, numbers):
    play(numbers, transport)


@pytest.mark.parametrize("seed", range(10))
def test_the_same_with_long_tapes(seed):
    chance = random.Random(seed)
    play([chance.randrange(2520) for _ in range(600)], ("bulk", "single")[seed % 2])
