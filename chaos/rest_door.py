"""The REST door of an in-process venue, with faults. A time-out costs simulated time, during which the venue and its messages go on.

Rules:

* "before" means that the venue never saw the request, "after" that it was carried out.
* A late request arrives after the client has given it up, within the life of its signature.
* What the venue itself refuses is counted as wasted: nobody made it go wrong.
"""

from __future__ import annotations

import datetime
import email.utils
import io
import json
from collections import Counter
from urllib.parse import urlsplit

import requests

from bitmex_venue.inprocess import REMOTE, VenueAdapter
from bitmex_venue.wire.encode import SECOND
from bitmex_venue.wire.http import Request

OVERLOADED = {"error": {"message": "The system is currently overloaded. Please try again later.", "name": "HTTPError"}}
TOO_MANY = {"error": {"message": "Rate limit exceeded, retry in 1 seconds.", "name": "RateLimitError"}}
EXPIRED = {"error": {"message": "This request has expired - `expires` is in the past.", "name": "HTTPError"}}
TOKEN_EXPIRED = {"error": {"message": "Access Token expired for subscription.", "name": "HTTPError"}}
PAGE = "<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center></body></html>"


class NewConnectionError(Exception):
    """Named as urllib3 names it."""


class Refused(Exception):
    """What urllib3 raises below a refused connection, as far as `requests` lets one see it."""

    @property
    def reason(self):
        return NewConnectionError("Connection refused")


class RestDoor(VenueAdapter):
    """A transport for `requests`. `before_each`, when set, is called with the name of a race before a request is passed on."""

    def __init__(self, venue, mischief):
        super().__init__(venue)
        self.mischief = mischief
        self.race = None
        self.after_each = None
        self.requests = self.orders = 0
        self.refused = Counter()  # what the venue itself refused, by status
        self.token_lasts_until = 0
        self._late = []

    def send(self, request, stream=False, timeout=None, **options):
        fault = self.mischief.for_request(request.method)
        limit = timeout or 7
        return FAULTS[fault](self, request, lambda: self._pass_on(request, limit), limit) if fault else self._pass_on(request, limit)

    def deliver_late(self):
        """Requests that were given up reach the venue all the same; nobody hears the answer."""
        due = [request for when, request in self._late if when <= self.venue.now]
        self._late = [(when, request) for when, request in self._late if when > self.venue.now]
        for request in due:
            parts = urlsplit(request.url)
            self.venue.handle(Request(request.method, parts.path, parts.query, request.headers, request.body or b"", REMOTE, self.venue.now))

    def _pass_on(self, request, limit):
        self.requests += 1
        self.orders += request.method != "GET"
        strikes = sum(self.venue.faults.counts.values())
        try:
            reply = super().send(request, timeout=limit)
        finally:
            if self.after_each is not None:
                self.after_each()
        is_ours = strikes == sum(self.venue.faults.counts.values())  # nobody made it go wrong
        if is_ours and reply.status_code >= 400 and not (reply.status_code == 404 and "/bulk" in request.url):
            self.refused[reply.status_code] += 1
        return reply

    def pass_time(self, seconds):
        """The client waits for an answer: its realtime thread hears what the venue says meanwhile."""
        end = self.venue.now + round(seconds * SECOND)
        while self.venue.now < end:
            due = self.venue.next_time()
            self.venue.advance(end if due is None or due > end else due)

    def answer(self, request, status, body, **headers):
        """An answer that the venue did not give."""
        made = requests.Response()
        made.status_code, made.request, made.url = status, request, request.url
        made.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
        made.raw = io.BytesIO((body if isinstance(body, str) else json.dumps(body)).encode("utf-8"))
        made.elapsed, made.connection = datetime.timedelta(), self
        return made

    def keep_for_later(self, request):
        self._late.append((self.venue.now + round(self.mischief.random.uniform(0.1, 3.0) * SECOND), request))


def _refused(door, request, pass_on, limit):
    raise requests.exceptions.ConnectionError(Refused())


def _lost(door, request, pass_on, limit):
    door.pass_time(limit)
    raise requests.exceptions.ReadTimeout("Read timed out.")


def _reply_lost(door, request, pass_on, limit):
    pass_on()
    return _lost(door, request, pass_on, limit)


def _reset(door, request, pass_on, limit):
    pass_on()
    raise requests.exceptions.ConnectionError("Connection reset by peer")


def _late(door, request, pass_on, limit):
    door.pass_time(limit)
    door.keep_for_later(request)
    raise requests.exceptions.ReadTimeout("Read timed out.")


def _slow(door, request, pass_on, limit):
    door.pass_time(0.3 * limit)
    reply = pass_on()
    door.pass_time(0.3 * limit)
    return reply


def _instead(status, body, **headers):
    """The request never reaches the venue."""
    return lambda door, request, pass_on, limit: door.answer(request, status, body, **headers)


def _afterwards(status, body, **headers):
    """The venue carries it out; the answer says something else."""
    def fault(door, request, pass_on, limit):
        pass_on()
        return door.answer(request, status, body, **headers)
    return fault


def _cut_off(door, request, pass_on, limit):
    reply = pass_on()
    return door.answer(request, reply.status_code, reply.text[: len(reply.text) // 2] or "[")


def _signature_expired(door, request, pass_on, limit):
    """Only what is signed can expire."""
    if "api-signature" not in request.headers:
        return pass_on()
    return door.answer(request, 400, EXPIRED, Date=email.utils.formatdate(door.venue.now / SECOND, usegmt=True))


def _token_expired(door, request, pass_on, limit):
    """No token lasts for less than a minute."""
    if door.venue.now < door.token_lasts_until:
        return pass_on()
    door.token_lasts_until = door.venue.now + 60 * SECOND
    return door.answer(request, 401, TOKEN_EXPIRED)


def _race(kind):
    """Something happens to our orders while the request is on its way."""
    def fault(door, request, pass_on, limit):
        if door.race is not None:
            door.race(kind)
        return pass_on()
    return fault


FAULTS = {
    "request refused": _refused,
    "request lost": _lost,
    "reply lost": _reply_lost,
    "connection reset after acceptance": _reset,
    "request late": _late,
    "slow reply": _slow,
    "502 before acceptance": _instead(502, PAGE.format("502 Bad Gateway")),
    "502 after acceptance": _afterwards(502, PAGE.format("502 Bad Gateway")),
    "504 after acceptance": _afterwards(504, PAGE.format("504 Gateway Time-out")),
    "503 overloaded": _instead(503, OVERLOADED),
    "503 overloaded after acceptance": _afterwards(503, OVERLOADED),
    "503 page after acceptance": _afterwards(503, PAGE.format("503 Service Temporarily Unavailable")),
    "429 with Retry-After": _instead(429, TOO_MANY, Retry_After="2"),
    "429 without headers": _instead(429, TOO_MANY),
    "429 with wrong headers": _instead(429, "Too many requests", Retry_After="soon", X_RateLimit_Reset="1", X_RateLimit_Remaining="many"),
    "401 expired token": _token_expired,
    "reply is no JSON": _afterwards(200, PAGE.format("Welcome")),
    "reply is cut off": _cut_off,
    "reply is empty": _afterwards(200, ""),
    "reply of another shape": _afterwards(200, {"ok": True}),
    "expired signature": _signature_expired,
    "fill races the request": _race("fill"),
    "cancel races the request": _race("cancel"),
}
