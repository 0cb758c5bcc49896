"""Requests generated from the venue's own description, valid ones and broken ones: `make fuzz` (FUZZ=1), since it takes minutes.

Rule: no 500, no hang, no trace of our insides; the money adds up afterwards.
"""

import os
import warnings

import pytest

schemathesis = pytest.importorskip("schemathesis")

import requests  # noqa: E402
from hypothesis import HealthCheck, Phase, given, settings  # noqa: E402
from wire_kit import SECOND, venue  # noqa: E402

from bitmex_venue.inprocess import VenueAdapter  # noqa: E402
from bitmex_venue.wire.auth import signature  # noqa: E402

if os.environ.get("FUZZ") != "1":
    pytest.skip("takes minutes: make fuzz", allow_module_level=True)

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "150"))
SEEN: set[int] = set()
BASE = "http://venue.invalid"


def door(profile):
    """A session into a venue in process, and the venue."""
    one = venue(profile)
    one.limiter.enabled = False
    session = requests.Session()
    session.mount(BASE, VenueAdapter(one))
    return session, one


class Signed(requests.auth.AuthBase):
    """Signs whatever is about to be sent."""

    def __init__(self, venue):
        self.venue = venue

    def __call__(self, request):
        expires, body = str(self.venue.now // SECOND + 3600), request.body or b""
        body = body.encode() if isinstance(body, str) else body
        text = signature(self.venue.api_secret, request.method, request.path_url, expires, body)
        request.headers.update({"api-key": self.venue.api_key, "api-expires": expires, "api-signature": text})
        return request


def described():
    """(profile, operation) for everything that either profile describes."""
    for profile in ("classic", "modern"):
        session, one = door(profile)
        schema = schemathesis.openapi.from_dict(session.get(BASE + "/api/explorer/swagger.json").json())
        schema.config.update(base_url=BASE + "/api/v1")
        for found in schema.get_all_operations():
            operation = found.ok()
            yield pytest.param(session, one, operation, id=f"{profile} {operation.label}")


@pytest.mark.parametrize("session, one, operation", list(described()))
def test_whatever_is_generated_is_answered_as_described(session, one, operation):
    @given(case=operation.as_strategy(generation_mode=schemathesis.GenerationMode.POSITIVE) | negative(operation))
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate], derandomize=True)
    def each(case):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            sent = case.as_transport_kwargs(base_url=BASE + "/api/v1")
            sent["headers"] = {k: v for k, v in sent["headers"].items() if not k.lower().startswith("api-")}
            reply = session.request(**{k: v for k, v in sent.items() if k != "auth"}, auth=Signed(one))
        SEEN.add(reply.status_code)
        assert reply.status_code in (200, 400, 401, 403, 404), (reply.status_code, reply.text)
        assert reply.status_code != 401 or operation.label == "POST /user/login", reply.text
        assert "Traceback" not in reply.text and "bitmex_venue" not in reply.text.replace("bitmex_venue/", "")
        if reply.status_code != 200:
            assert set(reply.json()["error"]) == {"message", "name"}

    each()
    assert one.exchange.audit().ok


def test_the_requests_were_worth_sending():
    assert {200, 400} <= SEEN


def negative(operation):
    try:
        return operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE)
    except Exception:  # nothing can be wrong with an operation without arguments
        return operation.as_strategy(generation_mode=schemathesis.GenerationMode.POSITIVE)
