"""Who is asking: published vectors, expiry, keys, nonces, logins."""

import pytest
from wire_kit import NOW, SECOND, Client, venue

from bitmex_venue.wire.auth import CANCEL, Key, signature
from bitmex_venue.wire.http import Request

SECRET = "chNOOS4KvNXR_Xq4k4c9qsfoKWvnDecLATCRlcBwyKDYnWgO"
ORDER = b'{"symbol":"XBTM15","price":219.0,"clOrdID":"mm_bitmex_1a/oemUeQ4CAJZgP3fjHsA","orderQty":98}'


@pytest.mark.parametrize(
    "verb, target, expires, body, expected",
    [
        ("GET", "/api/v1/instrument", 1518064236, b"", "c7682d435d0cfe87c16098df34ef2eb5a549d4c5a3c2b1f0f77b8af73423bf00"),
        (
            "GET",
            "/api/v1/instrument?filter=%7B%22symbol%22%3A+%22XBTM15%22%7D",
            1518064237,
            b"",
            "e2f422547eecb5b3cb29ade2127e21b858b235b386bfa45e1c1756eb3383919f",
        ),
        ("POST", "/api/v1/order", 1518064238, ORDER, "1749cd2ccae4aa49048ae09f0b95110cee706e0944e6a14ad0b3a8cb45bd336b"),
    ],
)
def test_signatures_are_those_that_bitmex_published(verb, target, expires, body, expected):
    assert signature(SECRET, verb, target, expires, body) == expected


def request(v, expires, sign=None, key=None, method="GET", path="/api/v1/user", name="api-expires", remote="127.0.0.1"):
    key = key or v.authenticator.keys[v.api_key]
    sign = sign or signature(key.secret, method, path, expires)
    headers = {"api-key": key.id, name: str(expires), "api-signature": sign}
    return v.handle(Request(method, path, "", headers, b"", remote, v.now))


