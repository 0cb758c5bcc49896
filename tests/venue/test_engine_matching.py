"""Matching by price and time, against rules and against the naive oracle."""

from __future__ import annotations

import random

import pytest
from engine_kit import ALICE, BOB, DAY, FOK, HOUSE, IOC, POST, REDUCE, START, Desk, c, e
from naive import NaiveBook

ALL_TEXTS = pytest.mark.parametrize("texts", ["classic", "modern"])


@pytest.fixture
def desk():
    return Desk()


def test_better_prices_first_and_at_one_price_the_order_that_came_first(desk):
    late, early, better = desk.sell(ALICE, 5, 10001), desk.sell(BOB, 5, 10000.5), desk.sell(ALICE, 5, 10000)
    second = desk.sell(ALICE, 5, 10000.5)
    desk.events()
    taker = desk.buy(HOUSE, 12, 10001)
    trades = desk.events(e.TradeEvent)
    assert [(t.price, t.size) for t in trades] == [(desk.ticks(10000), 5), (desk.ticks(10000.5), 5), (desk.ticks(10000.5), 2)]
    assert (better.leaves_qty, early.leaves_qty, second.leaves_qty, late.leaves_qty) == (0, 0, 3, 5)
    assert taker.leaves_qty == 0 and taker.ord_status == "Filled"


def test_a_trade_is_made_at_the_price_of_the_resting_order(desk):
    desk.sell(BOB, 10, 9990)
    order = desk.buy(ALICE, 10, 10000)
    assert order.avg_px_e8 == 9990 * 10**8 and order.price == desk.ticks(10000)


def test_both_sides_and_the_public_trade_have_the_same_match_id(desk):
    desk.sell(BOB, 10, 10000)
    desk.events()
    desk.buy(ALICE, 4, 10000)
    found = desk.events()
    fills = [x for x in found if isinstance(x, e.ExecutionEvent) and x.exec_type == "Trade"]
    (trade,) = [x for x in found if isinstance(x, e.TradeEvent)]
    assert {x.trd_match_id for x in fills} == {trade.trd_match_id}
    by = {x.order.account_id: x for x in fills}
    assert (by[BOB].liquidity, by[ALICE].liquidity) == ("AddedLiquidity", "RemovedLiquidity")
    assert (by[BOB].exec_cost, by[ALICE].exec_cost) == (40000, -40000)
    assert (by[BOB].exec_comm, by[ALICE].exec_comm) == (-10, 30)
    assert (trade.side, trade.size, trade.gross_value) == (1, 4, 40000)


def test_what_is_left_of_a_limit_order_rests(desk):
    desk.sell(BOB, 3, 10000)
    order = desk.buy(ALICE, 10, 10000)
    assert (order.ord_status, order.leaves_qty, order.cum_qty, order.working) == ("PartiallyFilled", 7, 3, True)
    assert desk.book() == [[(10000.0, 7)], []]


def test_ioc_what_is_left_is_cancelled(desk):
    desk.sell(BOB, 3, 10000)
    some = desk.buy(ALICE, 10, 10000, time_in_force=IOC)
    none = desk.buy(ALICE, 10, 10000, time_in_force=IOC)
    text = "Canceled: Order had timeInForce of ImmediateOrCancel\nSubmitted via API."
    assert (some.ord_status, some.leaves_qty, some.cum_qty, some.text) == ("Canceled", 0, 3, text)
    assert (none.ord_status, none.leaves_qty, none.cum_qty, none.text) == ("Canceled", 0, 0, text)


def test_fok_trades_wholly_or_not_at_all(desk):
    desk.sell(BOB, 3, 10000)
    desk.sell(BOB, 4, 10001)
    order = desk.buy(ALICE, 8, 10001, time_in_force=FOK)
    assert (order.ord_status, order.cum_qty) == ("Canceled", 0)
    assert order.text == "Canceled: Order had timeInForce of FillOrKill\nSubmitted via API."
    assert desk.buy(ALICE, 7, 10000.5, time_in_force=FOK).cum_qty == 0
    assert desk.buy(ALICE, 7, 10001, time_in_force=FOK).ord_status == "Filled"


def test_fok_does_not_count_reduce_only_orders_of_others(desk):
    desk.position_of(BOB, 10, 10000)
    desk.sell(BOB, 10, 10000, exec_inst=REDUCE)
    assert desk.buy(ALICE, 10, 10000, time_in_force=FOK).cum_qty == 0


