"""The control door: what it does, what it refuses, who may come in; and scenarios."""

import asyncio
import json
import os
import random
import re

import aiohttp
import pytest
from test_wire_server import Process
from wire_kit import NOW, ROOT, SECOND, Client, venue

from bitmex_venue.control import ROUTES, Control
from bitmex_venue.control_door import ControlDoor, _is_loopback
from bitmex_venue.faults import BY_NAME, FAULTS
from bitmex_venue.market import create
from bitmex_venue.misbehaviour import manual as manual_module
from bitmex_venue.misbehaviour import requests, scenario, states
from bitmex_venue.misbehaviour.catalogue import COMMON
from bitmex_venue.misbehaviour.messages import Line
from bitmex_venue.server import VenueServer


class Door:
    """The control of a venue in process."""

    def __init__(self, **options):
        self.venue = venue(**options)
        self.control = Control(self.venue)

    def __call__(self, method, path, args=None, query=""):
        return self.control.handle(method, "/paper/v1/" + path, query, json.dumps(args).encode() if args is not None else b"")

    def ok(self, method, path, args=None, query=""):
        status, value = self(method, path, args, query)
        assert status == 200, value
        json.dumps(value)
        return value

    def no(self, method, path, args=None, query=""):
        status, value = self(method, path, args, query)
        assert status in (400, 404) and list(value) == ["error"] and "\n" not in value["error"]
        return value["error"]


def test_the_status_tells_what_the_venue_is_and_what_is_armed():
    door = Door()
    door.ok("POST", "faults", {"fault": "stall_table", "table": "order", "for_s": 5})
    status = door.ok("GET", "")
    assert status["profile"] == "classic" and status["time"] == "2020-09-13T12:26:40.000Z" and status["accounts"] == 1
    assert status["armed"] == [{"id": 1, "fault": "stall_table", "count": 0, "table": "order", "lose": False}]


def test_faults_are_listed_armed_counted_and_disarmed():
    door = Door()
    armed = door.ok("POST", "faults", {"fault": "bad_gateway", "times": 3, "probability": 0.999999})
    assert armed == {"id": 1, "fault": "bad_gateway", "count": 0, "times": 3, "probability": 0.999999, "after": False}
    assert Client(door.venue).call("GET", "user").status == 502
    (row,) = [row for row in door.ok("GET", "faults") if row["fault"] == "bad_gateway"]
    assert row["count"] == 1 and row["armed"][0]["count"] == 1 and set(row["parameters"]) == {"after"}
    assert [line["what"] for line in door.ok("GET", "faults/log")] == ["GET user"]
    door.ok("POST", "faults", {"fault": "ip_ban"})
    assert "no fault with id 9" in door.no("DELETE", "faults", query="id=9")
    assert door.ok("DELETE", "faults", query="id=1") == {"disarmed": 1}
    assert door.ok("DELETE", "faults", {"fault": "stall_table"}) == {"disarmed": 0}
    assert door.ok("DELETE", "faults") == {"disarmed": 1}
    assert Client(door.venue).call("GET", "user").status == 200


def test_accounts_are_made_with_a_key_that_works_and_money():
    door = Door()
    made = door.ok("POST", "accounts", {"name": "rival", "balance": {"XBt": 5_000_000}})
    key = door.venue.authenticator.keys[made["key"]]
    assert key.secret == made["secret"]
    assert Client(door.venue, key).ok("GET", "user/margin")["walletBalance"] == 5_000_000
    deposit = door.ok("POST", "deposits", {"account": made["account"], "amount": 7, "currency": "XBt"})
    assert deposit["wallet"] == 5_000_007
    first, second = door.ok("GET", "accounts")
    assert (second["name"], second["wallets"]["XBt"], second["keys"]) == ("rival", 5_000_007, [made["key"]])
    assert made["secret"] not in json.dumps(first) + json.dumps(second)


