"""One truth about our orders: any order of arrival, late, doubled or missing."""
from __future__ import absolute_import, division, print_function

import itertools

import pytest

from market_maker.own_orders import DONE, DONE_KEPT, LIVE, PENDING_AMEND, PENDING_CANCEL, PENDING_NEW, UNKNOWN, OwnOrders

A, B = 'mm_bitmex_a', 'mm_bitmex_b'


def row(cl=A, order_id='1', status='New', qty=100, cum=0, price=10.0, at=1, side='Buy', **more):
    leaves = 0 if status in ('Filled', 'Canceled') else qty - cum
    return dict({'orderID': order_id, 'clOrdID': cl, 'symbol': 'XBTUSD', 'side': side, 'orderQty': qty, 'cumQty': cum,
                 'leavesQty': leaves, 'price': price, 'ordStatus': status, 'timestamp': '2026-01-01T00:00:00.%03dZ' % at}, **more)


@pytest.fixture
def fills():
    return []


@pytest.fixture
def orders(fills):
    return OwnOrders('mm_bitmex_', 'XBTUSD', on_fill=lambda row, quantity: fills.append((row['clOrdID'], quantity)))


def send(orders, cl=A, qty=100, side='Buy'):
    orders.sending_new({'clOrdID': cl, 'side': side, 'orderQty': qty, 'price': 10.0})


def test_an_order_counts_from_the_moment_it_is_sent(orders):
    send(orders)
    assert orders.state_of(A) == PENDING_NEW
    assert orders.worst_case() == (100, 0)
    assert orders.open_orders()[0]['inFlight'] and orders.open_orders()[0]['orderID'] == ''


@pytest.mark.parametrize('sequence', list(itertools.permutations([
    row(at=1), row(at=2, status='PartiallyFilled', cum=40), row(at=3, status='PartiallyFilled', cum=40, price=11.0)])))
def test_the_same_facts_in_any_order_give_the_same_truth(orders, fills, sequence):
    send(orders)
    for fact in sequence:
        orders.merge([fact])
        orders.merge([fact])
    truth, = orders.open_orders()
    assert (truth['price'], truth['cumQty'], truth['leavesQty'], truth['ordStatus']) == (11.0, 40, 60, 'PartiallyFilled')
    assert fills == [(A, 40)]
    assert orders.state_of(A) == LIVE


def test_done_is_final_whatever_comes_late(orders, fills):
    send(orders)
    orders.merge([row(at=1), row(at=5, status='Filled', cum=100), row(at=2, status='PartiallyFilled', cum=20)])
    assert orders.open_orders() == [] and orders.state_of(A) == DONE
    assert fills == [(A, 100)]


def test_a_late_row_does_not_bring_a_cancelled_order_back(orders, fills):
    send(orders)
    orders.merge([row(at=1), row(at=5, status='Canceled', cum=20), row(at=2, status='PartiallyFilled', cum=20), row(at=1)])
    assert orders.open_orders() == [] and orders.state_of(A) == DONE and orders.worst_case() == (0, 0)
    assert fills == [(A, 20)]


def test_a_fill_that_is_told_after_the_end_is_still_told_once(orders, fills):
    send(orders)
    orders.merge([row(at=1), row(at=2, status='Canceled')])
    orders.merge([row(at=2, status='Canceled', cum=30), row(at=2, status='Canceled', cum=30)])
    orders.merge([{'orderID': '1', 'clOrdID': A, 'cumQty': 60}])
    assert fills == [(A, 30), (A, 30)]


def test_an_order_that_ends_without_a_word_about_its_fills_counts_until_it_was_looked_up(orders, fills):
    send(orders)
    orders.merge([row()])
    orders.merge([{'orderID': '1', 'clOrdID': A, 'ordStatus': 'Canceled', 'leavesQty': 0}])
    assert orders.open_orders() == [] and orders.worst_case() == (100, 0) and orders.is_half_told()
    assert orders.to_look_up([]) == [A]
    orders.reconcile([], [row(at=2, status='Canceled', cum=30)], 1.0, orders.version)
    assert orders.worst_case() == (0, 0) and not orders.is_half_told() and fills == [(A, 30)]


