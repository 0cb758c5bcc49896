"""Deciding when something changes: at once, once, and not again and again."""
from __future__ import absolute_import, division, print_function

import pytest
from desk import Desk, ToyVenue
from fakes import error, response

from market_maker.running import QUICK_TURNS
from market_maker.strategies.index_price import IndexOrderManager


def sent(desk, verb, path='order/bulk'):
    return [body['orders'] for method, where, body in desk.venue.requests if (method, where) == (verb, path)]


def count_turns(desk):
    turns, usual = [], desk.manager.turn

    def turn():
        turns.append(round(desk.clock.now - desk.start, 1))
        usual()
    desk.manager.turn = turn
    return turns


def inner(desk, *moments):
    seen = []
    for moment in moments:
        desk.at(moment, lambda: seen.append(desk.venue.inner('Buy')['price'] if desk.venue.resting('Buy') else None))
    return seen


def test_a_touch_that_moved_past_relist_interval_is_followed_at_once():
    desk = Desk(RELIST_INTERVAL=0.001, LOOP_INTERVAL=60)
    desk.at(2, desk.venue.quote, 6400.0, 6400.5)
    seen = inner(desk, 1, 2.1)
    desk.run(3)
    assert seen == [6327.0, 6368.5]


def test_a_full_fill_is_replaced_at_once():
    desk = Desk(LOOP_INTERVAL=60)
    desk.at(2, desk.venue.fill, side='Buy')
    seen = inner(desk, 2.1)
    desk.run(3)
    assert seen == [6327.0] and [len(orders) for orders in sent(desk, 'POST')] == [12, 1]


def test_without_events_nothing_is_done_before_the_interval_is_over():
    desk = Desk(LOOP_INTERVAL=60, EVENT_DRIVEN=False, RELIST_INTERVAL=0.001)
    desk.at(2, desk.venue.quote, 6400.0, 6400.5)
    seen = inner(desk, 50, 61)
    desk.run(62)
    assert seen == [6327.0, 6368.5]


def test_a_partial_fill_is_topped_up_once_after_requote_min_s():
    desk = Desk(LOOP_INTERVAL=60, REQUOTE_MIN_S=1)
    for moment in (2.0, 2.3, 2.6, 2.9):
        desk.at(moment, desk.venue.fill, side='Sell', quantity=20)
    seen = []
    for moment in (2.95, 3.1):
        desk.at(moment, lambda: seen.append(desk.venue.inner('Sell')['leavesQty']))
    desk.run(4)
    assert seen == [20, 100] and [amend['orderQty'] for amends in sent(desk, 'PUT') for amend in amends] == [180]


def test_the_status_comes_at_the_pace_of_loop_interval_however_much_happens():
    desk = Desk(LOOP_INTERVAL=5)
    for tenth in range(1, 200):
        desk.at(tenth / 10 + 0.05, desk.venue.quote, 6358.5 + tenth % 7, 6359.0 + tenth % 7)
    desk.run(21)
    assert desk.heard.count('Current XBT Balance') == desk.heard.count('XBTUSD Ticker') == 5


def test_a_look_at_which_nothing_changed_says_and_sends_nothing():
    desk = Desk(LOOP_INTERVAL=60)
    turns = count_turns(desk)
    moments = []
    for tenth in range(20, 40):
        desk.at(tenth / 10, desk.venue.quote, 6358.5 + tenth % 2, 6359.0 + tenth % 2)
    desk.at(1.9, lambda: moments.append((len(desk.heard.lines), len(desk.venue.requests), len(turns))))
    desk.at(4.1, lambda: moments.append((len(desk.heard.lines), len(desk.venue.requests), len(turns))))
    desk.run(5)
    assert moments[0][:2] == moments[1][:2] and moments[1][2] - moments[0][2] == 19


def test_wake_ups_that_bring_nothing_new_cost_no_decision():
    desk = Desk(LOOP_INTERVAL=60)
    turns = count_turns(desk)
    for tenth in range(20, 40):
        desk.at(tenth / 10, desk.venue.quote, 6358.5, 6359.0)
    desk.run(5)
    assert max(turns) < 2


def test_of_a_burst_only_the_newest_state_is_decided_on():
    desk = Desk(RELIST_INTERVAL=0, LOOP_INTERVAL=60)

    def burst():
        for step in range(50):
            desk.venue.quote(6358.5 + step, 6359.0 + step)
    desk.at(2, burst)
    desk.run(3)
    assert len(sent(desk, 'PUT')) == 1 and len(sent(desk, 'PUT')[0]) == 12


def test_a_contract_that_gets_another_tick_lot_and_fee_is_quoted_by_them_at_once():
    desk = Desk(LOOP_INTERVAL=60, RELIST_INTERVAL=0, ORDER_START_SIZE=105)
    desk.at(2, desk.venue.instrument_row, tickSize=2.0, lotSize=10, makerFee=0.0)
    desk.at(2.5, desk.venue.quote, 6360.0, 6362.0)
    seen = []
    desk.at(3, lambda: seen.extend(desk.venue.ladder('Buy') + desk.venue.ladder('Sell')))
    desk.run(4)
    assert len(seen) == 12 and all(price % 2 == 0 and size % 10 == 0 for price, size in seen)
    assert desk.heard.count('The venue has changed XBTUSD: tickSize from 0.5 to 2.0, lotSize from 1 to 10, makerFee from -0.00025 to 0.0.') == 1


