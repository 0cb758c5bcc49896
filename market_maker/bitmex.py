"""BitMEX: the wrapper that a strategy author holds. A REST session and realtime tables in one.

What is read comes from the tables in memory; what is asked for goes by REST. Every request, reply and row about our orders
passes through one `OwnOrders`, and every request through one `RequestBudget`.

Rules:

* After a time-out, a broken connection or a 5xx an order may be resting: it is looked up by its clOrdID and never sent again
  under another.
* Only orders under our prefix are ever touched.
* Of several single orders one that fails does not stop the others.
* What the request budget cannot pay for is left out, the outermost orders first, and left to the next tick.
* A post-only order that the venue accepted and canceled is in the reply as it is: `ordStatus` Canceled, not resting.
"""
from __future__ import absolute_import, division, print_function

import base64
import difflib
import functools
import json
import logging
import uuid
from collections import OrderedDict

from market_maker.auth import APIKeyAuthWithExpires, LoginAuth
from market_maker.auth.api_key import REST_EXPIRES_S
from market_maker.own_orders import OwnOrders
from market_maker.rate_limit import RequestBudget
from market_maker.rest_session import DuplicateOrder, RestSession, check_address, ordered
from market_maker.utils import errors
from market_maker.utils.clock import PolledClock, RealClock, Wakeup
from market_maker.ws.ws_thread import BitMEXWebsocket, KeyCredentials, LoginCredentials

logger = logging.getLogger('root')

