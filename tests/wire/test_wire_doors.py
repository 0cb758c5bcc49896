"""Two doors, one behaviour: the same scenario through sockets and in process gives the same replies and the same rows."""

import asyncio
import json
import threading
import time

import aiohttp
import pytest
import requests
from wire_kit import NOW, SECOND

from bitmex_venue.inprocess import SimulatedClock, VenueAdapter, VenueFeed
from bitmex_venue.server import VenueServer
from bitmex_venue.venue import Venue
from bitmex_venue.wire.auth import signature

KEY, SECRET = "the-key", "the-secret"
TOPICS = "order,execution,position,margin,quote:XBTUSD,trade:XBTUSD,orderBookL2_25:XBTUSD,orderBookL2:XBTUSD,orderBook10:XBTUSD"


def steps(profile):
    """(method, path, arguments) of the scenario."""
    p, lot = (6300, 1) if profile == "classic" else (78000, 100)
    order = {"symbol": "XBTUSD", "orderQty": 10 * lot, "price": p}
    yield "POST", "order", {**order, "clOrdID": "a"}
    yield "POST", "order", {**order, "orderQty": -4 * lot, "clOrdID": "b"}
    yield "POST", "order", {**order, "orderQty": -4 * lot, "execInst": "ParticipateDoNotInitiate"}
    yield "PUT", "order", {"origClOrdID": "a", "price": p - 1}
    yield "POST", "order", {**order, "price": p + 0.07}
    yield "POST", "order/bulk", {"orders": [{**order, "price": p - 5}, {**order, "price": p - 6}]}
    yield "POST", "order", {"symbol": "XBTUSD", "orderQty": -20 * lot}
    yield "DELETE", "order", {"clOrdID": ["a", "zzz"]}
    yield "POST", "position/leverage", {"symbol": "XBTUSD", "leverage": 10}
    yield "GET", "position", None
    yield "GET", "execution?count=3&reverse=true", None
    yield "GET", "order", None
    yield "DELETE", "order/all", None
    yield "GET", "user/margin?currency=all", None
    yield "GET", "nothing/here", None


def make(profile, now):
    return Venue(profile, now=now, seed=4, api_key=KEY, api_secret=SECRET)


def headers(method, target, now_s, body=b""):
    expires = int(now_s) + 60
    sign = signature(SECRET, method, target, expires, body)
    return {"api-key": KEY, "api-expires": str(expires), "api-signature": sign, "content-type": "application/json"}


def through_process(profile):
    venue = make(profile, NOW)
    session, feed, told, replies = requests.Session(), VenueFeed(venue), [], []
    session.mount("http://venue/", VenueAdapter(venue))

    class Listener:
        def on_open(self):
            told.append("open")

        def on_message(self, text):
            told.append(json.loads(text))

        def on_close(self, reason):
            told.append(reason)

    header = [f"{k}: {v}" for k, v in headers("GET", "/realtime", NOW / SECOND).items()]
    feed.start("ws://venue/realtime?subscribe=" + TOPICS, header, Listener())
    for method, path, args in steps(profile):
        body = json.dumps(args).encode() if args is not None else b""
        sent = headers(method, "/api/v1/" + path, venue.now / SECOND, body)
        reply = session.request(method, "http://venue/api/v1/" + path, data=body or None, headers=sent)
        replies.append((reply.status_code, reply.json()))
        feed.pump()
    assert told.pop(0) == "open"
    return replies, told


def through_sockets(profile):
    async def whole():
        server = VenueServer(make(profile, NOW), speed=1e-9)  # time stands still on both sides
        await server.start()
        replies, told = [], []
        async with aiohttp.ClientSession() as http:
            base = server.url.removesuffix("/api/v1/")
            url = base.replace("http", "ws", 1) + "/realtime?subscribe=" + TOPICS
            ws = await http.ws_connect(url, headers=headers("GET", "/realtime", time.time()))
            for method, path, args in steps(profile):
                body = json.dumps(args).encode() if args is not None else b""
                sent = headers(method, "/api/v1/" + path, time.time(), body)
                async with http.request(method, base + "/api/v1/" + path, data=body or None, headers=sent) as reply:
                    replies.append((reply.status, await reply.json()))
            await ws.send_str("ping")
            while True:
                text = (await ws.receive(5)).data
                if text == "pong":
                    break
                told.append(json.loads(text))
            await ws.close()
        await server.stop()
        return replies, told

    return asyncio.run(whole())