def test_the_answer_to_a_cancel_tells_what_the_row_before_it_left_open(orders):
    send(orders)
    orders.merge([row()])
    orders.merge([{'orderID': '1', 'clOrdID': A, 'ordStatus': 'Canceled', 'leavesQty': 0}])
    orders.merge([row(at=2, status='Canceled', cum=0)])
    assert orders.worst_case() == (0, 0) and not orders.is_half_told()


def test_an_end_that_was_told_while_the_lists_were_read_is_looked_up_the_next_time(orders):
    send(orders)
    orders.merge([row()])
    asked_at = orders.version
    orders.merge([{'orderID': '1', 'clOrdID': A, 'ordStatus': 'Canceled', 'leavesQty': 0}])
    orders.reconcile([], [], 1.0, asked_at)
    assert orders.is_half_told() and orders.worst_case() == (100, 0)
    orders.reconcile([], [], 2.0, orders.version)
    assert not orders.is_half_told()


def test_an_update_row_that_says_only_what_changed_finds_its_order(orders, fills):
    send(orders)
    orders.merge([row()])
    orders.merge([{'orderID': '1', 'cumQty': 60, 'leavesQty': 40, 'ordStatus': 'PartiallyFilled', 'timestamp': '2026-01-01T00:00:00.009Z'}])
    assert orders.worst_case() == (40, 0) and fills == [(A, 60)]


def test_rows_of_others_are_ignored(orders):
    orders.merge([row(cl='somebody'), row(cl=''), row(cl='mm_bitmex_x', symbol='ETHUSD')])
    orders.merge([{'orderID': '77', 'leavesQty': 4}])
    assert orders.open_orders() == []


def test_a_refused_order_does_not_exist(orders):
    send(orders)
    orders.refused([A, 'mm_bitmex_never'])
    assert orders.open_orders() == [] and orders.state_of(A) == DONE and orders.state_of('mm_bitmex_never') is None


def test_a_refused_order_that_the_venue_shows_all_the_same_rests_and_is_no_stranger(orders, fills):
    send(orders)
    orders.seal()
    orders.refused([A])
    orders.merge([row(status='PartiallyFilled', cum=30)])
    assert orders.state_of(A) == LIVE and orders.worst_case() == (70, 0)
    assert fills == [(A, 30)] and orders.strangers() == []


def test_a_refused_order_may_be_sent_again_under_its_name(orders):
    send(orders)
    orders.refused([A])
    send(orders)
    orders.merge([row()])
    assert orders.state_of(A) == LIVE


def test_a_post_only_order_that_comes_back_canceled_does_not_rest(orders):
    send(orders)
    orders.merge([row(status='Canceled')])
    assert orders.worst_case() == (0, 0)


def test_an_amend_in_flight_counts_at_its_worst(orders):
    send(orders)
    orders.merge([row()])
    orders.sending_amend({'orderID': '1', 'orderQty': 300, 'price': 10.5})
    assert orders.state_of(A) == PENDING_AMEND and orders.worst_case() == (300, 0)
    orders.sending_amend({'orderID': '1', 'orderQty': 900})  # one action in flight per order
    assert orders.worst_case() == (300, 0)
    orders.merge([row(qty=300, at=2)])
    orders.answered(order_ids=['1'])
    assert orders.state_of(A) == LIVE and orders.worst_case() == (300, 0)


def test_an_amend_to_less_still_counts_what_rests_now(orders):
    send(orders)
    orders.merge([row()])
    orders.sending_amend({'orderID': '1', 'orderQty': 10})
    assert orders.worst_case() == (100, 0)
    orders.answered(order_ids=['1'], cl_ord_ids=['mm_bitmex_gone'])
    assert orders.worst_case() == (100, 0)


