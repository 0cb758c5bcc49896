"""The order routes, as a client meets them."""

import pytest
from wire_kit import SECOND, Client, venue


@pytest.fixture
def client():
    return Client(venue())


@pytest.fixture
def modern():
    return Client(venue("modern"))


def test_a_limit_order_rests_and_its_row_has_every_column(client):
    row = client.place(100, 6300.5, clOrdID="mine", execInst="ParticipateDoNotInitiate")
    assert row["ordStatus"] == "New" and row["workingIndicator"] is True and row["leavesQty"] == 100
    assert (row["side"], row["price"], row["clOrdID"], row["account"]) == ("Buy", 6300.5, "mine", client.venue.account_id)
    assert (row["execInst"], row["text"], row["avgPx"], row["stopPx"]) == (
        "ParticipateDoNotInitiate", "Submitted via API.", None, None,
    )  # fmt: skip


def test_a_negative_quantity_sells_and_numbers_may_be_strings(client):
    assert client.place("-5", "7000")["side"] == "Sell"
    assert client.place(5, 7000, side="Sell")["side"] == "Sell"
    assert client.ok("POST", "order", {"symbol": "XBTUSD", "quantity": 7, "price": 6000, "type": "Limit"})["orderQty"] == 7


def test_form_bodies_are_as_good_as_json(client):
    import urllib.parse

    from bitmex_venue.wire.auth import signature
    from bitmex_venue.wire.http import Request

    v = client.venue
    body = urllib.parse.urlencode({"symbol": "XBTUSD", "orderQty": 3, "price": "6000.0"}).encode()
    expires = v.now // SECOND + 9
    headers = {
        "content-type": "application/x-www-form-urlencoded",
        "api-key": v.api_key,
        "api-expires": str(expires),
        "api-signature": signature(v.api_secret, "POST", "/api/v1/order", expires, body),
    }
    assert v.handle(Request("POST", "/api/v1/order", "", headers, body, time=v.now)).json()["orderQty"] == 3


@pytest.mark.parametrize(
    "args, message",
    [
        ({}, "'symbol' is a required arg."),
        ({"symbol": "XBTUSD", "price": 1}, "orderQty is required"),
        ({"symbol": "NOPE", "orderQty": 1, "price": 1}, "Invalid symbol"),
        ({"symbol": ".BXBT", "orderQty": 1, "price": 1}, "Invalid symbol"),
        ({"symbol": "XBTUSD", "orderQty": "x", "price": 1}, "orderQty is invalid"),
        ({"symbol": "XBTUSD", "orderQty": 0, "price": 1}, "Invalid orderQty"),
        ({"symbol": "XBTUSD", "orderQty": 1, "price": 1.3}, "Invalid price tickSize"),
        ({"symbol": "XBTUSD", "orderQty": 1, "price": -1}, "Invalid price"),
        ({"symbol": "XBTUSD", "orderQty": 1, "price": 1, "side": "Up"}, "Invalid side"),
        ({"symbol": "XBTUSD", "orderQty": 1, "price": 1, "ordType": "Magic"}, "Unsupported ordType"),
        ({"symbol": "XBTUSD", "orderQty": 1, "price": 1, "timeInForce": "Never"}, "Unsupported timeInForce"),
        ({"symbol": "XBTUSD", "orderQty": 1, "price": 1, "execInst": "Hope"}, "Unsupported execInst"),
        ({"symbol": "XBTUSD", "orderQty": 1, "price": 1, "pegPriceType": "PrimaryPeg"}, "Unsupported pegPriceType"),
        ({"symbol": "XBTUSD", "orderQty": 1, "price": 1, "clOrdLinkID": "x"}, "Unsupported contingencyType"),
        ({"symbol": "XBTUSD", "orderQty": 9, "price": 1, "displayQty": 0}, "Invalid displayQty"),
        ({"symbol": "XBTUSD", "orderQty": 1, "price": 1, "clOrdID": "x" * 37}, "Invalid clOrdID"),
    ],
)
def test_what_cannot_be_placed_is_400_in_the_venues_words(client, args, message):
    assert client.no(400, "POST", "order", args) == message
    assert client.ok("GET", "order") == []


def test_a_peg_cannot_be_amended_into_an_order(client):
    client.place(1, 5000, clOrdID="plain")
    args = {"origClOrdID": "plain", "price": 4999, "pegOffsetValue": -5}
    assert client.no(400, "PUT", "order", args) == "Unsupported pegPriceType"
    assert client.ok("GET", "order")[0]["price"] == 5000


def test_insufficient_balance_names_what_is_required(client):
    # the recorded reply: 1,000,000 contracts at 2000 need 575375000 XBt
    args = {"symbol": "XBTUSD", "orderQty": 1_000_000, "price": 2000}
    reply = client.call("POST", "order", args)
    assert reply.status == 400
    assert reply.json()["error"] == {
        "message": "Account has insufficient Available Balance, 575375000 XBt required", "name": "ValidationError",
    }  # fmt: skip


