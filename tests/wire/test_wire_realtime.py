"""Realtime sessions: welcome, subscriptions, errors, and what a client's tables look like afterwards."""

import json
import random

import pytest
from wire_kit import NOW, SECOND, Client, venue

from bitmex_venue.__main__ import build, parser
from bitmex_venue.market import create
from bitmex_venue.venue import Venue
from bitmex_venue.wire.auth import signature
from bitmex_venue.wire.http import Response


@pytest.fixture(params=["classic", "modern"])
def client(request):
    return Client(venue(request.param))


def price(client):
    return 6300 if client.venue.profile.name == "classic" else 78000


def test_the_welcome_comes_first_and_is_of_its_era():
    classic = Client(venue()).listen(auth=False).take()[0]
    assert list(classic) == ["info", "version", "timestamp", "docs", "limit"]
    assert classic["limit"] == {"remaining": 39}
    modern = Client(venue("modern")).listen(auth=False).take()[0]
    assert (modern["version"], modern["heartbeatEnabled"], modern["limit"]) == ("2.0.0", False, {})


def test_topics_of_the_url_are_acknowledged_one_by_one_each_before_its_partial(client):
    messages = client.listen("quote:XBTUSD", "order").take()[1:]
    assert messages[0] == {
        "success": True,
        "subscribe": "quote:XBTUSD",
        "request": {"op": "subscribe", "args": "quote:XBTUSD"},
    }
    assert [m.get("table") or m["subscribe"] for m in messages] == ["quote:XBTUSD", "quote", "order", "order"]
    assert messages[3]["filter"] == {"account": client.venue.account_id}


def test_an_op_echoes_its_request_in_each_acknowledgement(client):
    listener = client.listen()
    listener.take()
    request = {"op": "subscribe", "args": ["trade:XBTUSD", "margin"]}
    messages = listener.send(request)
    assert [m["subscribe"] for m in messages if "subscribe" in m] == ["trade:XBTUSD", "margin"]
    assert all(m["request"] == request for m in messages if "subscribe" in m)
    assert listener.send({"op": "subscribe", "args": "quote"})[0]["subscribe"] == "quote"


def test_unsubscribing_ends_the_rows(client):
    listener = client.listen("order")
    listener.take()
    (ack,) = listener.send({"op": "unsubscribe", "args": ["order"]})
    assert (ack["success"], ack["unsubscribe"]) == (True, "order")
    client.place(100, price(client))
    assert listener.take() == []
    assert listener.send({"op": "unsubscribe", "args": "order"})[0]["status"] == 400


def test_ping_is_answered_pong_and_help_explains(client):
    listener = client.listen()
    listener.take()
    assert listener.send("ping") == ["pong"]
    assert "orderBookL2_25" in listener.send("help")[0]["subscriptionSubjects"]["public"]
    assert listener.send({"op": "help"})[0]["ops"] == [
        "authKey", "authKeyExpires", "cancelAllAfter", "subscribe", "unsubscribe",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "frame, status",
    [
        ({"op": "subscribe", "args": ["order"]}, 401),
        ({"op": "subscribe", "args": ["nothing"]}, 400),
        ({"op": "subscribe", "args": ["trade:NOPE"]}, 400),
        ({"op": "subscribe", "args": []}, 400),
        ({"op": "subscribe"}, 400),
        ({"op": "dance"}, 400),
        ({"op": ["subscribe"]}, 400),
        ([], 400),
        ("{", 400),
        ("[" * 5000, 400),
        ('{"op":"subscribe","args":' + "[" * 900 + "]" * 900 + "}", 400),
        ({"op": "authKeyExpires", "args": ["a", 1]}, 400),
        ({"op": "authKeyExpires", "args": ["a", 1, "b"]}, 401),
        ({"op": "cancelAllAfter", "args": 1000}, 401),
    ],
)
def test_what_makes_no_sense_is_answered_with_an_error_and_the_session_lives(client, frame, status):
    listener = client.listen(auth=False)
    listener.take()
    (error,) = listener.send(frame)
    assert error["status"] == status and error["error"] and "request" in error and "meta" in error
    assert listener.send("ping") == ["pong"]


