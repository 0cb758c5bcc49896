"""Which moves of the touch are waited for instead of followed."""
from __future__ import absolute_import, division, print_function

from desk import Desk

from market_maker import convergence
from market_maker.excursions import MOST_REASONS, Excursions

RELIST, LONGEST = 0.01, 5.0            # an excursion is then a move of more than 0.25 %
BUYS = [{'side': 'Buy', 'price': price, 'orderQty': size} for price, size in ((98.0, 200), (99.0, 100))]
SELLS = [{'side': 'Sell', 'price': price, 'orderQty': size} for price, size in ((102.0, 200), (101.0, 100))]


def row(name, side, price, leaves, filled=0):
    return {'orderID': name, 'side': side, 'price': price, 'leavesQty': leaves, 'cumQty': filled}


def ladder(shift=0.0, without=()):
    rows = [row('b2', 'Buy', 98.0 + shift, 200), row('b1', 'Buy', 99.0 + shift, 100),
            row('s2', 'Sell', 102.0 + shift, 200), row('s1', 'Sell', 101.0 + shift, 100)]
    return [one for one in rows if one['orderID'] not in without]


def looked_at(*looks, **options):
    """Excursions that saw the touch's middle at these moments: (seconds, price), ..."""
    excursions = Excursions()
    for now, middle in looks:
        excursions.note(middle, options.get('relist_interval', RELIST), options.get('longest', LONGEST), now)
    return excursions


def came_back(times=1, start=0.0):
    """Looks at a touch that leaves and returns `times` over, every ten seconds, and then stands."""
    looks = [(start, 100.0)]
    for number in range(times):
        looks += [(start + 10 * number + 6, 99.0), (start + 10 * number + 8, 100.0)]
    return looks


def held(excursions, existing, now, buys=BUYS, sells=SELLS):
    plan = convergence.diff(existing, buys, sells, RELIST)
    return excursions.hold_back(existing, plan, buys + sells, RELIST, now)


def test_the_first_move_is_followed_at_once():
    excursions = looked_at((0, 100.0), (6, 99.0))
    plan, wait = held(excursions, ladder(without=['b1']), 6)
    assert wait is None and len(plan.create) == 1


def test_after_one_excursion_came_back_the_next_is_waited_for_at_most_longest():
    excursions = looked_at(*(came_back() + [(20, 99.0)]))
    plan, wait = held(excursions, ladder(without=['b1']), 20)
    assert wait == LONGEST and plan.create == [] and len(plan.put_off) == 1
    assert held(excursions, ladder(without=['b1']), 23)[1] == 2.0


def test_what_was_put_off_is_due_when_the_touch_is_back():
    excursions = looked_at(*(came_back() + [(20, 99.0), (22, 99.8)]))
    plan, wait = held(excursions, ladder(without=['b1']), 22)
    assert wait is None and len(plan.create) == 1


def test_a_touch_that_stays_away_has_moved_and_is_followed():
    excursions = looked_at(*(came_back() + [(20, 99.0), (25, 99.0)]))
    assert excursions.wait(25) == 0.0
    excursions.note(98.0, RELIST, LONGEST, 40)
    assert excursions.wait(40) == 0.0      # the last excursion did not come back: no reason is left to wait


def test_three_excursions_that_came_back_outweigh_two_that_did_not():
    looks = came_back(MOST_REASONS + 2) + [(60, 99.0), (65, 99.0), (80, 98.0), (85, 98.0), (100, 97.0)]
    assert looked_at(*looks).wait(100) == LONGEST
    looks += [(105, 97.0), (120, 96.0)]
    assert looked_at(*looks).wait(120) == 0.0


def test_a_touch_that_drifts_is_on_no_excursion():
    looks = came_back() + [(20 + second, 100.0 * 1.0004 ** second) for second in range(100)]
    for count in range(4, len(looks)):
        assert looked_at(*looks[:count]).wait(looks[count - 1][0]) == 0.0


def test_with_relist_interval_or_excursion_s_0_every_move_is_followed_at_once():
    for options in ({'relist_interval': 0}, {'longest': 0}):
        assert looked_at(*(came_back(3) + [(40, 99.0)]), **options).wait(40) == 0.0


def waiting():
    return looked_at(*(came_back() + [(20, 99.0)]))


