"""Keys and secrets are in no log, no error and no reply, whatever is asked for."""

import logging

import pytest
from wire_kit import Client, venue

from bitmex_venue.wire.http import Request


@pytest.mark.parametrize("profile", ["classic", "modern"])
def test_no_secret_stands_in_a_log_or_a_reply(profile, caplog, monkeypatch):
    caplog.set_level(logging.DEBUG)
    v = venue(profile)
    v.add_login("a@b.example", "pass-word", "123456")
    client = Client(v)
    bodies = [client.call("GET", path).text for path in ("apiKey", "user", "user/margin", "position", "nothing", "order")]
    bodies.append(client.call("POST", "user/login", {"email": "a@b.example", "password": "pass-word", "token": "x"}).text)
    bodies.append(client.call("GET", "order", headers={"api-signature": "0" * 64}).text)
    bodies.append(v.handle(Request("GET", "/api/explorer/swagger.json", time=v.now)).text)
    monkeypatch.setattr(v.exchange, "orders_of", None)
    bodies.append(client.call("GET", "order").text)
    assert "unforeseen failure" in caplog.text
    for secret in (v.api_secret, "pass-word", "123456"):
        assert secret not in caplog.text and not any(secret in body for body in bodies)
    assert v.api_key not in caplog.text
