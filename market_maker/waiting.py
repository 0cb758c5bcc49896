"""Pure: what the bot waits for, and since when; each state is said once when it begins and once when it is over.

Times are handed in, in seconds of a clock that is never set back.
"""
from __future__ import absolute_import, division, print_function

from market_maker.utils import errors

QUICK_RETICKS = 3              # that many times in a row we look again at once after a race with a fill, then at the usual pace
RETICK_S = 0.5
UNREACHABLE_LIMIT_S = 300.0    # a venue that is silent for longer is not coming back


class Waiting(object):
    """The reason why nothing is quoted now, if there is one."""

    def __init__(self):
        self.kind = None           # the class of the error that made us wait
        self.since = None
        self._words = None

    def __nonzero__(self):
        return self.kind is not None

    __bool__ = __nonzero__

    def begin(self, error, now):
        """A line to be said, or None when it was said already."""
        if self.kind is None:
            self.since = now
        words = _without_digits(str(error))
        said_before = self.kind is type(error) and (self._words == words or isinstance(error, errors.StaleData))
        self.kind, self._words = type(error), words
        return None if said_before else 'Waiting: %s' % error

    def end(self, now):
        """A line to be said, or None when there was nothing to wait for."""
        if self.kind is None:
            return None
        line = 'Resumed after %d s.' % round(now - self.since)
        self.kind = self.since = self._words = None
        return line


class Freshness(object):
    """How long ago the realtime picture was good, also while there is none (then the venue's own age is infinite)."""

    def __init__(self, now):
        self._good_at = now

    def note(self, age, now):
        """Older than was thought counts, too: what comes late tells that the silence before it was not one of the market."""
        if age != float('inf'):
            self._good_at = now - age

    def age(self, now):
        return now - self._good_at


class Pace(object):
    """When the next decision may be made: at once again after a race, later after an error."""

    def __init__(self):
        self.not_before = 0.0
        self._reticks = 0

    def retick(self):
        """Seconds until the next look, or None for the usual pace."""
        self._reticks += 1
        return RETICK_S if self._reticks <= QUICK_RETICKS else None

    def pause(self, now, seconds):
        self.not_before = max(self.not_before, now + seconds)

    def go_on(self):
        """What the pause was for is over."""
        self.not_before = 0.0

    def went_well(self):
        self._reticks = 0


def _without_digits(text):
    """Texts that differ in their figures alone say the same thing."""
    return ''.join(letter for letter in text if not letter.isdigit())
