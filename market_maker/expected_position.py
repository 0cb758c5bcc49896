"""What the position must be by the fills we know of, where the position's own row lags behind.

A fill may be told by the reply to an order seconds before the position row comes by a socket that stalls, and a late row may come
after a newer one was read by REST. Who counts only the row would then place more than the limits allow.

Rules:

* Expected is the position when it was read last (or the first row), plus the fills known since; where row and expectation differ, the
  difference counts against the limit that it brings nearer, whichever of the two is right.
* A reading counts when no fill and no other row became known from before it was asked for until all orders were read after it. Then it holds
  the fills that were known and no others: none that is told later was in it already. It counts, too, when it is what was expected.
* Time alone settles nothing. When row and expectation have differed for `SETTLED_S` the position is to be read by REST.
"""
from __future__ import absolute_import, division, print_function

import threading

SETTLED_S = 3.0


class ExpectedPosition(object):
    """Contracts, signed. Every method is safe from any thread; times are seconds of a clock that is never set back."""

    def __init__(self):
        self.fills = 0                 # how many were noted
        self._lock = threading.Lock()
        self._expected = None
        self._doubted_since = None

    def note_fill(self, side, quantity, now):
        with self._lock:
            self.fills += 1
            if self._expected is not None:
                self._expected += quantity if side == 'Buy' else -quantity
            if self._doubted_since is not None:
                self._doubted_since = now  # its row is on its way

    def settle(self, quantity):
        """The position was read by REST, and counts."""
        with self._lock:
            self._expected, self._doubted_since = quantity, None

    def is_as_expected(self, quantity):
        with self._lock:
            return quantity == self._expected

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
        if self._expected is None:
            self._expected = row_quantity
        difference = self._expected - row_quantity
        if difference == 0:
            self._doubted_since = None
        elif self._doubted_since is None:
            self._doubted_since = now
        return difference
