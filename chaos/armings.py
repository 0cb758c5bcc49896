"""The venue's own faults (`bitmex_venue.misbehaviour.catalogue`) in part (a): which are armed, how, and which are not.

Rules:

* Every fault of the catalogue is armed here, in each of its manners, or is named in `LEFT_OUT` with the reason; a test holds the two lists
  against each other.
* An arming ends by itself. What it does is counted by the venue, strike by strike.
* `outage` says that meanwhile nobody could quote, or change a quote.

What the doors of this package do beyond that (`rest_door`, `realtime_door`) the catalogue does not know: answers that are no JSON, empty or of
another shape, fills and cancels that race a request, expired signatures and tokens, frames of nonsense, single messages that are lost. They draw anew
for each request and message, so that any may meet any; an arming is one state for a while. So both are kept.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

SYMBOL = "XBTUSD"


class Arming(NamedTuple):
    """`kind` is its name on the scorecard; settings(random, spec) -> the parameters, `spec` being that of the contract as it is listed first."""

    kind: str
    fault: str
    settings: Callable[[Random, Any], dict[str, Any]]
    outage: bool = False
    post_only: bool = False  # makes sense only for a bot that places such orders


def _for(low: float, high: float, **settings: Any) -> Callable[[Random, Any], dict[str, Any]]:
    return lambda random, spec: {"for_s": random.uniform(low, high), **settings}


def _some(**settings: Any) -> Callable[[Random, Any], dict[str, Any]]:
    """The next few requests, or none when there are none for a while."""
    return lambda random, spec: {"times": random.randrange(1, 5), "for_s": random.uniform(3, 8), **settings}


def _drawn(low: float, high: float, **choices: tuple[Any, ...]) -> Callable[[Random, Any], dict[str, Any]]:
    return lambda random, spec: {"for_s": random.uniform(low, high), **{name: random.choice(values) for name, values in choices.items()}}


def _tick(random: Random, spec: Any) -> dict[str, Any]:
    return {"for_s": random.uniform(4, 12), "tick": spec.tick_e8 * random.choice((2, 4, 10)) / 1e8}


def _lot(random: Random, spec: Any) -> dict[str, Any]:
    return {"for_s": random.uniform(4, 12), "lot": spec.lot_size * random.choice((2, 5, 10))}


ARMINGS = (
    Arming("connections refused", "refuse_connections", _for(1, 6)),
    Arming("line cut before acceptance", "lost_request", _some()),
    Arming("line cut after acceptance", "lost_reply", _some()),
    Arming("silence after acceptance", "lost_reply", _some(how="silence")),
    Arming("requests arrive late", "slow_request", _drawn(2, 6, delay_ms=(300, 1500, 3000))),
    Arming("replies come late", "slow_reply", _drawn(2, 6, delay_ms=(300, 1500, 3000))),
    Arming("bad gateway", "bad_gateway", _some()),
    Arming("bad gateway after acceptance", "bad_gateway", _some(after=True)),
    Arming("gateway time-out", "gateway_timeout", _some()),
    Arming("gateway time-out after acceptance", "gateway_timeout", _some(after=True)),
    Arming("JSON breaks off", "malformed_reply", _some()),
    Arming("load is shed", "overloaded", _some()),
    Arming("unavailable", "unavailable", _some(after=False)),
    Arming("unavailable after acceptance", "unavailable", _some()),
    Arming("server error", "server_error", _some(after=False)),
    Arming("server error after acceptance", "server_error", _some()),
    Arming("rate limited", "rate_limited", _some()),
    Arming("rate limited, bare", "rate_limited", _some(headers="bare")),
    Arming("rate limited, early", "rate_limited", _some(headers="early")),
    Arming("rate limited, nonsense", "rate_limited", _some(headers="wrong")),
    Arming("headers say that nothing is left", "wrong_limit_headers", _some(remaining=0)),
    Arming("headers make no sense", "wrong_limit_headers", _some(remaining=-7)),
    Arming("headers are missing", "wrong_limit_headers", _some(missing=True)),
    Arming("forbidden", "forbidden", _for(1, 5), outage=True),
    Arming("address banned", "ip_ban", _for(1, 5), outage=True),
    Arming("post-only refused", "post_only_refused", _some(), post_only=True),
    Arming("socket breaks", "drop_socket", _drawn(1, 2, code=(1001, 1006, 1011), at_once=(True, False))),
    Arming("socket half open", "half_open_socket", _drawn(3, 20, at_once=(True, False))),
    Arming("orders stalled", "stall_table", _for(1, 10, table="order")),
    Arming("quotes stalled", "stall_table", _for(1, 10, table="quote")),
    Arming("positions stalled", "stall_table", _for(1, 10, table="position")),
    Arming("all tables stalled", "stall_table", _for(1, 10)),
    Arming("orders lost", "stall_table", _for(0.5, 3, table="order", lose=True)),
    Arming("positions lost", "stall_table", _for(0.5, 3, table="position", lose=True)),
    Arming("all tables lost", "stall_table", _for(0.5, 3, lose=True)),
    Arming("messages late", "delay_messages", _drawn(2, 8, delay_ms=(100, 800, 3000))),
    Arming("messages doubled", "duplicate_messages", _for(2, 8)),
    Arming("messages overtaken", "reorder_messages", _for(2, 8)),
    Arming("partials again", "second_partial", lambda random, spec: {}),
    Arming("partials after messages", "second_partial", _for(0.5, 2, at_once=False, probability=0.2)),
    Arming("update before its partial", "update_before_partial", _for(2, 5)),
    Arming("frames of broken JSON", "malformed_json", _for(1, 4, probability=0.3)),
    Arming("frames replaced by broken JSON", "malformed_json", _for(1, 4, probability=0.3, instead=True)),
    Arming("clock of the venue wrong", "clock_skew", _drawn(3, 10, by_s=(-3600.0, -60.0, -4.0, 4.0, 60.0, 3600.0))),
    Arming("venue restart", "venue_restart", lambda random, spec: {"down_s": random.uniform(2, 15)}, outage=True),
    Arming("one order cancelled by the venue", "spurious_cancel", lambda random, spec: {}),
    Arming("orders cancelled by the venue", "spurious_cancel", _for(2, 5, count=3)),
    Arming("market closed", "market_closed", _for(3, 20), outage=True),
    Arming("empty book", "empty_book", _for(1, 8), outage=True),
    Arming("one-sided book", "one_sided_book", _drawn(1, 8, side=("Buy", "Sell")), outage=True),
    Arming("price gap", "price_gap", lambda random, spec: {"percent": random.choice((-3.0, -1.5, 1.5, 3.0))}),
    Arming("flash crash", "flash_crash", lambda random, spec: {"percent": random.choice((-10.0, 10.0)), "back_s": random.uniform(2, 6)}),
    Arming("fees change", "fee_change", _for(4, 12)),
    Arming("tick changes", "grid_change", _tick),
    Arming("lot changes", "grid_change", _lot),
)
BY_KIND = {arming.kind: arming for arming in ARMINGS}
WITH_NEW_SOCKETS = ("update_before_partial",)  # strike where somebody subscribes, so that somebody has to

LEFT_OUT = {"unauthorized": "a refusal of the credentials ends the run, as it shall: nothing can be scored after that"}
