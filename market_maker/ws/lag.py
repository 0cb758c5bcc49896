"""Pure: how far behind the venue its feed is, by the venue's own time stamps.

A feed can be alive and minutes behind: every message comes, all of them late, and the heartbeat says that all is well.

Rules:

* A message that was on its way for longer than the fastest of its connection is late by the difference. So it does not matter how far
  our clock is off, and a connection that is late from its first table on is measured by its welcome.
* A time stamp that is not newer says nothing: in a quiet market nothing is late. Images (partials) say nothing either.

Times are seconds of any clock that is never set back, and wire time stamps.
"""
from __future__ import absolute_import, division, print_function

from market_maker.utils import compat


class Lag(object):
    """Of one connection; `reset` begins another. Noting is cheap: the arithmetic is done when somebody asks."""

    def __init__(self):
        self.reset()

    def reset(self):
        self._least = None         # the shortest way so far, on top of the difference of the clocks
        self._latest = ''          # the newest time stamp
        self._pending = None       # (its time stamp, when it came)
        self._late = 0.0

    def welcome(self, seconds, now):
        """The venue's greeting, sent and received when the connection was made."""
        self._note(now - seconds)
        self._late = 0.0

    def note(self, stamp, now):
        """A row with this time stamp came."""
        if stamp and stamp > self._latest:
            self._latest, self._pending = stamp, (stamp, now)

    def seconds(self):
        """How late the newest message was."""
        if self._pending is not None:
            (stamp, now), self._pending = self._pending, None
            try:
                self._note(now - compat.seconds_of(stamp))
            except ValueError:
                self._latest = ''
        return self._late

    def _note(self, delay):
        self._least = delay if self._least is None else min(self._least, delay)
        self._late = delay - self._least