def test_a_change_of_the_index_wakes_a_strategy_that_quotes_around_it():
    desk = Desk(manager=IndexOrderManager, venue=ToyVenue(6340.0, 6360.0), RELIST_INTERVAL=0.0001, LOOP_INTERVAL=60)
    desk.at(2, desk.venue.instrument_row, indicativeSettlePrice=6300.0)
    seen = inner(desk, 1, 2.1)
    desk.run(3)
    assert seen[1] < seen[0]


def test_a_venue_that_makes_something_else_of_our_orders_is_not_asked_again_and_again():
    desk = Desk(LOOP_INTERVAL=10, ORDER_PAIRS=1, RELIST_INTERVAL=0.0001)
    usual = desk.venue._change

    def round_down(amend):
        return usual(dict(amend, price=6000.0))
    desk.venue._change = round_down
    desk.venue._check = lambda: None
    desk.at(2, desk.venue.quote, 6500.0, 6500.5)
    desk.run(9)
    assert len(sent(desk, 'PUT')) <= 2 * QUICK_TURNS  # two requests a decision: the buy moves to where the sell stood


GONE = ['Invalid ordStatus', 'Invalid ordStatus: Filled', 'Invalid leavesQty', 'Invalid orderID']


@pytest.mark.parametrize('path', ['order/bulk', 'order'])
@pytest.mark.parametrize('verb, message', [('PUT', message) for message in GONE] + [('POST', 'Duplicate clOrdID')])
def test_after_a_race_the_next_look_takes_its_time_and_when_it_is_over_the_ladder_stands(verb, message, path):
    desk = Desk(LOOP_INTERVAL=20, RELIST_INTERVAL=0.001, ORDER_TRANSPORT='bulk' if path == 'order/bulk' else 'single')
    desk.at(1.9, lambda: desk.venue.once.update({'%s %s' % (verb, path): [error(400, message) for _ in range(2000)]}))
    desk.at(2, desk.venue.fill, side='Buy')
    for tenth in range(21, 150):
        desk.at(tenth / 10, desk.venue.quote, 6400.0 + tenth % 5, 6400.5 + tenth % 5)
    counts, ladders = [], []
    for moment in (1.5, 15):
        desk.at(moment, lambda: counts.append((len(desk.venue.sent(verb, path)), len(desk.venue.requests))))
    desk.at(15.1, desk.venue.once.clear)
    desk.at(45, lambda: ladders.extend([desk.venue.ladder('Buy'), desk.venue.ladder('Sell')]))
    desk.run(46)
    (asked, before), (asked_then, after) = counts
    turn = 12 if path == 'order' else 2
    assert asked < asked_then <= asked + 5 * turn and after - before <= 5 * (turn + 5)
    buys, sells = ladders
    assert [size for _, size in buys] == [size for _, size in sells] == [100, 200, 300, 400, 500, 600]
    assert 6360 < buys[0][0] < 6400 < sells[0][0] < 6440


def count_readings(desk):
    return len([1 for verb, path, body in desk.venue.requests if (verb, path) == ('GET', 'position')])


def test_an_order_whose_amend_may_have_been_lost_does_not_stay_where_it_must_not():
    desk = Desk(RELIST_INTERVAL=0.001, LOOP_INTERVAL=60)
    desk.venue.once['PUT order/bulk'] = [response(502, '<html>')]
    desk.at(2, desk.venue.quote, 6400.0, 6400.5)
    seen = inner(desk, 2.1, 2.6)
    desk.run(4)
    assert seen == [6327.0, 6368.5] and desk.venue.most_resting == {'Buy': 6, 'Sell': 6}


def test_an_amend_whose_answer_alone_was_lost_costs_its_order_neither_its_place_nor_the_next_move():
    desk = Desk(RELIST_INTERVAL=0.001, LOOP_INTERVAL=60)
    desk.venue.once['PUT order/bulk'] = [lambda request: desk.venue._amend(request) and response(502, '<html>')]
    desk.at(2, desk.venue.quote, 6400.0, 6400.5)
    desk.at(3, desk.venue.quote, 6420.0, 6420.5)
    seen = inner(desk, 2.1, 3.1)
    desk.run(4)
    assert seen == [6368.5, 6388.5] and len(desk.venue.orders) == 12


