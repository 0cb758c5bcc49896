"""A desk to test the order manager at: the real wrapper and manager, on a small venue in memory and a clock that never sleeps.

The venue keeps orders and a position, answers REST, and says on the feed what changed. It refuses what the real one would, counts
what rests, and raises AssertionError when an order would trade with another of ours.
"""
from __future__ import absolute_import, division, print_function

import json
import logging
from collections import OrderedDict

from fakes import INSTRUMENT, MARGIN, Ids, ScriptedFeed, ScriptedTransport, error, response
from requests.compat import unquote

from market_maker.bitmex import BitMEX
from market_maker.market_maker import ExchangeInterface, OrderManager
from market_maker.settings import Settings
from market_maker.utils import compat, log
from market_maker.utils.clock import ManualClock

GOLDEN_INSTRUMENT = dict(INSTRUMENT, lastPrice=6359.0, markPrice=6347.2, indicativeSettlePrice=6347.0, midPrice=6358.75, underlying='XBT')


class ToyVenue(ScriptedTransport):

    def __init__(self, bid=6358.5, ask=6359.0, position=0, balance=135739200, instruments=(GOLDEN_INSTRUMENT,), clock=None):
        super(ToyVenue, self).__init__()
        self.clock = clock
        self.bid, self.ask = bid, ask
        self.position, self.balance = position, balance
        self.instruments = [dict(row) for row in instruments]
        self.symbol = self.instruments[0]['symbol']
        self.average = 7468.8177
        self.orders = OrderedDict()
        self.most_resting = {'Buy': 0, 'Sell': 0}
        self.once = {}            # 'VERB path' -> answers to give first: a response, an exception, or a callable before the usual
        self.deposited = 0
        self.armed = []           # (when, seconds) of each call of the dead man's switch
        self.feed = ToyFeed(self)
        self.script = {'GET instrument': self._instrument, 'GET order': self._open_orders, 'GET position': self._positions,
                       'GET user/margin': lambda request: response(200, self.margin_row()),
                       'GET user/wallet': lambda request: response(200, {'deposited': self.deposited}),
                       'GET execution/tradeHistory': lambda request: response(200, []),
                       'POST order/bulk': self._create, 'PUT order/bulk': self._amend, 'DELETE order': self._cancel,
                       'POST order/cancelAllAfter': self._arm,
                       'POST order': self._create_one, 'PUT order': self._amend_one}

    def send(self, request, **options):
        name = '%s %s' % (request.method, request.path_url.split('?')[0].replace('/api/v1/', ''))
        waiting = self.once.get(name)
        if not waiting:
            return super(ToyVenue, self).send(request, **options)
        usual, self.script[name] = self.script[name], waiting.pop(0)
        try:
            return super(ToyVenue, self).send(request, **options)
        finally:
            self.script[name] = usual

    #
    # What happens
    #
    def quote(self, bid, ask):
        self.bid, self.ask = bid, ask
        self.feed.table('quote', 'insert', self.quote_row())

    def fill(self, order_id=None, side=None, quantity=None, said=True):
        """Fill an order (by default the innermost of a side), wholly or in part."""
        row = self.orders[order_id] if order_id else self.inner(side)
        quantity = quantity or row['leavesQty']
        row['cumQty'] += quantity
        row['leavesQty'] -= quantity
        row['ordStatus'] = 'PartiallyFilled' if row['leavesQty'] else 'Filled'
        self._touch(row)
        self.position += quantity if row['side'] == 'Buy' else -quantity
        if said:
            self.feed.table('order', 'update', row)
            self.feed.table('position', 'insert', self.position_row())

    def instrument_row(self, **change):
        self.instruments[0].update(change)
        self.feed.table('instrument', 'update', dict(change, symbol=self.symbol))

    #
    # What is so
    #
    def resting(self, side=None):
        return [row for row in self.orders.values() if row['leavesQty'] and side in (None, row['side'])]

    def ladder(self, side):
        """(price, size) of what rests, innermost first."""
        rows = [(row['price'], row['leavesQty']) for row in self.resting(side)]
        return sorted(rows, reverse=side == 'Buy')

    def inner(self, side):
        return (max if side == 'Buy' else min)(self.resting(side), key=lambda row: row['price'])

    def quote_row(self):
        return {'symbol': self.symbol, 'bidPrice': self.bid, 'askPrice': self.ask}

    def position_row(self):
        return {'account': 1, 'symbol': self.symbol, 'currency': 'XBt', 'currentQty': self.position, 'avgCostPrice': self.average,
                'avgEntryPrice': self.average}

    def margin_row(self):
        return dict(MARGIN, currency=self.instruments[0]['settlCurrency'], marginBalance=self.balance)

    #
    # REST
    #
    def _instrument(self, request):
        return response(200, self.instruments[:1])

    def _positions(self, request):
        return response(200, [self.position_row()])

    def _open_orders(self, request):
        if 'isTerminated' in request.url:
            return response(200, self.resting())
        asked = json.loads(compat.to_text(unquote(request.url.split('filter=')[1].split('&')[0].replace('+', ' '))))['clOrdID']
        return response(200, [row for row in self.orders.values() if row['clOrdID'] in asked])

    def _arm(self, request):
        self.armed.append((self.clock.time(), json.loads(compat.to_text(request.body))['timeout'] / 1000.0))
        return response(200, {})

    def _create(self, request):
        return response(200, [self._place(order) for order in json.loads(compat.to_text(request.body))['orders']])

    def _create_one(self, request):
        return response(200, self._place(json.loads(compat.to_text(request.body))))

    def _place(self, order):
        row = dict(order, orderID='id-%d' % (len(self.orders) + 1), cumQty=0, leavesQty=order['orderQty'], ordStatus='New',
            text='Submitted via API.')
        if order.get('execInst') and (order['price'] >= self.ask if order['side'] == 'Buy' else order['price'] <= self.bid):
            row.update(leavesQty=0, ordStatus='Canceled',
                text='Canceled: Order had execInst of ParticipateDoNotInitiate\nSubmitted via API.')
        self.orders[row['orderID']] = row
        self._touch(row)
        self.feed.table('order', 'insert', row)
        self._check()
        return row

    def _amend(self, request):
        amends = json.loads(compat.to_text(request.body))['orders']
        for amend in amends:
            if not self.orders[amend['orderID']]['leavesQty']:
                return error(400, 'Invalid ordStatus')
        return response(200, [self._change(amend) for amend in amends])

    def _amend_one(self, request):
        amend = json.loads(compat.to_text(request.body))
        return response(200, self._change(amend)) if self.orders[amend['orderID']]['leavesQty'] else error(400, 'Invalid ordStatus')

    def _change(self, amend):
        row = self.orders[amend['orderID']]
        row.update(price=amend['price'], orderQty=amend['orderQty'], leavesQty=max(0, amend['orderQty'] - row['cumQty']))
        self._touch(row)
        self.feed.table('order', 'update', row)
        self._check()
        return row

    def _cancel(self, request):
        wanted = json.loads(compat.to_text(request.body))['orderID']
        rows = [self.orders[name] for name in (wanted if isinstance(wanted, list) else [wanted])]
        answer = []
        for row in rows:
            if not row['leavesQty']:
                answer.append(dict(row, error='Unable to cancel order due to existing state: %s' % row['ordStatus']))
                continue
            row.update(leavesQty=0, ordStatus='Canceled')
            self._touch(row)
            answer.append(row)
            self.feed.table('order', 'update', row)
        return response(200, answer)

    def _touch(self, row):
        row['timestamp'] = '2017-07-14T%010.3fZ' % (self.clock.time() - 1500000000.0 + len(self.requests) / 1000)

    def _check(self):
        buys, sells = self.ladder('Buy'), self.ladder('Sell')
        if buys and sells:
            assert buys[0][0] < sells[0][0], 'we trade with ourselves at %s' % buys[0][0]
        for side, rows in (('Buy', buys), ('Sell', sells)):
            self.most_resting[side] = max(self.most_resting[side], len(rows))


