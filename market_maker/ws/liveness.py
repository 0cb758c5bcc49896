"""Pure: when to ping, when to call a socket dead, when to connect again.

Rules (bitmex-api.md 5.4):

* After 5 s without a message the bare text `ping` is sent; the venue answers with the bare text `pong`.
* After another 5 s of silence the socket is dead, however open it looks.
* A client that says nothing for 180 s is cut off, so `ping` is also sent when we have said nothing for a minute.
* A new socket that does not deliver its tables within the time limit is dead too. Before that those that are missing are asked for again,
  after 5 s and after twice as long each time.
* Attempts to connect are spaced by a back-off that doubles from half a second, with jitter, so that the clients of a venue that restarts
  do not all come at once; it starts over after a connection that was complete and lasted. It ends at QUICK_BACKOFF_S, since every second
  without a connection is one without quotes. But connections are counted, 20 to 60 an hour and more (bitmex-api.md 2.2): when only FEW are left
  of those that the venue's welcome spoke of, or of ALLOWANCE where it says nothing, it ends at LONGEST_BACKOFF_S. An attempt of which the
  venue never heard, since nobody could be reached there, is not counted.
"""
from __future__ import absolute_import, division, print_function

import json
from collections import deque

PING_AFTER_S = 5.0
DEAD_AFTER_S = 10.0
SPEAK_AFTER_S = 60.0
FIRST_BACKOFF_S = 0.5
QUICK_BACKOFF_S = 4.0
LONGEST_BACKOFF_S = 30.0
ALLOWANCE, HOUR_S = 20, 3600.0  # the fewest connections an hour that BitMEX ever granted
MODERN_ALLOWANCE = 60          # by a venue whose welcome has a limit without a figure (from 2026)
FEW = 5
STABLE_AFTER_S = 10.0          # a connection that was complete for this long was a good one
ASK_AGAIN_S = 5.0
AT_LEAST_S = {429: 30.0, 403: QUICK_BACKOFF_S}  # after too many attempts, and while the address is banned
NOT_REACHED = 0                # in place of an HTTP status: nobody was reached, so that the venue never heard of the attempt

# What to do.
NOTHING, PING, DROP, CONNECT, ASK = 'nothing', 'ping', 'drop', 'connect', 'ask'


class Liveness(object):
    """Times are seconds of a clock that is never set back; `random` returns a float in [0, 1).

    `last_message` is when the venue was last heard; whoever hears it sets it.
    """

    def __init__(self, random, image_limit=30.0):
        self._random = random
        self._image_limit = image_limit
        self._failures = 0
        self._attempts = deque()      # when those of the last hour ended
        self._left_said = None        # connections left by the venue's word, less those since
        self._allowance = ALLOWANCE
        self._open_since = None
        self._ask_at = None           # when missing tables are asked for again
        self.last_message = None
        self._pinged_after = None     # the message after which silence made us ping
        self._said_at = None          # when we last said something
        self._ready = False
        self._next_attempt = 0.0

    def opened(self, now):
        self._open_since = self.last_message = self._said_at = now
        self._pinged_after = None
        self._ready = False
        self._ask_at = now + ASK_AGAIN_S

    def ready(self):
        """All tables are there."""
        self._ready = True

    def welcomed(self, message):
        """The venue's greeting says how many more connections it grants now, or that it does not say."""
        limit = message.get('limit')
        left = (limit or {}).get('remaining')
        self._left_said = left if isinstance(left, int) else None
        self._allowance = MODERN_ALLOWANCE if limit == {} else ALLOWANCE

    def closed(self, now, status=None):
        """The socket is gone, or an attempt failed: with the HTTP status of a refusal, NOT_REACHED, or None."""
        was_heard = status != NOT_REACHED
        if self._open_since is not None and self._ready and now - self._open_since >= STABLE_AFTER_S:
            self._failures = 0
        self._open_since = None
        if was_heard:
            self._attempts.append(now)
        while self._attempts and now - self._attempts[0] >= HOUR_S:
            self._attempts.popleft()
        longest = QUICK_BACKOFF_S if self._left() > FEW and status != 403 else LONGEST_BACKOFF_S
        backoff = min(longest, FIRST_BACKOFF_S * 2 ** min(self._failures, 10))
        if was_heard and self._left_said is not None:
            self._left_said -= 1
        self._failures += 1
        self._next_attempt = now + max(AT_LEAST_S.get(status, 0.0), backoff * (0.5 + 0.5 * self._random()))

    def _left(self):
        return self._allowance - len(self._attempts) if self._left_said is None else self._left_said

    def decide(self, now):
        """One of NOTHING, PING, DROP, CONNECT, ASK. PING is said once per silence."""
        if self._open_since is None:
            return CONNECT if now >= self._next_attempt else NOTHING
        silent = now - self.last_message
        if silent >= DEAD_AFTER_S or (not self._ready and now - self._open_since >= self._image_limit):
            return DROP
        if not self._ready and now >= self._ask_at:
            self._ask_at = now + 2 * (self._ask_at - self._open_since)
            self._said_at = now
            return ASK
        if silent >= PING_AFTER_S and self._pinged_after != self.last_message:
            self._pinged_after = self.last_message
        elif now - self._said_at < SPEAK_AFTER_S:
            return NOTHING
        self._said_at = now
        return PING

    def next_look(self, now):
        """Seconds until `decide` may say something new."""
        if self._open_since is None:
            return max(0.0, self._next_attempt - now)
        due = self.last_message + (DEAD_AFTER_S if self._pinged_after == self.last_message else PING_AFTER_S)
        due = min(due, self._said_at + SPEAK_AFTER_S)
        if not self._ready:
            due = min(due, self._open_since + self._image_limit, self._ask_at)
        return max(0.0, due - now)

    def age(self, now):
        """Seconds since anything came; infinite when nothing is open or the tables are not complete."""
        return now - self.last_message if self._open_since is not None and self._ready else float('inf')


def asking(topics):
    """The texts that have a venue send the images of these topics again."""
    return ['{"op": "%s", "args": %s}' % (op, json.dumps(list(topics))) for op in ('unsubscribe', 'subscribe')]
