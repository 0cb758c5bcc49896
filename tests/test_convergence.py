"""From what rests and what is wanted to what is sent."""
from __future__ import absolute_import, division, print_function

import random

from market_maker.convergence import Amend, Limits, diff, needs_amend, trim


def buy(price, quantity=100):
    return {'side': 'Buy', 'price': price, 'orderQty': quantity}


def sell(price, quantity=100):
    return {'side': 'Sell', 'price': price, 'orderQty': quantity}


def resting(orders, cum=0):
    return [dict(order, orderID='%s@%s' % (order['side'], order['price']), leavesQty=order['orderQty'], cumQty=cum) for order in orders]


def test_nothing_resting_means_creating_the_ladder_as_it_was_given():
    buys, sells = [buy(98.0), buy(99.0)], [sell(102.0), sell(101.0)]
    plan = diff([], buys, sells, 0.01)
    assert plan.create == buys + sells and plan.amend == [] and plan.cancel == []


def test_a_filled_inner_order_costs_one_new_order_and_no_amend():
    ladder = [buy(97.0), buy(98.0), buy(99.0)]
    plan = diff(resting(ladder[:2]), ladder, [], 0.01)
    assert plan.create == [buy(99.0)] and plan.amend == []


def test_a_trimmed_ladder_costs_one_cancel_of_the_outermost_and_no_amend():
    ladder = [buy(97.0, 300), buy(98.0, 200), buy(99.0, 100)]
    plan = diff(resting(ladder), ladder[1:], [], 0.01)
    assert [row['price'] for row in plan.cancel] == [97.0] and plan.amend == []


def test_a_ladder_that_grows_again_gets_its_outermost_back_without_amends():
    ladder = [sell(103.0, 300), sell(102.0, 200), sell(101.0, 100)]
    plan = diff(resting(ladder[1:]), [], ladder, 0.01)
    assert plan.create == [ladder[0]] and plan.amend == []


def test_orders_within_relist_interval_stay_with_their_level_even_when_a_newer_inner_one_stands_further_out():
    rows = resting([buy(6297.0, 200), buy(6275.0, 100)])  # the market fell, the inner order was filled and placed anew
    assert diff(rows, [buy(6287.5, 200), buy(6318.5, 100)], [], 0.01) == ([], [], [], [], [], {})


def test_orders_that_were_placed_one_by_one_in_any_order_stay_when_a_newer_inner_one_stands_further_out():
    rows = resting([sell(101.5, 200), sell(102.0, 300), sell(103.0, 500), sell(102.5, 400), sell(101.6, 100)])
    wanted = [sell(103.1, 500), sell(102.6, 400), sell(102.1, 300), sell(101.9, 200), sell(101.6, 100)]
    plan = diff(rows, [], wanted, 0.01)
    assert plan.amend == [] and plan.create == [] and plan.cancel == []


def test_what_fits_stays_and_of_the_rest_the_outermost_is_cancelled_or_the_innermost_created():
    rows = resting([buy(97.0, 300), buy(96.0, 300), buy(98.0, 200)])
    plan = diff(rows, [buy(97.0, 200), buy(98.0, 100)], [], 0.02)
    assert len(plan.cancel) == 1 and len(plan.amend) == 1 and plan.create == []
    plan = diff(resting([buy(98.0, 200)]), [buy(96.0, 300), buy(97.0, 200), buy(98.0, 100)], [], 0.02)
    assert plan.amend == [] and [order['orderQty'] for order in plan.create] == [300, 100]


def test_of_equal_orders_the_outermost_is_cancelled():
    plan = diff(resting([buy(99.0), buy(99.25), buy(99.5)]), [buy(99.25), buy(99.5)], [], 0.01)
    assert [row['price'] for row in plan.cancel] == [99.0] and plan.amend == []


