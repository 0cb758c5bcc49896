"""Orders that are filled as soon as they are placed are not placed again and again."""
from __future__ import absolute_import, division, print_function

from desk import Desk
from test_convergence import buy, resting

from market_maker.convergence import diff
from market_maker.rush import MOST, WINDOW_S, Rush

TOUCH, OTHER = (100.0, 100.5), (101.0, 101.5)


def placing():
    return diff([], [buy(90.0)], [], 0)


def decide(rush, now, touch=TOUCH, plan=None):
    """Seconds that the creates of a decision wait; None when they are sent."""
    plan, wait = rush.hold_back(plan or placing(), touch, now)
    rush.note(plan, now)
    assert bool(plan.create) == (wait is None)
    return wait


def test_around_a_touch_that_stands_still_so_many_decisions_place_orders_and_the_next_waits():
    rush = Rush()
    assert [decide(rush, number) for number in range(MOST)] == [None] * MOST
    assert decide(rush, 4.5) == 0.5 and decide(rush, 4.9) > 0 and rush.is_on
    assert decide(rush, WINDOW_S) is None


def test_a_touch_that_moves_ends_it():
    rush = Rush()
    for _ in range(MOST):
        decide(rush, 0)
    assert decide(rush, 0) is not None
    assert decide(rush, 0, OTHER) is None and not rush.is_on


def test_cancels_and_amends_do_not_wait():
    rush = Rush()
    for _ in range(MOST):
        decide(rush, 0)
    plan = diff(resting([buy(90.0), buy(91.0)]), [buy(92.0)], [], 0)
    assert plan.cancel and plan.amend and rush.hold_back(plan, TOUCH, 0) == (plan, None)


def test_where_the_touch_is_an_old_one_few_orders_are_lost_on_it():
    desk = Desk(LOOP_INTERVAL=60)

    def buy_what_is_offered():
        if desk.venue.resting('Sell'):
            desk.venue.fill(side='Sell')
    for number in range(200):
        desk.at(2 + number / 100.0, buy_what_is_offered)
    lost = []
    desk.at(4.5, lambda: lost.append(len([row for row in desk.venue.orders.values() if row['side'] == 'Sell']) - 6))
    desk.run(5)
    assert lost[0] <= MOST and desk.heard.count('is filled at once') == 1
