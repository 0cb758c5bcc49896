"""The signals that stop the bot: Ctrl-C, SIGTERM, a lost terminal. A handler only leaves a note; the loop acts on it."""
from __future__ import absolute_import, division, print_function

import signal

NAMES = ('SIGINT', 'SIGTERM', 'SIGHUP')


class StopSignals(object):
    """Handlers while the `with` block lasts, those of before afterwards.

    Until `tell` names somebody, a signal raises KeyboardInterrupt, since nothing has been placed that would have to be
    cancelled; then it calls `request_stop(name)` of whom it was told, and does nothing else. `received` is the name of
    the first signal, or None.
    """

    def __init__(self):
        self.received = None
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
            signal.signal(number, signal.SIG_DFL if handler is None else handler)

    def _handle(self, number, frame):
        name = [name for name in NAMES if getattr(signal, name, None) == number][0]
        self.received = self.received or name
        if self._target is None:
            raise KeyboardInterrupt()
        self._target.request_stop(name)
