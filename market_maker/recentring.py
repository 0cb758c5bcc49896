"""Pure: when orders that have drifted within RELIST_INTERVAL are taken back to their place.

What is never further than RELIST_INTERVAL from its place is never moved, and stands a third of that away in the mean. Sending them home once in a
while costs a few requests an hour and halves the way to the next time that one must move.

Rules:

* Once in RECENTRE_S, and only at a decision that would send nothing else, orders further than half of RELIST_INTERVAL from their place are
  amended. Then the next RECENTRE_S begin, whether there was one or not.
* The first RECENTRE_S begin with the first ladder, which is where it belongs.
* With RELIST_INTERVAL or RECENTRE_S 0 there is nothing to do.

Source of the third: a walk that begins anew in the middle whenever it has reached one of two walls is at a distance of
2 / width ** 2 * (width - distance) from the middle, which has the mean width / 3.

Times are handed in, in seconds of a clock that is never set back.
"""
from __future__ import absolute_import, division, print_function

SHARE = 0.5


class Recentring(object):
    """When it was done last."""

    def __init__(self):
        self._at = None

    def interval(self, plan, relist_interval, every, now):
        """The distance to use instead of RELIST_INTERVAL at this decision, or None. `plan`: what would be sent; `every`: RECENTRE_S."""
        if self._at is None:
            self._at = now
        if not every or not relist_interval or now - self._at < every or plan.cancel or plan.amend or plan.create or plan.put_off:
            return None
        self._at = now
        return SHARE * relist_interval
