"""From the engine's events to rows, for the tables that an ordinary day seldom fills; with constructed events where need be."""

import pytest
from wire_kit import NOW, SECOND, Client, venue

from bitmex_venue.engine import commands as cmd
from bitmex_venue.engine import events as ev
from bitmex_venue.engine.timers import SETTLE


@pytest.fixture(params=["classic", "modern"])
def client(request):
    return Client(venue(request.param))


def held(client):
    """Give the client a long position, across another account."""
    other = Client(client.venue, client.venue.add_key(client.venue.open_account({"XBt": 10**8})))
    price = 6300 if client.venue.profile.name == "classic" else 78000
    other.place(-100, price)
    client.place(100, price)
    return other


def publish(client, *events):
    client.venue.history.record(events)
    client.venue.hub.publish(list(events))


def test_deposits_and_withdrawals_are_told_on_wallet_and_transact(client):
    listener = client.listen("wallet", "transact", "margin")
    listener.take()
    account = client.venue.account_id
    client.venue.execute(cmd.Deposit(account, "XBt", 5000))
    told = {table: (action, rows[0]) for table, action, rows in listener.deltas()}
    assert told["wallet"][0] == "update" and told["wallet"][1]["amount"] == 10**8 + 5000
    assert told["transact"][0] == "update" and told["transact"][1]["transactType"] == "Deposit"
    assert told["margin"][1]["walletBalance"] == 10**8 + 5000
    ids = {row["transactID"] for row in client.ok("GET", "user/walletHistory")}
    assert told["transact"][1]["transactID"] in ids


def test_funding_is_told_to_everybody_and_charged_as_an_execution(client):
    held(client)
    listener = client.listen("funding:XBTUSD", "execution", "position")
    listener.take()
    client.venue.advance(NOW + 9 * 3600 * SECOND)
    rows = {}
    for table, _, data in listener.deltas():
        rows.setdefault(table, []).extend(data)
    (funding,) = rows["funding"]
    assert funding["fundingInterval"] == "2000-01-01T08:00:00.000Z" and funding["symbol"] == "XBTUSD"
    assert funding["fundingRateDaily"] == pytest.approx(3 * funding["fundingRate"])
    (charge,) = [row for row in rows["execution"] if row["execType"] == "Funding"]
    assert charge["lastQty"] == 100 and charge["commission"] == funding["fundingRate"] and charge["execComm"] > 0
    assert client.ok("GET", "funding", symbol="XBTUSD") == rows["funding"]
    assert [row["execType"] for row in client.ok("GET", "execution/tradeHistory")] == ["Trade", "Funding"]
    fresh = client.listen("funding")
    fresh.take()
    assert funding in fresh.tables["funding"]


def test_settlement_of_the_dated_future():
    client = Client(venue())
    future = next(s for s in client.venue.active() if client.venue.exchange.instruments[s].spec.expiry)
    listener = client.listen("settlement", "instrument:" + future)
    listener.take()
    publish(client, ev.SettlementEvent(NOW, future, 6_345 * 10**8), ev.InstrumentEvent(NOW, future, {"state": "Settled"}))
    rows = {table: data[0] for table, _, data in listener.deltas()}
    assert (rows["settlement"]["settledPrice"], rows["settlement"]["settlementType"]) == (6345, "Settlement")
    assert rows["instrument"] == {"symbol": future, "state": "Settled", "timestamp": "2020-09-13T12:26:40.000Z"}
    assert client.ok("GET", "settlement", symbol=future) == [rows["settlement"]]


@pytest.mark.parametrize("profile", ["classic", "modern"])
def test_the_next_quarter_is_listed_when_a_future_has_settled(profile):
    client = Client(venue(profile))
    v = client.venue
    old = client.ok("GET", "instrument", symbol="XBT:quarterly")[0]["symbol"]
    assert old == "XBTU20"
    listener, narrow = client.listen("instrument", "settlement", auth=False), client.listen("instrument:" + old, auth=False)
    listener.take()
    v.exchange.timers.push(NOW + 3600 * SECOND, SETTLE, old)  # twelve days of marks are not what is tested
    v.advance(NOW + 3606 * SECOND)
    inserted = [row for table, action, rows in listener.deltas() for row in rows if (table, action) == ("instrument", "insert")]
    assert [row["symbol"] for row in inserted] == ["XBTZ20"]
    assert inserted[0]["state"] == "Open" and inserted[0]["expiry"] == "2020-12-25T12:00:00.000Z" and inserted[0]["markPrice"]
    assert [row["symbol"] for row in client.ok("GET", "instrument", symbol="XBT:quarterly")] == ["XBTZ20"]
    assert "XBTZ20" in {row["symbol"] for row in client.ok("GET", "instrument/active")}
    rows = {row["symbol"]: row for row in listener.tables["instrument"]}
    assert rows[old]["state"] == "Settled" and rows["XBTZ20"]["listing"] == "2020-09-13T13:26:40.000Z"
    assert all(row["symbol"] == old for message in narrow.take() for row in message.get("data", []))
    order = client.place(100, 6000 if profile == "classic" else 70000, symbol="XBTZ20")
    assert order["ordStatus"] == "New" and v.exchange.audit().ok


