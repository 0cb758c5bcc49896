"""What the position must be by the fills we know of, where the position's own row lags behind.

A fill may be told by the reply to an order seconds before the position row comes by a socket that stalls, and a late row may come
after a newer one was read by REST. Who counts only the row would then place more than the limits allow.

Rules:

* Expected is the position when row and fills last agreed, plus the fills known since; where row and expectation differ, the difference
  counts against the limit that it brings nearer, whichever of the two is right.
* Time alone settles nothing. When the two have differed for `SETTLED_S` the position is to be read by REST, and that is believed unless
  a fill or another row became known while the answer was on its way: it may be older than these.
"""
from __future__ import absolute_import, division, print_function

import threading

SETTLED_S = 3.0


class ExpectedPosition(object):
    """Contracts, signed. Every method is safe from any thread; times are seconds of a clock that is never set back."""

    def __init__(self):
        self.fills = 0             # how many were noted
        self._lock = threading.Lock()
        self._basis = None
        self._filled = 0
        self._doubted_since = None

    def note_fill(self, side, quantity, now):
        with self._lock:
            self.fills += 1
            self._filled += quantity if side == 'Buy' else -quantity
            if self._doubted_since is not None:
                self._doubted_since = now  # its row is on its way

    def settle(self, row_quantity):
        """The row is known to be right."""
        with self._lock:
            self._settle(row_quantity)

    def unaccounted(self, row_quantity, now):
        """(contracts perhaps bought, perhaps sold) that the row does not show."""
        with self._lock:
            difference = self._difference(row_quantity, now)
            return max(0, difference), max(0, -difference)

    def in_doubt(self, row_quantity, now):
        """Whether row and fills have disagreed for so long that the position must be read by REST."""
        with self._lock:
            return self._difference(row_quantity, now) != 0 and now - self._doubted_since >= SETTLED_S

    def _difference(self, row_quantity, now):
        if self._basis is None or self._basis + self._filled == row_quantity:
            self._settle(row_quantity)
        elif self._doubted_since is None:
            self._doubted_since = now
        return self._basis + self._filled - row_quantity

    def _settle(self, row_quantity):
        self._basis, self._filled, self._doubted_since = row_quantity, 0, None
