"""A real socket that a thread reads and the loop's own thread hears: what comes is applied between two looks, in an order that is known.

Rules:

* The thread of a connection only connects, reads, sends and notes when each frame came. It touches nothing of ours but a queue.
* `deliver` hands over what has come, with the time of its arrival: how long it lay in the queue makes nothing younger.
* While the loop is busy the thread keeps the line alive: after a silence it pings by itself.
  A line that died is replaced when the loop listens again, not before: until then nobody could have acted on what it says.
* What an abandoned connection still says is heard by nobody.
"""
from __future__ import absolute_import, division, print_function

from collections import deque

from market_maker.utils import compat, threads
from market_maker.ws.liveness import PING_AFTER_S

READ_LIMIT_S = 0.5
PING_BY_ITSELF_S = PING_AFTER_S + 1.0  # when the loop had reason to ping and did not
OPENED, CLOSED, TEXT, FAULT = 'opened', 'closed', 'text', 'fault'


class QueuedFeed(object):
    """make_line(url, header) -> a Line, or what can be used as one; inputs.heard(events) sees what it brought; wakeup.take_nudge() is
    called before that is looked at."""

    threaded = False

    def __init__(self, make_line, inputs, wakeup):
        self._make_line = make_line
        self._inputs = inputs
        self._wakeup = wakeup
        self._line = None

    def start(self, url, header, listener):
        """Begin to connect; returns at once. `deliver` will tell the listener how it went."""
        self._line = self._make_line(url, header)

    def deliver(self, listener):
        """Hand over what has come; the listener may close or start a connection meanwhile."""
        line = self._line
        self._wakeup.take_nudge()
        for event in self._inputs.heard(line.taken() if line is not None else []):
            if self._line is not line:
                return
            if event[0] == TEXT:
                listener.on_message(event[2], event[1])
            elif event[0] == OPENED:
                listener.on_open()
            else:
                self._line = line = None
                if event[0] == FAULT:
                    listener.on_fault(event[1])
                else:
                    listener.on_close(event[1], event[2])

    def send(self, text):
        """Send one text, soon."""
        if self._line is not None:
            self._line.outbox.append(text)

    def close(self):
        """Cut the connection. Calling again is harmless."""
        line, self._line = self._line, None
        if line is not None:
            line.abandon()


class Line(object):
    """One connection and its thread; feed -- a SocketFeed of its own; wakeup -- is nudged when something has come."""

    def __init__(self, feed, url, header, wakeup, monotonic=compat.monotonic):
        self.outbox = deque()          # texts to be sent
        self._inbox = deque()
        self._feed = feed
        self._wakeup = wakeup
        self._monotonic = monotonic
        self._is_abandoned = self._is_over = False
        self._heard_at = self._pinged_at = monotonic()
        threads.start(self._run, 'ws_thread', url, header)

    def taken(self):
        """What has come since the last time."""
        inbox, found = self._inbox, []
        while inbox:
            found.append(inbox.popleft())
        return found

    def abandon(self):
        """Cut it; its thread ends soon."""
        self._is_abandoned = True
        self._feed.close()

    def _run(self, url, header):
        try:
            self._feed.start(url, header, self)
            while not (self._is_over or self._is_abandoned):
                self._feed.read(READ_LIMIT_S, self)
                self._say()
        except Exception as error:  # noqa: B902 - whatever a venue sends, the loop is told and connects again
            self._put((FAULT, repr(error)))
        finally:
            self._feed.close()

    def _say(self):
        now = self._monotonic()
        while self.outbox:
            self._feed.send(self.outbox.popleft())
            self._pinged_at = now
        if now - max(self._heard_at, self._pinged_at) > PING_BY_ITSELF_S:
            self._pinged_at = now
            self._feed.send('ping')

    #
    # What the feed tells
    #
    def on_open(self):
        self._put((OPENED,))

    def on_message(self, text):
        self._heard_at = now = self._monotonic()
        self._put((TEXT, now, text))

    def on_close(self, reason, status=None):
        self._is_over = True
        self._put((CLOSED, reason, status))

    def _put(self, event):
        self._inbox.append(event)
        self._wakeup.nudge()
