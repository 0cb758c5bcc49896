"""Whatever is sent, nobody gets a 500, a hang or a trace of our insides, and the venue goes on."""

import json

import pytest

pytest.importorskip("hypothesis")

from hypothesis import HealthCheck, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from wire_kit import Client, venue  # noqa: E402

from bitmex_venue.wire.http import Request  # noqa: E402
from bitmex_venue.wire.rest import all_routes  # noqa: E402

VENUES = {name: venue(name) for name in ("classic", "modern")}
for one in VENUES.values():
    one.limiter.enabled = False
ROUTES = sorted(all_routes())
NAMES = (
    "symbol side orderQty price stopPx ordType timeInForce execInst clOrdID origClOrdID orderID text leavesQty orders "
    "filter columns count start reverse startTime endTime currency amount address fee leverage enabled timeout binSize "
    "partial depth email password token displayQty pegPriceType riskLimit type quantity"
).split()
WORDS = st.sampled_from(
    ["XBTUSD", "ETHUSD", ".BXBT", "XBT", "XBT:perpetual", "Buy", "Sell", "Limit", "Market", "Stop", "StopLimit", "XBt", "all",
     "GoodTillCancel", "FillOrKill", "Day", "Close", "ReduceOnly", "ParticipateDoNotInitiate,Close", "LastPrice", '{"open":true}',
     '{"ordStatus.isTerminated":false}', '["symbol"]', "2020-01-01", "1m", "true", "false", "", "6000", "-5", "0", "1e5", "NaN"]
)  # fmt: skip
LEAVES = st.one_of(
    WORDS, st.none(), st.booleans(), st.integers(-(10**30), 10**30), st.integers(-10, 10_000), st.text(max_size=20),
    st.floats(allow_nan=False, allow_infinity=False), st.sampled_from([6000, 6000.5, 0.1, 100, 78000]),
)  # fmt: skip


def nested(inner):
    return st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)


VALUES = st.recursive(LEAVES, nested, max_leaves=8)
ARGS = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=6)
QUICK = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))


@QUICK
@given(st.sampled_from(sorted(VENUES)), st.sampled_from(ROUTES), ARGS, ARGS)
def test_rest_never_answers_500(profile, route, args, query):
    client = Client(VENUES[profile], step=0)
    (method, path), words = route, {k: v if isinstance(v, str) else json.dumps(v) for k, v in query.items()}
    words = {k: v.encode("utf-8", "replace").decode() for k, v in words.items()}
    reply = client.call(method, path, args if method != "GET" else None, **words)
    assert reply.status in (200, 400, 401, 403, 404), (route, args, query, reply.text)
    if reply.status >= 400:
        assert set(reply.json()["error"]) == {"message", "name"}


@QUICK
@given(st.sampled_from(["GET", "POST", "DELETE", "BREW"]), st.text(max_size=30), st.binary(max_size=60), st.text(max_size=30))
def test_any_bytes_are_answered(method, path, body, kind):
    v = VENUES["classic"]
    reply = v.handle(Request(method, "/api/v1/" + path, path, {"Content-Type": kind, "api-key": kind}, body, time=v.now))
    assert reply.status < 500


@QUICK
@given(st.sampled_from(sorted(VENUES)), st.one_of(st.text(max_size=40), VALUES, st.fixed_dictionaries({
    "op": st.sampled_from(["subscribe", "unsubscribe", "authKeyExpires", "authKey", "cancelAllAfter", "help"]),
    "args": st.one_of(VALUES, st.lists(st.sampled_from(["trade", "order:XBTUSD", "margin", "margin:XBTUSD", "quote:", ":", "order:*"]))),
})))  # fmt: skip
def test_frames_never_break_a_session(profile, frame):
    v = VENUES[profile]
    listener = Client(v, step=0).listen()
    listener.session.take_outgoing()
    listener.session.receive(frame if isinstance(frame, str) else json.dumps(frame))
    answers = listener.session.take_outgoing()
    assert all(answer == "pong" or json.loads(answer).get("status") != 500 for answer in answers)
    listener.session.receive("ping")
    assert listener.session.take_outgoing() == ["pong"]
    listener.session.close()
    assert not v.sessions
