"""How the wire says no: status, message and class, word for word (bitmex-api.md 1.6).

Rules: a REST error is always `{"error": {"message", "name"}}`; a realtime error is `{"status", "error", "meta", "request"}`;
a refused upgrade is an HTTP status with `{"error": "<text>"}`.

Known differences: the texts for a missing login, a wrong password, an unknown topic and an unreadable body were never
recorded; ours say what is wrong.
"""

from __future__ import annotations

from typing import Any

HTTP_ERROR = "HTTPError"
RATE_LIMIT_ERROR = "RateLimitError"


class ApiError(Exception):
    """A request that is refused: `status` and `message` are what the client reads, `headers` go out with them."""

    def __init__(self, status: int, message: str, name: str = HTTP_ERROR, headers: dict[str, str] | None = None):
        super().__init__(message)
        self.status = status
        self.message = message
        self.name = name
        self.headers = headers or {}


def body(message: str, name: str = HTTP_ERROR) -> dict[str, Any]:
    """The body of a REST error."""
    return {"error": {"message": message, "name": name}}


def realtime(status: int, message: str, request: Any, meta: dict[str, Any] | None = None) -> dict[str, Any]:
    """The frame of a realtime error."""
    return {"status": status, "error": message, "meta": meta or {}, "request": request}


def bad_request(message: str) -> ApiError:
    return ApiError(400, message)


def required(name: str) -> ApiError:
    """`name` was not sent."""
    if name == "orderQty":
        return ApiError(400, "orderQty is required")
    return ApiError(400, f"'{name}' is a required arg.")


def invalid(name: str) -> ApiError:
    """`name` is of the wrong kind (`orderQty is invalid`)."""
    return ApiError(400, f"{name} is invalid")


def not_found() -> ApiError:
    return ApiError(404, "Not Found")


def login_required() -> ApiError:
    return ApiError(401, "Authorization Required")


def invalid_key() -> ApiError:
    return ApiError(401, "Invalid API Key.")


def bad_signature() -> ApiError:
    return ApiError(401, "Signature not valid.")


def key_disabled() -> ApiError:
    return ApiError(403, "This key is disabled.")


def address_refused() -> ApiError:
    return ApiError(403, "This IP address is not allowed to use this key.")


def access_denied() -> ApiError:
    return ApiError(403, "Access Denied")


def expired(now_s: int) -> ApiError:
    """`api-expires` lies in the past; the text tells the server's clock, in unix seconds."""
    return ApiError(400, f"This request has expired - `expires` is in the past. Current time: {now_s}")


def stale_nonce(nonce: int, last: int) -> ApiError:
    return ApiError(400, f"Nonce is not increasing. This nonce: {nonce}, last nonce: {last}")


def rate_limited(retry_s: int) -> ApiError:
    """Too many requests; calling again is safe after `retry_s` seconds."""
    message = f"Rate limit exceeded, retry in {retry_s} seconds."
    return ApiError(429, message, RATE_LIMIT_ERROR, {"Retry-After": str(retry_s)})


def internal() -> ApiError:
    return ApiError(500, "Server Error", "Error")
