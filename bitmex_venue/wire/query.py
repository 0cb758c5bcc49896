"""The query language of the reading routes: filter, columns, count, start, reverse, startTime, endTime.

Rules (bitmex-api.md 3.9)
* Oldest first unless `reverse`; `start` rows of those that match are skipped; `count` is cut to the route's cap.
* `filter` is JSON; a list of values means any of them; `{"open": true}` are live orders (false is refused);
  `ordStatus.isTerminated` tells live from ended ones; `column.time`, `.date`, `.hh`, `.minute`, `.ww` are parts of a time stamp.
* `columns` is a JSON array or a comma list; key columns are always returned.
* `startTime` and `endTime` include their own instant; they may stand in the filter too.

Known differences: `.ww` is the weekday with Saturday 0, as in the venue's data base. A filter on a column that the table
does not have is refused; so is one on an unknown part of a time stamp. A `count` above the cap is cut without a word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any, NamedTuple

from . import errors, http
from .encode import SECOND, loads, parse_time

LIVE_STATES = frozenset(
    ("New", "PartiallyFilled", "Untriggered", "Triggered", "PendingNew", "PendingReplace", "PendingCancel")
)
Row = dict[str, Any]
Test = Callable[[Row], bool]


class Query(NamedTuple):
    """What a reading route was asked for. Times in nanoseconds, None where open."""

    symbol: str
    tests: tuple[Test, ...]
    columns: tuple[str, ...]  # empty: all
    count: int
    start: int
    reverse: bool
    start_time: int | None
    end_time: int | None
    live_only: bool  # the filter lets only live orders through

    def matches(self, row: Row) -> bool:
        return all(test(row) for test in self.tests)

    def wants_time(self, ns: int) -> bool:
        if self.start_time is not None and ns < self.start_time:
            return False
        return self.end_time is None or ns <= self.end_time


def parse(
    args: Mapping[str, Any],
    columns: Iterable[str],
    max_count: int = 500,
    default_count: int = 100,
    default_reverse: bool = False,
) -> Query:
    """Read the arguments of a route over a table with these `columns`. Raises ApiError 400."""
    known = frozenset(columns)
    count = _size(args, "count", default_count)
    start = _size(args, "start", 0)
    conditions = _conditions(args.get("filter"))
    window = {
        name: _time(conditions.pop(name, None) if args.get(name) in (None, "") else args.get(name), name)
        for name in ("startTime", "endTime")
    }
    symbol = http.text(args, "symbol")
    if not symbol and isinstance(conditions.get("symbol"), str):
        symbol = conditions.pop("symbol")
    wanted = http.items(args, "columns")
    if any(name not in known for name in wanted):
        raise errors.bad_request("columns not valid")
    tests = tuple(_test(name, value, known) for name, value in conditions.items())
    live_only = "open" in conditions or conditions.get("ordStatus.isTerminated") in (False, "false")
    return Query(
        symbol=symbol,
        tests=tests,
        columns=tuple(wanted),
        count=min(count, max_count),
        start=start,
        reverse=http.flag(args, "reverse", default_reverse),
        start_time=window["startTime"],
        end_time=window["endTime"],
        live_only=live_only and "ordStatus" in known,
    )


def select(rows: Iterable[Row], query: Query, keys: Sequence[str] = ()) -> list[Row]:
    """The rows asked for, out of rows already in the order asked for. Reads no further than it must."""
    out: list[Row] = []
    skip = query.start
    if query.count == 0:
        return out
    for row in rows:
        if query.tests and not query.matches(row):
            continue
        if skip:
            skip -= 1
            continue
        out.append(_cut(row, query.columns, keys) if query.columns else row)
        if len(out) >= query.count:
            break
    return out


def directed(records: Sequence[Any], reverse: bool) -> Iterator[Any]:
    """The records from the end asked for."""
    return reversed(records) if reverse else iter(records)


def _cut(row: Row, columns: Sequence[str], keys: Sequence[str]) -> Row:
    return {name: value for name, value in row.items() if name in columns or name in keys}


def _size(args: Mapping[str, Any], name: str, default: int) -> int:
    try:
        value = http.integer(args, name)
    except errors.ApiError:
        raise errors.bad_request(f"{name} not valid") from None
    if value is None:
        return default
    if value < 0:
        raise errors.bad_request(f"{name} not valid")
    return value


def _time(value: Any, name: str) -> int | None:
    if value in (None, ""):
        return None
    try:
        if isinstance(value, str):
            return parse_time(value)
    except (ValueError, OverflowError):
        pass
    raise errors.bad_request(f"{name} not valid")


def _conditions(value: Any) -> dict[str, Any]:
    if value in (None, ""):
        return {}
    if isinstance(value, str):
        try:
            value = loads(value)
        except ValueError:
            raise errors.bad_request("filter values not valid") from None
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise errors.bad_request("filter values not valid")
    return dict(value)


def _test(name: str, value: Any, known: frozenset) -> Test:
    """One condition of a filter as a function of a row."""
    if name == "open" and "ordStatus" in known:
        if value not in (True, "true"):
            raise errors.bad_request("filter values not valid")
        return lambda row: row.get("ordStatus") in LIVE_STATES
    column, dot, part = name.partition(".")
    if column not in known:
        raise errors.bad_request("filter columns not valid")
    wanted = value if isinstance(value, list) else [value]
    if any(isinstance(item, (dict, list)) for item in wanted):
        raise errors.bad_request("filter values not valid")
    if not dot:
        return _equals(column, wanted)
    if column == "ordStatus" and part == "isTerminated":
        ended = {item in (True, "true") for item in wanted}
        return lambda row: (row.get("ordStatus") not in LIVE_STATES) in ended
    if part in _PARTS:
        texts = {_normal_part(part, item) for item in wanted}
        return lambda row: _part_of(row.get(column), part) in texts
    raise errors.bad_request("filter columns not valid")


def _normal(value: Any) -> Any:
    """A value as it is compared: numbers by amount, truth apart from them, times by instant."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, (int, float, Decimal)):
        return float(value)
    text = str(value)
    if len(text) >= 19 and text[4:5] == "-" and text[10:11] in ("T", " "):
        try:
            return parse_time(text) // 1_000_000
        except ValueError:
            pass
    return text