def test_resting_orders_are_matched_by_price_whatever_order_they_come_in():
    ladder = [buy(97.0, 300), buy(98.0, 200), buy(99.0, 100)]
    plan = diff(resting(ladder)[::-1], ladder, [], 0.01)
    assert plan == ([], [], [], [], [], {})


def test_an_order_is_left_alone_while_its_price_is_within_relist_interval():
    row = resting([buy(100.0)])[0]
    assert not needs_amend(row, buy(100.5), 0.01)
    assert needs_amend(row, buy(101.5), 0.01)
    assert needs_amend(row, buy(100.0, 99), 0.01)
    assert needs_amend(row, buy(100.5), 0)
    assert not needs_amend(row, buy(100.0), 0)


def test_an_amend_asks_for_what_is_filled_plus_the_size_wanted():
    row = dict(resting([buy(100.0, 100)], cum=40)[0], leavesQty=60)
    plan = diff([row], [buy(100.0, 100)], [], 0.01)
    assert plan.amend[0].request == {'orderID': 'Buy@100.0', 'orderQty': 140, 'price': 100.0, 'side': 'Buy'}


def test_surplus_orders_are_cancelled():
    plan = diff(resting([buy(98.0), buy(99.0)]), [], [], 0.01)
    assert [row['price'] for row in plan.cancel] == [98.0, 99.0]


def test_when_both_sides_jump_up_the_sells_go_first_and_the_buys_follow_in_a_second_request():
    plan = diff(resting([buy(99.0), sell(101.0)]), [buy(104.0)], [sell(106.0)], 0)
    assert [[(amend.order['side'], amend.price) for amend in batch] for batch in plan.batches] == [[('Sell', 106.0)], [('Buy', 104.0)]]


def test_when_both_sides_jump_down_the_buys_go_first():
    plan = diff(resting([buy(99.0), sell(101.0)]), [buy(94.0)], [sell(96.0)], 0)
    assert [[amend.order['side'] for amend in batch] for batch in plan.batches] == [['Buy'], ['Sell']]


def test_a_move_that_does_not_reach_our_own_other_side_goes_in_one_request_the_retreat_first():
    plan = diff(resting([buy(99.0), sell(110.0)]), [buy(100.0)], [sell(111.0)], 0)
    assert [[amend.order['side'] for amend in batch] for batch in plan.batches] == [['Sell', 'Buy']]


def test_what_would_trade_with_an_own_order_that_stays_is_held_back():
    rows = resting([buy(99.0), sell(101.0)])
    amend = diff(rows, [buy(101.0)], [sell(101.0)], 0)
    assert amend.amend == [] and [put_off.price for put_off in amend.put_off] == [101.0]
    create = diff(rows[1:], [buy(102.0)], [sell(101.0)], 0)
    assert create.create == [] and create.put_off == [buy(102.0)]
    locked = diff([dict(rows[0], orderID='')], [buy(99.0)], [sell(98.0)], 0)
    assert locked.create == [] and locked.put_off == [sell(98.0)]


def test_a_create_may_stand_where_an_own_order_stood_until_it_was_amended_or_cancelled():
    moved = diff(resting([sell(101.0)]), [buy(101.0)], [sell(105.0)], 0)
    assert moved.create == [buy(101.0)]
    gone = diff(resting([sell(101.0)]), [buy(101.0)], [], 0)
    assert gone.create == [buy(101.0)] and len(gone.cancel) == 1


def test_an_order_of_unknown_outcome_takes_its_place_and_is_left_alone():
    unknown = dict(resting([buy(99.0)])[0], orderID='')
    plan = diff([unknown], [buy(98.0), buy(99.0)], [], 0)
    assert len(plan.create) == 1 and plan.amend == [] and plan.cancel == []
    assert diff([unknown], [], [], 0).cancel == []
    in_flight = dict(resting([buy(99.0)])[0], inFlight=True)
    assert diff([in_flight], [buy(95.0)], [], 0) == ([], [], [], [], [], {})


