"""Helpers of these tests: a venue in process, a signed client, realtime messages as values, the recorded data."""

from __future__ import annotations

import json
import os
import time
from urllib.parse import urlencode

import pytest

from bitmex_venue.venue import Venue
from bitmex_venue.wire.auth import signature
from bitmex_venue.wire.http import Request

NOW = 1_600_000_000_000_000_000
SECOND = 1_000_000_000
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DATA = os.path.join(os.path.dirname(ROOT), "shared", "data")


def data(*parts):
    """The path of a recorded file; the test is skipped where there is none."""
    path = os.path.join(DATA, *parts)
    if not os.path.exists(path):
        pytest.skip("no recorded data beside the checkout")
    return path


def lines(*parts):
    """The JSON lines of a recorded file."""
    with open(data(*parts), encoding="utf-8") as stream:
        return [json.loads(line) for line in stream if line.strip()]


def venue(profile="classic", **options):
    """An empty venue at a fixed time."""
    return Venue(profile, now=NOW, **options)


def wait_until(condition, limit=5.0):
    """Wait for another thread or process, by the condition and not by the clock."""
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


class Client:
    """A signed client of a venue in process. Each call takes `step` of the venue's time."""

    def __init__(self, venue, key=None, step=SECOND):
        self.venue = venue
        self.key = key or venue.authenticator.keys[venue.api_key]
        self.step = step

    def call(self, method, path, args=None, signed=True, headers=None, **query):
        """A Response."""
        body = json.dumps(args).encode() if args is not None else b""
        path, text = "/api/v1/" + path, urlencode(query)
        target = path + ("?" + text if text else "")
        sent = {"content-type": "application/json"}
        if signed:
            expires = self.venue.now // SECOND + 60
            sent["api-key"] = self.key.id
            sent["api-expires"] = str(expires)
            sent["api-signature"] = signature(self.key.secret, method, target, expires, body)
        sent.update(headers or {})
        return self.venue.handle(Request(method, path, text, sent, body, time=self.venue.now + self.step))

    def ok(self, method, path, args=None, **query):
        """The value of a reply that must be 200."""
        reply = self.call(method, path, args, **query)
        assert reply.status == 200, reply.text
        return reply.json()

    def no(self, status, method, path, args=None, **query):
        """The message of a refusal with this status."""
        reply = self.call(method, path, args, **query)
        assert reply.status == status, reply.text
        return reply.json()["error"]["message"]

    def place(self, qty, price, symbol="XBTUSD", **more):
        return self.ok("POST", "order", {"symbol": symbol, "orderQty": qty, "price": price, **more})

    def listen(self, *topics, auth=True):
        """A session of this client, subscribed."""
        return Listener(self, topics, auth)


class Listener:
    """A realtime session and the tables that a client would keep."""

    def __init__(self, client, topics, auth=True):
        self.venue = client.venue
        headers = {}
        if auth:
            expires = self.venue.now // SECOND + 60
            headers = {
                "api-key": client.key.id,
                "api-expires": str(expires),
                "api-signature": signature(client.key.secret, "GET", "/realtime", expires),
            }
        query = "subscribe=" + ",".join(topics) if topics else ""
        self.session = self.venue.connect("/realtime", query, headers)
        self.keys, self.tables, self.all = {}, {}, []

    def take(self):
        """New messages, applied to the tables."""
        new = [json.loads(text) if text[:1] in "{[" else text for text in self.session.take_outgoing()]
        for message in new:
            self.apply(message)
        self.all.extend(new)
        return new

    def send(self, value):
        self.session.receive(value if isinstance(value, str) else json.dumps(value))
        return self.take()

    def deltas(self):
        """(table, action, rows) of the new messages of tables."""
        return [(m["table"], m["action"], m["data"]) for m in self.take() if isinstance(m, dict) and "table" in m]

    def apply(self, message):
        if not isinstance(message, dict) or "table" not in message:
            return
        table, action, rows = message["table"], message["action"], message["data"]
        if action == "partial":
            self.keys[table] = message["keys"]
            self.tables[table] = [dict(row) for row in rows]
            return
        assert table in self.tables, f"{action} of {table} before its partial"
        kept, keys = self.tables[table], self.keys[table]
        for row in rows:
            same = [one for one in kept if keys and all(one[k] == row[k] for k in keys)]
            if action == "insert":
                assert not same or table == "execution", f"{table}: inserted twice: {row}"
                kept.append(dict(row))
            elif action == "update":
                assert same or table == "transact", f"{table}: update of an unknown row {row}"
                for one in same:
                    one.update(row)
            else:
                assert same, f"{table}: delete of an unknown row {row}"
                kept.remove(same[0])
