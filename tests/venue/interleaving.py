"""The wrapper on a venue, between them everything that a line and a market can do, decided by a tape of small numbers.

A tape says when a request arrives and whether its reply does, which table's next message comes when, doubled or not at all, what is filled or
cancelled meanwhile, when the line breaks, when the bot decides and what ladder it wants. The wrapper is the real one (requests, replies, rows,
look-ups) and so is what makes a ladder rest (`OrderManager.converge_orders`), the venue is the real engine. `World.reached` counts what came about.
"""
from __future__ import annotations

import json
import threading
from collections import Counter, defaultdict, deque

import requests
from bitmex_venue.engine.commands import BUY, SELL, Cancel, Place
from bitmex_venue.engine.refusals import Refused
from bitmex_venue.inprocess import SimulatedClock, VenueAdapter, VenueFeed
from bitmex_venue.venue import Venue
from chaos.desk import Ids, held, resting
from chaos.realtime_door import table_of
from chaos.rest_door import OVERLOADED, RestDoor
from chaos.rest_door import Refused as RefusedLine
from market_maker import convergence
from market_maker.bitmex import BitMEX
from market_maker.exchange_interface import ExchangeInterface
from market_maker.market_maker import OrderManager
from market_maker.quoting import Touch
from market_maker.sending import Sender
from market_maker.settings import Settings
from market_maker.utils import errors

SYMBOL = "XBTUSD"
START_NS = 1_700_000_000 * 10**9
PAIRS, STEP, LOWEST, HIGHEST = 2, 5, -150, 250             # limits, like sizes, in lots
LADDERS = (((0, 100), (1, 200)), ((0, 200), (1, 100)), ((0, 60), (1, 60)), ((1, 120),))  # (steps from the inner price, lots)
TABLES = ("order", "position", "execution", "margin", "quote")
GONE = ("Invalid ordStatus", "Invalid ordStatus: Filled", "Invalid leavesQty", "Invalid orderID")  # what venues call an order that has ended


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

    def __init__(self, world):
        super().__init__(world.venue)
        self.world = world
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
            if table == "order":
                self.world.note("row doubled" if times > 1 else "row before the reply" if self.world.door.is_answering else "row after the reply")
            for _ in range(times):
                if self._listener is not None:
                    self._listener.on_message(text)

    def let_all_through(self):
        self.pump()
        for table in list(self.queues):
            while self.queues[table]:
                self.let_through(table)

    def lose(self, table):
        self.pump()
        if self.queues[table]:
            self.queues[table].popleft()
            self.world.note("row lost: " + table)

    def drop(self):
        listener = self._listener
        if listener is not None:
            self.world.note("line broken" + (" during a request" if self.world.door.is_answering else ""))
            self._forget()
            self.queues.clear()
            listener.on_close("dropped")


class Door(VenueAdapter):
    """Each request meets what the tape says before it arrives, and its reply after that."""

    def __init__(self, world):
        super().__init__(world.venue)
        self.world = world
        self.late = []
        self.under_way = []
        self.turns = None
        self.is_answering = False

    def send(self, request, **options):
        names = names_in(request)
        assert not names & self.may_arrive(request.method), "a second action about an order of which one is in flight"
        self.under_way.append(names)
        try:
            return self.carry(request)
        finally:
            self.under_way.remove(names)

    def may_arrive(self, method):
        """The orders about which a request is in flight, or lost and still within the life of its signature.

        A cancel may be repeated, and may follow an amend that was lost: it ends what the amend might do.
        """
        now = self.world.venue.now / 1e9
        late = [] if method == "DELETE" else [names_in(request) for request in self.late
                                              if request.method != "DELETE" and int(request.headers["api-expires"]) > now]
        return set().union(*self.under_way, *late)

    def carry(self, request):
        world = self.world
        if self.turns is not None:
            self.turns.pause()
        world.happen(world.tape.draw(4))
        fate = world.tape.draw(12)
        if fate == 1:
            world.note("never left")
            raise requests.exceptions.ConnectionError(RefusedLine())
        if fate == 2:
            world.note("request lost")
            raise requests.exceptions.ReadTimeout("lost")
        if fate == 3 and request.method != "GET":
            self.late.append(request)
            raise requests.exceptions.ReadTimeout("late")
        if fate == 4:
            world.note("503, not done")
            return RestDoor.answer(self, request, 503, OVERLOADED)
        reply = self.arrive(request)
        self.is_answering = True
        if self.turns is not None:
            self.turns.pause()
        world.happen(world.tape.draw(4))
        self.is_answering = False
        if fate == 5:
            world.note("reply lost")
            raise requests.exceptions.ConnectionError("reset")
        if fate == 6:
            world.note("503, done")
            return RestDoor.answer(self, request, 503, OVERLOADED)
        return reply

    def arrive(self, request):
        reply = super().send(request)
        self.world.look()
        if reply.status_code < 400:
            return reply
        message = json.loads(reply.content)["error"]["message"]
        if message.startswith(GONE[0]):
            message = GONE[self.world.tape.draw(len(GONE))]
            reply = RestDoor.answer(self, request, 400, {"error": {"message": message, "name": "HTTPError"}})
        self.world.note(message.partition(" - ")[0])
        return reply

    def deliver_late(self):
        if self.late:
            self.arrive(self.late.pop(0))
            self.world.note("late request arrived" + (" during another" if self.is_answering else ""))


