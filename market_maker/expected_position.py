"""What the position must be by the fills we know of, where the position's own row lags behind.

A fill may be told by the reply to an order seconds before the position row comes by a socket that stalls, and a late row may come
after a newer one was read by REST. Who counts only the row would then place more than the limits allow.

Rules:

* Expected is the position when row and fills last agreed, plus the fills known since; where row and expectation differ, the difference
  counts against the limit that it brings nearer, whichever of the two is right.
* What was read by REST may hold fills that are told later, and would then count twice. Until `SETTLED_S` have passed after a reading
  without any, fills of one side make up neither for those of the other nor for a row that differs from what was read, and agreement
  may be chance: it is read again.
* Time alone settles nothing. When the two have differed for `SETTLED_S` the position is to be read by REST, and that is believed unless
  a fill or another row became known while the answer was on its way: it may be older than these.
"""
from __future__ import absolute_import, division, print_function

import threading

SETTLED_S = 3.0


class ExpectedPosition(object):
    """Contracts, signed. Every method is safe from any thread; times are seconds of a clock that is never set back."""

    def __init__(self):
        self.fills = 0                 # how many were noted
        self._lock = threading.Lock()
        self._basis = None
        self._bought = self._sold = 0  # fills since then
        self._doubted_since = None
        self._uneasy_since = None      # the last reading or fill, from a reading on until it is calm

    def note_fill(self, side, quantity, now):
        with self._lock:
            self.fills += 1
            if side == 'Buy':
                self._bought += quantity
            else:
                self._sold += quantity
            if self._doubted_since is not None:
                self._doubted_since = now  # its row is on its way
            if self._uneasy_since is not None:
                self._uneasy_since = now

    def settle(self, row_quantity, now):
        """The row was read by REST."""
        with self._lock:
            self._settle(row_quantity)
            self._uneasy_since = now

    def unaccounted(self, row_quantity, now):
        """(contracts perhaps bought, perhaps sold) that the row does not show."""
        with self._lock:
            difference = self._difference(row_quantity, now)
            if self._uneasy_since is None:
                return max(0, difference), max(0, -difference)
            ahead = self._basis - row_quantity  # what was read against the row, of which either may be the older
            return self._bought + max(0, ahead), self._sold + max(0, -ahead)

    def in_doubt(self, row_quantity, now):
        """Whether row and fills have disagreed for so long that the position must be read by REST."""
        with self._lock:
            if self._difference(row_quantity, now) == 0:
                return self._may_count_twice() and now - self._uneasy_since >= SETTLED_S
            return now - self._doubted_since >= SETTLED_S

    def _difference(self, row_quantity, now):
        if self._basis is None:
            self._settle(row_quantity)
        difference = self._basis + self._bought - self._sold - row_quantity
        if difference == 0:
            self._doubted_since = None
            if self._uneasy_since is None or (now - self._uneasy_since >= SETTLED_S and not self._may_count_twice()):
                self._uneasy_since = None
                self._settle(row_quantity)
        elif self._doubted_since is None:
            self._doubted_since = now
        return difference

    def _may_count_twice(self):
        return self._uneasy_since is not None and bool(self._bought or self._sold)

    def _settle(self, row_quantity):
        self._basis, self._bought, self._sold, self._doubted_since = row_quantity, 0, 0, None