def test_too_many_errors_end_the_session(client):
    listener = client.listen(auth=False)
    for _ in range(200):
        listener.session.receive("nonsense")
    assert listener.session.closed == "too many errors"


def test_tables_of_an_account_refuse_a_symbol_and_a_topic_twice(client):
    listener = client.listen("margin")
    listener.take()
    assert "does not emit symbols" in listener.send({"op": "subscribe", "args": "margin:XBTUSD"})[0]["error"]
    assert "already subscribed" in listener.send({"op": "subscribe", "args": "margin"})[0]["error"]


def test_auth_by_message_and_only_once(client):
    v = client.venue
    listener = client.listen(auth=False)
    listener.take()
    expires = NOW // SECOND + 60
    request = {"op": "authKeyExpires", "args": [v.api_key, expires, signature(v.api_secret, "GET", "/realtime", expires)]}
    assert listener.send(request) == [{"success": True, "request": request}]
    assert listener.send(request)[0]["status"] == 400
    assert listener.send({"op": "subscribe", "args": "order"})[0]["success"] is True


def test_an_expired_auth_message_is_400(client):
    listener = client.listen(auth=False)
    listener.take()
    (error,) = listener.send({"op": "authKeyExpires", "args": [client.venue.api_key, 1, "00"]})
    assert error["status"] == 400 and error["error"].startswith("This request has expired")


def test_cancel_all_after_by_message(client):
    client.place(100, price(client))
    listener = client.listen("order")
    listener.take()
    (answer,) = listener.send({"op": "cancelAllAfter", "args": 5000})
    assert list(answer) == ["now", "cancelTime", "request"]
    client.venue.advance(client.venue.now + 5 * SECOND)
    assert listener.deltas()[-1][2][0]["ordStatus"] == "Canceled"


def test_a_bulk_placement_is_told_in_the_recorded_order():
    client = Client(venue())
    client.place(1, 6000)
    listener = client.listen("order", "execution", "position", "margin")
    listener.take()
    orders = [{"symbol": "XBTUSD", "orderQty": 1, "price": 6000 + i} for i in range(12)]
    client.ok("POST", "order/bulk", {"orders": orders})
    told = [(table, action, len(rows)) for table, action, rows in listener.deltas()]
    assert told == [
        ("order", "insert", 12), ("execution", "insert", 12), ("order", "update", 12),
        ("position", "update", 1), ("margin", "update", 1),
    ]  # fmt: skip


def test_updates_carry_keys_changes_and_what_is_always_repeated():
    client = Client(venue())
    row = client.place(1, 6000, clOrdID="a")
    listener = client.listen("order", "position", "margin")
    listener.take()
    client.ok("DELETE", "order", {"orderID": row["orderID"]})
    rows = {table: rows[0] for table, _, rows in listener.deltas()}
    assert list(rows["order"]) == [
        "orderID", "ordStatus", "workingIndicator", "leavesQty", "text", "clOrdID", "account", "symbol", "timestamp",
    ]  # fmt: skip
    assert {"account", "symbol", "currency", "currentQty", "markPrice", "liquidationPrice", "timestamp"} <= set(rows["position"])
    assert "riskLimit" not in rows["position"] and "amount" not in rows["margin"]
    assert list(rows["margin"])[:2] == ["account", "currency"] and list(rows["margin"])[-1] == "timestamp"


def test_a_cancel_tells_execution_before_order():
    client = Client(venue())
    client.place(1, 6000)
    listener = client.listen("order", "execution")
    listener.take()
    client.ok("DELETE", "order/all")
    assert [(table, action) for table, action, _ in listener.deltas()] == [("execution", "insert"), ("order", "update")]


