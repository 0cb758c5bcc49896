"""Rows against recorded traffic and against the official descriptions."""

import functools
import json

import pytest
from wire_kit import NOW, SECOND, Client, data, lines, venue

from bitmex_venue import market, profiles
from bitmex_venue.engine.commands import SetIndex
from bitmex_venue.wire import columns


@functools.cache
def busy(profile):
    """A client with orders, fills, a position and a ledger, and another one across; shared by tests that only read."""
    return trade(profile)


def trade(profile):
    """A busy client of its own."""
    client = Client(venue(profile))
    client.venue.add_login("a@b.c", "pw") if profile == "classic" else None
    client.venue.limiter.enabled = False
    other = Client(client.venue, client.venue.add_key(client.venue.open_account({"XBt": 10**8, "USDt": 10**10})))
    p = 6360 if profile == "classic" else 78000
    client.place(200, p, clOrdID="a")
    other.place(-100, p)
    client.place(-100, p + 1)
    client.place(1000, p, symbol="XBTUSDT")
    other.place(-1000, p, symbol="XBTUSDT")
    client.place(1, 200, symbol="ETHUSD")
    client.ok("POST", "order", {"symbol": "XBTUSD", "orderQty": 100})
    client.ok("PUT", "order", {"origClOrdID": "a", "price": p - 2})
    client.ok("DELETE", "order", {"clOrdID": "a"})
    client.venue.execute(SetIndex(".BXBT", (p + 9) * 10**8))
    client.venue.advance(client.venue.now + 65 * SECOND)
    client.ok("POST", "user/requestWithdrawal", {"currency": "XBt", "amount": 1000, "address": "x", "fee": 10})
    client.venue.advance(client.venue.now + 8 * 3600 * SECOND)  # funding
    return client


def recorded(table):
    """The rows of a table in the recorded sequence of one market order, 2018."""
    return [m["data"][0] for m in lines("riot_stat", "market_order_sequence.jsonl") if m["table"] == table]


def test_order_and_execution_rows_have_the_recorded_columns_in_the_recorded_order():
    client = Client(venue())
    listener = client.listen("order", "execution", "trade")
    other = Client(client.venue, client.venue.add_key(client.venue.open_account({"XBt": 10**8})))
    other.place(-1, 6360.5)
    listener.take()
    client.ok("POST", "order", {"symbol": "XBTUSD", "orderQty": 1})
    told = {}
    for table, action, rows in listener.deltas():
        told.setdefault((table, action), rows[0])
    order, execution, match = recorded("order")[0], recorded("execution")[0], recorded("trade")[0]
    assert list(told["order", "insert"]) == list(order)
    assert list(told["execution", "insert"]) == list(execution)
    assert list(told["trade", "insert"]) == list(match)
    ours = told["trade", "insert"]
    assert {k: ours[k] for k in ("side", "size", "price", "grossValue", "homeNotional", "foreignNotional")} == {
        k: match[k] for k in ("side", "size", "price", "grossValue", "homeNotional", "foreignNotional")
    }


def test_a_market_order_is_told_as_it_was_recorded():
    client = Client(venue())
    other = Client(client.venue, client.venue.add_key(client.venue.open_account({"XBt": 10**8})))
    other.place(-1, 6360.5)
    other.place(-1, 6360.5)
    client.ok("POST", "order", {"symbol": "XBTUSD", "orderQty": 1})
    listener = client.listen("order", "execution", "trade", "position", "margin")
    listener.take()
    client.ok("POST", "order", {"symbol": "XBTUSD", "orderQty": 1})
    told = listener.deltas()
    theirs = [(m["table"], m["action"]) for m in lines("riot_stat", "market_order_sequence.jsonl")]
    assert [(table, action) for table, action, _ in told] == theirs
    locked, between = recorded("position")[0], told[3][2][0]
    assert set(between) - {"currentTimestamp"} == set(locked) - {"simpleQty"}  # the costs are those of our protection price, 5 % away
    assert (between["openOrderBuyQty"], between["currentQty"]) == (locked["openOrderBuyQty"], locked["currentQty"]) == (1, 1)


