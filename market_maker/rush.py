"""Pure: not to place again and again, around one and the same touch, what is filled as soon as it is placed.

Where that happens the touch that we know is most likely an old one, and each new order is a loss.

Rules:

* Around a touch that stands still, MOST decisions within WINDOW_S may place orders; the next waits.
* A touch that moves ends it. Cancels and amends never wait for this.

Times are handed in, in seconds of a clock that is never set back.
"""
from __future__ import absolute_import, division, print_function

from collections import deque

MOST = 5
WINDOW_S = 5.0


class Rush(object):
    def __init__(self):
        self._touch = None
        self._placed_at = deque()
        self.is_on = False                 # whether something waits now

    def hold_back(self, plan, touch, now):
        """(the part of the plan that may be sent now, seconds until the rest may be, None without a rest)."""
        if touch != self._touch:
            self._touch, self.is_on = touch, False
            self._placed_at.clear()
        while self._placed_at and now - self._placed_at[0] >= WINDOW_S:
            self._placed_at.popleft()
        if not plan.create or len(self._placed_at) < MOST:
            return plan, None
        self.is_on = True
        return plan._replace(create=[]), self._placed_at[0] + WINDOW_S - now

    def note(self, plan, now):
        """The plan is sent."""
        if plan.create:
            self._placed_at.append(now)