def test_a_cancel_in_flight_still_counts(orders):
    send(orders, side='Sell')
    orders.merge([row(side='Sell')])
    orders.sending_cancel(['1', 'nobody'])
    assert orders.state_of(A) == PENDING_CANCEL and orders.worst_case() == (0, 100)
    orders.merge([row(status='Canceled', side='Sell', at=2)])
    assert orders.worst_case() == (0, 0)


def test_an_unknown_outcome_counts_until_it_is_found(orders):
    send(orders)
    orders.outcome_unknown(100.0, cl_ord_ids=[A, 'mm_bitmex_gone'])
    assert orders.is_uncertain() and orders.worst_case() == (100, 0)
    assert orders.to_look_up([]) == [A]
    orders.merge([row()])
    assert not orders.is_uncertain() and orders.state_of(A) == LIVE


def test_an_order_that_came_to_rest_while_the_lists_were_read_is_not_gone_and_they_are_read_again(orders):
    send(orders)
    orders.outcome_unknown(100.0, cl_ord_ids=[A])
    asked_at = orders.version
    orders.merge([row()])               # the late request arrives, and is told of on the socket, before the lists are here
    assert orders.reconcile([], [], 50.0, asked_at)
    assert orders.state_of(A) == LIVE
    assert not orders.reconcile([], [], 51.0, orders.version) and orders.state_of(A) == DONE


def test_an_unknown_order_that_can_no_longer_arrive_is_given_up_and_not_before(orders):
    send(orders)
    orders.outcome_unknown(100.0, cl_ord_ids=[A])
    orders.reconcile([], [], now=99.0)
    assert orders.state_of(A) == UNKNOWN
    orders.reconcile([], [], now=100.0)
    assert orders.state_of(A) == DONE


def test_an_unknown_amend_stays_at_its_worst_until_it_can_no_longer_arrive(orders):
    send(orders)
    orders.merge([row()])
    orders.sending_amend({'orderID': '1', 'orderQty': 300, 'price': 10.5})
    orders.outcome_unknown(100.0, order_ids=['1', 'nobody'])
    orders.reconcile([row()], [], now=50.0)
    assert orders.worst_case() == (300, 0) and orders.is_uncertain()
    orders.reconcile([row()], [], now=101.0)
    assert orders.worst_case() == (100, 0) and not orders.is_uncertain()


def amending(orders, price=10.5):
    send(orders)
    orders.merge([row(at=1)])
    orders.sending_amend({'orderID': '1', 'orderQty': 300, 'price': price})


def test_an_unknown_amend_of_which_a_newer_row_shows_the_effect_has_arrived(orders):
    amending(orders)
    orders.outcome_unknown(100.0, order_ids=['1'])
    orders.merge([row(qty=300, at=2)])
    assert orders.state_of(A) == UNKNOWN   # another price than was asked for
    orders.merge([row(qty=300, price=10.5, at=3)])
    assert orders.state_of(A) == LIVE and not orders.is_uncertain() and orders.worst_case() == (300, 0)


@pytest.mark.parametrize('is_told_first', [True, False])
def test_an_amend_that_was_sent_twice_may_arrive_again_although_a_row_shows_its_effect(orders, is_told_first):
    send(orders)
    orders.merge([row()])
    orders.sending_amend({'orderID': '1', 'orderQty': 300, 'price': 10.5})
    shown = [row(qty=300, price=10.5, at=2)]
    if is_told_first:
        orders.merge(shown)
    orders.outcome_unknown(100.0, order_ids=['1'], is_repeated=True)
    orders.merge(shown)
    orders.reconcile(shown, [], now=99.0)
    assert orders.state_of(A) == UNKNOWN and orders.open_orders()[0]['inFlight']
    orders.reconcile(shown, [], now=100.0)
    assert orders.state_of(A) == LIVE and orders.worst_case() == (300, 0)