def test_values_of_a_fill_are_the_recorded_ones():
    client = Client(venue())
    other = Client(client.venue, client.venue.add_key(client.venue.open_account({"XBt": 10**8})))
    other.place(-1, 6360.5)
    client.ok("POST", "order", {"symbol": "XBTUSD", "orderQty": 1})
    ours = client.ok("GET", "execution", filter='{"execType":"Trade"}')[0]
    theirs = recorded("execution")[1]
    same = (
        "lastQty", "lastPx", "lastMkt", "lastLiquidityInd", "orderQty", "execType", "ordType", "timeInForce", "ordStatus",
        "workingIndicator", "leavesQty", "cumQty", "avgPx", "tradePublishIndicator", "execCost", "homeNotional",
        "foreignNotional",
    )  # fmt: skip
    assert {k: ours[k] for k in same} == {k: theirs[k] for k in same}


@pytest.mark.parametrize(
    "cassette, method, path",
    [
        ("rest/position/index_ok", "GET", "position"),
        ("rest/user/margin_ok", "GET", "user/margin"),
        ("rest/user/wallet_ok", "GET", "user/wallet"),
        ("rest/instrument/active_ok", "GET", "instrument/active"),
        ("rest/user/wallet_history_ok", "GET", "user/walletHistory"),
        ("rest/funding/index_ok", "GET", "funding"),
        ("rest/http_client/auth_get_ok", "GET", "order"),
        ("rest/user/commission_ok", "GET", "user/commission"),
        ("rest/instrument/active_intervals_ok", "GET", "instrument/activeIntervals"),
    ],
)
def test_classic_replies_have_the_columns_of_recorded_replies_in_their_order(cassette, method, path):
    def shape(value):
        row = value[0] if isinstance(value, list) else value
        return list(row["XBTUSD"]) if "XBTUSD" in row else list(row)

    record = next(r for r in lines("vcr_cassettes", "ex_bitmex.jsonl") if r["cassette"] == cassette)
    assert shape(busy("classic").ok(method, path)) == shape(record["body"])


# what a recorded row has and ours has not: of later years, of a person, of the time before the venue began
BEYOND = frozenset(
    "listedSettle settledPriceAdjustmentRate prevTimestamp addr script affiliateID geoipCountry geoipRegion openValue".split()
)


@functools.cache
def lively():
    """A client that listens to a market which has lived through a full hour, at 13:00."""
    client = Client(venue(market=market.create("lively", 5)), step=0)
    client.venue.limiter.enabled = False
    client.venue.advance(NOW + 2010 * SECOND)
    return client


def cassette(name):
    return next(r["body"] for r in lines("vcr_cassettes", "ex_bitmex.jsonl") if r["cassette"] == name)


def row_of(rows, symbol):
    return next(row for row in rows if row["symbol"] == symbol)


def pairs():
    """(name, our row, the recorded row)."""
    with open(data("cryptofeed", "instrument_active_2021-07-22.json"), encoding="utf-8") as stream:
        active = json.load(stream)
    for symbol in ("XBTUSD", "ETHUSD"):
        yield symbol, lively().ok("GET", "instrument", symbol=symbol)[0], row_of(active, symbol)
    yield "future", lively().ok("GET", "instrument", symbol="XBT:quarterly")[0], row_of(active, "XBTU21")
    yield "index", lively().ok("GET", "instrument", symbol=".BXBT")[0], row_of(cassette("rest/instrument/indices_ok"), ".BXBT")
    flat = next(row for row in busy("classic").ok("GET", "position") if not row["isOpen"])
    yield "flat position", {**flat, "prevClosePrice": 1.5}, cassette("rest/position/index_ok")[0]
    yield "margin", busy("classic").ok("GET", "user/margin"), cassette("rest/user/margin_ok")
    yield "wallet", busy("classic").ok("GET", "user/wallet"), cassette("rest/user/wallet_ok")
    yield "user", busy("classic").ok("GET", "user"), cassette("rest/user/show_ok")
    yield "trade", busy("classic").ok("GET", "trade", symbol="XBTUSD")[-1], cassette("rest/trade/index_ok")[0]
    yield "funding", busy("classic").ok("GET", "funding")[-1], cassette("rest/funding/index_ok")[0]


def kind(value):
    """Null, an empty word, a word, a number, a truth, a list."""
    if value is None or value == "":
        return repr(value)
    return "number" if type(value) in (int, float) else type(value).__name__


