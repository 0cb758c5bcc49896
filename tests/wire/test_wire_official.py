"""Every operation that BitMEX's official descriptions name: served, and answered as they say, or 404 and listed as not there."""

import json
import os
import re

import pytest
from test_wire_rows import EXTRA, READS, trade
from wire_kit import ROOT, Client, data, lines, venue

FILES = {"2016-07-04": "classic", "2019-12": "classic", "2024-05": "modern"}
LATER = {"2016-07-04": "2019-12"}  # the profile is of one moment: columns that came between the two are its own as well
LISTED = os.path.join(ROOT, "docs", "not-there.md")
WORDS = {"2016": "2016-07-04", "2019": "2019-12", "2024": "2024-05"}
# in 2016 a list of words; the recorded reply of 2018 is an object by symbol, as the later files have it
OTHERWISE = {("2016-07-04", "GET", "/user/commission")}
ISO = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"}
WORDS_ONLY = {"type": "array", "minItems": 1, "items": {"type": "string"}}


def closed(**properties):
    """An object with these properties and no others."""
    return {"type": "object", "required": list(properties), "properties": properties, "additionalProperties": False}


# What the files only call an object: the shape that was recorded (2018 and 2020) or that bitmex-api.md 3.1 tells.
RATE = {"type": "number", "minimum": -0.01, "maximum": 0.01}
SHAPES = {
    ("GET", "/user/commission"): {
        "type": "object",
        "minProperties": 4,
        "additionalProperties": closed(maxFee=RATE, makerFee=RATE, takerFee=RATE, settlementFee=RATE),
    },
    ("POST", "/order/cancelAllAfter"): closed(now=ISO, cancelTime={"anyOf": [ISO, {"const": 0}]}),
    ("GET", "/schema/websocketHelp"): closed(
        info={"type": "string"},
        usage={"type": "string"},
        ops=WORDS_ONLY,
        subscribe={"type": "string"},
        subscriptionSubjects=closed(authenticationRequired=WORDS_ONLY, public=WORDS_ONLY),
    ),
}


def official(name):
    """The description, every property that is not required made nullable: the files lack that word."""
    with open(data("api_connectors", f"swagger_{name}.json"), encoding="utf-8") as stream:
        swagger = json.load(stream)
    for model in swagger["definitions"].values():
        needed = set(model.get("required", ()))
        model.pop("additionalProperties", None)  # `check_columns` looks at them
        for column, spec in model.get("properties", {}).items():
            if column not in needed and "type" in spec:
                spec["type"] = [spec["type"], "null"]
    for model in ("APIKey", "AccessToken"):
        for column in ("permissions", "scopes"):
            if column in swagger["definitions"].get(model, {}).get("properties", {}):
                swagger["definitions"][model]["properties"][column] = {}
    for methods in swagger["paths"].values():  # in 2016 an object, against its own text and everybody's code
        one = methods.get("delete", {})
        if one.get("operationId") == "Order.cancelAll" and one["responses"]["200"]["schema"] == {"type": "object"}:
            one["responses"]["200"]["schema"] = {"type": "array", "items": {"$ref": "#/definitions/Order"}}
    return swagger


def operations(swagger):
    return {(method.upper(), path): one for path, methods in swagger["paths"].items() for method, one in methods.items()}


def served(profile):
    return {(method, "/" + path) for method, path in venue(profile)._router.routes}


def not_there():
    """{(method, path): the descriptions that name it} as the document lists them."""
    with open(LISTED, encoding="utf-8") as stream:
        rows = re.findall(r"^\| `([A-Z]+) (/\S+)` \| ([\d, ]+) \|", stream.read(), re.M)
    return {(method, path): {WORDS[year] for year in years.split(", ")} for method, path, years in rows}


@pytest.mark.parametrize("name", FILES)
def test_what_a_description_names_is_served_or_listed_as_not_there(name):
    named = set(operations(official(name)))
    listed = {place for place, years in not_there().items() if name in years}
    assert named - served(FILES[name]) == listed


@pytest.mark.parametrize("profile", ["classic", "modern"])
def test_what_is_listed_as_not_there_is_404_with_the_right_body(profile):
    client = Client(venue(profile))
    listed = not_there()
    assert len(listed) > 60 and not set(listed) & served(profile)
    for method, path in listed:
        reply = client.call(method, path[1:], None if method == "GET" else {}, headers={})
        client.venue.advance(client.venue.now + 60 * 10**9)
        assert (reply.status, reply.json()) == (404, {"error": {"message": "Not Found", "name": "HTTPError"}}), (method, path)


