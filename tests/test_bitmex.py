"""The wrapper on a scripted venue: what it asks, what it keeps, and what it does when the answer is bad or none."""
from __future__ import absolute_import, division, print_function

import json
import logging

import pytest
import requests

from fakes import INSTRUMENT, PARTIALS, ScriptedFeed, accept_bulk, accept_single, accepted, connect, error, response
from market_maker.auth import generate_signature
from market_maker.auth.api_key import REST_EXPIRES_S
from market_maker.bitmex import BitMEX, new_cl_ord_id_tail
from market_maker.own_orders import LIVE, UNKNOWN
from market_maker.utils import errors
from market_maker.utils.clock import ManualClock

BUY = {'price': 99.5, 'orderQty': 100, 'side': 'Buy'}
SELL = {'price': 101.0, 'orderQty': 200, 'side': 'Sell'}
LOST = requests.exceptions.ReadTimeout('timed out')


def open_rows(bitmex):
    return [(row['clOrdID'], row['leavesQty'], row['price']) for row in bitmex.open_orders()]


def test_it_subscribes_to_the_tables_and_symbols_in_use_and_not_to_the_whole_venue():
    _, _, feed, _ = connect(symbols=['ETHUSD'], feed=ScriptedFeed(PARTIALS))
    topics = feed.urls[0].split('subscribe=')[1].split(',')
    assert topics == ['quote:XBTUSD', 'trade:XBTUSD', 'orderBookL2_25:XBTUSD', 'instrument:XBTUSD', 'instrument:ETHUSD', 'order:XBTUSD',
                      'execution:XBTUSD', 'margin', 'position']
    assert feed.urls[0].startswith('ws://127.0.0.1:1/realtime?')


def test_the_socket_is_signed_for_realtime_whatever_the_query():
    _, _, feed, _ = connect()
    header = dict(line.split(': ') for line in feed.headers[0])
    assert header['api-key'] == 'KEY'
    assert header['api-signature'] == generate_signature('SECRET', 'GET', '/realtime', header['api-expires'], '')


def test_requests_are_signed_over_the_bytes_that_are_sent():
    bitmex, transport, _, _ = connect({'POST order/bulk': accept_bulk})
    bitmex.create_bulk_orders([BUY])
    request = transport.prepared[-1]
    assert request.headers['api-signature'] == generate_signature('SECRET', 'POST', request.path_url, request.headers['api-expires'], request.body)


def test_public_data_need_no_credentials():
    bitmex, transport, feed, _ = connect(apiKey='', apiSecret='', shouldWSAuth=False)
    assert feed.headers == [[]] and 'api-key' not in transport.prepared[0].headers
    assert bitmex.ticker_data()['buy'] == 100.0
    for call in (bitmex.funds, bitmex.position, bitmex.open_orders, bitmex.http_open_orders, lambda: bitmex.cancel('x')):
        with pytest.raises(errors.AuthenticationError):
            call()


def test_live_trading_without_credentials_is_refused_before_any_request():
    with pytest.raises(errors.AuthenticationError) as raised:
        connect(apiKey='', apiSecret='')
    assert 'API_KEY' in str(raised.value)


@pytest.mark.parametrize('address', ['http://example.com/api/v1/', 'ftp://127.0.0.1/', 'nonsense', '', None])
def test_credentials_go_to_https_or_loopback_only(address):
    with pytest.raises(errors.SettingsError):
        connect(base_url=address)


def test_a_prefix_that_leaves_no_room_is_refused():
    with pytest.raises(errors.SettingsError):
        connect(orderIDPrefix='fourteen_chars')


def test_an_unknown_symbol_is_answered_with_the_nearest_ones():
    with pytest.raises(errors.SettingsError) as raised:
        connect({'GET instrument': response(200, []), 'GET instrument/active': response(200, [{'symbol': 'XBTUSD'}, {'symbol': 'ETHUSD'}])},
                symbol='XBTUSF')
    assert 'XBTUSF' in str(raised.value) and 'XBTUSD' in str(raised.value)


def test_a_start_without_all_tables_says_which_are_missing():
    partials = dict(PARTIALS)
    del partials['margin'], partials['quote']
    with pytest.raises(errors.VenueUnreachable) as raised:
        connect(feed=ScriptedFeed(partials), start_timeout=20)
    assert 'quote:XBTUSD, margin' in str(raised.value)


def test_a_socket_that_refuses_the_key_is_not_asked_twice():
    feed = ScriptedFeed(refuse=('HTTP 401', 401))
    with pytest.raises(errors.AuthenticationError):
        connect(feed=feed)
    assert len(feed.urls) == 1


def test_a_key_that_rest_refuses_stops_the_start():
    with pytest.raises(errors.AuthenticationError):
        connect({'GET instrument': error(401, 'Invalid API Key.')})


def test_reading_comes_from_the_tables():
    bitmex, _, feed, _ = connect()
    feed.table('trade', 'insert', {'symbol': 'XBTUSD', 'price': 100.5, 'size': 3})
    feed.table('position', 'insert', {'account': 1, 'symbol': 'XBTUSD', 'currency': 'XBt', 'currentQty': -5, 'avgEntryPrice': None,
                                      'homeNotional': 0.05})
    assert bitmex.ticker_data() == {'last': 100.0, 'buy': 100.0, 'sell': 100.5, 'mid': 100.0}
    assert bitmex.instrument('XBTUSD')['tickLog'] == 1
    assert [(row['side'], row['price']) for row in bitmex.market_depth()] == [('Sell', 100.5), ('Buy', 100.0)]
    assert bitmex.recent_trades()[0]['size'] == 3
    assert bitmex.funds()['marginBalance'] == 100000000
    assert bitmex.position()['currentQty'] == -5 and bitmex.position()['avgEntryPrice'] == 0 and bitmex.delta() == 0.05
    assert bitmex.position('ETHUSD')['currentQty'] == 0
    with pytest.raises(errors.RequestRefused):
        bitmex.instrument('NONE')


