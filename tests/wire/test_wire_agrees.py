"""Realtime and REST tell the same: a client that folds the messages holds what the reading routes answer, column by column."""

from __future__ import annotations

from random import Random

import pytest
from wire_kit import NOW, SECOND, Client, venue

from bitmex_venue import market
from bitmex_venue.engine import commands as cmd
from bitmex_venue.engine.refusals import Refused
from bitmex_venue.engine.timers import SETTLE

BOTH = pytest.mark.parametrize("profile", ["classic", "modern"])
ROUTES = {"instrument": "instrument", "position": "position", "margin": "user/margin", "wallet": "user/wallet", "order": "order"}
HOUR = 3600
# told every five seconds (bitmex-api.md 5.7), and shown by REST as they are at the moment
FIGURES = frozenset(
    "bidPrice midPrice askPrice impactBidPrice impactMidPrice impactAskPrice hasLiquidity prevTotalVolume totalVolume volume volume24h "
    "prevTotalTurnover totalTurnover turnover turnover24h homeNotional24h foreignNotional24h prevPrice24h lastChangePcnt vwap "
    "highPrice lowPrice openInterest openValue".split()
)


def told(row, without=()):
    """What a row says: an empty column is one that is not there."""
    return {name: value for name, value in row.items() if value not in (None, "") and name not in without}


def key_of(table, row):
    return row["orderID"] if table == "order" else row["currency"] if table in ("margin", "wallet") else row["symbol"]


class Watcher:
    """A client that listens to everything of `ROUTES`, and asks REST for the same."""

    def __init__(self, profile, name="empty"):
        self.client = Client(venue(profile, market=market.create(name, 5, profile)), step=0)
        self.venue = self.client.venue
        self.venue.limiter.enabled = False
        self.listener = self.client.listen(*ROUTES)
        self.compared = 0

    def compare(self):
        """Every table and column; at a moment that is no multiple of five seconds without the figures told only then."""
        self.listener.take()
        between = self.venue.now % (5 * SECOND) != 0
        for table, route in ROUTES.items():
            query = {"currency": "all"} if table in ("margin", "wallet") else {"count": 500}
            asked = self.client.ok("GET", route, **query)
            without = {"timestamp", *(FIGURES if between else ())} if table == "instrument" else ()
            held = {key_of(table, row): told(row, without) for row in self.listener.tables[table]}
            answered = {key_of(table, row): told(row, without) for row in asked}
            if table == "order":  # those that ended before anybody listened are no news
                answered = {key: row for key, row in answered.items() if key in held}
            assert set(held) == set(answered), table
            for key, row in answered.items():
                apart = {n: (held[key].get(n), row.get(n)) for n in {*held[key], *row} if held[key].get(n) != row.get(n)}
                assert not apart, (table, key, apart)
                self.compared += len(row)

    def wait(self, seconds):
        self.venue.advance(self.venue.now + round(seconds * SECOND))
        self.compare()


