"""Fills against recorded data: who waits behind what, and what is not given twice."""

from __future__ import annotations

import random

import pytest
from engine_kit import ALICE, BOB, FOK, IOC, POST, REDUCE, Desk, c, e, refusal

from bitmex_venue.engine.external import ExternalMatcher


@pytest.fixture
def desk():
    return Desk(matcher=ExternalMatcher)


def level(desk, side, price, size):
    desk.do(c.SetLevel("XBTUSD", side, desk.ticks(price), size))


def trade(desk, side, price, size):
    desk.do(c.RecordedTrade("XBTUSD", side, desk.ticks(price), size))


def test_a_recorded_row_sets_the_external_size_absolutely_and_ours_stands_besides(desk):
    level(desk, 1, 9990, 100)
    desk.buy(ALICE, 7, 9990)
    assert desk.book()[0] == [(9990.0, 107)]
    level(desk, 1, 9990, 40)
    assert desk.book()[0] == [(9990.0, 47)]
    level(desk, 1, 9990, 0)
    assert desk.book()[0] == [(9990.0, 7)]


def test_an_order_waits_behind_the_size_that_stood_there_when_it_came(desk):
    level(desk, 1, 9990, 100)
    order = desk.buy(ALICE, 7, 9990)
    trade(desk, -1, 9990, 100)
    assert order.cum_qty == 0
    trade(desk, -1, 9990, 5)
    assert order.cum_qty == 5
    assert desk.position(ALICE).current_qty == 5 and desk.position(999).current_qty == -5
    assert desk.exchange.audit().ok


def test_a_decrease_that_no_trade_explains_leaves_the_size_ahead_but_for_the_size_of_the_level(desk):
    level(desk, 1, 9990, 100)
    order = desk.buy(ALICE, 7, 9990)
    level(desk, 1, 9990, 150)
    level(desk, 1, 9990, 110)
    assert order.ahead == 100
    level(desk, 1, 9990, 60)
    level(desk, 1, 9990, 90)
    assert order.ahead == 60


def test_a_trade_eats_the_size_ahead_and_its_row_does_not_eat_it_again(desk):
    level(desk, 1, 9990, 100)
    order = desk.buy(ALICE, 7, 9990)
    trade(desk, -1, 9990, 30)
    level(desk, 1, 9990, 70)
    assert order.ahead == 70


def test_a_recorded_trade_fills_ours_priced_better_first_then_ours_at_its_price(desk):
    level(desk, 1, 9990, 10)
    at, better = desk.buy(ALICE, 7, 9990), desk.buy(BOB, 4, 9991)
    desk.events()
    trade(desk, -1, 9990, 20)
    assert (better.cum_qty, at.cum_qty) == (4, 6)
    assert better.avg_px_e8 == 9991 * 10**8
    told = [(t.price, t.size, t.side) for t in desk.events(e.TradeEvent)]
    assert told == [(desk.ticks(9991), 4, -1), (desk.ticks(9990), 6, -1), (desk.ticks(9990), 10, -1)]


def test_a_recorded_trade_never_fills_more_than_its_own_size(desk):
    orders = [desk.buy(ALICE, 7, 9990 + n) for n in range(3)]
    trade(desk, -1, 9990, 10)
    assert [o.cum_qty for o in orders] == [0, 3, 7]


def test_a_trade_of_the_other_side_or_a_worse_price_does_not_fill_us(desk):
    order = desk.buy(ALICE, 7, 9990)
    trade(desk, 1, 9990, 50)
    trade(desk, -1, 9990.5, 50)
    assert order.cum_qty == 0


def test_ours_behind_one_another_wait_for_the_external_size_between_them(desk):
    level(desk, 1, 9990, 10)
    first = desk.buy(ALICE, 5, 9990)
    level(desk, 1, 9990, 30)
    second = desk.buy(BOB, 5, 9990)
    trade(desk, -1, 9990, 20)
    assert (first.cum_qty, second.cum_qty, second.ahead) == (5, 0, 15)
    trade(desk, -1, 9990, 17)
    assert second.cum_qty == 2


def test_an_order_that_crosses_takes_what_is_shown_and_it_is_not_given_twice(desk):
    level(desk, -1, 10000, 10)
    level(desk, -1, 10001, 10)
    assert desk.buy(ALICE, 15, 10001, time_in_force=IOC).cum_qty == 15
    assert desk.book()[1] == [(10001.0, 5)]
    assert desk.buy(BOB, 15, 10001, time_in_force=IOC).cum_qty == 5
    level(desk, -1, 10000, 10)
    assert desk.buy(BOB, 15, 10001, time_in_force=IOC).cum_qty == 10
    assert desk.exchange.audit().ok


