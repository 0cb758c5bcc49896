"""The catalogue of faults as data, and the reading of what somebody wants armed.

Rules: every name and value is checked before anything happens; a problem is one line that names the parameter; a path may be
written `order`, `/order` or `/api/v1/order`, and the socket's handshake is the path `realtime`.
"""

from __future__ import annotations

from difflib import get_close_matches
from math import isfinite
from typing import Any, NamedTuple

REQUEST, MESSAGE, STATE = "request", "message", "state"
TEXT, NUMBER, INTEGER, FLAG = "text", "number", "integer", "flag"


class BadFault(ValueError):
    """A fault that cannot be armed like this; the message is one line for people."""


class Param(NamedTuple):
    """One parameter. A number lies between `low` and `high`; a text is one of `choices` when there are any. `default` None: not given."""

    name: str
    kind: str
    default: Any
    meaning: str
    low: float = float("-inf")
    high: float = float("inf")
    choices: tuple[str, ...] = ()


class Fault(NamedTuple):
    """One way to misbehave. `common` names those of `COMMON` that it takes; `handshake` says that it meets sockets being
    opened too, whatever the path."""

    name: str
    kind: str
    meaning: str
    params: tuple[Param, ...] = ()
    common: tuple[str, ...] = ()
    handshake: bool = False


COMMON = {
    p.name: p
    for p in (
        Param("times", INTEGER, None, "end after so many strikes", 1, 1_000_000),
        Param("for_s", NUMBER, None, "end after so many seconds of the venue's time", 0.001, 1e8),
        Param("probability", NUMBER, 1.0, "chance of each strike", 0, 1),
        Param("path", TEXT, None, "only requests of this path (`order`, `realtime` for the handshake)"),
        Param("verb", TEXT, None, "only requests with this verb", choices=("GET", "POST", "PUT", "DELETE")),
        Param("table", TEXT, None, "only messages of this table"),
        Param("account", INTEGER, None, "only this account", 1, 10**12),
    )
}
OF_REQUESTS = ("times", "for_s", "probability", "path", "verb", "account")
OF_MESSAGES = ("times", "for_s", "probability", "table", "account")
LASTING = ("for_s",)
REPEATED = ("times", "for_s")

AFTER = Param("after", FLAG, False, "true: the request was carried out first")
DELAY = Param("delay_ms", INTEGER, 3000, "milliseconds", 1, 3_600_000)
AT_ONCE = Param("at_once", FLAG, True, "false: not now, but in place of the next message that is covered")
NOW = Param("at_once", FLAG, True, "false: not now, but after each message that is covered")
SYMBOL = Param("symbol", TEXT, "XBTUSD", "the contract")
EVERY = Param("every_s", NUMBER, 1.0, "seconds between repetitions, when `times` or `for_s` is given", 0.001, 1e6)


def _request(name: str, meaning: str, *params: Param, handshake: bool = False) -> Fault:
    return Fault(name, REQUEST, meaning, params, OF_REQUESTS, handshake)


def _message(name: str, meaning: str, *params: Param) -> Fault:
    return Fault(name, MESSAGE, meaning, params, OF_MESSAGES)


def _state(name: str, meaning: str, *params: Param, common: tuple[str, ...] = LASTING) -> Fault:
    return Fault(name, STATE, meaning, params, common)


