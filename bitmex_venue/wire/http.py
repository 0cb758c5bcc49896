"""Requests and replies as values, and the reading of what a request says.

Rules: the query, a JSON body and a form body are one set of arguments (the body wins); numbers may come as strings; a list
may come as a JSON array, as a comma list or as a repeated name. What is signed is the target and the body as they came,
byte for byte, so both are kept raw.

Known difference: the real venue refused some arguments in the query of a POST; ours takes them everywhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from . import errors
from .encode import dumps, loads

Params = dict[str, Any]
MAX_EXPONENT = 25


class Request:
    """One request. `path` and `query_string` are raw (still quoted), header names lower case, `time` the venue's clock in
    nanoseconds. `wall` is the clock by which signatures expire and rate limits refill: it differs from `time` only where
    the venue's time runs faster than the client's."""

    __slots__ = ("method", "path", "query_string", "headers", "body", "remote", "time", "wall")

    def __init__(
        self,
        method: str,
        path: str,
        query_string: str = "",
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        remote: str = "127.0.0.1",
        time: int = 0,
        wall: int | None = None,
    ) -> None:
        self.method = method.upper()
        self.path = path
        self.query_string = query_string
        self.headers = {str(k).lower(): str(v) for k, v in (headers or {}).items()}
        self.body = body
        self.remote = remote
        self.time = time
        self.wall = time if wall is None else wall

    @property
    def target(self) -> str:
        """Path and query as they stood on the request line: what is signed."""
        return f"{self.path}?{self.query_string}" if self.query_string else self.path


class Response(NamedTuple):
    """One reply, ready to be sent. `fate` and `delay_ns` are for faults (see `misbehaviour.requests`): what becomes of it instead
    of being sent, and how much later it is sent."""

    status: int
    headers: dict[str, str]
    body: bytes
    fate: str = ""
    delay_ns: int = 0

    @property
    def text(self) -> str:
        return self.body.decode("utf-8")

    def json(self) -> Any:
        """The body as plain Python values (for tests and for the doors without sockets)."""
        return json.loads(self.text)


JSON_TYPE = "application/json; charset=utf-8"


def reply(status: int, value: Any, headers: dict[str, str] | None = None) -> Response:
    """A JSON reply. `value` None is `null`: that is how every official description has `POST /user/logout` answer."""
    out = dict(headers or {})
    out["Content-Type"] = JSON_TYPE
    return Response(status, out, dumps(value).encode("ascii"))


def _pairs(text: str) -> Params:
    out: Params = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        if name.endswith("[]"):
            name = name[:-2]
        if name in out:
            before = out[name]
            out[name] = (before if isinstance(before, list) else [before]) + [value]
        else:
            out[name] = value
    return out


def params(request: Request) -> Params:
    """All arguments of a request. Raises ApiError 400 for a body that cannot be read."""
    try:
        out = _pairs(request.query_string)
        if not request.body:
            return out
        text = request.body.decode("utf-8")
        if "json" in request.headers.get("content-type", "") or text.lstrip()[:1] in "{[":
            sent = loads(text) if text.strip() else {}
        else:
            sent = _pairs(text)
    except (UnicodeDecodeError, ValueError):
        raise errors.bad_request("Unable to parse the request body.") from None
    if sent is None:
        return out
    if not isinstance(sent, dict):
        raise errors.bad_request("Unable to parse the request body.")
    out.update(sent)
    return out


def _absent(value: Any) -> bool:
    return value is None or value == ""


def text(args: Mapping[str, Any], name: str, limit: int = 0) -> str:
    """A string argument, "" when absent. Raises 400 when it is not a string or is longer than `limit`."""
    value = args.get(name)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise errors.bad_request(f"Invalid {name}")
    value = str(value)
    if limit and len(value) > limit:
        raise errors.bad_request(f"Invalid {name}")
    return value


def number(args: Mapping[str, Any], name: str) -> Decimal | None:
    """A number argument as Decimal, None when absent. Raises 400 when it is no finite number of sensible size."""
    value = args.get(name)
    if _absent(value):
        return None
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise errors.invalid(name)
    try:
        if isinstance(value, int) and abs(value) >= 10**MAX_EXPONENT:
            raise errors.invalid(name)
        out = Decimal(value.strip() if isinstance(value, str) else value)
    except (InvalidOperation, ValueError):
        raise errors.invalid(name) from None
    if not out.is_finite() or (out and not -MAX_EXPONENT < out.adjusted() < MAX_EXPONENT):
        raise errors.invalid(name)
    return out


def integer(args: Mapping[str, Any], name: str) -> int | None:
    """A whole number, None when absent. Raises 400 for a fraction."""
    value = number(args, name)
    if value is None:
        return None
    if value != value.to_integral_value():
        raise errors.invalid(name)
    return int(value)


def flag(args: Mapping[str, Any], name: str, default: bool) -> bool:
    """A boolean argument: true, "true", 1, "1" and their opposites."""
    value = args.get(name)
    if _absent(value):
        return default
    word = str(value).strip().lower()
    if word in ("true", "1"):
        return True
    if word in ("false", "0"):
        return False
    raise errors.invalid(name)


def items(args: Mapping[str, Any], name: str) -> list[str]:
    """One or many strings: an array, a JSON array as text, or a comma list."""
    value: str | list[Any] | None = args.get(name)
    if _absent(value):
        return []
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = loads(value)
        except ValueError:
            raise errors.bad_request(f"Invalid {name}") from None
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    if isinstance(value, (list, tuple)) and all(isinstance(v, str) for v in value):
        return [v for v in value if v]
    raise errors.bad_request(f"Invalid {name}")