def _equals(column: str, wanted: list[Any]) -> Test:
    values = set()
    for item in wanted:
        values.add(_normal(item))
        if isinstance(item, str) and item.replace(".", "", 1).lstrip("-").isdigit():
            values.add(float(item))  # numbers may come as strings
    empty = None in values or "" in values

    def test(row: Row) -> bool:
        value = row.get(column)
        if value is None or value == "":
            return empty
        return _normal(value) in values

    return test


_PARTS = ("time", "date", "hh", "minute", "ww", "dd", "month", "year")


def _normal_part(part: str, value: Any) -> Any:
    if part == "time":
        text = str(value)
        return text + ":00" if text.count(":") == 1 else text.partition(".")[0]
    if part in ("date", "month", "minute"):
        return str(value)
    try:
        return int(value)
    except (TypeError, ValueError):
        raise errors.bad_request("filter values not valid") from None


def _part_of(stamp: Any, part: str) -> Any:
    if not isinstance(stamp, str):
        return None
    if part == "time":
        return stamp[11:19]
    if part == "minute":
        return stamp[11:16]
    if part == "date":
        return stamp[:10]
    if part == "month":
        return stamp[:7]
    if part == "hh":
        return int(stamp[11:13])
    if part == "dd":
        return int(stamp[8:10])
    if part == "year":
        return int(stamp[:4])
    day = datetime.fromtimestamp(parse_time(stamp) // SECOND, timezone.utc)
    return (day.weekday() + 2) % 7
