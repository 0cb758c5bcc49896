"""Pure: whether the quotes of a feed still are those of its book.

One table can stall alone, while all others and the heartbeat go on: then nothing that comes is late, and the touch is old all the same.

Rules:

* A touch that moves is alive. One that stands still is held against the best prices of the book, once in LOOK_EVERY_S.
* Where the two agreed on this connection and then differ all the while, the touch is as old as that. Where they never agreed (a venue that
  reckons its quotes in another way) nothing can be said.

Times are seconds of any clock that is never set back; prices of a touch are (bid, ask).
"""
from __future__ import absolute_import, division, print_function

LOOK_EVERY_S = 1.0


class Agreement(object):
    """Of one connection; `reset` begins another."""

    def __init__(self):
        self.reset()

    def reset(self):
        self._looked_at = None
        self._quote = None
        self._has_agreed = False
        self._differs_since = None

    def is_due(self, now):
        return self._looked_at is None or now - self._looked_at >= LOOK_EVERY_S

    def note(self, quote, best_of_book, now):
        """The touch as the quotes have it now; best_of_book() tells it of the book, with None where a side is empty."""
        stands, self._quote, self._looked_at = quote == self._quote, quote, now
        if not stands:
            self._differs_since = None
            return
        book = best_of_book()
        if None in book or None in quote:
            self._differs_since = None
        elif quote == book:
            self._has_agreed, self._differs_since = True, None
        elif self._has_agreed and self._differs_since is None:
            self._differs_since = now

    def seconds(self, now):
        """For how long the touch has been another than the book's."""
        return 0.0 if self._differs_since is None else now - self._differs_since
