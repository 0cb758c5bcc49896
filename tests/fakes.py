"""A venue made of scripts: a requests transport that answers what a test tells it, and a realtime feed that says it.

Not a mock of what is tested: the wrapper, its session, its signing and its tables are the real ones.
"""
from __future__ import absolute_import, division, print_function

import io
import json

import requests
from requests.adapters import BaseAdapter

from market_maker.bitmex import BitMEX
from market_maker.utils.clock import ManualClock

INSTRUMENT = {'symbol': 'XBTUSD', 'state': 'Open', 'tickSize': 0.5, 'lotSize': 1, 'settlCurrency': 'XBt', 'lastPrice': 100.0,
              'isInverse': True, 'isQuanto': False, 'multiplier': -100000000, 'underlyingToSettleMultiplier': -100000000,
              'initMargin': 0.01, 'makerFee': -0.00025, 'takerFee': 0.00075, 'markPrice': 100.0, 'midPrice': 100.25,
              'indicativeSettlePrice': 100.0}
QUOTE = {'symbol': 'XBTUSD', 'bidPrice': 100.0, 'askPrice': 100.5, 'bidSize': 5, 'askSize': 5}
MARGIN = {'account': 1, 'currency': 'XBt', 'marginBalance': 100000000, 'availableMargin': 100000000}
PARTIALS = {
    'quote': ([QUOTE], []),
    'trade': ([], []),
    'orderBookL2_25': ([{'symbol': 'XBTUSD', 'id': 2, 'side': 'Sell', 'size': 5, 'price': 100.5},
                        {'symbol': 'XBTUSD', 'id': 3, 'side': 'Buy', 'size': 5, 'price': 100.0}], ['symbol', 'id', 'side']),
    'instrument': ([INSTRUMENT], ['symbol']),
    'order': ([], ['orderID']),
    'execution': ([], ['execID']),
    'margin': ([dict(MARGIN, currency='USDt', marginBalance=7), MARGIN], ['account', 'currency']),
    'position': ([], ['account', 'symbol', 'currency']),
}


def response(status, body, headers=None):
    made = requests.Response()
    made.status_code = status
    made.headers.update(headers or {})
    text = body if isinstance(body, str) else json.dumps(body)
    made.raw = io.BytesIO(text.encode('utf-8'))
    return made


def error(status, message, **headers):
    return response(status, {'error': {'message': message, 'name': 'HTTPError'}}, headers)


class ScriptedTransport(BaseAdapter):
    """Answers from `script`: a dict of 'VERB path' to a response, an exception, a callable(request), or a list of these, used in turn.

    `requests` records what was sent, as (verb, path, body).
    """

    def __init__(self, script=None):
        super(ScriptedTransport, self).__init__()
        self.script = {'GET instrument': lambda request: response(200, [INSTRUMENT]),
                       'GET user/wallet': lambda request: response(200, {'deposited': 500, 'withdrawn': 100}),
                       'GET position': lambda request: response(200, []),
                       'GET order': lambda request: response(200, [])}
        self.script.update(script or {})
        self.requests = []
        self.prepared = []

    def send(self, request, **options):
        path = request.path_url.split('?')[0].replace('/api/v1/', '')
        body = json.loads(request.body.decode('utf-8')) if request.body else None
        self.requests.append((request.method, path, body))
        self.prepared.append(request)
        answer = self.script['%s %s' % (request.method, path)]
        if isinstance(answer, list):
            answer = answer.pop(0)
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, Exception):
            raise answer
        answer.request, answer.url = request, request.url
        return answer

    def close(self):
        pass

    def sent(self, verb, path):
        return [body for method, where, body in self.requests if (method, where) == (verb, path)]


class ScriptedFeed(object):
    """A feed without a thread: it delivers the partials as soon as it is started, and what a test says."""

    threaded = False

    def __init__(self, partials=PARTIALS, refuse=None):
        self.partials = dict(partials)
        self.refuse = refuse
        self.sent = []
        self.urls = []
        self.headers = []
        self.listener = None

    def start(self, url, header, listener):
        self.urls.append(url)
        self.headers.append(header)
        if self.refuse is not None:
            listener.on_close(*self.refuse)
            return
        self.listener = listener
        listener.on_open()
        self.say({'info': 'Welcome', 'version': '1', 'timestamp': '2017-07-14T02:40:00.000Z', 'limit': {}})
        for topic in url.split('subscribe=')[1].split(','):
            self.partial(*topic.split(':'))

    def partial(self, table, symbol=None):
        if table in self.partials:
            rows, keys = self.partials[table]
            self.say({'table': table, 'action': 'partial', 'keys': keys, 'filter': {'symbol': symbol} if symbol else {}, 'data': rows})

    def say(self, message):
        self.listener.on_message(message if isinstance(message, str) else json.dumps(message))

    def table(self, table, action, *rows):
        self.say({'table': table, 'action': action, 'data': list(rows)})

    def drop(self, reason='dropped'):
        self.listener.on_close(reason)

    def send(self, text):
        self.sent.append(text)

    def close(self):
        pass


class Ids(object):
    """clOrdID tails 1, 2, 3, ..."""

    def __init__(self):
        self.last = 0

    def __call__(self):
        self.last += 1
        return str(self.last)


def connect(script=None, feed=None, clock=None, **arguments):
    """A `BitMEX` on a scripted venue; returns (bitmex, transport, feed, clock)."""
    transport = ScriptedTransport(script)
    feed = feed or ScriptedFeed()
    clock = clock or ManualClock()
    settings = dict(base_url='http://127.0.0.1:1/api/v1/', symbol='XBTUSD', apiKey='KEY', apiSecret='SECRET', transport=transport, feed=feed,
                    clock=clock, new_id=Ids())
    settings.update(arguments)
    return BitMEX(**settings), transport, feed, clock


def accept_bulk(request):
    """The venue accepts every order of a bulk request and lets it rest."""
    orders = json.loads(request.body.decode('utf-8'))['orders']
    return response(200, [accepted(order) for order in orders])


def accept_single(request):
    return response(200, accepted(json.loads(request.body.decode('utf-8'))))


def accepted(order, **more):
    row = dict(order, orderID='id-' + order['clOrdID'], cumQty=0, leavesQty=order['orderQty'], ordStatus='New',
               timestamp='2017-07-14T02:40:01.000Z')
    row.update(more)
    return row
