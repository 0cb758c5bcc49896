"""The signals that stop the bot: Ctrl-C, SIGTERM, a lost terminal. A handler only leaves a note; the loop acts on it.

Whoever asks again is impatient: `stop_again(name)` of whom it was told may then raise KeyboardInterrupt. What comes within AGAIN_AFTER_S
of the last one is the same wish (`timeout` and some shells signal twice), and a terminal that is lost asks once.
"""
from __future__ import absolute_import, division, print_function

import os
import signal
import time

from market_maker.utils import compat

AGAIN_AFTER_S = 0.5
NAMES = ('SIGINT', 'SIGTERM', 'SIGHUP')


class StopSignals(object):
    """Handlers while the `with` block lasts, those of before afterwards.

    Until `tell` names somebody, a signal raises KeyboardInterrupt, since nothing has been placed that would have to be
    cancelled; then it calls `request_stop(name)` of whom it was told, from the second on `stop_again(name)`, and does nothing else.
    `received` is the name of the first signal, or None. is_last -- the process ends after the block, and no Ctrl-C shall disturb that: it is
    ignored from then on. `now()` in seconds, of any clock.
    """

    def __init__(self, is_last=False, now=time.time):
        self.received = None
        self._is_last = is_last
        self._now = now
        self._heard_at = None
        self._target = None
        self._before = {}

    def tell(self, target):
        """From now on signals go to target.request_stop(name). One that came before is passed on at once."""
        self._target = target
        if self.received is not None:
            target.request_stop(self.received)

    def exit_code(self):
        """128 + the number of the signal received, as shells have it; None without one."""
        return None if self.received is None else 128 + int(getattr(signal, self.received))

    def __enter__(self):
        for name in NAMES:
            number = getattr(signal, name, None)
            if number is not None and not (name == 'SIGHUP' and signal.getsignal(number) is signal.SIG_IGN):  # nohup
                self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *exc_info):
        for number, handler in self._before.items():
            ignored = self._is_last and number == signal.SIGINT
            signal.signal(number, signal.SIG_IGN if ignored else signal.SIG_DFL if handler is None else handler)

    def _handle(self, number, frame):
        name = [name for name in NAMES if getattr(signal, name, None) == number][0]
        before, self._heard_at = self._heard_at, self._now()
        self.received = self.received or name
        if self._target is None:
            raise KeyboardInterrupt()
        if before is None or name == 'SIGHUP' or not hasattr(self._target, 'stop_again'):
            self._target.request_stop(name)
        elif abs(self._heard_at - before) >= AGAIN_AFTER_S:
            self._target.stop_again(name)


def say_at_once(text):
    """A line on standard error from within a handler, where log and buffers may be in use."""
    try:
        if not compat.would_block(2):
            os.write(2, ('marketmaker: %s\n' % text).encode('utf-8'))
    except OSError:
        pass