def test_an_amend_that_a_row_told_of_before_its_answer_was_lost_is_not_unknown(orders):
    amending(orders)
    orders.merge([row(qty=300, price=10.5, at=2)])
    assert orders.state_of(A) == PENDING_AMEND
    orders.outcome_unknown(100.0, order_ids=['1'])
    assert orders.state_of(A) == LIVE and not orders.is_uncertain()


def test_a_row_that_may_be_older_than_the_amend_says_nothing_about_it(orders):
    amending(orders)
    orders.outcome_unknown(100.0, order_ids=['1'])
    orders.merge([row(qty=300, price=10.5, at=1)])
    assert orders.state_of(A) == UNKNOWN and orders.worst_case() == (300, 0)


def test_a_cancel_that_failed_leaves_an_unknown_amend_at_its_worst(orders):
    amending(orders)
    orders.outcome_unknown(100.0, order_ids=['1'])
    orders.sending_cancel(['1'])
    orders.answered(order_ids=['1'])
    assert orders.state_of(A) == UNKNOWN and orders.worst_case() == (300, 0)


def test_an_order_of_which_an_amend_may_still_arrive_is_marked_and_one_without_a_name_is_not(orders):
    amending(orders)
    assert 'inDoubt' not in orders.open_orders()[0] and orders.open_orders()[0]['inFlight']
    orders.outcome_unknown(100.0, order_ids=['1'])
    send(orders, B)
    orders.outcome_unknown(90.0, cl_ord_ids=[B])
    assert [order.get('inDoubt', False) for order in orders.open_orders()] == [True, False]
    assert (orders.settles_at(first=True), orders.settles_at()) == (90.0, 100.0)


def test_the_venues_word_ends_orders_that_it_does_not_list(orders, fills):
    send(orders)
    send(orders, B)
    orders.merge([row(), row(B, '2')])
    assert orders.to_look_up([row(B, '2')]) == [A]
    orders.reconcile([row(B, '2')], [row(status='Filled', cum=100, at=3)], now=1.0)
    assert [order['clOrdID'] for order in orders.open_orders()] == [B]
    assert fills == [(A, 100)]
    orders.reconcile([], [], now=1.0)
    assert orders.open_orders() == []


def test_orders_left_by_an_earlier_run_are_ours_and_later_ones_are_strangers(orders, fills):
    orders.merge([row(cum=30, status='PartiallyFilled')])
    assert fills == [] and orders.worst_case() == (70, 0)
    orders.seal()
    orders.seal()
    assert orders.strangers() == []
    orders.merge([row(B, '2', cum=10)])
    assert orders.strangers() == [B] and fills == [(B, 10)]


def test_ended_orders_of_an_earlier_run_are_no_strangers(orders):
    orders.seal()
    orders.merge([row(status='Canceled'), {'clOrdID': B, 'orderID': '2', 'workingIndicator': True}])
    assert orders.strangers() == []


def test_memory_of_ended_orders_is_bounded(orders):
    for number in range(DONE_KEPT + 10):
        send(orders, 'mm_bitmex_%d' % number)
        orders.refused(['mm_bitmex_%d' % number])
    assert orders.state_of('mm_bitmex_0') is None and orders.state_of('mm_bitmex_%d' % (DONE_KEPT + 9)) == DONE


def test_without_a_listener_fills_are_merged_all_the_same():
    orders = OwnOrders('mm_bitmex_', 'XBTUSD')
    send(orders)
    orders.merge([row(), row(cum=50, status='PartiallyFilled', at=2)])
    orders.merge([row(cum=50, status='Canceled', at=3)])
    orders.merge([row(cum=60, status='Canceled', at=3)])
    assert orders.worst_case() == (0, 0)


def test_an_order_that_is_answered_before_it_has_a_name_stays_pending(orders):
    send(orders)
    orders.answered(cl_ord_ids=[A])
    orders.merge([{'clOrdID': A, 'symbol': 'XBTUSD', 'text': 'no orderID in this row'}])
    assert orders.state_of(A) == PENDING_NEW and orders.worst_case() == (100, 0)