@pytest.mark.parametrize("profile", ["classic", "modern"])
def test_two_doors_one_behaviour(profile):
    ours, theirs = through_process(profile), through_sockets(profile)
    assert [status for status, _ in ours[0]] == [status for status, _ in theirs[0]]
    assert ours[0] == theirs[0]
    assert ours[1] == theirs[1]
    assert {m["table"] for m in ours[1] if "table" in m} == {topic.partition(":")[0] for topic in TOPICS.split(",")}



class Waker:
    def __init__(self):
        self.told = []
        self.flag = threading.Event()

    def on_open(self):
        self.told.append("open")

    def on_message(self, text):
        self.told.append(text)
        if '"insert"' in text:
            self.flag.set()

    def on_close(self, reason, status=None):
        self.told.append((reason, status))


def test_waiting_on_the_clock_lives_the_venue_on_until_woken():
    from bitmex_venue.market import create

    venue = Venue("classic", market=create("lively", 7, "classic"), seed=7, now=NOW)
    clock, feed, waker = SimulatedClock(venue), VenueFeed(venue), Waker()
    feed.start("ws://venue/realtime?subscribe=trade:XBTUSD", [], waker)
    begun = clock.time()
    assert clock.wait(waker.flag, 600) is True
    woken = clock.time()
    assert begun < woken < begun + 600
    waker.flag.clear()
    assert clock.wait(threading.Event(), 1.5) is False
    assert clock.time() == pytest.approx(woken + 1.5)


def test_messages_are_not_handed_over_inside_a_request():
    venue = make("classic", NOW)
    feed, waker = VenueFeed(venue), Waker()
    feed.start("ws://venue/realtime?subscribe=quote:XBTUSD", None, waker)
    before = len(waker.told)
    session = requests.Session()
    session.mount("http://venue/", VenueAdapter(venue, latency_ns=SECOND))
    body = b'{"symbol":"XBTUSD","orderQty":1,"price":6000}'
    sent = headers("POST", "/api/v1/order", NOW / SECOND, body)
    assert session.post("http://venue/api/v1/order", data=body, headers=sent).status_code == 200
    assert venue.now == NOW + SECOND
    assert len(waker.told) == before
    venue.advance(venue.now)
    assert len(waker.told) == before + 1


def test_a_time_out_is_an_unknown_outcome_and_the_order_rests():
    venue = make("classic", NOW)
    session = requests.Session()
    session.mount("http://venue/", VenueAdapter(venue, latency_ns=3 * SECOND))
    body = b'{"symbol":"XBTUSD","orderQty":1,"price":6000}'
    sent = headers("POST", "/api/v1/order", NOW / SECOND, body)
    with pytest.raises(requests.ReadTimeout):
        session.post("http://venue/api/v1/order", data=body, headers=sent, timeout=2)
    assert len(venue.exchange.open_orders(venue.account_id)) == 1


def test_a_feed_is_refused_left_and_ended():
    venue = make("classic", NOW)
    feed, waker = VenueFeed(venue), Waker()
    feed.start("ws://venue/realtime", {"api-key": "nobody", "api-signature": "x", "api-expires": "1"}, waker)
    assert waker.told == [("the venue refused the socket with HTTP 401", 401)]
    feed.start("ws://venue/realtime", None, waker)
    feed.send("ping")
    assert waker.told[-1] == "pong"
    next(iter(venue.sessions)).close("the venue stops")
    venue.advance(NOW)
    assert waker.told[-1] == ("the venue stops", None)
    feed.start("ws://venue/realtime", None, waker)
    feed.close()
    feed.close()
    assert not venue.sessions and not venue.on_advanced


def test_a_listener_may_send_and_close_while_it_is_told():
    venue = make("classic", NOW)
    feed = VenueFeed(venue)

    class Eager(Waker):
        def on_message(self, text):
            super().on_message(text)
            if len(self.told) == 2:
                feed.send("ping")
            if text == "pong":
                feed.close()

    eager = Eager()
    feed.start("ws://venue/realtime", None, eager)
    assert eager.told[0] == "open" and eager.told[-1] == "pong" and not venue.sessions
