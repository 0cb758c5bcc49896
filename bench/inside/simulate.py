"""Let one market maker trade for a while against our venue, in one process and in simulated time, and count what that cost.

{"bot": "ours" | "bitmex-market-maker", "root": checkout, "profile", "market", "seed", "minutes", "latency_ms"} -> see `Watcher.result`

Both programs are the real ones, with default settings; only where they touch the world is the venue put in their way: a transport adapter, a
message feed, and a clock that lets the venue live on while they wait. What they compute takes no simulated time, a request takes its latency.

The observer is neither of them. Once a second he looks at the touch and at the orders in the engine, says by the rules of the original where quotes should be
now, and how far from there they are: matched from the inside out, in basis points, those that are missing left out of the mean but not of
the share. The rules are written down here once more in few lines, so that nobody is his own judge.
"""

import contextlib
import importlib.util
import json
import logging
import os
import signal
import sys
import tempfile
import threading
import time

import readers

SECOND = 1_000_000_000
BEGIN = 1_790_000_000 * SECOND
PAIRS, INTERVAL, MIN_SPREAD, RELIST_INTERVAL = 6, 0.005, 0.01, 0.01
SYMBOL = "XBTUSD"
RESTART_S = 1  # until a supervisor starts a program that ended again


class TimeIsUp(BaseException):
    """The simulated time is over. Not an Exception, so that no program handles it."""


class Watcher:
    """Counts tokens and looks at the quotes, once a second from the first order on."""

    def __init__(self, venue, minutes):
        self.venue, self.minutes = venue, minutes
        self.tokens = self.refused = self.requests = 0
        self.first = None
        self.distance = self.placed = self.wanted = self.near = 0
        self.restarts = 0
        self.by_request = {}
        self.is_over = False
        self._next = venue.now
        self._charge, venue.limiter.charge = venue.limiter.charge, self._count
        self._handle, venue.handle = venue.handle, self._note
        venue.on_advanced.append(self.look)

    def _note(self, request):
        before = self.tokens
        try:
            return self._handle(request)
        finally:
            name = f"{request.method} {request.path.rpartition('/v1/')[2]}"
            self.by_request[name] = self.by_request.get(name, 0) + self.tokens - before

    def _count(self, now, account_id, remote, tokens=1, burst=False, refusable=True):
        charge = self._charge(now, account_id, remote, tokens, burst, refusable)
        if self.is_over:
            return charge
        self.requests += 1
        if charge.retry_s:
            self.refused += 1
        else:
            self.tokens += tokens
        return charge

    def look(self):
        now = self.venue.now
        if now < self._next or self.is_over:
            return
        self._next = now + SECOND
        orders = self.venue.exchange.open_orders(self.venue.account_id, SYMBOL)
        if self.first is None:
            if not orders:
                return
            self.first, self.tokens, self.requests, self.refused, self.by_request = now, 0, 0, 0, {}  # what the start costs is not asked
        if now >= self.first + self.minutes * 60 * SECOND:
            self.is_over, self.ended = True, now
            raise TimeIsUp
        self._judge(orders)

    def _judge(self, orders):
        book = self.venue.exchange.books[SYMBOL]
        if book.best_bid is None or book.best_ask is None:
            return
        for side in (1, -1):
            own = sorted((order.price * side for order in orders if order.side == side), reverse=True)
            wanted = self._ladder(side, book, orders)
            self.wanted += len(wanted)
            for price, target in zip(own, wanted):
                off = abs(price * side / target - 1)
                self.placed += 1
                self.distance += off
                self.near += off <= RELIST_INTERVAL

    @staticmethod
    def _ladder(side, book, orders):
        """Where the orders of a side should be, in ticks, the inner one first."""
        own = {(order.side, order.price) for order in orders}
        buy = book.best_bid + ((1, book.best_bid) not in own)
        sell = book.best_ask - ((-1, book.best_ask) not in own)
        if buy * (1 + MIN_SPREAD) > sell:
            buy, sell = buy * (1 - MIN_SPREAD / 2), sell * (1 + MIN_SPREAD / 2)
        return [(buy if side == 1 else sell) * (1 + INTERVAL) ** (-side * level) for level in range(PAIRS)]

    def result(self, ended):
        last = self.ended if self.is_over else self.venue.now
        hours = (last - self.first) / 3600 / SECOND if self.first else 0
        return {
            "ended": ended,
            "restarts": self.restarts,
            "hours": hours,
            "tokens": self.tokens,
            "requests": self.requests,
            "refused": self.refused,
            "by_request": self.by_request,
            "distance_bps": self.distance / self.placed * 1e4 if self.placed else None,
            "placed": self.placed / self.wanted if self.wanted else 0,
            "near": self.near / self.wanted if self.wanted else 0,
        }


