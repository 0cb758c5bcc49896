"""The doors with real sockets on port 0, and the command line."""

import asyncio
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time

import aiohttp
import pytest
from wire_kit import ROOT, wait_until

from bitmex_venue.server import MAX_FRAME, VenueServer
from bitmex_venue.venue import Venue
from bitmex_venue.wire.auth import signature

LIMIT_S = 10


def run(scenario, profile="classic", **options):
    """Run `scenario(server, http)` against a server of its own."""

    async def whole():
        server = VenueServer(Venue(profile, now=time.time_ns()), **options)
        await server.start()
        try:
            async with aiohttp.ClientSession() as http:
                await asyncio.wait_for(scenario(server, http), LIMIT_S)
        finally:
            await server.stop()

    asyncio.run(whole())


def signed(server, method, target, body=b""):
    expires = int(time.time()) + 30
    secret = server.venue.api_secret
    return {
        "api-key": server.venue.api_key,
        "api-expires": str(expires),
        "api-signature": signature(secret, method, target, expires, body),
        "content-type": "application/json",
    }


async def rest(server, http, method, path, args=None):
    body = json.dumps(args).encode() if args is not None else b""
    target = "/api/v1/" + path
    url = server.url.removesuffix("/api/v1/") + target
    async with http.request(method, url, data=body or None, headers=signed(server, method, target, body)) as reply:
        return reply.status, await reply.json(), reply.headers


async def socket_of(server, http, query="", **options):
    url = server.url.replace("http", "ws", 1).removesuffix("api/v1/") + "realtime" + query
    return await http.ws_connect(url, headers=signed(server, "GET", "/realtime"), **options)


async def table(ws, name, action=None):
    """The next message of a table."""
    while True:
        message = json.loads((await ws.receive(LIMIT_S)).data)
        if message.get("table") == name and action in (None, message["action"]):
            return message


def test_an_order_over_http_is_told_on_the_socket_before_the_reply():
    async def scenario(server, http):
        ws = await socket_of(server, http, "?subscribe=order,margin")
        await table(ws, "margin")
        status, row, headers = await rest(server, http, "POST", "order", {"symbol": "XBTUSD", "orderQty": 5, "price": 6000})
        assert status == 200 and row["ordStatus"] == "New"
        assert headers["x-ratelimit-remaining"] == "299" and "Date" in headers
        told = await asyncio.wait_for(table(ws, "order", "insert"), 1)
        assert told["data"][0]["orderID"] == row["orderID"]

    run(scenario)


def test_the_reply_may_also_come_first():
    async def scenario(server, http):
        ws = await socket_of(server, http, "?subscribe=order")
        await table(ws, "order")
        await rest(server, http, "POST", "order", {"symbol": "XBTUSD", "orderQty": 5, "price": 6000})
        assert (await table(ws, "order", "insert"))["data"]

    run(scenario, realtime_first=False)


def test_two_sockets_and_compression_on_either():
    async def scenario(server, http):
        plain = await socket_of(server, http, "?subscribe=quote:XBTUSD")
        packed = await socket_of(server, http, "?subscribe=quote:XBTUSD", compress=15)
        assert packed.compress and not plain.compress
        for ws in (plain, packed):
            await table(ws, "quote", "partial")
        await rest(server, http, "POST", "order", {"symbol": "XBTUSD", "orderQty": 5, "price": 6000})
        assert await table(plain, "quote", "insert") == await table(packed, "quote", "insert")
        await plain.send_str("ping")
        assert (await plain.receive()).data == "pong"

    run(scenario)


def test_a_refused_upgrade_is_an_http_status_and_a_plain_get_is_told_why():
    async def scenario(server, http):
        url = server.url.removesuffix("api/v1/") + "realtime"
        with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
            await http.ws_connect(url.replace("http", "ws", 1), headers={"api-key": "x", "api-expires": "1", "api-signature": "y"})
        assert refusal.value.status == 401
        async with http.get(url) as reply:
            assert reply.status == 400 and "websocket" in (await reply.json())["error"]

    run(scenario)


def test_head_answers_the_headers_of_get():
    async def scenario(server, http):
        url = server.url + "instrument?symbol=XBTUSD"
        async with http.get(url) as whole, http.head(url) as bare:
            assert (bare.status, await bare.read()) == (200, b"") and await whole.read()
            assert set(bare.headers) == set(whole.headers) and int(bare.headers["Content-Length"]) > 1000
        async with http.head(server.url + "nothing") as missing:
            assert missing.status == 404

    run(scenario)


def test_large_bodies_and_large_frames_are_refused():
    async def scenario(server, http):
        async with http.post(server.url + "order", data=b"x" * (3 << 20)) as reply:
            assert reply.status == 413
            assert (await reply.json())["error"]["name"] == "HTTPError"
        ws = await socket_of(server, http)
        await ws.receive()
        await ws.send_str("x" * (MAX_FRAME + 1))
        assert (await ws.receive(LIMIT_S)).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
        assert (await rest(server, http, "GET", "user"))[0] == 200

    run(scenario)


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_body_that_is_not_compressed_as_its_header_says_is_a_400(coding, caplog):
    async def scenario(server, http):
        async with http.post(server.url + "order", data=b"no such stream", headers={"content-encoding": coding}) as reply:
            assert reply.status == 400, await reply.text()
            assert await reply.json() == {"error": {"message": "Bad Request", "name": "HTTPError"}}
        assert (await rest(server, http, "GET", "user"))[0] == 200

    run(scenario)
    assert not caplog.records