def names_in(request):
    """The orders that a request would make, change or end."""
    if request.method == "GET" or "order" not in request.path_url:
        return set()
    body = json.loads(request.body)
    names = set()
    for order in body.get("orders", [body]):
        name = order.get("orderID") or order["clOrdID"]
        names.update(name if isinstance(name, list) else [name])
    return names


class SideBySide:
    """What lets the single orders of a list go side by side: threads of which one runs at a time, and the tape says which."""

    def __init__(self, world, usual):
        self.world, self.usual = world, usual

    def __getattr__(self, name):
        return getattr(self.usual, name)

    def run_all(self, calls, workers):
        turns = self.world.door.turns = Turns(self.world.tape)
        try:
            return turns.run(calls)
        finally:
            self.world.door.turns = None


class Turns:
    def __init__(self, tape):
        self.tape = tape
        self.mine = threading.local()
        self.back = threading.Event()

    def run(self, calls):
        outcomes, waiting = [None] * len(calls), []

        def work(number, go):
            self.mine.go = go
            go.wait()
            try:
                outcomes[number] = (calls[number](), None)
            except BaseException as error:
                outcomes[number] = (None, error)
            waiting.remove(go)
            self.back.set()

        for number in range(len(calls)):
            go = threading.Event()
            waiting.append(go)
            threading.Thread(target=work, args=(number, go), daemon=True).start()
        while waiting:
            self.back.clear()
            waiting[self.tape.draw(len(waiting))].set()
            self.back.wait()
        return outcomes

    def pause(self):
        """Another one may go on first."""
        self.mine.go.clear()
        self.back.set()
        self.mine.go.wait()


class Ladder(OrderManager):
    """The bot, told from outside what it shall want."""

    def __init__(self, world, exchange, chosen):
        super().__init__(exchange, chosen)
        self._sender = NotedSender(exchange, self)
        self._sender.world = world
        self._touch = Touch(world.middle - 0.5, world.middle + 0.5)


class NotedSender(Sender):
    def send(self, existing, plan, desired, touch):
        self.world.note_plan(plan)
        super().send(existing, plan, desired, touch)