def test_a_column_of_a_classic_row_is_empty_where_it_was_empty_in_a_recorded_row_and_of_the_same_kind_elsewhere():
    for name, ours, theirs in pairs():
        kinds = {column: (kind(ours.get(column)), kind(value)) for column, value in theirs.items() if column not in BEYOND}
        assert {column: both for column, both in kinds.items() if both[0] != both[1]} == {}, name
        assert not set(ours) - set(theirs), name


def test_partials_of_classic_name_columns_types_and_keys_as_recorded():
    tables = columns.tables(profiles.CLASSIC)
    seen = set()
    messages = [m["msg"] for m in lines("cryptofeed", "bitmex_ws_2021-07-22_first16s.jsonl") if m["dir"] == "in"]
    messages += [m["msg"] for m in lines("api_connectors", "ws_fixtures.jsonl")]
    for message in messages:
        table = message.get("table")
        if message.get("action") != "partial" or table in seen or "timestamp" in message["types"] and "Book" in table:
            continue
        seen.add(table)
        ours = tables[table].image(profiles.CLASSIC, message["filter"], [])
        assert {**ours, "data": None} == {**message, "data": None}, table
        assert list(ours["types"]) == list(message["types"])
    assert {"quote", "trade", "orderBookL2", "order"} <= seen


def test_partials_of_modern_have_the_recorded_types():
    tables = columns.tables(profiles.MODERN)
    for record in lines("shapes", "roq_payloads_2024_2025.jsonl"):
        message = record["payload"]
        if not isinstance(message, dict) or message.get("action") != "partial":
            continue
        ours, theirs = tables[message["table"]], message["types"]
        assert tuple(message["keys"]) == ours.keys
        common = [name for name in theirs if name in ours.types]
        assert [ours.types[n] for n in common] == [theirs[n] for n in common]
        assert common == list(theirs), message["table"]
        assert [name for name in ours.types if name in theirs] == common, message["table"]


def test_book_ids_of_classic_tell_the_price_and_those_of_modern_do_not():
    rows = {}
    for profile in ("classic", "modern"):
        client = Client(venue(profile))
        client.place(100, 6369.5)
        (rows[profile],) = client.ok("GET", "orderBook/L2", symbol="XBTUSD")
        again = client.ok("GET", "orderBook/L2", symbol="XBTUSD")[0]["id"]
        assert again == rows[profile]["id"]
        client.ok("DELETE", "order/all")
        client.place(100, 6369.5)
        later = client.ok("GET", "orderBook/L2", symbol="XBTUSD")[0]["id"]
        assert (later == again) is (profile == "classic")
    assert rows["classic"] == {"symbol": "XBTUSD", "id": 8800000000 - 636950, "side": "Buy", "size": 100, "price": 6369.5}
    assert list(rows["modern"]) == ["symbol", "id", "side", "size", "price", "timestamp", "transactTime"]


def test_recorded_book_ids_follow_the_same_rule():
    from bitmex_venue.wire.level_ids import PriceIds

    v = venue()
    ids = PriceIds(v.exchange.instruments)
    for record in lines("cryptofeed", "bitmex_ws_2021-07-22_first16s.jsonl"):
        message = record.get("msg") or {}
        if message.get("table") == "orderBookL2" and message["action"] == "partial":
            for row in message["data"]:
                if row["symbol"] == "XBTUSD":
                    assert ids.get("XBTUSD", 1, round(row["price"] * 2)) == row["id"]


def test_the_book_is_sells_from_the_highest_down_then_buys_from_the_best_down():
    client = Client(venue())
    for qty, price in ((1, 6000), (1, 6001), (-1, 6400), (-1, 6401)):
        client.place(qty, price)
    rows = client.ok("GET", "orderBook/L2", symbol="XBTUSD")
    assert [row["price"] for row in rows] == [6401, 6400, 6001, 6000]
    assert [row["price"] for row in client.ok("GET", "orderBook/L2", symbol="XBTUSD", depth=1)] == [6400, 6001]
    assert client.ok("GET", "orderBook/L2", symbol="NOPE") == []
    assert client.no(400, "GET", "orderBook/L2") == "'symbol' is a required arg."
    assert client.no(400, "GET", "orderBook/L2", symbol="XBTUSD", depth=-1) == "depth not valid"


