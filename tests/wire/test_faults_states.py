"""Faults of the venue and of its market, and the steering behind them."""

import json

import pytest
from wire_kit import NOW, SECOND, Client, venue

from bitmex_venue.faults import BadFault
from bitmex_venue.market import create
from bitmex_venue.steering import BadSteering


def with_market(name="calm", profile="classic"):
    return venue(profile, market=create(name, 5, profile), seed=5)


def live(made, seconds):
    made.advance(made.now + round(seconds * SECOND))


def middle(made, symbol="XBTUSD"):
    book = made.exchange.books[symbol]
    return made.exchange.instruments[symbol].spec.price(book.best_bid + book.best_ask) / 2


def test_a_wrong_clock_shows_in_date_welcome_and_the_check_of_expiries():
    client = Client(venue())
    armed = client.venue.faults.arm("clock_skew", by_s=90)
    reply = client.call("GET", "user")
    assert reply.status == 400 and f"Current time: {client.venue.now // SECOND + 90}" in reply.json()["error"]["message"]
    assert reply.headers["Date"] == "Sun, 13 Sep 2020 12:28:11 GMT"
    welcome = json.loads(client.venue.connect("/realtime").take_outgoing()[0])
    assert welcome["timestamp"] == "2020-09-13T12:28:11.000Z"
    assert client.venue.connect("/realtime", "", {"api-key": client.key.id, "api-expires": "1600000060"}).status == 400
    client.venue.faults.disarm(armed)
    client.ok("GET", "user")
    assert client.venue.faults.counts["clock_skew"] == 1 and client.venue.authenticator.skew_ns == 0


def test_a_restart_drops_all_connections_and_keeps_orders_and_subscriptions_begin_anew():
    client = Client(venue())
    order = client.place(5, 6000)
    ear = client.listen("order")
    client.venue.faults.arm("venue_restart", down_s=10)
    assert ear.session.closed == "the venue restarts"
    assert client.call("GET", "order").fate == "refused" and client.venue.connect("/realtime").fate == "refused"
    live(client.venue, 10)
    again = client.listen("order")
    again.take()
    assert [row["orderID"] for row in again.tables["order"]] == [order["orderID"]]
    assert client.venue.faults.counts["venue_restart"] == 1


def test_a_spurious_cancel_takes_orders_of_clients_that_nobody_asked_to_cancel():
    client = Client(venue())
    for price in (6000, 6001, 6002):
        client.place(5, price)
    client.venue.faults.arm("spurious_cancel", count=2)
    (left,) = client.venue.exchange.open_orders(client.venue.account_id)
    ended = [o for o in client.venue.exchange.orders_of(client.venue.account_id) if o is not left]
    assert {o.ord_status for o in ended} == {"Canceled"}
    assert all(o.text == "Canceled: Canceled by the venue.\nSubmitted via API." for o in ended)
    assert client.venue.faults.counts["spurious_cancel"] == 2 and client.venue.faults.armed() == []


def test_a_spurious_cancel_may_come_again_and_again():
    client = Client(venue())
    for price in range(6000, 6010):
        client.place(5, price)
    client.venue.faults.arm("spurious_cancel", times=3, every_s=2)
    other = client.venue.open_account({"XBt": 1})
    client.venue.faults.arm("spurious_cancel", for_s=100, account=other)
    live(client.venue, 30)
    assert len(client.venue.exchange.open_orders(client.venue.account_id)) == 7
    live(client.venue, 80)
    assert client.venue.faults.armed() == []


def test_a_closed_market_refuses_orders_and_says_so_on_the_wire():
    client = Client(venue())
    ear = client.listen("instrument:XBTUSD")
    ear.take()
    client.venue.faults.arm("market_closed", for_s=30)
    assert client.no(400, "POST", "order", {"symbol": "XBTUSD", "orderQty": 1, "price": 6000}) == "Market is not open"
    ear.take()
    assert ear.tables["instrument"][0]["state"] == "Closed"
    live(client.venue, 30)
    client.place(1, 6000)
    ear.take()
    assert ear.tables["instrument"][0]["state"] == "Open" and client.venue.faults.counts["market_closed"] == 1


def test_two_closures_that_overlap_open_the_market_when_both_have_ended():
    made = venue()
    first, second = made.faults.arm("market_closed"), made.faults.arm("market_closed")
    made.faults.disarm(first)
    assert made.exchange.instruments["XBTUSD"].state == "Closed"
    made.faults.disarm(second)
    assert made.exchange.instruments["XBTUSD"].state == "Open"


