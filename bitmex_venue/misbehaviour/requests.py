"""What faults do to requests: before they are carried out, instead of that, or afterwards.

Theory of operation. While faults of requests are armed, `answer` stands before the venue's router. Of the armings that cover a
request at most one decides what becomes of it (the oldest that strikes); those that only slow it down or change a header
come on top. What a door has to do with a reply besides sending it stands in the reply: `fate` and `delay_ns`.

Rules
* "Before" means that the engine never hears of the request; "after" that it was carried out like any other.
* A shed request (503, overloaded) spends its tokens; one that a gateway or the line loses does not.
* 401 and 403 carry no rate-limit headers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..engine.commands import RefusePostOnly
from ..wire import errors, http
from ..wire.encode import MILLISECOND, SECOND, http_date
from ..wire.http import Request, Response
from .catalogue import bare_path

REFUSED, CUT, SILENCE = "refused", "cut", "silence"  # fates: no connection, a broken one, one on which nothing comes
REALTIME = "realtime"
PAGE = (
    "<html>\r\n<head><title>{0}</title></head>\r\n<body>\r\n<center><h1>{0}</h1></center>\r\n<hr><center>nginx</center>\r\n"
    "</body>\r\n</html>\r\n"
)
HTML = "text/html"
BESIDE = frozenset(("slow_reply", "slow_request", "wrong_limit_headers", "post_only_refused"))
ORDER_PATHS = frozenset(("order", "order/bulk"))
Answer = Callable[[Request], Response]


def page(status: int, title: str) -> Response:
    """What a gateway answers."""
    return Response(status, {"Content-Type": HTML}, PAGE.format(f"{status} {title}").encode())


def lost(fate: str) -> Response:
    """A reply that never comes."""
    return Response(0, {}, b"", fate)


# ---- one effect each: (venue, request, values, answer) -> reply


def _refused(venue: Any, request: Request, values: Any, answer: Answer) -> Response:
    return lost(REFUSED)


def _lost_request(venue: Any, request: Request, values: Any, answer: Answer) -> Response:
    return lost(CUT)


def _lost_reply(venue: Any, request: Request, values: Any, answer: Answer) -> Response:
    answer(request)
    return lost(values["how"])


def _gateway(status: int, title: str) -> Callable[..., Response]:
    def effect(venue: Any, request: Request, values: Any, answer: Answer) -> Response:
        if values["after"]:
            answer(request)
        return page(status, title)

    return effect


def _malformed(venue: Any, request: Request, values: Any, answer: Answer) -> Response:
    reply = answer(request)
    return reply._replace(body=reply.body[: max(1, len(reply.body) // 2)])


def _overloaded(venue: Any, request: Request, values: Any, answer: Answer) -> Response:
    charge = venue.limiter.charge(request.wall, account_of(venue, request.headers), request.remote)
    message = "The system is currently overloaded. Please try again later."
    return _refusal(venue, request, 503, message, charge.headers)


def _said(status: int, message: str, name: str = errors.HTTP_ERROR) -> Callable[..., Response]:
    def effect(venue: Any, request: Request, values: Any, answer: Answer) -> Response:
        headers = answer(request).headers if values.get("after") else {}
        kept = {k: v for k, v in headers.items() if k.startswith("x-ratelimit")}
        return _refusal(venue, request, status, values.get("message", message), kept, name)

    return effect


def _rate_limited(venue: Any, request: Request, values: Any, answer: Answer) -> Response:
    retry, manner = values["retry_s"], values["headers"]
    message = f"Rate limit exceeded, retry in {retry} seconds."
    full = venue.profile.limits.user_count
    now_s = request.wall // SECOND
    made = {
        "full": {"x-ratelimit-limit": full, "x-ratelimit-remaining": 0, "x-ratelimit-reset": now_s + retry, "Retry-After": retry},
        "bare": {},
        "early": {"x-ratelimit-limit": full, "x-ratelimit-remaining": full - 1, "x-ratelimit-reset": now_s + 1, "Retry-After": retry},
        "wrong": {"x-ratelimit-limit": -1, "x-ratelimit-remaining": "NaN", "x-ratelimit-reset": now_s - 3600, "Retry-After": "soon"},
    }[manner]  # fmt: skip
    return _refusal(venue, request, 429, message, {k: str(v) for k, v in made.items()}, errors.RATE_LIMIT_ERROR)


def _banned(venue: Any, request: Request, values: Any, answer: Answer) -> Response:
    return page(403, "Forbidden")


def _refusal(
    venue: Any, request: Request, status: int, message: str, headers: dict[str, str], name: str = errors.HTTP_ERROR
) -> Response:
    date = {"Date": http_date(request.wall + venue.authenticator.skew_ns)}
    return http.reply(status, errors.body(message, name), {**date, **headers})


EFFECTS: dict[str, Callable[..., Response]] = {
    "refuse_connections": _refused,
    "lost_request": _lost_request,
    "lost_reply": _lost_reply,
    "bad_gateway": _gateway(502, "Bad Gateway"),
    "gateway_timeout": _gateway(504, "Gateway Time-out"),
    "malformed_reply": _malformed,
    "overloaded": _overloaded,
    "unavailable": _said(503, "Service unavailable"),
    "server_error": _said(500, "Server Error", "Error"),
    "rate_limited": _rate_limited,
    "unauthorized": _said(401, "Invalid API Key."),
    "forbidden": _said(403, "Access Denied"),
    "ip_ban": _banned,
}


# ---- the doors


def account_of(venue: Any, headers: Any) -> int | None:
    """Whose request this is, by its key and unproved."""
    key = venue.authenticator.keys.get(headers.get("api-key", ""))
    return key.account_id if key is not None else None


def arrival_delay(faults: Any, request: Request) -> int:
    """Nanoseconds by which a request comes late."""
    for armed in list(faults.requests):
        if armed.name == "slow_request" and _covers(faults, armed, request) and faults.strikes(armed, _what(request)):
            return armed.values["delay_ms"] * MILLISECOND
    return 0


def answer(venue: Any, request: Request, router: Answer) -> Response:
    """What becomes of a request while faults are armed."""
    faults = venue.faults
    struck = [
        armed
        for armed in list(faults.requests)
        if armed.name in BESIDE and armed.name != "slow_request" and _covers(faults, armed, request)
    ]
    decide = router
    for armed in struck:
        if armed.name == "post_only_refused":
            decide = _refusing(venue, armed, decide)
    reply = _decided(venue, request, decide)
    for armed in struck:
        if armed.name == "slow_reply" and faults.strikes(armed, _what(request)):
            reply = reply._replace(delay_ns=reply.delay_ns + armed.values["delay_ms"] * MILLISECOND)
        elif armed.name == "wrong_limit_headers" and _has_limits(reply) and faults.strikes(armed, _what(request)):
            reply = reply._replace(headers=_wrong_headers(reply.headers, armed.values))
    return reply


def _decided(venue: Any, request: Request, answer: Answer) -> Response:
    faults = venue.faults
    for armed in list(faults.requests):
        if armed.name in BESIDE or not _covers(faults, armed, request):
            continue
        if armed.name == "overloaded" and armed.verb is None and _is_exempt(request):
            continue
        if faults.strikes(armed, _what(request)):
            return EFFECTS[armed.name](venue, request, armed.values, answer)
    return answer(request)


def handshake(venue: Any, headers: Any, remote: str) -> Response | None:
    """What becomes of a socket that is being opened: None when nothing hinders it."""
    faults = venue.faults
    for armed in list(faults.requests):
        about = armed.path == REALTIME or (armed.path is None and armed.verb is None and armed.fault.handshake)
        if not about or armed.name not in EFFECTS or not armed.covers("GET", REALTIME, account_of(venue, headers)):
            continue
        if faults.strikes(armed, "GET realtime"):
            request = Request("GET", "/realtime", "", headers, b"", remote, venue.now, venue.wall)
            reply = EFFECTS[armed.name](venue, request, armed.values, lambda _: lost(CUT))
            if reply.fate or reply.headers.get("Content-Type") == HTML:
                return reply
            return http.reply(reply.status, {"error": reply.json()["error"]["message"]}, reply.headers)
    return None


def _covers(faults: Any, armed: Any, request: Request) -> bool:
    return armed.covers(request.method, bare_path(request.path), account_of(faults.venue, request.headers))


def _what(request: Request) -> str:
    return f"{request.method} {bare_path(request.path)}"


def _has_limits(reply: Response) -> bool:
    return "x-ratelimit-limit" in reply.headers


def _wrong_headers(headers: dict[str, str], values: Any) -> dict[str, str]:
    if values["missing"]:
        return {k: v for k, v in headers.items() if not k.startswith("x-ratelimit")}
    return {**headers, "x-ratelimit-remaining": str(values["remaining"])}


def _is_exempt(request: Request) -> bool:
    """Cancels, and orders that close a position without naming a quantity (bitmex-api.md 1.6)."""
    if request.method == "DELETE":
        return True
    try:
        args = http.params(request)
    except errors.ApiError:
        return False
    return "Close" in str(args.get("execInst", "")).split(",") and args.get("orderQty") in (None, "")


def _refusing(venue: Any, armed: Any, answer: Answer) -> Answer:
    """Carry a request out while the engine refuses the account's post-only orders."""

    def refuse(request: Request) -> Response:
        account = account_of(venue, request.headers)
        if account is None or bare_path(request.path) not in ORDER_PATHS or request.method not in ("POST", "PUT"):
            return answer(request)
        if armed.probability < 1 and armed.rng.random() >= armed.probability:
            return answer(request)
        most = armed.times - armed.count if armed.times is not None else 1_000_000
        venue.execute(RefusePostOnly(account, most))
        try:
            return answer(request)
        finally:
            left = venue.exchange.trading.refusals.get(account, 0)
            venue.execute(RefusePostOnly(account, 0))
            for _ in range(most - left):
                venue.faults.count(armed, _what(request))

    return refuse