def test_the_ticker_follows_the_quote_and_an_empty_side_is_none():
    bitmex, _, feed, _ = connect()
    feed.table('quote', 'insert', {'symbol': 'XBTUSD', 'bidPrice': 98.0, 'askPrice': 98.5})
    assert bitmex.ticker_data()['buy'] == 98.0
    feed.table('quote', 'insert', {'symbol': 'XBTUSD', 'bidPrice': None, 'askPrice': 98.5})
    assert bitmex.ticker_data()['buy'] is None and bitmex.ticker_data()['mid'] is None


def test_the_ticker_of_an_index_is_its_mark():
    index = dict(INSTRUMENT, symbol='.BXBT', markPrice=101.25, tickSize=0.01)
    bitmex, _, feed, _ = connect(symbols=['.BXBT'])
    feed.say({'table': 'instrument', 'action': 'partial', 'keys': ['symbol'], 'filter': {'symbol': '.BXBT'}, 'data': [index]})
    assert bitmex.ticker_data('.BXBT') == {'last': 101.25, 'buy': 101.25, 'sell': 101.25, 'mid': 101.25}


def test_margin_of_a_currency_the_account_has_not_is_said():
    bitmex, _, feed, _ = connect()
    feed.table('instrument', 'update', {'symbol': 'XBTUSD', 'settlCurrency': 'DOGE'})
    with pytest.raises(errors.InsufficientFunds):
        bitmex.funds()


def test_orders_go_in_bulk_with_our_prefix_and_in_the_recorded_order_of_fields():
    bitmex, transport, _, _ = connect({'POST order/bulk': accept_bulk})
    rows = bitmex.create_bulk_orders([BUY, SELL])
    assert [row['ordStatus'] for row in rows] == ['New', 'New']
    sent, = transport.sent('POST', 'order/bulk')
    assert sent['orders'][0] == {'symbol': 'XBTUSD', 'side': 'Buy', 'orderQty': 100, 'price': 99.5, 'clOrdID': 'mm_bitmex_1'}
    assert open_rows(bitmex) == [('mm_bitmex_1', 100, 99.5), ('mm_bitmex_2', 200, 101.0)]
    assert bitmex.own_orders.worst_case() == (100, 200) and bitmex.order_transport_used == 'bulk'


def test_post_only_is_asked_for_and_a_canceled_answer_does_not_rest():
    bitmex, transport, _, _ = connect({'POST order/bulk': lambda request: response(200, [
        accepted(order, ordStatus='Canceled', leavesQty=0) for order in json.loads(request.body.decode())['orders']])}, postOnly=True)
    assert bitmex.create_bulk_orders([BUY])[0]['ordStatus'] == 'Canceled'
    assert transport.sent('POST', 'order/bulk')[0]['orders'][0]['execInst'] == 'ParticipateDoNotInitiate'
    assert bitmex.open_orders() == []


def test_a_venue_without_bulk_orders_is_remembered():
    bitmex, transport, _, _ = connect({'POST order/bulk': error(404, 'Not Found'), 'POST order': accept_single,
                                       'PUT order': lambda request: response(200, {'orderID': 'id-mm_bitmex_1', 'clOrdID': 'mm_bitmex_1',
                                                                                   'orderQty': 150, 'cumQty': 0, 'price': 99.0, 'side': 'Buy',
                                                                                   'timestamp': '2017-07-14T02:40:02.000Z', 'leavesQty': 150,
                                                                                   'ordStatus': 'New'})})
    bitmex.create_bulk_orders([BUY, SELL])
    bitmex.create_orders([BUY])
    assert len(transport.sent('POST', 'order/bulk')) == 1 and len(transport.sent('POST', 'order')) == 3
    bitmex.amend_bulk_orders([{'orderID': 'id-mm_bitmex_1', 'orderQty': 150, 'price': 99.0, 'side': 'Buy'}])
    assert transport.sent('PUT', 'order') == [{'orderID': 'id-mm_bitmex_1', 'orderQty': 150, 'price': 99.0}]
    assert open_rows(bitmex)[0] == ('mm_bitmex_1', 150, 99.0)


def test_bulk_that_is_asked_for_is_not_replaced():
    bitmex, _, _, _ = connect({'POST order/bulk': error(404, 'Not Found')}, order_transport='bulk')
    with pytest.raises(errors.NotFound):
        bitmex.create_bulk_orders([BUY])
    assert bitmex.open_orders() == []


def test_no_orders_are_no_request():
    bitmex, transport, _, _ = connect()
    before = len(transport.requests)
    assert bitmex.create_bulk_orders([]) == bitmex.amend_bulk_orders([{'orderID': '', 'orderQty': 1}]) == bitmex.cancel([]) == []
    assert len(transport.requests) == before