def test_post_only_that_would_take_is_accepted_then_cancelled_in_one_row_already_canceled(desk):
    desk.sell(BOB, 3, 10000)
    desk.events()
    order = desk.buy(ALICE, 3, 10000, exec_inst=POST)
    assert (order.ord_status, order.leaves_qty, order.cum_qty) == ("Canceled", 0, 0)
    assert order.text == "Canceled: Order had execInst of ParticipateDoNotInitiate\nSubmitted via API."
    found = desk.events()
    rows = [x for x in found if isinstance(x, e.OrderEvent)]
    assert [(x.action, x.columns["ord_status"], x.columns["working"]) for x in rows] == [("insert", "Canceled", False)]
    assert [x.exec_type for x in found if isinstance(x, e.ExecutionEvent)] == ["New", "Canceled"]
    resting = desk.buy(ALICE, 3, 9999.5, exec_inst=POST)
    assert resting.ord_status == "New" and resting.working


def test_day_orders_end_at_midnight_utc(desk):
    order = desk.buy(ALICE, 3, 9990, time_in_force=DAY)
    stays = desk.buy(ALICE, 3, 9990)
    desk.wait(11 * 3600 * 10**9)
    assert order.is_open
    desk.wait(3600 * 10**9)
    assert order.ord_status == "Canceled" and order.text.startswith("Canceled: Order had timeInForce of Day")
    assert order.timestamp % (86400 * 10**9) == 0 and stays.is_open


def test_market_order_sweeps_to_five_percent_through_the_touch_and_no_further(desk):
    desk.sell(BOB, 3, 10000)
    desk.sell(BOB, 3, 10500)
    desk.sell(BOB, 3, 10500.5)
    desk.events()
    order = desk.buy(ALICE, 9)
    assert (order.cum_qty, order.ord_status, order.time_in_force) == (6, "Canceled", IOC)
    assert order.price == desk.ticks(10500)
    found = desk.events()
    insert = next(x for x in found if isinstance(x, e.OrderEvent))
    new = next(x for x in found if isinstance(x, e.ExecutionEvent))
    assert insert.columns["price"] is None and new.columns["price"] == desk.ticks(10500)


def test_market_order_against_an_empty_side_is_cancelled(desk):
    order = desk.sell(ALICE, 9)
    assert (order.ord_status, order.cum_qty) == ("Canceled", 0)


def test_modern_market_order_shows_no_price():
    desk = Desk("modern")
    desk.sell(BOB, 300, 10000)
    assert desk.buy(ALICE, 300).price is None


def test_trades_of_an_account_with_itself_are_allowed_and_counted(desk):
    desk.sell(ALICE, 5, 10000)
    desk.buy(ALICE, 3, 10000)
    clearing = desk.exchange.clearing
    assert (clearing.self_trades, clearing.self_traded_qty) == (1, 3)
    assert desk.position(ALICE).current_qty == 0
    assert desk.position(ALICE).current_comm == 3 * 10000 * 75 // 100000 - 3 * 10000 * 25 // 100000
    assert desk.exchange.audit().ok


def test_with_self_trades_forbidden_the_resting_order_is_cancelled_and_the_newcomer_goes_on():
    desk = Desk(self_trade="cancel")
    mine, other = desk.sell(ALICE, 5, 10000), desk.sell(BOB, 5, 10000)
    order = desk.buy(ALICE, 5, 10000)
    assert mine.ord_status == "Canceled" and "same account" in mine.text
    assert order.ord_status == "Filled" and other.ord_status == "Filled"
    assert desk.exchange.clearing.self_trades == 0


def test_amend_that_changes_the_price_goes_to_the_back_of_its_new_level(desk):
    first, second = desk.buy(ALICE, 5, 9990), desk.buy(BOB, 5, 9989.5)
    third = desk.buy(BOB, 5, 9990)
    desk.amend(first, 9989.5)
    assert desk.exchange.books["XBTUSD"].orders_at(1, desk.ticks(9989.5)) == [second, first]
    desk.amend(first, 9990)
    assert desk.exchange.books["XBTUSD"].orders_at(1, desk.ticks(9990)) == [third, first]


def test_amend_that_adds_size_goes_to_the_back_and_a_decrease_keeps_the_place(desk):
    first, second = desk.buy(ALICE, 5, 9990), desk.buy(BOB, 5, 9990)
    desk.amend(first, order_qty=3)
    assert desk.exchange.books["XBTUSD"].orders_at(1, desk.ticks(9990)) == [first, second]
    desk.amend(first, order_qty=4)
    assert desk.exchange.books["XBTUSD"].orders_at(1, desk.ticks(9990)) == [second, first]