def test_one_order_through_two_makers_is_two_trades_in_one_message(client):
    p = price(client)
    other = Client(client.venue, client.venue.add_key(client.venue.open_account({"XBt": 10**8})))
    other.place(-100, p)
    other.place(-100, p + 1)
    listener = client.listen("trade:XBTUSD", auth=False)
    listener.take()
    client.place(200, p + 1)
    ((_, action, rows),) = listener.deltas()
    assert action == "insert" and [row["price"] for row in rows] == [p, p + 1]
    assert {row["side"] for row in rows} == {"Buy"}


def test_private_rows_go_to_their_own_account_only(client):
    other = Client(client.venue, client.venue.add_key(client.venue.open_account({"XBt": 10**8})))
    mine, theirs = client.listen("order", "margin"), other.listen("order", "margin")
    mine.take(), theirs.take()
    client.place(100, price(client))
    assert mine.take() and theirs.take() == []


def test_a_message_is_encoded_once_for_all_who_listen(client):
    listeners = [client.listen("quote:XBTUSD" if i % 2 else "quote", auth=False) for i in range(4)]
    for listener in listeners:
        listener.take()
    client.place(100, price(client))
    texts = [listener.session.take_outgoing()[-1] for listener in listeners]
    assert all(text is texts[0] for text in texts)


def test_a_slow_reader_is_cut_off_and_harms_nobody(client):
    slow, quick = client.listen("quote", auth=False), client.listen("quote", auth=False)
    slow.session.max_outgoing = 5
    for i in range(10):
        client.place(100, price(client) - 1 + i % 2)
        client.ok("DELETE", "order/all")
        quick.take()
    assert slow.session.closed == "slow reader" and slow.session.take_outgoing() == []
    assert quick.session.closed is None


def test_closed_sessions_leave_nothing_behind(client):
    listener = client.listen("quote", "order", "orderBookL2_25", "orderBook10", "position")
    listener.session.close()
    hub = client.venue.hub
    assert not client.venue.sessions and not hub._topics and not hub.shown and not hub.tops and not hub.tens


def test_bins_close_with_the_minute(client):
    listener = client.listen("tradeBin1m:XBTUSD", "quoteBin1m:XBTUSD", auth=False)
    listener.take()
    p = price(client)
    client.place(100, p)
    client.place(-100, p)
    client.venue.advance(client.venue.now + 60 * SECOND)
    rows = {table: rows[0] for table, _, rows in listener.deltas()}
    assert (rows["tradeBin1m"]["volume"], rows["tradeBin1m"]["trades"], rows["tradeBin1m"]["close"]) == (100, 1, p)
    assert rows["tradeBin1m"]["timestamp"].endswith(":00.000Z")
    assert rows["quoteBin1m"]["symbol"] == "XBTUSD"
    got = client.ok("GET", "trade/bucketed", binSize="1m", symbol="XBTUSD")
    assert got == [rows["tradeBin1m"]]
    assert client.ok("GET", "trade/bucketed", binSize="1h", partial="true", symbol="XBTUSD")[0]["volume"] == 100


def test_positions_are_told_again_when_their_mark_moves(client):
    from bitmex_venue.engine.commands import SetIndex

    p = price(client)
    other = Client(client.venue, client.venue.add_key(client.venue.open_account({"XBt": 10**8})))
    other.place(100, p)
    client.place(-100, p)
    listener = client.listen("position", "margin", "instrument:XBTUSD")
    listener.take()
    client.venue.execute(SetIndex(".BXBT", (p + 50) * 10**8))
    client.venue.advance(client.venue.now + 5 * SECOND)
    rows = {table: rows[-1] for table, _, rows in listener.deltas()}
    assert rows["position"]["markPrice"] > p and "unrealisedPnl" in rows["position"]
    assert "unrealisedPnl" in rows["margin"]


