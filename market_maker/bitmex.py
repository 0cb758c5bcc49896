"""BitMEX: the wrapper that a strategy author holds. A REST session and realtime tables in one.

What is read comes from the tables in memory; what is asked for goes by REST. Every request, reply and row about our orders
passes through one `OwnOrders`, and every request through one `RequestBudget`.

Rules:

* Only orders under our prefix are ever touched (how they are sent and kept account of: `order_entry`, `own_orders`).
* Every method raises only errors of `utils.errors`.
"""
from __future__ import absolute_import, division, print_function

import base64
import difflib
import functools
import json
import logging
import random
import uuid
from collections import OrderedDict

from market_maker.auth import APIKeyAuthWithExpires, LoginAuth
from market_maker.expected_position import ExpectedPosition
from market_maker.journal import NO_JOURNAL
from market_maker.order_entry import READ_AGAIN_S, READ_RETRIES, SIDE_BY_SIDE, OrderEntry, rows_of
from market_maker.own_orders import OwnOrders, is_ours
from market_maker.rate_limit import RequestBudget
from market_maker.rest_session import RestSession, check_address
from market_maker.utils import compat, errors
from market_maker.utils.clock import PolledClock
from market_maker.ws.ws_thread import BitMEXWebsocket, KeyCredentials, LoginCredentials

logger = logging.getLogger('root')

HISTORY_PAGE, HISTORY_PAGES = 500, 40
CONTRACT_NEWS = ('settlCurrency', 'state', 'tickSize', 'lotSize')  # what of its contract a decision depends on
MAX_PREFIX = 13                # of the 36 characters of a clOrdID, 22 are ours to fill


def new_cl_ord_id_tail():
    """22 characters that nobody has used: a random 128-bit number in base 64."""
    return base64.b64encode(uuid.uuid4().bytes).decode('ascii').rstrip('=\n')


def authentication_required(method):
    """The method needs credentials: raises AuthenticationError without asking the venue when there are none."""
    @functools.wraps(method)
    def checked(self, *args, **kwargs):
        if self._rest.auth is None:
            raise errors.AuthenticationError('You must be authenticated to use this method: %s needs API_KEY and API_SECRET.'
                                             % method.__name__)
        return method(self, *args, **kwargs)
    return checked


