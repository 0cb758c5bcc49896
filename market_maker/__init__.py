"""A market maker for the BitMEX API."""
from __future__ import absolute_import

__version__ = 'v2.1.0'


def run():
    """What the command `marketmaker` does; the original's name for it. Ends the process with the exit code.

    Ctrl-C is answered from here on: while the program is being loaded it leaves at once, and once the work is done and told
    it changes nothing any more.
    """
    import signal
    _open_what_is_closed()
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # and not ignored, as for a job in the background
        signal.signal(signal.SIGINT, _leave)
        from market_maker.cli import main
        signal.signal(signal.SIGINT, signal.default_int_handler)
    else:
        from market_maker.cli import main
    code = main()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _end(code)


def _leave(number, frame):
    import os
    os.write(2, b'marketmaker: Stopped; nothing had been placed.\n')
    os._exit(0)


def _open_what_is_closed():
    """Standard input and outputs that somebody has closed become ones that lead nowhere: the next file or socket would take their places."""
    import os
    import sys
    for descriptor, name in enumerate(('stdin', 'stdout', 'stderr')):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, 'w' if descriptor else 'r'))


def _end(code):
    """End the process; without taking the interpreter down where a thread of ours still runs (it hangs, or somebody could not wait for it)."""
    import os
    import sys

    from market_maker.utils import threads
    if threads.linger():
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (IOError, OSError, ValueError):
                pass
        os._exit(code)
    sys.exit(code)
