"""The load that bench/venue.py puts on a venue in another process: signed requests, and listeners, by plain sockets.

A client library would cost more than the venue that it measures, so requests are written by hand and frames are counted and not decoded.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import random
import selectors
import socket
import subprocess
import sys
import time
from urllib.parse import urlsplit

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TICKS = os.sysconf("SC_CLK_TCK")


class Process:
    """A venue of its own process; `cpu` and `memory` are read from the system."""

    def __init__(self, *options):
        command = [sys.executable, "-m", "bitmex_venue", "--port", "0", "--ready-json", "--no-rate-limit", *options]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.facts = json.loads(self._process.stdout.readline())
        self.address = urlsplit(self.facts["url"]).hostname, urlsplit(self.facts["url"]).port

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self._process.communicate()

    def cpu(self):
        """Seconds of processor time so far."""
        with open("/proc/%d/stat" % self._process.pid) as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory(self):
        """Resident bytes."""
        with open("/proc/%d/statm" % self._process.pid) as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Connection:
    """One keep-alive connection that sends signed requests. `send` and `receive` are apart, so that several can be under way."""

    def __init__(self, venue):
        self._socket = socket.create_connection(venue.address)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._file = self._socket.makefile("rb", 1 << 16)
        self._key, self._secret = venue.facts["key"], venue.facts["secret"].encode()
        self._expires = str(int(time.time()) + 3600)

    def send(self, method, target, args=None):
        body = json.dumps(args, separators=(",", ":")) if args is not None else ""
        signed = hmac.new(self._secret, (method + target + self._expires + body).encode(), hashlib.sha256).hexdigest()
        head = (
            "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\nUser-Agent: bench\r\napi-key: %s\r\napi-expires: %s\r\n"
            "api-signature: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        )
        self._socket.sendall((head % (method, target, self._key, self._expires, signed, len(body)) + body).encode())

    def receive(self):
        """(status, body)."""
        status, length = int(self._file.readline().split()[1]), 0
        for line in iter(self._file.readline, b"\r\n"):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        return status, self._file.read(length)

    def call(self, method, target, args=None):
        self.send(method, target, args)
        status, body = self.receive()
        if status != 200:
            raise SystemExit("%s %s: %d %s" % (method, target, status, body[:200]))
        return json.loads(body)

    def close(self):
        self._socket.close()


def order_at(rng, middle=12000):
    """Arguments of an order that rests around a middle, in half dollars."""
    side = rng.choice((1, -1))
    return {"symbol": "XBTUSD", "orderQty": side * rng.randrange(1, 100), "price": (middle - side * rng.randrange(20, 1000)) / 2}


def requests(venue, seconds, connections=4):
    """Requests answered in so many seconds (place, amend and cancel in turn), and the venue's processor time for them."""
    rng, lines = random.Random(3), [[Connection(venue), "POST", None] for _ in range(connections)]
    done = 0

    def ask(line):
        connection, method, order_id = line
        if method == "POST":
            connection.send("POST", "/api/v1/order", order_at(rng))
        elif method == "PUT":
            connection.send("PUT", "/api/v1/order", {"orderID": order_id, "orderQty": rng.randrange(100, 200)})
        else:
            connection.send("DELETE", "/api/v1/order", {"orderID": order_id})

    for line in lines:
        ask(line)
    cpu, began = venue.cpu(), time.monotonic()
    while time.monotonic() < began + seconds:
        for line in lines:
            status, body = line[0].receive()
            if status != 200:
                raise SystemExit("%s: %d %s" % (line[1], status, body[:200]))
            if line[1] == "POST":
                row = json.loads(body)
                line[1:] = ["PUT" if row["ordStatus"] == "New" else "POST", row["orderID"]]
            else:
                line[1] = "DELETE" if line[1] == "PUT" else "POST"
            ask(line)
            done += 1
    spent, used = time.monotonic() - began, venue.cpu() - cpu
    for line in lines:
        line[0].receive()
        line[0].close()
    return done, spent, used


def latencies(venue, count, pause):
    """Seconds that each of `count` orders took, one every `pause` seconds, sorted."""
    connection, rng, out = Connection(venue), random.Random(4), []
    for _ in range(count):
        time.sleep(pause)
        began = time.perf_counter()
        row = connection.call("POST", "/api/v1/order", order_at(rng, 2000))
        out.append(time.perf_counter() - began)
        connection.call("DELETE", "/api/v1/order", {"orderID": row["orderID"]})
    connection.close()
    return sorted(out)


