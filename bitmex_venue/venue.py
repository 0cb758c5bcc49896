"""A whole venue: exchange, market, keys, rate limits, histories and realtime sessions. No sockets, no threads, no clock.

Theory of operation. Whoever owns a venue tells it the time: `advance(now)` runs what is due (the exchange's timers, the acts of
the other participants, the ends of bins) in the order of time, and every batch of events goes to the histories and to the
sessions that listen. `handle` answers one REST request at its own time, `connect` opens a realtime session. The server
drives it with the wall clock, the doors in process with a simulated one; nothing else differs.

Rules
* Time never goes back; a request that comes with an earlier time happens now.
* A command's events are published before its reply is made, so that a reply never shows what a socket will not be told.
* Signatures expire and rate limits refill by the client's clock (`Request.wall`, `wall_clock`), which differs from the
  venue's only where the venue's runs faster.

Known difference: connection tokens are counted and told in the welcome, but nobody is refused a connection unless
`enforce_connections` is set (`--limit-connections`): tests connect more often than people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from . import market as markets
from . import profiles
from .engine import commands as cmd
from .engine.exchange import Exchange
from .engine.instruments import specs
from .faults import Faults
from .market.base import Agenda
from .misbehaviour import messages, requests
from .steering import Gate, Steering
from .store import State, Store, catch_up
from .wire import errors, http, series
from .wire.auth import ORDER, WITHDRAW, Authenticator, Key, new_key_id, new_secret
from .wire.bins import Bins
from .wire.encode import SECOND, iso
from .wire.history import History
from .wire.http import Request, Response
from .wire.hub import Hub
from .wire.rate_limit import Bucket, RateLimiter
from .wire.realtime import Session
from .wire.rest import Router
from .wire.tables import Rows

FIRST_ACCOUNT = 100_001
WITHDRAWAL_S = 60.0
DEFAULT_BALANCE = {"XBt": 100_000_000, "USDt": 10_000_000_000}
INFO = "Welcome to the BitMEX Realtime API."
DOCS = "https://www.bitmex.com/app/wsAPI"


class Venue:
    """One venue. `now` is nanoseconds since the epoch; `balance` what the first client owns, by currency.

    `api_key`, `api_secret` and `account_id` are the trading account handed to that client; key and secret are random
    unless given. `latency_ns` is for the doors: how long a request takes to arrive. `withdrawal_s` is for how long (in the
    venue's seconds) a withdrawal can be cancelled. With a `store` (see that package) the
    venue is the one that was kept in it, when there is one: `balance` counts for a new one only, and the key handed out is
    the one it had unless another is given. Raises StoreError when it is a venue of another kind. `close` it at the end.
    """

    def __init__(
        self,
        profile: str = "classic",
        market: Any = None,
        seed: int = 0,
        now: int = 0,
        self_trade: str = "allow",
        api_key: str | None = None,
        api_secret: str | None = None,
        balance: Mapping[str, int] | None = None,
        latency_ns: int = 0,
        bulk_cost: object | None = None,
        store: Store | None = None,
        withdrawal_s: float = WITHDRAWAL_S,
    ) -> None:
        self.profile = profiles.get(profile, bulk_cost)
        self.market = market if market is not None else markets.create("empty", seed, profile)
        matcher = self.market.matcher
        kind = {"profile": profile, "recorded": matcher is not None, "self_trade": self_trade}
        self._store = store
        kept = store.recover(kind) if store is not None else None
        if kept is None:
            more = {"matcher": matcher} if matcher is not None else {}
            texts = self.profile.texts
            listed = [spec for spec in specs(profile, now) if self.market.lists(spec)]
            self.exchange = Exchange(listed, now, seed=seed, self_trade=self_trade, texts=texts, **more)
            self.bins = Bins(now)
            self.history = History(self.bins)
        else:
            self.exchange, self.bins, self.history = kept
            now = max(now, self.exchange.now)
            catch_up(kept, now)
        self.now = self.started = now
        self.latency_ns = latency_ns
        self.withdrawal_s = withdrawal_s
        self.wall_clock: Callable[[], int] | None = None
        self.on_advanced: list[Callable[[], None]] = []
        self.sessions: dict[Session, None] = {}
        self.enforce_connections = False
        self.rows = Rows(self.profile, self.exchange.instruments)
        self.hub = Hub(self.exchange, self.rows, self.history, self.bins)
        self.authenticator = Authenticator(self.profile)
        self.limiter = RateLimiter(self.profile.limits)
        self._connections: dict[str, Bucket] = {}
        self._router = Router(self)
        self.agenda = Agenda()  # what faults and scenarios have planned
        self.gate = Gate(self.exchange)
        self.steering = Steering(self, self.gate)
        self.faults = Faults(self, seed)
        self.on_restart: list[Callable[[], None]] = []
        if store is not None:
            self.exchange.log = store.log
            store.credentials.fill(self.authenticator)
            self.authenticator.keeper = store.credentials
        if kept is None:
            self.market.begin(self.gate, now)
            self._publish()
            self._next_account = FIRST_ACCOUNT
            self.account_id = self.open_account(DEFAULT_BALANCE if balance is None else balance)
        else:
            self.market.resume(self.gate, now)
            self._publish()
            self._next_account = max(FIRST_ACCOUNT, *self.exchange.accounts) + 1
            self.account_id = FIRST_ACCOUNT
            self.started = store.facts()["started"]
        key = self._first_key(api_key, api_secret)
        self.api_key, self.api_secret = key.id, key.secret
        if store is not None:
            store.remember({**kind, "started": self.started})
            store.snapshot(self._state())

    def _first_key(self, api_key: str | None, api_secret: str | None) -> Key:
        """The key to hand out: the one that was asked for, or the oldest of the first client, or a new one."""
        for key in self.authenticator.keys.values():
            if key.account_id == self.account_id and api_key in (None, key.id) and api_secret in (None, key.secret):
                return key
        return self.add_key(self.account_id, api_key, api_secret)

    def _state(self) -> State:
        return State(self.exchange, self.bins, self.history)

    def close(self) -> None:
        """Write what is to outlive this process, where anything does. Nothing may be asked of the venue after that."""
        if self._store is not None:
            self.faults.disarm_all()  # a closed market or other fees would outlive what closed it
            self._store.snapshot(self._state())
            self._store.close()
            self._store = self.exchange.log = self.authenticator.keeper = None

    # ---- accounts

    def open_account(self, balance: Mapping[str, int], name: str = "client") -> int:
        """A new account with this much in its wallets; returns its number."""
        account_id = self._next_account
        self._next_account += 1
        self.execute(cmd.OpenAccount(account_id, name, False, tuple(balance)))
        for currency, amount in balance.items():
            if amount:
                self.execute(cmd.Deposit(account_id, currency, amount))
        return account_id

    def add_key(
        self,
        account_id: int,
        key_id: str | None = None,
        secret: str | None = None,
        permissions: Iterable[str] = (ORDER, WITHDRAW),
        cidr: str = "",
    ) -> Key:
        """A key for an account; id and secret are random unless given."""
        key = Key(key_id or new_key_id(), secret or new_secret(), account_id, tuple(permissions), cidr, created=self.now)
        return self.authenticator.add_key(key)

    def add_login(self, email: str, password: str, otp: str = "", account_id: int | None = None) -> None:
        """A login by e-mail, password and one-time token (classic) for an account, the first client's by default."""
        self.authenticator.add_login(email, password, account_id or self.account_id, otp)

    # ---- time

    @property
    def wall(self) -> int:
        """The client's clock, in nanoseconds."""
        return self.wall_clock() if self.wall_clock is not None else self.now

    def next_time(self) -> int | None:
        """When something will happen by itself."""
        act, own = self._next_act(), self._own_time()
        return own if act is None else min(act, own)

    def _own_time(self) -> int:
        """When something will happen that is not the market's."""
        mine = (self.exchange.next_timer(), self.bins.next_time, self.agenda.next_time())
        return min(t for t in mine if t is not None)

    def _next_act(self) -> int | None:
        """When the market wants to act; None while it is paused."""
        act = self.market.next_time()
        return None if act is None or self.steering.is_paused else act + self.gate.lag

    def advance(self, now: int) -> None:
        """Let everything happen that is due by `now`, in the order of time."""
        self.run_until(now)
        self.tell()

    def tell(self) -> None:
        """Hand over what those who wait (see `inprocess`) have not got yet."""
        for callback in list(self.on_advanced):
            callback()

    def run_until(self, now: int) -> None:
        """`advance` without telling those who wait for it (see `inprocess`)."""
        while self.step(now):
            pass
        self.arrive(now)

    def step(self, until: int) -> bool:
        """Let the next thing happen that is due by `until`, at its time; False when there is none. Time stops there."""
        self.market.live_until(min(until, self._own_time()))
        due = self.next_time()
        if due is None or due > until:
            return False
        self.now = max(self.now, due)
        leads = self.market.leads
        if leads:
            self._let_act()
        timer = self.exchange.next_timer()
        if timer is not None and timer <= self.now:
            self.exchange.execute(self.now, cmd.Advance())
            self._publish()
        if not leads:
            self._let_act()
        planned = self.agenda.next_time()
        if planned is not None and planned <= self.now:
            self.agenda.run(self.now)
        if self.bins.next_time <= self.now:
            self.hub.publish_bins(self.bins.close(self.now))
        return True

    def _let_act(self) -> None:
        act = self._next_act()
        if act is not None and act <= self.now:
            self.market.act(self.now - self.gate.lag)
            self._publish()

    def arrive(self, now: int) -> None:
        """Nothing more is due by `now`: it is that time."""
        self.now = max(self.now, now)
        self.market.arrive(self.now - self.gate.lag)
        self._publish()

    def execute(self, command: Any) -> Any:
        """Carry out a command now and publish what it did. Raises Refused."""
        try:
            return self.exchange.execute(self.now, command)
        finally:
            self._publish()

    def _publish(self) -> None:
        if self._store is not None:
            self._store.commit()
        events = self.exchange.take_events()
        if events:
            self.history.record(events)
            self.hub.publish(events)
        if self._store is not None and self._store.due:
            self._store.snapshot(self._state())

    # ---- the two doors

    def handle(self, request: Request) -> Response:
        """Answer one REST request, at its own time. Never raises."""
        if request.time > self.now:
            self.run_until(request.time)
        if self.faults.requests:
            return requests.answer(self, request, self._router.handle)
        return self._router.handle(request)

    def connect(
        self, path: str, query_string: str = "", headers: Mapping[str, str] | None = None, remote: str = "127.0.0.1"
    ) -> Session | Response:
        """Open a realtime session, or say why not: a Response with a status and `{"error": "<text>"}`."""
        if path.rstrip("/") != "/realtime":
            return http.reply(404, {"error": "Not Found"})
        named = {str(k).lower(): str(v) for k, v in (headers or {}).items()}
        query = dict(parse_qsl(query_string, keep_blank_values=True))
        if self.faults.requests:
            hindered = requests.handshake(self, named, remote)
            if hindered is not None:
                return hindered
        try:
            identity = self.authenticator.upgrade(named, query, remote, self.wall)
            self._spend_connection(remote)
        except errors.ApiError as error:
            return http.reply(error.status, {"error": error.message}, error.headers)
        session = Session(self, identity, remote)
        self.sessions[session] = None
        if self.faults.messages:
            messages.attach(session)
        session.begin([topic.strip() for topic in query.get("subscribe", "").split(",") if topic.strip()])
        return session

    def restart(self, down_s: float = 0.0) -> None:
        """Drop every connection and be down for some seconds of venue time; accounts, orders and positions are kept."""
        if down_s:
            self.faults.arm("refuse_connections", for_s=down_s)
        for session in list(self.sessions):
            session.close_code = 1001
            session.close("the venue restarts")
        for tell in list(self.on_restart):
            tell()

    def forget(self, session: Session) -> None:
        """A session has ended."""
        self.sessions.pop(session, None)

    def welcome(self, remote: str) -> dict[str, Any]:
        """The first frame of a connection."""
        profile = self.profile
        out: dict[str, Any] = {
            "info": INFO,
            "version": profile.welcome_version,
            "timestamp": iso(self.now + self.authenticator.skew_ns),
            "docs": DOCS,
        }
        if profile.heartbeat_flag:
            out["heartbeatEnabled"] = False
        out["limit"] = {"remaining": self._connections[remote].remaining} if profile.welcome_limit else {}
        if profile.heartbeat_flag:
            out["appName"] = "bitmex-venue"
        return out

    def _spend_connection(self, remote: str) -> None:
        bucket = self._connections.get(remote)
        if bucket is None:
            if len(self._connections) > 10_000:
                self._connections.clear()
            bucket = Bucket(self.profile.connections_per_hour, 3600 * SECOND, self.wall)
            self._connections[remote] = bucket
        bucket.refill(self.wall)
        if self.enforce_connections and not bucket.affords(1):
            raise errors.rate_limited(max(1, -(-bucket.wait_ns(1) // SECOND)))
        bucket.take(1)

    # ---- what there is

    def active(self) -> list[str]:
        """Contracts that can be traded, or could until somebody closed them."""
        instruments = self.exchange.instruments
        return [s for s, i in instruments.items() if not i.spec.is_index and i.state in ("Open", "Closed")]

    def indices(self) -> list[str]:
        return [symbol for symbol, inst in self.exchange.instruments.items() if inst.spec.is_index]

    def currencies(self) -> list[str]:
        """What contracts settle in."""
        specs = (inst.spec for inst in self.exchange.instruments.values())
        return list(dict.fromkeys(spec.settl_currency for spec in specs if spec.settl_currency))

    def symbols(self, text: str) -> list[str]:
        """The instruments a client means: a symbol, or a series (`XBT`, `XBT:perpetual`, `XBT:quarterly`)."""
        return series.find(text, self.exchange.instruments, self.active())
