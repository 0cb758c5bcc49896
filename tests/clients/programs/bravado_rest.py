"""bitmex, the client that bravado makes of the venue's own description: every operation, with and without validation."""
import json
from datetime import datetime, timedelta, timezone

import bitmex
import loopback  # noqa: F401  (it knows www.bitmex.com and no other host)
from bravado.exception import HTTPError
from steps import WHERE, report, step, taken

KEY = {'test': False, 'api_key': WHERE['key'], 'api_secret': WHERE['secret']}
# Without a config of its own it does not validate, as the official description lacked the word for null; bravado by itself does.
VALIDATING = {'use_models': False, 'also_return_response': True}


called = set()


def ask(name, operation, **arguments):
    """Call an operation; its answer."""
    called.add(operation.operation.operation_id.replace('.', '_'))
    return step(name, lambda: operation(**arguments).result(timeout=20)[0])


def refused(operation, **arguments):
    """Status and message of a refusal."""
    called.add(operation.operation.operation_id.replace('.', '_'))
    try:
        operation(**arguments).result(timeout=20)
    except HTTPError as problem:
        return [problem.status_code, problem.response.json()['error']['message']]
    raise AssertionError('it was not refused')


def everything(venue, label):
    """Every operation once, and an order's life."""
    def name(words):
        return label + ' ' + words

    hour_ago = datetime.now(timezone.utc) - timedelta(hours=1)
    for public in ('Instrument.Instrument_getActive', 'Instrument.Instrument_getIndices', 'Instrument.Instrument_getActiveAndIndices',
                   'Instrument.Instrument_getActiveIntervals', 'Schema.Schema_websocketHelp'):
        ask(name(public), find(venue, public))
    for stream in ('Instrument.Instrument_get', 'Quote.Quote_get', 'Trade.Trade_get', 'Funding.Funding_get', 'Settlement.Settlement_get',
                   'Liquidation.Liquidation_get'):
        ask(name(stream), find(venue, stream), symbol='XBTUSD', count=5, reverse=True)
    ask(name('Insurance.Insurance_get'), venue.Insurance.Insurance_get, count=5, startTime=hour_ago)
    ask(name('Quote.Quote_getBucketed'), venue.Quote.Quote_getBucketed, symbol='XBTUSD', binSize='1m', partial=True)
    ask(name('Trade.Trade_getBucketed'), venue.Trade.Trade_getBucketed, symbol='XBTUSD', binSize='1m', partial=True)
    ask(name('Wallet.Wallet_getAssetsConfig'), venue.Wallet.Wallet_getAssetsConfig)
    ask(name('Wallet.Wallet_getNetworksConfig'), venue.Wallet.Wallet_getNetworksConfig)
    book = ask(name('OrderBook.OrderBook_getL2'), venue.OrderBook.OrderBook_getL2, symbol='XBTUSD', depth=10)

    if WHERE['profile'] == 'classic':
        ask(name('OrderBook.OrderBook_get'), venue.OrderBook.OrderBook_get, symbol='XBTUSD', depth=10)

    low = max(row['price'] for row in book if row['side'] == 'Buy') // 10 * 9.0
    new, amend, cancel = venue.Order.Order_new, venue.Order.Order_amend, venue.Order.Order_cancel
    placed = ask(name('placed'), new, symbol='XBTUSD', orderQty=100, price=low, clOrdID=label + ' one', text='from bravado')
    ask(name('open'), venue.Order.Order_getOrders, symbol='XBTUSD', filter=json.dumps({'open': True}))
    ask(name('amended'), amend, orderID=placed['orderID'], orderQty=200, price=low + 10)
    ask(name('amended by name'), amend, origClOrdID=label + ' one', price=low + 20)
    ask(name('cancelled'), cancel, orderID=placed['orderID'])
    ask(name('cancelled again'), cancel, orderID=json.dumps([placed['orderID']]))
    step(name('amended too late'), refused, amend, orderID=placed['orderID'], price=low)
    step(name('no such contract'), refused, new, symbol='NOPE', orderQty=100, price=low)
    step(name('off the tick'), refused, new, symbol='XBTUSD', orderQty=100, price=low + 0.03)
    ask(name('stop'), new, symbol='XBTUSD', orderQty=-100, stopPx=low, execInst='LastPrice', ordType='Stop')
    ask(name('all cancelled'), venue.Order.Order_cancelAll, symbol='XBTUSD')
    if WHERE['profile'] == 'classic':
        bulk = ask(name('bulk'), venue.Order.Order_newBulk, orders=json.dumps([{'symbol': 'XBTUSD', 'orderQty': 100, 'price': low}] * 2))
        ask(name('bulk amended'), venue.Order.Order_amendBulk, orders=json.dumps([{'orderID': row['orderID'], 'price': low + 10} for row in bulk]))
    ask(name('cancelAllAfter'), venue.Order.Order_cancelAllAfter, timeout=60000)
    ask(name('cancelAllAfter 0'), venue.Order.Order_cancelAllAfter, timeout=0)
    ask(name('all cancelled again'), venue.Order.Order_cancelAll)
    ask(name('bought'), new, symbol='XBTUSD', orderQty=1000, ordType='Market')

    ask(name('leverage'), venue.Position.Position_updateLeverage, symbol='XBTUSD', leverage=10)
    ask(name('transferMargin'), venue.Position.Position_transferIsolatedMargin, symbol='XBTUSD', amount=1000)
    ask(name('riskLimit'), venue.Position.Position_updateRiskLimit, symbol='XBTUSD', riskLimit=30000000000)
    ask(name('isolate'), venue.Position.Position_isolateMargin, symbol='XBTUSD', enabled=False)
    ask(name('position'), venue.Position.Position_get, filter=json.dumps({'symbol': 'XBTUSD'}))
    ask(name('closed'), venue.Order.Order_closePosition, symbol='XBTUSD')
    ask(name('execution'), venue.Execution.Execution_get, symbol='XBTUSD', count=500)
    ask(name('tradeHistory'), venue.Execution.Execution_getTradeHistory, symbol='XBTUSD', startTime=hour_ago)
    ask(name('orders'), venue.Order.Order_getOrders, count=500, columns=json.dumps(['ordStatus', 'text']))

    for private in ('User_get', 'User_getCommission', 'User_getMargin', 'User_getWallet', 'User_getWalletHistory'):
        ask(name(private), getattr(venue.User, private))
    out = ask(name('withdrawal'), venue.User.User_requestWithdrawal, currency='XBt', amount=10000, address='paper', fee=0)
    ask(name('depositAddress'), venue.User.User_getDepositAddress, currency='XBt', network='btc')
    step(name('withdrawal of nobody not cancelled'), refused, venue.User.User_cancelWithdrawal, token='abc')
    ask(name('withdrawal cancelled'), venue.User.User_cancelWithdrawal, token=(out or {}).get('transactID', ''))
    ask(name('apiKey'), venue.APIKey.APIKey_get)


def find(venue, path):
    tag, operation = path.split('.')
    return getattr(getattr(venue, tag), operation)


plain = step('described', lambda: bitmex.bitmex(**KEY))
if plain is None:
    report()
everything(plain, 'plain')
everything(bitmex.bitmex(config=VALIDATING, **KEY), 'validated')
stranger = bitmex.bitmex(test=False)
ask('anybody reads the market', stranger.Trade.Trade_get, symbol='XBTUSD', count=1)
ask('logged out', plain.User.User_logout)
step('nobody trades without a key', refused, stranger.Order.Order_new, symbol='XBTUSD', orderQty=100, price=1000.0)
step('nobody trades with a wrong secret', refused, bitmex.bitmex(test=False, api_key=WHERE['key'], api_secret='wrong').User.User_get)
step('operations', lambda: sorted(operation for tag in plain.swagger_spec.resources.values() for operation in tag.operations))
step('never called', lambda: sorted(set(taken['operations']['value']) - called))
report()
