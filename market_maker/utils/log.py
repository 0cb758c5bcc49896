"""What the bot says: one format, one handler, and never a secret.

Whatever passes through the handler, messages and tracebacks alike, is searched for the values given to `hide` and for
things that look like a signature or a token (64 hexadecimal digits, an access token, a password in JSON).
"""
from __future__ import absolute_import, division, print_function

import collections
import io
import json
import logging
import os
import re

from market_maker.utils import compat

FORMAT = '%(asctime)s - %(levelname)s - %(module)s - %(message)s'
HIDDEN = '(hidden)'
# The original's lines name the file that says them. What was split off from ours of that name speaks for it.
SPEAKS_FOR = dict.fromkeys(('exchange_interface', 'margin_scale', 'sending'), 'market_maker')
MOST_LINES = 10000             # that wait to be written
NAME = 'root'  # the name the original uses; strategies ask for logging.getLogger('root')

_SIGNATURES = re.compile(r'\b[0-9a-fA-F]{64}\b')
_NAMED = re.compile(r'''(?i)((?:api-?signature|access-?token|apisecret|password|otptoken|token)["']?\s*[:=]\s*u?["'])([^"']+)(["'])''')
_hidden = set()


class RedactingFormatter(logging.Formatter):
    """A formatter whose text has been through `redact`, its traceback included. It is made once, however many handlers ask for it."""

    def format(self, record):
        text = record.__dict__.get('redacted')
        if text is None:
            record.module = module_of(record)
            text = record.redacted = redact(logging.Formatter.format(self, _sound(record)))
        return text


class _OurHandler(logging.StreamHandler):
    """The one handler that this module puts up. It never waits for who reads what it writes: what nobody reads is counted instead."""

    unread = 0

    def emit(self, record):
        if compat.would_block(self.stream):
            self.unread += 1
            return
        if self.unread:
            count, self.unread = self.unread, 0
            get_logger().warning('%d lines were not shown here: nobody read them.', count)
        super(_OurHandler, self).emit(record)

    def handleError(self, record):
        """The terminal is gone, or the disk is full: there is nobody to be told here."""
        self.unread += 1


def get_logger(name=NAME):
    """The logger that all rooms share."""
    return logging.getLogger(name)


def module_of(record):
    """The name of the room that a record's line names."""
    return SPEAKS_FOR.get(record.module, record.module)


def hide(*values):
    """From now on these texts never appear. Texts under four characters are let through: they are in every word."""
    for value in values:
        if value and len(value) >= 4:
            value = compat.said(value)
            _hidden.update((value, json.dumps(value)[1:-1], repr(value).lstrip('u')[1:-1], compat.to_text(compat.quote(compat.to_bytes(value), ''))))


def redact(text):
    """The text without secrets."""
    text = compat.said(text)
    for value in sorted(_hidden, key=len, reverse=True):
        if value in text:
            text = text.replace(value, HIDDEN)
    return _NAMED.sub(r'\1%s\3' % HIDDEN, _SIGNATURES.sub(HIDDEN, text))


def message_of(record):
    """What a record says, without secrets."""
    return redact(_sound(record).getMessage())


def _sound(record):
    """The record. One whose parts do not fit together says so from now on, instead of failing whoever wanted to say it."""
    try:
        record.getMessage()
    except Exception as error:  # noqa: B902 - a program's own formats and objects
        what = repr(record.msg) if isinstance(record.msg, compat.string_types) else type(record.msg).__name__
        record.msg, record.args = 'A line could not be made of %s: %s.' % (what, type(error).__name__), None
    return record


def setup_custom_logger(name=NAME, log_level=logging.INFO, stream=None):
    """Send the logger's records to `stream` (standard error), in the one format. Calling again changes level and stream.

    The name 'root' means the real root on every Python; before 3.9 `getLogger('root')` is a logger of its own below it.
    """
    logger = logging.getLogger(name)
    top = logging.getLogger() if name == NAME else logger
    for handler in [handler for handler in top.handlers if isinstance(handler, _OurHandler)]:
        top.removeHandler(handler)
    handler = _OurHandler(stream)
    handler.setFormatter(RedactingFormatter(fmt=FORMAT))
    top.addHandler(handler)
    set_level(log_level, name)
    for library in ('urllib3', 'requests', 'websocket'):  # they print requests and frames at DEBUG
        logging.getLogger(library).setLevel(logging.WARNING)
    return logger


class LogFile(logging.Handler):
    """A copy of what is shown, for a new file that only its owner may read. Raises OSError when that cannot be made.

    Lines are kept until `write_out` is called, which somebody does who may wait for a disk. When they cannot be written any more, that is
    said once, and it ends.
    """

    def __init__(self, path):
        super(LogFile, self).__init__()
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        self.path = path
        self._lines = collections.deque(maxlen=MOST_LINES)
        self.setFormatter(RedactingFormatter(fmt=FORMAT))

    def emit(self, record):
        self._lines.append(self.format(record))

    def write_out(self):
        """Write what was said since the last time."""
        lines = [self._lines.popleft() for _ in range(len(self._lines))]
        if not lines or self.path is None:
            return
        try:
            with io.open(self.path, 'a', encoding='utf-8') as file:
                file.write(u''.join(line + u'\n' for line in lines))
        except (IOError, OSError) as error:
            path, self.path = self.path, None
            remove(self)
            get_logger().warning('The log file ends here: %s cannot be written any more (%s).', path, error)


def add_file(path):
    """Write the log to a file as well: a LogFile that hears what is shown, until it is given to `remove`."""
    handler = LogFile(path)
    _top().addHandler(handler)
    return handler


def remove(handler):
    """Take away a handler, wherever it was put. Calling again is harmless."""
    for logger in (get_logger(), _top()):
        logger.removeHandler(handler)


def _top():
    """Where the handlers are: the root of all loggers, which is not the one of that name before Python 3.9."""
    return logging.getLogger()


def set_level(log_level, name=NAME):
    """How much is said from now on."""
    for logger in (logging.getLogger(name), logging.getLogger() if name == NAME else logging.getLogger(name)):
        logger.setLevel(log_level)