@pytest.mark.parametrize("profile", ["classic", "modern"])
def test_every_contract_is_in_one_series_and_every_series_has_rows(profile):
    client = Client(venue(profile))
    found = client.ok("GET", "instrument/activeIntervals")
    pairs = dict(zip(found["intervals"], found["symbols"], strict=True))
    assert set(pairs) == {"XBT:perpetual", "ETH:perpetual", "XBTUSDT:perpetual", "XBT:quarterly"}
    assert sorted(pairs.values()) == sorted(row["symbol"] for row in client.ok("GET", "instrument/active"))
    for series, symbol in pairs.items():
        assert [row["symbol"] for row in client.ok("GET", "instrument", symbol=series)] == [symbol]


def test_insurance_and_liquidations(client):
    price = 6000 if client.venue.profile.name == "classic" else 70000
    order = client.venue.exchange.order(client.place(100, price)["orderID"])
    listener = client.listen("insurance", "liquidation:XBTUSD", auth=False)
    listener.take()
    publish(client, ev.InsuranceEvent(NOW, "XBt", 777), ev.LiquidationEvent(NOW, "insert", order, 100))
    rows = listener.deltas()
    assert rows[0] == ("insurance", "insert", [{"currency": "XBt", "timestamp": "2020-09-13T12:26:40.000Z", "walletBalance": 777}])
    row = {"orderID": order.order_id, "symbol": "XBTUSD", "side": "Buy", "price": price, "leavesQty": 100}
    assert rows[1] == ("liquidation", "insert", [row])
    assert client.ok("GET", "liquidation") == [row] and client.ok("GET", "insurance")[0]["walletBalance"] == 777
    fresh = client.listen("insurance", "liquidation")
    fresh.take()
    assert fresh.tables["liquidation"] == [row] and len(fresh.tables["insurance"]) == 1
    publish(client, ev.LiquidationEvent(NOW, "delete", order, 0))
    assert listener.deltas()[0][1] == "delete" and client.ok("GET", "liquidation") == []


def test_fees_that_change_are_told_on_instrument(client):
    listener = client.listen("instrument:XBTUSD")
    listener.take()
    client.venue.execute(cmd.SetFees("XBTUSD", 10_000, 20_000))
    listener.take()
    row = listener.tables["instrument"][0]
    assert (row["makerFee"], row["takerFee"]) == (0.0001, 0.0002)
    assert client.ok("GET", "instrument", symbol="XBTUSD")[0]["takerFee"] == 0.0002


def test_an_index_moves_its_own_row(client):
    listener = client.listen("instrument:.BXBT", auth=False)
    listener.take()
    client.venue.execute(cmd.SetIndex(".BXBT", 7_000 * 10**8))
    ((_, action, (row,)),) = listener.deltas()
    assert (action, row["lastPrice"], row["markPrice"]) == ("update", 7000, 7000)


def test_stops_wait_untriggered_and_are_told_when_triggered(client):
    held(client)
    low = 6000 if client.venue.profile.name == "classic" else 70000
    stop = {"symbol": "XBTUSD", "orderQty": -100, "stopPx": low, "execInst": "MarkPrice"}
    row = client.ok("POST", "order", stop)
    assert (row["ordType"], row["stopPx"], row["workingIndicator"]) == ("Stop", low, False)
    listener = client.listen("order")
    listener.take()
    client.venue.execute(cmd.SetIndex(".BXBT", (low - 10) * 10**8))
    client.venue.advance(client.venue.now + 6 * SECOND)
    assert any("triggered" in row for _, _, rows in listener.deltas() for row in rows)


def test_rows_of_house_accounts_are_nobodys():
    v = venue()
    v.execute(cmd.OpenAccount(1, "house", house=True))
    v.execute(cmd.Place(1, "XBTUSD", 1, 10, 12000))
    assert v.history.executions.get(1) is None and not v.history.ledger.get(1)


def test_memory_is_bounded():
    client = Client(venue(), step=0)
    client.venue.limiter.enabled = False
    history = client.venue.history
    quotes = [ev.QuoteEvent(NOW, "XBTUSD", i, 1, i + 1, 1) for i in range(25_000)]
    history.record(quotes)
    assert len(history.quotes["XBTUSD"]) == 20_000 and history.quotes["XBTUSD"][-1] is quotes[-1]
    assert len(client.ok("GET", "quote", count=10**6)) == 1000
    assert client.ok("GET", "quote", reverse="true", count=1)[0]["bidPrice"] == quotes[-1].bid_price / 2
