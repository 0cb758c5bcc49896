"""The realtime connection: one thread, the tables it fills, and how it comes back.

The wrapper reads it as if it were a REST endpoint, but what it reads is already here and kept up to date.

Rules:

* Subscribed are the tables we use, for the symbols we use, and not the whole venue.
* The ticker comes from `quote`; `instrument` refreshes its bid and ask only every 5 s.
* A dropped or silent socket is replaced: back off, connect, authenticate, subscribe, fresh partials. Until they are all there
  nothing here counts as known; those that do not come are asked for again.
* A refusal of the credentials is not retried; an address that is forbidden what it was allowed before may be banned for a while, and is.
* Nothing that a venue sends ends the thread. Should it end all the same, or fail again and again, the loop is told and ends the run.
* What comes late counts as old, however alive the line is (see `lag`), and so do quotes that stand still while the book goes on (see
  `agreement`); a feed that stays behind is replaced.
"""
from __future__ import absolute_import, division, print_function

import json
import logging
import random
import threading
import traceback

from market_maker.auth import generate_expires, generate_signature
from market_maker.utils import compat, errors, threads
from market_maker.utils.compat import iteritems
from market_maker.utils.math import decimals, toNearest
from market_maker.ws import liveness
from market_maker.ws.agreement import Agreement
from market_maker.ws.lag import Lag
from market_maker.ws.liveness import Liveness
from market_maker.ws.socket_feed import SocketFeed
from market_maker.ws.tables import Tables

logger = logging.getLogger('root')

_scan = json.JSONDecoder().scan_once  # what `json.loads` ends in, without what it checks before

PUBLIC_TABLES = ('quote', 'trade')
PRIVATE_TABLES = ('order', 'execution')
ACCOUNT_TABLES = ('margin', 'position')
READ_LIMIT_S = 0.5
LAG_LIMIT_S = 30.0             # a feed that is further behind than this is replaced
DISAGREE_LIMIT_S = 2.5         # and one whose quotes stand still beside a book that went on for so long
HEADS_LIMIT = 64               # beginnings of texts that are remembered: three for each table and way to write it
ERRORS_IN_A_ROW = 5            # so many unforeseen errors within ERRORS_WITHIN_S are a fault of ours and end the run
ERRORS_WITHIN_S = 60.0
# Tables of which a change is worth waking the loop.
WAKING = frozenset(['quote', 'order', 'position', 'margin', 'instrument'])