def test_a_lost_reply_is_looked_up_by_client_id_and_never_sent_again():
    bitmex, transport, _, _ = connect({'POST order/bulk': LOST})
    with pytest.raises(errors.UnknownOutcome) as raised:
        bitmex.create_bulk_orders([BUY, SELL])
    assert raised.value.cl_ord_ids == ['mm_bitmex_1', 'mm_bitmex_2'] and raised.value.action == errors.RETICK
    assert bitmex.needs_reconcile and bitmex.own_orders.worst_case() == (100, 200)
    first = accepted(dict(BUY, clOrdID='mm_bitmex_1', symbol='XBTUSD'))
    transport.script['GET order'] = [response(200, [first]), response(200, [])]
    bitmex.reconcile()
    assert len(transport.sent('POST', 'order/bulk')) == 1
    assert bitmex.own_orders.state_of('mm_bitmex_1') == LIVE and bitmex.own_orders.state_of('mm_bitmex_2') == UNKNOWN
    assert bitmex.needs_reconcile


def test_what_is_unknown_is_read_at_once_and_again_when_it_can_no_longer_arrive():
    bitmex, transport, _, clock = connect({'POST order/bulk': LOST, 'DELETE order': error(404, 'Not Found')})
    assert bitmex.reads_in is None
    with pytest.raises(errors.UnknownOutcome):
        bitmex.create_bulk_orders([BUY])
    assert bitmex.reads_in == 0
    bitmex.reconcile()
    assert bitmex.needs_reconcile and bitmex.reads_in == REST_EXPIRES_S + 1
    bitmex.cancel('id')                # something else is in doubt now
    assert bitmex.reads_in == 0
    bitmex.reconcile()
    clock.advance(REST_EXPIRES_S + 1)
    assert bitmex.reads_in == 0
    bitmex.reconcile()
    assert bitmex.reads_in is None


def test_a_reading_that_was_overtaken_is_repeated_soon_and_ever_later():
    bitmex, transport, feed, clock = connect({'POST order/bulk': accept_bulk})
    bitmex.create_bulk_orders([BUY])

    def overtaken(request):
        feed.table('order', 'insert', accepted(dict(BUY, clOrdID='mm_bitmex_1', symbol='XBTUSD')))
        return response(200, [])
    transport.script['GET order'] = overtaken
    waits = []
    for _ in range(8):
        bitmex.reconcile()
        waits.append(bitmex.reads_in)
    assert waits[:3] == [0.5, 1.0, 2.0] and waits[-1] == waits[-2] == 4.0


def test_images_that_do_not_come_are_asked_for_again():
    feed = ScriptedFeed(dict((name, rows) for name, rows in PARTIALS.items() if name != 'margin'))
    feed.send = lambda text: (feed.sent.append(text), feed.partials.update(PARTIALS), feed.partial('margin') if '"subscribe"' in text else None)
    bitmex, _, _, clock = connect(feed=feed)
    assert feed.sent == ['{"op": "unsubscribe", "args": ["margin"]}', '{"op": "subscribe", "args": ["margin"]}']
    assert bitmex.connected and len(feed.urls) == 1


def test_an_order_of_unknown_outcome_is_given_up_once_its_request_has_expired():
    bitmex, transport, _, clock = connect({'POST order/bulk': LOST})
    with pytest.raises(errors.UnknownOutcome):
        bitmex.create_bulk_orders([BUY])
    clock.advance(7)
    bitmex.reconcile()
    assert bitmex.open_orders() == [] and not bitmex.needs_reconcile


def test_a_refused_connection_is_tried_again_with_the_same_client_id():
    refused = requests.exceptions.ConnectionError(Wrapped(NewConnectionError('refused')))
    bitmex, transport, _, clock = connect({'POST order/bulk': [refused, accept_bulk]})
    started = clock.time()
    bitmex.create_bulk_orders([BUY])
    assert [sent['orders'][0]['clOrdID'] for sent in transport.sent('POST', 'order/bulk')] == ['mm_bitmex_1'] * 2
    assert clock.time() - started >= 0.5


class NewConnectionError(Exception):
    """Named as urllib3 names it."""


class Wrapped(Exception):
    @property
    def reason(self):
        return self.args[0]


def test_an_overloaded_venue_gets_the_same_bytes_again():
    busy = error(503, 'The system is currently overloaded. Please try again later.')
    bitmex, transport, _, _ = connect({'POST order': [busy, accept_single]})
    bitmex.buy(100, 99.5)
    assert transport.sent('POST', 'order')[0] == transport.sent('POST', 'order')[1]


def test_a_duplicate_client_id_adopts_the_order_that_is_there():
    there = accepted(dict(BUY, clOrdID='mm_bitmex_1', symbol='XBTUSD'))
    bitmex, transport, _, _ = connect({'POST order': error(400, 'Duplicate clOrdID'), 'GET order': response(200, [there])})
    assert bitmex.buy(100, 99.5)['orderID'] == there['orderID']
    assert open_rows(bitmex) == [('mm_bitmex_1', 100, 99.5)]


def test_a_duplicate_that_is_another_order_is_refused():
    there = accepted(dict(BUY, clOrdID='mm_bitmex_1', symbol='XBTUSD', orderQty=7))
    bitmex, _, _, _ = connect({'POST order': error(400, 'Duplicate clOrdID'), 'GET order': response(200, [there])})
    with pytest.raises(errors.RequestRefused) as raised:
        bitmex.buy(100, 99.5)
    assert 'orderQty' in str(raised.value)


def test_a_duplicate_in_a_bulk_adopts_what_is_there_and_counts_the_rest_until_it_can_no_longer_come():
    there = accepted(dict(BUY, clOrdID='mm_bitmex_1', symbol='XBTUSD'))
    bitmex, transport, _, clock = connect({'POST order/bulk': error(400, 'Duplicate clOrdID'), 'GET order': lambda request: response(200, [there])})
    with pytest.raises(errors.OrderGone) as raised:
        bitmex.create_bulk_orders([BUY, SELL])
    assert raised.value.results == [there] and bitmex.own_orders.worst_case() == (100, 200) and bitmex.needs_reconcile
    clock.now += REST_EXPIRES_S + 1
    bitmex.reconcile()
    assert bitmex.own_orders.worst_case() == (100, 0) and not bitmex.needs_reconcile