def test_a_silent_client_is_cut_off_without_a_close_frame():
    async def scenario(server, http):
        ws = await socket_of(server, http)
        await ws.receive()
        message = await ws.receive(LIMIT_S)
        assert message.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
        assert ws.close_code == 1006
        while server.venue.sessions:
            await asyncio.sleep(0)

    run(scenario, idle_s=0.05)


def test_a_reader_that_does_not_read_is_disconnected():
    async def scenario(server, http):
        deaf = await socket_of(server, http, "?subscribe=orderBookL2:XBTUSD")
        (session,) = server.venue.sessions
        session.max_outgoing = 50
        reader = await socket_of(server, http, "?subscribe=quote:XBTUSD")
        while session.closed is None:  # nobody reads, so the buffers of both ends fill up
            session.send("x" * 65536)
            await asyncio.sleep(0)
        assert session.closed == "slow reader"
        while len(server._sockets) > 1:
            await asyncio.sleep(0)
        del deaf
        await rest(server, http, "POST", "order", {"symbol": "XBTUSD", "orderQty": 5, "price": 6000})
        assert await table(reader, "quote", "insert")

    run(scenario)


def test_bad_http_gets_no_traceback():
    async def scenario(server, http):
        junks = (b"nonsense", b"GET /api/v1/order HTTP/1.1\r\nHost: x\r\ncontent-length: -1", b"\x00" * 100)
        for junk in (junk + b"\r\n\r\n" for junk in junks):
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(junk)
            answer = await asyncio.wait_for(reader.read(65536), LIMIT_S)
            assert b"Traceback" not in answer and b".py" not in answer
            writer.close()
        assert (await rest(server, http, "GET", "user"))[0] == 200

    run(scenario)


def test_latency_delays_and_speed_quickens():
    async def slow(server, http):
        server.venue.latency_ns = 50_000_000
        begun = time.monotonic()
        await rest(server, http, "GET", "user")
        assert time.monotonic() - begun >= 0.05

    run(slow)

    async def quick(server, http):
        ws = await socket_of(server, http, "?subscribe=instrument:XBTUSD")
        stamps = []
        await rest(server, http, "POST", "order", {"symbol": "XBTUSD", "orderQty": 5, "price": 6000})
        begun = server.venue.now
        while server.venue.now < begun + 60 * 10**9:
            stamps.append(await asyncio.wait_for(table(ws, "instrument"), LIMIT_S))
            await rest(server, http, "POST", "order", {"symbol": "XBTUSD", "orderQty": 5, "price": 6000 + len(stamps)})
        status, _, _ = await rest(server, http, "GET", "user")  # the client's clock is far behind the venue's
        assert status == 200

    run(quick, speed=600)


# ---- the command line


class Process:
    """`python -m bitmex_venue` with these options."""

    def __init__(self, *options):
        environment = {**os.environ, "PYTHONPATH": ROOT}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bitmex_venue", "--port", "0", "--market", "empty", *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip

    def __enter__(self):
        return self.process

    def __exit__(self, *unused):
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            stream.close()


def test_ready_json_is_one_line_and_the_venue_ends_with_its_stdin():
    with Process("--ready-json", "--profile", "modern", "--seed", "3") as process:
        ready = json.loads(process.stdout.readline())
        assert set(ready) == {"url", "key", "secret", "profile", "market", "about", "pid", "control"}
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/api/v1/", ready["url"])
        assert (ready["profile"], ready["market"], ready["pid"]) == ("modern", "empty", process.pid)
        process.stdin.close()
        assert process.wait(LIMIT_S) == 0
        assert process.stdout.read() == "" and process.stderr.read() == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_cleanly_even_with_a_client_connected(number):
    with Process("--api-key", "K", "--api-secret", "S") as process:
        lines = [process.stdout.readline() for _ in range(6)]
        assert "K" in lines[1].split() and "S" in lines[2].split() and "maker fee -0.025 %" in lines[3]
        port = int(re.search(r":(\d+)/", lines[0])[1])
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(b"GET /realtime HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                           b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")  # fmt: skip
            assert b"101" in client.recv(1000)
            process.send_signal(number)
            assert process.wait(LIMIT_S) == 0
        assert process.stderr.read() == ""


def test_a_port_in_use_is_one_line_and_exit_code_1():
    with contextlib.closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with Process("--port", str(taken.getsockname()[1])) as process:
            assert process.wait(LIMIT_S) == 1
            (line,) = process.stderr.read().splitlines()
            assert "cannot listen" in line and "in use" in line


@pytest.mark.parametrize(
    "options",
    [
        ("--port", "99999"), ("--speed", "0"), ("--speed", "x"), ("--profile", "baroque"), ("--market", "/no/such/file"),
        ("--latency-ms", "-1"), ("--balance-xbt", "NaN"), ("--email", "a@b.c"), ("--nonsense",), ("--seed", "x"),
        ("--api-key", "K"), ("--email", "a", "--password", "b", "--profile", "modern"), ("extra",),
    ],
)  # fmt: skip
def test_a_wrong_option_is_one_line_and_exit_code_2(options, capsys):
    from bitmex_venue.__main__ import main

    if "--market" not in options:
        options = ("--market", "empty", *options)
    with pytest.raises(SystemExit) as exit:
        main(["--port", "0", *options])
    assert exit.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("bitmex_venue: ")


def test_a_host_that_is_not_loopback_is_warned_about():
    with Process("--host", "0.0.0.0", "--ready-json") as process:
        assert json.loads(process.stdout.readline())["url"].startswith("http://127.0.0.1:")
        assert "WARNING" in process.stderr.readline()
    wait_until(lambda: process.poll() is not None)