def in_doubt(order):
    return dict(resting([order])[0], inFlight=True, inDoubt=True)


def test_an_order_of_which_an_amend_may_still_arrive_is_cancelled_and_made_anew_where_it_is_in_the_wrong_place():
    plan = diff([in_doubt(buy(99.0))], [buy(94.0), buy(95.0)], [], 0.01)
    assert [row['price'] for row in plan.cancel] == [99.0] and plan.create == [buy(94.0), buy(95.0)] and plan.amend == []
    assert 'no answer to its last amend' in plan.reasons['Buy@99.0']
    near = diff([in_doubt(buy(99.0))], [buy(98.5)], [], 0.01)
    assert (near.cancel, near.amend, near.create) == ([], [], [])
    assert len(diff([in_doubt(buy(99.0))], [], [], 0.01).cancel) == 1


def test_what_replaces_an_order_in_doubt_stays_within_the_limits_whatever_the_amend_does():
    plan = diff([in_doubt(buy(99.0))], [buy(95.0)], [], 0.01, Limits(0, -300, 300, 300, 0))
    assert len(plan.cancel) == 1 and plan.create == []   # the amend asked for 300


def test_orders_without_a_price_are_none_of_our_ladder():
    stop = {'side': 'Buy', 'price': None, 'orderID': 'stop', 'leavesQty': 5, 'cumQty': 0}
    plan = diff([stop], [buy(99.0)], [], 0)
    assert plan.create == [buy(99.0)] and plan.cancel == []


def test_the_ladder_is_trimmed_from_its_outermost_level():
    ladder = [buy(97.0, 300), buy(98.0, 200), buy(99.0, 100)]
    assert trim(ladder, 600) == ladder
    assert trim(ladder, 450) == [buy(97.0, 150), buy(98.0, 200), buy(99.0, 100)]
    assert trim(ladder, 450, lot=100) == [buy(97.0, 100), buy(98.0, 200), buy(99.0, 100)]
    assert trim(ladder, 300) == ladder[1:]
    assert trim(ladder, 50) == [buy(99.0, 50)]
    assert trim(ladder, -1) == []


def test_within_limits_each_side_gets_the_room_that_the_position_leaves():
    buys, sells = [buy(98.0, 200), buy(99.0, 100)], [sell(102.0, 200), sell(101.0, 100)]
    plan = diff([], buys, sells, 0, Limits(150, -300, 300, 0, 0))
    assert plan.create == [buy(98.0, 50), buy(99.0, 100), sell(102.0, 200), sell(101.0, 100)]


def test_at_the_limit_a_side_is_taken_off_the_book():
    plan = diff(resting([buy(99.0)]), [buy(99.0)], [], 0, Limits(300, -300, 300, 100, 0))
    assert [row['price'] for row in plan.cancel] == [99.0] and plan.create == []


def test_what_the_rows_do_not_show_takes_its_room():
    plan = diff([], [buy(99.0)], [sell(101.0)], 0, Limits(0, -100, 100, 100, 50))
    assert plan.create == [sell(101.0, 50)]
    assert diff(resting([buy(99.0)]), [buy(98.0), buy(99.0)], [], 0, Limits(0, -200, 200, 150, 0)).create == [buy(98.0, 50)]


def test_a_new_order_waits_until_a_shrinking_one_has_made_room_for_it():
    plan = diff(resting([buy(98.0, 200)]), [buy(98.0, 100), buy(99.0, 100)], [], 0, Limits(0, -200, 200, 200, 0))
    assert [amend.quantity for amend in plan.amend] == [100]
    assert plan.create == [] and plan.put_off == [buy(99.0, 100)]


def test_while_an_order_grows_and_another_shrinks_the_larger_sizes_count():
    rows = resting([buy(98.0, 100), buy(99.0, 200)])
    plan = diff(rows, [buy(98.0, 200), buy(99.0, 100)], [], 0, Limits(0, -300, 300, 300, 0))
    assert [amend.request['orderQty'] for amend in plan.amend] == [100]  # the one that shrinks
    assert [amend.quantity for amend in plan.put_off] == [200]


