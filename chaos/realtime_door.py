"""The realtime door of an in-process venue, with faults.

Rules:

* Messages of one table keep their order, however late they come; between tables there is none to rely on.
* A line that breaks loses what was on its way.
* A line that is silent for ever stays open until the client gives it up.
"""

from __future__ import annotations

import heapq
from collections import deque

from bitmex_venue.inprocess import VenueFeed
from bitmex_venue.wire.encode import SECOND

REMEMBERED = 30
STRANGE = {
    "malformed frame": '{"table":"order","action":"update","data":[{"orderID":"00000000-0000',
    "page instead of a frame": "<html><body><h1>502 Bad Gateway</h1></body></html>",
    "unknown table": '{"table":"weather","action":"insert","data":[{"symbol":"XBTUSD"}]}',
    "update of an unknown row": '{"table":"order","action":"update","data":[{"orderID":"nobody","ordStatus":"Filled","leavesQty":0,"symbol":"XBTUSD"}]}',
    "rows that make no sense": '{"table":"order","action":"update","data":[null,7,{"leavesQty":"many"},{"orderID":null}]}',
    "error frame": '{"status":400,"error":"Unrecognized request.","meta":{},"request":"what"}',
}


class RealtimeDoor(VenueFeed):
    """A feed as `VenueFeed` is one."""

    def __init__(self, venue, mischief):
        super().__init__(venue)
        self.mischief = mischief
        self.connections = 0
        self._late = []  # (due, number, text)
        self._number = 0
        self._last_due, self._lag, self._stalled_until = {}, {}, 0
        self._remembered = deque(maxlen=REMEMBERED)
        self._is_deaf = False
        self._break_after = None
        self._refusals = 0
        self._replay = []

    def start(self, url, header, listener):
        self.close()
        if self._refusals:
            self._refusals = max(0, self._refusals - 1)
            listener.on_close("the handshake was refused", 503)
            return
        self._late, self._last_due, self._lag = [], {}, {}
        self._stalled_until, self._is_deaf = 0, False
        self.connections += 1
        super().start(url, header, listener)

    def send(self, text):
        if not self._is_deaf:
            super().send(text)

    def pump(self):
        session = self._session
        if session is None or self._pumping:
            return
        self._pumping = True
        try:
            while self._session is session:
                for text in session.take_outgoing():
                    self._arrives(text)
                    if self._session is not session:
                        return
                if not self._late or self._late[0][0] > self.venue.now:
                    break
                self._hand_over(heapq.heappop(self._late)[2])
        finally:
            self._pumping = False
        if self._session is session and session.closed is not None and not self._is_deaf:
            self._break(session.closed)

    def _hand_over(self, text):
        if text.startswith('{"table"') and self._replay:
            waiting, self._replay = self._replay, []
            for old in waiting:
                self._listener.on_message(old)
        self._listener.on_message(text)
        if self._break_after is not None and '"partial"' in text[:60]:
            self._break_after -= 1
            if self._break_after <= 0:
                self._break_after = None
                self._break("the line broke during the images")

    def _arrives(self, text):
        table = table_of(text)
        if self._is_deaf:
            return
        fault = self.mischief.for_message(table) if table else None
        if fault is not None and self._spoil(fault, table, text):
            return
        if table and '"partial"' not in text[:60]:
            self._remembered.append(text)
        self._schedule(table, text)

    def _schedule(self, table, text, later=0):
        due = max(self.venue.now + self._lag.get(table, 0), self._stalled_until, self._last_due.get(table, 0)) + later
        if not later:
            self._last_due[table] = due
        self._number += 1
        heapq.heappush(self._late, (due, self._number, text))

    def _spoil(self, fault, table, text):
        """Whether the message itself must not go on."""
        draw = self.mischief.random
        if fault in STRANGE:
            self._schedule(table, STRANGE[fault])
        elif fault == "message twice":
            self._schedule(table, text)
        elif fault == "message twice, the second late":
            self._schedule(table, text, round(draw.uniform(0.1, 4) * SECOND))
        elif fault == "table delayed":
            self._lag[table] = round(draw.choice((0, draw.uniform(0.1, 4))) * SECOND)
        elif fault == "message missing":
            return True
        elif fault == "second partial":
            self._ask_again(table)
        else:
            return self._spoil_line(fault, draw)
        return False

    def _ask_again(self, table):
        for topic in [str(topic) for topic in self._session.topics]:
            if topic.partition(":")[0] == table:
                self._session.receive('{"op":"unsubscribe","args":["%s"]}' % topic)
                self._session.receive('{"op":"subscribe","args":["%s"]}' % topic)

    def _spoil_line(self, fault, draw):
        if fault == "stall":
            self._stalled_until = self.venue.now + round(draw.uniform(1, 20) * SECOND)
            return False
        if fault == "silence for ever":
            self._is_deaf = True
            return True
        if fault == "line breaks during the images":
            self._break_after = draw.randrange(1, 8)
        elif fault == "reconnect refused":
            self._refusals = draw.randrange(1, 4)
        elif fault == "updates before partials":
            self._replay = list(self._remembered)
        self._break("the line broke")
        return True

    def _break(self, reason):
        listener, session = self._listener, self._session
        self._forget()
        if session is not None:
            session.close("the line broke")
        listener.on_close(reason)


def table_of(text):
    """The table that a message is about, '' for none."""
    return text[10 : text.find('"', 10)] if text.startswith('{"table":"') else ""
