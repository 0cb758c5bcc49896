"""Misbehaviour on demand: what can go wrong, whether it does now, and how often it did.

Theory of operation. `FAULTS` is the catalogue: a record per fault, with its meaning and its parameters. A venue owns one `Faults`,
the switchboard. Arming a fault makes an `Armed`, which says when it strikes: as often as `times`, for `for_s` seconds of the
venue's time, with a `probability`, on requests of a `path`, a `verb` or an `account`, on messages of a `table`. What a fault does when
it strikes is in `misbehaviour`: `requests` (the REST door and the handshake), `messages` (the realtime door), `states` (the venue and
its market).

Rules
* Nothing is armed unless somebody arms it; then a door asks one attribute and goes on as always.
* Each strike is counted once, in `counts` by name and in the `Armed` that made it; counters outlive the arming.
* Chance is drawn from generators seeded by the venue's seed, one for each arming: the same run has the same faults.
* An arming ends by itself after `times` strikes or `for_s` seconds; without either it lasts until it is disarmed. What a fault
  holds back (stalled messages, a closed market) is set right when it ends.
* What cannot be armed raises `BadFault` with one line that says why, and changes nothing.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from difflib import get_close_matches
from random import Random
from typing import Any, NamedTuple

from .misbehaviour import messages, requests, states
from .misbehaviour.catalogue import FAULTS, MESSAGE, REQUEST, STATE, BadFault, Fault, Param, read
from .wire.encode import SECOND

__all__ = ["FAULTS", "Armed", "BadFault", "Fault", "Faults", "Param", "Strike"]
BY_NAME = {fault.name: fault for fault in FAULTS}
KEPT = 10_000


class Strike(NamedTuple):
    """What happened: venue time (ns), fault, and to what (a request's verb and path, a table, a symbol)."""

    time: int
    name: str
    what: str


class Armed:
    """A fault that waits or is under way. `values` are the fault's own parameters, all of them."""

    def __init__(self, id: int, fault: Fault, common: dict[str, Any], values: dict[str, Any], rng: Random, end: int | None):
        self.id = id
        self.fault = fault
        self.name = fault.name
        self.values = values
        self.times: int | None = common["times"]
        self.probability: float = common["probability"]
        self.path: str | None = common["path"]
        self.verb: str | None = common["verb"]
        self.table: str | None = common["table"]
        self.account: int | None = common["account"]
        self.rng = rng
        self.end = end
        self.count = 0
        self.over = False
        self.kept: Any = None  # what the effect wants to remember until it ends

    def row(self) -> dict[str, Any]:
        """As the control door shows it."""
        row: dict[str, Any] = {"id": self.id, "fault": self.name, "count": self.count}
        for name in ("times", "path", "verb", "table", "account"):
            if getattr(self, name) is not None:
                row[name] = getattr(self, name)
        if self.probability < 1:
            row["probability"] = self.probability
        return {**row, **self.values}

    def covers(self, verb: str, path: str, account: int | None) -> bool:
        """Whether a request is one that this arming is about."""
        if self.verb is not None and self.verb != verb:
            return False
        if self.path is not None and self.path != path:
            return False
        return self.account is None or self.account == account


class Faults:
    """The switchboard of a venue. `requests` and `messages` are the armings that the doors have to ask (often none).

    `counts` is how often each fault has struck; `log` the newest strikes.
    """

    def __init__(self, venue: Any, seed: int = 0) -> None:
        self.venue = venue
        self.seed = seed
        self.requests: list[Armed] = []
        self.messages: list[Armed] = []
        self.states: list[Armed] = []
        self.counts: Counter[str] = Counter()
        self.log: deque[Strike] = deque(maxlen=KEPT)
        self.on_change: list[Callable[[], None]] = []
        self._made = 0

    # ---- arming

    def arm(self, name: str, /, **settings: Any) -> Armed:
        """Arm a fault; parameters by name (see `FAULTS` and `COMMON`). Raises BadFault."""
        fault = BY_NAME.get(name) if isinstance(name, str) else None
        if fault is None:
            raise BadFault(f"unknown fault {name!r}{_near(name)}")
        common, values = read(fault, settings)
        self._check(fault, common, values)
        self._made += 1
        now = self.venue.now
        end = now + round(common["for_s"] * SECOND) if common["for_s"] is not None else None
        rng = Random(f"{self.seed}/{self._made}/{fault.name}")
        armed = Armed(self._made, fault, common, values, rng, end)
        if end is not None:
            self.venue.agenda.add(end, lambda time: self.disarm(armed))
        if fault.kind == REQUEST:
            self.requests.append(armed)
        elif fault.kind == MESSAGE:
            self.messages.append(armed)
            messages.begin(self.venue, armed)
        else:
            self.states.append(armed)
            try:
                states.begin(self.venue, armed)
            except ValueError as problem:
                self.states.remove(armed)
                armed.over = True
                raise BadFault(f"{fault.name}: {problem}") from None
        self._changed()
        return armed

    def _check(self, fault: Fault, common: dict[str, Any], values: dict[str, Any]) -> None:
        states.check(self.venue, fault, values)
        if common["table"] is not None and common["table"] not in self.venue.rows.tables:
            raise BadFault(f"{fault.name}: there is no table {common['table']!r}")
        if common["account"] is not None and common["account"] not in self.venue.exchange.accounts:
            raise BadFault(f"{fault.name}: there is no account {common['account']}")

    def disarm(self, armed: Armed) -> None:
        """End an arming; what it held back is set right. Safe to call again."""
        if armed.over:
            return
        armed.over = True
        for kept in (self.requests, self.messages, self.states):
            if armed in kept:
                kept.remove(armed)
        if armed.fault.kind == MESSAGE:
            messages.end(self.venue, armed)
        elif armed.fault.kind == STATE:
            states.end(self.venue, armed)
        self._changed()

    def disarm_all(self, name: str | None = None) -> int:
        """Disarm every arming (of one fault); returns how many."""
        gone = [armed for armed in self.armed() if name is None or armed.name == name]
        for armed in gone:
            self.disarm(armed)
        return len(gone)

    def armed(self) -> list[Armed]:
        """What waits or is under way, oldest first."""
        return sorted([*self.requests, *self.messages, *self.states], key=lambda armed: armed.id)

    def _changed(self) -> None:
        for tell in list(self.on_change):
            tell()

    # ---- striking

    def strikes(self, armed: Armed, what: str) -> bool:
        """Whether an arming that covers this strikes now; if so it is counted, and ends when it was the last time."""
        if armed.over or (armed.probability < 1 and armed.rng.random() >= armed.probability):
            return False
        self.count(armed, what)
        return True

    def count(self, armed: Armed, what: str) -> None:
        """Count a strike; the last one ends the arming (a message or state fault ends itself, when it is through)."""
        armed.count += 1
        self.counts[armed.name] += 1
        self.log.append(Strike(self.venue.now, armed.name, what))
        if armed.times is not None and armed.count >= armed.times and armed.fault.kind == REQUEST:
            self.disarm(armed)

    @property
    def port_closed(self) -> Armed | None:
        """The arming because of which nobody at all may connect (a `refuse_connections` without conditions), if any."""
        for armed in self.requests:
            open_to_some = armed.path or armed.verb or armed.account is not None
            if armed.name == "refuse_connections" and armed.times is None and armed.probability >= 1 and not open_to_some:
                return armed
        return None

    def is_on(self, name: str) -> bool:
        """Whether a fault is armed now."""
        return any(armed.name == name for armed in self.armed())

    # ---- looking

    def rows(self) -> list[dict[str, Any]]:
        """The catalogue with counters and armings, for the control door."""
        armed = self.armed()
        return [
            {
                "fault": fault.name,
                "kind": fault.kind,
                "meaning": fault.meaning,
                "parameters": {p.name: {"default": p.default, "meaning": p.meaning} for p in fault.params},
                "count": self.counts[fault.name],
                "armed": [one.row() for one in armed if one.fault is fault],
            }
            for fault in FAULTS
        ]

    def arrival_delay(self, request: Any) -> int:
        """Nanoseconds by which a request comes late (`slow_request`), 0 for most. Asked by the doors, once a request."""
        return requests.arrival_delay(self, request)


def _near(name: Any) -> str:
    close = get_close_matches(str(name), BY_NAME, 1)
    return f"; did you mean {close[0]!r}?" if close else ""