MAX_PREFIX = 13                # of the 36 characters of a clOrdID, 22 are ours to fill
TOKEN_SETTLES_S = 30           # a request with an access token does not expire: this long it may still take effect
POST_ONLY = 'ParticipateDoNotInitiate'


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
    simulation and tests: a requests transport adapter, a realtime feed, a clock, a source of clOrdID tails, the flag to set on changes.

    Raises SettingsError (address, prefix, symbol), AuthenticationError, VenueUnreachable.
    """

    def __init__(self, base_url=None, symbol=None, apiKey=None, apiSecret=None, orderIDPrefix='mm_bitmex_', shouldWSAuth=True,
                 postOnly=False, timeout=7, login=None, password=None, otpToken=None, order_transport='auto', symbols=(),
                 start_timeout=30, rest_interval=1, error_interval=10, transport=None, feed=None, clock=None, new_id=None, wakeup=None):
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
        self.clock = clock or RealClock()
        self.wakeup = wakeup or Wakeup()
        self.needs_reconcile = False
        self.own_orders = OwnOrders(orderIDPrefix, symbol, on_fill=self._log_fill)
        self.request_budget = RequestBudget()
        self._transport_used = {'bulk': 'bulk', 'single': 'single'}.get(order_transport)
        self._new_id = new_id or new_cl_ord_id_tail
        self._start_timeout = start_timeout
        self._connections_seen = 1
        auth, credentials = self._credentials(login, password, otpToken) if shouldWSAuth else (None, None)
        self._rest = RestSession(base_url, self.clock, self.request_budget, auth, timeout, transport, self._log_request)
        self.base_url = self._rest.base_url
        self.ws = BitMEXWebsocket(self.clock, self.wakeup, feed, self.own_orders.merge, image_limit=start_timeout)
        if not self.ws.threaded:
            self.clock = PolledClock(self.clock, self.ws)
        try:
            self.authenticate()
            self._check_symbol()
            self.ws.connect(self.base_url, symbol, symbols, credentials)
            self._wait_for_tables()
            self._deposits_at_start = self._net_deposits() if auth is not None else 0
        except BaseException:
            self.exit()
            raise

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
        if not self._curl_bitmex('instrument', query=query, verb='GET', quiet=True):
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
            self.needs_reconcile = True
        return self.ws.ready

    @property
    def reconnects(self):
        """How often the socket was replaced."""
        return max(0, self.ws.connections - 1)

    @property
    def clock_offset(self):
        """The venue's clock minus ours, in seconds."""
        return self._rest.clock_offset

    @property
    def order_transport_used(self):
        """'bulk' or 'single'; None in 'auto' before the first order."""
        return self._transport_used

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
        stub.update((key, value) for key, value in row.items() if value is not None)
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

    def _net_deposits(self):
        """Deposits and transfers in, less withdrawals and transfers out, in the settlement unit; 0 where the venue does not say."""
        currency = self.instrument().get('settlCurrency') or 'XBt'
        try:
            wallet = self._curl_bitmex('user/wallet', query=[('currency', currency)], verb='GET', quiet=True)
        except errors.RequestRefused:
            return 0
        wallet = wallet if isinstance(wallet, dict) else {}
        plus, minus = ('deposited', 'transferIn'), ('withdrawn', 'transferOut')
        return sum(wallet.get(name) or 0 for name in plus) - sum(wallet.get(name) or 0 for name in minus)

    def wallet_history_since_start(self):
        """What was deposited less what was withdrawn since the constructor, in the settlement currency's smallest unit."""
        return self._net_deposits() - self._deposits_at_start

    #
    # Orders: reading
    #
    @authentication_required
    def open_orders(self):
        """Rows of our orders that rest or may rest. `inFlight` marks those that nobody must touch before they are answered."""
        return self.own_orders.open_orders()

    @authentication_required
    def http_open_orders(self):
        """Rows of our open orders, read by REST: the truth when the realtime feed lags or is gone."""
        query = [('filter', json.dumps(OrderedDict([('ordStatus.isTerminated', False), ('symbol', self.symbol)]))), ('count', 500)]
        rows = self._curl_bitmex('order', query=OrderedDict(query), verb='GET')
        ours = [row for row in rows if (row.get('clOrdID') or '').startswith(self.orderIDPrefix)]
        self.own_orders.merge(ours)
        return ours

    def reconcile(self):
        """Re-read our open orders and those of unknown outcome by REST, and the position. Safe to call at any time.

        Afterwards `needs_reconcile` is False, unless a request of unknown outcome may still arrive.
        """
        self.needs_reconcile = True
        listed = self.http_open_orders()
        missing = self.own_orders.to_look_up(listed)
        found = self._look_up(missing) if missing else []
        self.own_orders.reconcile(listed, found, self.clock.time())
        self.needs_reconcile = self.own_orders.is_uncertain()
        query = OrderedDict([('filter', json.dumps({'symbol': self.symbol}))])
        for row in self._curl_bitmex('position', query=query, verb='GET', quiet=True):
            self.ws.tables.merge('position', row)

    def check_alone(self):
        """Raise SecondCopyRunning when somebody else works under our prefix. The first call ends the start (see OwnOrders.seal)."""
        self.own_orders.seal()
        strangers = self.own_orders.strangers()
        if strangers:
            raise errors.SecondCopyRunning(
                'An order %s under our prefix %s was not sent by this process: a second copy of the bot is running on this account. '
                'Stop one of them, or give each its own ORDERID_PREFIX.' % (strangers[0], self.orderIDPrefix))

    def _look_up(self, cl_ord_ids):
        rows = []
        for start in range(0, len(cl_ord_ids), 20):
            some = cl_ord_ids[start:start + 20]
            query = OrderedDict([('filter', json.dumps(OrderedDict([('clOrdID', some), ('symbol', self.symbol)]))),
                                 ('count', 100), ('reverse', 'true')])
            rows += [row for row in self._curl_bitmex('order', query=query, verb='GET') if row.get('clOrdID') in some]
        return rows

    #
    # Orders: one
    #
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
        """Place an order: buy when `quantity` is positive, sell when negative. `extra_attrs` are further fields of the order."""
        if price is not None and price < 0:
            raise errors.RequestRefused('Price must be positive, and is %s.' % price)
        order = dict(extra_attrs or {}, orderQty=abs(quantity), price=price, side='Buy' if quantity > 0 else 'Sell')
        if price is None:
            del order['price']
        return self._create_single(self._prepared(order))

    @authentication_required
    def amend_order(self, order):
        """Amend one order: {'orderID', 'orderQty' (with what is filled), 'price'}; returns its row."""
        fields = ordered(dict((name, value) for name, value in order.items() if name != 'side'))
        return self._amend([order], lambda: [self._curl_bitmex('order', postdict=fields, verb='PUT')])[0]

    @authentication_required
    def cancel(self, orderID):
        """Cancel one order, or a list of them in one request; returns their rows ([] when they are gone). Safe to repeat."""
        order_ids = [order_id for order_id in (orderID if isinstance(orderID, (list, tuple)) else [orderID]) if order_id]
        if not order_ids:
            return []
        self.own_orders.sending_cancel(order_ids)
        try:
            rows = self._curl_bitmex('order', postdict={'orderID': order_ids}, verb='DELETE')
        except errors.MarketMakerError:
            self.own_orders.answered(order_ids=order_ids)
            self.needs_reconcile = True
            raise
        self.own_orders.merge(rows or [])
        self.own_orders.answered(order_ids=order_ids)
        if rows is None or any(row.get('error') for row in rows):
            self.needs_reconcile = True
        return rows or []

    #
    # Orders: many
    #
    @authentication_required
    def create_bulk_orders(self, orders):
        """Place orders [{'price', 'orderQty', 'side'}, ...]; returns their rows. In one request where the venue takes that."""
        prepared = [self._prepared(order) for order in orders]
        return self._by_transport(prepared, self._create_bulk, self._create_singles)

    @authentication_required
    def amend_bulk_orders(self, orders):
        """Amend orders [{'orderID', 'orderQty' (with what is filled), 'price', 'side'}, ...]; returns their rows."""
        known = [dict(order) for order in orders if order.get('orderID')]
        return self._by_transport(known, self._amend_bulk, self._amend_singles)

    # The names that the original's release 1.6.1 gave them.
    create_orders = create_bulk_orders
    amend_orders = amend_bulk_orders

    def _by_transport(self, orders, bulk, singles):
        if not orders:
            return []
        if self._transport_used != 'single':
            try:
                rows = bulk(orders)
                self._transport_used = 'bulk'
                return rows
            except errors.NotFound:
                if self._transport_used == 'bulk':
                    raise
                logger.info('The venue has no bulk orders (404); placing single orders from now on.')
                self._transport_used = 'single'
        return singles(orders)

    def _prepared(self, order):
        """An order as it is sent: with symbol and clOrdID, and post-only where that is set."""
        order = dict(order, symbol=self.symbol)
        order.setdefault('clOrdID', self.orderIDPrefix + self._new_id())
        if self.postOnly:
            order.setdefault('execInst', POST_ONLY)
        return ordered(order)

    def _create_bulk(self, orders):
        names = [order['clOrdID'] for order in orders]
        return self._send_new(names, orders, lambda: self._curl_bitmex(
            'order/bulk', postdict={'orders': orders}, verb='POST', cost=(len(orders) + 1) // 2))

    def _create_single(self, order):
        return self._send_new([order['clOrdID']], [order], lambda: [self._curl_bitmex('order', postdict=order, verb='POST')])[0]

    def _send_new(self, names, orders, send):
        """Send new orders and keep account of them, whatever happens."""
        for order in orders:
            self.own_orders.sending_new(order)
        try:
            rows = _rows(send())
        except DuplicateOrder:
            rows = self._adopt(orders)
        except errors.UnknownOutcome as error:
            self._unknown(cl_ord_ids=names)
            error.cl_ord_ids = names
            raise
        except errors.MarketMakerError:
            self.own_orders.refused(names)
            raise
        except BaseException:
            self._unknown(cl_ord_ids=names)
            raise
        self.own_orders.merge(rows)
        return rows

    def _adopt(self, orders):
        """An earlier attempt took effect: take the orders that the venue has, each compared with what was asked for."""
        by_name = dict((order['clOrdID'], order) for order in orders)
        rows = self._look_up(list(by_name))
        for row in rows:
            order = by_name.pop(row['clOrdID'])
            for field in ('orderQty', 'side', 'price'):
                if field in order and row.get(field) != order[field]:
                    raise errors.RequestRefused('The venue has an order %s whose %s is %s where %s was asked for.' % (
                        row['clOrdID'], field, row.get(field), order[field]))
        self.own_orders.refused(list(by_name))
        logger.info('The venue has %d of %d orders already from an earlier attempt; adopted.', len(rows), len(orders))
        return rows

    def _amend_bulk(self, orders):
        return self._amend(orders, lambda: self._curl_bitmex(
            'order/bulk', postdict={'orders': [ordered(order) for order in orders]}, verb='PUT', cost=(len(orders) + 1) // 2))

    def _amend(self, orders, send):
        order_ids = [order['orderID'] for order in orders]
        for order in orders:
            self.own_orders.sending_amend(order)
        try:
            rows = _rows(send())
        except (errors.VenueError, errors.MarketClosedError, errors.AuthenticationError, errors.VenueUnreachable) as error:
            self.own_orders.answered(order_ids=order_ids)
            self.needs_reconcile = self.needs_reconcile or isinstance(error, errors.OrderGone)
            raise
        except BaseException:
            self._unknown(order_ids=order_ids)
            raise
        self.own_orders.merge(rows)
        self.own_orders.answered(order_ids=order_ids)
        return rows

    def _create_singles(self, orders):
        return self._each(orders, self._create_single)

    def _amend_singles(self, orders):
        return self._each(orders, self.amend_order)

    def _each(self, orders, send):
        """Send single requests, the ones that can be paid for; raise the first error after all have been tried."""
        rows, first_error = [], None
        for order in self._affordable(orders):
            try:
                rows.append(send(order))
            except (errors.RequestRefused, errors.UnknownOutcome) as error:
                first_error = first_error or error
        if first_error is not None:
            first_error.results = rows
            raise first_error
        return rows

    def _affordable(self, orders):
        """Those of the orders, in their order, that the budget pays for; the ones nearest to the touch come first."""
        count = self.request_budget.affordable(len(orders), self.clock.monotonic())
        if count >= len(orders):
            return orders
        logger.info('The request budget pays for %d of %d orders now (%s); the rest is left to the next tick.',
                    count, len(orders), self.request_budget.describe(self.clock.monotonic()))
        mid = self.ws.get_ticker(self.symbol)['mid'] or 0
        nearest = sorted(range(len(orders)), key=lambda i: abs((orders[i].get('price') or mid) - mid))[:count]
        return [orders[i] for i in sorted(nearest)]

    def _unknown(self, order_ids=(), cl_ord_ids=()):
        """The venue refuses our request once its `api-expires` has passed, so it can take effect no later than that."""
        longest = REST_EXPIRES_S if self.apiKey else TOKEN_SETTLES_S
        settle_by = self.clock.time() + longest + 1
        self.own_orders.outcome_unknown(settle_by, order_ids, cl_ord_ids)
        self.needs_reconcile = True

    #
    # Underneath
    #
    def _curl_bitmex(self, path, query=None, postdict=None, timeout=None, verb=None, rethrow_errors=False, max_retries=None,
                     cost=1, quiet=False):
        """Send a request; see RestSession.request. `rethrow_errors` is the original's and changes nothing: errors are always raised."""
        return self._rest.request(verb or ('POST' if postdict else 'GET'), path, query, postdict, timeout, max_retries, cost, quiet)

    def _log_request(self, url, text):
        logger.info('sending req to %s: %s', url, text)

    def _log_fill(self, row, quantity):
        instrument = self.ws.tables.row('instrument', symbol=self.symbol)
        digits = self.ws.get_instrument(self.symbol)['tickLog'] if instrument else 1
        logger.info('Execution: %s %d Contracts of %s at %.*f', row['side'], quantity, row['symbol'], digits,
                    row.get('price') or row.get('avgPx') or 0)


def _rows(answer):
    """The rows of an answer to an order request; one that is none says nothing about the orders."""
    if isinstance(answer, list) and all(isinstance(row, dict) for row in answer):
        return answer
    raise errors.UnknownOutcome('The venue answered an order request with something that is no list of orders.')