@pytest.mark.parametrize('answer', [response(200, []), error(400, 'no')])
def test_a_duplicate_that_cannot_be_looked_up_counts_and_is_read_again(answer):
    bitmex, transport, _, _ = connect({'POST order': error(400, 'Duplicate clOrdID'), 'GET order': [answer]})
    with pytest.raises(errors.RequestRefused):
        bitmex.buy(100, 99.5)
    assert bitmex.own_orders.state_of('mm_bitmex_1') == UNKNOWN and bitmex.needs_reconcile
    transport.script['GET order'] = lambda request: response(200, [accepted(dict(BUY, clOrdID='mm_bitmex_1', symbol='XBTUSD'))])
    bitmex.reconcile()
    assert bitmex.own_orders.state_of('mm_bitmex_1') == LIVE


def test_what_a_strategy_buys_itself_is_kept_account_of_like_everything_else():
    bitmex, transport, _, _ = connect({'POST order': [LOST, accept_single], 'GET order': lambda request: response(200, [])})
    with pytest.raises(errors.UnknownOutcome):
        bitmex.buy(100, 99.5)
    bitmex.sell(70, 101.0)
    assert bitmex.worst_case() == (100, 70) and bitmex.own_orders.is_uncertain()
    assert [(row['side'], row['leavesQty'], row.get('inFlight', False)) for row in bitmex.open_orders()] == [('Buy', 100, True), ('Sell', 70, False)]


def test_an_order_request_that_was_given_up_takes_its_place_in_the_second_layer_while_it_may_arrive():
    few = {'x-ratelimit-limit': '120', 'x-ratelimit-remaining': '110', 'x-ratelimit-remaining-1s': '9'}
    bitmex, transport, _, clock = connect({'POST order': [LOST, LOST]}, order_transport='single')
    bitmex.request_budget.note_headers(few, clock.monotonic())
    for _ in range(2):
        with pytest.raises(errors.UnknownOutcome):
            bitmex.create_bulk_orders([BUY])
    clock.advance(3)
    assert bitmex.request_budget_left[1] == 8
    clock.advance(3)
    assert bitmex.request_budget_left[1] == 10


def test_of_several_single_orders_one_that_fails_does_not_stop_the_others():
    bitmex, transport, _, _ = connect({'POST order': [error(400, 'Invalid price tickSize'), accept_single]}, order_transport='single')
    with pytest.raises(errors.RequestRefused) as raised:
        bitmex.create_bulk_orders([BUY, SELL])
    assert [row['side'] for row in raised.value.results] == ['Sell']
    assert bitmex.own_orders.worst_case() == (0, 200)


def test_a_list_of_single_orders_that_takes_long_is_not_sent_to_its_end():
    bitmex, transport, _, clock = connect({'POST order': lambda request: clock.advance(0.6) or accept_single(request)}, order_transport='single')
    assert len(bitmex.create_bulk_orders([BUY] * 6)) == 2
    assert len(transport.sent('POST', 'order')) == 2 and len(bitmex.open_orders()) == 2   # what the others would say is old by then


def test_an_amend_of_a_gone_order_asks_for_the_truth():
    bitmex, _, _, _ = connect({'POST order/bulk': accept_bulk, 'PUT order/bulk': error(400, 'Invalid ordStatus')})
    bitmex.create_bulk_orders([BUY])
    with pytest.raises(errors.OrderGone):
        bitmex.amend_bulk_orders([{'orderID': 'id-mm_bitmex_1', 'orderQty': 150, 'price': 99.0, 'side': 'Buy'}])
    assert bitmex.needs_reconcile and bitmex.own_orders.worst_case() == (100, 0)


def test_an_amend_without_an_answer_counts_at_its_worst():
    bitmex, _, _, _ = connect({'POST order/bulk': accept_bulk, 'PUT order/bulk': response(502, '<html>Bad Gateway</html>')})
    bitmex.create_bulk_orders([BUY])
    with pytest.raises(errors.UnknownOutcome):
        bitmex.amend_bulk_orders([{'orderID': 'id-mm_bitmex_1', 'orderQty': 150, 'price': 99.0, 'side': 'Buy'}])
    assert bitmex.own_orders.worst_case() == (150, 0) and bitmex.needs_reconcile


def test_an_answer_that_is_no_list_of_orders_says_nothing():
    bitmex, _, _, _ = connect({'POST order/bulk': response(200, {'what': 1})})
    with pytest.raises(errors.UnknownOutcome):
        bitmex.create_bulk_orders([BUY])
    assert bitmex.own_orders.is_uncertain()


@pytest.mark.parametrize('answer', [error(429, 'Rate limit exceeded'), error(503, 'The system is currently overloaded.')])
def test_when_the_venue_wants_no_more_single_orders_the_rest_of_them_stay_here(answer):
    bitmex, transport, _, _ = connect({'POST order': lambda request: answer}, order_transport='single')
    with pytest.raises((errors.RateLimited, errors.Overloaded)):
        bitmex.create_bulk_orders([BUY, SELL, BUY])
    assert set(order['clOrdID'] for order in transport.sent('POST', 'order')) == set(['mm_bitmex_1'])
    bitmex.reconcile()
    assert bitmex.open_orders() == []