def test_keys_may_be_read_only_for_some_addresses_or_disabled():
    door = Door()
    reader = door.ok("POST", "keys", {"readOnly": True, "id": "reader", "secret": "hush"})
    assert reader["permissions"] == []
    client = Client(door.venue, door.venue.authenticator.keys["reader"])
    client.ok("GET", "user")
    assert client.no(403, "POST", "order", {"symbol": "XBTUSD", "orderQty": 1, "price": 6000}) == "Access Denied"
    door.ok("POST", "keys/disable", {"id": "reader"})
    assert client.no(403, "GET", "user") == "This key is disabled."
    door.ok("POST", "keys/enable", {"id": "reader"})
    client.ok("GET", "user")
    far = door.ok("POST", "keys", {"cidr": "10.0.0.0/8", "permissions": ["orderCancel"]})
    Client(door.venue, door.venue.authenticator.keys[far["key"]]).no(403, "GET", "user")
    assert "a key 'reader' already" in door.no("POST", "keys", {"id": "reader"})


def test_the_clock_moves_forward_and_everything_happens_meanwhile():
    door = Door()
    client = Client(door.venue)
    client.place(1, 6000)
    client.ok("POST", "order/cancelAllAfter", {"timeout": 30_000})
    before = door.venue.now
    assert door.ok("POST", "clock", {"forward_s": 3600})["time"].endswith("Z")
    assert door.venue.now == before + 3600 * SECOND
    assert door.ok("GET", "orders") == []


def test_the_market_is_paused_moved_swept_and_emptied():
    door = Door(market=create("calm", 5, "classic"), seed=5)
    door.ok("POST", "market/pause")
    assert door.ok("GET", "")["paused"]
    assert door.ok("POST", "market/index", {"percent": -1}) == {"index": ".BXBT", "price": 6296.4}
    assert door.ok("POST", "market/sweep", {"side": "Sell", "percent": 1})["traded"] > 0
    assert door.ok("POST", "market/empty", {"side": "Buy"})["removed"] > 0
    assert door.venue.exchange.books["XBTUSD"].best_bid is None
    assert door.ok("POST", "market/empty", {"symbol": "XBTUSD"})["removed"] > 0
    door.ok("POST", "market/resume")
    door.venue.advance(NOW + 10 * SECOND)
    assert door.venue.exchange.books["XBTUSD"].best_bid is not None
    audit = door.ok("GET", "audit")
    assert audit["ok"] and audit["money"]["XBt"]["left"] == 0 and set(audit["positions"].values()) == {0}


def test_a_restart_drops_sockets_and_open_orders_of_any_account_can_be_read():
    door = Door()
    session = door.venue.connect("/realtime")
    order = Client(door.venue).place(5, 6000)
    assert door.ok("POST", "restart", {"down_s": 1}) == {"restarted": True}
    assert session.closed and door.venue.faults.counts["venue_restart"] == 1
    (row,) = door.ok("GET", "orders", query=f"account={door.venue.account_id}&symbol=XBTUSD")
    assert (row["orderID"], row["leavesQty"]) == (order["orderID"], 5)
    assert door.ok("GET", "orders", {"symbol": "ETHUSD"}) == []


