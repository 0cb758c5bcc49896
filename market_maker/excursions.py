"""Pure: which moves of the touch are waited for instead of followed, because such moves came back before.

A big order sweeps half the book, and seconds later the book is what it was. Who follows every step of that pays for a dozen requests to and
fro, and has placed anew, far out, what he sold to the sweep.

Rules:

* Where the touch stood `longest` seconds ago is its home. It is on an excursion from when it is more than a quarter of RELIST_INTERVAL away
  until it is back within that, or has stayed away for `longest` seconds: then it has moved.
* Each excursion that comes back is a reason to wait for the next, up to three; each one that has moved takes one away. Without a reason
  nothing is waited for: the first move is followed at once, and so is every one in a market that does not come back.
* While one is waited for, what merely follows the touch is put off: replacing what was filled, filling up, moving along. When it is over, that is due
  at once, and is then one request for the whole sweep.
* Risk is never put off: cancels; an order nearer to the other side than RELIST_INTERVAL beyond where our innermost belongs; and
  making orders smaller when more rests on their side than shall. Where nothing of ours rests, the ladder is placed at once.
* After `forget` (an error, a time without data) the touch is at home where it is seen next: our orders may not be where they belonged
  before, and are placed at once.
* With RELIST_INTERVAL or `longest` 0 there are no excursions.

Times are handed in, in seconds of a clock that is never set back.
"""
from __future__ import absolute_import, division, print_function

from collections import deque

from market_maker import convergence

WIDTH = 0.25                   # of RELIST_INTERVAL
MOST_REASONS = 3


class Excursions(object):
    """Where the touch stood lately, and what became of its excursions."""

    def __init__(self):
        self._lately = deque()     # (when, middle), the first one as it was `longest` seconds ago
        self._home = None          # where an excursion began, while there is one
        self._over_at = None       # when it has lasted too long to be one
        self._reasons = 0

    def note(self, middle, relist_interval, longest, now):
        """The middle of the touch is this now. Called at every look; `longest` in seconds."""
        width = WIDTH * relist_interval
        if not width or not longest:
            self._begin_at(middle, now)
            return
        self._lately.append((now, middle))
        while len(self._lately) > 1 and now - self._lately[1][0] >= longest:
            self._lately.popleft()
        if self._home is None and abs(middle / self._lately[0][1] - 1) > width:
            self._home, self._over_at = self._lately[0][1], now + longest
        if self._home is None:
            return
        if abs(middle / self._home - 1) <= width:
            self._reasons = min(MOST_REASONS, self._reasons + 1)
            self._begin_at(middle, now)
        elif now >= self._over_at:
            self._reasons = max(0, self._reasons - 1)
            self._begin_at(middle, now)

    def forget(self):
        """Where the touch stood lately does not count: our orders were not placed by it."""
        self._home = self._over_at = None
        self._lately.clear()

    def _begin_at(self, middle, now):
        self._home = self._over_at = None
        self._lately = deque([(now, middle)])

    def wait(self, now):
        """Seconds that the excursion under way is waited for at most; 0 when none is."""
        return max(0.0, self._over_at - now) if self._home is not None and self._reasons else 0.0

    def hold_back(self, existing, plan, desired, relist_interval, now):
        """(the part of the plan that does not wait, seconds until the rest is due at the latest or None). `desired`: both sides' orders."""
        wait = self.wait(now)
        if not wait or not existing:
            return plan, None
        at_once = [amend for amend in plan.amend if is_risk(amend, existing, desired, relist_interval)]
        late = [amend for amend in plan.amend if amend not in at_once] + plan.create
        if not late:
            return plan, None
        return convergence.in_order(existing, at_once, [], plan.cancel, plan.put_off + late, plan.reasons), wait


def is_risk(amend, existing, desired, relist_interval):
    """Whether an order stands where it may be hit at a price that no order of its side shall have, or is more than its side shall hold."""
    row, side = amend.order, amend.order['side']
    sizes = [order['orderQty'] for order in desired if order['side'] == side]
    if amend.quantity < row['leavesQty'] and sum(other['leavesQty'] for other in existing if other['side'] == side) > sum(sizes):
        return True
    prices = [order['price'] for order in desired if order['side'] == side]
    inner = max(prices) if side == convergence.BUY else min(prices)
    return is_too_near(row, inner, relist_interval) and not amend.advances


def is_too_near(row, inner, relist_interval):
    """Whether an order is nearer to the other side than RELIST_INTERVAL beyond where the innermost of its side belongs."""
    is_nearer = row['price'] > inner if row['side'] == convergence.BUY else row['price'] < inner
    return is_nearer and convergence.is_far(row['price'], inner, relist_interval)
