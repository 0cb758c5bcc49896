"""Both doors of a venue on one port: REST under /api/v1 and realtime at /realtime, by aiohttp, in real time.

Theory of operation. One event loop owns the venue; nothing else touches it, so there are no locks. A timer wakes the loop when the
venue has something to do by itself. A request advances the venue to the present, is answered, and its realtime rows
are on their way before (or, by choice, after) the reply. Each socket has one writer, which empties its session's outbox.

Rules
* Request and frame sizes are limited; a slow reader is cut off; a client that says nothing for 180 s is cut off, without a close
  frame, as the real venue did.
* No traceback ever reaches a client.
* A venue that cannot keep up with its `speed` runs slower instead of falling behind for ever.

Known difference: the real venue closed idle connections of REST after about 90 s; so do we, but nothing else about its
load balancers is imitated.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from typing import Any

from aiohttp import WSMsgType, web
from aiohttp.http_exceptions import HttpProcessingError

from .control_door import live_through
from .misbehaviour.knocks import Knocks
from .misbehaviour.requests import SILENCE
from .venue import Venue
from .wire import errors, http
from .wire.encode import SECOND
from .wire.http import Request, Response
from .wire.realtime import IDLE_S, SLOW_READER, Session

MAX_REQUEST = 2 << 20  # bytes of a body
MAX_FRAME = 256 << 10  # bytes of a frame from a client
MAX_LINE = 64 << 10  # bytes of a request line: filters with many ids are long
MAX_LAG_NS = 2 * SECOND
MAX_START_NS = 60 * SECOND
SLICE_S = 0.02
KEEP_ALIVE_S = 90
AFTER_REPLY_S = 0.02
SERVER = "bitmex-venue"
NO_CLOSE_FRAME = 1006
MAX_SILENCE_S = 3600
log = logging.getLogger("bitmex_venue")

_quiet = logging.getLogger("bitmex_venue.http")
_quiet.setLevel(logging.CRITICAL)


class VenueServer:
    """Serves a venue. `speed` is venue seconds per real second; `realtime_first` false sends the rows of a request some
    milliseconds after its reply. `start` returns when the port is open; `port` says which it is."""

    def __init__(
        self,
        venue: Venue,
        host: str = "127.0.0.1",
        port: int = 0,
        speed: float = 1.0,
        realtime_first: bool = True,
        idle_s: float = IDLE_S,
    ) -> None:
        self.venue = venue
        self.host = host
        self.port = port
        self.speed = speed
        self.realtime_first = realtime_first
        self.idle_s = idle_s
        self._wall_apart = speed != 1  # the venue's time is not the client's
        if self._wall_apart:
            venue.wall_clock = time.time_ns
        self._base_venue = venue.now
        self._base_real = time.monotonic_ns()
        self._timer: asyncio.TimerHandle | None = None
        self._due: int | None = None
        self._server: web.Server | None = None
        self._listener: asyncio.AbstractServer | None = None
        self._sockets: set[web.WebSocketResponse] = set()
        self._knocks: Knocks | None = None  # while the port is closed
        self._lagging = False
        self._stopping = asyncio.Event()
        self._realtime_transports: set[Any] = set()
        venue.faults.on_change.append(self._faults_changed)
        venue.on_restart.append(self._drop_requests)

    # ---- life

    async def start(self) -> None:
        """Open the port. Raises OSError when it cannot be had."""
        late = time.time_ns() - self.venue.now
        if 0 < late < MAX_START_NS:  # what making the venue has taken
            self.venue.advance(self.venue.now + late)
        self._base_venue, self._base_real = self.venue.now, time.monotonic_ns()
        self._server = web.Server(
            self._answer,
            access_log=None,
            logger=_quiet,
            keepalive_timeout=KEEP_ALIVE_S,
            max_line_size=MAX_LINE,
            max_field_size=MAX_LINE,
        )
        await self._listen()
        self._tick()

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(self._server, self.host, self.port, backlog=512)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the port, every connection and the venue; safe to call again."""
        if self._timer is not None:
            self._timer.cancel()
        if self._listener is not None:
            self._listener.close()
        self._stop_counting()
        self._stopping.set()
        for tell in (self._faults_changed, self._drop_requests):
            for kept in (self.venue.faults.on_change, self.venue.on_restart):
                if tell in kept:
                    kept.remove(tell)
        for session in list(self.venue.sessions):
            session.close_code = 1001
            session.close("the venue stops")
        closing = [asyncio.ensure_future(socket.close(code=1001, message=b"")) for socket in self._sockets]
        if closing:
            await asyncio.wait(closing, timeout=1)
        if self._server is not None:
            await self._server.shutdown(1)
        self.venue.close()
        self._listener = self._server = None

    @property
    def url(self) -> str:
        """What a client calls the base URL."""
        host = self.host if self.host not in ("0.0.0.0", "::", "") else "127.0.0.1"
        if ":" in host:
            host = f"[{host}]"
        return f"http://{host}:{self.port}/api/v1/"

    # ---- time

    def now(self) -> int:
        """The venue's time, in nanoseconds."""
        passed = time.monotonic_ns() - self._base_real
        return self._base_venue + (passed if self.speed == 1 else int(passed * self.speed))

    def _tick(self) -> None:
        """Run what is due, for at most a slice of real time, and set the timer for what comes next."""
        target = self.now()
        end = time.monotonic() + SLICE_S
        try:
            while True:
                due = self.venue.next_time()
                self.venue.advance(target if due is None or due > target else due)
                if self.venue.now >= target or time.monotonic() >= end:
                    break
        except Exception:
            log.exception("the venue stumbled")
        if target - self.venue.now > MAX_LAG_NS * max(1.0, self.speed):
            self._base_venue, self._base_real = self.venue.now, time.monotonic_ns()
            if not self._lagging:
                self._lagging = True
                log.warning("this machine cannot keep up with speed %g: the venue runs slower", self.speed)
        self._due = None
        self._schedule()

    def _schedule(self) -> None:
        """See to it that `_tick` runs when the venue wants it."""
        due = self.venue.next_time()
        if due is None or (self._due is not None and self._due <= due):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._due = due
        delay = max(0.0, (due - self.now()) / self.speed / SECOND)
        self._timer = asyncio.get_running_loop().call_later(min(delay, 3600.0), self._tick)

    def catch_up(self) -> None:
        """Let everything happen that is due."""
        self.venue.advance(self.now())

    def reschedule(self) -> None:
        """Something outside may have changed what is due next."""
        self._due = None
        self._schedule()

    async def forward(self, ns: int) -> None:
        """Move the clock forward, living through the time; clients' clocks stay what they are."""
        self._wall_apart = True
        self.venue.wall_clock = time.time_ns
        await live_through(self.venue, self.venue.now + ns)
        self._base_venue, self._base_real = self.venue.now, time.monotonic_ns()
        self.reschedule()

    # ---- faults of the line

    def _faults_changed(self) -> None:
        """Close the port while nobody may connect, and open it again."""
        closed = self.venue.faults.port_closed
        if closed is not None and self._listener is not None:
            self._knocks = Knocks(self.host, self.port, lambda: self.venue.faults.count(closed, "connection"))
            if not self._knocks.open():
                self.venue.faults.count(closed, "port")
            self._listener.close()
            self._listener = None
            self._drop_requests()
        elif closed is None and self._listener is None and self._server is not None and not self._stopping.is_set():
            self._stop_counting()
            self._reopening = asyncio.ensure_future(self._reopen())
        self.reschedule()

    def _stop_counting(self) -> None:
        if self._knocks is not None:
            self._knocks.close()
            self._knocks = None

    async def _reopen(self) -> None:
        if self._listener is None and not self._stopping.is_set() and self.venue.faults.port_closed is None:
            try:
                await self._listen()
            except OSError as problem:
                log.error("port %d cannot be had again: %s", self.port, problem)

    def _drop_requests(self) -> None:
        """Break every connection of REST."""
        for handler in self._server.connections if self._server is not None else ():
            if handler.transport is not None and handler.transport not in self._realtime_transports:
                handler.transport.abort()

    async def _on_a_bad_line(self, request: web.BaseRequest, reply: Response) -> web.Response:
        """A reply that comes late or never."""
        if reply.delay_ns:
            await asyncio.sleep(reply.delay_ns / self.speed / SECOND)
        if not reply.fate:
            return _response(reply)
        if reply.fate == SILENCE:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), MAX_SILENCE_S)
        if request.transport is not None:
            request.transport.abort()
        raise ConnectionResetError

    # ---- REST

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            path, _, query = _target(request).partition("?")
            if path.rstrip("/") == "/realtime":
                return await self._realtime(request, path, query)
            return await self._rest(request, path, query)
        except (asyncio.CancelledError, ConnectionError):
            raise
        except web.HTTPRequestEntityTooLarge:
            return _plain(413, "Request Entity Too Large")
        except (web.RequestPayloadError, HttpProcessingError):  # not compressed or cut as its headers say
            return _plain(400, "Bad Request")
        except Exception:
            log.exception("unforeseen failure of %s", request.method)
            return _plain(500, errors.internal().message)

    async def _rest(self, request: web.BaseRequest, path: str, query: str) -> web.Response:
        length = request.content_length
        if length is not None and length > MAX_REQUEST:
            return _plain(413, "Request Entity Too Large")
        body = await request.read() if request.can_read_body else b""
        if self.venue.latency_ns:
            await asyncio.sleep(self.venue.latency_ns / SECOND)
        venue = self.venue
        sent = Request(request.method, path, query, request.headers, body, request.remote or "")
        if venue.faults.requests:
            await asyncio.sleep(venue.faults.arrival_delay(sent) / self.speed / SECOND)
        sent.time = self.now()
        sent.wall = time.time_ns() if self._wall_apart else sent.time
        reply = venue.handle(sent)
        self._schedule()
        if reply.fate or reply.delay_ns:
            return await self._on_a_bad_line(request, reply)
        if venue.sessions and self.realtime_first:
            await asyncio.sleep(0)  # the writers run now
        return _response(reply)

    # ---- realtime

    async def _realtime(self, request: web.BaseRequest, path: str, query: str) -> web.StreamResponse:
        if "websocket" not in request.headers.get("Upgrade", "").lower():
            return _response(http.reply(400, {"error": "This address speaks the websocket protocol only."}))
        self.venue.advance(self.now())
        session = self.venue.connect(path, query, request.headers, request.remote or "")
        if isinstance(session, Response):
            return await self._on_a_bad_line(request, session)
        socket = web.WebSocketResponse(max_msg_size=MAX_FRAME, compress=True, autoping=False, timeout=1)
        woken, ended = asyncio.Event(), asyncio.Event()
        transport = request.transport
        delay = 0.0 if self.realtime_first else AFTER_REPLY_S
        loop = asyncio.get_running_loop()

        def wake() -> None:
            if session.closed is not None:
                ended.set()
            if session.closed == SLOW_READER:  # its writer waits for a socket that takes nothing
                transport.abort()
            if delay and session.closed is None:
                loop.call_later(delay, woken.set)
            else:
                woken.set()

        session.on_outgoing = wake
        try:
            await socket.prepare(request)
        except BaseException:
            session.close("no handshake")
            raise
        self._sockets.add(socket)
        self._realtime_transports.add(transport)
        woken.set()
        writer = asyncio.ensure_future(self._write(socket, session, woken, transport))
        try:
            await self._read(socket, session, transport, ended)
        finally:
            session.close("the client left")
            woken.set()
            writer.cancel()
            self._sockets.discard(socket)
            self._realtime_transports.discard(transport)
        return socket

    async def _read(
        self, socket: web.WebSocketResponse, session: Session, transport: Any, ended: asyncio.Event
    ) -> None:
        while session.closed is None:
            if session.half_open:
                await ended.wait()
                return
            try:
                message = await socket.receive(timeout=self.idle_s)
            except asyncio.TimeoutError:
                session.close("idle")
                transport.abort()
                return
            if message.type is WSMsgType.TEXT:
                text = message.data
            elif message.type is WSMsgType.BINARY:
                text = message.data.decode("utf-8", "replace")
            elif message.type is WSMsgType.PING:
                if not session.half_open:
                    await socket.pong(message.data)
                continue
            elif message.type is WSMsgType.PONG:
                continue
            else:  # closing, closed, or an error
                return
            self.venue.advance(self.now())
            session.receive(text)
            self._schedule()

    async def _write(
        self, socket: web.WebSocketResponse, session: Session, woken: asyncio.Event, transport: Any
    ) -> None:
        try:
            while True:
                await woken.wait()
                woken.clear()
                for text in session.take_outgoing():
                    await socket.send_str(text)
                if session.closed is not None:
                    if session.close_code == NO_CLOSE_FRAME:
                        transport.abort()
                    else:
                        await socket.close(code=session.close_code)
                    return
        except (ConnectionError, RuntimeError):
            session.close("the socket broke")


def _target(request: web.BaseRequest) -> str:
    """The request target as it came, without scheme and host where a proxy wrote them."""
    target = request.raw_path
    if target.startswith(("http://", "https://")):
        slash = target.find("/", target.find("//") + 2)
        target = target[slash:] if slash >= 0 else "/"
    return target.partition("#")[0]


def _response(reply: Response) -> web.Response:
    headers = dict(reply.headers)
    headers.setdefault("Server", SERVER)
    return web.Response(status=reply.status, body=reply.body, headers=headers)


def _plain(status: int, message: str) -> web.Response:
    return _response(http.reply(status, errors.body(message)))