def test_a_position_that_was_read_while_an_order_was_filled_may_be_too_old_and_does_not_count():
    bitmex, transport, feed, _ = connect({'POST order/bulk': accept_bulk})
    bitmex.create_bulk_orders([SELL])

    def filled_meanwhile(request):
        feed.table('order', 'insert', accepted(dict(SELL, clOrdID='mm_bitmex_1', symbol='XBTUSD'), ordStatus='Filled', cumQty=200, leavesQty=0))
        return response(200, [{'account': 1, 'symbol': 'XBTUSD', 'currency': 'XBt', 'currentQty': 0}])
    transport.script['GET position'] = filled_meanwhile
    bitmex.worst_case()
    bitmex.reconcile()
    assert bitmex.worst_case() == (0, 200)


@pytest.mark.parametrize('read', [0, -20, -50])
def test_a_position_counts_only_when_the_orders_that_are_read_after_it_tell_of_no_fill_or_of_the_same(read):
    bitmex, transport, feed, _ = connect({'POST order/bulk': accept_bulk})
    bitmex.create_bulk_orders([SELL])
    position = {'account': 1, 'symbol': 'XBTUSD', 'currency': 'XBt', 'currentQty': read}
    row = accepted(dict(SELL, clOrdID='mm_bitmex_1', symbol='XBTUSD'), ordStatus='PartiallyFilled', cumQty=50, leavesQty=150)
    transport.script.update({'GET position': lambda request: response(200, [position]), 'GET order': lambda request: response(200, [row])})
    bitmex.reconcile()
    assert bitmex.position()['currentQty'] == (-50 if read == -50 else 0)
    assert bitmex.position()['currentQty'] - bitmex.worst_case()[1] == -200
    position['currentQty'] = -60    # somebody else sold 10
    bitmex.reconcile()
    assert bitmex.position()['currentQty'] == -60 and bitmex.worst_case() == (0, 150)
    assert [path for verb, path, _ in transport.requests if verb == 'GET'][-2:] == ['position', 'order']


@pytest.mark.parametrize('table', ['position', 'order'])
def test_a_position_that_was_overtaken_by_rows_while_it_and_the_orders_were_read_does_not_count(table):
    bitmex, transport, feed, _ = connect({'POST order/bulk': accept_bulk})
    bitmex.create_bulk_orders([SELL])
    position = {'account': 1, 'symbol': 'XBTUSD', 'currency': 'XBt', 'currentQty': 50}
    rests = accepted(dict(SELL, clOrdID='mm_bitmex_1', symbol='XBTUSD'))

    def overtaken(request):
        feed.table(table, 'insert', rests if table == 'order' else dict(position, currentQty=70))
        return response(200, [] if table == 'order' else [rests])
    transport.script.update({'GET position': lambda request: response(200, [position]), 'GET order': overtaken})
    bitmex.reconcile()
    assert bitmex.position()['currentQty'] == (70 if table == 'position' else 0)
    transport.script['GET order'] = lambda request: response(200, [rests])
    bitmex.reconcile()
    assert bitmex.position()['currentQty'] == 50


GONE = requests.exceptions.ConnectionError(Wrapped(NewConnectionError('refused')))


@pytest.mark.parametrize('later', [[GONE] * 5, [error(429, 'Rate limit exceeded')], [error(400, 'Market is not open')]])
def test_after_a_503_the_orders_are_read_whatever_a_later_attempt_was_answered(later):
    bitmex, _, _, _ = connect({'POST order/bulk': [error(503, 'The system is currently overloaded.')] + later})
    with pytest.raises(errors.MarketMakerError) as raised:
        bitmex.create_bulk_orders([BUY])
    assert raised.value.repeated and bitmex.needs_reconcile and bitmex.worst_case() == (100, 0)
    bitmex.reconcile()
    assert not bitmex.needs_reconcile and bitmex.worst_case() == (0, 0)


def test_an_answer_that_does_not_speak_of_the_orders_says_nothing():
    bitmex, _, _, _ = connect({'POST order/bulk': error(404, 'Not Found'), 'POST order': response(200, {'ok': True})})
    with pytest.raises(errors.UnknownOutcome):
        bitmex.create_bulk_orders([BUY])
    assert bitmex.own_orders.state_of('mm_bitmex_1') == UNKNOWN


def test_a_list_of_the_venue_that_is_none_is_read_again():
    bitmex, _, _, _ = connect({'POST order/bulk': accept_bulk, 'GET order': response(200, {'ok': True}), 'DELETE order': response(200, {'ok': True})})
    bitmex.create_bulk_orders([BUY])
    for read in (bitmex.http_open_orders, bitmex.reconcile, lambda: bitmex.cancel(['id-mm_bitmex_1'])):
        with pytest.raises(errors.UnknownOutcome):
            read()
    assert bitmex.needs_reconcile and bitmex.own_orders.worst_case() == (100, 0)


def test_an_order_that_rests_although_the_venue_said_it_was_overloaded_is_found():
    overloaded = error(503, 'The system is currently overloaded. Please try again later.')
    bitmex, transport, _, _ = connect({'POST order/bulk': lambda request: overloaded})
    with pytest.raises(errors.Overloaded):
        bitmex.create_bulk_orders([BUY])
    assert bitmex.needs_reconcile and bitmex.worst_case() == (100, 0)
    transport.script['GET order'] = lambda request: response(200, [accepted(dict(BUY, clOrdID='mm_bitmex_1', symbol='XBTUSD'))])
    bitmex.reconcile()
    bitmex.check_alone()
    assert bitmex.own_orders.state_of('mm_bitmex_1') == LIVE and bitmex.own_orders.worst_case() == (100, 0)


