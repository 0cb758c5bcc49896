"""What goes wrong, and when: drawn from a seed, and counted.

Rules:

* The same seed, share and kinds make the same mischief for the same run.
* Each draw is asked for by whoever can carry it out: the REST door, the realtime door, the venue. What is handed out is carried out.
* What the venue's own switches do (`armings`) it counts itself.
"""

from __future__ import annotations

import random
from collections import Counter

from chaos.armings import BY_KIND

REQUESTS = (
    "request refused", "request lost", "reply lost", "connection reset after acceptance", "request late", "slow reply", "502 before acceptance",
    "502 after acceptance", "504 after acceptance", "503 overloaded", "503 overloaded after acceptance", "503 page after acceptance",
    "429 with Retry-After", "429 without headers", "429 with wrong headers", "reply is no JSON", "reply is cut off", "reply is empty",
    "reply of another shape", "expired signature", "fill races the request", "cancel races the request",
)
TOKEN_REQUESTS = ("401 expired token",)  # only for who has logged in with an access token
LIGHT = (
    "message twice", "message twice, the second late", "table delayed", "message missing", "second partial", "malformed frame", "page instead of a frame",
    "unknown table", "update of an unknown row", "rows that make no sense", "error frame",
)
HEAVY = ("line breaks", "line breaks during the images", "stall", "silence for ever", "reconnect refused", "updates before partials")
EVENTS = ("all orders cancelled by the venue", *BY_KIND)
KINDS = REQUESTS + TOKEN_REQUESTS + LIGHT + HEAVY + EVENTS
PRIVATE = ("order", "position", "execution", "margin")


class Mischief:
    """Draws faults. `level` is the share of requests to which something happens; the rest is scaled from it. `kinds`: only these."""

    def __init__(self, seed, level, kinds=None, with_token=False):
        self.random = random.Random(f"mischief/{seed}")
        self.level = level
        self.injected = Counter()
        wanted = set(KINDS if kinds is None else kinds)
        self._requests = [kind for kind in REQUESTS + (TOKEN_REQUESTS if with_token else ()) if kind in wanted]
        self._light, self._heavy = [kind for kind in LIGHT if kind in wanted], [kind for kind in HEAVY if kind in wanted]
        self._events = [kind for kind in EVENTS if kind in wanted]

    def quieten(self):
        """Nothing more goes wrong."""
        self.level = 0.0

    def for_request(self, verb):
        """The fault of one request, or None. `verb` GET, POST, PUT or DELETE."""
        if not self._requests or self.random.random() >= self.level:
            return None
        kind = self.random.choice(self._requests)
        if verb == "GET" and "races" in kind:
            return None
        return self.drawn(kind)

    def for_message(self, table):
        """The fault of one realtime message, or None; messages about our orders have the larger share."""
        chance = self.random.random()
        if self._heavy and chance < self.level / 300:
            return self.drawn(self.random.choice(self._heavy))
        if self._light and chance < self.level / (5 if table in PRIVATE else 40):
            return self.drawn(self.random.choice(self._light))
        return None

    def next_event(self):
        """(seconds until something happens at the venue itself, what); (None, None) when nothing will."""
        if not self._events or not self.level:
            return None, None
        return self.random.uniform(4, 16) / max(self.level, 0.05) / 3, self.random.choice(self._events)

    def drawn(self, kind):
        """Count a fault that is injected now."""
        self.injected[kind] += 1
        return kind

    @property
    def total(self):
        return sum(self.injected.values())
