"""The same two doors without sockets: a transport adapter for `requests`, a message feed, and a clock that advances the venue.

Theory of operation. A client that takes its transport, its feed and its clock from outside can run against a `Venue` in the same
thread, in simulated time: requests go through `VenueAdapter`, realtime messages come from `VenueFeed`, and waiting on
`SimulatedClock` lets the venue live on, event by event. Nothing here sleeps.

Rules
* What goes through these doors is what goes through the sockets: the same `Request`, the same `Session`.
* Messages are handed over synchronously, from `venue.advance()`, `send()`, `start()` or `pump()`, never from inside a
  REST request: a client's listener is not called while it waits for a reply.
* A request takes the venue's latency; one that takes longer than the client's time-out ends in a `ReadTimeout`, and has
  been carried out.
"""

from __future__ import annotations

import datetime
import io
from collections import deque
from collections.abc import Mapping, Sequence
from http.client import RemoteDisconnected
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError

from .misbehaviour.requests import CUT, REFUSED
from .venue import Venue
from .wire.encode import SECOND
from .wire.http import Request, Response

REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found"}
REMOTE = "127.0.0.1"
PATIENCE_S = 60
NOBODY = 0


class VenueAdapter(BaseAdapter):
    """Mount it on a `requests.Session` for the venue's base URL."""

    def __init__(self, venue: Venue, latency_ns: int | None = None) -> None:
        super().__init__()
        self.venue = venue
        self.latency_ns = venue.latency_ns if latency_ns is None else latency_ns

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        """Answer at once in real time, after the latency in the venue's. Raises ReadTimeout."""
        parts = urlsplit(request.url or "")
        body = request.body or b""
        if isinstance(body, str):
            body = body.encode("utf-8")
        limit = timeout[1] if isinstance(timeout, tuple) else timeout
        late = limit is not None and self.latency_ns > limit * SECOND
        begun = self.venue.now
        sent = Request(request.method or "GET", parts.path, parts.query, request.headers, body, REMOTE, begun + self.latency_ns)
        if self.venue.faults.requests:
            return self._on_a_bad_line(request, sent, limit)
        reply = self.venue.handle(sent)
        if late:
            raise requests.ReadTimeout(f"no reply within {limit} s", request=request)
        return self._response(request, reply)

    def _on_a_bad_line(self, request: requests.PreparedRequest, sent: Request, limit: float | None) -> requests.Response:
        """A request while faults are armed: it may arrive late, its reply later or never. A client without a time-out waits
        `PATIENCE_S`."""
        venue = self.venue
        end = venue.now + round((PATIENCE_S if limit is None else limit) * SECOND)
        sent.time += venue.faults.arrival_delay(sent)
        sent.wall = sent.time
        if sent.time > end:  # it will arrive, and nobody will hear the answer
            venue.agenda.add(sent.time, lambda time: venue.handle(sent) and None)
            venue.run_until(end)
            raise requests.ReadTimeout(f"no reply within {limit} s", request=request)
        reply = venue.handle(sent)
        if reply.fate == REFUSED:
            refused = MaxRetryError(None, sent.target, NewConnectionError(None, "Connection refused"))  # type: ignore[arg-type]
            raise requests.ConnectionError(refused, request=request)
        if reply.fate == CUT:
            cut = ProtocolError("Connection aborted.", RemoteDisconnected("Remote end closed connection without response"))
            raise requests.ConnectionError(cut, request=request)
        due = venue.now + reply.delay_ns
        if reply.fate or due > end:
            venue.run_until(end)
            raise requests.ReadTimeout(f"no reply within {limit} s", request=request)
        venue.run_until(due)
        return self._response(request, reply)

    def close(self) -> None:
        """Nothing is held."""

    def _response(self, request: requests.PreparedRequest, reply: Response) -> requests.Response:
        out = requests.Response()
        out.status_code = reply.status
        out.headers = CaseInsensitiveDict(reply.headers)
        out._content = reply.body
        out.raw = io.BytesIO(reply.body)
        out.url = request.url or ""
        out.request = request
        out.encoding = "utf-8"
        out.reason = REASONS.get(reply.status, "")
        out.elapsed = datetime.timedelta(microseconds=self.latency_ns // 1000)
        out.connection = self
        return out


class VenueFeed:
    """A realtime connection that needs no thread. `threaded` tells a client so.

    The listener has `on_open()`, `on_message(text)` and `on_close(reason)`; a refused connection calls
    `on_close(reason, status)` with the HTTP status, 0 where nobody listens. With `rows`, deltas come as the dict that their text would be read as, and are
    never made into text.
    """

    threaded = False
    may_stall = False  # one table alone, as on a wire

    def __init__(self, venue: Venue, rows: bool = False) -> None:
        self.venue = venue
        self._rows = rows
        self._session: Any = None
        self._listener: Any = None
        self._waiting: deque[Any] = deque()
        self._pumping = False

    def start(self, url: str, header: Any, listener: Any) -> None:
        """Connect. `header` is a list of `name: value` or a mapping; an open connection is given up first."""
        self.close()
        parts = urlsplit(url)
        session = self.venue.connect(parts.path, parts.query, _headers(header), REMOTE)
        if isinstance(session, Response) and session.fate:
            listener.on_close("the connection was refused", NOBODY if session.fate == REFUSED else None)
            return
        if isinstance(session, Response):
            listener.on_close(f"the venue refused the socket with HTTP {session.status}", session.status)
            return
        session.takes_rows = self._rows
        self._session, self._listener = session, listener
        self.venue.on_advanced.append(self.pump)
        listener.on_open()
        self.pump()

    def send(self, text: str) -> None:
        """Hand a frame to the venue, and what it answers to the listener."""
        if self._session is not None:
            self._session.receive(text)
            self.pump()

    def pump(self) -> None:
        """Hand over everything that is waiting; tells the listener when the venue has ended the session. A listener may
        call `send` or `close` meanwhile."""
        session = self._session
        if session is None or self._pumping:
            return
        self._pumping = True
        try:
            while self._session is session:
                self._waiting.extend(session.take_outgoing())
                if not self._waiting:
                    break
                self._listener.on_message(self._waiting.popleft())
        finally:
            self._pumping = False
        if self._session is session and session.closed is not None:
            listener = self._listener
            self._forget()
            listener.on_close(session.closed)

    def close(self) -> None:
        """Leave, without a word to the listener; safe to call again."""
        session = self._session
        if session is not None:
            self._forget()
            session.close("the client left")

    def _forget(self) -> None:
        self._session = self._listener = None
        self._waiting.clear()
        if self.pump in self.venue.on_advanced:
            self.venue.on_advanced.remove(self.pump)


class SimulatedClock:
    """The clock of a client of this venue: time passes only while somebody waits."""

    def __init__(self, venue: Venue, start: int | None = None) -> None:
        self.venue = venue
        if start is not None:
            venue.advance(start)

    def time(self) -> float:
        """Seconds since the epoch."""
        return self.venue.now / SECOND

    def monotonic(self) -> float:
        """Seconds; the same clock."""
        return self.venue.now / SECOND

    def wait(self, wakeup: Any, timeout: float) -> bool:
        """Let the venue live on, event by event, until `wakeup` is set or `timeout` seconds have passed."""
        venue = self.venue
        end = venue.now + max(0, round(timeout * SECOND), int(timeout > 0))  # a wait always moves time, or somebody waits for ever
        while not wakeup.is_set():
            happened = venue.step(end)
            if happened:
                while venue.step(venue.now):  # all that falls on one moment
                    pass
            else:
                venue.arrive(end)
            venue.tell()
            if not happened:
                break
        return bool(wakeup.is_set())


def _headers(header: Any) -> Mapping[str, str]:
    if isinstance(header, Mapping):
        return header
    lines: Sequence[str] = header or ()
    return {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