def test_an_order_that_was_filled_although_the_venue_said_it_was_overloaded_is_found_too():
    overloaded = error(503, 'The system is currently overloaded. Please try again later.')
    bitmex, transport, _, _ = connect({'POST order/bulk': lambda request: overloaded})
    with pytest.raises(errors.Overloaded):
        bitmex.create_bulk_orders([BUY])
    filled = accepted(dict(BUY, clOrdID='mm_bitmex_1', symbol='XBTUSD'), ordStatus='Filled', cumQty=100, leavesQty=0)
    transport.script['GET order'] = lambda request: response(200, [] if 'isTerminated' in request.url else [filled])
    bitmex.reconcile()
    assert bitmex.fills_seen == 1 and bitmex.own_orders.worst_case() == (0, 0)


def test_an_amend_that_the_venue_called_overloaded_counts_until_the_orders_are_read():
    overloaded = error(503, 'The system is currently overloaded. Please try again later.')
    bitmex, transport, _, _ = connect({'POST order/bulk': accept_bulk, 'PUT order/bulk': lambda request: overloaded})
    bitmex.create_bulk_orders([BUY])
    with pytest.raises(errors.Overloaded):
        bitmex.amend_bulk_orders([{'orderID': 'id-mm_bitmex_1', 'orderQty': 300, 'price': 99.0, 'side': 'Buy'}])
    assert bitmex.worst_case() == (300, 0) and bitmex.open_orders()[0]['inFlight']
    transport.script['GET order'] = lambda request: response(200, [accepted(dict(BUY, clOrdID='mm_bitmex_1', symbol='XBTUSD'))])
    bitmex.reconcile()
    assert bitmex.worst_case() == (100, 0) and not bitmex.needs_reconcile


def test_cancelling_takes_many_ids_in_one_request_and_notes_what_could_not_be_canceled():
    def cancel(request):
        ids = json.loads(request.body.decode())['orderID']
        return response(200, [{'orderID': ids[0], 'clOrdID': 'mm_bitmex_1', 'ordStatus': 'Canceled', 'leavesQty': 0, 'cumQty': 0},
                              {'orderID': ids[1], 'error': 'Unable to cancel order'}])
    bitmex, transport, _, _ = connect({'POST order/bulk': accept_bulk, 'DELETE order': cancel})
    bitmex.create_bulk_orders([BUY, SELL])
    bitmex.cancel(['id-mm_bitmex_1', 'id-mm_bitmex_2'])
    assert len(transport.sent('DELETE', 'order')) == 1
    assert bitmex.own_orders.worst_case() == (0, 200) and bitmex.needs_reconcile


def test_cancelling_what_is_gone_is_no_error():
    bitmex, _, _, _ = connect({'DELETE order': error(404, 'Not Found')})
    assert bitmex.cancel('x') == []


def test_a_cancel_that_fails_leaves_the_order_counted():
    bitmex, _, _, _ = connect({'POST order/bulk': accept_bulk, 'DELETE order': [response(502, 'x')] * 4})
    bitmex.create_bulk_orders([BUY])
    with pytest.raises(errors.VenueUnreachable):
        bitmex.cancel('id-mm_bitmex_1')
    assert bitmex.own_orders.worst_case() == (100, 0) and bitmex.needs_reconcile


def test_only_our_own_orders_are_listed():
    rows = [accepted(dict(BUY, clOrdID='mm_bitmex_9', symbol='XBTUSD')), accepted(dict(BUY, clOrdID='hand', symbol='XBTUSD'))]
    bitmex, transport, _, _ = connect({'GET order': response(200, rows)})
    assert [row['clOrdID'] for row in bitmex.http_open_orders()] == ['mm_bitmex_9']


def test_a_second_copy_is_noticed_after_the_start_and_not_before():
    bitmex, _, feed, _ = connect()
    feed.table('order', 'insert', accepted(dict(BUY, clOrdID='mm_bitmex_left', symbol='XBTUSD')))
    bitmex.check_alone()
    feed.table('order', 'insert', accepted(dict(SELL, clOrdID='mm_bitmex_other', symbol='XBTUSD')))
    with pytest.raises(errors.SecondCopyRunning):
        bitmex.check_alone()


def test_fills_are_logged_once_in_the_promised_words(caplog):
    caplog.set_level(logging.INFO)
    bitmex, _, feed, _ = connect({'POST order/bulk': accept_bulk})
    bitmex.create_bulk_orders([BUY])
    for _ in range(2):
        feed.table('order', 'insert', accepted(dict(BUY, clOrdID='mm_bitmex_1', symbol='XBTUSD')))
        feed.table('order', 'update', {'orderID': 'id-mm_bitmex_1', 'clOrdID': 'mm_bitmex_1', 'symbol': 'XBTUSD', 'cumQty': 60, 'leavesQty': 40,
                                       'timestamp': '2017-07-14T02:40:03.000Z'})
    assert [record.getMessage() for record in caplog.records].count('Execution: Buy 60 Contracts of XBTUSD at 99.5') == 1
    assert bitmex.own_orders.worst_case() == (40, 0)


def test_a_dropped_socket_is_replaced_and_asks_for_a_reconciliation():
    bitmex, _, feed, clock = connect()
    assert bitmex.connected and bitmex.data_age() == 0
    feed.drop()
    assert not bitmex.connected and bitmex.data_age() == float('inf')
    bitmex.wakeup.clear()
    bitmex.clock.wait(bitmex.wakeup, 5)
    assert bitmex.connected and bitmex.reconnects == 1 and bitmex.needs_reconcile
    bitmex.reconcile()
    assert not bitmex.needs_reconcile