class BitMEX(object):
    """A connection to one venue for one symbol. Connects in the constructor; `exit()` ends it.

    base_url -- of REST, such as https://host/api/v1/; the socket is beside it. shouldWSAuth=False reads public data only and needs
    no credentials. orderIDPrefix -- at most 13 characters; only orders whose clOrdID begins with it are ours. timeout -- seconds for
    one request. order_transport -- 'bulk', 'single', or 'auto': bulk until the venue answers 404. symbols -- further instruments to
    keep in the tables. start_timeout -- seconds until all tables must be there. transport, feed, clock, new_id, wakeup -- for
    simulation and tests: a requests transport adapter, a realtime feed, a clock, a source of clOrdID tails, the flag to set on changes; jitter
    spreads reconnects, a float in [0, 1). journal -- a Journal to write what happens into; its time becomes the venue's, and what it is
    told of goes on until its owner closes it.

    Raises SettingsError (address, prefix, symbol), AuthenticationError, VenueUnreachable.
    """

    def __init__(self, base_url=None, symbol=None, apiKey=None, apiSecret=None, orderIDPrefix='mm_bitmex_', shouldWSAuth=True,
                 postOnly=False, timeout=7, login=None, password=None, otpToken=None, order_transport='auto', symbols=(),
                 start_timeout=30, transport=None, feed=None, clock=None, new_id=None, wakeup=None,
                 jitter=random.random, journal=None):
        self.logger = logger
        check_address(base_url)
        if len(orderIDPrefix) > MAX_PREFIX:
            raise errors.SettingsError('ORDERID_PREFIX must be at most %d characters long, and %r has %d.' % (
                MAX_PREFIX, orderIDPrefix, len(orderIDPrefix)))
        self.symbol = symbol
        self.postOnly = postOnly
        self.orderIDPrefix = orderIDPrefix
        self.timeout = timeout
        self.apiKey, self.apiSecret = apiKey, apiSecret
        self.journal = journal or NO_JOURNAL
        self.inputs = self.journal.inputs
        self.clock = self.inputs.clock(clock)
        self.wakeup = wakeup or self.inputs.wakeup()
        feed = self.inputs.feed(feed, self.wakeup)
        self.own_orders = OwnOrders(orderIDPrefix, symbol, on_fill=self._note_fill, journal=self.journal)
        self._expected = ExpectedPosition()
        self._position_read_at = 0.0
        self.fills_seen = 0                # fills of our orders that were told so far, by whichever way
        self.request_budget = RequestBudget()
        self._start_timeout = start_timeout
        self._connections_seen = 1
        auth, credentials = self._credentials(login, password, otpToken) if shouldWSAuth else (None, None)
        self._rest = RestSession(base_url, self.clock, self.request_budget, auth, timeout, transport, self._log_request, self.inputs)
        self.base_url = self._rest.base_url
        self.journal.now = self._journal_time()
        self._orders = OrderEntry(self._rest, self.own_orders, self.clock, postOnly, order_transport,
                                  lambda: self.inputs.draw('clOrdID', new_id or new_cl_ord_id_tail),
                                  lambda: self.ws.get_ticker(symbol)['mid'], SIDE_BY_SIDE if transport is None else 1, self.inputs)
        self.ws = BitMEXWebsocket(self.clock, self.wakeup, feed, self.own_orders.merge, image_limit=start_timeout,
                                  jitter=lambda: self.inputs.draw('jitter', jitter),
                                  on_rows=None if self.journal is NO_JOURNAL else self.journal.rows)
        if not self.ws.threaded:
            self.clock = PolledClock(self.clock, self.ws)
        try:
            self.authenticate()
            self._check_symbol()
            self.ws.connect(self.base_url, symbol, symbols, credentials)
            self._wait_for_tables()
            self._currency = self.instrument().get('settlCurrency') or 'XBt'
            self._started_at = compat.timestamp_of(self._rest.venue_time())
            self._deposits_at_start = self._net_deposits() if auth is not None else 0
            if auth is not None:
                self._expected.settle(self.position()['currentQty'])
            self._begin_journal()
        except BaseException:
            self.exit()
            raise

    def _journal_time(self):
        """A function that tells the venue's time; the journal's own questions are no inputs."""
        tell, rest = getattr(self._rest.clock, 'raw', self._rest.clock).time, self._rest
        return lambda: tell() + rest.clock_offset

    def _begin_journal(self):
        """The state of things when all tables have come for the first time."""
        self.journal.begin(self.symbol, self._currency, self.instrument())
        for table in ('quote', 'margin', 'position'):
            self.journal.rows(table, self.ws.tables.rows(table), True)

    def _credentials(self, login, password, otp_token):
        if self.apiKey and self.apiSecret:
            return (APIKeyAuthWithExpires(self.apiKey, self.apiSecret, now=lambda: self._rest.venue_time()),
                    KeyCredentials(self.apiKey, self.apiSecret))
        if login and password:
            auth = LoginAuth(login, password, otp_token)
            return auth, LoginCredentials(auth)
        raise errors.AuthenticationError('Please set API_KEY and API_SECRET (or LOGIN and PASSWORD) in settings.py to get started; '
                                         'BASE_URL = "paper" and --dry-run need none.')

    def _wait_for_tables(self):
        end = self.clock.monotonic() + self._start_timeout
        while not self.ws.ready:
            self.wakeup.clear()
            self._raise_fatal()
            left = end - self.clock.monotonic()
            if left <= 0:
                raise errors.VenueUnreachable('%s did not deliver its realtime data within %d s: missing %s%s.' % (
                    self.base_url, self._start_timeout, ', '.join(self.ws.missing()),
                    ' (%s)' % self.ws.last_reason if self.ws.last_reason else ''))
            if not self.ws.ready:
                self.clock.wait(self.wakeup, min(left, 1.0))
        if self.ws.welcome_offset is not None:
            self._rest.set_offset(self.ws.welcome_offset)

    def _check_symbol(self):
        """The first request: tells at once whether the venue answers, takes the credentials, and lists the symbol."""
        query = OrderedDict([('symbol', self.symbol), ('count', 1)])
        listed = self._curl_bitmex('instrument', query=query, verb='GET', quiet=True)
        if self.symbol not in [row.get('symbol') for row in listed]:
            known = [row['symbol'] for row in self._curl_bitmex('instrument/active', verb='GET', quiet=True)]
            near = difflib.get_close_matches(self.symbol.upper(), known, 3, 0.4) or known[:5]
            raise errors.SettingsError('The venue has no instrument %s. Did you mean %s?' % (self.symbol, ' or '.join(near)))

    def _raise_fatal(self):
        if self.ws.fatal is not None:
            raise self.ws.fatal

    #
    # Life
    #
    def exit(self):
        """Close the socket, join its thread, close the session. Cancels nothing. Calling again is harmless."""
        self.ws.exit()
        self._rest.close()

    def authenticate(self):
        """Get an access token for e-mail and password; with an API key there is nothing to do. Calling again is harmless."""
        if hasattr(self._rest.auth, 'login_request'):
            self._rest.log_in()

    @property
    def connected(self):
        """Whether the socket is open and all tables are there. Raises AuthenticationError when the venue has refused the credentials."""
        self._raise_fatal()
        if self.ws.ready and self.ws.connections != self._connections_seen:
            self._connections_seen = self.ws.connections
            self._orders.doubt()
        return self.ws.ready

    @property
    def reconnects(self):
        """How often the socket was replaced."""
        return max(0, self.ws.connections - 1)

    @property
    def clock_offset(self):
        """The venue's clock minus ours, in seconds."""
        return self._rest.clock_offset

    def keep_warm(self):
        """Open again the connections for orders that the venue has closed meanwhile. Calling again and again is meant; see `Warmth.keep`."""
        self._rest.keep_warm(SIDE_BY_SIDE if self.order_transport_used == 'single' else 1)

    @property
    def order_transport_used(self):
        """'bulk' or 'single'; None in 'auto' before the first order."""
        return self._orders.transport_used

    @property
    def request_budget_left(self):
        """(tokens, order requests) that may be spent now on anything but cancels; see RequestBudget.purse."""
        return self.request_budget.purse(self.clock.monotonic())

    @property
    def needs_reconcile(self):
        """Whether our picture may differ from the venue's: after a reconnect, a lost reply, an order that was gone, a position that
        is not what our fills made it."""
        return self.reads_in is not None

    @property
    def reads_in(self):
        """Seconds until a reading of our orders and position by REST tells more than is known; None while our picture is right."""
        now, moments = self.clock.monotonic(), []
        if self._orders_in_doubt():
            moments.append(self._orders.read_at)
        if self._position_in_doubt(now):
            moments.append(self._position_read_at + READ_AGAIN_S)
        return max(0.0, min(moments) - now) if moments else None

    def _orders_in_doubt(self):
        return self._orders.needs_reconcile or self.own_orders.is_half_told()

    def _position_in_doubt(self, now):
        return self._rest.auth is not None and self._expected.in_doubt(self.position()['currentQty'], now)

    def data_age(self):
        """Seconds since the venue was last heard on the socket; infinite while it is not connected or tables are missing."""
        return self.ws.age() if self.connected else float('inf')

    #
    # Public data
    #
    def ticker_data(self, symbol=None):
        """{'last', 'buy', 'sell', 'mid'} as floats; None where a side is empty."""
        return self.ws.get_ticker(symbol or self.symbol)

    def instrument(self, symbol=None):
        """A copy of the instrument's row, with `tickLog`: the decimals of its prices. Raises RequestRefused for an unknown one."""
        return self.ws.get_instrument(symbol or self.symbol)

    def instruments(self, filter=None):
        """All instruments of the venue, by REST; `filter` is a dict of columns."""
        query = [('filter', json.dumps(filter, sort_keys=True))] if filter is not None else None
        return self._curl_bitmex('instrument', query=query, verb='GET')

    def market_depth(self, symbol=None):
        """The book as rows {'symbol', 'side', 'price', 'size', ...}: sells from high to low, then buys from high to low."""
        return self.ws.market_depth(symbol or self.symbol)

    def recent_trades(self):
        """The newest trades of our symbol (at most 200), oldest first, as rows of the trade table."""
        return self.ws.recent_trades()

    #
    # The account
    #
    @authentication_required
    def funds(self, symbol=None):
        """The margin row in the currency that our instrument (or `symbol`) settles in; money in its smallest unit."""
        currency = self.instrument(symbol).get('settlCurrency') or 'XBt'
        row = self.ws.tables.row('margin', currency=currency)
        if row is None:
            raise errors.InsufficientFunds('The account has no %s, which %s settles in.' % (currency, symbol or self.symbol))
        return row

    @authentication_required
    def position(self, symbol=None):
        """The position's row; one of zeroes when there never was a position."""
        symbol = symbol or self.symbol
        row = self.ws.tables.row('position', symbol=symbol) or {}
        stub = {'avgCostPrice': 0, 'avgEntryPrice': 0, 'currentQty': 0, 'symbol': symbol}
        stub.update({key: value for key, value in row.items() if value is not None})
        return stub

    @authentication_required
    def delta(self):
        """The position's worth in the underlying: `homeNotional`."""
        return self.position(self.symbol).get('homeNotional', 0)

    @authentication_required
    def isolate_margin(self, symbol, leverage, rethrow_errors=False):
        """Isolate the position's margin at `leverage` (0.01 to 100; 0 means cross). Safe to call again."""
        return self._curl_bitmex('position/leverage', postdict=OrderedDict([('symbol', symbol), ('leverage', leverage)]), verb='POST')

    @authentication_required
    def withdraw(self, amount, fee, address):
        """Ask for a withdrawal of `amount` and `fee` satoshi to `address`. Never repeated by itself, and not safe to repeat."""
        body = OrderedDict([('amount', amount), ('fee', fee), ('currency', 'XBt'), ('address', address)])
        return self._curl_bitmex('user/requestWithdrawal', postdict=body, verb='POST', max_retries=0)

    @property
    def totals(self):
        """{'fills', 'contracts', 'fees'} of our orders since the constructor, read by REST; fees in the settlement currency's
        smallest unit, positive where paid. None where the venue does not tell."""
        fills = contracts = fees = 0
        wanted = json.dumps({'symbol': self.symbol})
        for page in range(HISTORY_PAGES):
            query = OrderedDict([('filter', wanted), ('startTime', self._started_at), ('count', HISTORY_PAGE), ('start', page * HISTORY_PAGE)])
            try:
                rows = self._curl_bitmex('execution/tradeHistory', query=query, verb='GET', quiet=True)
            except errors.MarketMakerError:
                return None
            self.journal.trades(rows)
            for row in rows:
                if row.get('execType') == 'Trade' and is_ours(self.orderIDPrefix, row.get('clOrdID')):
                    fills, contracts, fees = fills + 1, contracts + (row.get('lastQty') or 0), fees + (row.get('execComm') or 0)
            if len(rows) < HISTORY_PAGE:
                break
        return {'fills': fills, 'contracts': contracts, 'fees': fees}

    def _net_deposits(self):
        """Deposits and transfers in, less withdrawals and transfers out, in the settlement unit; 0 where the venue does not say."""
        try:
            wallet = self._curl_bitmex('user/wallet', query=[('currency', self._currency)], verb='GET', quiet=True)
        except errors.RequestRefused:
            return 0
        wallet = wallet if isinstance(wallet, dict) else {}
        plus, minus = ('deposited', 'transferIn'), ('withdrawn', 'transferOut')
        return sum(wallet.get(name) or 0 for name in plus) - sum(wallet.get(name) or 0 for name in minus)

    def wallet_history_since_start(self):
        """What was deposited less what was withdrawn since the constructor, in the settlement currency's smallest unit."""
        return self._net_deposits() - self._deposits_at_start

    #
    # Orders
    #
    @authentication_required
    def open_orders(self):
        """Rows of our orders that rest or may rest. `inFlight` marks those that nobody must touch before they are answered."""
        return self.own_orders.open_orders()

    @authentication_required
    def http_open_orders(self):
        """Rows of our open orders, read by REST: the truth when the realtime feed lags or is gone."""
        return self._orders.http_open_orders()

    @authentication_required
    def reconcile(self):
        """Re-read our open orders, those of unknown outcome, and the position by REST. Safe to call at any time.

        Afterwards `needs_reconcile` is False, unless a request of unknown outcome may still arrive.
        """
        fills, known = self._expected.fills, self.position()['currentQty']
        query = OrderedDict([('filter', json.dumps({'symbol': self.symbol}))])
        rows = rows_of(self._curl_bitmex('position', query=query, verb='GET', quiet=True, max_retries=READ_RETRIES))
        was_overtaken = self._orders.reconcile()
        if not was_overtaken and self.position()['currentQty'] == known:  # else the answer may be older than what we know
            self._believe(rows, self._expected.fills == fills)
        self._position_read_at = self.clock.monotonic()

    def _believe(self, rows, is_newest):
        """Take over rows of the position that were read by REST; where fills became known meanwhile, only what these make of it."""
        for row in rows:
            if is_newest or row.get('symbol') != self.symbol or self._expected.is_as_expected(row.get('currentQty') or 0):
                self.ws.tables.merge('position', row)
        if is_newest:
            self._expected.settle(self.position()['currentQty'])

    @authentication_required
    def worst_case(self):
        """(contracts that may come to be bought, sold) on top of `position()`: what rests, is in flight, or is filled and not in the row yet."""
        bought, sold = self._expected.unaccounted(self.position()['currentQty'], self.clock.monotonic())
        buys, sells = self.own_orders.worst_case()
        return buys + bought, sells + sold

    @authentication_required
    def cancel_all_after(self, seconds, max_retries=None):
        """The dead man's switch: the venue cancels ALL orders of the account after `seconds` unless this is called again; 0 disarms.

        Safe to repeat. Raises errors of `utils.errors` when the venue could not be told.
        """
        return self._rest.request('POST', 'order/cancelAllAfter', body={'timeout': int(seconds * 1000)}, quiet=True, repeatable=True,
                                  max_retries=max_retries)

    def news(self):
        """What the ladder's next decision depends on, as something to compare: equal while none of it has changed."""
        pick = self.ws.tables.pick
        touch = pick('quote', ('bidPrice', 'askPrice'), symbol=self.symbol), pick('instrument', CONTRACT_NEWS, symbol=self.symbol)
        if self._rest.auth is None:
            return touch, None
        account = (pick('position', ('currentQty',), symbol=self.symbol),
                   pick('margin', ('marginBalance',), currency=touch[1][0] or 'XBt'))
        return (touch, account), (self.own_orders.version, self.needs_reconcile)

    def check_alone(self):
        """Raise SecondCopyRunning when somebody else works under our prefix. The first call ends the start (see OwnOrders.seal)."""
        self.own_orders.seal()
        strangers = self.own_orders.strangers()
        if strangers:
            raise errors.SecondCopyRunning(
                'An order %s under our prefix %s was not sent by this process: a second copy of the bot is running on this account. '
                'Stop one of them, or give each its own ORDERID_PREFIX.' % (strangers[0], self.orderIDPrefix))

    @authentication_required
    def buy(self, quantity, price, extra_attrs=None):
        """Place a buy order of `quantity` contracts; returns its row."""
        return self.place_order(quantity, price, extra_attrs)

    @authentication_required
    def sell(self, quantity, price, extra_attrs=None):
        """Place a sell order of `quantity` contracts; returns its row."""
        return self.place_order(-quantity, price, extra_attrs)

    @authentication_required
    def place_order(self, quantity, price, extra_attrs=None):
        """Place an order: buy when `quantity` is positive, sell when negative. `extra_attrs` are further fields of the order.

        `price` None leaves the price out, for an `ordType` of Market.
        """
        if price is not None and price < 0:
            raise errors.RequestRefused('Price must be positive, and is %s.' % price)
        order = dict(extra_attrs or {}, orderQty=abs(quantity), price=price, side='Buy' if quantity > 0 else 'Sell')
        if price is None:
            del order['price']
        return self._orders.create_one(order)

    @authentication_required
    def create_bulk_orders(self, orders):
        """Place orders [{'price', 'orderQty', 'side'}, ...]; returns their rows. In one request where the venue takes that."""
        return self._orders.create(orders)

    @authentication_required
    def amend_bulk_orders(self, orders):
        """Amend orders [{'orderID', 'orderQty' (with what is filled), 'price', 'side'}, ...]; returns their rows."""
        return self._orders.amend(orders)

    # The names that the original's release 1.6.1 gave them.
    create_orders = create_bulk_orders
    amend_orders = amend_bulk_orders

    @authentication_required
    def amend_order(self, order):
        """Amend one order: {'orderID', 'orderQty' (with what is filled), 'price'}; returns its row."""
        return self._orders.amend_one(order)

    @authentication_required
    def cancel(self, orderID):
        """Cancel one order, or a list of them in one request; returns their rows ([] when they are gone). Safe to repeat."""
        return self._orders.cancel(orderID if isinstance(orderID, (list, tuple)) else [orderID])

    #
    # Underneath
    #
    def _curl_bitmex(self, path, query=None, postdict=None, timeout=None, verb=None, rethrow_errors=False, max_retries=None,
                     cost=1, quiet=False):
        """Send a request; see RestSession.request. `rethrow_errors` is the original's and changes nothing: errors are always raised."""
        return self._rest.request(verb or ('POST' if postdict else 'GET'), path, query, postdict, timeout, max_retries, cost, quiet)

    def _log_request(self, url, text):
        logger.info('sending req to %s: %s', url, text)

    def _note_fill(self, row, quantity):
        self.fills_seen += 1
        self._expected.note_fill(row['side'], quantity, self.clock.monotonic())
        instrument = self.ws.tables.row('instrument', symbol=self.symbol)
        digits = self.ws.get_instrument(self.symbol)['tickLog'] if instrument else 1
        logger.info('Execution: %s %d Contracts of %s at %.*f', row['side'], quantity, row['symbol'], digits,
                    row.get('price') or row.get('avgPx') or 0)