class World:
    """The venue, the wrapper, a ladder, and somebody who trades with it."""

    def __init__(self, tape, profile, transport):
        self.tape, self.reached = Tape(()), Counter()
        self.venue = Venue(profile=profile, seed=1, now=START_NS, balance={"XBt": 10**9})
        self.other = self.venue.open_account({"XBt": 10**9})
        self.door = Door(self)
        self.feed, self.clock = Feed(self), SimulatedClock(self.venue)
        self.bitmex = BitMEX("http://127.0.0.1/api/v1/", SYMBOL, self.venue.api_key, self.venue.api_secret, transport=self.door, feed=self.feed,
                             clock=self.clock, new_id=Ids(), order_transport=transport, jitter=lambda: 0.0)
        self.bitmex._orders._inputs = SideBySide(self, self.bitmex.inputs)
        self.spec = self.venue.exchange.instruments[SYMBOL].spec
        self.lot = self.spec.lot_size
        self.lowest, self.highest = LOWEST * self.lot, HIGHEST * self.lot
        self.middle, self.ladder, self.must_reconcile = 6360, LADDERS[0], False
        chosen = Settings({"CHECK_POSITION_LIMITS": True, "MIN_POSITION": self.lowest, "MAX_POSITION": self.highest, "RELIST_INTERVAL": 0,
                           "EVENT_DRIVEN": False})
        self.manager = Ladder(self, ExchangeInterface(False, chosen, SYMBOL, self.bitmex), chosen)
        self.bitmex.check_alone()
        self.tape = tape

    def note(self, what):
        self.reached[what] += 1

    # ---- what happens

    def happen(self, times):
        for _ in range(times):
            EVENTS[self.tape.draw(len(EVENTS))](self)

    def fill(self, side):
        ours = [order for order in self.orders() if order.side == side]
        if ours:
            order = max(ours, key=lambda order: order.price * side)
            lots = order.leaves_qty // self.lot
            self.note("filled while " + str(self.bitmex.own_orders.state_of(order.cl_ord_id)))
            quantity = (lots if self.tape.draw(2) else max(1, lots // 3)) * self.lot
            self.do(Place(self.other, SYMBOL, -side, quantity, order.price, time_in_force="ImmediateOrCancel"))

    def cancel(self):
        ours = self.orders()
        if ours:
            order = ours[self.tape.draw(len(ours))]
            self.note("cancelled by somebody while " + str(self.bitmex.own_orders.state_of(order.cl_ord_id)))
            self.do(Cancel(self.venue.account_id, (order.order_id,)))

    def do(self, command):
        try:
            self.venue.execute(command)
        except Refused:
            pass
        self.look()

    def message(self, times):
        self.feed.let_through(TABLES[self.tape.draw(len(TABLES))], times)

    def lose(self):
        self.feed.lose(TABLES[self.tape.draw(len(TABLES))])

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
            if self.must_reconcile or bitmex.reads_in == 0:
                self.note("read by REST" + (" while a request may arrive" if self.door.late else ""))
                bitmex.reconcile()
                self.must_reconcile = False
            self.manager.converge_orders(*self.wanted())
        except errors.MarketMakerError as error:
            if error.action == errors.STOP and not isinstance(error, errors.VenueUnreachable):
                raise
            if getattr(error, "results", None):
                self.note("some of several single orders succeeded")
            self.must_reconcile = self.must_reconcile or error.action == errors.RETICK

    def wanted(self):
        return [[{"side": side, "orderQty": lots * self.lot, "price": float(self.middle - sign * STEP * (1 + steps))} for steps, lots in self.ladder]
                for side, sign in (("Buy", 1), ("Sell", -1))]

    def note_plan(self, plan):
        for amend in plan.amend:
            price, size = amend.price != amend.order["price"], amend.quantity != amend.order["leavesQty"]
            self.note("amend of " + ("both" if price and size else "price" if price else "size"))
        self.reached["create"] += len(plan.create)
        self.reached["cancel"] += len(plan.cancel)
        self.reached["several orders of a side made"] += len({order["side"] for order in plan.create}) < len(plan.create)
        free = convergence.diff(self.bitmex.open_orders(), *self.wanted(), 0.0, None, self.lot)
        self.reached["limits change the plan"] += [len(part) for part in plan[:4]] != [len(part) for part in free[:4]]

    # ---- what must hold

    def orders(self):
        return resting(self.venue)

    @property
    def held(self):
        return held(self.venue)

    def look(self):
        sides = {BUY: 0, SELL: 0}
        counts = {BUY: 0, SELL: 0}
        for order in self.orders():
            sides[order.side] += order.leaves_qty
            counts[order.side] += 1
        assert max(counts.values()) <= PAIRS, f"{counts} orders live"
        assert not sides[BUY] or self.held + sides[BUY] <= self.highest, f"{self.held} held, {sides[BUY]} to be bought"
        assert not sides[SELL] or self.held - sides[SELL] >= self.lowest, f"{self.held} held, {sides[SELL]} to be sold"

    def views_agree(self):
        ours = {row["clOrdID"]: (row["leavesQty"], row["price"]) for row in self.bitmex.open_orders()}
        assert ours == {order.cl_ord_id: (order.leaves_qty, self.spec.price(order.price)) for order in self.orders()}
        assert self.bitmex.position()["currentQty"] == self.held
        assert not self.bitmex.needs_reconcile


EVENTS = (
    lambda world: world.message(1), lambda world: world.message(1), lambda world: world.message(2), World.lose,
    lambda world: world.tape.draw(4) or world.feed.let_all_through(),
    lambda world: world.fill(BUY), lambda world: world.fill(SELL), World.cancel, lambda world: world.door.deliver_late(),
    lambda world: world.pass_time(0.3), lambda world: world.tape.draw(6) or world.feed.drop(),
)


def play(numbers, profile="classic", transport="auto"):
    """What came about in a world of this tape. Raises AssertionError when something that must hold did not."""
    tape = Tape(numbers)
    world = World(tape, profile, transport)
    while tape:
        world.happen(tape.draw(4))
        world.middle += (0, STEP, -STEP, 3 * STEP, -3 * STEP)[tape.draw(5)]
        world.ladder = LADDERS[max(0, tape.draw(6) - 2)]
        world.turn()
        world.pass_time(tape.draw(8) * 0.5)
    for _ in range(8):  # the noise is over
        while world.door.late:
            world.door.deliver_late()
        world.pass_time(2)
        world.feed.let_all_through()
        world.turn()
        world.feed.let_all_through()
    world.bitmex.reconcile()
    world.views_agree()
    assert world.venue.exchange.audit().ok
    return world.reached