def test_while_an_order_may_still_arrive_the_others_follow_the_touch_and_nothing_is_read_in_vain():
    desk = Desk(RELIST_INTERVAL=0.001, LOOP_INTERVAL=60)
    desk.at(2, desk.venue.once.update, {'POST order/bulk': [response(502, '<html>')]})
    desk.at(2, desk.venue.fill, side='Buy')
    for tenths in range(10):
        desk.at(3 + tenths / 10.0, desk.venue.quote, 6380.0 + 10 * tenths, 6380.5 + 10 * tenths)
    seen, before = inner(desk, 4.1), []
    for moment in (2.1, 2.6, 7.9, 8.3):
        desk.at(moment, lambda: before.append((count_readings(desk), len(desk.venue.resting('Buy')))))
    desk.run(9)
    assert seen == [6406.0]                # the second one of the ladder: the first may still arrive
    assert before == [(0, 5), (1, 5), (1, 5), (2, 6)]


def test_where_the_venue_does_not_say_that_all_were_cancelled_nothing_is_created_before_they_were_read():
    desk = Desk(RELIST_INTERVAL=0.001, LOOP_INTERVAL=60)
    desk.venue.once.update({'PUT order/bulk': [response(502, '<html>')], 'DELETE order': [response(200, [])]})
    desk.at(2, desk.venue.quote, 6400.0, 6400.5)
    seen = inner(desk, 2.6, 3.1)
    desk.run(5)
    assert seen == [6327.0, 6368.5] and desk.venue.most_resting == {'Buy': 6, 'Sell': 6}


def in_a_pause(answer):
    """A desk whose replacement of a filled order is answered like that, and whose market then falls."""
    desk = Desk(RELIST_INTERVAL=0.001, LOOP_INTERVAL=60, API_ERROR_INTERVAL=10)
    desk.at(2, desk.venue.once.update, {'POST order/bulk': [answer]})
    desk.at(2, desk.venue.fill, side='Sell')
    desk.at(4, desk.venue.quote, 6290.0, 6290.5)
    return desk


def test_in_the_pause_after_a_refusal_what_has_come_too_near_is_cancelled_and_placed_when_it_is_over():
    desk = in_a_pause(error(400, 'Invalid price tickSize'))
    seen = inner(desk, 3, 4.1, 11.9, 12.1)
    desk.run(13)
    assert seen == [6327.0, 6264.5, 6264.5, 6259.0] and len(sent(desk, 'POST')) == 3


def test_while_the_venue_wants_no_requests_nothing_is_cancelled_either():
    desk = in_a_pause(error(429, 'Rate limit exceeded', **{'Retry-After': '10'}))
    seen = inner(desk, 4.1, 11.9)
    desk.run(13)
    assert seen == [6327.0, 6327.0]


def test_an_amend_that_came_too_late_twice_is_signed_again_soon():
    desk = Desk(RELIST_INTERVAL=0.001, LOOP_INTERVAL=60)
    desk.venue.once['PUT order/bulk'] = [error(400, 'This request has expired - `expires` is in the past.')] * 2
    desk.at(2, desk.venue.quote, 6400.0, 6400.5)
    seen = inner(desk, 2.1, 2.6)
    desk.run(4)
    assert seen == [6327.0, 6368.5]


def unreadable(answer):
    """A desk that must read its orders after a lost amend, and is answered like that for three seconds, while its market falls."""
    desk = Desk(RELIST_INTERVAL=0.001, LOOP_INTERVAL=60, API_ERROR_INTERVAL=10)
    desk.at(2, desk.venue.quote, 6400.0, 6400.5)
    desk.venue.once['PUT order/bulk'] = [lambda request: desk.venue._amend(request) and response(502, '<html>')]
    desk.at(2, lambda: desk.venue.once.update({'GET order': [answer] * 9}))
    desk.at(2.2, desk.venue.quote, 6300.0, 6300.5)
    desk.at(5, desk.venue.once.clear)
    return desk


def test_while_our_orders_cannot_be_read_what_has_come_too_near_is_cancelled_and_nothing_is_placed():
    desk = unreadable(response(502, '<html>'))
    placed, seen = [], inner(desk, 2.1, 4.9)
    desk.at(4.9, lambda: placed.append(len(desk.venue.orders)))
    desk.run(6)
    assert seen == [6368.5, 6274.0] and placed == [12]


def test_a_reading_that_is_shed_is_repeated_soon_and_is_no_reason_for_a_pause():
    desk = unreadable(error(503, 'The system is currently overloaded. Please try again later.'))
    full = []
    desk.at(9, lambda: full.append(len(desk.venue.resting())))
    desk.run(10)
    assert full == [12]


def test_a_refusal_is_not_waited_out_once_the_venue_has_told_that_the_contract_changed():
    desk = Desk(LOOP_INTERVAL=60, API_ERROR_INTERVAL=10)
    desk.venue.once['POST order/bulk'] = [error(400, 'Invalid orderQty')]
    desk.at(1, desk.venue.instrument_row, lotSize=200)
    seen = []
    for moment in (0.9, 1.1):
        desk.at(moment, lambda: seen.append(sorted(row['orderQty'] for row in desk.venue.resting('Buy'))))
    desk.run(2)
    assert seen == [[], [200, 200, 400, 400, 600, 600]]