def test_a_crossing_order_meets_ours_and_external_size_in_the_order_of_the_queue(desk):
    level(desk, -1, 10000, 10)
    ours = desk.sell(BOB, 5, 10000)
    level(desk, -1, 10000, 30)
    desk.events()
    desk.buy(ALICE, 18, 10000)
    fills = [(x.last_qty, x.order.account_id) for x in desk.events(e.ExecutionEvent) if x.exec_type == "Trade"]
    assert fills == [(10, ALICE), (5, BOB), (5, ALICE), (3, ALICE)]
    assert ours.ord_status == "Filled" and desk.book()[1] == [(10000.0, 17)]


def test_fok_counts_external_size(desk):
    level(desk, -1, 10000, 10)
    desk.sell(BOB, 5, 10000)
    assert desk.buy(ALICE, 16, 10000, time_in_force=FOK).cum_qty == 0
    assert desk.buy(ALICE, 15, 10000, time_in_force=FOK).cum_qty == 15


def test_post_only_minds_external_size(desk):
    level(desk, -1, 10000, 10)
    assert desk.buy(ALICE, 5, 10000, exec_inst=POST).ord_status == "Canceled"
    assert desk.buy(ALICE, 5, 9999.5, exec_inst=POST).is_open


def test_a_row_that_meets_an_order_of_ours_trades_with_it_at_our_price(desk):
    order = desk.sell(ALICE, 8, 10000)
    level(desk, 1, 10001, 5)
    assert (order.cum_qty, order.avg_px_e8) == (5, 10000 * 10**8)
    assert desk.book() == [[], [(10000.0, 3)]]


def test_a_row_never_leaves_the_book_crossed(desk):
    level(desk, -1, 10000, 5)
    level(desk, -1, 10001, 5)
    level(desk, 1, 10000.5, 9)
    assert desk.book() == [[(10000.5, 9)], [(10001.0, 5)]]


def test_reduce_only_orders_are_trimmed_by_external_fills_too(desk):
    level(desk, -1, 10000, 10)
    desk.buy(ALICE, 10, 10000)
    first = desk.sell(ALICE, 10, 10001, exec_inst=REDUCE)
    second = desk.sell(ALICE, 10, 10001, exec_inst=REDUCE)
    trade(desk, 1, 10001, 14)
    assert (first.ord_status, second.ord_status) == ("Filled", "Canceled")
    assert desk.position(ALICE).current_qty == 0 and desk.exchange.audit().ok


def test_part_of_a_lot_is_nobodys():
    desk = Desk("modern", matcher=ExternalMatcher)
    level(desk, -1, 10000, 150)
    assert desk.buy(ALICE, 200, 10000, time_in_force=FOK).cum_qty == 0
    assert desk.buy(ALICE, 200, 10000, time_in_force=IOC).cum_qty == 100
    assert desk.book()[1] == []


def test_a_live_market_takes_no_recorded_data():
    desk = Desk()
    assert refusal(level, desk, 1, 9990, 5, desk=desk).message == "This market takes no external levels"
    assert refusal(trade, desk, 1, 9990, 5, desk=desk).message == "This market takes no recorded trades"


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_recorded_money_and_positions_add_up_and_the_book_is_not_crossed(seed):
    desk, rng = Desk(matcher=ExternalMatcher, balance=10**12), random.Random(seed)
    for _ in range(500):
        act, side, price = rng.random(), rng.choice((1, -1)), 10000 + rng.randrange(-8, 9) / 2
        if act < 0.4:
            level(desk, side, price, rng.choice((0, rng.randrange(100))))
        elif act < 0.6:
            trade(desk, side, price, rng.randrange(1, 60))
        elif act < 0.9:
            desk.place(rng.choice((ALICE, BOB)), side, rng.randrange(1, 40), price, time_in_force=rng.choice(("GoodTillCancel", IOC, FOK)))
        else:
            for order in desk.exchange.open_orders(rng.choice((ALICE, BOB)))[:2]:
                desk.amend(order, price=price, leaves_qty=order.leaves_qty + 1)
        assert desk.exchange.audit().ok
        for book_side in (1, -1):
            for found in desk.exchange.books["XBTUSD"].side(book_side).in_order():
                aheads = [o.ahead for o in found.orders()]
                assert aheads == sorted(aheads) and all(0 <= a <= found.external for a in aheads)
