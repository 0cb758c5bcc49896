"""Computing a run again: the inputs of its journal are fed to the same code, which must ask for the same orders, byte for byte.

The bot is the unchanged one: order manager, client, signing, tables. In place of the clock, the line, the flags and chance stands what the
journal says of them (`inputs` tells what that is); a request is signed, compared with the one of the run, and answered as it was then.

Rules:

* Nothing is sent, nothing waits, no credentials are needed: it signs with made-up ones.
* Where code and journal part, or the journal ends (of a run that was killed), it stops there and says so.
"""
from __future__ import absolute_import, division, print_function

import logging
import sys
import threading
from collections import namedtuple
from contextlib import contextmanager

import requests

from market_maker import inputs, journal_inputs
from market_maker.inputs import ObservedWakeup, bytes_of, text_of
from market_maker.journal import NoJournal
from market_maker.market_maker import ExchangeInterface, OrderManager
from market_maker.rest_session import KnownFailure
from market_maker.settings import Reload, Settings
from market_maker.utils import log
from market_maker.utils.compat import to_bytes
from market_maker.utils.parallel import run_all
from market_maker.ws.queued_feed import QueuedFeed

MADE_UP = 'refeed'
HEADERS_OF_JSON = {'Content-Type': 'application/json'}

# verb, path (with the query), body -- as they would be sent; body in bytes
Request = namedtuple('Request', 'verb path body')
# requests -- all of them, in order; orders -- those that place, amend or cancel; parted -- None, or where code and journal parted; is_whole --
# whether the journal was fed to its end; records -- how many inputs were fed
Refed = namedtuple('Refed', 'requests orders parted is_whole records')


class _Over(BaseException):
    """Nothing more can be fed. No `except Exception` of the bot's gets hold of it."""


def refeed(run, manager=OrderManager, journal=None):
    """Feed the inputs of a journal_reading.Run to a new `manager` (the class that ran then). Returns a Refed.

    journal -- a Journal in memory that is told what happens, as the run's own was.
    """
    player = Player(journal_inputs.records(run))
    journal = journal or _Unwritten()
    journal.inputs = player
    try:
        with _unheard(run.about['settings'].get('LOG_LEVEL', logging.INFO)):
            _run(run.about, manager, journal)
    except _Over:
        pass
    except BaseException as error:
        if not player.is_over():
            player.part('the run ended here with %r, and the journal goes on' % error)
    return player.result()


@contextmanager
def _unheard(log_level):
    """What is said is heard by nobody; how much is said stays as it was, since some of it asks for the time."""
    loggers = [log.get_logger(), logging.getLogger()]
    before = [(logger, logger.handlers, logger.level) for logger in loggers]
    said, sys.stdout = sys.stdout, _Nowhere()
    for logger in loggers:
        logger.handlers = [logging.NullHandler()]
    log.set_level(log_level)
    try:
        yield
    finally:
        sys.stdout = said
        for logger, handlers, level in before:
            logger.handlers = handlers
            logger.setLevel(level)


def requests_of(run):
    """The requests that a journal holds, in the order in which they left, as Requests."""
    return [Request(verb, path, bytes_of(body)) for kind, verb, path, body in
            (record for record in journal_inputs.records(run) if isinstance(record, list) and record[0] == inputs.REQUEST)]


def orders_among(sent):
    """Those of the Requests that place, amend or cancel orders."""
    return [request for request in sent if request.verb != 'GET' and '/order' in request.path]


def _run(about, manager, journal):
    settings = Settings(about['settings'])
    if about.get('auth') == 'password':
        settings.LOGIN = settings.PASSWORD = MADE_UP
    else:
        settings.API_KEY = settings.API_SECRET = MADE_UP
    dry_run = about['kind'] == 'dry-run'
    exchange = ExchangeInterface(dry_run, settings, about['symbol'], journal=journal)
    if about['kind'] == 'paper':
        exchange.paper = _PaperVenue()
    manager(exchange, settings, lambda: Reload([], [], [])).run_loop()


