"""Another tick and another lot while the contract trades."""

import random

import pytest
from wire_kit import NOW, SECOND, Client, venue

from bitmex_venue.engine import commands as cmd
from bitmex_venue.engine.refusals import Refused
from bitmex_venue.faults import BadFault
from bitmex_venue.market import create
from bitmex_venue.store import Store


def orders(made):
    """What rests: (side, price as shown, quantity), first in line first."""
    out = []
    spec, book = made.exchange.instruments["XBTUSD"].spec, made.exchange.books["XBTUSD"]
    for side in (1, -1):
        for level in book.side(side).in_order():
            out += [(side, spec.price(level.price), order.leaves_qty) for order in level.orders()]
    return out


def test_orders_off_the_new_grid_are_cancelled_with_a_text_and_the_others_keep_price_place_and_row():
    client = Client(venue())
    ear = client.listen("order", "orderBookL2:XBTUSD", "instrument:XBTUSD")
    kept = [client.place(size, 6000) for size in (30, 10, 20)]
    gone = client.place(5, 6000.5)
    far = client.place(-7, 7001)
    ear.take()
    client.venue.faults.arm("grid_change", tick=1)
    assert orders(client.venue) == [(1, 6000.0, 30), (1, 6000.0, 10), (1, 6000.0, 20), (-1, 7001.0, 7)]
    ended = client.venue.exchange.order(gone["orderID"])
    assert ended.ord_status == "Canceled"
    assert ended.text == "Canceled: Order is off the new price or size grid of the contract\nSubmitted via API."
    ear.take()
    assert ear.tables["instrument"][0]["tickSize"] == 1
    told = {row["orderID"]: row for row in ear.tables["order"]}
    assert told[gone["orderID"]]["ordStatus"] == "Canceled"
    assert all(told[row["orderID"]]["price"] == row["price"] and told[row["orderID"]]["leavesQty"] for row in [*kept, far])
    shown = sorted((row["side"], row["price"], row["size"]) for row in ear.tables["orderBookL2"])
    assert shown == [("Buy", 6000, 60), ("Sell", 7001, 7)]
    assert client.no(400, "POST", "order", {"symbol": "XBTUSD", "orderQty": 1, "price": 6000.5}) == "Invalid price tickSize"
    client.place(1, 6001)
    assert client.venue.exchange.audit().ok and client.venue.faults.counts["grid_change"] == 1


def test_another_lot_cancels_odd_sizes_and_refuses_them_from_then_on():
    client = Client(venue())
    even, odd = client.place(200, 6000), client.place(150, 6001)
    client.venue.faults.arm("grid_change", lot=100, for_s=60)
    assert client.venue.exchange.order(odd["orderID"]).ord_status == "Canceled"
    assert client.venue.exchange.order(even["orderID"]).leaves_qty == 200
    assert client.no(400, "POST", "order", {"symbol": "XBTUSD", "orderQty": 50, "price": 6000}) == "Invalid orderQty"
    client.place(-100, 6000)
    assert client.venue.exchange.audit().ok
    client.venue.advance(client.venue.now + 60 * SECOND)
    assert client.venue.exchange.instruments["XBTUSD"].spec.lot_size == 1
    client.place(50, 6000)
    assert client.venue.exchange.audit().ok


def test_a_lot_that_a_position_does_not_fit_is_refused_and_nothing_has_changed():
    client = Client(venue())
    rival = Client(client.venue, client.venue.add_key(client.venue.open_account({"XBt": 10**8})))
    client.place(37, 6000)
    rival.place(-37, 6000)
    before = client.venue.exchange.digest()
    with pytest.raises(BadFault, match="a position of -?37 is not a multiple of 100"):
        client.venue.faults.arm("grid_change", lot=100)
    for settings in ({"tick": 0.005}, {"lot": 10**8}):
        with pytest.raises(BadFault, match="Invalid (tick|lot)Size"):
            client.venue.faults.arm("grid_change", **settings)
    with pytest.raises(Refused, match="ClearGrid"):
        client.venue.exchange.execute(client.venue.now, cmd.SetGrid("XBTUSD", 10**8, 1))
    assert client.venue.exchange.digest() == before and client.venue.faults.armed() == []


def test_when_the_old_grid_fits_no_more_the_new_one_stays():
    client = Client(venue("modern"))
    rival = Client(client.venue, client.venue.add_key(client.venue.open_account({"XBt": 10**8})))
    armed = client.venue.faults.arm("grid_change", lot=1)
    client.place(37, 78000)
    rival.place(-37, 78000)
    client.venue.faults.disarm(armed)
    assert client.venue.exchange.instruments["XBTUSD"].spec.lot_size == 1