@pytest.mark.parametrize("name, empty", [("empty_book", (1, -1)), ("one_sided_book", (-1,))])
def test_a_book_is_empty_but_for_our_own_orders_and_fills_again(name, empty):
    made = with_market()
    client = Client(made, step=0)
    far = client.place(5, 6000)
    settings = {"side": "Sell"} if name == "one_sided_book" else {}
    made.faults.arm(name, for_s=20, **settings)
    book = made.exchange.books["XBTUSD"]
    for _ in range(18):
        live(made, 1)
        for side in (1, -1):
            others = [o for level in book.side(side).in_order() for o in level.orders() if o.house]
            assert bool(others) == (side not in empty)
    assert made.exchange.order(far["orderID"]).ord_status in ("New", "Filled")  # who has nobody else to sell to sells to us
    live(made, 20)
    assert book.best_bid and book.best_ask and len(book.levels(1)) > 20 and made.faults.counts[name] == 1
    assert made.exchange.audit().ok


def test_an_empty_side_of_a_recorded_book_comes_back_as_the_recording_has_it_then(tmp_path):
    rows = [{"symbol": "XBTUSD", "id": i, "side": s, "size": 100, "price": p} for i, (s, p) in enumerate((("Buy", 6000), ("Sell", 6001)))]
    lines = [
        {"t": 1000, "dir": "in", "msg": {"table": "orderBookL2", "action": "partial", "keys": ["symbol", "id", "side"], "data": rows}},
        {"t": 1005, "dir": "in", "msg": {"table": "orderBookL2", "action": "update", "data": [{**rows[0], "size": 300}]}},
    ]  # fmt: skip
    path = tmp_path / "book.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    made = venue(market=create(str(path), 1, "classic"))
    book = made.exchange.books["XBTUSD"]
    made.faults.arm("one_sided_book", side="Buy", for_s=10)
    live(made, 9)
    assert book.best_bid is None and book.best_ask is not None
    live(made, 1)
    assert book.bid_size == 300


def test_a_price_gap_moves_index_and_market_without_a_trade_in_between():
    made = with_market()
    live(made, 5)
    before, index = middle(made), made.exchange.instruments[".BXBT"].mark_e8
    stop = Client(made, step=0).place(100, round(before * 0.97))
    ear = Client(made, step=0).listen("trade:XBTUSD")
    made.faults.arm("price_gap", percent=-5)
    assert made.exchange.instruments[".BXBT"].mark_e8 == round(index * 0.95 / 10**6) * 10**6  # to the cent
    live(made, 5)
    assert middle(made) == pytest.approx(before * 0.95, rel=0.01)
    rows = [row["price"] for _, action, data in ear.deltas() if action == "insert" for row in data]
    assert all(price <= stop["price"] for price in rows) and stop["price"] in rows
    assert made.faults.counts["price_gap"] == 1 and made.exchange.audit().ok


def test_a_gap_of_a_contract_is_one_of_its_index_and_of_all_that_follow_it():
    made = with_market()
    ether = made.exchange.instruments[".BETH"].mark_e8
    made.faults.arm("price_gap", symbol="ETHUSD", percent=10)
    live(made, 10)
    assert made.exchange.instruments[".BETH"].mark_e8 == pytest.approx(ether * 1.1, rel=0.01)
    assert middle(made, "ETHUSD") == pytest.approx(ether * 1.1 / 1e8, rel=0.01)


def test_a_flash_crash_trades_through_the_book_and_comes_back_while_the_index_stays():
    made = with_market()
    live(made, 3)
    before = middle(made)
    made.faults.arm("flash_crash", percent=-8, back_s=6)
    instrument = made.exchange.instruments["XBTUSD"]
    assert instrument.spec.price(instrument.last_price) < before * 0.93
    live(made, 5)
    assert middle(made) == pytest.approx(before * 0.92, rel=0.01)
    assert made.exchange.instruments[".BXBT"].mark_e8 / 1e8 == pytest.approx(before, rel=0.01)
    live(made, 10)
    assert middle(made) == pytest.approx(before, rel=0.01)
    assert made.faults.counts["flash_crash"] == 1 and made.exchange.audit().ok


def test_a_crash_may_go_up_and_an_empty_market_has_nothing_to_crash():
    made = with_market()
    before = middle(made)
    made.faults.arm("flash_crash", percent=4)
    instrument = made.exchange.instruments["XBTUSD"]
    assert instrument.spec.price(instrument.last_price) > before * 1.03
    venue().faults.arm("flash_crash")


