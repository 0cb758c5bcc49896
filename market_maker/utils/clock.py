"""The one clock, handed in: it tells the time and it waits.

`run_loop` knows no threads: it calls `clock.wait(wakeup, timeout)`. The real clock sleeps until the wakeup is set (by the
realtime thread or by a signal handler) or the time is over; a simulated one advances its venue instead.
"""
from __future__ import absolute_import, division, print_function

import time

from market_maker.utils import compat


class Wakeup(object):
    """A flag that one thread waits on and any other, or a signal handler, may set. Setting it again is harmless."""

    def __init__(self):
        self._signal = compat.Signal()
        self._is_set = False

    def set(self):
        """Wake the waiter. Safe from any thread and from a signal handler; costs nothing when already set."""
        if not self._is_set:
            self._is_set = True
            self._signal.send()

    def is_set(self):
        return self._is_set

    def clear(self):
        """Forget the wake-up. To be called before the state is read, so that a change after it wakes again."""
        self._signal.drain()
        self._is_set = False

    def wait(self, timeout):
        """Wait at most `timeout` seconds; return whether the flag is set."""
        if not self._is_set and timeout > 0:
            self._signal.wait(timeout)
        return self._is_set

    def close(self):
        """Give back what the flag holds. Calling again is harmless; it must not be waited on afterwards."""
        self._signal.close()


class RealClock(object):
    """The clock of the machine."""

    def time(self):
        """Seconds since the Unix epoch."""
        return time.time()

    monotonic = staticmethod(compat.monotonic)
    """Seconds of a clock that is never set back. (Asked for every message: no call of ours lies between.)"""

    def wait(self, wakeup, timeout):
        """Wait until `wakeup` is set or `timeout` seconds have passed; return whether it is set."""
        return wakeup.wait(timeout)


class PolledClock(object):
    """A clock that looks after something while it waits: a realtime feed that has no thread of its own.

    `polled` has `poll()` and `next_look()`, the seconds until it wants to be polled again.
    """

    def __init__(self, clock, polled):
        self._clock = clock
        self._polled = polled
        self.time = clock.time
        self.monotonic = clock.monotonic

    def wait(self, wakeup, timeout):
        end = self.monotonic() + timeout
        while not wakeup.is_set():
            self._polled.poll()
            left = end - self.monotonic()
            if left <= 0 or wakeup.is_set():
                break
            self._clock.wait(wakeup, min(left, max(0.001, self._polled.next_look())))
        return wakeup.is_set()


class ManualClock(object):
    """A clock that stands still until told to move; for tests.

    `wait` moves it on by the time-out (or not at all when the wakeup is already set), so that nothing ever sleeps.
    `on_wait(clock, until)`, when given, is called first and may move the clock or set the wakeup itself.
    """

    def __init__(self, start=1500000000.0, on_wait=None):
        self.now = start
        self.on_wait = on_wait

    def time(self):
        return self.now

    def monotonic(self):
        return self.now

    def advance(self, seconds):
        self.now += seconds

    def wait(self, wakeup, timeout):
        until = self.now + max(0.0, timeout)
        if self.on_wait is not None:
            self.on_wait(self, until)
        if not wakeup.is_set():
            self.now = max(self.now, until)
        return wakeup.is_set()