class ToyFeed(ScriptedFeed):
    """The feed of a ToyVenue: partials show how things stand now."""

    def __init__(self, venue):
        super(ToyFeed, self).__init__()
        self.venue = venue
        self.dead = self.mute = False

    def start(self, url, header, listener):
        if self.dead:
            self.listener = None
            listener.on_close('connection refused')
            return
        super(ToyFeed, self).start(url, header, listener)

    def partial(self, table, symbol=None):
        self.partials.update(
            quote=([self.venue.quote_row()], []), instrument=(self.venue.instruments, ['symbol']), order=(self.venue.resting(),
            ['orderID']),
            position=([self.venue.position_row()] if self.venue.position else [], ['account', 'symbol', 'currency']),
            margin=([dict(MARGIN, currency='BMEx'), self.venue.margin_row()], ['account', 'currency']))
        rows, keys = self.partials[table]
        rows = [row for row in rows if not symbol or row.get('symbol') == symbol]
        self.say({'table': table, 'action': 'partial', 'keys': keys, 'filter': {'symbol': symbol} if symbol else {}, 'data': rows})

    def table(self, table, action, *rows):
        if self.listener is not None and not self.mute:
            super(ToyFeed, self).table(table, action, *rows)

    def drop(self, reason='dropped', dead=False):
        self.dead = dead
        listener, self.listener = self.listener, None
        if listener is not None:
            listener.on_close(reason)


