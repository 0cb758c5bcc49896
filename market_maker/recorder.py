"""A venue's public stream, written to a file as it comes.

Rules:

* A line of the file is `{"t": Unix seconds, "dir": "in", "msg": message}`; what happened to the connection is a line, too: "open" with the address,
  "close" with the reason. After each "open" the venue sends its tables whole again (partials), so that a reader begins anew there.
* Messages are written as they came, word for word, unless they are no JSON (`pong`).
* The file is gzip, flushed every FLUSH_S: what a kill -9 or a power cut loses is younger than that. It is new: an existing one is never touched.
* A connection that is lost or silent is replaced, with the rules of `liveness`.
* A venue that refuses a topic before anything came is an error; afterwards its complaints are counted.
"""
from __future__ import absolute_import, division, print_function

import errno
import gzip
import io
import json
import os
import random

from market_maker.utils import errors
from market_maker.utils.clock import Wakeup
from market_maker.utils.compat import to_bytes
from market_maker.ws import liveness
from market_maker.ws.liveness import Liveness
from market_maker.ws.socket_feed import SocketFeed
from market_maker.ws.ws_thread import realtime_url

FLUSH_S = 1.0
READ_LIMIT_S = 0.25
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class RecordFile(object):
    """A new gzip file of JSON lines. Raises SettingsError where it cannot be made, MarketMakerError where it cannot be written on."""

    def __init__(self, path):
        self.path = path
        self.lines = 0
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, 'O_BINARY', 0), 0o644)
        except (IOError, OSError) as error:
            if error.errno == errno.EEXIST:
                raise errors.SettingsError('%s is there already and is not overwritten: choose another name with --out.' % path)
            raise errors.SettingsError('%s cannot be written: %s.' % (path, error.strerror))
        self._raw = io.open(descriptor, 'wb')
        self._gzip = gzip.GzipFile(filename='', mode='wb', compresslevel=6, fileobj=self._raw)
        self._is_dirty = False

    def write(self, line):
        """One line of text, without its end."""
        self._guarded(self._gzip.write, to_bytes(line + u'\n'))
        self.lines += 1
        self._is_dirty = True

    def flush(self):
        """Bring what was written to where a reader finds it."""
        if self._is_dirty:
            self._is_dirty = False
            self._guarded(self._gzip.flush)

    @property
    def size(self):
        """Bytes in the file so far."""
        return self._raw.tell()

    def close(self):
        """End the file. Calling again is harmless."""
        try:
            self._guarded(self._gzip.close)
        finally:
            try:
                self._raw.close()
            except (IOError, OSError):  # what could not be written cannot be written now either
                pass

    def _guarded(self, act, *arguments):
        try:
            act(*arguments)
        except (IOError, OSError) as error:
            what = 'the disk is full' if error.errno in FULL else error.strerror or error
            raise errors.MarketMakerError('%s cannot be written any further (%s); what is in it stays readable.' % (self.path, what))


class Recorder(object):
    """Keeps a connection and writes what it brings. `file` is a RecordFile; `topics` are names such as 'trade:XBTUSD'.

    `messages`, `tables` (name -> messages), `connections`, `complaints`, `last_reason` (why there is no connection now, or '') are for whoever watches.
    """

    def __init__(self, base_url, topics, file, clock, feed=None, image_limit=30.0, jitter=random.random):
        self.messages = self.connections = self.complaints = 0
        self.tables = {}
        self.last_reason = ''
        self.fatal = None
        self.stopped_by = None
        self.wakeup = Wakeup()
        self._url = realtime_url(base_url, topics)
        self._topics = topics
        self._file = file
        self._clock = clock
        self._feed = feed or SocketFeed()
        self._liveness = Liveness(jitter, image_limit)
        self._missing = set()
        self._is_open = False
        self._flush_at = 0.0

    def request_stop(self, name):
        """From a signal handler: end soon. `name` is the signal's."""
        self.stopped_by = self.stopped_by or name
        self.wakeup.set()

    def run(self, until, on_look=None):
        """Record until the clock's `monotonic` says `until` (None: for ever) or a stop was asked for. `on_look()` is called often. Raises what `fatal` holds
        and what the file raises."""
        try:
            while self.stopped_by is None and self.fatal is None:
                now = self._clock.monotonic()
                if until is not None and now >= until:
                    break
                self._look(now, until)
                if on_look is not None:
                    on_look()
        finally:
            self._feed.close()
            self.wakeup.close()
        if self.fatal is not None:
            raise self.fatal

    def _look(self, now, until):
        """Once around: connect, ping or drop as time demands, then read or wait a little."""
        action = self._liveness.decide(now)
        if action == liveness.PING:
            self._feed.send('ping')
        elif action == liveness.ASK:
            for text in liveness.asking([topic for topic in self._topics if topic.partition(':')[0] in self._missing]):
                self._feed.send(text)
        elif action == liveness.DROP:
            self._feed.close()
            self.on_close('no %s came' % ', '.join(sorted(self._missing)) if self._missing else 'the venue is silent')
        elif action == liveness.CONNECT:
            self._feed.start(self._url, [], self)
        limit = min(READ_LIMIT_S, max(0.01, self._liveness.next_look(now)))
        limit = limit if until is None else min(limit, max(0.01, until - now))
        if self._is_open:
            self._feed.read(limit, self)
        else:
            self._clock.wait(self.wakeup, limit)
        if self._clock.monotonic() >= self._flush_at:
            self._file.flush()
            self._flush_at = self._clock.monotonic() + FLUSH_S

    #
    # What the feed tells
    #
    def on_open(self):
        self._liveness.opened(self._clock.monotonic())
        self._is_open = True
        self._missing = set(topic.partition(':')[0] for topic in self._topics)
        self.connections += 1
        self.last_reason = ''
        self._note('open', 'url', self._url)

    def on_close(self, reason, status=None):
        was_open, self._is_open = self._is_open, False
        self.last_reason = reason
        self._liveness.closed(self._clock.monotonic(), status)
        if was_open:
            self._note('close', 'reason', reason)

    def on_message(self, text):
        self._liveness.last_message = self._clock.monotonic()
        try:
            message = json.loads(text)
        except ValueError:
            if text != 'pong':
                self.complaints += 1
            return
        if '\n' in text or '\r' in text:
            text = json.dumps(message)
        self._file.write(u'{"t": %.6f, "dir": "in", "msg": %s}' % (self._clock.time(), text))
        self.messages += 1
        if isinstance(message, dict):
            self._understand(message)

    def _understand(self, message):
        table = message.get('table')
        if table is not None:
            self.tables[table] = self.tables.get(table, 0) + 1
            if message.get('action') == 'partial' and table in self._missing:
                self._missing.discard(table)
                if not self._missing:
                    self._liveness.ready()
        elif 'info' in message:
            self._liveness.welcomed(message)
        elif 'error' in message:
            self.complaints += 1
            if not self.tables:
                self.fatal = errors.SettingsError('The venue refuses the recording: %s' % message['error'])

    def _note(self, what, name, value):
        self._file.write(u'{"t": %.6f, "dir": "%s", "%s": %s}' % (self._clock.time(), what, name, json.dumps(value)))