def test_what_was_told_before_is_shown_at_its_price_afterwards():
    client = Client(venue())
    client.place(10, 6000)
    client.place(-10, 6000)
    client.venue.advance(NOW + 120 * SECOND)
    paths = ["trade", "quote", "execution", "trade/bucketed", "quote/bucketed"]
    queries = {path: {"symbol": "XBTUSD", "binSize": "1m"} if "bucketed" in path else {"symbol": "XBTUSD"} for path in paths}

    def read():
        return {path: client.ok("GET", path, **query) for path, query in queries.items()}

    before = read()
    assert all(before.values())
    client.venue.faults.arm("grid_change", tick=0.1)
    assert {k: v[: len(before[k])] for k, v in read().items()} == before
    row = client.ok("GET", "instrument", symbol="XBTUSD")[0]
    assert (row["lastPrice"], row["prevPrice24h"], row["highPrice"], row["tickSize"]) == (6000, 6000, 6000, 0.1)


def test_stops_wait_on_the_new_grid_and_go_off_there():
    client = Client(venue())
    stop = client.ok("POST", "order", {"symbol": "XBTUSD", "orderQty": 10, "stopPx": 6400, "ordType": "Stop", "execInst": "LastPrice"})
    odd = client.ok("POST", "order", {"symbol": "XBTUSD", "orderQty": 10, "stopPx": 6400.5, "ordType": "Stop"})
    client.venue.faults.arm("grid_change", tick=2)
    assert client.venue.exchange.order(odd["orderID"]).ord_status == "Canceled"
    client.place(10, 6400)
    client.place(-10, 6400)
    assert client.venue.exchange.order(stop["orderID"]).triggered == "StopOrderTriggered"
    assert client.venue.exchange.audit().ok


@pytest.mark.parametrize("profile, tick, lot", [("classic", 0.1, 1), ("classic", 5, 100), ("modern", 0.5, 100)])
def test_a_lively_market_goes_on_with_the_new_grid_and_the_money_adds_up(profile, tick, lot):
    made = venue(profile, market=create("lively", 3, profile), seed=3)
    client = Client(made, step=0)
    rng = random.Random(3)
    ear = client.listen("orderBookL2:XBTUSD", "order", "position", "margin", "trade:XBTUSD")
    price = made.exchange.instruments[".BXBT"].mark_e8 // 10**8
    for _ in range(20):
        client.call("POST", "order", {"symbol": "XBTUSD", "orderQty": 100 * rng.choice((1, -1)), "price": price + rng.randrange(-60, 60)})
    made.advance(made.now + 10 * SECOND)
    made.faults.arm("grid_change", tick=tick, lot=lot, for_s=20)
    book, spec = made.exchange.books["XBTUSD"], made.exchange.instruments["XBTUSD"].spec
    assert spec.tick_e8 == round(tick * 1e8) and spec.price(book.best_bid) == pytest.approx(price, rel=0.02)
    made.advance(made.now + 10 * SECOND)
    assert len(book.levels(1)) > 20 and made.exchange.audit().ok
    made.advance(made.now + 20 * SECOND)
    assert made.exchange.audit().ok and made.faults.armed() == []
    ear.take()
    levels = {(row["side"], row["price"]): row["size"] for row in ear.tables["orderBookL2"]}
    spec = made.exchange.instruments["XBTUSD"].spec
    names = {1: "Buy", -1: "Sell"}
    assert levels == {(names[side], spec.price(t)): size for side in (1, -1) for t, size in book.levels(side)}


def test_a_recorded_market_keeps_its_grid(tmp_path):
    path = tmp_path / "q.jsonl"
    path.write_text('{"t":1,"dir":"in","msg":{"table":"quote","action":"insert","data":[{"symbol":"XBTUSD","bidPrice":6000,'
                    '"bidSize":1,"askPrice":6001,"askSize":1}]}}\n')  # fmt: skip
    with pytest.raises(BadFault, match="recorded market"):
        venue(market=create(str(path), 1, "classic")).faults.arm("grid_change", tick=1)


def test_the_same_commands_give_the_same_state_with_a_grid_in_between():
    def run():
        client = Client(venue())
        for price in (6000, 6000.5, 6001):
            client.place(10, price)
        client.venue.steering.regrid("XBTUSD", 1.0, 10)
        client.place(-10, 6001)
        return client.venue.exchange.digest()

    assert run() == run()


def test_a_venue_that_was_killed_comes_back_on_the_new_grid_and_one_that_ended_on_the_old_one(tmp_path):
    client = Client(venue(store=Store(str(tmp_path), 100_000)))
    for price in (6000, 6000.5, 6001):
        client.place(10, price)
    client.venue.faults.arm("grid_change", tick=1)
    client.venue.faults.arm("post_only_refused", times=1)
    client.place(5, 6000, execInst="ParticipateDoNotInitiate")
    client.venue._store.commit()
    before = client.venue.exchange.digest()
    client.venue._store._database.close()
    client.venue._store.credentials.close()
    store = Store(str(tmp_path))
    assert store.recover({"profile": "classic"})[0].digest() == before
    store.close()
    again = venue(store=Store(str(tmp_path)))
    assert again.exchange.instruments["XBTUSD"].spec.tick_e8 == 10**8
    again.steering.regrid("XBTUSD", 0.5, 1)
    again.faults.arm("market_closed")
    again.close()
    last = venue(store=Store(str(tmp_path)))
    assert last.exchange.instruments["XBTUSD"].state == "Open" and len(last.exchange.open_orders(last.account_id)) == 2
    last.close()