def test_a_duplicate_cl_ord_id_is_refused(client):
    client.place(1, 6000, clOrdID="a")
    assert client.no(400, "POST", "order", {"symbol": "XBTUSD", "orderQty": 1, "price": 6000, "clOrdID": "a"}) == (
        "Duplicate clOrdID"
    )


def test_post_only_that_would_take_comes_back_canceled(client):
    client.place(-5, 6400)
    row = client.place(5, 6400, execInst="ParticipateDoNotInitiate")
    assert (row["ordStatus"], row["leavesQty"], row["cumQty"]) == ("Canceled", 0, 0)
    assert row["text"] == "Canceled: Order had execInst of ParticipateDoNotInitiate\nSubmitted via API."


def test_market_and_immediate_orders_report_what_they_did(client):
    client.place(-5, 6400)
    filled = client.ok("POST", "order", {"symbol": "XBTUSD", "orderQty": 2})
    assert (filled["ordType"], filled["timeInForce"], filled["ordStatus"]) == ("Market", "ImmediateOrCancel", "Filled")
    row = client.place(9, 6400, timeInForce="ImmediateOrCancel")
    assert (row["ordStatus"], row["cumQty"], row["leavesQty"]) == ("Canceled", 3, 0)
    row = client.place(9, 6400, timeInForce="FillOrKill")
    assert row["text"] == "Canceled: Order had timeInForce of FillOrKill\nSubmitted via API."


def test_amend_by_order_id_by_client_id_and_by_the_name_of_2016(client):
    row = client.place(10, 6000, clOrdID="a")
    amended = client.ok("PUT", "order", {"orderID": row["orderID"], "leavesQty": 3})
    assert (amended["orderQty"], amended["text"]) == (3, "Amended leavesQty: Amended via API.\nSubmitted via API.")
    renamed = client.ok("PUT", "order", {"origClOrdID": "a", "clOrdID": "b", "price": 6001})
    assert (renamed["clOrdID"], renamed["price"]) == ("b", 6001)
    assert client.ok("PUT", "order", {"clOrdID": "b", "orderQty": 8})["orderQty"] == 8


def test_amends_that_cannot_be(client):
    row = client.place(10, 6000)
    assert client.no(400, "PUT", "order", {"price": 1}) == "orderID or origClOrdID must be sent."
    assert client.no(400, "PUT", "order", {"orderID": "nope", "price": 1}) == "Invalid orderID"
    assert client.no(400, "PUT", "order", {"origClOrdID": "nope", "price": 1}) == "Invalid origClOrdID"
    assert client.no(400, "PUT", "order", {"orderID": row["orderID"], "price": 6000}) == (
        "Invalid amend: orderQty, leavesQty, price, stopPx unchanged"
    )
    client.ok("DELETE", "order", {"orderID": row["orderID"]})
    assert client.no(400, "PUT", "order", {"orderID": row["orderID"], "price": 1}) == "Invalid ordStatus"


def test_modern_says_which_state_an_amend_met(modern):
    row = modern.place(100, 60000)
    modern.ok("DELETE", "order", {"orderID": row["orderID"]})
    assert modern.no(400, "PUT", "order", {"orderID": row["orderID"], "price": 1}) == "Invalid ordStatus: Canceled"


def test_a_text_alone_may_be_amended_and_keeps_the_place_in_the_book(client):
    row = client.place(1, 6000)
    amended = client.ok("PUT", "order", {"orderID": row["orderID"], "text": "mine now"})
    assert amended["text"] == "Amended text: mine now\nSubmitted via API."
    assert (amended["price"], amended["orderQty"], amended["ordStatus"]) == (6000, 1, "New")
    assert "unchanged" in client.no(400, "PUT", "order", {"orderID": row["orderID"], "price": 6000})


def test_cancel_answers_an_array_in_the_order_asked_for_with_errors_as_rows(client):
    ids = [client.place(1, 6000 + i)["orderID"] for i in range(3)]
    rows = client.ok("DELETE", "order", {"orderID": [ids[2], "nope", ids[0]]})
    assert [row.get("orderID") for row in rows] == [ids[2], "nope", ids[0]]
    assert rows[0]["text"] == "Canceled: Canceled via API.\nSubmitted via API."
    assert rows[1]["error"] == "Unable to cancel order: Not found or not owned by user"
    again = client.ok("DELETE", "order", {"orderID": ids[0]})
    assert again[0]["error"] == "Unable to cancel order due to existing state: Canceled"
    assert again[0]["symbol"] == "XBTUSD"
    assert client.no(400, "DELETE", "order")


def test_cancel_error_rows_of_modern_are_short(modern):
    (row,) = modern.ok("DELETE", "order", {"orderID": "nope"})
    assert list(row) == ["account", "error", "orderID", "timestamp", "transactTime", "workingIndicator"]
    assert row["error"] == "Unable to cancel order"


def test_a_cancel_error_row_of_modern_names_the_order_that_it_knows(modern):
    order = modern.place(100, 70000, clOrdID="mine")
    modern.ok("DELETE", "order", {"clOrdID": "mine"})
    (row,) = modern.ok("DELETE", "order", {"clOrdID": "mine"})
    assert (row["error"], row["orderID"], row["clOrdID"]) == ("Unable to cancel order", order["orderID"], "mine")


