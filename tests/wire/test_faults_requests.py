"""Faults of requests: what happens, whether the engine heard of it, and that it was counted."""

import json

import pytest
import requests
from wire_kit import NOW, SECOND, Client, venue

from bitmex_venue.faults import BadFault
from bitmex_venue.inprocess import VenueAdapter
from bitmex_venue.wire.auth import signature

ORDER = {"symbol": "XBTUSD", "orderQty": 5, "price": 6000}


class Desk:
    """A client that goes through the adapter, as a bot in process does."""

    def __init__(self, profile="classic", **options):
        self.venue = venue(profile, **options)
        self.session = requests.Session()
        self.session.mount("http://venue/", VenueAdapter(self.venue))
        self.arm = self.venue.faults.arm

    def send(self, method="POST", path="order", args=ORDER, timeout=7):
        body = json.dumps(args).encode() if args is not None else b""
        expires = self.venue.now // SECOND + 60
        secret = self.venue.api_secret
        headers = {
            "api-key": self.venue.api_key,
            "api-expires": str(expires),
            "api-signature": signature(secret, method, "/api/v1/" + path, expires, body),
            "content-type": "application/json",
        }
        return self.session.request(method, "http://venue/api/v1/" + path, data=body, headers=headers, timeout=timeout)

    @property
    def resting(self):
        return len(self.venue.exchange.open_orders(self.venue.account_id))

    def count(self, name):
        return self.venue.faults.counts[name]


def test_with_nothing_armed_the_doors_ask_nobody():
    desk = Desk()
    desk.venue.faults.requests = desk.venue.faults.messages = ()
    assert desk.send().status_code == 200 and desk.resting == 1
    assert not desk.venue.faults.counts and desk.venue.agenda.next_time() is None


@pytest.mark.parametrize(
    "name, settings, status, resting",
    [
        ("bad_gateway", {}, 502, 0), ("bad_gateway", {"after": True}, 502, 1), ("gateway_timeout", {}, 504, 0),
        ("gateway_timeout", {"after": True}, 504, 1), ("overloaded", {}, 503, 0), ("unavailable", {}, 503, 1),
        ("unavailable", {"after": False}, 503, 0), ("server_error", {}, 500, 1), ("server_error", {"after": False}, 500, 0),
        ("rate_limited", {}, 429, 0), ("unauthorized", {}, 401, 0), ("forbidden", {}, 403, 0), ("ip_ban", {}, 403, 0),
    ],
)  # fmt: skip
def test_a_fault_with_a_status_answers_it_and_the_engine_hears_of_it_or_not(name, settings, status, resting):
    desk = Desk()
    desk.arm(name, times=1, **settings)
    assert desk.send().status_code == status
    assert (desk.resting, desk.count(name)) == (resting, 1)
    assert desk.send().status_code == 200 and desk.resting == resting + 1 and desk.count(name) == 1


@pytest.mark.parametrize("name, error", [("refuse_connections", "NewConnectionError"), ("lost_request", "ProtocolError")])
def test_a_request_that_never_arrives_is_a_connection_error_and_no_order(name, error):
    desk = Desk()
    desk.arm(name, times=1)
    with pytest.raises(requests.ConnectionError) as raised:
        desk.send()
    cause = raised.value.args[0]
    assert type(getattr(cause, "reason", cause)).__name__ == error
    assert (desk.resting, desk.count(name)) == (0, 1)


def test_a_lost_reply_is_a_broken_connection_and_an_order():
    desk = Desk()
    desk.arm("lost_reply", times=1)
    with pytest.raises(requests.ConnectionError):
        desk.send()
    assert (desk.resting, desk.count("lost_reply")) == (1, 1)


def test_a_silent_reply_is_a_time_out_that_takes_its_time_and_an_order():
    desk = Desk()
    desk.arm("lost_reply", how="silence", times=1)
    with pytest.raises(requests.ReadTimeout):
        desk.send(timeout=(3, 7))
    assert desk.resting == 1 and desk.venue.now == NOW + 7 * SECOND


def test_a_slow_request_is_carried_out_when_it_arrives_even_if_the_client_has_gone():
    desk = Desk()
    desk.arm("slow_request", delay_ms=9000, times=1)
    with pytest.raises(requests.ReadTimeout):
        desk.send(timeout=7)
    assert desk.resting == 0 and desk.venue.now == NOW + 7 * SECOND
    desk.venue.advance(NOW + 10 * SECOND)
    assert (desk.resting, desk.count("slow_request")) == (1, 1)