@pytest.mark.parametrize(
    "method, path, args, words",
    [
        ("GET", "nothing", None, "there is no GET"), ("POST", "faults", {}, "'fault' is missing"),
        ("POST", "faults", {"fault": "nope"}, "unknown fault 'nope'"), ("POST", "faults", {"fault": ["x"]}, "unknown fault"),
        ("POST", "accounts", {"balance": 5}, "'balance' is an object"), ("POST", "accounts", {"balance": {"XBt": -5}}, "whole number"),
        ("POST", "accounts", {"balance": {"EUR": 5}}, "no currency 'EUR'"), ("POST", "accounts", {"name": 5}, "'name' is a text"),
        ("POST", "deposits", {"amount": 1.5}, "whole number"), ("POST", "deposits", {"amount": 10**17}, "whole number"),
        ("POST", "deposits", {"amount": 1, "account": 77}, "no account 77"), ("POST", "deposits", {"amount": 1, "acount": 1}, "unknown parameter 'acount'"),
        ("POST", "clock", {"forward_s": -1}, "between 0"), ("POST", "clock", {"forward_s": "x"}, "between 0"),
        ("POST", "keys", {"permissions": ["all"]}, "'permissions' is a list"), ("POST", "keys", {"cidr": "x"}, "a network like"),
        ("POST", "keys", {"readOnly": 1}, "true or false"), ("POST", "keys/disable", {"id": "x"}, "no key 'x'"),
        ("POST", "market/sweep", {"side": "Buy"}, "'price' or 'percent'"), ("POST", "market/sweep", {"side": "up", "percent": 1}, "Buy or Sell"),
        ("POST", "market/index", {"percent": 1, "symbol": "X"}, "there is no 'X'"), ("POST", "market/empty", {"symbol": ".BXBT"}, "no contract"),
        ("POST", "restart", {"down_s": -1}, "between 0"), ("POST", "faults/scenario", {"steps": 1}, "'steps' is a list"),
        ("POST", "faults/scenario", {"steps": [{"at": 1}]}, "step 1: a step has a 'fault' or a 'disarm'"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_in_one_line_and_changes_nothing(method, path, args, words):
    door = Door()
    before = door.venue.exchange.digest()
    assert words in door.no(method, path, args)
    assert door.venue.exchange.digest() == before and door.venue.faults.armed() == []


def test_a_body_that_is_no_object_and_a_path_elsewhere_are_refused():
    control = Control(venue())
    assert control.handle("POST", "/paper/v1/faults", body=b"[]") == (400, {"error": "the body is not a JSON object"})
    assert control.handle("POST", "/paper/v1/faults", body=b"{")[1] == {"error": "the body is not JSON"}
    assert control.handle("GET", "/api/v1/user")[0] == 404
    assert control.handle("POST", "/paper/v1/deposits", body=b'{"amount":1,"currency":"EUR"}')[0] == 400


def test_whatever_is_sent_is_answered():
    rng = random.Random(5)
    values = [None, True, -1, 0, 1, 2.5, 1e308, 10**400, float("nan"), "", "XBTUSD", "Buy", "order", "é" * 50, [], [{}], {"XBt": 1}, {"at": 1}]
    names = sorted({name.rstrip("!") for route in ROUTES.values() for name in route.names} | set(COMMON))
    faults = [fault.name for fault in FAULTS]
    door = Door()
    door.control.forward = lambda ns: None
    for _ in range(1500):
        method, path = rng.choice(list(ROUTES))
        args = {rng.choice(names): rng.choice(values) for _ in range(rng.randrange(4))}
        if path == "faults" and rng.random() < 0.8:
            args["fault"] = rng.choice(faults)
            params = BY_NAME[args["fault"]].params
            if params:
                args[rng.choice(params).name] = rng.choice(values)
        status, value = door(method, path, args)
        assert status in (200, 400, 404) and json.dumps(value)
    door.venue.faults.disarm_all()
    assert door.venue.exchange.audit().ok


# ---- scenarios


def test_a_scenario_arms_and_disarms_at_its_times(tmp_path):
    made = venue()
    path = tmp_path / "bad_day.jsonl"
    path.write_text('# a bad day\n{"at": 5, "fault": "ip_ban", "for_s": 5}\n\n{"at": 20, "fault": "bad_gateway"}\n{"at": 30, "disarm": "*"}\n')
    assert scenario.play(made, str(path)) == 3
    client = Client(made, step=0)
    seen = []
    for second in range(0, 40, 4):
        made.advance(NOW + second * SECOND)
        seen.append(client.call("GET", "user").status)
    assert seen == [200, 200, 403, 200, 200, 502, 502, 502, 200, 200]


def test_a_scenario_may_be_a_list_and_come_through_the_control_door(tmp_path):
    made = venue()
    path = tmp_path / "list.json"
    path.write_text(json.dumps([{"at": 0, "fault": "clock_skew", "by_s": 9}, {"at": 1.5, "disarm": "clock_skew"}]))
    assert scenario.play(made, str(path)) == 2
    made.advance(NOW + SECOND)
    assert made.authenticator.skew_ns == 9 * SECOND
    made.advance(NOW + 2 * SECOND)
    assert made.authenticator.skew_ns == 0
    door = Door()
    assert door.ok("POST", "faults/scenario", {"steps": [{"at": 1, "fault": "market_closed"}]}) == {"planned": 1}
    door.venue.advance(NOW + SECOND)
    assert door.venue.faults.is_on("market_closed")


def test_each_problem_of_a_scenario_is_one_line_with_its_place(tmp_path):
    path = tmp_path / "wrong.jsonl"
    path.write_text('{"at": -1, "fault": "ip_ban"}\n{"at": 1, "fault": "ipban"}\n{"at": 1, "fault": "ip_ban", "foo": 1}\n7\n'
                    '{"at": 1, "disarm": "ip_ban", "for_s": 1}\n{"at": 1, "fault": "market_closed", "symbol": "X"}\n')  # fmt: skip
    with pytest.raises(scenario.BadScenario) as bad:
        scenario.play(venue(), str(path))
    assert [re.match(r".*wrong\.jsonl:(\d): \S", line)[1] for line in bad.value.problems] == ["1", "2", "3", "4", "5", "6"]
    for text in ("{", "[{]"):
        path.write_text(text)
        with pytest.raises(scenario.BadScenario, match="not JSON"):
            scenario.load(str(path))
    path.write_bytes(b"\xff\xfe")
    for name in (str(path), str(tmp_path / "none"), str(tmp_path)):
        with pytest.raises(scenario.BadScenario):
            scenario.load(name)


def test_the_command_line_plays_a_scenario_or_says_what_is_wrong_with_it(tmp_path):
    path = tmp_path / "s.jsonl"
    path.write_text('{"at": 0, "fault": "bad_gateway"}')
    with Process("--faults", str(path), "--ready-json") as process:
        ready = json.loads(process.stdout.readline())

        async def look():
            async with aiohttp.ClientSession() as http:
                async with http.get(ready["url"] + "instrument/indices") as reply:
                    assert reply.status == 502
                control = ready["control"]
                async with http.get(control["url"] + "faults", headers={"x-paper-token": control["token"]}) as reply:
                    counts = {row["fault"]: row["count"] for row in await reply.json()}
                    assert counts["bad_gateway"] == 1

        asyncio.run(look())
        process.stdin.close()
        assert process.wait(10) == 0
    path.write_text('{"at": 0, "fault": "bad_gatewy"}\n{"at": 0}')
    with Process("--faults", str(path)) as process:
        assert process.wait(10) == 2
        assert len(process.stderr.read().splitlines()) == 2 and process.stdout.read() == ""


# ---- the socket of the control door


def through_socket(scene):
    async def whole():
        server = VenueServer(venue(), speed=1e-9)
        door = ControlDoor(server)
        await server.start()
        await door.start()
        try:
            async with aiohttp.ClientSession() as http:
                await asyncio.wait_for(scene(server, door, http), 10)
        finally:
            await door.stop()
            await server.stop()
            await door.stop()

    asyncio.run(whole())


async def call(http, door, method, path, args=None, token=None, **headers):
    headers["x-paper-token"] = door.token if token is None else token
    body = json.dumps(args) if args is not None else None
    async with http.request(method, door.url + path, data=body, headers=headers) as reply:
        return reply.status, await reply.json()


def test_nobody_comes_in_without_the_token_and_nobody_from_elsewhere():
    async def scene(server, door, http):
        assert (await call(http, door, "GET", "", token="x"))[0] == 401
        assert (await call(http, door, "GET", "", token=""))[0] == 401
        assert (await call(http, door, "GET", ""))[0] == 200
        async with http.get(f"http://127.0.0.1:{server.port}/paper/v1/") as reply:
            assert reply.status == 404
        assert door.url.startswith("http://127.0.0.1:") and len(door.token) > 20

    through_socket(scene)
    assert [_is_loopback(a) for a in ("127.0.0.1", "::1", "10.0.0.1", None, "x")] == [True, True, False, False, False]


def test_the_control_door_works_while_the_port_of_the_venue_is_closed():
    async def scene(server, door, http):
        status, armed = await call(http, door, "POST", "faults", {"fault": "refuse_connections"})
        assert status == 200
        with pytest.raises(aiohttp.ClientConnectorError):
            await http.get(server.url + "instrument/indices")
        assert (await call(http, door, "DELETE", "faults"))[1] == {"disarmed": 1}
        await server._reopening
        async with http.get(server.url + "instrument/indices") as reply:
            assert reply.status == 200
        assert server.venue.faults.counts["refuse_connections"] == 1

    through_socket(scene)


def test_the_clock_moves_forward_over_the_socket_and_signatures_go_on_being_taken():
    async def scene(server, door, http):
        from test_wire_server import rest

        before = server.venue.now
        assert (await call(http, door, "POST", "clock", {"forward_s": 86400}))[0] == 200
        assert before + 86400 * SECOND <= server.venue.now < before + 86401 * SECOND
        assert (await rest(server, http, "GET", "user"))[0] == 200
        assert (await call(http, door, "POST", "clock", {"forward_s": 1e12}))[0] == 400

    through_socket(scene)


def test_a_large_body_is_refused():
    async def scene(server, door, http):
        async with http.post(door.url + "faults", data=b"x" * (2 << 20), headers={"x-paper-token": door.token}) as reply:
            assert reply.status == 413

    through_socket(scene)


def test_a_body_that_is_not_compressed_as_its_header_says_is_refused():
    async def scene(server, door, http):
        headers = {"x-paper-token": door.token, "content-encoding": "gzip"}
        async with http.post(door.url + "faults", data=b"no such stream", headers=headers) as reply:
            assert reply.status == 400
            assert await reply.json() == {"error": "the body is not encoded as its headers say"}

    through_socket(scene)


# ---- the catalogue


def test_every_fault_has_an_effect_a_test_and_a_row_in_the_manual():
    tests = ""
    for name in os.listdir(os.path.dirname(__file__)):
        if name.startswith("test_faults_"):
            with open(os.path.join(os.path.dirname(__file__), name), encoding="utf-8") as file:
                tests += file.read()
    with open(os.path.join(ROOT, "docs", "paper-door.md"), encoding="utf-8") as file:
        manual = file.read()
    documented = set(re.findall(r"^\| `(\w+)` \|", manual, re.M))
    assert documented >= {fault.name for fault in FAULTS}
    assert manual_module.renewed(manual) == manual, "run: python -m bitmex_venue.misbehaviour.manual docs/paper-door.md"
    for fault in FAULTS:
        effects = {
            "request": fault.name in requests.EFFECTS or fault.name in requests.BESIDE,
            "message": hasattr(Line, "_" + fault.name) or fault.name == "update_before_partial",
            "state": (fault.name in states.AT_ONCE) != (fault.name in states.LASTING),
        }
        assert effects[fault.kind], fault.name
        assert f'"{fault.name}"' in tests, fault.name


def test_every_route_is_in_the_manual():
    with open(os.path.join(ROOT, "docs", "paper-door.md"), encoding="utf-8") as file:
        manual = file.read()
    documented = set(re.findall(r"^\| `([A-Z]+) /paper/v1/([a-z/]*)` \|", manual, re.M))
    assert documented == set(ROUTES)
