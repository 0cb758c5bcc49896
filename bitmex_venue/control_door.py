"""The control door's socket: /paper/v1 on a port of its own, on this machine only, for who has the token.

Rules
* It listens on loopback whatever the venue listens on, and refuses a remote address that is not loopback (403).
* Every request carries the token in `x-paper-token`; without it the answer is 401 and says nothing else. A web page cannot send that
  header without being allowed to, and it is not.
* It works while the venue refuses connections or is down. Nothing is logged.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import logging
import secrets
import time
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from .control import Control
from .wire import http

MAX_BODY = 1 << 20
SLICE_S = 0.02
HOST = "127.0.0.1"
log = logging.getLogger("bitmex_venue")


class ControlDoor:
    """Serves the control of a `VenueServer`'s venue. `token` is random unless given; `port` 0 takes any free one."""

    def __init__(self, server: Any, port: int = 0, token: str | None = None) -> None:
        self.server = server
        self.host = HOST
        self.port = port
        self.token = token or secrets.token_urlsafe(24)
        self.control = Control(server.venue)
        self.control.forward = self._plan_forward
        self._forward = 0
        self._web: web.Server | None = None
        self._listener: asyncio.AbstractServer | None = None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}/paper/v1/"

    async def start(self) -> None:
        """Open the port. Raises OSError."""
        quiet = logging.getLogger("bitmex_venue.http")
        self._web = web.Server(self._answer, access_log=None, logger=quiet)
        self._listener = await asyncio.get_running_loop().create_server(self._web, HOST, self.port)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the port; safe to call again."""
        if self._listener is not None:
            self._listener.close()
        if self._web is not None:
            await self._web.shutdown(1)
        self._listener = self._web = None

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        try:
            status, value = await self._decide(request)
        except (asyncio.CancelledError, ConnectionError):
            raise
        except web.HTTPRequestEntityTooLarge:
            status, value = 413, {"error": "the body is too large"}
        except (web.RequestPayloadError, HttpProcessingError):
            status, value = 400, {"error": "the body is not encoded as its headers say"}
        except Exception:
            log.exception("unforeseen failure of the control door")
            status, value = 500, {"error": "unforeseen failure; the venue's log says more"}
        reply = http.reply(status, value)
        return web.Response(status=status, body=reply.body, headers=reply.headers)

    async def _decide(self, request: web.BaseRequest) -> tuple[int, Any]:
        if not _is_loopback(request.remote):
            return 403, {"error": "the control door is for this machine only"}
        given = request.headers.get("x-paper-token", "")
        if not hmac.compare_digest(given.encode("utf-8", "replace"), self.token.encode()):
            return 401, {"error": "the header x-paper-token is missing or wrong"}
        if (request.content_length or 0) > MAX_BODY:
            return 413, {"error": "the body is too large"}
        body = await request.read() if request.can_read_body else b""
        server = self.server
        server.catch_up()
        path, _, query = request.raw_path.partition("?")
        status, value = self.control.handle(request.method, path, query, body)
        if self._forward:
            ns, self._forward = self._forward, 0
            await server.forward(ns)
            status, value = self.control.handle("POST", "/paper/v1/clock", body=b'{"forward_s":0}')
        server.reschedule()
        return status, value

    def _plan_forward(self, ns: int) -> None:
        self._forward = ns


def _is_loopback(remote: str | None) -> bool:
    try:
        return ipaddress.ip_address(remote or "").is_loopback
    except ValueError:
        return False


async def live_through(venue: Any, until: int) -> None:
    """Let a venue live on to a time in slices, so that its sockets are served meanwhile."""
    while venue.now < until:
        end = time.monotonic() + SLICE_S
        while venue.now < until and time.monotonic() < end:
            due = venue.next_time()
            venue.advance(until if due is None or due > until else due)
        await asyncio.sleep(0)
