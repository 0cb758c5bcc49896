"""Commands as text and back: `["Place", 100001, "XBTUSD", 1, 10, ...]`, the fields in the order of the record.

Rule: reading gives a record equal to the one written. A record that was written before fields were added at its end is read
with their defaults.
"""

from __future__ import annotations

import json
from typing import Any

from ..engine import commands

KINDS = {name: kind for name, kind in vars(commands).items() if isinstance(kind, type) and hasattr(kind, "_fields")}
NESTED = {"PlaceBulk": commands.Place, "AmendBulk": commands.Amend}
_dumps = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


def encode(command: Any) -> str:
    return _dumps((type(command).__name__, *command))


def decode(text: str) -> Any:
    """The command. Raises ValueError for text that is none."""
    try:
        name, *fields = json.loads(text)
        if name in NESTED:
            fields[1] = [NESTED[name](*map(_frozen, item)) for item in fields[1]]
        return KINDS[name](*map(_frozen, fields))
    except (KeyError, TypeError, IndexError) as problem:
        raise ValueError(f"not a command: {text[:100]}") from problem


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
