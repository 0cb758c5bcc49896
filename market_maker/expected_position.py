"""What the position must be by the fills we know of, where the position's own row lags behind.

A fill may be told by the reply to an order seconds before the position row comes by a socket that stalls. Who counts only the
row would then place more than the limits allow.

Rules:

* Expected is the position at the last quiet moment plus the fills known since; where row and expectation differ, the difference counts
  against the limit that it brings nearer, whichever of the two is right.
* A moment is quiet when the venue has been heard `SETTLED_S` after the last fill: the row has had its time.
"""
from __future__ import absolute_import, division, print_function

import threading

SETTLED_S = 3.0


class ExpectedPosition(object):
    """Contracts, signed. Every method is safe from any thread; times are seconds of a clock that is never set back."""

    def __init__(self):
        self._lock = threading.Lock()
        self._basis = None
        self._filled = 0
        self._last_fill = None

    def note_fill(self, side, quantity, now):
        with self._lock:
            self._filled += quantity if side == 'Buy' else -quantity
            self._last_fill = now

    def settle(self, row_quantity):
        """The row is known to be right."""
        with self._lock:
            self._basis, self._filled, self._last_fill = row_quantity, 0, None

    def unaccounted(self, row_quantity, last_heard):
        """(contracts perhaps bought, perhaps sold) that the row does not show; `last_heard`: when the venue was heard last."""
        with self._lock:
            quiet = self._last_fill is None or last_heard - self._last_fill >= SETTLED_S
            if self._basis is None or quiet:
                self._basis, self._filled, self._last_fill = row_quantity, 0, None
            difference = self._basis + self._filled - row_quantity
            return max(0, difference), max(0, -difference)