class BitMEXWebsocket(object):
    """The realtime side of the `BitMEX` wrapper.

    clock -- tells the time; wakeup -- set when something changed that the loop may want to act on; feed -- the connection
    (a `SocketFeed` unless one is handed in); on_orders(rows) -- called with rows of the order table as they come; on_rows(table, rows,
    is_image) -- called with all rows that were applied.
    """

    def __init__(self, clock, wakeup, feed=None, on_orders=None, image_limit=30.0, jitter=random.random, on_rows=None):
        self.tables = Tables()
        self._changes = self.tables.changes
        self._heads = {}                   # how texts begin -> (table, what changes it, whether somebody wants to know); see `_learn`
        self.exited = False
        self.connections = 0               # complete sets of tables so far
        self.fatal = None                  # an error that no reconnecting cures
        self.welcome_offset = None         # venue's clock minus ours in seconds, by the welcome message
        self.last_reason = ''              # why the socket was closed last
        self._clock = clock
        self._monotonic = clock.monotonic
        self._wakeup = wakeup
        self._feed = feed or SocketFeed()
        self._deliver = getattr(self._feed, 'deliver', None)  # what has come waits for it
        self._on_orders = on_orders
        self._on_rows = on_rows
        self._liveness = Liveness(jitter, image_limit)
        self._is_open = self._is_ready = self._is_starting = False
        self._lag = Lag()
        self._agreement = Agreement() if getattr(self._feed, 'may_stall', True) else None
        self._errors = []                  # when unforeseen errors happened lately
        self._thread = None
        self._book = 'orderBookL2_25'
        self._logged_in = False

    #
    # Life
    #
    def connect(self, endpoint, symbol, symbols=(), credentials=None):
        """Begin; returns at once. `credentials` is None for public data only, or has `socket_header(sign_time)`."""
        self.symbol = symbol
        self._symbols = [symbol] + [other for other in symbols if other != symbol]
        self._credentials = credentials
        self._url = realtime_url(endpoint, self.topics())
        if self._feed.threaded:
            self._thread = threads.start(self._run, 'ws_thread')
            logger.info('Started thread')
        else:
            self.poll()

    def topics(self):
        """What is subscribed to, as the venue names it."""
        tables = PUBLIC_TABLES + (PRIVATE_TABLES if self._credentials else ())
        topics = ['%s:%s' % (table, self.symbol) for table in tables[:2] + (self._book,)]
        topics += ['instrument:%s' % symbol for symbol in self._symbols]
        topics += ['%s:%s' % (table, self.symbol) for table in tables[2:]]
        return topics + (list(ACCOUNT_TABLES) if self._credentials else [])

    def missing(self):
        """Names of the topics whose tables have not come yet."""
        found = []
        for topic in self.topics():
            table, _, symbol = topic.partition(':')
            if not self.tables.has(table, symbol or None):
                found.append(topic)
        return found

    def exit(self):
        """Close the socket and join the thread. Calling again is harmless."""
        self.exited = True
        self._feed.close()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(10)
            self._thread = None

    @property
    def threaded(self):
        """Whether the feed is read by a thread; without one, somebody must call `poll`."""
        return self._feed.threaded

    @property
    def ready(self):
        """Whether a socket is open and all tables are there."""
        return self._is_ready

    def age(self):
        """How old our picture is, in seconds: since the venue was last heard, and how late that came; infinite when not `ready`."""
        self.hear()
        now = self._clock.monotonic()
        return self._liveness.age(now) + max(self._lag.seconds(), self._disagreement(now))

    @property
    def last_heard(self):
        """Until when we know what happened at the venue, in seconds of the clock's `monotonic`."""
        return (self._liveness.last_message or 0.0) - self._lag.seconds()

    def _disagreement(self, now):
        """For how many seconds the touch of the quotes has stood still while the book's is another one."""
        if self._agreement is None or not self._is_ready:
            return 0.0
        if self._agreement.is_due(now):
            quote = tuple(self.tables.pick('quote', ('bidPrice', 'askPrice'), symbol=self.symbol))
            self._agreement.note(quote, lambda: self.tables.best(self._book), now)
        return self._agreement.seconds(now)

    def resubscribe(self):
        """Throw the connection away and build the tables anew; for tables that cannot be right."""
        self._drop('the tables are inconsistent')

    #
    # The thread, and what it does in turn
    #
    def _run(self):
        try:
            self._read_on()
        finally:
            if not self.exited and self.fatal is None:
                self.fatal = errors.MarketMakerError('The thread that reads the realtime data has ended.')
            self._wakeup.set()

    def _read_on(self):
        while not self.exited:
            try:
                self.poll()
                if self._is_open:
                    self._feed.read(min(READ_LIMIT_S, max(0.01, self.next_look())), self)
                elif not self.exited:
                    self._pause(min(READ_LIMIT_S, self.next_look()))
            except Exception as error:  # noqa: B902 - whatever a venue sends, the thread lives on and the loop is told
                self._could_not_be_handled(error)

    def hear(self):
        """Apply what has come by now, where the feed leaves that to the loop."""
        if self._deliver is None:
            return
        try:
            self._deliver(self)
        except Exception as error:  # noqa: B902 - as in the thread
            self._could_not_be_handled(error)

    def _could_not_be_handled(self, error):
        logger.error('Realtime data could not be handled: %s', error)
        logger.debug(traceback.format_exc())
        self._note_error(repr(error))
        self._drop('an error while reading: %s' % error)

    def _note_error(self, error):
        now = self._clock.monotonic()
        self._errors = [moment for moment in self._errors if now - moment < ERRORS_WITHIN_S] + [now]
        if len(self._errors) >= ERRORS_IN_A_ROW:
            self.fatal = errors.MarketMakerError('Realtime data cannot be handled: %s' % error)

    def _pause(self, seconds):
        signal = threading.Event()
        signal.wait(max(0.01, seconds))

    def next_look(self):
        """Seconds until `poll` has something to do."""
        return READ_LIMIT_S if self._is_starting else self._liveness.next_look(self._clock.monotonic())

    def poll(self):
        """Ping, drop or connect, as time demands. The thread calls it; without one whoever waits does."""
        if self.exited or self.fatal:
            return
        self.hear()
        if self._is_ready and self._lag.seconds() > LAG_LIMIT_S:
            self._drop('the realtime data is %d s late' % self._lag.seconds())
        now = self._clock.monotonic()
        if self._disagreement(now) > DISAGREE_LIMIT_S:
            self._drop('quotes and book contradict each other')
        action = self._liveness.decide(now)
        if action == liveness.PING:
            self._feed.send('ping')
        elif action == liveness.ASK:
            missing = self.missing()
            logger.info('Still waiting for %s; asking again.', ', '.join(missing))
            for text in liveness.asking(missing):
                self._feed.send(text)
        elif action == liveness.DROP:
            missing = self.missing()
            self._drop('no %s came' % ', '.join(missing) if missing else 'the venue is silent')
        elif action == liveness.CONNECT and not self._is_starting:
            self._is_starting = True
            self.tables.reset()
            self._heads.clear()
            logger.info('Connecting to %s', self._url)
            self._feed.start(self._url, self._header(), self)

    def _header(self):
        if self._credentials is None:
            return []
        logger.info('Authenticating with %s.', self._credentials.name)
        return self._credentials.socket_header(self._clock.time() + (self.welcome_offset or 0.0))

    def _drop(self, reason):
        self._feed.close()
        if self._is_open:
            self.on_close(reason)

    #
    # What the feed tells
    #
    def on_open(self):
        self._liveness.opened(self._clock.monotonic())
        self._is_open, self._is_starting = True, False
        self._lag.reset()
        if self._agreement is not None:
            self._agreement.reset()
        logger.info('Connected to WS. Waiting for data images, this may take a moment...')

    def on_close(self, reason, status=None):
        was_ready, self._is_open, self._is_ready, self._is_starting = self._is_ready, False, False, False
        self.last_reason = reason
        if status == 401 or (status == 403 and not self.connections):
            self.fatal = errors.AuthenticationError('The venue refused the credentials at the realtime socket (HTTP %d). '
                                                    'Check API_KEY and API_SECRET.' % status)
        self._liveness.closed(self._clock.monotonic(), status)
        if not self.exited:
            if was_ready or status:
                logger.warning('Websocket Closed: %s', reason)
            self._wakeup.set()

    def on_fault(self, reason):
        """An error that nobody foresaw has ended the connection."""
        logger.error('Realtime data could not be read: %s', reason)
        self._note_error(reason)
        self.on_close('an error while reading: %s' % reason)

    def on_message(self, text, at=None):
        """A text came: now, or at this reading of the clock's `monotonic`.

        From a feed within the process it may be the dict that a text would have been read as, which is ours from then on.
        """
        self._liveness.last_message = self._monotonic() if at is None else at
        if type(text) is dict:
            self._read_message(text)
            return
        start = text.find('[')
        try:
            table, change, is_wanted = self._heads[text[:start]]
            rows, end = _scan(text, start)
            if text[end] != '}':
                raise ValueError('there is more than rows')
        except (LookupError, ValueError, StopIteration):
            self._new_message(text)
            return
        bad = change(rows)
        if bad:
            rows = [row for row in rows if row not in bad]
        if is_wanted and rows:
            self._tell(table, rows, is_image=False)

    def _new_message(self, text):
        """A text that does not begin as one that we had."""
        try:
            message = _scan(text, 0)[0]    # frames begin with what they say, without white space
        except (ValueError, StopIteration):
            if text != 'pong':
                logger.warning('The venue sent what is not JSON: %.80r', text)
            return
        if self._read_message(message):
            self._learn(text, message['table'], message['action'])

    def _learn(self, text, table, action):
        """Texts that begin like this one, a change of a table, need not be read up to their rows again.

        Only where nothing but the rows differs: the beginning must say table and action, and that rows come.
        """
        head = text[:text.find('[')]
        try:
            says = json.loads(head + '[]}')
        except ValueError:
            return
        if says == {'table': table, 'action': action, 'data': []} and len(self._heads) < HEADS_LIMIT:
            self._heads[head] = table, self._changes[table][action], self._is_wanted(table)

    def _is_wanted(self, table):
        return table in WAKING or self._on_rows is not None

    def _read_message(self, message):
        """What a text said; return whether it was a change of a table that we have."""
        try:
            table, rows = message['table'], message['data']
            bad = self._changes[table][message['action']](rows)
        except (KeyError, TypeError):  # a partial, a table without one, no table, or nonsense
            self._other_message(message)
            return False
        if bad:
            rows = [row for row in rows if row not in bad]
        if rows and self._is_wanted(table):
            self._tell(table, rows, is_image=False)
        return True

    def _other_message(self, message):
        """Whatever is no change of a table that we have."""
        if not isinstance(message, dict):
            return
        table = message.get('table')
        if table is None:
            self._message_without_table(message)
            return
        self._heads.clear()                # an image may bring other keys, and with them other changes
        try:
            rows, _ = self.tables.apply(message)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            logger.warning('The venue sent a table message that makes no sense: %s', error)
            return
        is_image = message['action'] == 'partial'
        if rows:
            self._tell(table, rows, is_image)
        if is_image and not self._is_ready:
            self._look_if_ready()

    def _tell(self, table, rows, is_image):
        """Rows were applied: those who want to know."""
        if self._on_rows is not None:
            self._on_rows(table, rows, is_image)
        if table in WAKING:
            if table == 'order' and self._on_orders is not None:
                self._on_orders(rows)
            elif table == 'quote' and not is_image:
                self._lag.note(rows[-1].get('timestamp'), self._liveness.last_message)
            self._wakeup.set()

    def _look_if_ready(self):
        if self._is_open and not self.missing():
            self._is_ready = True
            self._liveness.ready()
            self.connections += 1
            logger.info('Got all market data. Starting.' if self.connections == 1 else 'Got all market data again.')
            self._wakeup.set()

    def _message_without_table(self, message):
        if 'error' in message:
            self._error_message(message)
        elif 'info' in message and 'timestamp' in message:
            welcomed = compat.seconds_of(message['timestamp'])
            lay = self._clock.monotonic() - self._liveness.last_message  # in a queue
            self.welcome_offset = welcomed - (self._clock.time() - lay)
            self._lag.welcome(welcomed, self._liveness.last_message)
            self._liveness.welcomed(message)

    def _error_message(self, message):
        status, text = message.get('status'), message['error']
        if status in (401, 403):
            self.fatal = errors.AuthenticationError('The venue refused the credentials on the realtime socket: %s' % text)
        elif not self._is_ready and self._book == 'orderBookL2_25' and 'orderBookL2_25' in json.dumps(message.get('request', '')):
            self._book = 'orderBookL2'  # a venue without the short book: take the whole one
            self._feed.send(json.dumps({'op': 'subscribe', 'args': ['orderBookL2:' + self.symbol]}))
        else:
            logger.error('The venue says on the realtime socket: %s', text)
        self._wakeup.set()

    #
    # What is known
    #
    def get_instrument(self, symbol):
        """A copy of the instrument's row, with `tickLog`: the number of decimals of a price."""
        instrument = self.tables.row('instrument', symbol=symbol)
        if instrument is None:
            raise errors.RequestRefused('Unable to find instrument or index with symbol: %s' % symbol)
        instrument['tickLog'] = decimals(instrument['tickSize'])
        return instrument

    def get_ticker(self, symbol):
        """{'last', 'buy', 'sell', 'mid'} as floats, None where a side is empty; of an index its mark price four times."""
        instrument = self.get_instrument(symbol)
        if symbol.startswith('.'):
            mark = instrument.get('markPrice') or instrument.get('lastPrice')
            return dict.fromkeys(('last', 'buy', 'sell', 'mid'), mark)
        quote = self.tables.row('quote', symbol=symbol) or {}
        if not quote and symbol != self.symbol:
            quote = instrument
        bid, ask = quote.get('bidPrice'), quote.get('askPrice')
        ticker = {'last': instrument.get('lastPrice'), 'buy': bid, 'sell': ask,
                  'mid': (bid + ask) / 2 if bid and ask else None}
        return {key: toNearest(value, instrument['tickSize']) if value else None for key, value in iteritems(ticker)}

    def market_depth(self, symbol):
        """The book as the venue lists it: sells from the highest down to the best, then buys from the best down."""
        rows = [row for row in self.tables.rows(self._book, symbol=symbol) if row.get('price') is not None]
        return sorted(rows, key=lambda row: (row['side'] != 'Sell', -row['price']))

    def recent_trades(self):
        return self.tables.rows('trade', symbol=self.symbol)


def realtime_url(endpoint, topics):
    """The socket's address beside a REST base URL, subscribing in its query."""
    parts = compat.urlsplit(endpoint)
    scheme = {'http': 'ws', 'https': 'wss'}.get(parts.scheme, parts.scheme)
    return compat.urlunsplit((scheme, parts.netloc, '/realtime', 'subscribe=' + ','.join(topics), ''))


class KeyCredentials(object):
    """A permanent API key on the socket: the signature is over GET/realtime, whatever the query says."""

    name = 'API Key'

    def __init__(self, key, secret):
        self._key, self._secret = key, secret

    def socket_header(self, now):
        expires = generate_expires(now)
        return ['api-expires: %d' % expires,
                'api-signature: ' + generate_signature(self._secret, 'GET', '/realtime', expires, ''),
                'api-key: ' + self._key]


class LoginCredentials(object):
    """E-mail and password on the socket, as in 2016."""

    name = 'email/password'

    def __init__(self, login):
        self._login = login

    def socket_header(self, now):
        return self._login.socket_header()