def test_an_address_that_is_banned_while_it_trades_waits_and_comes_back():
    bitmex, _, feed, clock = connect()
    feed.refuse = ('forbidden', 403)
    feed.drop()
    assert not bitmex.connected
    bitmex.wakeup.clear()
    bitmex.clock.wait(bitmex.wakeup, 5)
    assert not bitmex.connected and len(feed.urls) == 2
    feed.refuse = None
    clock.advance(30)
    bitmex.ws.poll()
    assert bitmex.connected


def test_a_silent_socket_is_pinged_and_then_replaced():
    bitmex, _, feed, clock = connect()
    clock.advance(5)
    bitmex.ws.poll()
    assert feed.sent == ['ping']
    feed.say('pong')
    assert bitmex.data_age() == 0
    clock.advance(10)
    bitmex.ws.poll()
    assert not bitmex.connected
    assert 'silent' in bitmex.ws.last_reason


def test_the_truth_after_a_reconnect_comes_by_rest():
    bitmex, transport, feed, _ = connect({'POST order/bulk': accept_bulk})
    bitmex.create_bulk_orders([BUY])
    transport.script['GET order'] = [response(200, []), response(200, [
        accepted(dict(BUY, clOrdID='mm_bitmex_1', symbol='XBTUSD'), ordStatus='Filled', leavesQty=0, cumQty=100)])]
    transport.script['GET position'] = response(200, [{'account': 1, 'symbol': 'XBTUSD', 'currency': 'XBt', 'currentQty': 100}])
    bitmex.reconcile()
    assert bitmex.open_orders() == [] and bitmex.position()['currentQty'] == 100


def test_the_profit_of_a_run_leaves_deposits_out():
    bitmex, transport, _, _ = connect()
    transport.script['GET user/wallet'] = response(200, {'deposited': 900, 'withdrawn': 150, 'transferIn': None})
    assert bitmex.wallet_history_since_start() == 350


def test_a_venue_without_wallets_counts_no_deposits():
    bitmex, _, _, _ = connect({'GET user/wallet': error(404, 'Not Found')})
    assert bitmex._deposits_at_start == 0


def test_a_clock_that_is_off_is_measured_by_the_welcome_and_corrected():
    clock = ManualClock(start=1500000000.0 - 90)
    bitmex, transport, _, _ = connect(clock=clock, script={'POST order': accept_single})
    assert bitmex.clock_offset == pytest.approx(90)
    bitmex.buy(100, 99.5)
    assert transport.prepared[-1].headers['api-expires'] == '1500000005'


def test_an_expired_request_is_signed_anew_with_the_venues_date():
    late = error(400, 'This request has expired - `expires` is in the past. Current time: 1500000090', Date='Fri, 14 Jul 2017 02:41:30 GMT')
    bitmex, transport, _, _ = connect({'POST order': [late, accept_single]})
    bitmex.buy(100, 99.5)
    assert bitmex.clock_offset == pytest.approx(90.5)
    assert int(transport.prepared[-1].headers['api-expires']) >= 1500000095


def test_a_request_that_expired_because_it_was_slow_says_little_about_the_clock():
    def slow(request):
        clock.now += 6
        return error(400, 'This request has expired - `expires` is in the past. Current time: 1500000006', Date='Fri, 14 Jul 2017 02:40:06 GMT')
    clock = ManualClock()
    bitmex, transport, _, _ = connect({'POST order': [slow, accept_single]}, clock=clock)
    bitmex.buy(100, 99.5)
    assert abs(bitmex.clock_offset) <= 0.5
    assert int(transport.prepared[-1].headers['api-expires']) <= clock.time() + REST_EXPIRES_S + 1  # no later than what is lost is waited for


def test_a_login_buys_a_token_and_renews_it_once_when_it_runs_out():
    script = {'POST user/login': [response(200, {'id': 'one'}), response(200, {'id': 'two'})],
              'GET order': [error(401, 'Invalid token'), response(200, [])]}
    bitmex, transport, feed, _ = connect(script, apiKey='', apiSecret='', login='a@b', password='secret', otpToken='123')
    assert feed.headers[0] == ['email: a@b', 'password: secret']
    bitmex.http_open_orders()
    assert transport.sent('POST', 'user/login') == [{'email': 'a@b', 'password': 'secret', 'token': '123'}] * 2
    assert transport.prepared[-1].headers['access-token'] == 'two'


def test_a_token_that_runs_out_after_a_retry_is_renewed_all_the_same():
    script = {'POST user/login': [response(200, {'id': 'one'}), response(200, {'id': 'two'})],
              'GET order': [error(502, ''), error(401, 'Invalid token'), response(200, [])]}
    bitmex, transport, _, _ = connect(script, apiKey='', apiSecret='', login='a@b', password='secret')
    assert bitmex.http_open_orders() == []


def test_a_login_that_is_answered_with_something_else_is_no_refusal():
    with pytest.raises(errors.VenueUnreachable):
        connect({'POST user/login': response(200, {'ok': True})}, apiKey='', apiSecret='', login='a@b', password='secret')


def test_a_login_that_is_refused_says_so():
    with pytest.raises(errors.AuthenticationError):
        connect({'POST user/login': error(400, 'Incorrect password')}, apiKey='', apiSecret='', login='a@b', password='x')


def test_a_withdrawal_is_sent_once_and_never_repeated():
    bitmex, transport, _, _ = connect({'POST user/requestWithdrawal': LOST})
    with pytest.raises(errors.UnknownOutcome):
        bitmex.withdraw(1000, 10, 'addr')
    assert transport.sent('POST', 'user/requestWithdrawal') == [{'amount': 1000, 'fee': 10, 'currency': 'XBt', 'address': 'addr'}]


