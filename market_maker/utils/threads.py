"""Threads of the bot's own: what fails in one is not lost, and ends the run.

Rules:

* An error that leaves a thread is handed to every `Watch` there is; whoever runs the loop has one, and stops because of it.
* No thread prints a traceback, and one that is still there when the interpreter is taken down says nothing at all: on Python 2 it then
  wakes among modules whose names are None already.
* `linger` names those that still run. A process should not take its interpreter down beneath them.
"""
from __future__ import absolute_import, division, print_function

import threading
import traceback
import weakref

from market_maker.utils import errors

_watches = weakref.WeakSet()
_running = weakref.WeakSet()
_lock = threading.Lock()


class Watch(object):
    """`failure` is the first error that ended a thread since this was made, as a ThreadFailed; `on_failure` is called then, from that thread."""

    def __init__(self):
        self.failure = None
        self.on_failure = None
        with _lock:
            _watches.add(self)

    def note(self, failure):
        self.failure = self.failure or failure
        if self.on_failure is not None:
            self.on_failure()


def start(target, name, *arguments):
    """Start target(*arguments) in a daemon thread; the Thread. Raises threading.ThreadError when the system allows no more of them."""
    thread = threading.Thread(target=_guarded, name=name, args=(target, name, arguments))
    thread.daemon = True
    thread.start()
    with _lock:
        _running.add(thread)
    return thread


def linger():
    """Names of the threads that still run, sorted."""
    with _lock:
        return sorted(thread.name for thread in _running if thread.is_alive())


def _guarded(target, name, arguments):
    try:
        target(*arguments)
    except:  # noqa: B001, E722 - while the interpreter ends, even the names of exceptions may be gone
        try:
            _tell(name)
        except:  # noqa: B001, E722 - then there is nobody left to be told
            pass


def _tell(name):
    """Hand the error that is being handled to who watches."""
    failure = errors.ThreadFailed(name, traceback.format_exc())
    with _lock:
        watches = list(_watches)
    for watch in watches:
        watch.note(failure)