READS = (
    "order", "execution", "execution/tradeHistory", "position", "user", "user/margin", "user/margin?currency=all",
    "user/wallet", "user/walletHistory", "user/commission", "apiKey", "instrument", "instrument/active",
    "instrument/indices", "instrument/activeAndIndices", "instrument/activeIntervals", "orderBook/L2?symbol=XBTUSD",
    "quote", "trade", "quote/bucketed", "trade/bucketed", "funding", "settlement", "insurance", "liquidation", "wallet/assets",
    "wallet/networks",
)  # fmt: skip
# columns that recorded rows of the era have and the descriptions lack
EXTRA = frozenset(
    "listedSettle marginBalance instantPnl minPrice settledPriceAdjustmentRate strategy trdType foreignMarginBalance "
    "foreignRequirement posInit transactTime walletBalance isUser prevTotalVolume prevTotalTurnover minTick "
    "fundingBaseRate fundingQuoteRate systemWithdrawableMargin prevTransferIn prevTransferOut brokerCommission "
    "brokerExecComm realisedPnl isRestricted roles".split()
)


@pytest.mark.parametrize("profile, description", [("classic", "swagger_2019-12.json"), ("modern", "swagger_2024-05.json")])
def test_replies_fit_the_official_description(profile, description):
    jsonschema = pytest.importorskip("jsonschema")
    with open(data("api_connectors", description), encoding="utf-8") as stream:
        swagger = json.load(stream)
    swagger["definitions"]["APIKey"]["properties"]["permissions"]["items"] = {}  # words, not the objects it says
    for model in swagger["definitions"].values():
        needed = set(model.get("required", ()))
        for name, spec in model.get("properties", {}).items():
            if name not in needed and "type" in spec:
                spec["type"] = [spec["type"], "null"]
    client = busy(profile)
    for read in READS:
        path, _, query = read.partition("?")
        got = client.ok("GET", path, **dict(pair.split("=") for pair in query.split("&") if pair))
        if "/" + path not in swagger["paths"]:
            assert path.startswith("wallet/") and profile == "classic"
            continue
        schema = swagger["paths"]["/" + path]["get"]["responses"]["200"]["schema"]
        if "currency=all" in query:
            schema = {"type": "array", "items": schema}
        checker = jsonschema.Draft7Validator({**schema, "definitions": swagger["definitions"]})
        problem = next(checker.iter_errors(got), None)
        assert problem is None, (read, problem and problem.message)
        ref = schema.get("$ref") or schema.get("items", {}).get("$ref")
        model = swagger["definitions"][ref.rpartition("/")[2]] if ref else {}
        rows = got if isinstance(got, list) else [got]
        for row in rows if model.get("properties") else ():
            assert set(row) <= set(model["properties"]) | EXTRA, (read, set(row) - set(model["properties"]))
    assert client.ok("GET", "execution/tradeHistory") and client.ok("GET", "funding")


@pytest.mark.parametrize("profile", ["classic", "modern"])
def test_margin_rows_add_up(profile):
    client = busy(profile)
    margins = client.ok("GET", "user/margin", currency="all")
    assert [row["currency"] for row in margins] == ["XBt", "USDt"]
    for row in margins:
        assert row["walletBalance"] == row["amount"] + row["realisedPnl"]
        assert row["marginBalance"] == row["walletBalance"] + row["unrealisedPnl"]
        assert row["availableMargin"] == row["marginBalance"] - row["initMargin"] - row["maintMargin"]
    positions = client.ok("GET", "position", filter='{"currency":"XBt"}')
    assert sum(row["unrealisedPnl"] for row in positions) == margins[0]["unrealisedPnl"]


def test_leverage_and_isolation_answer_the_position():
    client = trade("classic")
    row = client.ok("POST", "position/leverage", {"symbol": "XBTUSD", "leverage": "12.5"})
    assert (row["leverage"], row["crossMargin"], row["initMarginReq"]) == (12.5, False, 0.08)
    row = client.ok("POST", "position/isolate", {"symbol": "XBTUSD", "enabled": False})
    assert (row["leverage"], row["crossMargin"]) == (100, True)
    assert client.ok("POST", "position/isolate", {"symbol": "XBTUSD"})["crossMargin"] is False
    assert client.no(400, "POST", "position/leverage", {"symbol": "XBTUSD", "leverage": 5000}) == "Invalid leverage"
    assert client.no(400, "POST", "position/leverage", {"symbol": "XBTUSD"}) == "'leverage' is a required arg."