def test_a_request_that_has_expired_is_refused_with_400_and_tells_the_servers_clock():
    v = venue()
    reply = request(v, NOW // SECOND)
    assert reply.status == 400
    assert reply.json() == {
        "error": {
            "message": f"This request has expired - `expires` is in the past. Current time: {NOW // SECOND}",
            "name": "HTTPError",
        }
    }
    assert request(v, NOW // SECOND + 1).status == 200


def test_wrong_keys_and_wrong_signatures_are_401_without_rate_limit_headers():
    v = venue()
    later = NOW // SECOND + 5
    bad = request(v, later, sign="00" * 32)
    assert (bad.status, bad.json()["error"]["message"]) == (401, "Signature not valid.")
    unknown = request(v, later, key=Key("nobody", "x", 1))
    assert (unknown.status, unknown.json()["error"]["message"]) == (401, "Invalid API Key.")
    for reply in (bad, unknown):
        assert not [name for name in reply.headers if name.startswith("x-ratelimit")]


def test_a_private_route_without_credentials_is_401():
    v = venue()
    assert Client(v).call("GET", "order", signed=False).status == 401
    assert Client(v).call("GET", "instrument", signed=False).status == 200


def test_wrong_credentials_are_refused_on_public_routes_too():
    v = venue()
    assert request(v, NOW // SECOND + 5, sign="aa", path="/api/v1/instrument").status == 401


def test_a_disabled_key_and_a_foreign_address_are_403():
    v = venue()
    key = v.add_key(v.account_id, cidr="10.0.0.0/8")
    reply = request(v, NOW // SECOND + 5, key=key)
    assert (reply.status, reply.json()["error"]["message"]) == (403, "This IP address is not allowed to use this key.")
    assert request(v, NOW // SECOND + 5, key=key, remote="10.1.2.3").status == 200
    key.enabled = False
    reply = request(v, NOW // SECOND + 5, key=key, remote="10.1.2.3")
    assert (reply.status, reply.json()["error"]["message"]) == (403, "This key is disabled.")


def test_permissions_order_covers_cancel_and_a_reader_may_only_read():
    v = venue()
    reader = Client(v, v.add_key(v.account_id, permissions=()))
    assert reader.call("GET", "order").status == 200
    order = {"symbol": "XBTUSD", "orderQty": 1, "price": 1}
    assert reader.call("POST", "order", order).status == 403
    assert reader.call("DELETE", "order/all").status == 403
    canceller = Client(v, v.add_key(v.account_id, permissions=(CANCEL,)))
    assert canceller.call("POST", "order", order).status == 403
    assert canceller.call("DELETE", "order/all").status == 200
    withdrawal = {"currency": "XBt", "amount": 1000, "address": "x"}
    assert canceller.call("POST", "user/requestWithdrawal", withdrawal).status == 403


def test_nonces_rise_in_classic_and_are_unknown_in_modern():
    v = venue()
    assert request(v, 100, name="api-nonce").status == 200
    reply = request(v, 100, name="api-nonce")
    assert reply.json()["error"]["message"] == "Nonce is not increasing. This nonce: 100, last nonce: 100"
    assert request(v, 101, name="api-nonce").status == 200
    assert request(venue("modern"), 100, name="api-nonce").status == 401


def test_a_login_gives_a_token_that_opens_private_routes_until_it_ends():
    v = venue()
    v.add_login("Lebron@Example.com", "secret", otp="123456")
    client = Client(v)
    args = {"email": "lebron@example.com", "password": "secret", "token": "123456"}
    assert client.call("POST", "user/login", {**args, "token": "1"}, signed=False).status == 401
    assert client.call("POST", "user/login", {**args, "password": "x"}, signed=False).status == 401
    reply = client.call("POST", "user/login", args, signed=False)
    token = {"access-token": reply.json()["id"]}
    assert client.call("GET", "user", signed=False, headers=token).json()["id"] == v.account_id
    reply = client.call("POST", "user/logout", signed=False, headers=token)
    assert (reply.status, reply.json()) == (200, None)
    assert client.call("GET", "user", signed=False, headers=token).status == 401
    v.authenticator.token_ttl_s = 10
    token = {"access-token": client.call("POST", "user/login", args, signed=False).json()["id"]}
    client.step = 11 * SECOND
    assert client.call("GET", "user", signed=False, headers=token).status == 401


def test_modern_has_no_login():
    assert Client(venue("modern")).call("POST", "user/login", {"email": "a", "password": "b"}, signed=False).status == 404


def test_what_is_signed_is_the_bytes_as_they_came():
    v = venue()
    body = b'{ "symbol":"XBTUSD" , "orderQty" : "1","price":1.0 }'
    path, query = "/api/v1/order", "a=%7b&b=+x%20y"
    expires = NOW // SECOND + 9
    headers = {
        "API-Key": v.api_key,
        "Api-Expires": str(expires),
        "Api-Signature": signature(v.api_secret, "POST", path + "?" + query, expires, body).upper(),
    }
    assert v.handle(Request("POST", path, query, headers, body, time=NOW)).status == 200
    assert v.handle(Request("POST", path, query, headers, body + b" ", time=NOW)).status == 401


def test_a_socket_may_show_its_key_by_header_or_query_or_login():
    v = venue()
    expires = NOW // SECOND + 9
    sign = signature(v.api_secret, "GET", "/realtime", expires)
    names = {"api-key": v.api_key, "api-expires": str(expires), "api-signature": sign}
    assert v.connect("/realtime", "subscribe=order", names).identity.account_id == v.account_id
    query = "&".join(f"{k}={value}" for k, value in names.items())
    assert v.connect("/realtime", query).identity.account_id == v.account_id
    v.add_login("a@b.c", "secret")
    assert v.connect("/realtime", "", {"email": "a@b.c", "password": "secret"}).identity.account_id == v.account_id
    refused = v.connect("/realtime", "", {"email": "a@b.c", "password": "wrong"})
    assert refused.status == 401 and list(refused.json()) == ["error"]
    refused = v.connect("/realtime", "", {**names, "api-signature": "00"})
    assert (refused.status, refused.json()) == (401, {"error": "Signature not valid."})
