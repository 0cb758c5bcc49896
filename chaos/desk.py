"""The real bot on an in-process venue, in simulated time, with mischief between them, and a score that is kept all the while."""

from __future__ import annotations

from bitmex_venue import market as markets
from bitmex_venue.engine.commands import Deposit
from bitmex_venue.inprocess import SimulatedClock
from bitmex_venue.venue import Venue
from chaos.events import Events
from chaos.mischief import Mischief
from chaos.realtime_door import RealtimeDoor
from chaos.rest_door import RestDoor
from chaos.score import Score, rules_of
from market_maker import settings as settings_module
from market_maker.bitmex import BitMEX
from market_maker.market_maker import ExchangeInterface, OrderManager

START_NS = 1_700_000_000 * 10**9
SYMBOL = "XBTUSD"
LOGIN = {"login": "a@b.example", "password": "secret", "otpToken": "123456"}
TIMEOUT_S = 2  # of one request: what is lost costs this much simulated time


class Ids:
    """clOrdID tails in sequence, so that a run can be repeated."""

    def __init__(self):
        self.count = 0

    def __call__(self):
        self.count += 1
        return f"{self.count:022d}"


class Desk:
    """Bot and venue, wired together. `run()` lets the bot run until it stops by itself; returns its exit code.

    level -- see Mischief; kinds -- the faults to draw from, None for all; market_name -- "lively", "calm", or "empty".
    """

    def __init__(self, folder, seed, level, kinds=None, market_name="lively", profile="classic", transport="auto", with_token=False, **overrides):
        self.mischief = Mischief(seed, 0.0, kinds, with_token)
        self.venue = Venue(profile=profile, market=markets.create(market_name, seed, profile), seed=seed, now=START_NS, balance={"XBt": 10**8})
        self.clock = SimulatedClock(self.venue)
        self.adapter, self.feed = RestDoor(self.venue, self.mischief), RealtimeDoor(self.venue, self.mischief)
        self.events = Events(self.venue, self.mischief)
        self.settings = settings_module.load(symbol=SYMBOL, cwd=str(folder), environ={}, overrides=overrides)
        self.score = Score(rules_of(self.settings))
        self.most_a_side = 0
        self._connection = {"transport": self.adapter, "feed": self.feed, "clock": self.clock, "new_id": Ids(), "order_transport": transport,
                            "postOnly": self.settings.POST_ONLY, "timeout": TIMEOUT_S, "jitter": self.mischief.random.random}
        if with_token:
            self.venue.add_login(LOGIN["login"], LOGIN["password"], LOGIN["otpToken"])
            self._connection.update(LOGIN)
        else:
            self._connection.update(apiKey=self.venue.api_key, apiSecret=self.venue.api_secret)
        self.connect()
        self.venue.on_advanced += [self.adapter.deliver_late, self.events.look, self.look]
        self.adapter.after_each, self.adapter.race = self.look, self.events.race
        self.mischief.level = level
        if market_name != "empty":
            self.events.begin()

    def connect(self):
        """A new bot, as a new start of the program makes it."""
        self.bitmex = BitMEX("http://127.0.0.1/api/v1/", SYMBOL, **self._connection)
        self.manager = OrderManager(ExchangeInterface(False, self.settings, bitmex=self.bitmex), self.settings)

    def quieten(self):
        """Nothing goes wrong from now on."""
        self.mischief.quieten()
        self.venue.faults.disarm_all()

    @property
    def faults(self):
        """How many were injected."""
        return self.mischief.total + sum(self.venue.faults.counts.values())

    def run(self):
        try:
            self.manager.run_loop()
        except SystemExit as stopped:
            return stopped.code
        finally:
            self.score.end(self.venue.now / 1e9)
        return self.manager.exit_code()

    def deposit(self, amount):
        self.venue.execute(Deposit(self.venue.account_id, "XBt", amount))

    # ---- looking

    @property
    def resting(self):
        return resting(self.venue)

    @property
    def held(self):
        return held(self.venue)

    def look(self):
        """How things stand at the venue itself."""
        instrument, book = self.venue.exchange.instruments[SYMBOL], self.venue.exchange.books[SYMBOL]
        price = instrument.spec.price
        touch = tuple(None if best is None else price(best) for best in (book.best_bid, book.best_ask))
        orders = [(order.side, price(order.price), order.leaves_qty) for order in self.resting]
        for side in (1, -1):
            self.most_a_side = max(self.most_a_side, sum(order[0] == side for order in orders))
        stopping = self.manager.stop_reason is not None
        self.score.look(self.venue.now / 1e9, orders, self.held, touch, price(1), self.events.outage or stopping or not self._has_room(instrument.spec))

    def _has_room(self, spec):
        """Whether the limits allow a single lot; a fault may have made it larger than they are."""
        lowest, highest = self.score.rules.lowest, self.score.rules.highest
        return highest is None or spec.lot_size <= max(highest - self.held, self.held - lowest)

    def views_agree(self):
        """Whether the bot's view of its orders and its position is the venue's."""
        ours = {row["clOrdID"]: (row["leavesQty"], row["price"]) for row in self.bitmex.open_orders()}
        price = self.venue.exchange.instruments[SYMBOL].spec.price
        return ours == {order.cl_ord_id: (order.leaves_qty, price(order.price)) for order in self.resting} and (
            self.bitmex.position()["currentQty"] == self.held)


def resting(venue):
    """The bot's orders as the engine has them."""
    return venue.exchange.open_orders(venue.account_id, SYMBOL)


def held(venue):
    """Its position in contracts, signed."""
    position = venue.exchange.accounts[venue.account_id].positions.get(SYMBOL)
    return position.current_qty if position is not None else 0