class Desk(object):
    """`at(seconds, action)` plans what happens while the manager runs; `run(seconds)` lets it, then asks it to stop."""

    def __init__(self, manager=OrderManager, venue=None, clock=None, reload_settings=None, journal=None, **values):
        self.journal = journal
        self.clock = clock or ManualClock()
        self.clock.on_wait = self._on_wait
        self.start = self.clock.now
        self.venue = venue or ToyVenue()
        self.venue.clock = self.clock
        self.settings = Settings(dict({'BASE_URL': 'http://127.0.0.1:1/api/v1/', 'API_KEY': 'KEY', 'API_SECRET': 'SECRET'}, **values))
        self.events = []
        self.heard = Heard()
        self.bitmex = self._connect()
        self.exchange = ExchangeInterface(self.settings.DRY_RUN, self.settings, symbol=self.venue.symbol, bitmex=self.bitmex)
        self.exchange._connect = self._connect
        self.manager = manager(self.exchange, self.settings, reload_settings)

    def _connect(self):
        keys = {} if self.settings.DRY_RUN else {'apiKey': 'KEY', 'apiSecret': 'SECRET'}
        self.bitmex = BitMEX(
            base_url=self.settings.BASE_URL, symbol=self.venue.symbol, shouldWSAuth=not self.settings.DRY_RUN,
            postOnly=self.settings.POST_ONLY,
            transport=self.venue, feed=self.venue.feed, clock=self.clock, new_id=Ids(), orderIDPrefix=self.settings.ORDERID_PREFIX,
            order_transport=self.settings.ORDER_TRANSPORT, symbols=self.settings.CONTRACTS, journal=self.journal, **keys)
        return self.bitmex

    def at(self, seconds, action, *arguments, **options):
        self.events.append((self.start + seconds, len(self.events), lambda: action(*arguments, **options)))
        self.events.sort(key=lambda event: event[:2])

    def run(self, seconds):
        self.at(seconds, self.manager.request_stop)
        self.manager.run_loop()

    def _on_wait(self, clock, until):
        """Let the planned things happen; once a second the venue says something, unless it is silent."""
        while not self.bitmex.wakeup.is_set():
            beat = float(int(clock.now) + 1)
            planned = self.events[0][0] if self.events else float('inf')
            if min(beat, planned) > until:
                return
            clock.now = max(clock.now, min(beat, planned))
            if planned <= beat:
                self.events.pop(0)[2]()
                self.bitmex.wakeup.set()
            elif not self.venue.feed.mute and self.venue.feed.listener is not None:
                self.venue.feed.say('pong')


class Heard(logging.Handler):
    """What was logged: lines as 'module - message'."""

    def __init__(self):
        logging.Handler.__init__(self)
        self.lines = []
        self.logger = log.get_logger()
        for handler in [handler for handler in self.logger.handlers if isinstance(handler, Heard)]:
            self.logger.removeHandler(handler)
        self.logger.addHandler(self)
        self.logger.setLevel(logging.INFO)

    def emit(self, record):
        self.lines.append('%s - %s' % (log.module_of(record), record.getMessage()))

    def count(self, text):
        return len([line for line in self.lines if text in line])

    def since(self, text):
        """The lines after the last one that holds the text."""
        places = [place for place, line in enumerate(self.lines) if text in line]
        return self.lines[places[-1] + 1:]