class Player(inputs.Inputs):
    """Plays records back: each hook gives what it gave then. One thread at a time has its turn, as then."""

    def __init__(self, records):
        self._records = iter(records)
        self._next = None
        self._fed = 0
        self._counts = {}                  # what is observed, and the feed -> readings since it changed
        self._values = {}
        self._parted = None
        self._sent = []
        self._turns = None
        self._advance()

    def result(self):
        return Refed(self._sent, orders_among(self._sent), self._parted, self._next is None and self._parted is None, self._fed)

    def is_over(self):
        """Whether everything was fed, or can be no more."""
        return self._next is None or self._parted is not None

    def part(self, how):
        """Code and journal have parted."""
        self._parted = self._parted or 'at input %d: %s' % (self._fed, how)

    #
    # The hooks
    #
    def clock(self, clock):
        return _PlayedClock(self)

    def wakeup(self):
        return ObservedWakeup(self)

    def feed(self, feed, wakeup):
        return QueuedFeed(lambda url, header: _SilentLine(), self, wakeup)

    def reading(self, sign):
        """A reading of the clock, kept as a number with this sign."""
        self._check()
        number = self._next
        if number is None:
            raise _Over()
        if isinstance(number, list) or number * sign < 0:
            self.part('the code asks for the clock, and the journal holds %s' % _short(number))
            raise _Over()
        self._advance()
        return number * sign

    def observe(self, name, value):
        self._check()
        count = self._counts[name] = self._counts.get(name, 0) + 1
        record = self._next
        if isinstance(record, list) and record[0] == inputs.OBSERVED and record[1] == name and record[2] == count:
            self._values[name] = self.take(inputs.OBSERVED)[3]
            self._counts[name] = 0
        return self._values.get(name)

    def heard(self, events):
        self._check()
        count = self._counts[inputs.HEARD] = self._counts.get(inputs.HEARD, 0) + 1
        record = self._next
        if not isinstance(record, list) or record[0] != inputs.HEARD or record[1] != count:
            return []
        self._counts[inputs.HEARD] = 0
        return self.take(inputs.HEARD)[2]

    def draw(self, name, draw):
        return self.take(inputs.CHANCE)[2]

    def settings(self, reload, settings):
        _, values, problems, later = self.take(inputs.SETTINGS)
        for name, value in values.items():
            setattr(settings, name, value)
        return Reload(sorted(values), problems, later)

    def send(self, send, request, failure_of, **options):
        is_login = request.path_url.endswith(inputs.LOGIN_PATH)
        sent = Request(request.method, request.path_url, b'' if is_login else to_bytes(request.body or b''))
        self._check()
        self._sent.append(sent)
        _, verb, path, body = self.take(inputs.REQUEST)
        if (verb, path, body) != (sent.verb, sent.path, text_of(sent.body)):
            self.part('%s %s was asked for, where the run had asked for %s %s' % (sent.verb, sent.path, verb, path)
                      if (verb, path) != sent[:2] else '%s %s says something else than the run had said' % (verb, path))
            raise _Over()
        if self._turns is not None:
            self._turns.let_go()
            self._turns.take_up()
        record = self.take(inputs.ANSWER, inputs.FAILURE)
        if record[0] == inputs.FAILURE:
            raise KnownFailure(record[1], record[2])
        return _response(request, *record[1:])

    def run_all(self, calls, workers):
        if workers < 2 or len(calls) < 2 or self._turns is not None:
            return run_all(calls, 1)
        self._turns = _Turns(self, len(calls))
        try:
            outcomes = run_all([self._turns.call(number, call) for number, call in enumerate(calls)], len(calls))
        finally:
            self._turns = None
        self._check()
        return outcomes

    def wait(self):
        self._check()
        if self._turns is not None:
            self._turns.let_go()
            self._turns.take_up()

    #
    # The records
    #
    def peek(self):
        return self._next

    def take(self, *kinds):
        """The next record, which must be of one of these kinds."""
        self._check()
        record = self._next
        if record is None:
            raise _Over()
        if not isinstance(record, list) or record[0] not in kinds:
            self.part('the code asks for %s, and the journal holds %s' % (' or '.join(kinds), _short(record)))
            raise _Over()
        self._advance()
        return record

    def _advance(self):
        self._next = next(self._records, None)
        self._fed += 1 if self._next is not None else 0

    def _check(self):
        if self._parted is not None:
            raise _Over()


class _Turns(object):
    """Who has his turn among calls side by side: whoever had it then."""

    def __init__(self, player, count):
        self._player = player
        self._changed = threading.Condition()
        self._mine = threading.local()
        self._left = count                 # calls that are not over
        self._waiting = set()
        self._is_taken = False

    def call(self, number, call):
        def in_turn():
            self._mine.number = number
            try:
                self.take_up()
                return call()
            finally:
                self._end()
        return in_turn

    def take_up(self):
        with self._changed:
            self._waiting.add(self._mine.number)
            while not self._is_mine():
                if self._is_nobodys():
                    self._player.part('the turn is nobody\'s: the journal holds %s' % _short(self._player.peek()))
                    self._changed.notify_all()
                    raise _Over()
                self._changed.wait()
            self._waiting.discard(self._mine.number)
            self._player.take(inputs.TURN)
            self._is_taken = True

    def let_go(self):
        with self._changed:
            self._is_taken = False
            self._changed.notify_all()

    def _end(self):
        with self._changed:
            self._left -= 1
            self._waiting.discard(self._mine.number)
            self._is_taken = False
            self._changed.notify_all()

    def _is_mine(self):
        return not self._is_taken and not self._player.is_over() and self._player.peek() == [inputs.TURN, self._mine.number]

    def _is_nobodys(self):
        if self._player.is_over():
            return True
        return not self._is_taken and len(self._waiting) == self._left and (
            self._player.peek() not in [[inputs.TURN, number] for number in self._waiting])


class _PlayedClock(object):
    def __init__(self, player):
        self._player = player
        self.raw = _StandingClock()

    def time(self):
        return self._player.reading(-1)

    def monotonic(self):
        return self._player.reading(1)

    def wait(self, wakeup, timeout):
        self._player.wait()
        return False


class _StandingClock(object):
    """For the journal's own questions, of which the run has kept no answers."""

    def time(self):
        return 0.0


class _SilentLine(object):
    """A line on which nothing comes: what came then is in the records."""

    def __init__(self):
        self.outbox = []

    def taken(self):
        return []

    def abandon(self):
        pass


class _PaperVenue(object):
    """A venue on this machine, of which only the death is known."""

    profile = market = on_death = None

    def alive(self):
        return True

    def obituary(self):
        return 'The paper venue ended by itself.'

    def stop(self):
        pass


class _Unwritten(NoJournal):
    """Takes the inputs, and keeps nothing of the rest."""

    __slots__ = ('inputs',)


def _short(record):
    return 'nothing' if record is None else 'a reading of the clock' if not isinstance(record, list) else '%s' % (record[:2],)


class _Nowhere(object):
    def write(self, text):
        pass

    def flush(self):
        pass


def _response(request, status, headers, body):
    made = requests.Response()
    made.status_code, made.request, made.url = status, request, request.url
    made.headers.update(dict(HEADERS_OF_JSON, **headers))
    made._content, made._content_consumed = bytes_of(body), True
    return made
