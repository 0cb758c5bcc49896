"""bitmex-ws, the official realtime client, used as its own example uses it."""
import hashlib
import hmac
import json
import time
import urllib.request

from bitmex_websocket import BitMEXWebsocket
from steps import WHERE, report, step, until

SYMBOL = 'XBTUSD'
REALTIME = 'ws://' + WHERE['host'] + '/realtime'


def signed(verb, path, body=None):
    """A signed REST request with nothing but the standard library."""
    data = json.dumps(body) if body is not None else ''
    expires = str(int(time.time()) + 30)
    signature = hmac.new(WHERE['secret'].encode(), (verb + '/api/v1/' + path + expires + data).encode(), hashlib.sha256).hexdigest()
    headers = {'api-key': WHERE['key'], 'api-expires': expires, 'api-signature': signature, 'content-type': 'application/json'}
    request = urllib.request.Request(WHERE['url'] + path, data.encode() if data else None, headers, method=verb)
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as reply:
        return json.load(reply)


def size_of(depth, price):
    return sum(row['size'] for row in depth if row['price'] == price)


client = step('connect', BitMEXWebsocket, REALTIME, SYMBOL, WHERE['key'], WHERE['secret'])
step('get_instrument', client.get_instrument)
ticker = step('get_ticker', lambda: until(lambda: client.data['trade'] and client.get_ticker()))
step('funds', client.funds)
step('positions', client.positions)
step('market_depth', lambda: list(client.market_depth()))
low = round(ticker['buy'] * 0.9)
order = step('placed', signed, 'POST', 'order', {'symbol': SYMBOL, 'orderQty': 100, 'price': low, 'clOrdID': 'ws_1'})
step('open_orders', lambda: until(lambda: client.open_orders('ws_')))
step('its size in the book', lambda: until(lambda: size_of(client.market_depth(), low)))
step('cancelled', signed, 'DELETE', 'order', {'orderID': order['orderID']})
step('no open_orders', lambda: until(lambda: not client.open_orders('ws_')))
step('gone from the book', lambda: until(lambda: not size_of(client.market_depth(), low)))
bought = step('bought', signed, 'POST', 'order', {'symbol': SYMBOL, 'orderQty': 1000, 'ordType': 'Market'})
step('position held', lambda: until(lambda: [row for row in client.positions() if row.get('currentQty') == 1000]))
step('execution', lambda: until(lambda: [row for row in client.data['execution'] if row['orderID'] == bought['orderID'] and row['execType'] == 'Trade']))
before = len(client.recent_trades())
step('recent_trades', lambda: until(lambda: len(client.recent_trades()) > before + 3) and client.recent_trades()[-3:])


def same_book():
    """Kept from messages and asked for: one moment at which they are the same."""
    asked = {(row['side'], row['price'], row['size']) for row in signed('GET', 'orderBook/L2?symbol=XBTUSD&depth=0')}
    return {(row['side'], row['price'], row['size']) for row in list(client.market_depth())} == asked and len(asked)


step('the book is the same', until, same_book)
step('connected', lambda: client.ws.sock.connected)
step('exit', client.exit)
stranger = step('connect without a key', BitMEXWebsocket, REALTIME, SYMBOL)
step('public instrument', stranger.get_instrument)  # its ticker rounds by what this leaves behind
step('public ticker', lambda: until(lambda: stranger.data['trade'] and stranger.get_ticker()))
step('exit too', stranger.exit)
report()