def test_leverage_and_instruments_go_by_rest():
    bitmex, transport, _, _ = connect({'POST position/leverage': response(200, {'leverage': 5})})
    assert bitmex.isolate_margin('XBTUSD', 5) == {'leverage': 5}
    assert bitmex.instruments({'state': 'Open'})[0]['symbol'] == 'XBTUSD'
    assert 'filter=%7B%22state' in transport.prepared[-1].path_url
    assert bitmex.instruments()


def test_a_negative_price_and_a_market_order():
    bitmex, transport, _, _ = connect({'POST order': accept_single})
    with pytest.raises(errors.RequestRefused):
        bitmex.sell(1, -5)
    bitmex.sell(10, None, {'ordType': 'Market', 'clOrdID': 'mm_bitmex_mine'})
    assert transport.sent('POST', 'order') == [{'symbol': 'XBTUSD', 'side': 'Sell', 'orderQty': 10, 'ordType': 'Market', 'clOrdID': 'mm_bitmex_mine'}]


def test_what_the_budget_cannot_pay_is_left_out_the_outermost_first():
    bitmex, transport, feed, _ = connect({'POST order': accept_single}, order_transport='single')
    bitmex.request_budget.note_headers({'x-ratelimit-limit': '120', 'x-ratelimit-remaining': '9'}, bitmex.clock.monotonic())
    outer = dict(BUY, price=90.0)
    rows = bitmex.create_bulk_orders([outer, BUY])
    assert [row['price'] for row in rows] == [99.5]


def test_errors_on_the_socket_are_said_and_a_refused_key_ends_it():
    bitmex, _, feed, _ = connect()
    feed.say({'status': 400, 'error': 'Unknown table'})
    feed.say('not json')
    feed.say('[1]')
    feed.say({'table': 'order', 'action': 'explode', 'data': []})
    assert bitmex.connected
    feed.say({'status': 401, 'error': 'Invalid API Key.'})
    with pytest.raises(errors.AuthenticationError):
        bitmex.connected


def test_a_venue_without_the_short_book_gives_the_whole_one():
    partials = dict(PARTIALS)
    book = partials.pop('orderBookL2_25')

    class OldFeed(ScriptedFeed):
        def partial(self, table, symbol=None):
            if table == 'orderBookL2_25':
                self.say({'status': 400, 'error': 'Unknown table', 'request': {'op': 'subscribe', 'args': ['orderBookL2_25:XBTUSD']}})
            ScriptedFeed.partial(self, table, symbol)

        def send(self, text):
            self.partials['orderBookL2'] = book
            self.partial(*json.loads(text)['args'][0].split(':'))

    bitmex, _, _, _ = connect(feed=OldFeed(partials))
    assert len(bitmex.market_depth()) == 2


def test_the_totals_of_a_run_count_our_own_trades_since_the_start():
    def trade(cl, comm, kind='Trade'):
        return {'execType': kind, 'clOrdID': cl, 'lastQty': 100, 'execComm': comm}
    first = [trade('mm_bitmex_1', -40)] * 499 + [trade('hand', 7)]
    bitmex, transport, _, _ = connect({'GET execution/tradeHistory': [response(200, first), response(200, [trade('mm_bitmex_2', 90),
                                                                                                         trade('', 5, 'Funding')])]})
    assert bitmex.totals == {'fills': 500, 'contracts': 50000, 'fees': 90 - 40 * 499}
    assert 'startTime=2017-07-14T02%3A40%3A00.000Z' in transport.prepared[-1].path_url and 'start=500' in transport.prepared[-1].path_url


def test_a_venue_without_a_history_has_no_totals():
    bitmex, _, _, _ = connect({'GET execution/tradeHistory': error(404, 'Not Found')})
    assert bitmex.totals is None


def test_the_dead_mans_switch_is_told_in_milliseconds_and_again_when_the_answer_is_lost():
    bitmex, transport, _, _ = connect({'POST order/cancelAllAfter': [LOST, response(200, {'now': 'x', 'cancelTime': 'y'})]})
    bitmex.cancel_all_after(60)
    assert transport.sent('POST', 'order/cancelAllAfter') == [{'timeout': 60000}] * 2


def test_exit_twice_is_harmless_and_client_ids_have_22_characters():
    bitmex, _, _, _ = connect()
    bitmex.exit()
    bitmex.exit()
    assert bitmex.ws.exited
    assert len(new_cl_ord_id_tail()) == 22 and new_cl_ord_id_tail() != new_cl_ord_id_tail()
    assert isinstance(bitmex, BitMEX)


def test_a_request_that_is_made_from_an_earlier_one_is_signed_anew_and_carries_what_it_would_otherwise():
    bitmex, transport, _, clock = connect({'PUT order': [response(200, {'orderID': name}) for name in ('1', '2', '3')]})
    for number in (1, 2):
        clock.advance(10)
        bitmex.amend_order({'orderID': str(number), 'price': 10.5 * number})
    bitmex._rest._session.cookies.set('AWSALB', 'somewhere')
    bitmex.amend_order({'orderID': '3', 'price': 10.5})
    first, second, with_cookie = transport.prepared[-3:]
    assert first.headers['api-signature'] != second.headers['api-signature'] and json.loads(second.body.decode())['orderID'] == '2'
    assert with_cookie.headers.pop('Cookie') == 'AWSALB=somewhere'
    assert dict(first.headers).keys() == dict(second.headers).keys() == dict(with_cookie.headers).keys()
    assert second.headers['Content-Length'] == str(len(second.body)) and second.url == with_cookie.url