def test_risk_limits_and_transfers_answer_the_position():
    client = trade("classic")
    row = client.ok("POST", "position/riskLimit", {"symbol": "XBTUSD", "riskLimit": 30_000_000_000})
    assert (row["riskLimit"], row["initMarginReq"]) == (30_000_000_000, 0.015)
    assert client.no(400, "POST", "position/transferMargin", {"symbol": "XBTUSD"}) == "'amount' is a required arg."
    client.ok("POST", "position/leverage", {"symbol": "XBTUSD", "leverage": 5})
    before = client.ok("GET", "position", filter='{"symbol":"XBTUSD"}')[0]["posMargin"]
    after = client.ok("POST", "position/transferMargin", {"symbol": "XBTUSD", "amount": 1000})["posMargin"]
    assert 1000 <= after - before <= 1001  # and the commission on what came in


def test_the_book_of_2016_pairs_levels_and_is_gone_in_modern():
    client = Client(venue())
    client.place(3, 6000)
    client.place(-4, 6400)
    client.place(-5, 6401)
    rows = client.ok("GET", "orderBook", symbol="XBTUSD")
    assert [(row["level"], row["bidPrice"], row["askPrice"]) for row in rows] == [(0, 6000, 6400), (1, None, 6401)]
    assert Client(venue("modern")).call("GET", "orderBook", symbol="XBTUSD").status == 404


def test_withdrawals_take_amount_and_fee_and_stand_in_the_ledger():
    client = Client(venue())
    row = client.ok("POST", "user/requestWithdrawal", {"currency": "XBt", "amount": 1000, "fee": 10, "address": "3BMEX"})
    assert (row["transactType"], row["transactStatus"], row["address"]) == ("Withdrawal", "Pending", "3BMEX")
    wallet = client.ok("GET", "user/wallet")
    assert (wallet["amount"], wallet["withdrawn"], wallet["pendingDebit"]) == (10**8 - 1010, 1000, 1010)
    (line, _) = client.ok("GET", "user/walletHistory")
    assert line == row and (line["amount"], line["fee"], line["walletBalance"]) == (-1000, 10, 10**8 - 1010)
    client.venue.advance(client.venue.now + 61 * SECOND)
    (line, deposit) = client.ok("GET", "user/walletHistory")
    assert {**row, "transactStatus": "Completed"} == {**line, "tx": "", "timestamp": row["timestamp"]}
    assert deposit["transactType"] == "Deposit" and line["timestamp"] > row["timestamp"] == line["transactTime"]
    assert client.ok("GET", "user/wallet")["pendingDebit"] == 0
    assert client.call("POST", "user/requestWithdrawal", {"currency": "XBt", "amount": 10**9, "address": "x"}).status == 400
    assert client.no(400, "POST", "user/requestWithdrawal", {"amount": 1}) == "'currency' is a required arg."


@pytest.mark.parametrize("profile", ["classic", "modern"])
def test_a_pending_withdrawal_is_cancelled_by_its_token_and_the_money_comes_back(profile):
    v = venue(profile, withdrawal_s=20)
    client = Client(v)
    listener = client.listen("transact", "wallet", "margin")
    row = client.ok("POST", "user/requestWithdrawal", {"currency": "XBt", "amount": 1000, "fee": 10, "address": "3BMEX"})
    back = client.call("POST", "user/cancelWithdrawal", {"token": row["transactID"]}, signed=False)
    assert back.status == 200 and back.json()["transactStatus"] == "Canceled"
    assert client.ok("GET", "user/walletHistory")[0] == back.json()
    listener.take()
    told = [m["data"][0]["transactStatus"] for m in listener.all if m.get("table") == "transact" and m["action"] == "update"]
    assert told == ["Pending", "Canceled"]
    for table, path in (("wallet", "user/wallet"), ("margin", "user/margin")):
        kept = next(one for one in listener.tables[table] if one["currency"] == "XBt")
        assert kept == client.ok("GET", path) and kept["amount"] == 10**8
    assert client.no(400, "POST", "user/cancelWithdrawal", {"token": row["transactID"]}) == "Invalid token"
    late = client.ok("POST", "user/requestWithdrawal", {"currency": "XBt", "amount": 1000, "address": "3BMEX"})
    v.advance(v.now + 20 * SECOND)
    assert client.no(400, "POST", "user/cancelWithdrawal", {"token": late["transactID"]}) == "Invalid token"
    assert v.exchange.audit().ok


