"""The REST door: from a request to a reply.

Theory of operation. Every request goes through the same steps: who is asking (auth), which route, what it costs (rate limit), may
this client do it (permission), the handler of the route, the reply. Handlers live by family in `rest_orders`, `rest_market` and
`rest_account`; each returns plain rows, and says no by raising `ApiError` or the engine's `Refused`.

Rules (bitmex-api.md 1.6, 2.1)
* Rate-limit headers stand on every counted reply, and not on 401 and 403.
* Cancels are counted but never refused for rate; the description of the venue is for everybody and not counted.
* Whatever is not a route of this profile is 404 with the usual body. HEAD is GET, of which the door sends the headers only.
* No exception ever reaches a client: what nobody foresaw is a 500 body, and one entry in the log.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from math import ceil
from typing import Any, NamedTuple

from ..engine.refusals import Refused
from . import description, errors, http
from .auth import Identity
from .encode import http_date

PREFIX = "/api/v1"
USER = "user"  # needs a login, and no permission in particular
log = logging.getLogger("bitmex_venue")


class Call(NamedTuple):
    """What a handler is given. `account` is the client's (0 on public routes without a login)."""

    venue: Any
    request: http.Request
    args: http.Params
    identity: Identity | None

    @property
    def account(self) -> int:
        return self.identity.account_id if self.identity is not None else 0


class Route(NamedTuple):
    """`needs` is None (public), USER or a permission; `burst` says that the second layer counts it."""

    handler: Callable[[Call], Any]
    needs: str | None = None
    burst: bool = False
    refusable: bool = True
    bulk: bool = False
    login: bool = False  # exists only where the profile has logins
    classic: bool = False  # gone in modern


Routes = dict[tuple[str, str], Route]


def all_routes() -> Routes:
    """Every route of every profile: (method, path under /api/v1)."""
    from . import rest_account, rest_market, rest_orders, rest_wallet

    return {**rest_market.ROUTES, **rest_wallet.ROUTES, **rest_orders.ROUTES, **rest_account.ROUTES}


class Router:
    """Answers requests for a venue."""

    def __init__(self, venue: Any) -> None:
        self.venue = venue
        profile = venue.profile
        self.routes = {
            place: route
            for place, route in all_routes().items()
            if (profile.bulk or not (route.bulk or route.classic)) and (profile.login or not route.login)
        }

    def handle(self, request: http.Request) -> http.Response:
        """Never raises."""
        headers = {"Date": http_date(request.wall + self.venue.authenticator.skew_ns)}
        try:
            value = self._answer(request, headers)
            return http.reply(200, value, headers)
        except errors.ApiError as error:
            return self._refusal(headers, error.status, error.message, error.name, error.headers)
        except Refused as refusal:
            return self._refusal(headers, refusal.status, refusal.message, refusal.name)
        except Exception:
            log.exception("unforeseen failure of %s %s", request.method, request.path)
            error = errors.internal()
            return self._refusal(headers, error.status, error.message, error.name)

    def _refusal(
        self, headers: dict[str, str], status: int, message: str, name: str, more: dict[str, str] | None = None
    ) -> http.Response:
        if status in (401, 403):
            headers = {k: v for k, v in headers.items() if not k.startswith("x-ratelimit")}
        return http.reply(status, errors.body(message, name), {**headers, **(more or {})})

    def _answer(self, request: http.Request, headers: dict[str, str]) -> Any:
        venue = self.venue
        if request.path == description.PATH and request.method in ("GET", "HEAD"):
            return description.document(venue.profile, frozenset(self.routes))
        identity = venue.authenticator.rest(request)
        route = self._route(request)
        args: http.Params = {}
        unreadable: errors.ApiError | None = None
        try:
            args = http.params(request)
        except errors.ApiError as error:
            unreadable = error
        charge = venue.limiter.charge(
            request.wall,
            identity.account_id if identity is not None else None,
            request.remote,
            self._cost(route, args),
            burst=route is not None and route.burst,
            refusable=route is None or route.refusable,
        )
        headers.update(charge.headers)
        if charge.retry_s:
            raise errors.rate_limited(charge.retry_s)
        if route is None:
            raise errors.not_found()
        if route.needs is not None:
            if identity is None:
                raise errors.login_required()
            if route.needs != USER and not identity.may(route.needs):
                raise errors.access_denied()
        if unreadable is not None:
            raise unreadable
        return route.handler(Call(venue, request, args, identity))

    def _route(self, request: http.Request) -> Route | None:
        if request.path != PREFIX and not request.path.startswith(PREFIX + "/"):
            return None
        parts = [part for part in request.path[len(PREFIX) :].split("/") if part]
        method = "GET" if request.method == "HEAD" else request.method
        return self.routes.get((method, "/".join(parts)))

    def _cost(self, route: Route | None, args: http.Params) -> int:
        """Tokens: one, or the bulk price times the orders, rounded up."""
        if route is None or not route.bulk:
            return 1
        orders: Any = args.get("orders")
        try:
            count = len(bulk_items(args))
        except errors.ApiError:
            count = len(orders) if isinstance(orders, list) else 1
        return max(1, ceil(self.venue.profile.bulk_cost * count))


def bulk_items(args: http.Params) -> list[dict[str, Any]]:
    """The orders of a bulk request: a JSON array of objects, or the same as text. Raises ApiError 400."""
    from .encode import loads

    value = args.get("orders")
    if value in (None, ""):
        raise errors.required("orders")
    if isinstance(value, str):
        try:
            value = loads(value)
        except ValueError:
            raise errors.invalid("orders") from None
    if not isinstance(value, list) or not value or not all(isinstance(item, dict) for item in value):
        raise errors.invalid("orders")
    return value
