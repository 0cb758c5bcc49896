"""Faults of the line through real sockets: what a client on the other end sees."""

import asyncio
import errno
import json
import socket as sockets

import aiohttp
import pytest
from test_wire_server import rest, run, socket_of, table

from bitmex_venue.misbehaviour import knocks

ORDER = {"symbol": "XBTUSD", "orderQty": 5, "price": 6000}
QUICK = aiohttp.ClientTimeout(total=0.2)


def resting(server):
    return len(server.venue.exchange.open_orders(server.venue.account_id))


async def indices(server, http, **options):
    async with http.get(server.url + "instrument/indices", **options) as reply:
        return reply.status, await reply.read()


def test_a_closed_port_refuses_and_an_open_one_takes_connections_again():
    async def scenario(server, http):
        assert (await indices(server, http))[0] == 200
        server.venue.faults.arm("refuse_connections")
        with pytest.raises(aiohttp.ClientConnectorError):
            await indices(server, http)
        with pytest.raises(aiohttp.ClientConnectorError):
            await socket_of(server, http)
        server.venue.faults.disarm_all()
        await server._reopening
        assert (await indices(server, http))[0] == 200
        assert server.venue.faults.counts["refuse_connections"] == (2 if may_read_along() else 1)

    run(scenario)


def may_read_along():
    """Whether this process may open a raw socket."""
    try:
        sockets.socket(sockets.AF_INET, sockets.SOCK_RAW, sockets.IPPROTO_TCP).close()
    except OSError:
        return False
    return True


def refused(port, most=1):
    """Connect so many times; how many were refused by the system itself."""
    count = 0
    for _ in range(most):
        with sockets.socket() as plain:
            count += plain.connect_ex(("127.0.0.1", port)) == errno.ECONNREFUSED
    return count


@pytest.mark.skipif(not may_read_along(), reason="refused connections are counted where raw sockets are allowed")
def test_refused_connections_are_counted_one_by_one_and_those_of_others_are_not():
    async def scenario(server, http):
        with sockets.socket() as other:
            other.bind(("127.0.0.1", 0))
            armed = server.venue.faults.arm("refuse_connections")
            for most in (3, 4):
                assert await asyncio.to_thread(refused, server.port, most) == most
                await asyncio.to_thread(refused, other.getsockname()[1])
            server.venue.faults.disarm(armed)
        assert (armed.count, server.venue.faults.counts["refuse_connections"]) == (7, 7)
        assert [strike.what for strike in server.venue.faults.log] == ["connection"] * 7
        await server._reopening
        assert await asyncio.to_thread(refused, server.port) == 0
        assert (await indices(server, http))[0] == 200 and armed.count == 7

    run(scenario)


def test_the_closing_is_counted_where_the_system_lets_nobody_read_along(monkeypatch):
    def forbidden(*arguments):
        raise PermissionError(1, "Operation not permitted")

    async def scenario(server, http):
        monkeypatch.setattr(knocks.socket, "socket", forbidden)
        armed = server.venue.faults.arm("refuse_connections")
        monkeypatch.undo()
        assert await asyncio.to_thread(refused, server.port, 2) == 2
        server.venue.faults.disarm(armed)
        assert [strike.what for strike in server.venue.faults.log] == ["port"]
        await server._reopening

    run(scenario)


def tcp(flags, port, length=20):
    return (b"\x30\x39" + port.to_bytes(2, "big") + bytes(8) + bytes((0x50, flags)) + bytes(6))[:length]


@pytest.mark.parametrize(
    "packet, host, knocks_here",
    [
        (b"\x45" + bytes(15) + b"\x7f\0\0\1" + tcp(0x02, 4040), "127.0.0.1", True),
        (b"\x46" + bytes(15) + b"\x7f\0\0\1" + bytes(4) + tcp(0x02, 4040), "127.0.0.1", True),  # options
        (b"\x45" + bytes(15) + b"\x0a\0\0\1" + tcp(0x02, 4040), "127.0.0.1", False),  # to another address
        (b"\x45" + bytes(15) + b"\x0a\0\0\1" + tcp(0xC2, 4040), "0.0.0.0", True),
        (b"\x45" + bytes(15) + b"\x7f\0\0\1" + tcp(0x12, 4040), "127.0.0.1", False),  # an answer
        (b"\x45" + bytes(15) + b"\x7f\0\0\1" + tcp(0x10, 4040), "127.0.0.1", False),
        (b"\x45" + bytes(15) + b"\x7f\0\0\1" + tcp(0x02, 4041), "127.0.0.1", False),
        (b"\x45" + bytes(15) + b"\x7f\0\0\1" + tcp(0x02, 4040, 12), "127.0.0.1", False),  # cut
        (b"\x45", "127.0.0.1", False),
        (tcp(0x02, 4040), "::1", True),
        (tcp(0x14, 4040), "::1", False),
    ],
)
def test_a_knock_is_a_syn_to_this_port(packet, host, knocks_here):
    assert knocks.is_knock(packet, host, 4040) is knocks_here


@pytest.mark.parametrize("name, orders", [("lost_request", 0), ("refuse_connections", 0), ("lost_reply", 1)])
def test_a_connection_breaks_before_or_after_the_order_is_placed(name, orders):
    async def scenario(server, http):
        server.venue.faults.arm(name, verb="POST", times=1)
        with pytest.raises(aiohttp.ClientConnectionError):
            await rest(server, http, "POST", "order", ORDER)
        assert (resting(server), server.venue.faults.counts[name]) == (orders, 1)
        assert (await rest(server, http, "POST", "order", ORDER))[0] == 200

    run(scenario)


