"""The stops, and a ladder that the margin does not pay for."""
from __future__ import absolute_import, division, print_function

import json

import pytest
from desk import GOLDEN_INSTRUMENT, Desk
from fakes import response

from market_maker import contracts, margin_scale
from market_maker.stops import Stops
from market_maker.utils import compat

START = 135739200


def test_a_loss_is_reached_from_the_start_and_a_drawdown_from_the_peak():
    stops = Stops(1000)
    assert stops.exceeded(901, 0, 100) is None and stops.exceeded(900, 0, 100) == 'MAX_LOSS'
    stops.note(2000)
    assert stops.exceeded(1801, 10, 0) is None and stops.exceeded(1800, 10, 0) == 'MAX_DRAWDOWN'
    assert stops.exceeded(0, 0, 0) is None and Stops(0).exceeded(-5, 10, 0) is None


def test_a_deposit_makes_no_peak_and_a_withdrawal_no_loss():
    stops = Stops(1000)
    stops.note(5000)
    stops.settle(5000, 4000)
    assert stops.peak == 1000 and stops.exceeded(5000, 10, 100) is None
    stops.settle(500, -500)
    assert stops.exceeded(500, 10, 100) is None
    stops.note(700)
    stops.settle(600, -500)
    assert stops.peak == 1200


def market_orders(desk):
    """Let the toy venue fill market orders at once."""
    usual = desk.venue._create_one

    def create(request):
        order = json.loads(compat.to_text(request.body))
        if order.get('ordType') != 'Market':
            return usual(request)
        assert order['execInst'] == 'ReduceOnly'
        closed.append(order['orderQty'])
        desk.venue.position += order['orderQty'] if order['side'] == 'Buy' else -order['orderQty']
        desk.venue.feed.table('position', 'insert', desk.venue.position_row())
        return response(200, dict(order, orderID='m-%d' % len(closed), cumQty=order['orderQty'], leavesQty=0, ordStatus='Filled'))
    closed = []
    desk.venue.script['POST order'] = create
    return closed


def lose(desk, units):
    desk.venue.balance -= units
    desk.venue.feed.table('margin', 'update', desk.venue.margin_row())


def stopped_desk(**values):
    desk = Desk(LOOP_INTERVAL=60, **values)
    closed = market_orders(desk)
    desk.at(2, desk.venue.fill, side='Buy')
    desk.at(3, lose, desk, 2000000)
    return desk, closed


@pytest.mark.parametrize('name, value', [('MAX_LOSS', 0.02), ('MAX_DRAWDOWN', 1.4)])
def test_when_a_stop_is_reached_everything_is_cancelled_and_closed_at_once_and_stays_so(name, value):
    desk, closed = stopped_desk(**{name: value})
    seen = []
    for moment in (3.1, 200):
        desk.at(moment, lambda: seen.append((len(desk.venue.resting()), desk.venue.position)))
    desk.run(201)
    assert seen == [(0, 0), (0, 0)] and closed == [100]
    assert desk.heard.count('Waiting: %s is reached' % name) == 1


def test_a_changed_setting_arms_it_anew():
    desk, _ = stopped_desk(MAX_LOSS=0.02)
    desk.at(4, lambda: setattr(desk.settings, 'MAX_LOSS', 0.03))
    seen = []
    desk.at(63.5, lambda: seen.append(len(desk.venue.resting())))
    desk.at(64, lose, desk, 2000000)
    desk.at(64.5, lambda: seen.append(len(desk.venue.resting())))
    desk.run(66)
    assert seen == [12, 12]  # counted from where the setting was changed, not from the start


def test_a_withdrawal_stops_nothing():
    desk = Desk(MAX_LOSS=0.01, MAX_DRAWDOWN=1)
    desk.at(3, lambda: (setattr(desk.venue, 'deposited', -5000000), lose(desk, 5000000)))
    seen = []
    desk.at(4, lambda: seen.append(len(desk.venue.resting())))
    desk.run(5)
    assert seen == [12]


def test_without_limits_nothing_stops():
    desk = Desk()
    desk.at(2, lose, desk, START - 1)
    seen = []
    desk.at(4, lambda: seen.append(len(desk.venue.resting())))
    desk.run(5)
    assert seen == [12]


#
# Margin
#
LADDER = [(300, 6200.0), (200, 6250.0), (100, 6300.0)]


def need(orders):
    return contracts.order_margin(GOLDEN_INSTRUMENT, orders, [])


def test_the_outermost_levels_go_first():
    for count in (3, 2, 1):
        assert margin_scale.levels(GOLDEN_INSTRUMENT, LADDER, [], 0, need(LADDER[3 - count:])) == count
    assert margin_scale.levels(GOLDEN_INSTRUMENT, LADDER, [], 0, 0) == 0
    assert margin_scale.innermost(LADDER, 0) == [] and margin_scale.innermost(LADDER, 5) == LADDER


def test_what_was_given_up_comes_back_with_a_tenth_to_spare():
    just = need(LADDER)
    assert margin_scale.levels(GOLDEN_INSTRUMENT, LADDER, [], 0, just, 2) == 2
    assert margin_scale.levels(GOLDEN_INSTRUMENT, LADDER, [], 0, just * 1.12, 2) == 3


def test_a_ladder_that_the_margin_does_not_pay_for_is_scaled_and_that_is_said_once():
    desk = Desk()

    def margin(units):
        desk.venue.feed.table('margin', 'update', dict(desk.venue.margin_row(), availableMargin=units))
    margin(150000)
    seen = []
    for moment in (1, 29):
        desk.at(moment, lambda: seen.append((len(desk.venue.ladder('Buy')), len(desk.venue.ladder('Sell')))))
    desk.at(10, margin, 100000)
    desk.at(20, margin, 100000000)
    desk.run(30)
    assert 0 < seen[0][0] == seen[0][1] < 6 and seen[1] == (6, 6)
    assert desk.heard.count('The margin pays for') == 2


def test_without_margin_for_a_single_pair_nothing_is_quoted_and_that_is_said_once_and_its_end_too():
    desk, seen = Desk(), []

    def margin(units):
        desk.venue.feed.table('margin', 'update', dict(desk.venue.margin_row(), availableMargin=units, marginBalance=units))
    margin(10)
    for moment, units in ((10, 11), (20, 100000)):
        desk.at(moment, lambda: seen.append(len(desk.venue.resting())))
        desk.at(moment, margin, units)
    desk.at(29, lambda: seen.append(len(desk.venue.resting())))
    desk.run(30)
    assert seen[:2] == [0, 0] and 0 < seen[2] < 12
    assert desk.heard.count('not pay for a single pair') == 1 and desk.heard.count('The margin pays for') == 1
