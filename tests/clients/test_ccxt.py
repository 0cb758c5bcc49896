"""ccxt, the last release with a bitmex class, on REST and in its realtime part, on both profiles."""
import environments
import pytest
from trials import run_program

BOTH = pytest.mark.parametrize('profile', ['classic', 'modern'])
SWAP = 'BTC/USD:BTC'
LOT = {'classic': 1, 'modern': 100}
TICK = {'classic': 0.5, 'modern': 0.1}


@pytest.fixture
def ccxt():
    return environments.python_with('ccxt', '4.5.83')


@BOTH
def test_its_rest_client_trades_reads_and_closes(ccxt, start_venue, profile):
    report = run_program([ccxt, 'ccxt_rest.py'], start_venue(profile))
    assert report.errors() == {}
    market = report['load_markets']['value'][SWAP]
    assert (market['id'], market['precision']) == ('XBTUSD', {'amount': LOT[profile], 'price': TICK[profile]})
    assert report['fetch_balance']['value']['BTC'] == {'free': 1, 'used': 0, 'total': 1}
    assert report['fetch_order_book']['value']['bids'][0][0] < report['fetch_order_book']['value']['asks'][0][0]

    placed, edited, cancelled = (report[name]['value'] for name in ('create_order', 'edit_order', 'cancel_order'))
    assert (placed['status'], placed['cost']) == ('open', 100)
    assert [order['id'] for order in report['fetch_open_orders']['value']] == [placed['id']]
    assert (edited['id'], edited['cost'], edited['status']) == (placed['id'], 200, 'open') and edited['price'] > placed['price']
    assert (cancelled['id'], cancelled['status']) == (placed['id'], 'canceled')
    assert report['post only that would take']['value']['status'] == 'canceled'
    assert [report[name]['value']['type'] for name in ('a stop', 'a stop limit')] == ['stop', 'stoplimit']
    assert [order['status'] for order in report['cancel_orders']['value']] == ['canceled', 'canceled']
    assert report['cancel_all_orders_after']['value']['cancelTime'] > report['cancel_all_orders_after']['value']['now']
    assert len(report['cancel_all_orders']['value']) == 3 and report['nothing is open']['value'] == []

    bought, position = report['market buy']['value'], report['fetch_positions']['value'][0]
    assert (bought['status'], bought['info']['cumQty']) == ('closed', 1000)
    assert (position['symbol'], position['side'], position['contracts'], position['leverage']) == (SWAP, 'long', 1000, 10)
    assert sum(trade['amount'] for trade in report['fetch_my_trades']['value']) == 1000
    assert report['close_position']['value']['status'] == 'closed'
    assert report['fetch_positions after']['value'][0]['contracts'] == 0
    assert report['fetch_positions linear']['value'][0]['contracts'] == 1000


@BOTH
def test_its_realtime_part_watches_books_trades_orders_positions_and_balances(ccxt, start_venue, profile):
    report = run_program([ccxt, 'ccxt_pro.py'], start_venue(profile))
    assert report.errors() == {}
    bid, ask, bids, asks = report['watchOrderBook again']['value']
    assert bid < ask and min(bids, asks) > 25
    assert report['watchOrders open']['value']['status'] == 'open'
    assert report['watchOrders canceled']['value'] == dict(report['watchOrders canceled']['value'], status='canceled', remaining=0)
    assert report['watchOrders closed']['value'] == dict(report['watchOrders closed']['value'], status='closed', remaining=0)
    assert report['watchMyTrades']['value']['side'] == 'buy'
    assert report['watchPositions']['value'] == {'side': 'long', 'contracts': 1000}
    assert report['watchBalance']['value']['BTC']['total'] == 1