def test_what_moves_after_the_touch_waits():
    plan, wait = held(waiting(), [row('b2', 'Buy', 96.0, 200), row('b1', 'Buy', 97.0, 100)] + ladder()[2:], 20)
    assert plan.amend == [] and len(plan.put_off) == 2 and wait


def test_what_moves_away_waits_where_it_stands_no_nearer_to_the_other_side_than_an_innermost_order_may():
    plan, wait = held(waiting(), [row('b2', 'Buy', 99.2, 200), row('b1', 'Buy', 99.0, 100)] + ladder()[2:], 20)
    assert plan.amend == [] and len(plan.put_off) == 1 and wait


def test_an_order_nearer_to_the_other_side_than_relist_interval_beyond_our_innermost_moves_at_once():
    existing = [row('b2', 'Buy', 98.0, 200), row('b1', 'Buy', 100.5, 100)] + ladder()[2:]
    plan, wait = held(waiting(), existing, 20)
    assert [amend.order['orderID'] for amend in plan.amend] == ['b1'] and wait is None


def test_what_is_too_much_on_its_side_shrinks_at_once_and_a_mere_exchange_of_sizes_waits():
    existing = [row('b2', 'Buy', 98.0, 500), row('b1', 'Buy', 99.0, 100)] + ladder()[2:]
    assert [amend.quantity for amend in held(waiting(), existing, 20)[0].amend] == [200]
    existing = [row('b2', 'Buy', 98.0, 100), row('b1', 'Buy', 99.0, 200)] + ladder()[2:]
    plan, wait = held(waiting(), existing, 20)
    assert plan.amend == [] and wait


def test_cancels_never_wait():
    existing = ladder() + [row('b3', 'Buy', 97.0, 300)]
    plan, _ = held(waiting(), existing, 20)
    assert [one['orderID'] for one in plan.cancel] == ['b3']


def test_where_nothing_of_ours_rests_the_ladder_is_placed_at_once():
    plan, wait = held(waiting(), [], 20)
    assert len(plan.create) == 4 and wait is None


#
# At the desk
#
def jump(desk, moment, share, back=None):
    desk.at(moment, desk.venue.quote, round(6358.5 * (1 + share)), round(6358.5 * (1 + share)) + 0.5)
    if back is not None:
        desk.at(back, desk.venue.quote, 6358.5, 6359.0)


def test_orders_that_a_sweep_filled_are_replaced_in_one_request_when_the_touch_is_back():
    desk = Desk(LOOP_INTERVAL=60)
    jump(desk, 2, -0.004, back=4)          # the first one teaches
    jump(desk, 20, -0.009, back=22.5)
    desk.at(20.1, desk.venue.fill, side='Buy')
    desk.at(20.2, desk.venue.fill, side='Buy')
    seen = []
    for moment in (22, 22.6):
        desk.at(moment, lambda: seen.append(desk.venue.ladder('Buy')[:2]))
    desk.run(25)
    assert [len(rows[1]['orders']) for rows in [(verb, body) for verb, path, body in desk.venue.requests if verb == 'POST']] == [12, 2]
    assert seen == [[(6264.5, 300), (6233.0, 400)], [(6327.0, 100), (6295.5, 200)]]


def test_orders_that_a_fall_filled_are_replaced_excursion_s_after_it_began():
    desk = Desk(LOOP_INTERVAL=60, EXCURSION_S=3)
    jump(desk, 2, -0.004, back=4)
    jump(desk, 20, -0.009)
    desk.at(20.5, desk.venue.fill, side='Buy')
    seen = []
    for moment in (22.9, 23.2):
        desk.at(moment, lambda: seen.append(len(desk.venue.resting('Buy'))))
    desk.run(25)
    assert seen == [5, 6]


def test_what_an_error_left_undone_is_done_at_once_however_much_the_touch_has_jumped():
    looks = came_back() + [(20, 99.0)]
    excursions = looked_at(*looks)
    excursions.forget()
    excursions.note(98.0, RELIST, LONGEST, 20.5)
    plan, wait = held(excursions, ladder(without=['b1']), 20.5)
    assert wait is None and len(plan.create) == 1
    excursions.note(97.0, RELIST, LONGEST, 21)
    assert held(excursions, ladder(without=['b1']), 21)[1] == LONGEST   # the reasons are remembered
