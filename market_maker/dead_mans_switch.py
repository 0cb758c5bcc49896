"""The dead man's switch: the venue cancels every order of the account when it has not heard from us for a while.

Rules:

* Armed before the first order: until it is, who looks after it hears why not, every time. Told again at a quarter of its time, also
  while we wait for something.
* A failure is said once and tried again after an eighth of its time; being heard again is said too.
* When its time is over without a success (also because this process was stopped for so long), our quotes are taken as gone, until they have
  been read again.
* Disarmed last, when nothing of ours is left that it could cancel.

Times are handed in, in seconds of a clock that is never set back.
"""
from __future__ import absolute_import, division, print_function

from market_maker.utils import errors, log

SHORTEST_PAUSE_S = 1.0

logger = log.get_logger()


class DeadMansSwitch(object):
    """`tell(seconds)` is how the venue hears of it; 0 disarms."""

    def __init__(self, tell):
        self._tell = tell
        self._seconds = 0                  # what the venue counts down from; 0: it does not
        self._told_at = None
        self._not_before = 0.0
        self._is_failing = self._is_lapsed = False
        self._problem = None               # why it could not be armed so far

    @property
    def seconds(self):
        """What the venue counts down from; 0 when it does not."""
        return self._seconds

    @property
    def armed(self):
        return self._seconds > 0

    def next_look(self, seconds, now):
        """Seconds until `keep` has something to do, with the setting as it is now; infinite when it is off."""
        if not seconds and not self.armed:
            return float('inf')
        due = now if seconds != self._seconds else self._told_at + seconds / 4
        due = max(due, self._not_before)
        if self.armed and not self._is_lapsed:
            due = min(due, self._told_at + self._seconds)
        return max(0.0, due - now)

    def keep(self, seconds, now):
        """Tell the venue if it is time. Returns True once when our quotes must be taken as gone.

        Raises what keeps it from being armed for the first time, and errors that end the run.
        """
        if self.next_look(seconds, now) > 0:
            if seconds and not self.armed:
                raise self._problem
            return False
        is_over = self.armed and not self._is_lapsed and now >= self._told_at + self._seconds
        if is_over:
            self._is_lapsed = True
            logger.warning('The dead man\'s switch was not told for %d s: our quotes are taken as gone.', now - self._told_at)
        if now >= self._not_before:
            self._try(seconds, now)
        return is_over

    def _try(self, seconds, now):
        try:
            self._tell(seconds)
        except errors.NotFound:
            raise errors.SettingsError('The venue has no dead man\'s switch: set DEAD_MANS_SWITCH = 0.')
        except errors.MarketMakerError as error:
            self._not_before = now + max(SHORTEST_PAUSE_S, (seconds or self._seconds) / 8)
            self._problem = error
            if not self.armed or (error.action == errors.STOP and not isinstance(error, errors.VenueUnreachable)):
                raise
            if not self._is_failing:
                logger.warning('The dead man\'s switch could not be told that we live: %s', error)
            self._is_failing = True
            return
        if seconds != self._seconds:
            logger.info('Dead man\'s switch: %s', 'without news of us for %g s the venue cancels all orders of the account.' % seconds
                        if seconds else 'off.')
        elif self._is_failing:
            logger.info('The dead man\'s switch hears us again.')
        self._seconds, self._told_at, self._not_before = seconds, now, 0.0
        self._is_failing = self._is_lapsed = False

    def disarm(self):
        """The last word of a run. An error is said, not raised: then the venue will cancel what is no longer there."""
        if self.armed:
            self._seconds = 0
            try:
                self._tell(0)
            except Exception as error:
                logger.warning('The dead man\'s switch could not be disarmed: %s', error)
