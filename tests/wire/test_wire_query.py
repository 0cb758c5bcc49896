"""The query language, and the reading of arguments."""

from decimal import Decimal

import pytest

from bitmex_venue.wire import errors, http, query
from bitmex_venue.wire.encode import dumps, iso, loads, parse_time, whole
from bitmex_venue.wire.http import Request

COLUMNS = ("timestamp", "symbol", "side", "size", "price", "ordStatus", "clOrdID")
ROWS = [
    {"timestamp": "2020-01-03T12:00:00.000Z", "symbol": "XBTUSD", "side": "Buy", "size": 10, "price": 1.5, "ordStatus": "New"},
    {"timestamp": "2020-01-03T12:01:00.000Z", "symbol": "XBTUSD", "side": "Sell", "size": 20, "price": 2, "ordStatus": "Filled"},
    {"timestamp": "2020-01-04T12:00:00.000Z", "symbol": "ETHUSD", "side": "Sell", "size": 10, "price": 3, "ordStatus": "Canceled"},
]


def sizes(**args):
    asked = query.parse(args, COLUMNS)
    return [ROWS.index(row) for row in query.select(query.directed(ROWS, asked.reverse), asked)]


@pytest.mark.parametrize(
    "filter, expected",
    [
        ('{"side":"Sell"}', [1, 2]),
        ('{"side":["Sell","Buy"],"size":10}', [0, 2]),
        ('{"size":"10"}', [0, 2]),
        ('{"price":2.0}', [1]),
        ('{"open":true}', [0]),
        ('{"ordStatus.isTerminated":false}', [0]),
        ('{"ordStatus.isTerminated":true}', [1, 2]),
        ('{"timestamp.time":"12:00"}', [0, 2]),
        ('{"timestamp.date":"2020-01-03"}', [0, 1]),
        ('{"timestamp.ww":6}', [0, 1]),
        ('{"timestamp":"2020-01-03T12:00:00Z"}', [0]),
        ('{"clOrdID":""}', [0, 1, 2]),
        ("{}", [0, 1, 2]),
    ],
)
def test_filters(filter, expected):
    assert sizes(filter=filter) == expected


@pytest.mark.parametrize(
    "filter, message",
    [
        ('{"nothing":1}', "filter columns not valid"),
        ("[1]", "filter values not valid"),
        ("{", "filter values not valid"),
        ('{"open":false}', "filter values not valid"),
        ('{"side":{"a":1}}', "filter values not valid"),
        ('{"timestamp.fortnight":1}', "filter columns not valid"),
    ],
)
def test_filters_that_make_no_sense_are_refused(filter, message):
    with pytest.raises(errors.ApiError) as refusal:
        sizes(filter=filter)
    assert (refusal.value.status, refusal.value.message) == (400, message)


def test_oldest_first_unless_reverse_and_start_and_count_cut_what_matches():
    assert sizes() == [0, 1, 2]
    assert sizes(reverse="true") == [2, 1, 0]
    assert sizes(start="1", count=1) == [1]
    assert sizes(count="0") == []
    assert sizes(reverse=True, start=1) == [1, 0]


def test_count_is_cut_to_the_cap_and_nonsense_is_refused():
    assert query.parse({"count": 10**9}, COLUMNS, 500).count == 500
    for name in ("count", "start"):
        for value in ("-1", "many", "1.5"):
            with pytest.raises(errors.ApiError, match=f"{name} not valid"):
                query.parse({name: value}, COLUMNS)
    with pytest.raises(errors.ApiError, match="startTime not valid"):
        query.parse({"startTime": "yesterday"}, COLUMNS)


def test_columns_keep_the_keys():
    asked = query.parse({"columns": '["size"]'}, COLUMNS)
    assert query.select(ROWS[:1], asked, ("symbol",)) == [{"symbol": "XBTUSD", "size": 10}]
    asked = query.parse({"columns": "size,price"}, COLUMNS)
    assert query.select(ROWS[:1], asked) == [{"size": 10, "price": 1.5}]
    with pytest.raises(errors.ApiError, match="columns not valid"):
        query.parse({"columns": "nothing"}, COLUMNS)


def test_times_are_read_with_and_without_zone_and_written_in_milliseconds():
    moment = 1_578_052_800_000_000_000
    for text in ("2020-01-03T12:00:00.000Z", "2020-01-03T12:00:00", "2020-01-03 12:00", "2020-01-03T14:00:00+02:00"):
        assert parse_time(text) == moment, text
    assert parse_time("2020-01-03T12:00:00.5Z") == moment + 500_000_000
    assert parse_time("2020-01-03") == moment - 12 * 3600 * 10**9
    assert iso(moment + 1_999_999) == "2020-01-03T12:00:00.001Z"


def test_one_set_of_arguments_from_query_json_and_form():
    got = http.params(Request("POST", "/x", "a=1&b=2", {"content-type": "application/json"}, b'{"b":3.10,"c":"4"}'))
    assert got == {"a": "1", "b": Decimal("3.10"), "c": "4"}
    got = http.params(Request("POST", "/x", "", {"content-type": "application/x-www-form-urlencoded"}, b"a=1&a=2&b=%2B"))
    assert got == {"a": ["1", "2"], "b": "+"}
    assert http.items({"orderID": '["a","b"]'}, "orderID") == ["a", "b"]
    assert http.items({"orderID": "a, b"}, "orderID") == ["a", "b"]
    assert http.items({"orderID": ["a", "b"]}, "orderID") == ["a", "b"]


@pytest.mark.parametrize("body", [b"{", b"[1]", b"\xff{", b'{"a":NaN}', b"[" * 100_000, b'{"a":' * 50_000])
def test_a_body_that_cannot_be_read_is_400(body):
    with pytest.raises(errors.ApiError) as refusal:
        http.params(Request("POST", "/x", "", {"content-type": "application/json"}, body))
    assert refusal.value.status == 400


@pytest.mark.parametrize("value", ["x", True, [], "NaN", "1e400", 10**40, "1e-99", Decimal("Infinity")])
def test_numbers_that_are_none_are_refused(value):
    with pytest.raises(errors.ApiError, match="price is invalid"):
        http.number({"price": value}, "price")


def test_numbers_may_be_strings_and_keep_their_decimals():
    assert http.number({"price": "6358.50"}, "price") == Decimal("6358.5")
    assert http.integer({"q": "100.0"}, "q") == 100
    assert http.integer({"q": -5}, "q") == -5
    with pytest.raises(errors.ApiError):
        http.integer({"q": "1.5"}, "q")


def test_json_is_compact_ascii_and_survives_what_clients_store():
    assert dumps({"a": 1.5, "b": "\ud800é", "c": None}) == '{"a":1.5,"b":"\\ud800\\u00e9","c":null}'
    assert loads('{"p":0.1}')["p"] == Decimal("0.1")
    assert (whole(6370.0), whole(6370.5), whole(None)) == (6370, 6370.5, None)
