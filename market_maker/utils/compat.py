"""The only file that knows which Python this is.

What differs between 2.7 and 3 and matters to a trading bot: text and bytes, the monotonic clock, and waiting (to read, and to write). A timed
`Condition.wait` polls on Python 2 (it wakes up to 50 ms late), and on every Python a lock that a signal handler takes can
be the one the interrupted code holds. A pipe and `select` have neither fault, so that is what waits here wherever
the system can select on a pipe; on Windows, which cannot, an event is waited on in short slices.
"""
from __future__ import absolute_import, division, print_function

import calendar
import collections
import errno
import os
import select
import sys
import threading
import time

from future.utils import PY2, iteritems, text_type  # noqa: F401  (handed on to the other rooms)

if PY2:  # pragma: no cover - one branch runs on each interpreter
    from urllib import quote, urlencode
    from urlparse import urlsplit, urlunsplit
    string_types = (str, text_type)
else:  # pragma: no cover
    from urllib.parse import quote, urlencode, urlsplit, urlunsplit
    string_types = (str,)

__all__ = ['DICTS_ARE_ATOMIC', 'OrderedMap', 'PY2', 'RUNS_THE_LAB', 'Signal', 'iteritems', 'monotonic', 'native', 'own_session', 'quote', 'said',
           'seconds_of', 'string_types', 'text_type', 'timestamp_of', 'to_bytes', 'to_text', 'urlencode', 'urlsplit', 'urlunsplit', 'would_block']

RUNS_THE_LAB = sys.version_info >= (3, 11)
# A mapping that keeps the order of insertion and can be walked backwards: any dict since Python 3.8, which is half as dear.
OrderedMap = collections.OrderedDict if PY2 else dict
# Whether setting, deleting and updating such a mapping are one step for other threads; Python 2's is written in Python.
DICTS_ARE_ATOMIC = not PY2
# time.monotonic came with Python 3.3; where it is missing the wall clock must do.
monotonic = getattr(time, 'monotonic', time.time)


def to_bytes(value):
    """Text or bytes -> UTF-8 bytes."""
    return value.encode('utf-8') if isinstance(value, text_type) else bytes(value)


def to_text(value):
    """Text or UTF-8 bytes (bytearray, memoryview) -> text."""
    return value if isinstance(value, text_type) else bytes(value).decode('utf-8')


def said(value):
    """Anything -> text for a person: never an error, whatever bytes or objects it is made of."""
    try:
        return to_text(value) if isinstance(value, (bytes, text_type)) else text_type(value)
    except UnicodeError:
        return bytes(value).decode('utf-8', 'replace')


def native(text):
    """Text -> what exceptions and streams of this Python take as text: on Python 2 those are bytes, and `str` of an exception must not fail."""
    return text.encode('ascii', 'backslashreplace') if PY2 and isinstance(text, text_type) else text


def would_block(stream):
    """Whether writing a line to a file or standard stream would wait for somebody who does not read: a stopped terminal, a full pipe."""
    try:
        return not select.select([], [stream], [], 0)[1]
    except (AttributeError, TypeError, ValueError, OSError, select.error):  # no descriptor, closed, or a system that cannot tell
        return False


def own_session():
    """Arguments for Popen: the child leaves our session, so that the terminal's signals do not reach it."""
    if sys.platform == 'win32':  # pragma: no cover
        return {'creationflags': 0x00000200}  # CREATE_NEW_PROCESS_GROUP
    return {'preexec_fn': os.setsid} if PY2 else {'start_new_session': True}


class _PipeSignal(object):
    """A self-pipe: `send` writes a byte, `wait` selects on the other end. Safe in signal handlers."""

    def __init__(self):
        self._reader, self._writer = os.pipe()
        for descriptor in (self._reader, self._writer):
            _prepare(descriptor)

    def send(self):
        try:
            os.write(self._writer, b'.')
        except OSError as error:  # full: the waiter is awake already; closed: nobody waits any more
            if error.errno not in (errno.EAGAIN, errno.EWOULDBLOCK, errno.EBADF, errno.EPIPE):
                raise

    def drain(self):
        try:
            while os.read(self._reader, 512):
                pass
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EWOULDBLOCK, errno.EBADF):
                raise

    def wait(self, timeout):
        try:
            select.select([self._reader], [], [], timeout)
        except select.error as error:
            if error.args[0] != errno.EINTR:  # Python 2: a signal came; the caller shall look at once
                raise

    def close(self):
        for descriptor in (self._reader, self._writer):
            if descriptor >= 0:
                os.close(descriptor)
        self._reader = self._writer = -1

    def __del__(self):
        """Give the descriptors back when nobody closed it: `select` takes none above 1023, and a long process may make many of these."""
        try:
            self.close()
        except (AttributeError, TypeError, OSError):  # half made, or the interpreter ends
            pass


class _EventSignal(object):  # pragma: no cover - Windows
    """The same on a system that cannot select on a pipe: an event, looked at every 50 ms so that signals are seen."""

    def __init__(self):
        self._event = threading.Event()

    def send(self):
        self._event.set()

    def drain(self):
        self._event.clear()

    def wait(self, timeout):
        end = monotonic() + timeout
        while not self._event.is_set():
            left = end - monotonic()
            if left <= 0:
                return
            self._event.wait(min(left, 0.05))

    def close(self):
        pass


def _prepare(descriptor):
    """Non-blocking, and not inherited by children."""
    import fcntl
    fcntl.fcntl(descriptor, fcntl.F_SETFL, fcntl.fcntl(descriptor, fcntl.F_GETFL) | os.O_NONBLOCK)
    fcntl.fcntl(descriptor, fcntl.F_SETFD, fcntl.fcntl(descriptor, fcntl.F_GETFD) | fcntl.FD_CLOEXEC)


Signal = _EventSignal if sys.platform == 'win32' else _PipeSignal


def seconds_of(timestamp):
    """A wire timestamp such as '2018-08-19T07:08:21.774Z' -> unix seconds; raises ValueError for anything else.

    Taken apart by hand: on Python 2.7 `strptime` imports a module at its first use, which fails in a second thread.
    """
    day, _, clock = timestamp.rstrip('Z').partition('T')
    year, month, date = [int(part) for part in day.split('-')]
    hour, minute, second = clock.split(':')
    return calendar.timegm((year, month, date, int(hour), int(minute), 0)) + float(second)


def timestamp_of(seconds):
    """Unix seconds -> a wire timestamp, to the millisecond below."""
    whole = int(seconds // 1)
    return '%s.%03dZ' % (time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(whole)), int((seconds - whole) * 1000))