def test_an_order_named_twice_is_cancelled_once(client):
    row = client.place(1, 6000, clOrdID="a")
    rows = client.ok("DELETE", "order", {"orderID": row["orderID"], "clOrdID": "a"})
    assert len(rows) == 1 and "error" not in rows[0]


def test_cancel_all_by_symbol_and_filter(client):
    client.place(1, 6000)
    client.place(-1, 7000)
    client.place(1, 200, symbol="ETHUSD")
    rows = client.ok("DELETE", "order/all", {"filter": '{"side":"Sell"}'})
    assert [row["side"] for row in rows] == ["Sell"]
    assert [row["symbol"] for row in client.ok("DELETE", "order/all", {"symbol": "ETHUSD"})] == ["ETHUSD"]
    assert len(client.ok("DELETE", "order/all")) == 1
    assert client.ok("DELETE", "order/all") == []


def test_bulk_is_all_or_nothing_and_gone_in_modern(client, modern):
    good = {"symbol": "XBTUSD", "orderQty": 1, "price": 6000}
    assert client.no(400, "POST", "order/bulk", {"orders": [good, {**good, "price": 0.3}]}) == "Invalid price tickSize"
    assert client.ok("GET", "order") == []
    rows = client.ok("POST", "order/bulk", {"orders": [good, {**good, "price": 6001}]})
    assert [row["price"] for row in rows] == [6000, 6001]
    amends = [{"orderID": rows[0]["orderID"], "orderQty": 5}, {"orderID": "missing-order-id", "leavesQty": 500}]
    assert client.no(400, "PUT", "order/bulk", {"orders": amends}) == "Invalid orderID"
    assert client.ok("PUT", "order/bulk", {"orders": amends[:1]})[0]["orderQty"] == 5
    for args in ({}, {"orders": []}, {"orders": ["x"]}, {"orders": "x"}):
        assert client.call("POST", "order/bulk", args).status == 400
    reply = modern.call("POST", "order/bulk", {"orders": [good]})
    assert (reply.status, reply.json()) == (404, {"error": {"message": "Not Found", "name": "HTTPError"}})


def test_the_dead_mans_switch_cancels_and_can_be_disarmed(client):
    client.place(1, 6000)
    armed = client.ok("POST", "order/cancelAllAfter", {"timeout": 5000})
    assert armed["cancelTime"] > armed["now"]
    assert client.ok("POST", "order/cancelAllAfter", {"timeout": 0})["cancelTime"] == 0
    client.venue.advance(client.venue.now + 10 * SECOND)
    assert len(client.ok("GET", "order", filter='{"open":true}')) == 1
    client.ok("POST", "order/cancelAllAfter", {"timeout": 5000})
    client.venue.advance(client.venue.now + 5 * SECOND)
    assert client.ok("GET", "order", filter='{"open":true}') == []


def test_close_position_closes_it(client):
    other = Client(client.venue, client.venue.add_key(client.venue.open_account({"XBt": 10**8})))
    other.place(10, 6300)
    client.place(-10, 6300)
    other.place(-10, 6350)
    row = client.ok("POST", "order/closePosition", {"symbol": "XBTUSD"})
    assert (row["side"], row["cumQty"], row["execInst"]) == ("Buy", 10, "Close")
    (position,) = client.ok("GET", "position")
    assert (position["currentQty"], position["isOpen"]) == (0, False)


def test_orders_are_read_with_filter_count_and_reverse(client):
    for i in range(4):
        client.place(1, 6000 + i, clOrdID=f"c{i}")
    client.ok("DELETE", "order", {"clOrdID": "c0"})
    rows = client.ok("GET", "order", filter='{"ordStatus.isTerminated": false, "symbol": "XBTUSD"}', count=500)
    assert [row["clOrdID"] for row in rows] == ["c1", "c2", "c3"]
    rows = client.ok("GET", "order", filter='{"clOrdID": ["c0", "c2"]}')
    assert [row["clOrdID"] for row in rows] == ["c0", "c2"]
    rows = client.ok("GET", "order", reverse="true", count=1, columns="price")
    assert [(row["price"], sorted(row)) for row in rows] == [(6003, ["orderID", "price"])]
    assert client.ok("GET", "order", symbol="ETHUSD") == []


def test_clients_see_nothing_of_each_other(client):
    other = Client(client.venue, client.venue.add_key(client.venue.open_account({"XBt": 10**8})))
    row = client.place(1, 6000, clOrdID="a")
    assert other.ok("GET", "order") == []
    assert other.no(400, "PUT", "order", {"orderID": row["orderID"], "price": 1}) == "Invalid orderID"
    assert "error" in other.ok("DELETE", "order", {"orderID": row["orderID"]})[0]
    assert other.place(1, 6000, clOrdID="a")["ordStatus"] == "New"


def test_a_double_slash_in_the_path_is_one(client):
    # the original asks for "/order" below a base URL that ends in a slash
    assert client.call("GET", "/order").status == 200
