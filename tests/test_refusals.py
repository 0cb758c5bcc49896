"""Post-only orders that the venue ended at once, and waiting states."""
from __future__ import absolute_import, division, print_function

from test_convergence import buy, resting, sell

from market_maker import waiting
from market_maker.convergence import diff
from market_maker.refusals import Refusals
from market_maker.utils import errors

POST_ONLY = 'Canceled: Order had execInst of ParticipateDoNotInitiate\nSubmitted via API.'


def answer(order, status='New', **more):
    return dict(order, ordStatus=status, **more)


def test_a_refused_post_only_order_is_priced_a_tick_further_on_our_own_side_next_time():
    refusals = Refusals(5)
    refused = refusals.note([answer(buy(100.0), 'Canceled', text=POST_ONLY), answer(sell(101.0), 'Canceled', text=POST_ONLY)], 0.5, 0.0)
    assert len(refused) == 2 and refusals.count == 2
    assert refusals.adjust([buy(98.0), buy(100.5), sell(100.5)]) == [buy(98.0), buy(99.5), sell(101.5)]


def test_an_order_that_rests_ends_it():
    refusals = Refusals(5)
    refusals.note([answer(buy(100.0), 'Canceled', text=POST_ONLY)], 0.5, 0.0)
    refusals.note([answer(sell(101.0))], 0.5, 0.0)
    assert refusals.adjust([buy(100.0)]) == [buy(99.5)]
    refusals.note([answer(buy(99.5))], 0.5, 0.0)
    assert refusals.adjust([buy(100.0)]) == [buy(100.0)]


def test_an_order_rejected_for_another_reason_is_not_priced_away():
    refusals = Refusals(5)
    refusals.note([answer(buy(100.0), 'Rejected', text='no')], 0.5, 0.0)
    assert refusals.adjust([buy(100.0)]) == [buy(100.0)]


def test_an_order_that_was_filled_at_once_is_not_refused():
    assert Refusals(5).note([answer(buy(100.0), 'Canceled', cumQty=5)], 0.5, 0.0) == []


def test_the_first_refusal_is_tried_again_at_once_and_further_ones_later_and_later():
    refusals = Refusals(5)
    rows = [answer(buy(100.0), 'Canceled', text=POST_ONLY)]
    plan = diff(resting([buy(90.0), sell(110.0)]), [buy(90.0), buy(91.0)], [sell(109.0), sell(105.0)], 0)
    refusals.note(rows, 0.5, 0.0)
    assert refusals.hold_back(plan, 0.0) is plan
    refusals.note(rows, 0.5, 10.0)
    held = refusals.hold_back(plan, 14.9)
    assert [order['side'] for order in held.create] == ['Sell'] and len(held.amend) == 1
    assert refusals.hold_back(plan, 15.0) is plan
    refusals.note(rows, 0.5, 20.0)
    assert refusals.hold_back(plan, 34.9) is not plan and refusals.hold_back(plan, 35.0) is plan
    for _ in range(20):
        refusals.note(rows, 0.5, 100.0)
    assert refusals.hold_back(plan, 159.9) is not plan and refusals.hold_back(plan, 160.0) is plan


def test_a_waiting_side_may_still_move_away_from_the_touch():
    refusals = Refusals(5)
    rows = [answer(buy(100.0), 'Canceled', text=POST_ONLY)]
    refusals.note(rows, 0.5, 0.0)
    refusals.note(rows, 0.5, 0.0)
    assert refusals.hold_back(diff(resting([buy(90.0)]), [buy(91.0)], [], 0), 1.0).batches == []
    assert len(refusals.hold_back(diff(resting([buy(90.0)]), [buy(89.0)], [], 0), 1.0).amend) == 1


def test_a_reason_to_wait_is_said_once_and_its_end_once():
    state = waiting.Waiting()
    assert not state and state.end(0.0) is None
    assert state.begin(errors.MarketEmptyError('no bid'), 10.0) == 'Waiting: no bid'
    assert state.begin(errors.MarketEmptyError('no bid'), 11.0) is None
    assert state.begin(errors.MarketEmptyError('no ask'), 12.0) == 'Waiting: no ask'
    assert state and state.end(15.2) == 'Resumed after 5 s.'
    assert state.end(16.0) is None


def test_reasons_that_differ_in_figures_alone_are_said_once():
    state = waiting.Waiting()
    state.begin(errors.InsufficientFunds('7 XBt required'), 0.0)
    assert state.begin(errors.InsufficientFunds('9 XBt required'), 1.0) is None
    assert state.begin(errors.StaleData('not connected'), 2.0) == 'Waiting: not connected'
    assert state.begin(errors.StaleData('16 s old'), 3.0) is None


def test_the_age_of_the_picture_grows_while_there_is_none():
    freshness = waiting.Freshness(100.0)
    freshness.note(2.0, 110.0)
    freshness.note(float('inf'), 115.0)
    assert freshness.age(118.0) == 10.0


def test_what_comes_late_makes_the_picture_older_than_was_thought():
    freshness = waiting.Freshness(100.0)
    freshness.note(0.0, 115.0)
    freshness.note(20.0, 116.0)
    assert freshness.age(116.0) == 20.0
    freshness.note(0.0, 117.0)
    assert freshness.age(117.0) == 0.0


def test_after_a_race_we_look_again_at_once_but_not_for_ever():
    pace = waiting.Pace()
    assert [pace.retick() for _ in range(4)] == [0.5, 0.5, 0.5, None]
    pace.went_well()
    assert pace.retick() == 0.5
    pace.pause(10.0, 5.0)
    pace.pause(10.0, 1.0)
    assert pace.not_before == 15.0