@pytest.mark.parametrize("profile", ["classic", "modern"])
def test_tables_kept_from_deltas_equal_the_venue_after_any_run(profile):
    """Books, top 25, top 10, orders, positions, margins and instruments: partial plus deltas is the state."""
    v = Venue(profile, market=create("lively", 5, profile), seed=5, now=NOW)
    v.limiter.enabled = False
    client = Client(v, step=SECOND // 3)
    topics = ("orderBookL2:XBTUSD", "orderBookL2_25:XBTUSD", "orderBook10:XBTUSD", "order", "position", "margin", "wallet")
    listener = client.listen(*topics, "instrument:XBTUSD", "execution", "trade", "quote:XBTUSD")
    listener.take()
    rng = random.Random(1)
    tick, lot = (0.5, 1) if profile == "classic" else (0.1, 100)
    mid = round(v.exchange.books["XBTUSD"].best_bid * tick)
    for _ in range(80):
        step = rng.random()
        if step < 0.6:
            client.call("POST", "order", {
                "symbol": "XBTUSD", "orderQty": rng.choice((-1, 1)) * lot * rng.randint(1, 40),
                "price": mid + rng.randint(-30, 30),
            })  # fmt: skip
        elif step < 0.8:
            client.ok("DELETE", "order/all")
        else:
            v.advance(v.now + 7 * SECOND)
        listener.take()
    fresh = client.listen(*topics, "instrument:XBTUSD")
    fresh.take()
    times = ("timestamp", "transactTime", "currentTimestamp", "openingTimestamp")

    def settled(table):
        def plain(row):
            return json.dumps({k: x for k, x in row.items() if k not in times and x not in (None, "")}, sort_keys=True)

        rows = listener.tables[table]
        if table == "order":
            rows = [row for row in rows if row["leavesQty"]]
        return sorted(map(plain, rows)), sorted(map(plain, fresh.tables[table]))

    for topic in topics:
        kept, now = settled(topic.partition(":")[0])
        assert kept == now, topic
    assert len(listener.tables["orderBookL2_25"]) <= 50 < len(listener.tables["orderBookL2"])
    book = listener.tables["orderBookL2"]
    best = [row for row in book if row["side"] == "Buy"], [row for row in book if row["side"] == "Sell"]
    assert max(r["price"] for r in best[0]) < min(r["price"] for r in best[1])
    last = [m for m in listener.all if isinstance(m, dict) and m.get("table") == "quote"][-1]["data"][-1]
    assert last["bidPrice"] == max(r["price"] for r in best[0])


@pytest.mark.parametrize("profile, allowed, wait_s", [("classic", 40, 90), ("modern", 720, 5)])
def test_sockets_beyond_the_allowance_of_an_hour_are_refused_where_that_is_wished(profile, allowed, wait_s):
    v = venue(profile)
    for _ in range(allowed + 1):
        assert not isinstance(v.connect("/realtime"), Response)  # nobody is refused unless it is wished
    v = venue(profile)
    v.enforce_connections = True
    told = [json.loads(v.connect("/realtime").take_outgoing()[0])["limit"] for _ in range(allowed)]
    assert told == ([{"remaining": allowed - n} for n in range(1, allowed + 1)] if profile == "classic" else [{}] * allowed)
    refused = v.connect("/realtime")
    assert (refused.status, refused.headers["Retry-After"]) == (429, str(wait_s))
    assert refused.json() == {"error": f"Rate limit exceeded, retry in {wait_s} seconds."}
    assert not isinstance(v.connect("/realtime", remote="10.0.0.9"), Response)
    v.advance(v.now + wait_s * SECOND)
    assert not isinstance(v.connect("/realtime"), Response)


def test_the_command_line_sets_the_allowance():
    for arguments, wished in (([], False), (["--limit-connections"], True)):
        made = build(parser().parse_args(["--market", "empty", *arguments]), 1, NOW)
        assert made.enforce_connections is wished
