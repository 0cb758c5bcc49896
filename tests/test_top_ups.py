"""When an order that was filled in part is filled up again."""
from __future__ import absolute_import, division, print_function

from market_maker import convergence
from market_maker.top_ups import TopUps


def row(name, side, price, leaves, filled=0):
    return {'orderID': name, 'side': side, 'price': price, 'leavesQty': leaves, 'cumQty': filled}


def wanted(side, price, size):
    return {'side': side, 'price': price, 'orderQty': size}


def plan_of(existing, buys, sells, relist=0.01):
    return convergence.diff(existing, buys, sells, relist)


def test_an_order_that_only_lacks_contracts_waits_from_when_that_was_first_seen():
    top_ups, existing = TopUps(), [row('a', 'Buy', 100.0, 60, 40)]
    plan = plan_of(existing, [wanted('Buy', 100.0, 100)], [])
    assert top_ups.hold_back(existing, plan, 0.01, 1, 5.0)[1] == 1.0
    held, wait = top_ups.hold_back(existing, plan, 0.01, 1, 5.5)
    assert held.amend == held.batches == [] and wait == 0.5 and len(held.put_off) == 1
    assert top_ups.hold_back(existing, plan, 0.01, 1, 6.0) == (plan, None)


def test_an_order_that_has_to_move_or_to_shrink_does_not_wait():
    existing = [row('a', 'Buy', 100.0, 60, 40), row('b', 'Sell', 110.0, 200)]
    plan = plan_of(existing, [wanted('Buy', 90.0, 100)], [wanted('Sell', 110.0, 100)])
    assert TopUps().hold_back(existing, plan, 0.01, 1, 5.0) == (plan, None)
    assert len(plan.amend) == 2


def test_a_shortage_that_is_over_is_forgotten():
    top_ups, existing = TopUps(), [row('a', 'Buy', 100.0, 60, 40)]
    short, fine = plan_of(existing, [wanted('Buy', 100.0, 100)], []), plan_of(existing, [wanted('Buy', 100.0, 60)], [])
    top_ups.hold_back(existing, short, 0.01, 1, 5.0)
    top_ups.hold_back(existing, fine, 0.01, 1, 5.5)
    assert top_ups.hold_back(existing, short, 0.01, 1, 7.0)[1] == 1.0


def test_what_would_meet_an_order_that_stays_where_it_is_is_put_off():
    existing = [row('a', 'Buy', 100.0, 60, 40), row('b', 'Sell', 101.0, 100)]
    plan = plan_of(existing, [wanted('Buy', 99.5, 100)], [wanted('Sell', 99.9, 100)])
    held, _ = TopUps().hold_back(existing, plan, 0.01, 1, 5.0)
    assert held.amend == [] and len(held.put_off) == 2