def test_a_slow_request_that_is_still_waited_for_is_answered():
    desk = Desk()
    desk.arm("slow_request", delay_ms=2000, times=1)
    assert desk.send(timeout=7).status_code == 200
    assert desk.venue.now == NOW + 2 * SECOND and desk.resting == 1


@pytest.mark.parametrize("delay_ms, patience, answered", [(2000, 7, True), (9000, 7, False), (2000, None, True)])
def test_a_slow_reply_comes_late_or_too_late_for_what_was_done_at_once(delay_ms, patience, answered):
    desk = Desk()
    desk.arm("slow_reply", delay_ms=delay_ms, times=1)
    if answered:
        assert desk.send(timeout=patience).json()["ordStatus"] == "New"
    else:
        with pytest.raises(requests.ReadTimeout):
            desk.send(timeout=patience)
    (order,) = desk.venue.exchange.open_orders(desk.venue.account_id)
    assert order.submitted_time == NOW and desk.count("slow_reply") == 1
    assert desk.venue.now == NOW + min(delay_ms, 7000) * 1_000_000


def test_a_gateway_answers_with_a_page_and_a_broken_reply_with_half_of_its_json():
    desk = Desk()
    desk.arm("bad_gateway", times=1)
    page = desk.send()
    assert page.headers["Content-Type"] == "text/html" and "<h1>502 Bad Gateway</h1>" in page.text
    desk.arm("malformed_reply", times=1)
    reply = desk.send()
    assert reply.status_code == 200 and desk.resting == 1 and desk.count("malformed_reply") == 1
    with pytest.raises(ValueError):
        reply.json()


def test_a_shed_request_spends_its_token_and_cancels_are_never_shed():
    desk = Desk()
    desk.arm("overloaded")
    reply = desk.send()
    assert reply.json()["error"]["message"] == "The system is currently overloaded. Please try again later."
    assert reply.headers["x-ratelimit-remaining"] == "299"
    assert desk.send("DELETE", "order/all", None).status_code == 200
    close = {"symbol": "XBTUSD", "execInst": "Close", "side": "Sell", "ordType": "Market"}
    assert desk.send(args=close).status_code == 400  # it reached the engine, which has no position to close
    desk.venue.faults.disarm_all()
    desk.arm("overloaded", verb="delete")
    assert desk.send("DELETE", "order/all", None).status_code == 503
    assert desk.count("overloaded") == 2


@pytest.mark.parametrize(
    "manner, remaining, retry", [("full", "0", "2"), ("bare", None, None), ("early", "299", "2"), ("wrong", "NaN", "soon")]
)
def test_a_429_comes_with_right_no_early_or_wrong_headers(manner, remaining, retry):
    desk = Desk()
    desk.arm("rate_limited", headers=manner, retry_s=2, times=1)
    reply = desk.send()
    assert reply.json()["error"] == {"message": "Rate limit exceeded, retry in 2 seconds.", "name": "RateLimitError"}
    assert reply.headers.get("x-ratelimit-remaining") == remaining and reply.headers.get("Retry-After") == retry
    assert desk.count("rate_limited") == 1


def test_rate_limit_headers_of_right_replies_may_lie_or_be_missing():
    desk = Desk()
    desk.arm("wrong_limit_headers", missing=True, times=1)
    assert desk.send().headers.get("x-ratelimit-remaining") is None
    assert desk.count("wrong_limit_headers") == 1
    desk.arm("wrong_limit_headers", remaining=-3, times=1)
    assert desk.send().headers["x-ratelimit-remaining"] == "-3"
    assert desk.send().headers["x-ratelimit-remaining"] == "297"


def test_401_and_403_carry_no_rate_limit_headers_and_403_says_what_it_was_told():
    desk = Desk()
    for name, message in (("unauthorized", "Invalid API Key."), ("forbidden", "Account is restricted")):
        desk.arm(name, times=1, **({"message": message} if name == "forbidden" else {}))
        reply = desk.send()
        assert reply.json()["error"]["message"] == message
        assert not any(header.startswith("x-ratelimit") for header in reply.headers)


def test_a_ban_lasts_and_covers_the_handshake_while_open_sockets_live_on():
    desk = Desk()
    open_before = desk.venue.connect("/realtime")
    desk.arm("ip_ban", for_s=3600)
    assert desk.send("GET", "user", None).status_code == 403
    assert desk.venue.connect("/realtime").status == 403
    assert open_before.closed is None
    desk.venue.advance(NOW + 3600 * SECOND)
    assert desk.send("GET", "user", None).status_code == 200
    assert desk.venue.connect("/realtime").closed is None
    assert desk.count("ip_ban") == 2