def test_an_amend_may_trade_at_once(desk):
    desk.sell(BOB, 4, 10000)
    order = desk.buy(ALICE, 6, 9990)
    desk.amend(order, 10000)
    assert (order.cum_qty, order.leaves_qty, order.ord_status) == (4, 2, "PartiallyFilled")


def test_an_amend_of_a_post_only_order_that_would_take_cancels_it(desk):
    desk.sell(BOB, 4, 10000)
    order = desk.buy(ALICE, 6, 9990, exec_inst=POST)
    desk.amend(order, 10000)
    assert order.ord_status == "Canceled" and order.cum_qty == 0
    assert order.text.startswith("Canceled: Order had execInst of ParticipateDoNotInitiate\n")


def test_every_level_that_changed_is_told_once_with_the_size_it_had(desk):
    desk.sell(BOB, 4, 10000)
    desk.sell(BOB, 4, 10000)
    desk.sell(BOB, 4, 10000.5)
    desk.events()
    desk.buy(HOUSE, 10, 10000.5)
    levels = [(x.price, x.size, x.old_size) for x in desk.events(e.BookEvent)]
    assert levels == [(desk.ticks(10000), 0, 8), (desk.ticks(10000.5), 2, 4)]


def test_a_quote_is_told_when_the_touch_changes_in_price_or_size_and_only_then(desk):
    desk.buy(HOUSE, 4, 9990)
    assert desk.events(e.QuoteEvent)[-1][2:] == (desk.ticks(9990), 4, None, 0)
    desk.buy(HOUSE, 4, 9980)
    assert desk.events(e.QuoteEvent) == []
    desk.buy(HOUSE, 4, 9990)
    assert desk.events(e.QuoteEvent)[-1][3] == 8


@pytest.mark.parametrize("seed", range(6))
def test_the_book_does_what_the_naive_oracle_does(seed):
    desk, naive, rng = Desk(balance=10**11), NaiveBook(), random.Random(seed)
    names, open_ids = {}, []
    for n in range(400):
        act, account = rng.random(), rng.choice((ALICE, BOB, HOUSE))
        open_ids = [i for i in open_ids if names[i].is_open]
        if act < 0.6 or not open_ids:
            side, ticks, qty = rng.choice((1, -1)), 20000 + rng.randrange(-6, 7), rng.randrange(1, 30)
            tif = rng.choice(["GoodTillCancel"] * 4 + [IOC, FOK])
            post = tif == "GoodTillCancel" and rng.random() < 0.2
            names[n] = desk.do(c.Place(account, "XBTUSD", side, qty, ticks, "Limit", tif, POST if post else ()))
            naive.place(n, account, side, ticks, qty, tif, post)
            open_ids.append(n)
        elif act < 0.8:
            n = rng.choice(open_ids)
            ticks, leaves = names[n].price + rng.choice((0, 0, 1, -1, 4)), rng.randrange(1, 30)
            if (ticks, leaves) != (names[n].price, names[n].leaves_qty):
                desk.do(c.Amend(names[n].account_id, names[n].order_id, price=ticks, leaves_qty=leaves))
                naive.amend(n, ticks, leaves)
        else:
            n = rng.choice(open_ids)
            desk.cancel(names[n])
            naive.cancel(n)
        book = desk.exchange.books["XBTUSD"]
        assert book.levels(1) == naive.levels(1) and book.levels(-1) == naive.levels(-1)
    ids = {order.order_id: n for n, order in names.items()}
    for side in (1, -1):
        for price, _ in naive.levels(side):
            assert [ids[o.order_id] for o in book.orders_at(side, price)] == naive.queue(side, price)
    trades = [(t.price, t.size) for t in desk.events(e.TradeEvent)]
    assert trades == [(price, qty) for _, _, price, qty in naive.fills]
    assert desk.exchange.audit().ok


def test_fills_of_a_buyer_come_from_the_makers_the_oracle_names():
    desk, naive = Desk(), NaiveBook()
    makers = {n: desk.sell(BOB, 3 + n, 10000 + n % 2) for n in range(4)}
    for n in range(4):
        naive.place(n, BOB, -1, desk.ticks(10000 + n % 2), 3 + n)
    desk.buy(ALICE, 10, 10001)
    naive.place(9, ALICE, 1, desk.ticks(10001), 10)
    for n, maker in makers.items():
        assert maker.cum_qty == sum(qty for m, _, _, qty in naive.fills if m == n)


def test_start_is_where_the_desk_says():
    assert Desk().exchange.now == START
