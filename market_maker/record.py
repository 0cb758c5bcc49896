"""`marketmaker record`: store the public stream of a venue, to be replayed and back-tested later. Needs no keys.

Exit codes: 0 when the time was over or it was stopped, 1 when it could not go on (a full disk), 2 wrong usage or symbol, 4 no venue.
"""
from __future__ import absolute_import, division, print_function

import argparse
import logging
import os
import sys
import time
from difflib import get_close_matches

from market_maker import _settings_base as base
from market_maker import paper, words
from market_maker import settings as settings_module
from market_maker.direct import Direct
from market_maker.recorder import Recorder, RecordFile
from market_maker.utils import errors, log
from market_maker.utils.clock import RealClock
from market_maker.utils.compat import iteritems
from market_maker.utils.signals import StopSignals

TABLES = ('orderBookL2', 'quote', 'trade', 'instrument', 'funding')
KNOWN_TABLES = TABLES + ('orderBookL2_25', 'orderBook10', 'liquidation', 'settlement', 'insurance')
WITHOUT_SYMBOL = ('insurance',)
LOOK_S, LOG_S = 1.0, 60.0


def main(argv):
    """Record; the exit code."""
    arguments = _parser().parse_args(argv)
    overrides = {} if arguments.base_url is None else {'BASE_URL': arguments.base_url}
    settings = settings_module.load(symbol=arguments.symbol.upper() if arguments.symbol else None, overrides=overrides)
    log.setup_custom_logger(log_level=logging.ERROR)
    venue = None
    with StopSignals() as signals:
        try:
            if settings.BASE_URL == base.PAPER:
                venue = paper.start_for(settings)
            _check_symbol(settings)
            return _record(arguments, settings, signals, venue)
        finally:
            if venue is not None:
                venue.stop()


def _record(arguments, settings, signals, venue):
    clock = RealClock()
    began = clock.monotonic()
    file = RecordFile(arguments.out or file_name(settings.SYMBOL, clock.time()))
    recorder = Recorder(settings.BASE_URL, topics(arguments.tables, settings.SYMBOL), file, clock, image_limit=settings.START_TIMEOUT_S)
    progress = Progress(recorder, file, clock, began, arguments.seconds)
    signals.tell(recorder)
    if venue is not None:
        venue.on_death = lambda: recorder.request_stop('the end of the paper venue')
    progress.begin(settings)
    try:
        recorder.run(None if arguments.seconds is None else began + arguments.seconds, progress.look)
    finally:
        file.close()
        progress.end()
        if not recorder.messages:
            os.remove(file.path)
    if venue is not None and not venue.alive():
        raise errors.PaperVenueError('%s What was recorded until then is in %s.' % (venue.obituary(), file.path))
    _summary(arguments, settings, recorder, file, clock.monotonic() - began)
    return errors.EXIT_OK if recorder.messages else errors.EXIT_UNREACHABLE


def topics(tables, symbol):
    """What to subscribe to, as the venue names it."""
    return [table if table in WITHOUT_SYMBOL else '%s:%s' % (table, symbol) for table in tables]


def file_name(symbol, now):
    """A name for a recording that begins at `now` (Unix seconds)."""
    return '%s-%s.jsonl.gz' % (symbol.lstrip('.'), time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(now)))


def _check_symbol(settings):
    """Raise SettingsError for a symbol that the venue does not list, VenueUnreachable where there is none."""
    venue = Direct(settings)
    try:
        if venue.instrument(settings.SYMBOL) is None:
            names = sorted(row['symbol'] for row in venue.instruments() if not row['symbol'].startswith('.'))
            near = get_close_matches(settings.SYMBOL, names, 3, 0.5) or names[:5]
            raise errors.SettingsError('%s is not known at %s. Nearest: %s.' % (settings.SYMBOL, settings.BASE_URL, ', '.join(near) or 'nothing trades there'))
    except errors.VenueUnreachable as error:
        raise errors.VenueUnreachable('%s at %s. Is BASE_URL right, and does the venue run?' % (str(error).rstrip('. '), settings.BASE_URL))
    finally:
        venue.close()