@pytest.mark.parametrize("name, status", [("unauthorized", 401), ("rate_limited", 429), ("overloaded", 503), ("bad_gateway", 502)])
def test_the_handshake_alone_can_be_meant(name, status):
    desk = Desk()
    desk.arm(name, path="/realtime", times=1)
    assert desk.send().status_code == 200
    assert desk.venue.connect("/realtime").status == status
    assert desk.venue.connect("/realtime").closed is None


def test_post_only_orders_are_refused_as_if_they_had_crossed_and_others_are_not():
    client = Client(venue())
    client.venue.faults.arm("post_only_refused", times=2)
    assert client.place(5, 6000)["ordStatus"] == "New"
    post_only = {"symbol": "XBTUSD", "orderQty": 5, "price": 6000, "execInst": "ParticipateDoNotInitiate"}
    rows = client.ok("POST", "order/bulk", {"orders": [post_only, post_only, post_only]})
    assert [row["ordStatus"] for row in rows] == ["Canceled", "Canceled", "New"]
    assert rows[0]["text"].startswith("Canceled: Order had execInst of ParticipateDoNotInitiate")
    assert client.venue.faults.counts["post_only_refused"] == 2 and not client.venue.faults.requests
    client.venue.faults.arm("post_only_refused")
    amended = client.ok("PUT", "order", {"orderID": rows[2]["orderID"], "price": 6001})
    assert client.ok("GET", "order", filter='{"orderID":"%s"}' % amended["orderID"])[0]["ordStatus"] == "Canceled"
    client.no(400, "POST", "order", {**post_only, "price": 6000.3})
    assert client.venue.exchange.trading.refusals == {}


def test_a_fault_strikes_only_what_it_is_about():
    desk = Desk()
    other = desk.venue.open_account({"XBt": 1000})
    for settings in ({"verb": "DELETE"}, {"path": "position"}, {"account": other}, {"probability": 0}):
        desk.arm("bad_gateway", **settings)
    assert desk.send().status_code == 200
    assert desk.send("GET", "position", None).status_code == 502
    assert desk.count("bad_gateway") == 1
    desk.arm("bad_gateway", path="/api/v1/order", verb="post", account=desk.venue.account_id)
    assert desk.send().status_code == 502


def test_chance_comes_from_the_seed():
    def run(seed):
        desk = Desk(seed=seed)
        desk.arm("bad_gateway", probability=0.5)
        return [desk.send("GET", "user", None).status_code for _ in range(40)]

    assert run(1) == run(1) != run(2)
    assert 8 < run(3).count(502) < 32


def test_a_fault_ends_after_its_seconds_and_can_be_disarmed():
    desk = Desk()
    timed, endless = desk.arm("bad_gateway", for_s=10), desk.arm("gateway_timeout")
    assert desk.send().status_code == 502
    desk.venue.advance(NOW + 10 * SECOND)
    assert timed.over and desk.send().status_code == 504
    desk.venue.faults.disarm(endless)
    desk.venue.faults.disarm(endless)
    assert desk.send().status_code == 200
    assert [strike.name for strike in desk.venue.faults.log] == ["bad_gateway", "gateway_timeout"]


@pytest.mark.parametrize(
    "name, settings, words",
    [
        ("bad_gatway", {}, "did you mean 'bad_gateway'"), ("bad_gateway", {"time": 1}, "did you mean 'times'"),
        ("bad_gateway", {"times": 0}, "between 1 and"), ("bad_gateway", {"times": 1.5}, "whole number"),
        ("bad_gateway", {"after": 1}, "true or false"), ("bad_gateway", {"verb": "PATCH"}, "one of GET"),
        ("bad_gateway", {"probability": "x"}, "a number"), ("bad_gateway", {"probability": float("nan")}, "a number"),
        ("bad_gateway", {"account": 5}, "no account 5"), ("stall_table", {"table": "orders"}, "no table 'orders'"),
        ("bad_gateway", {"table": "order"}, "no parameter 'table'"), ("market_closed", {"symbol": "X"}, "no contract 'X'"),
        ("lost_reply", {"how": 3}, "is a text"), ({}, {}, "unknown fault"), ("clock_skew", {"by_s": 1e9}, "lies between"),
    ],
)  # fmt: skip
def test_what_cannot_be_armed_is_one_line_and_changes_nothing(name, settings, words):
    made = venue()
    with pytest.raises(BadFault) as refusal:
        made.faults.arm(name, **settings)
    assert words in str(refusal.value) and "\n" not in str(refusal.value)
    assert made.faults.armed() == [] and made.agenda.next_time() is None