def deeds(watcher, rng):
    """One thing a client does, drawn; the venue may refuse it."""
    client, v = watcher.client, watcher.venue
    symbol = rng.choice(["XBTUSD", "XBTUSD", "ETHUSD", "XBTUSDT", v.symbols("XBT:quarterly")[0]])
    instrument = v.exchange.instruments[symbol]
    spec, lot = instrument.spec, instrument.lot_size
    price = spec.price(max(1, instrument.mark_e8 // spec.tick_e8 + rng.randint(-20, 20)))
    quantity = rng.choice((-1, 1)) * lot * rng.randint(1, 20)
    deed = rng.randrange(10)
    if deed < 4:
        client.call("POST", "order", {"symbol": symbol, "orderQty": quantity, "price": price})
    elif deed == 4:
        client.call("POST", "order", {"symbol": symbol, "orderQty": quantity})
    elif deed == 5:
        client.call("POST", "order", {"symbol": symbol, "orderQty": quantity, "stopPx": price, "execInst": "LastPrice"})
    elif deed == 6:
        for order in v.exchange.open_orders(v.account_id)[:3]:
            client.call("PUT", "order", {"orderID": order.order_id, "orderQty": abs(quantity)})
    elif deed == 7:
        client.call("DELETE", "order/all", {"symbol": symbol})
    elif deed == 8:
        client.call("POST", "position/leverage", {"symbol": symbol, "leverage": rng.choice((0, 0, 5, 20))})
    else:
        client.call("POST", "user/requestWithdrawal", {"currency": "XBt", "amount": rng.randint(1, 9), "address": "x"})


@BOTH
def test_a_client_that_folds_the_messages_of_a_busy_market_holds_what_rest_answers(profile):
    watcher, rng = Watcher(profile, "lively"), Random(3)
    watcher.compare()
    for _ in range(120):
        deeds(watcher, rng)
        watcher.compare()
        now = watcher.venue.now // SECOND
        watcher.wait(5 - now % 5 if rng.random() < 0.6 else rng.uniform(0.1, 4))
    assert watcher.compared > 100_000
    assert len(watcher.listener.tables["order"]) > 20 and any(row["currentQty"] for row in watcher.listener.tables["position"])


@BOTH
def test_realtime_and_rest_agree_across_hours_funding_sweeps_and_changes_of_the_venue(profile):
    watcher = Watcher(profile)
    v, client = watcher.venue, watcher.client
    rival = Client(v, v.add_key(v.open_account({"XBt": 10**8})), step=0)
    price = 6360 if profile == "classic" else 78000
    rival.place(-2000, price)
    client.place(2000, price)
    client.place(100, price - 100)
    for hours in (0.5, 1, 6, 3, 14):  # to and beyond 20:00, midnight and noon
        v.execute(cmd.SetIndex(".BXBT", round(price * (1 + hours / 1000)) * 10**8))
        watcher.wait(hours * HOUR)
    for command in (
        cmd.SetFees("XBTUSD", 10_000, 60_000), cmd.SetState("XBTUSD", "Closed"), cmd.SetState("XBTUSD", "Open"),
        cmd.Deposit(v.account_id, "XBt", 77), cmd.SetRiskLimit(v.account_id, "XBTUSD", 40_000_000_000),
        cmd.TransferMargin(v.account_id, "XBTUSD", 5), cmd.CancelAll(v.account_id),
    ):  # fmt: skip
        try:
            v.execute(command)
        except Refused:
            pass
        watcher.wait(0.5)
        watcher.wait(4.5)
    v.steering.regrid("XBTUSD", 1.0, 100)
    watcher.wait(5)


@BOTH
def test_realtime_and_rest_agree_when_a_future_settles_and_the_next_is_listed(profile):
    watcher = Watcher(profile)
    v, client = watcher.venue, watcher.client
    rival = Client(v, v.add_key(v.open_account({"XBt": 10**8})), step=0)
    (future,) = v.symbols("XBT:quarterly")
    price = 6360 if profile == "classic" else 78000
    rival.place(-200, price, symbol=future)
    client.place(200, price, symbol=future)
    client.place(100, price - 100, symbol=future)
    v.exchange.timers.push(v.now + 7 * SECOND, SETTLE, future)
    for _ in range(3):
        watcher.wait(5)
    assert v.exchange.instruments[future].state == "Settled" and v.symbols("XBT:quarterly") != [future]
    client.place(100, price - 100, symbol=v.symbols("XBT:quarterly")[0])
    watcher.wait(4 * HOUR)


@BOTH
def test_realtime_and_rest_agree_through_a_liquidation(profile):
    watcher = Watcher(profile)
    v, client = watcher.venue, watcher.client
    rival = Client(v, v.add_key(v.open_account({"XBt": 10**12})), step=0)
    price = 6360 if profile == "classic" else 78000
    quantity = 300_000 if profile == "classic" else 3_000_000
    rival.place(-quantity, price)
    client.place(quantity, price)
    rival.place(quantity, price - 300)
    for step in range(1, 12):
        v.execute(cmd.SetIndex(".BXBT", (price - price * step // 500) * 10**8))
        watcher.wait(5)
    assert v.exchange.liquidation.taken and not v.exchange.accounts[v.account_id].positions["XBTUSD"].current_qty


@BOTH
def test_who_comes_later_to_the_instruments_is_shown_what_the_others_hold(profile):
    v = venue(profile, market=market.create("lively", 5, profile))
    client = Client(v, step=0)
    first = client.listen("instrument:XBTUSD", auth=False)
    v.advance(NOW + 12 * SECOND)
    second = client.listen("instrument", auth=False)
    for listener in (first, second):
        listener.take()
    v.advance(NOW + 20 * SECOND)
    rows = []
    for listener in (first, second):
        listener.take()
        rows.append(next(told(row) for row in listener.tables["instrument"] if row["symbol"] == "XBTUSD"))
    assert rows[0] == rows[1]


@BOTH
def test_a_flat_position_has_no_mark_as_recorded(profile):
    watcher = Watcher(profile)
    v, client = watcher.venue, watcher.client
    client.place(100, 6000 if profile == "classic" else 70000)
    (row,) = client.ok("GET", "position")
    v.execute(cmd.SetIndex(".BXBT", 80_000 * 10**8))
    watcher.wait(5)
    assert client.ok("GET", "position") == [row]
    assert row.get("markPrice") is None and row["markValue"] == 0 and row["openOrderBuyQty"] == 100