FAULTS: tuple[Fault, ...] = (
    # ---- the line
    _request("refuse_connections", "Connections are refused, also of sockets; nothing arrives. Without `times`, `probability` and "
             "filters the port itself is closed.", handshake=True),
    _request("lost_request", "The connection breaks before the request arrives: it was not carried out."),
    _request("lost_reply", "The request is carried out and its reply is lost.",
             Param("how", TEXT, "cut", "`cut`: the connection breaks; `silence`: it stays open and nothing comes, until the "
                   "client's time-out", choices=("cut", "silence"))),
    _request("slow_request", "The request takes long to arrive; it is carried out then, even if the client has given up.", DELAY),
    _request("slow_reply", "The request is carried out at once and its reply takes long.", DELAY),
    # ---- what a gateway says
    _request("bad_gateway", "502 with an HTML page.", AFTER),
    _request("gateway_timeout", "504 with an HTML page.", AFTER),
    _request("malformed_reply", "The request is carried out, and the JSON of its reply breaks off in the middle."),
    # ---- what the venue says
    _request("overloaded", "503, the system is overloaded: not carried out, a token is spent. Cancels and `Close` without a quantity "
             "are exempt, unless `verb` names them."),
    _request("unavailable", "503, service unavailable: by default after the request was carried out.", AFTER._replace(default=True)),
    _request("server_error", "500, server error: by default after the request was carried out.", AFTER._replace(default=True)),
    _request("rate_limited", "429, and nothing is carried out.",
             Param("headers", TEXT, "full", "`full`: as the real ones; `bare`: none; `early`: they say that there is budget left; "
                   "`wrong`: they make no sense", choices=("full", "bare", "early", "wrong")),
             Param("retry_s", INTEGER, 1, "what Retry-After says", 0, 86_400)),
    _request("wrong_limit_headers", "Replies are right, their rate-limit headers are not.",
             Param("remaining", INTEGER, 0, "what x-ratelimit-remaining says", -1_000_000, 1_000_000),
             Param("missing", FLAG, False, "true: there are none")),
    _request("unauthorized", "401, invalid API key; also for sockets.", handshake=True),
    _request("forbidden", "403, access denied.", Param("message", TEXT, "Access Denied", "what the body says")),
    _request("ip_ban", "403 for everything from everywhere, also for sockets; those that are open live on.", handshake=True),
    _request("post_only_refused", "New and amended post-only orders are cancelled as if they had crossed the book."),
    # ---- realtime
    _message("drop_socket", "The socket breaks.", AT_ONCE,
             Param("code", INTEGER, 1006, "close code; 1006: without a close frame", 1000, 4999)),
    _message("half_open_socket", "The socket stays open, and nothing comes or is heard any more, not even pings. When the fault "
             "ends, the socket breaks.", AT_ONCE),
    _message("stall_table", "Messages are held back until the fault ends, then sent in order.",
             Param("lose", FLAG, False, "true: they are never sent")),
    _message("delay_messages", "Messages come late; those of other tables overtake them.", DELAY._replace(default=500)),
    _message("duplicate_messages", "Messages come twice."),
    _message("reorder_messages", "A message waits for one of another table to overtake it.",
             Param("within_ms", INTEGER, 1000, "it waits no longer than this", 1, 3_600_000)),
    _message("second_partial", "A table's partial is sent again, unasked.", NOW),
    _message("update_before_partial", "A subscription begins with an update, before its partial."),
    _message("malformed_json", "A frame that is no JSON.",
             Param("instead", FLAG, False, "true: in place of the message, which is lost; false: before it")),
    # ---- the venue and its market
    _state("clock_skew", "The venue's clock is wrong: Date, welcome and the check of expiries.",
           Param("by_s", NUMBER, 60.0, "seconds; positive: it is ahead", -1e8, 1e8)),
    _state("venue_restart", "All connections drop and the venue is down for a while; accounts, orders and positions are kept.",
           Param("down_s", NUMBER, 0.0, "seconds without a venue", 0, 86_400), common=()),
    _state("spurious_cancel", "The venue cancels open orders of clients that nobody asked to cancel.", SYMBOL,
           Param("count", INTEGER, 1, "how many at a time; drawn from all that are open", 1, 10_000),
           EVERY, common=(*REPEATED, "account")),
    _state("market_closed", "Orders are refused: the market is not open.", SYMBOL),
    _state("empty_book", "Nobody else has an order in the book.", SYMBOL),
    _state("one_sided_book", "Nobody else has an order on one side of the book.", SYMBOL,
           Param("side", TEXT, "Buy", "the side that is empty", choices=("Buy", "Sell"))),
    _state("price_gap", "Index and market jump, without a trade in between.", SYMBOL,
           Param("percent", NUMBER, -5.0, "by how much", -90, 900), EVERY, common=REPEATED),
    _state("flash_crash", "Somebody sells (or buys) through the book down (up) to a price; it comes back. The index stays.", SYMBOL,
           Param("percent", NUMBER, -10.0, "how far", -90, 900),
           Param("back_s", NUMBER, 10.0, "seconds until the price is back", 0.001, 86_400), common=()),
    _state("fee_change", "Other fees, until the fault ends.", SYMBOL,
           Param("maker", NUMBER, 0.001, "rate of makers (0.001 is 0.1 %)", -0.05, 0.05),
           Param("taker", NUMBER, 0.002, "rate of takers", -0.05, 0.05)),
    _state("grid_change", "Another tick or lot, until the fault ends. Clients' orders that do not fit it are cancelled with a text, the "
           "others keep their places. Refused where a client's position is not a multiple of the lot.", SYMBOL,
           Param("tick", NUMBER, None, "the new tick", 1e-8, 1e6), Param("lot", INTEGER, None, "the new lot", 1, 10**9)),
)  # fmt: skip


def read(fault: Fault, settings: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(common parameters, the fault's own), complete and checked. Raises BadFault."""
    own = {param.name: param for param in fault.params}
    common = {name: COMMON[name].default for name in COMMON}
    values = {name: param.default for name, param in own.items()}
    for name, value in settings.items():
        if name in own:
            if value is not None or own[name].default is not None:
                values[name] = _value(fault, own[name], value)
        elif name in fault.common:
            common[name] = None if value is None else _value(fault, COMMON[name], value)
        else:
            known = [*own, *fault.common]
            close = get_close_matches(name, known, 1)
            hint = f"did you mean {close[0]!r}?" if close else f"it has {', '.join(known) or 'none'}"
            raise BadFault(f"{fault.name}: no parameter {name!r}: {hint}")
    if common["probability"] is None:
        common["probability"] = 1.0
    if common["path"] is not None:
        common["path"] = bare_path(common["path"])
    return common, values


def bare_path(path: str) -> str:
    """`/api/v1/order` -> `order`."""
    path = path.strip("/")
    return path[len("api/v1/") :] if path.startswith("api/v1/") else path


def _value(fault: Fault, param: Param, value: Any) -> Any:
    """The value of a parameter, or BadFault."""
    place = f"{fault.name}: {param.name!r}"
    if param.kind == FLAG:
        if isinstance(value, bool):
            return value
        raise BadFault(f"{place} is true or false, not {value!r}")
    if param.kind == TEXT:
        if not isinstance(value, str):
            raise BadFault(f"{place} is a text, not {value!r}")
        word = value.upper() if param.name == "verb" else value
        if param.choices and word not in param.choices:
            raise BadFault(f"{place} is one of {', '.join(param.choices)}, not {value!r}")
        return word
    try:
        number = float(value) if not isinstance(value, (bool, str)) else float("nan")
    except (TypeError, ValueError, OverflowError):
        number = float("nan")
    if not isfinite(number):
        raise BadFault(f"{place} is a number, not {value!r}")
    if param.kind == INTEGER and not number.is_integer():
        raise BadFault(f"{place} is a whole number, not {value!r}")
    if not param.low <= number <= param.high:
        raise BadFault(f"{place} lies between {param.low:g} and {param.high:g}, not {value!r}")
    return int(number) if param.kind == INTEGER else number
