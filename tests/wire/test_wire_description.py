"""What the venue says of itself: its description, its clock, its currencies."""

from __future__ import annotations

import pytest
from wire_kit import NOW, SECOND, Client, venue

from bitmex_venue.wire import description
from bitmex_venue.wire.http import Request

BOTH = pytest.mark.parametrize("profile", ["classic", "modern"])
UNDESCRIBED = {("GET", "")}  # the official descriptions leave it out too


def described(v):
    reply = v.handle(Request("GET", description.PATH, time=v.now))
    assert reply.status == 200
    return reply.json()


def operations(document):
    return {(method.upper(), path[1:]) for path, methods in document["paths"].items() for method in methods}


@BOTH
def test_exactly_the_operations_that_are_served_are_described(profile):
    v = venue(profile)
    assert operations(described(v)) == set(v._router.routes) - UNDESCRIBED


def test_what_only_classic_has_is_described_only_there():
    gone = {("POST", "order/bulk"), ("PUT", "order/bulk"), ("POST", "user/login"), ("GET", "orderBook")}
    assert operations(described(venue("classic"))) - operations(described(venue("modern"))) == gone


@BOTH
def test_rows_are_described_by_the_venues_own_tables_and_may_lack_what_is_no_key(profile):
    v = venue(profile)
    order = described(v)["definitions"]["Order"]
    assert list(order["properties"]) == list(v.rows.tables["order"].types)
    assert order["required"] == ["orderID"]
    assert all(column.get("x-nullable") for name, column in order["properties"].items() if name != "orderID")


@BOTH
def test_every_reference_in_the_description_leads_somewhere(profile):
    document = described(venue(profile))

    def references(value):
        if isinstance(value, dict):
            yield from [value["$ref"]] if "$ref" in value else []
            value = value.values()
        if not isinstance(value, str):
            for item in value if hasattr(value, "__iter__") else ():
                yield from references(item)

    found = set(references(document))
    assert found and found <= {"#/definitions/" + name for name in document["definitions"]}


def test_no_host_is_named_so_that_it_is_the_one_that_was_asked():
    assert not {"host", "schemes"} & set(described(venue()))


def test_the_description_is_for_everybody_and_not_counted():
    v = venue()
    assert not any(name.startswith("x-ratelimit") for name in v.handle(Request("GET", description.PATH, time=v.now)).headers)


@pytest.mark.parametrize("path", ["/api/v1", "/api/v1/"])
def test_the_root_tells_name_version_and_time_in_milliseconds(path):
    v = venue()
    reply = v.handle(Request("GET", path, time=NOW + SECOND))
    assert reply.json() == {"name": "BitMEX API", "version": "1.2.0", "timestamp": (NOW + SECOND) // 1_000_000}


@BOTH
def test_each_currency_has_its_scale(profile):
    assets = Client(venue(profile)).ok("GET", "wallet/assets")
    assert {row["currency"]: row["scale"] for row in assets} == {"XBt": 8, "USDt": 6}
    networks = {row["network"] for row in Client(venue(profile)).ok("GET", "wallet/networks")}
    assert {way["asset"] for row in assets for way in row["networks"]} <= networks


def test_a_withdrawal_is_cancelled_by_its_token_only():
    client = Client(venue())
    client.ok("POST", "user/requestWithdrawal", {"currency": "XBt", "amount": 5, "address": "x"})
    assert client.no(400, "POST", "user/cancelWithdrawal", {}) == "'token' is a required arg."
    assert client.no(400, "POST", "user/cancelWithdrawal", {"token": "abc"}) == "Invalid token"