def test_a_price_moves_even_while_its_size_must_wait():
    rows = resting([buy(98.0, 100), buy(99.0, 200)])
    plan = diff(rows, [buy(97.0, 200), buy(98.5, 100)], [], 0, Limits(0, -300, 300, 300, 0))
    assert [(amend.price, amend.quantity) for amend in plan.amend] == [(97.0, 100), (98.5, 100)]


def test_a_reduction_is_sent_even_when_we_are_beyond_the_limit():
    plan = diff(resting([buy(99.0, 200)]), [buy(98.0, 50)], [], 0, Limits(250, -300, 300, 200, 0))
    assert [amend.quantity for amend in plan.amend] == [50]


def test_an_amend_that_keeps_its_price_does_not_advance():
    row = resting([sell(101.0)])[0]
    assert not Amend(row, 101.0, 50).advances and Amend(row, 100.5, 50).advances and not Amend(row, 102.0, 50).advances


def test_whatever_fills_first_the_position_stays_within_its_limits_and_nothing_trades_with_itself():
    chance = random.Random(3)
    for _ in range(300):
        position = chance.randint(-300, 300)
        rows = resting([buy(float(price), chance.randint(1, 3) * 50) for price in chance.sample(range(80, 100), 3)]
                       + [sell(float(price), chance.randint(1, 3) * 50) for price in chance.sample(range(101, 120), 3)])
        rows = [row for row in rows if chance.random() < 0.7]
        worst = dict((side, sum(row['leavesQty'] for row in rows if row['side'] == side)) for side in ('Buy', 'Sell'))
        limits = Limits(position, -300, 300, worst['Buy'], worst['Sell'])
        mid = chance.randint(85, 115)
        buys = [buy(float(mid - level), chance.randint(1, 3) * 50) for level in (6, 4, 2)]
        sells = [sell(float(mid + level), chance.randint(1, 3) * 50) for level in (6, 4, 2)]
        plan = diff(rows, buys, sells, 0, limits)
        cancelled = [row['orderID'] for row in plan.cancel]
        left = dict((row['orderID'], row) for row in rows if row['orderID'] not in cancelled)
        most = dict((name, row['leavesQty']) for name, row in left.items())
        for amend in plan.amend:
            most[amend.order['orderID']] = max(most[amend.order['orderID']], amend.quantity)
        for number, order in enumerate(plan.create):
            most['new%d' % number] = order['orderQty']
        sides = dict((name, row['side']) for name, row in left.items())
        sides.update(('new%d' % number, order['side']) for number, order in enumerate(plan.create))
        could_buy = sum(most[name] for name in sides if sides[name] == 'Buy')
        could_sell = sum(most[name] for name in sides if sides[name] == 'Sell')
        rest_buy = sum(row['leavesQty'] for row in left.values() if row['side'] == 'Buy')
        rest_sell = sum(row['leavesQty'] for row in left.values() if row['side'] == 'Sell')
        assert position + could_buy <= max(300, position + rest_buy)
        assert position - could_sell >= min(-300, position - rest_sell)
        assert max(list(sides.values()).count(side) for side in ('Buy', 'Sell')) <= 3
        book = dict((name, (row['side'], row['price'])) for name, row in left.items())
        for step, (name, side, price) in enumerate([(a.order['orderID'], a.order['side'], a.price) for a in plan.amend] + [
                ('new%d' % number, order['side'], order['price']) for number, order in enumerate(plan.create)]):
            book[name] = (side, price)
            highest = max([p for s, p in book.values() if s == 'Buy'] or [0])
            lowest = min([p for s, p in book.values() if s == 'Sell'] or [1e9])
            assert highest < lowest, step