def test_other_fees_are_charged_and_told_until_the_fault_ends():
    client = Client(venue())
    ear = client.listen("instrument:XBTUSD")
    ear.take()
    client.venue.faults.arm("fee_change", maker=0.003, taker=0.004, for_s=60)
    ear.take()
    assert (ear.tables["instrument"][0]["makerFee"], ear.tables["instrument"][0]["takerFee"]) == (0.003, 0.004)
    client.place(100, 6000)
    client.place(-100, 6000)
    rates = {row["lastLiquidityInd"]: row["commission"] for row in client.ok("GET", "execution", count=10) if row["execType"] == "Trade"}
    assert rates == {"AddedLiquidity": 0.003, "RemovedLiquidity": 0.004}
    live(client.venue, 60)
    spec = client.venue.exchange.instruments["XBTUSD"].spec
    assert (spec.maker_fee_e8, spec.taker_fee_e8) == (-25_000, 75_000)
    assert client.venue.faults.counts["fee_change"] == 1 and client.venue.exchange.audit().ok


def test_a_paused_market_loses_no_time():
    moved, other = with_market("lively"), with_market("lively")
    live(moved, 5)
    live(other, 5)
    moved.steering.pause()
    moved.steering.pause()
    before = moved.exchange.books["XBTUSD"].levels(1)
    live(moved, 100)
    assert moved.exchange.books["XBTUSD"].levels(1) == before
    moved.steering.resume()
    moved.steering.resume()
    live(moved, 20)
    live(other, 20)
    assert moved.exchange.books["XBTUSD"].levels(1) == other.exchange.books["XBTUSD"].levels(1)


def test_a_moved_index_stays_moved():
    made, other = with_market(), with_market()
    assert made.steering.move_index("XBTUSD", -10) == pytest.approx(6360 * 0.9)
    live(made, 60)
    live(other, 60)
    prices = [one.exchange.instruments[".BXBT"].mark_e8 for one in (made, other)]
    assert prices[0] == pytest.approx(prices[1] * 0.9)
    empty = venue()
    empty.steering.move_index(".BXBT", 50)
    live(empty, 60)
    assert empty.exchange.instruments["XBTUSD"].mark_e8 == pytest.approx(6360e8 * 1.5, rel=0.01)


def test_the_index_of_a_recorded_market_stays_moved_too(tmp_path):
    path = tmp_path / "q.jsonl"
    quote = {"symbol": "XBTUSD", "bidPrice": 6000, "bidSize": 1, "askPrice": 6001, "askSize": 1}
    lines = [{"t": t, "dir": "in", "msg": {"table": "quote", "action": "insert", "data": [quote]}} for t in range(5)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    made = venue(market=create(str(path), 1, "classic"))
    index = made.exchange.instruments[".BXBT"]
    assert index.mark_e8 == 6000.5e8
    made.steering.move_index("XBTUSD", -10)
    live(made, 3)
    assert index.mark_e8 == round(6000.5e8 * 0.9)


def test_a_sweep_takes_everything_up_to_a_price_ours_too():
    made = with_market()
    client = Client(made, step=0)
    limit = round(middle(made) * 1.004)
    order = client.place(-300, limit)
    assert made.steering.sweep("XBTUSD", "Buy", price=limit) > 300
    assert made.exchange.order(order["orderID"]).ord_status == "Filled"
    spec = made.exchange.instruments["XBTUSD"].spec
    assert spec.price(made.exchange.books["XBTUSD"].best_ask) > limit
    assert made.steering.sweep("XBTUSD", "Buy", price=1) == 0
    assert made.exchange.audit().ok


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda s: s.sweep("XBTUSD", "Buy"), "price or a percent"), (lambda s: s.sweep("XBTUSD", "buy", 1), "Buy or Sell"),
        (lambda s: s.empty("NOPE"), "no contract"), (lambda s: s.move_index("NOPE", 1), "there is no"),
        (lambda s: s.move_index("XBTUSD", -100), "cannot be moved"),
    ],
)  # fmt: skip
def test_what_cannot_be_steered_is_one_line(call, words):
    with pytest.raises(BadSteering, match=words):
        call(venue().steering)


def test_a_fault_that_the_exchange_refuses_is_not_armed():
    made = venue()
    made.exchange.instruments["XBTUSD"].state = "Settled"
    with pytest.raises(BadFault, match="the exchange refused it"):
        made.faults.arm("market_closed")
    assert made.faults.armed() == [] and not made.faults.counts


def test_faults_of_the_market_leave_a_venue_whose_money_adds_up():
    made = with_market("lively")
    client = Client(made, step=0)
    price = round(middle(made))
    for step in range(10):
        client.place(100, price - 20 - step)
        client.place(-100, price + 20 + step)
    arm = made.faults.arm
    arm("spurious_cancel", for_s=40, every_s=7)
    arm("price_gap", percent=-2, times=2, every_s=11)
    arm("fee_change", for_s=15)
    arm("one_sided_book", side="Buy", for_s=12)
    live(made, 20)
    arm("flash_crash", percent=5)
    arm("empty_book", for_s=3)
    live(made, 30)
    assert made.exchange.audit().ok and made.faults.armed() == []
    assert made.now == NOW + 50 * SECOND