def ours(venue, inprocess, latency_ns, watcher):
    from market_maker import settings as settings_module
    from market_maker.bitmex import BitMEX
    from market_maker.market_maker import ExchangeInterface, OrderManager

    settings = settings_module.load(symbol=SYMBOL, cwd=os.getcwd(), environ={}, overrides={"BASE_URL": "http://127.0.0.1/api/v1/"})
    client = BitMEX(
        settings.BASE_URL, SYMBOL, venue.api_key, venue.api_secret, orderIDPrefix=settings.ORDERID_PREFIX,
        order_transport=settings.ORDER_TRANSPORT, transport=inprocess.VenueAdapter(venue, latency_ns), feed=inprocess.VenueFeed(venue),
        clock=inprocess.SimulatedClock(venue),
    )  # fmt: skip
    OrderManager(ExchangeInterface(False, settings, bitmex=client), settings).run_loop()


def original(venue, inprocess, latency_ns, watcher):
    """1.6.1 asks the modules `time`, `requests` and `websocket`; they are told before it is imported. `watcher.restarts` counts how often it is
    started again.

    It leaves with 1 when an order is filled before its amend arrives: it knows the answer `Invalid ordStatus`, and not `Invalid ordStatus:
    Filled`, which BitMEX has said since December 2021. Who runs it has something start it again, and so does this.
    """
    clock, never = inprocess.SimulatedClock(venue), threading.Event()
    connecting = threading.Event()
    sockets = []

    def sleep(seconds):
        if not sockets:
            connecting.wait(5)
        for socket in sockets:
            socket.begin()
        clock.wait(never, seconds)

    class Socket:
        """What websocket.WebSocketApp of 0.57 shows; the thread that runs it only says that it is time."""

        def __init__(self, url, header=None, **callbacks):
            self._url, self._header, self._callbacks = url, header, callbacks
            self.sock, self._feed = None, None

        def run_forever(self, **options):
            sockets.append(self)
            connecting.set()

        def begin(self):
            if self._feed is None:
                self._feed = inprocess.VenueFeed(venue)
                self._feed.start(self._url, self._header, self)

        def on_open(self):
            self.sock = self
            self.connected = True
            self._callbacks["on_open"]()

        def on_message(self, text):
            self._callbacks["on_message"](text)

        def on_close(self, reason, status=None):
            self._callbacks["on_close"]()

        def close(self):
            if self._feed is not None:
                self._feed.close()

    import requests
    import websocket

    real_init = requests.Session.__init__

    def init(session):
        real_init(session)
        session.mount("http://", inprocess.VenueAdapter(venue, latency_ns))

    time.sleep, time.time = sleep, clock.time
    requests.Session.__init__ = init
    websocket.WebSocketApp = Socket
    readers.write_settings(BASE_URL="http://127.0.0.1/api/v1/", API_KEY=venue.api_key, API_SECRET=venue.api_secret)
    from market_maker import market_maker

    os.execv = lambda *command: sys.exit("it would start itself again")
    while True:
        manager = market_maker.OrderManager()
        try:
            manager.run_loop()
            return
        except SystemExit:
            with contextlib.suppress(SystemExit):
                manager.exit()  # as at the end of its process
        watcher.restarts += 1
        sockets.clear()
        connecting.clear()
        clock.wait(never, RESTART_S)


def load_venue(root):
    """The package bitmex_venue of a checkout, without the package market_maker beside it, which would stand before the peer's."""
    folder = os.path.join(root, "bitmex_venue")
    spec = importlib.util.spec_from_file_location("bitmex_venue", os.path.join(folder, "__init__.py"), submodule_search_locations=[folder])
    sys.modules["bitmex_venue"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules["bitmex_venue"])


def main():
    task = json.load(sys.stdin)
    logging.disable(logging.CRITICAL)
    load_venue(task["root"])
    from bitmex_venue import inprocess
    from bitmex_venue import market as markets
    from bitmex_venue.venue import Venue

    out, sys.stdout = sys.stdout, open(os.devnull, "w")  # both print as they go
    market = markets.create(task["market"], task["seed"], task["profile"])
    venue = Venue(profile=task["profile"], market=market, seed=task["seed"], now=BEGIN, latency_ns=task["latency_ms"] * 1_000_000)
    venue.advance(BEGIN + 10 * SECOND)
    watcher = Watcher(venue, task["minutes"])
    latency_ns = task["latency_ms"] * 1_000_000
    ended = "time"
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            (ours if task["bot"] == "ours" else original)(venue, inprocess, latency_ns, watcher)
            ended = "by itself"
        except TimeIsUp:
            pass
        except BaseException as error:
            ended = f"{type(error).__name__}: {error}"
        os.chdir(os.path.sep)
    print(json.dumps(watcher.result(ended)), file=out, flush=True)
    os._exit(0)  # nobody's last words change the count


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    main()