def test_series_stand_for_contracts():
    client = Client(venue())
    assert [r["symbol"] for r in client.ok("GET", "instrument", symbol="XBT:perpetual")] == ["XBTUSD"]
    (dated,) = client.ok("GET", "instrument", symbol="XBT")
    assert dated["expiry"] and client.ok("GET", "instrument", symbol="XBT:quarterly")[0]["symbol"] == dated["symbol"]
    for nothing in ("NOPE:perpetual", "XBT:daily", "XBT:biquarterly", "NOPE"):
        assert client.ok("GET", "instrument", symbol=nothing) == []
    assert client.ok("GET", "instrument", filter='{"symbol":["ETHUSD"]}')[0]["symbol"] == "ETHUSD"


def test_what_is_not_there_is_404_with_the_body():
    client = Client(venue())
    for method, path in (("GET", "nothing"), ("POST", "instrument"), ("PATCH", "order"), ("GET", "schema/x"), ("GET", "order/1")):
        reply = client.call(method, path)
        assert (reply.status, reply.json()) == (404, {"error": {"message": "Not Found", "name": "HTTPError"}})


def test_an_unforeseen_failure_is_a_500_without_a_trace_of_it(monkeypatch, caplog):
    client = Client(venue())
    monkeypatch.setattr(client.venue.exchange, "orders_of", None)
    reply = client.call("GET", "order")
    assert (reply.status, reply.json()) == (500, {"error": {"message": "Server Error", "name": "Error"}})
    assert caplog.text.count("unforeseen failure") == 1


@pytest.mark.parametrize("profile", ["classic", "modern"])
def test_the_venue_describes_itself_to_everybody(profile):
    from bitmex_venue.wire.http import Request

    v = venue(profile)
    reply = v.handle(Request("GET", "/api/explorer/swagger.json", time=v.now))
    assert reply.status == 200 and "x-ratelimit-limit" not in reply.headers
    paths = reply.json()["paths"]
    assert ("/order/bulk" in paths) is (profile == "classic")
    assert {"get", "post", "put", "delete"} == set(paths["/order"])


@pytest.mark.parametrize("profile, shown", [("classic", 100_000_000), ("modern", 1_000_000)])
def test_a_short_that_no_price_ruins_shows_the_price_that_its_era_showed(profile, shown):
    client = Client(venue(profile))
    other = Client(client.venue, client.venue.add_key(client.venue.open_account({"XBt": 10**8})))
    price = 6360 if profile == "classic" else 78000
    client.place(-100, price)
    other.place(100, price)
    (row,) = client.ok("GET", "position")
    assert [row[name] for name in ("marginCallPrice", "liquidationPrice", "bankruptPrice")] == [shown] * 3


@pytest.mark.parametrize("profile", ["classic", "modern"])
def test_an_index_stands_among_the_trades_once_a_minute_with_size_0(profile):
    client = Client(venue(profile))
    listener = client.listen("trade:.BXBT", "tradeBin1m:.BXBT", auth=False)
    price = 6360 if profile == "classic" else 78000
    client.venue.execute(SetIndex(".BXBT", price * 10**8 - 10**8))
    client.venue.advance(NOW + 150 * SECOND)
    rows = client.ok("GET", "trade", symbol=".BXBT")
    assert [row["timestamp"][14:] for row in rows] == ["27:00.000Z", "28:00.000Z", "29:00.000Z"]
    assert [(row["size"], row["price"], row["tickDirection"]) for row in rows] == [(0, price - 1, "MinusTick")] * 3
    listener.take()
    assert listener.tables["trade"] == rows and len(listener.tables["tradeBin1m"]) == 3
    message = next(r["msg"] for r in lines("api_connectors", "ws_fixtures.jsonl") if r["msg"].get("filter") == {})
    theirs = row_of(message["data"], ".BADAT")
    if profile == "classic":
        assert {**rows[0], "symbol": 0, "price": 0, "timestamp": 0} == {**theirs, "symbol": 0, "price": 0, "timestamp": 0}
        assert list(rows[0]) == list(theirs)
    else:
        assert rows[0]["trdType"] == "Referential" and "grossValue" not in rows[0]