class Progress(object):
    """Says on standard error how far a recording is: a line that is rewritten each second on a terminal, one a minute elsewhere."""

    def __init__(self, recorder, file, clock, began, seconds, out=None):
        self._recorder, self._file, self._clock = recorder, file, clock
        self._began, self._seconds = began, seconds
        self._out = out or sys.stderr
        self._is_terminal = getattr(self._out, 'isatty', lambda: False)()
        self._next = began + (LOOK_S if self._is_terminal else LOG_S)
        self._width = 0
        self._reason = ''

    def begin(self, settings):
        where = 'a paper venue' if settings.origin('API_KEY') == settings_module.PROGRAM else settings.BASE_URL
        self._out.write('Recording %s of %s into %s%s; Ctrl-C ends it.\n' % (
            settings.SYMBOL, where, self._file.path, '' if self._seconds is None else ' for ' + duration(self._seconds)))

    def look(self):
        """Called often; says something when it is time, and a lost connection at once."""
        now = self._clock.monotonic()
        reason = self._recorder.last_reason
        if reason != self._reason:
            self._reason = reason
            self._line('The connection is there again.' if not reason else 'No connection (%s): trying again.' % reason)
        if now >= self._next:
            self._next = now + (LOOK_S if self._is_terminal else LOG_S)
            self._status(now)

    def end(self):
        if self._is_terminal and self._width:
            self._out.write('\r' + ' ' * self._width + '\r')
        self._out.flush()

    def _status(self, now):
        text = '%s messages, %s' % (grouped(self._recorder.messages), size(self._file.size))
        left = None if self._seconds is None else max(0.0, self._began + self._seconds - now)
        text += ', %s gone' % duration(now - self._began) if left is None else ', %s left' % duration(left)
        if not self._is_terminal:
            self._line(text)
            return
        self._out.write('\r%-*s' % (self._width, text))
        self._width = len(text)
        self._out.flush()

    def _line(self, text):
        self.end()
        self._width = 0
        self._out.write(text + '\n')
        self._out.flush()


def _summary(arguments, settings, recorder, file, seconds):
    bytes_ = os.path.getsize(file.path) if os.path.exists(file.path) else 0
    if arguments.json:
        words.print_json({
            'file': os.path.abspath(file.path) if recorder.messages else None, 'symbol': settings.SYMBOL, 'seconds': round(seconds, 3),
            'messages': recorder.messages, 'tables': recorder.tables, 'bytes': bytes_, 'connections': recorder.connections,
            'complaints': recorder.complaints, 'stopped_by': recorder.stopped_by})
        return
    if not recorder.messages:
        sys.stdout.write('Nothing came in %s, so nothing was kept%s.\n' % (
            duration(seconds), ' (%s)' % recorder.last_reason if recorder.last_reason else ''))
        return
    sys.stdout.write('Recorded %s messages of %s in %s: %s, %s%s.\n' % (
        grouped(recorder.messages), settings.SYMBOL, duration(seconds), file.path, size(bytes_),
        '' if recorder.connections == 1 else ', in %d connections' % recorder.connections))
    sys.stdout.write('  %s\n' % ', '.join('%s %s' % (name, grouped(count)) for name, count in sorted(iteritems(recorder.tables))))
    if recorder.complaints:
        sys.stdout.write('  %d messages of the venue were complaints or no JSON.\n' % recorder.complaints)


def duration(seconds):
    """h:mm:ss."""
    whole = int(round(seconds))
    return '%d:%02d:%02d' % (whole // 3600, whole // 60 % 60, whole % 60)


def size(count):
    """Bytes for people."""
    return '%.1f MB' % (count / 1e6) if count >= 100000 else '%.1f kB' % (count / 1e3)


def grouped(number):
    """1234567 -> 1,234,567."""
    return '{:,}'.format(number)


def _tables(text):
    tables = [name for name in text.replace(' ', '').split(',') if name]
    unknown = [name for name in tables if name not in KNOWN_TABLES]
    if unknown or not tables:
        near = get_close_matches(unknown[0], KNOWN_TABLES, 1, 0.5) if unknown else []
        raise argparse.ArgumentTypeError('%r is no public table%s; there are %s' % (
            unknown[0] if unknown else text, ' (did you mean %s?)' % near[0] if near else '', ', '.join(KNOWN_TABLES)))
    return tables


def _amount(seconds_each):
    def read(text):
        try:
            number = float(text)
        except ValueError:
            number = 0
        if not 0 < number < float('inf'):
            raise argparse.ArgumentTypeError('%r is no number above 0' % text)
        return number * seconds_each
    return read


def _parser():
    parser = words.Parser('record', 'Store the public stream of a venue as compressed JSON lines. Needs no keys.',
                          'marketmaker record XBTUSD --hours 8\n  marketmaker record --base-url http://127.0.0.1:4040/api/v1/ --minutes 5 --out five.jsonl.gz')
    add = parser.add_argument
    add('symbol', nargs='?', metavar='SYMBOL', help='what to record (default: SYMBOL of the settings)')
    time_limit = parser.add_mutually_exclusive_group()
    time_limit.add_argument('--hours', dest='seconds', metavar='N', type=_amount(3600.0), help='stop after so many hours (default: at Ctrl-C)')
    time_limit.add_argument('--minutes', dest='seconds', metavar='N', type=_amount(60.0), help='stop after so many minutes')
    add('--base-url', metavar='URL', help='"paper", or the address of a venue (default: BASE_URL of the settings)')
    add('--out', metavar='FILE', help='where to (default: SYMBOL-TIME.jsonl.gz in this folder); never overwritten')
    add('--tables', metavar='NAMES', type=_tables, default=list(TABLES), help='which tables, with commas (default: %s)' % ','.join(TABLES))
    add('--json', action='store_true', help='end with one JSON document on standard output')
    return parser
