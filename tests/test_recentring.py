"""When orders that have drifted are taken back to their place."""
from __future__ import absolute_import, division, print_function

import pytest
from desk import Desk

from market_maker import convergence
from market_maker.journal import NoJournal
from market_maker.recentring import Recentring

RELIST = 0.01
EMPTY = convergence.Plan([], [], [], [], [])
START = (6358.5, 6359.0)


def test_once_in_recentre_s_half_of_relist_interval_counts():
    recentring = Recentring()
    asked = [recentring.interval(EMPTY, RELIST, 300, now) for now in (1000, 1299, 1300, 1301, 1599, 1600)]
    assert asked == [None, None, RELIST / 2, None, None, RELIST / 2]


@pytest.mark.parametrize('busy', [EMPTY._replace(**{part: ['something']}) for part in ('amend', 'create', 'cancel', 'put_off')])
def test_it_waits_for_a_decision_that_would_send_nothing_else(busy):
    recentring = Recentring()
    assert [recentring.interval(plan, RELIST, 300, now) for plan, now in ((EMPTY, 0), (busy, 300), (busy, 400), (EMPTY, 401), (EMPTY, 402))] == [
        None, None, None, RELIST / 2, None]


def test_with_relist_interval_or_recentre_s_0_there_is_nothing_to_do():
    recentring = Recentring()
    assert [recentring.interval(EMPTY, relist, every, now) for relist, every, now in ((RELIST, 300, 0), (0, 300, 999), (RELIST, 0, 999))] == [None] * 3


#
# At the desk
#
def drifted(share, **settings):
    """A desk of which the touch has drifted by a share after a second, in steps that are no jump."""
    desk = Desk(LOOP_INTERVAL=5, **settings)
    for step in range(10):
        price = round(6358.5 * (1 + share * (step + 1) / 10))
        desk.at(1 + 6 * step, desk.venue.quote, price, price + 0.5)
    return desk


class Told(NoJournal):

    def __init__(self):
        self.reasons = []

    def plan(self, reasons):
        self.reasons.extend(reasons.values())


def amended(desk):
    return [body['orders'] for verb, path, body in desk.venue.requests if (verb, path) == ('PUT', 'order/bulk')]


def test_what_has_drifted_by_more_than_half_is_taken_home_in_one_go_and_the_journal_s_reason_says_so():
    told = Told()
    desk = drifted(0.007, journal=told)
    before, after = [], []
    desk.at(295, lambda: before.extend(amended(desk)))
    desk.at(309, lambda: after.extend((desk.venue.ladder('Buy')[0], desk.venue.ladder('Sell')[0])))
    desk.run(310)
    assert before == [] and sum(len(orders) for orders in amended(desk)) == 12
    assert after == [(6371.5, 100), (6435.0, 100)]
    assert len([reason for reason in told.reasons if 'RECENTRE_S 300 s' in reason]) == 12


@pytest.mark.parametrize('share, settings', [(0.004, {}), (0.007, {'RECENTRE_S': 0}), (0.007, {'EVENT_DRIVEN': False})])
def test_little_drift_no_recentre_s_and_the_original_s_polling_leave_orders_where_they_are(share, settings):
    desk = drifted(share, **settings)
    resting = []
    desk.at(699, lambda: resting.extend(desk.venue.resting('Buy')))
    desk.run(700)
    assert amended(desk) == [] and len(resting) == 6


def test_it_leaves_the_request_budget_alone_where_there_is_less_than_twice_of_what_it_takes():
    desk = drifted(0.007)
    desk.at(250, setattr, desk.bitmex.request_budget, 'purse', lambda now: (11, 100))
    desk.at(650, setattr, desk.bitmex.request_budget, 'purse', lambda now: (12, 100))
    spent = []
    desk.at(649, lambda: spent.extend(amended(desk)))
    desk.run(950)
    assert spent == [] and sum(len(orders) for orders in amended(desk)) == 12


def test_its_turn_does_not_pass_while_a_jump_of_the_touch_is_waited_for():
    desk = drifted(0.007, EXCURSION_S=5)
    home, counts = round(6358.5 * 1.007), []
    for moment, price in ((100, home - 40), (101, home), (298, home - 40), (302, home)):
        desk.at(moment, desk.venue.quote, price, price + 0.5)
    for moment in (301.9, 310):
        desk.at(moment, lambda: counts.append(sum(len(orders) for orders in amended(desk))))
    desk.run(320)
    assert counts == [0, 12]