def test_a_silent_reply_leaves_the_client_waiting_and_the_order_placed():
    async def scenario(server, http):
        server.venue.faults.arm("lost_reply", how="silence", times=1)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(rest(server, http, "POST", "order", ORDER), 0.1)
        assert resting(server) == 1

    run(scenario)


def test_slow_replies_and_slow_requests_take_their_time():
    async def scenario(server, http):
        loop = asyncio.get_running_loop()
        for name in ("slow_reply", "slow_request"):
            server.venue.faults.arm(name, delay_ms=60, times=1)
            begun = loop.time()
            assert (await rest(server, http, "GET", "user"))[0] == 200
            assert loop.time() - begun >= 0.06 and server.venue.faults.counts[name] == 1

    run(scenario)


def test_pages_and_broken_json_arrive_as_they_are():
    async def scenario(server, http):
        server.venue.faults.arm("gateway_timeout", times=1)
        status, page = await indices(server, http)
        assert status == 504 and b"<h1>504 Gateway Time-out</h1>" in page
        server.venue.faults.arm("malformed_reply", times=1)
        status, text = await indices(server, http)
        assert status == 200
        with pytest.raises(ValueError):
            json.loads(text)

    run(scenario)


def test_a_ban_meets_the_handshake_too():
    async def scenario(server, http):
        server.venue.faults.arm("ip_ban")
        assert (await indices(server, http))[0] == 403
        with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
            await socket_of(server, http)
        assert refusal.value.status == 403
        server.venue.faults.disarm_all()
        server.venue.faults.arm("lost_request", path="realtime")
        with pytest.raises(aiohttp.ClientError):
            await socket_of(server, http)

    run(scenario)


@pytest.mark.parametrize("code, seen", [(1006, 1006), (1011, 1011)])
def test_a_dropped_socket_ends_without_a_close_frame_or_with_this_code(code, seen):
    async def scenario(server, http):
        ws = await socket_of(server, http, "?subscribe=order")
        await table(ws, "order")
        server.venue.faults.arm("drop_socket", code=code)
        message = await ws.receive(5)
        assert message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
        assert ws.close_code == seen and not server.venue.sessions

    run(scenario)


def test_a_half_open_socket_answers_no_ping_of_either_kind_until_it_breaks():
    async def scenario(server, http):
        ws = await socket_of(server, http, "?subscribe=order", autoping=False)
        await table(ws, "order")
        await ws.ping(b"before")
        assert (await ws.receive(5)).type is aiohttp.WSMsgType.PONG
        armed = server.venue.faults.arm("half_open_socket")
        await ws.ping(b"after")
        await ws.send_str("ping")
        await rest(server, http, "POST", "order", ORDER)
        with pytest.raises(asyncio.TimeoutError):
            await ws.receive(0.1)
        server.venue.faults.disarm(armed)
        ended = await ws.receive(5)
        assert ended.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.PONG)

    run(scenario)


def test_tables_stall_double_and_break_on_a_socket_as_in_process():
    async def scenario(server, http):
        ws = await socket_of(server, http, "?subscribe=order,quote:XBTUSD")
        await table(ws, "quote")
        faults = server.venue.faults
        stall = faults.arm("stall_table", table="order")
        await rest(server, http, "POST", "order", ORDER)
        assert json.loads((await ws.receive(5)).data)["table"] == "quote"
        faults.disarm(stall)
        assert (await table(ws, "order"))["action"] == "insert"
        assert (await table(ws, "order"))["action"] == "update"
        faults.arm("duplicate_messages", table="quote", times=1)
        faults.arm("malformed_json", table="order", times=1)
        await rest(server, http, "POST", "order", {**ORDER, "price": 6001})
        with pytest.raises(ValueError):
            json.loads((await ws.receive(5)).data)
        assert await table(ws, "quote") == await table(ws, "quote")

    run(scenario)


def test_delayed_messages_come_by_themselves_on_a_quiet_venue():
    async def scenario(server, http):
        ws = await socket_of(server, http, "?subscribe=order")
        await table(ws, "order")
        server.venue.faults.arm("delay_messages", delay_ms=40, times=1)
        begun = server.now()
        await rest(server, http, "POST", "order", ORDER)
        assert (await asyncio.wait_for(table(ws, "order"), 2))["action"] == "insert"
        assert server.now() - begun >= 40_000_000

    run(scenario)


def test_a_restart_ends_sockets_and_kept_connections_and_the_venue_is_back_after_a_while():
    async def scenario(server, http):
        ws = await socket_of(server, http, "?subscribe=order")
        await table(ws, "order")
        await rest(server, http, "POST", "order", ORDER)
        server.venue.faults.arm("venue_restart", down_s=0.05)
        with pytest.raises(aiohttp.ClientConnectorError):
            await indices(server, http)
        while (await ws.receive(5)).type is aiohttp.WSMsgType.TEXT:
            pass
        while server.venue.faults.armed():
            await asyncio.sleep(0.005)
        await server._reopening
        assert resting(server) == 1
        ws = await socket_of(server, http, "?subscribe=order")
        assert len((await table(ws, "order", "partial"))["data"]) == 1

    run(scenario)