def calls(client, profile):
    """Every operation that is no read, in an order in which each succeeds: (method, path, arguments)."""
    near, lot = (6300 if profile == "classic" else 77000), 100
    order = {"symbol": "XBTUSD", "orderQty": lot, "price": near}
    yield "POST", "/order", {**order, "clOrdID": "one"}
    yield "PUT", "/order", {"origClOrdID": "one", "orderQty": 2 * lot}
    yield "POST", "/order", {"symbol": "XBTUSD", "orderQty": lot, "ordType": "Stop", "stopPx": near + 2000}
    if profile == "classic":
        yield "POST", "/order/bulk", {"orders": [{**order, "clOrdID": "two"}, order]}
        yield "PUT", "/order/bulk", {"orders": [{"origClOrdID": "two", "price": near - 1}]}
        yield "POST", "/user/login", {"email": "a@b.example", "password": "word"}
    yield "DELETE", "/order", {"clOrdID": ["one"]}
    yield "DELETE", "/order/all", {}
    yield "POST", "/order/cancelAllAfter", {"timeout": 60000}
    yield "POST", "/order/cancelAllAfter", {"timeout": 0}
    yield "POST", "/position/leverage", {"symbol": "XBTUSD", "leverage": 5}
    yield "POST", "/position/transferMargin", {"symbol": "XBTUSD", "amount": 1000}
    yield "POST", "/position/isolate", {"symbol": "XBTUSD", "enabled": False}
    yield "POST", "/position/riskLimit", {"symbol": "XBTUSD", "riskLimit": 30_000_000_000}
    yield "POST", "/order", {**order, "price": near}
    yield "POST", "/order/closePosition", {"symbol": "XBTUSD", "price": near + 40}
    yield "POST", "/user/requestWithdrawal", {"currency": "XBt", "amount": 1000, "fee": 10, "address": "3BMEX"}
    yield "POST", "/user/cancelWithdrawal", {"token": client.venue.history.ledger[client.key.account_id][-1].transact_id}
    yield "POST", "/user/logout", {}
    for read in (*READS, "schema/websocketHelp", "user/depositAddress?currency=XBt", "orderBook?symbol=XBTUSD"):
        path, _, query = read.partition("?")
        if profile == "classic" or path != "orderBook":
            yield "GET", "/" + path, dict(pair.split("=") for pair in query.split("&") if pair)


@pytest.mark.parametrize("name", FILES)
def test_every_reply_fits_the_description(name):
    jsonschema = pytest.importorskip("jsonschema")
    profile, swagger = FILES[name], official(name)
    described, client, seen = operations(swagger), trade(profile), set()
    client.venue.add_login("a@b.example", "word")
    for method, path, args in calls(client, profile):
        seen.add((method, path))
        client.venue.advance(client.venue.now + 10 * 10**9)
        if method == "GET":
            reply = client.call(method, path[1:], **args)
        else:
            reply = client.call(method, path[1:], args)
        assert reply.status == 200, (method, path, reply.text)
        problem = next(jsonschema.Draft7Validator(SHAPES.get((method, path), {})).iter_errors(reply.json()), None)
        assert problem is None, (method, path, problem and (list(problem.path), problem.message))
        if (method, path) not in described or (name, method, path) in OTHERWISE:
            continue
        schema = described[method, path]["responses"]["200"]["schema"]
        if args.get("currency") == "all":
            schema = {"type": "array", "items": schema}
        checker = jsonschema.Draft7Validator({**schema, "definitions": swagger["definitions"]})
        problem = next(checker.iter_errors(reply.json()), None)
        assert problem is None, (method, path, problem and (list(problem.path), problem.message))
        check_columns(swagger, schema, reply.json(), name, (method, path))
    assert set(described) & served(profile) <= seen


def test_the_shapes_that_the_files_lack_are_those_that_were_recorded():
    jsonschema = pytest.importorskip("jsonschema")
    cassettes = {r["cassette"]: r["body"] for r in lines("vcr_cassettes", "ex_bitmex.jsonl")}
    fixtures = {r["fixture"]: r["msg"] for r in lines("api_connectors", "ws_fixtures.jsonl")}
    recorded = {("GET", "/user/commission"): cassettes["rest/user/commission_ok"]}
    recorded["GET", "/schema/websocketHelp"] = fixtures["websocketHelp"]
    for place, value in recorded.items():
        jsonschema.Draft7Validator(SHAPES[place]).validate(value)


def check_columns(swagger, schema, got, name, place):
    """No row has a column that the description lacks, save those that recorded rows of the era have as well."""
    ref = schema.get("$ref") or schema.get("items", {}).get("$ref")
    kind = ref.rpartition("/")[2] if ref else ""
    known = set(swagger["definitions"].get(kind, {}).get("properties", ()))
    if known:
        later = official(LATER[name])["definitions"].get(kind, {}) if name in LATER else {}
        for row in got if isinstance(got, list) else [got]:
            more = set(row) - known - EXTRA - set(later.get("properties", ()))
            assert not more, (place, more)
