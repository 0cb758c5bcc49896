"""One realtime connection, without a socket: text in, text out.

Theory of operation. A `Session` is made by the venue when a client connects; the first thing in its outbox is the welcome. The
owner (the server's socket, or a feed in process) hands incoming text to `receive` and takes what is to be sent with
`take_outgoing`, when `on_outgoing` says that there is something. `closed` is None while the session lives, afterwards the reason.

Rules (bitmex-api.md section 5)
* The welcome is the first frame; topics in the URL are subscribed as if each had been asked for alone.
* One acknowledgement per topic, echoing the request; then that topic's partial.
* Errors are frames with a status: 400 for what makes no sense, 401 for what needs a login. They do not end the session, but
  `MAX_ERRORS` of them do.
* The text `ping` is answered `pong`, neither of them JSON.
* An outbox that grows over `max_outgoing` messages or `max_bytes` characters ends the session: a slow reader harms nobody.

Known differences: topics of the web site (chat, announcement, connected, ...) are acknowledged and stay silent.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from ..engine.commands import CancelAllAfter
from ..engine.refusals import Refused
from ..misbehaviour.messages import before_partial
from . import errors, partials
from .auth import ORDER, Identity
from .columns import PRIVATE
from .encode import dumps, iso, loads
from .hub import Topic

DOCS = "Please see the documentation at https://www.bitmex.com/app/wsAPI"
NO_LOGIN = "User requested an account-locked subscription but no authorization was provided."
NO_SYMBOLS = "The table does not emit symbols. Subscribe to the table directly."
SITE_TOPICS = frozenset(("announcement", "chat", "connected", "publicNotifications"))
PRIVATE_SITE_TOPICS = frozenset(("privateNotifications", "account"))
POOLS = frozenset(("Primary", "Secondary", "Aggregated"))
MAX_ERRORS = 100
log = logging.getLogger("bitmex_venue")
SLOW_READER = "slow reader"
IDLE_S = 180  # a client that says nothing for so long is cut off
MAX_TOPICS = 500
OPS = ("authKey", "authKeyExpires", "cancelAllAfter", "subscribe", "unsubscribe")


def help_text(names: list[str]) -> dict[str, Any]:
    """What `help` and GET /schema/websocketHelp answer; `names` are the tables of the venue."""
    private = [n for n in names if n in PRIVATE]
    return {
        "info": "See https://www.bitmex.com/app/wsAPI and https://www.bitmex.com/explorer for more documentation.",
        "usage": 'Send a message in the format: {"op": string, "args": Array<string>}',
        "ops": list(OPS),
        "subscribe": 'To subscribe, send: {"op": "subscribe", "args": [subscriptionTopic, ...]}.',
        "subscriptionSubjects": {
            "authenticationRequired": sorted(PRIVATE_SITE_TOPICS) + private,
            "public": sorted(SITE_TOPICS) + [n for n in names if n not in PRIVATE],
        },
    }


class Session:
    """A client's connection. `venue` is the Venue; `identity` None until the client has shown who it is."""

    def __init__(
        self, venue: Any, identity: Identity | None, remote: str, max_outgoing: int = 20_000, max_bytes: int = 32 << 20
    ) -> None:
        self.venue = venue
        self.identity = identity
        self.remote = remote
        self.closed: str | None = None
        self.on_outgoing: Callable[[], None] | None = None
        self.takes_rows = False  # a client in process may take table messages as they are
        self.line: Any = None  # what lies between venue and client while faults of messages are armed
        self.half_open = False  # nothing is heard or said any more
        self.close_code = 1008
        self.max_outgoing = max_outgoing
        self.max_bytes = max_bytes
        self.topics: dict[str, Topic] = {}
        self._outgoing: list[Any] = []
        self._bytes = 0
        self._errors = 0
        self._ops: dict[str, Callable[[Any, Any], None]] = {
            "subscribe": self._subscribe,
            "unsubscribe": self._unsubscribe,
            "authKeyExpires": self._auth_expires,
            "authKey": self._auth_nonce,
            "cancelAllAfter": self._cancel_all_after,
            "help": self._help,
        }

    # ---- the owner's side

    def receive(self, text: str) -> None:
        """A frame from the client. Never raises for what a client may send."""
        if self.closed is not None or self.half_open:
            return
        if text == "ping":
            self.send("pong")
            return
        if text.strip() == "help":
            self._help(None, None)
            return
        try:
            request = loads(text)
        except ValueError:
            self._refuse(400, "Unable to parse the message: it is not JSON.", text[:200])
            return
        operation = self._ops.get(request.get("op")) if _has_op(request) else None
        if operation is None:
            self._refuse(400, f"Unrecognized request. {DOCS}", request)
            return
        try:
            operation(request.get("args"), request)
        except RecursionError:
            self._refuse(400, f"Unrecognized request. {DOCS}", {})
        except errors.ApiError as error:
            self._refuse(error.status, error.message, request)
        except Refused as refusal:
            self._refuse(refusal.status, refusal.message, request)
        except Exception:
            log.exception("unforeseen failure of a realtime message")
            self._refuse(500, "Server Error", {})

    def take_outgoing(self) -> list[Any]:
        """What is to be sent, oldest first: text, or a dict where rows were asked for. The outbox is empty afterwards."""
        out, self._outgoing, self._bytes = self._outgoing, [], 0
        return out

    def close(self, reason: str = "closed") -> None:
        """End the session; safe to call again."""
        if self.closed is not None:
            return
        self.closed = reason
        for topic in list(self.topics.values()):
            self.venue.hub.leave(topic, self)
        self.topics.clear()
        self.venue.forget(self)
        self._wake()

    # ---- the venue's side

    def send(self, text: str) -> None:
        """Queue a frame, by way of the line where there is one (see `misbehaviour.messages`)."""
        if self.line is not None:
            self.line.carry(text)
        else:
            self.deliver(text)

    def give(self, message: dict[str, Any]) -> None:
        """`send` for a client that takes rows; one with a line between gets text like everybody."""
        if self.line is not None:
            self.line.carry(dumps(message))
        elif self.closed is None and not self.half_open:
            self._outgoing.append(message)
            if len(self._outgoing) > self.max_outgoing:
                self._outgoing, self._bytes = [], 0
                self.close(SLOW_READER)

    def deliver(self, text: str) -> None:
        """Queue a frame."""
        if self.closed is not None or self.half_open:
            return
        self._outgoing.append(text)
        self._bytes += len(text)
        if len(self._outgoing) > self.max_outgoing or self._bytes > self.max_bytes:
            self._outgoing, self._bytes = [], 0
            self.close(SLOW_READER)
        elif len(self._outgoing) == 1:
            self._wake()

    def repeat(self, table: str | None) -> list[str]:
        """Send the partials of the subscriptions (to one table) again, unasked; returns their tables."""
        told = []
        for name, symbol, account in list(self.topics.values()):
            if table in (None, name):
                text = dumps(partials.image(self.venue.hub, name, symbol, account, self.venue.now))
                if self.line is not None:
                    self.line.forward(name, text)
                else:
                    self.deliver(text)
                told.append(name)
        return told

    def begin(self, topics: list[str]) -> None:
        """Say welcome and subscribe to the topics of the URL."""
        self.send(dumps(self.venue.welcome(self.remote)))
        for topic in topics:
            request = {"op": "subscribe", "args": topic}
            try:
                self._join(topic, request)
            except errors.ApiError as error:
                self._refuse(error.status, error.message, request)

    def _wake(self) -> None:
        if self.on_outgoing is not None:
            self.on_outgoing()

    def _refuse(self, status: int, message: str, request: Any) -> None:
        try:
            frame = dumps(errors.realtime(status, message, request))
        except RecursionError:  # nested too deeply to be echoed
            frame = dumps(errors.realtime(status, message, {}))
        self.send(frame)
        self._errors += 1
        if self._errors > MAX_ERRORS:
            self.close("too many errors")

    # ---- operations

    def _subscribe(self, args: Any, request: Any) -> None:
        for topic in _topics(args):
            try:
                self._join(topic, request)
            except errors.ApiError as error:
                self._refuse(error.status, error.message, request)

    def _unsubscribe(self, args: Any, request: Any) -> None:
        for topic in _topics(args):
            key = self.topics.pop(topic, None)
            if key is None:
                self._refuse(400, f"You are not subscribed to this topic: {topic}. {DOCS}", request)
                continue
            self.venue.hub.leave(key, self)
            self.send(dumps({"success": True, "unsubscribe": topic, "request": request}))

    def _join(self, topic: str, request: Any) -> None:
        key = self._resolve(topic)
        if len(self.topics) >= MAX_TOPICS:
            raise errors.bad_request("Too many subscriptions on one connection.")
        if key is None:
            self.send(dumps({"success": True, "subscribe": topic, "request": request}))
            return
        if not self.venue.hub.join(key, self):
            raise errors.bad_request(f"You are already subscribed to this topic: {topic}. {DOCS}")
        self.topics[topic] = key
        self.send(dumps({"success": True, **self._named(topic), "request": request}))
        table, symbol, account = key
        image = partials.image(self.venue.hub, table, symbol, account, self.venue.now)
        if self.line is not None:
            before_partial(self, table, image)
        self.send(dumps(image))

    def _named(self, topic: str) -> dict[str, Any]:
        """How an acknowledgement names a topic: in modern a pool stands beside it, not in it."""
        bare, _, pool = topic.rpartition(":")
        if self.venue.profile.strategy and pool in POOLS and bare:
            return {"subscribe": bare.rstrip(":"), "pool": pool}
        return {"subscribe": topic}

    def _resolve(self, topic: str) -> Topic | None:
        """What a topic means; None for a topic that is known and never says anything. Raises ApiError."""
        name, _, rest = topic.partition(":")
        if name in SITE_TOPICS:
            return None
        if name in PRIVATE_SITE_TOPICS:
            if self.identity is None:
                raise errors.ApiError(401, NO_LOGIN)
            return None
        table = self.venue.rows.tables.get(name)
        if table is None:
            raise errors.bad_request(f"Unknown or expired topic: {topic}. {DOCS}")
        if table.private and self.identity is None:
            raise errors.ApiError(401, NO_LOGIN)
        symbol, _, pool = rest.partition(":")
        if pool and not (pool in POOLS and self.venue.profile.strategy):
            symbol = rest
        account = self.identity.account_id if table.private and self.identity else None
        if symbol in ("", "*"):
            return (name, None, account)
        if not table.by_symbol:
            raise errors.bad_request(NO_SYMBOLS)
        if symbol not in self.venue.exchange.instruments:
            found = self.venue.symbols(symbol)
            if len(found) != 1:
                raise errors.bad_request(f"Unknown or expired topic: {topic}. {DOCS}")
            symbol = found[0]
        return (name, symbol, account)

    def _auth_expires(self, args: Any, request: Any) -> None:
        self._auth(args, request, nonce=False)

    def _auth_nonce(self, args: Any, request: Any) -> None:
        self._auth(args, request, nonce=True)

    def _auth(self, args: Any, request: Any, nonce: bool) -> None:
        if not isinstance(args, list) or len(args) != 3:
            raise errors.bad_request("Expected args: [apiKey, expires, signature].")
        if self.identity is not None:
            raise errors.bad_request("You are already authenticated.")
        self.identity = self.venue.authenticator.operation(*args, self.remote, self.venue.wall, nonce=nonce)
        self.send(dumps({"success": True, "request": request}))

    def _cancel_all_after(self, args: Any, request: Any) -> None:
        if self.identity is None:
            raise errors.ApiError(401, NO_LOGIN)
        if not self.identity.may("orderCancel") and not self.identity.may(ORDER):
            raise errors.access_denied()
        value = args[0] if isinstance(args, list) and len(args) == 1 else args
        if isinstance(value, str) and value.isdigit() and len(value) < 16:
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 10**15:
            raise errors.bad_request("timeout is invalid")
        out = self.venue.execute(CancelAllAfter(self.identity.account_id, value))
        self.send(dumps({**cancel_times(out), "request": request}))

    def _help(self, args: Any, request: Any) -> None:
        self.send(dumps(help_text(list(self.venue.rows.tables))))


def cancel_times(result: Any) -> dict[str, Any]:
    """The answer to cancelAllAfter; a disarmed timer shows `cancelTime` 0."""
    now, at = result
    return {"now": iso(now), "cancelTime": iso(at) if at is not None else 0}


def _has_op(request: Any) -> bool:
    return isinstance(request, dict) and isinstance(request.get("op"), str)


def _topics(args: Any) -> list[str]:
    """The topics of an op: a string, or a list of them."""
    if isinstance(args, str):
        return [args]
    if isinstance(args, list) and args and all(isinstance(item, str) for item in args):
        return args
    raise errors.bad_request("Expected args: a topic or a list of topics.")

