"""What faults do to the messages of a realtime session.

Theory of operation. While faults of messages are armed, each session has a `Line`, through which everything goes that the venue
has to say. The line lets a frame pass, holds it, says it twice, or breaks. When the last such fault has ended and nothing is held
any more, the line is taken away.

Rules
* Only messages of tables are delayed, doubled, reordered, stalled or spoilt; a welcome, an answer and a pong are not.
* Messages of one table stay in order among themselves, whatever is held.
* A message that is struck by several faults suffers the oldest of them.
* A session that has ended says nothing that was held for it.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from ..wire.encode import MILLISECOND, dumps

PREFIX = '{"table":"'
BROKEN = "the line broke"
NO_CLOSE_FRAME = 1006
AT_ONCE = frozenset(("drop_socket", "half_open_socket", "second_partial"))


def table_of(text: str) -> str | None:
    """The table of a message; None for other frames."""
    if not text.startswith(PREFIX):
        return None
    return text[len(PREFIX) : text.index('"', len(PREFIX))]


class Line:
    """What lies between the venue and one session."""

    def __init__(self, session: Any) -> None:
        self.session = session
        self.venue = session.venue
        self.stalled: deque[tuple[Any, str, str]] = deque()  # arming, table, text
        self.late: dict[str, deque[tuple[int, str]]] = {}  # by table: (when, text)
        self.waiting: tuple[str, str] | None = None  # a message (table, text) that lets another one overtake it

    @property
    def is_clear(self) -> bool:
        return not self.stalled and not self.late and self.waiting is None

    def carry(self, text: str) -> None:
        """A frame on its way to the client."""
        session = self.session
        table = table_of(text)
        if table is None:
            session.deliver(text)
            return
        armed = self._struck(table, text)
        if armed is None:
            self.forward(table, text)
            return
        getattr(self, "_" + armed.name)(armed, table, text)
        finish(self.venue, armed)

    def forward(self, table: str, text: str) -> None:
        """Deliver behind whatever of this table is held."""
        if table in self.late:
            self.late[table].append((self.late[table][-1][0], text))
        elif any(held == table for _, held, _ in self.stalled):
            self.stalled.append((None, table, text))
        elif self.waiting is not None and self.waiting[0] == table:
            waiting, self.waiting = self.waiting, None
            self.session.deliver(waiting[1])
            self.session.deliver(text)
        else:
            self.session.deliver(text)
            self.overtaken()

    def overtaken(self) -> None:
        """Say what has waited long enough."""
        if self.waiting is not None:
            waiting, self.waiting = self.waiting, None
            self.session.deliver(waiting[1])
        self.tidy()

    def tidy(self) -> None:
        """Be taken away when there is nothing to do."""
        if self.is_clear and not self.venue.faults.messages and self.session.line is self:
            self.session.line = None

    def _struck(self, table: str, text: str) -> Any:
        faults = self.venue.faults
        identity = self.session.identity
        account = identity.account_id if identity is not None else None
        for armed in list(faults.messages):
            if armed.values.get("at_once") or armed.name == "update_before_partial":
                continue
            if armed.table not in (None, table) or armed.account not in (None, account):
                continue
            if armed.name == "second_partial" and '"action":"partial"' in text[:60]:
                continue
            if faults.strikes(armed, table):
                return armed
        return None

    # ---- one effect each

    def _drop_socket(self, armed: Any, table: str, text: str) -> None:
        drop(self.session, armed)

    def _half_open_socket(self, armed: Any, table: str, text: str) -> None:
        deafen(self.session, armed)

    def _stall_table(self, armed: Any, table: str, text: str) -> None:
        if not armed.values["lose"]:
            self.stalled.append((armed, table, text))

    def _delay_messages(self, armed: Any, table: str, text: str) -> None:
        due = self.venue.now + armed.values["delay_ms"] * MILLISECOND
        queue = self.late.setdefault(table, deque())
        if queue:
            due = max(due, queue[-1][0])
        queue.append((due, text))
        self.venue.agenda.add(due, self._on_time)

    def _on_time(self, time: int) -> None:
        for table, queue in list(self.late.items()):
            while queue and queue[0][0] <= time:
                self.session.deliver(queue.popleft()[1])
            if not queue:
                del self.late[table]
        self.tidy()

    def _duplicate_messages(self, armed: Any, table: str, text: str) -> None:
        self.forward(table, text)
        self.forward(table, text)

    def _reorder_messages(self, armed: Any, table: str, text: str) -> None:
        if self.waiting is not None or table in self.late:
            self.forward(table, text)
            return
        self.waiting = kept = (table, text)
        due = self.venue.now + armed.values["within_ms"] * MILLISECOND
        self.venue.agenda.add(due, lambda time: self.overtaken() if self.waiting is kept else None)

    def _second_partial(self, armed: Any, table: str, text: str) -> None:
        self.forward(table, text)
        self.venue.hub.again.setdefault(self.session, set()).add(table)

    def _malformed_json(self, armed: Any, table: str, text: str) -> None:
        self.session.deliver(text[: len(text) * 2 // 3])
        if not armed.values["instead"]:
            self.forward(table, text)


# ---- arming and disarming


def attach(session: Any) -> None:
    """Give a session its line."""
    if session.line is None:
        session.line = Line(session)


def begin(venue: Any, armed: Any) -> None:
    """A fault of messages is armed: every session gets a line; what is to happen at once happens."""
    if not armed.values.get("at_once"):
        for session in list(venue.sessions):
            attach(session)
        return
    for session in _sessions(venue, armed):
        if armed.name == "second_partial":
            for table in session.repeat(armed.table):
                venue.faults.count(armed, table)
        elif venue.faults.strikes(armed, "socket"):
            drop(session, armed) if armed.name == "drop_socket" else deafen(session, armed)
    if armed.name != "half_open_socket" or armed.end is None and not armed.kept:
        venue.faults.disarm(armed)


def end(venue: Any, armed: Any) -> None:
    """A fault of messages has ended: what it held back goes out."""
    for session in armed.kept or ():
        session.close_code = NO_CLOSE_FRAME
        session.close(BROKEN)
    for session in list(venue.sessions):
        line = session.line
        if line is None:
            continue
        if armed.name == "stall_table":
            held, line.stalled = line.stalled, deque()
            for owner, table, text in held:
                if owner is not None and owner is not armed:
                    line.stalled.append((owner, table, text))
                else:
                    line.forward(table, text)
        line.tidy()


def finish(venue: Any, armed: Any) -> None:
    """End an arming that has struck for the last time."""
    if armed.times is not None and armed.count >= armed.times and armed.name != "half_open_socket":
        venue.faults.disarm(armed)


def before_partial(session: Any, table: str, image: dict[str, Any]) -> None:
    """`update_before_partial`: a subscription of this session is about to get its partial."""
    faults = session.venue.faults
    account = session.identity.account_id if session.identity is not None else None
    for armed in list(faults.messages):
        if armed.name != "update_before_partial" or armed.table not in (None, table) or armed.account not in (None, account):
            continue
        if faults.strikes(armed, table):
            action = "update" if image["keys"] else "insert"
            session.deliver(dumps({"table": table, "action": action, "data": image["data"][:1]}))
            finish(session.venue, armed)


def drop(session: Any, armed: Any) -> None:
    """Break a socket."""
    session.close_code = armed.values["code"]
    session.close(BROKEN)


def deafen(session: Any, armed: Any) -> None:
    """Make a socket silent; it breaks when the fault ends."""
    session.half_open = True
    armed.kept = [*(armed.kept or ()), session]


def _sessions(venue: Any, armed: Any) -> list[Any]:
    """Whom a fault that happens at once is about."""
    out = []
    for session in list(venue.sessions):
        account = session.identity.account_id if session.identity is not None else None
        tables = {name for name, _, _ in session.topics.values()}
        if armed.account in (None, account) and (armed.table is None or armed.table in tables):
            out.append(session)
    return out