class Listener:
    """A realtime client that counts frames. `slow` never reads."""

    def __init__(self, venue, topic, slow=False):
        self.socket = socket.socket()
        if slow:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.connect(venue.address)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            ("GET /realtime?subscribe=%s HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n\r\n" % (topic, key)).encode()
        )  # fmt: skip
        self.rest, self.frames, self.bytes, self.is_open = b"", 0, 0, not slow
        while self.is_open and b"\r\n\r\n" not in self.rest:
            self.rest += self.socket.recv(4096)
        self.rest = self.rest.partition(b"\r\n\r\n")[2]
        self.socket.setblocking(False)

    def read(self):
        """Take what there is and count whole frames."""
        data = self.socket.recv(1 << 20)
        if not data:
            raise SystemExit("a listener was cut off")
        self.bytes += len(data)
        data, at = self.rest + data, 0
        while len(data) - at >= 2:
            size, head = data[at + 1] & 127, 2
            if size >= 126:
                head = 4 if size == 126 else 10
                if len(data) - at < head:
                    break
                size = int.from_bytes(data[at + 2 : at + head], "big")
            if len(data) - at < head + size:
                break
            at += head + size
            self.frames += 1
        self.rest = data[at:]

    def ask_for_more(self):
        """Ask for the whole book again, twenty times, without reading any."""
        frames = b""
        for op in ("unsubscribe", "subscribe") * 20:
            text = b'{"op":"%s","args":["orderBookL2:XBTUSD"]}' % op.encode()
            frames += bytes((0x81, 0x80 | len(text))) + bytes(4) + text  # masked with zeros
        try:
            self.socket.sendall(frames)
        except OSError:
            pass

    def is_cut(self):
        """Whether the venue has ended a connection that is never read."""
        with open("/proc/net/tcp") as file:
            mine = "%04X" % self.socket.getsockname()[1]
            states = [line.split()[3] for line in file.readlines()[1:] if line.split()[1].endswith(":" + mine)]
        return states != ["01"]


def broadcast(venue, clients, rate, seconds):
    """`clients` on the full book while one order in it changes `rate` times a second, besides what the market itself does: a dict
    of figures. One more client never reads."""
    connection, rng = Connection(venue), random.Random(5)
    listeners = [Listener(venue, "orderBookL2:XBTUSD") for _ in range(clients)]
    slow = Listener(venue, "orderBookL2:XBTUSD", slow=True)
    chooser = selectors.DefaultSelector()
    for listener in listeners:
        chooser.register(listener.socket, selectors.EVENT_READ, listener)

    def read_for(time_left):
        until = time.monotonic() + time_left
        while True:
            for key, _ in chooser.select(max(0.0, until - time.monotonic())):
                key.data.read()
            if time.monotonic() >= until:
                return

    read_for(2)
    order = connection.call("POST", "/api/v1/order", {"symbol": "XBTUSD", "orderQty": 10, "price": 1000})
    read_for(1)
    before = [listener.frames for listener in listeners]
    cpu, memory, began, taken, delays = venue.cpu(), venue.memory(), time.monotonic(), 0, []
    while time.monotonic() < began + seconds:
        asked = time.perf_counter()
        connection.call("PUT", "/api/v1/order", {"orderID": order["orderID"], "orderQty": rng.randrange(11, 10**5)})
        delays.append(time.perf_counter() - asked)
        taken += 1
        read_for(max(0.0, began + taken / rate - time.monotonic()))
    spent, used = time.monotonic() - began, venue.cpu() - cpu
    read_for(1)
    got = [listener.frames - n for listener, n in zip(listeners, before)]
    figures = {
        "updates": taken / spent, "share": used / spent, "frames": min(got) / spent, "uneven": max(got) - min(got),
        "reply_p99": sorted(delays)[len(delays) * 99 // 100], "grown": venue.memory() - memory,
    }  # fmt: skip
    began, memory = time.monotonic(), venue.memory()
    while not slow.is_cut() and time.monotonic() < began + 20:
        slow.ask_for_more()
        read_for(0.02)
    figures.update(cut_after=time.monotonic() - began, is_cut=slow.is_cut(), held=venue.memory() - memory)
    connection.close()
    return figures
