"""Text for the wire: time stamps, numbers and JSON.

Rules: times are UTC with milliseconds and a `Z`; a price off the tick grid is an integer of 1e-8 divided once, so that the
shortest float that a client reads back is the decimal that was meant; JSON has no blanks and is pure ASCII, so that
nothing a client stored can break an encoder.
"""

from __future__ import annotations

import json
import time
from calendar import timegm
from datetime import date, datetime, timezone
from decimal import Decimal
from functools import lru_cache
from typing import Any

SECOND = 1_000_000_000
MILLISECOND = 1_000_000
E8 = 100_000_000



def _other(value: Any) -> Any:
    """A Decimal that a client sent and is shown again."""
    if isinstance(value, Decimal):
        near = float(value)
        return near if abs(near) < 1e300 else str(value)
    raise TypeError(f"not for the wire: {type(value).__name__}")


_encoder = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True, allow_nan=False, default=_other)


@lru_cache(maxsize=4096)
def _whole_second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


def iso(ns: int) -> str:
    """Nanoseconds since the epoch as `2018-08-19T07:08:21.774Z` (cut, not rounded)."""
    seconds, rest = divmod(ns, SECOND)
    return f"{_whole_second(seconds)}.{rest // MILLISECOND:03d}Z"


def http_date(ns: int) -> str:
    """The value of a `Date` header."""
    return time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(ns // SECOND))


def parse_time(text: str) -> int:
    """Nanoseconds of an ISO 8601 date or time; without a zone it is UTC. Raises ValueError."""
    text = text.strip()
    if len(text) < 8:
        raise ValueError(text)
    if text[-1:] in "Zz":
        text = text[:-1] + "+00:00"
    elif "T" in text and " " in text:  # a plus sign that nobody quoted
        text = text.replace(" ", "+")
    head, dot, tail = text.partition(".")
    if dot:  # datetime.fromisoformat of Python 3.10 wants three or six digits
        digits = len(tail) - len(tail.lstrip("0123456789"))
        text = head + "." + tail[:digits][:6].ljust(6, "0") + tail[digits:]
    if len(text) == 10:
        moment = datetime.combine(date.fromisoformat(text), datetime.min.time())
    else:
        moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return timegm(moment.utctimetuple()) * SECOND + moment.microsecond * 1000


def from_e8(value: int | None) -> float | None:
    """A number kept as an integer of 1e-8."""
    return None if value is None else value / E8


def whole(value: Any) -> Any:
    """6370.0 becomes 6370, as JavaScript writes it; anything else stays."""
    if type(value) is float and value.is_integer() and abs(value) < 1e15:
        return int(value)
    return value


def dumps(value: Any) -> str:
    """Compact JSON."""
    return _encoder.encode(value)


def _no_constant(name: str) -> None:
    raise ValueError(name)


def loads(text: str) -> Any:
    """JSON of a client: fractions come as Decimal, NaN and Infinity are refused. Raises ValueError."""
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None
