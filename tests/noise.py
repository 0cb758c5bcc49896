"""A bot on a venue in one process, in simulated time, with a bad line between them; and what must hold all the while.

The noise is what networks and gateways do: a reply that is lost after the venue acted, a request that never arrives, a 502 instead of
the answer, a shed request, a socket that breaks, stalls, or says things twice. It is drawn from a seed. The watcher looks at
the venue itself, after everything that happens there.
"""
from __future__ import annotations

import random

import requests

from bitmex_venue import market
from bitmex_venue.engine.commands import Deposit
from bitmex_venue.inprocess import SimulatedClock, VenueAdapter, VenueFeed
from bitmex_venue.venue import Venue
from fakes import Ids, response
from market_maker import settings as settings_module
from market_maker.bitmex import BitMEX
from market_maker.market_maker import ExchangeInterface, OrderManager

START_NS = 1_700_000_000 * 10**9
OVERLOADED = {"error": {"message": "The system is currently overloaded. Please try again later.", "name": "HTTPError"}}


class Refused(Exception):
    """What urllib3 raises below a refused connection, as far as `requests` lets one see it."""

    @property
    def reason(self):
        return NewConnectionError("refused")


class NewConnectionError(Exception):
    pass


class NoisyAdapter(VenueAdapter):
    """`level` is the share of requests to which something happens; `counts` says what did."""

    def __init__(self, venue, noise, level):
        super().__init__(venue)
        self.noise, self.level, self.counts = noise, level, {}

    def send(self, request, **options):
        trouble = self.noise.choice(("lost request", "lost reply", "bad gateway", "shed", "late")) if self.noise.random() < self.level else None
        self.counts[trouble] = self.counts.get(trouble, 0) + 1
        if trouble == "lost request":
            raise requests.exceptions.ConnectionError(Refused())
        if trouble == "shed":
            return self._answer(request, 503, OVERLOADED)
        if trouble == "late":  # the client gives up, and the request arrives after that
            now = self.venue.now
            self.late = [*getattr(self, "late", []), (now + 2 * 10**9, request, options)]
            raise requests.exceptions.ReadTimeout("timed out")
        reply = super().send(request, **options)
        if trouble == "lost reply":
            raise requests.exceptions.ReadTimeout("timed out")
        return self._answer(request, 502, "<html>502 Bad Gateway</html>") if trouble == "bad gateway" else reply

    def deliver_late(self):
        """Requests that were given up reach the venue all the same; nobody hears the answer."""
        waiting, self.late = getattr(self, "late", []), []
        for due, request, options in waiting:
            if due <= self.venue.now:
                super().send(request, **options)
            else:
                self.late.append((due, request, options))

    @staticmethod
    def _answer(request, status, body):
        made = response(status, body)
        made.request, made.url = request, request.url
        return made


class NoisyFeed(VenueFeed):
    """A feed that may break, stall for some seconds, and repeat itself."""

    def __init__(self, venue, noise, level):
        super().__init__(venue)
        self.noise, self.level, self.stalled_until, self.drops = noise, level, 0, 0

    def pump(self):
        if self._session is None or self.venue.now < self.stalled_until:
            return
        chance = self.noise.random()
        if chance < self.level / 100:
            self.drops += 1
            listener = self._listener
            self.close()
            listener.on_close("the line broke")
            return
        if chance < self.level / 50:
            self.stalled_until = self.venue.now + self.noise.randrange(1, 20) * 10**9
            return
        if self._listener is not None and chance < self.level:
            self._listener = Twice(self._listener)
        super().pump()
        if isinstance(self._listener, Twice):
            self._listener = self._listener.listener


class Twice:
    """Hands every order and position message on twice."""

    def __init__(self, listener):
        self.listener = listener
        self.on_close = listener.on_close

    def on_message(self, text):
        self.listener.on_message(text)
        if text.startswith(('{"table":"order"', '{"table":"position"')):
            self.listener.on_message(text)


class Watcher:
    """Looks at the venue after everything that happens there; keeps the worst it saw."""

    def __init__(self, venue, pairs, lowest, highest):
        self.venue, self.pairs, self.limits = venue, pairs, (lowest, highest)
        self.most_a_side, self.overshoot, self.looks = 0, 0, 0
        venue.on_advanced.append(self.look)

    def look(self):
        exchange, account = self.venue.exchange, self.venue.account_id
        resting = exchange.open_orders(account, "XBTUSD")
        position = exchange.accounts[account].positions.get("XBTUSD")
        held = position.current_qty if position is not None else 0
        buys = [order.leaves_qty for order in resting if order.side > 0]
        sells = [order.leaves_qty for order in resting if order.side < 0]
        self.looks += 1
        self.most_a_side = max(self.most_a_side, len(buys), len(sells))
        lowest, highest = self.limits
        self.overshoot = max(self.overshoot, held + sum(buys) - highest, lowest - (held - sum(sells)))

    @property
    def resting(self):
        return self.venue.exchange.open_orders(self.venue.account_id, "XBTUSD")


class Desk:
    """Bot and venue, wired together. `run(seconds)` lets the bot run until it stops by itself."""

    def __init__(self, tmp_path, seed, level, market_name="lively", profile="classic", transport="auto", **overrides):
        noise = random.Random(seed)
        self.venue = Venue(profile=profile, market=market.create(market_name, seed, profile), seed=seed, now=START_NS,
                           balance={"XBt": 10**8})
        self.clock = SimulatedClock(self.venue)
        self.adapter = NoisyAdapter(self.venue, noise, 0.0)
        self.feed = NoisyFeed(self.venue, noise, 0.0)
        self.venue.on_advanced.append(self.adapter.deliver_late)
        self.settings = settings_module.load(symbol="XBTUSD", cwd=str(tmp_path), environ={}, overrides=overrides)
        self.ids, self.transport = Ids(), transport
        self.connect()
        self.watcher = Watcher(self.venue, self.settings.ORDER_PAIRS, self.settings.MIN_POSITION, self.settings.MAX_POSITION)
        self.level = level
        self.adapter.level = self.feed.level = level

    def connect(self):
        """A new bot, as a new start of the program makes it."""
        self.bitmex = BitMEX("http://127.0.0.1/api/v1/", "XBTUSD", self.venue.api_key, self.venue.api_secret, transport=self.adapter,
                             feed=self.feed, clock=self.clock, new_id=self.ids, order_transport=self.transport)
        self.manager = OrderManager(ExchangeInterface(False, self.settings, bitmex=self.bitmex), self.settings)

    def quieten(self):
        """The line is good from now on."""
        self.adapter.level = self.feed.level = 0.0

    def run(self):
        try:
            self.manager.run_loop()
        except SystemExit as stopped:
            return stopped.code
        return self.manager.exit_code()

    def deposit(self, amount):
        self.venue.exchange.execute(self.venue.now, Deposit(self.venue.account_id, "XBt", amount))
