"""How our orders are filled by recorded data in hftbacktest's queues: each rule of `matcher` and `tape` with rows made by hand."""

from __future__ import annotations

import pytest
from rows_kit import Desk, HandMade, bought, cleared, level, sold, touch

FIRST = touch(0, 100.0, 50, 100.5, 50)
LEVELS = [*level(0, 1, 100.0, 50), *level(0, 1, 99.5, 70), *level(0, -1, 100.5, 50), *level(0, -1, 101.0, 70), *level(0, -1, 102.0, 500)]
LAST = sold(1000, 1.0, 0)


@pytest.fixture
def desk(tmp_path):
    desks = []

    def make(*rows, **options):
        desks.append(Desk(tmp_path / f"tape-{len(desks)}", HandMade(*rows, LAST), **options))
        return desks[-1]

    yield make
    for one in desks:
        one.close()


# ---- waiting at the touch


def test_an_order_at_the_touch_waits_behind_what_was_shown(desk):
    one = desk(FIRST, sold(2, 100.0, 30), sold(3, 100.0, 30), sold(4, 100.0, 500))
    order = one.at(1).buy(100.0, 100)
    assert (one.at(2.5).trades, order.leaves_qty) == ([], 100)
    assert one.at(3.5).trades == [(3, 1, 10, 100.0, "maker")]
    assert one.at(4.5).trades == [(3, 1, 10, 100.0, "maker"), (4, 1, 90, 100.0, "maker")]
    assert order.ord_status == "Filled" and one.position == 100


def test_with_whole_fills_an_order_at_the_front_is_filled_wholly(desk):
    one = desk(FIRST, sold(2, 100.0, 50), sold(3, 100.0, 1), partial=False)
    one.at(1).buy(100.0, 100)
    assert one.at(2.5).trades == []
    assert one.at(3.5).trades == [(3, 1, 100, 100.0, "maker")]


def test_a_trade_through_its_price_fills_an_order_wholly_however_small_it_is(desk):
    one = desk(FIRST, sold(2, 99.5, 1))
    one.at(1).buy(100.0, 100)
    assert one.at(3).trades == [(2, 1, 100, 100.0, "maker")]


def test_a_trade_at_another_s_price_or_on_the_other_side_fills_nothing(desk):
    one = desk(FIRST, bought(2, 100.5, 500), sold(2, 100.0, 500))
    one.at(1).buy(99.5, 100)
    assert one.at(3).trades == []


def test_sells_are_the_mirror_of_buys(desk):
    one = desk(FIRST, bought(2, 100.5, 60), touch(3, 100.0, 50, 100.5, 9), bought(4, 101.5, 1))
    one.at(1).sell(100.5, 100)
    one.sell(101.0, 7)
    assert one.at(2.5).trades == [(2, -1, 10, 100.5, "maker")]
    assert one.at(5).trades[1:] == [(4, -1, 90, 100.5, "maker"), (4, -1, 7, 101.0, "maker")]
    assert one.position == -107


def test_the_best_ask_at_or_below_an_order_fills_it_at_its_own_price(desk):
    one = desk(FIRST, touch(2, 99.0, 5, 99.5, 3))
    one.at(1).buy(100.0, 100)
    assert one.at(3).trades == [(2, 1, 100, 100.0, "maker")]


def test_when_the_touch_moves_away_nothing_stands_before_an_order(desk):
    one = desk(FIRST, touch(2, 99.0, 80, 100.5, 50), sold(3, 100.0, 30))
    one.at(1).buy(100.0, 100)
    assert one.at(3.5).trades == [(3, 1, 30, 100.0, "maker")]


def test_an_order_that_improves_the_touch_is_first(desk):
    one = desk(touch(0, 100.0, 50, 101.0, 50), sold(2, 100.5, 30))
    one.at(1).buy(100.5, 100)
    assert one.at(3).trades == [(2, 1, 30, 100.5, "maker")]


def test_what_is_cancelled_before_an_order_moves_it_up_only_as_far_as_the_level_shows(desk):
    rows = (FIRST, touch(2, 100.0, 20, 100.5, 50), sold(3, 100.0, 25))
    one = desk(*rows)
    one.at(1).buy(100.0, 100)
    assert one.at(4).trades == [(3, 1, 5, 100.0, "maker")]


def test_the_probabilistic_queue_moves_up_where_the_conservative_one_does_not(desk):
    rows = (FIRST, touch(2, 100.0, 2000, 100.5, 50), touch(3, 100.0, 1000, 100.5, 50), sold(4, 100.0, 40))
    filled = []
    for queue in ("conservative", "probabilistic"):
        one = desk(*rows, touch(5, 100.0, 950, 100.5, 50), sold(6, 100.0, 5), queue=queue)
        one.at(1).buy(100.0, 1000)
        filled.append(sum(trade[2] for trade in one.at(7).trades))
    assert filled[0] == 0 <= filled[1]


def test_one_sale_fills_two_orders_at_one_price_and_they_never_meet_each_other(desk):
    one = desk(FIRST, sold(2, 100.0, 80))
    one.at(1).buy(100.0, 100)
    one.buy(100.0, 100)
    assert one.at(3).trades == [(2, 1, 30, 100.0, "maker")] * 2


def test_several_orders_filled_at_one_moment_are_told_from_the_best_price_outwards(desk):
    one = desk(FIRST, sold(2, 98.0, 5))
    one.at(1)
    for price in (99.0, 100.0, 99.5):
        one.buy(price, 10)
    assert [trade[3] for trade in one.at(3).trades] == [100.0, 99.5, 99.0]


# ---- where the data know the touch alone


def test_beyond_the_touch_an_order_is_filled_only_by_a_trade_through_its_price(desk):
    one = desk(FIRST, sold(2, 99.0, 10_000), sold(3, 98.5, 1))
    one.at(1).buy(99.0, 100)
    assert one.at(2.5).trades == []
    assert one.at(4).trades == [(3, 1, 100, 99.0, "maker")]


def test_once_the_touch_has_come_to_an_order_it_waits_behind_all_that_is_shown(desk):
    one = desk(FIRST, touch(2, 99.0, 80, 100.5, 50), sold(3, 99.0, 50), sold(4, 99.0, 50))
    one.at(1).buy(99.0, 100)
    assert one.at(3.5).trades == []
    assert one.at(5).trades == [(4, 1, 20, 99.0, "maker")]


def test_a_level_that_the_touch_has_left_is_unknown_again(desk):
    one = desk(FIRST, touch(1, 101.0, 9, 101.5, 9), sold(3, 100.5, 10_000), touch(4, 100.5, 40, 101.5, 9), sold(5, 100.5, 50))
    one.at(2).buy(100.5, 100)
    assert one.at(4.5).trades == []
    assert one.at(6).trades == [(5, 1, 10, 100.5, "maker")]


def test_an_order_keeps_its_place_while_the_touch_is_away(desk):
    one = desk(FIRST, sold(2, 100.0, 45), touch(3, 101.0, 9, 101.5, 9), touch(4, 100.0, 500, 101.5, 9), sold(5, 100.0, 10))
    one.at(1).buy(100.0, 100)
    assert one.at(6).trades == [(5, 1, 5, 100.0, "maker")]


# ---- where the book is known


def test_a_level_without_a_row_holds_nothing(desk):
    one = desk(LEVELS, sold(2, 99.0, 30))
    one.at(1).buy(99.0, 100)
    assert one.at(3).trades == [(2, 1, 30, 99.0, "maker")]


def test_a_known_level_holds_what_its_row_says(desk):
    one = desk(LEVELS, sold(2, 99.5, 100))
    one.at(1).buy(99.5, 100)
    assert one.at(3).trades == [(2, 1, 30, 99.5, "maker")]


def test_a_snapshot_after_a_gap_leaves_nobody_better_off_than_what_it_shows(desk):
    one = desk(LEVELS, cleared(2), level(2, 1, 100.0, 30), level(2, -1, 100.5, 10), sold(3, 100.0, 40))
    one.at(1).buy(100.0, 100)
    assert one.at(2.5).quote == ([(200, 130)], [(201, 10)])
    assert one.at(4).trades == [(3, 1, 10, 100.0, "maker")]


def test_the_venue_shows_the_best_levels(desk):
    one = desk(LEVELS).at(1)
    book = one.venue.exchange.books["XBTUSD"]
    assert book.levels(1) == [(200, 50), (199, 70)] and book.levels(-1) == [(201, 50), (202, 70), (204, 500)]


# ---- changing and ending


def test_made_smaller_an_order_keeps_its_place(desk):
    one = desk(FIRST, sold(2, 100.0, 30), sold(4, 100.0, 30), sold(5, 100.0, 100))
    order = one.at(1).buy(100.0, 100)
    one.at(3).amend(order, order_qty=60)
    assert one.at(4.5).trades == [(4, 1, 10, 100.0, "maker")]
    assert one.at(6).trades[1:] == [(5, 1, 50, 100.0, "maker")] and order.ord_status == "Filled"


@pytest.mark.parametrize("change", [{"order_qty": 160}, {"price": 99.5}])
def test_made_larger_or_moved_it_goes_to_the_back(desk, change):
    one = desk(FIRST, sold(2, 100.0, 30), sold(5, 100.0, 30))
    order = one.at(1).buy(100.0, 100)
    one.at(3).amend(order, **change)
    if "price" in change:
        one.amend(order, price=100.0)
    assert one.at(6).trades == []


def test_a_partly_filled_order_can_be_made_smaller_and_is_filled_to_the_last_contract(desk):
    one = desk(FIRST, sold(2, 100.0, 70), sold(4, 100.0, 500))
    order = one.at(1).buy(100.0, 100)
    one.at(3).amend(order, order_qty=50)
    assert one.at(5).trades == [(2, 1, 20, 100.0, "maker"), (4, 1, 30, 100.0, "maker")]
    assert order.leaves_qty == 0 and order.cum_qty == 50


def test_a_cancelled_order_is_not_filled(desk):
    one = desk(FIRST, sold(3, 99.0, 500))
    order = one.at(1).buy(100.0, 100)
    one.at(2).cancel(order)
    assert one.at(4).trades == [] and order.ord_status == "Canceled"


def test_a_reduce_only_order_is_filled_no_further_than_the_position(desk):
    one = desk(FIRST, sold(2, 99.5, 1), bought(4, 101.0, 1))
    one.at(1).buy(100.0, 100)
    order = one.at(3).sell(100.5, 100, exec_inst=("ReduceOnly",))
    one.sell(100.5, 60)
    one.at(5)
    assert one.position == -60 and order.ord_status in ("Filled", "Canceled")


# ---- crossing


def test_a_post_only_order_that_would_trade_is_cancelled(desk):
    one = desk(FIRST)
    crossing = one.at(1).buy(100.5, 100, exec_inst=("ParticipateDoNotInitiate",))
    resting = one.buy(100.0, 100, exec_inst=("ParticipateDoNotInitiate",))
    assert (crossing.ord_status, resting.ord_status, one.trades) == ("Canceled", "New", [])


@pytest.mark.parametrize(
    "rows, expected",
    [(FIRST, [(1, 1, 50, 100.5, "taker")]), (LEVELS, [(1, 1, 50, 100.5, "taker"), (1, 1, 70, 101.0, "taker")])],
    ids=["touch alone", "levels"],
)
def test_immediate_or_cancel_takes_what_is_shown_and_no_more(desk, rows, expected):
    one = desk(rows)
    order = one.at(1).buy(101.0, 200, time_in_force="ImmediateOrCancel")
    assert one.trades == expected and order.ord_status == "Canceled"


def test_a_market_order_takes_what_is_shown(desk):
    one = desk(LEVELS)
    order = one.at(1).buy(None, 600, ord_type="Market")
    assert one.trades == [(1, 1, 50, 100.5, "taker"), (1, 1, 70, 101.0, "taker"), (1, 1, 480, 102.0, "taker")]
    assert order.ord_status == "Filled" and one.position == 600


def test_fill_or_kill_is_filled_wholly_or_not_at_all(desk):
    one = desk(LEVELS)
    killed = one.at(1).buy(101.0, 121, time_in_force="FillOrKill")
    filled = one.buy(101.0, 120, time_in_force="FillOrKill")
    assert (killed.ord_status, filled.ord_status) == ("Canceled", "Filled")


@pytest.mark.parametrize("rows, parts", [(FIRST, [(50, 100.5), (150, 101.0)]), (LEVELS, [(50, 100.5), (70, 101.0), (80, 101.0)])])
def test_what_is_left_of_an_order_that_crosses_is_filled_at_its_own_limit(desk, rows, parts):
    one = desk(rows)
    order = one.at(1).buy(101.0, 200)
    assert [trade[2:4] for trade in one.trades] == parts and order.ord_status == "Filled"


def test_fees_are_the_venue_s(desk):
    one = desk(FIRST, sold(2, 99.5, 1))
    one.at(1).buy(100.0, 1000)
    one.buy(100.5, 50, time_in_force="ImmediateOrCancel")
    one.at(3)
    comms = [event.exec_comm for event in one.venue.history.executions[one.venue.account_id] if event.exec_type == "Trade"]
    assert comms == [int(50 * 995025 * 0.00075), -int(1000 * 1_000_000 * 0.00025)]
    _, fees = one.market.books()
    assert abs(fees * 1e8 - sum(comms)) < 2


# ---- time, and what is seen


def test_rows_of_several_batches_are_one_recording(tmp_path):
    rows = (FIRST, touch(2, 101.0, 9, 101.5, 9), sold(3, 100.5, 10_000), touch(4, 100.5, 40, 101.5, 9), sold(5, 100.5, 50), LAST)
    told = []
    for many in (1, 2, 1000):
        one = Desk(tmp_path / str(many), HandMade(*rows, many=many))
        one.at(1).buy(100.0, 100)
        one.at(2.5).buy(100.5, 100)
        told.append((one.at(6).trades, one.quote))
        one.close()
    assert told[0] == told[1] == told[2] and told[0][0]


def test_only_the_newest_touch_and_trade_are_told_when_nobody_waits_for_changes(desk):
    one = desk(FIRST, touch(2, 100.5, 7, 101.0, 8), touch(3, 101.0, 9, 101.5, 10), bought(2.5, 101.0, 3), bought(3.5, 101.5, 4))
    one.at(4)
    assert [(event.bid_price, event.ask_price) for event in one.venue.history.quotes["XBTUSD"]] == [(200, 201), (202, 203)]
    assert [(event.price, event.size) for event in one.venue.history.trades["XBTUSD"]] == [(203, 4)]


def test_each_change_of_the_touch_is_told_at_its_time_to_whoever_waits_for_changes(desk):
    one = desk(FIRST, touch(2, 100.5, 7, 101.0, 8), touch(3, 101.0, 9, 101.5, 10), each_change=True)
    one.at(4)
    assert [(round((event.time - one.tape.begin) / 1e9), event.bid_price) for event in one.venue.history.quotes["XBTUSD"]] == [
        (0, 200), (2, 201), (3, 202),
    ]  # fmt: skip


def test_a_request_is_matched_with_what_is_recorded_up_to_its_time_and_with_nothing_later(desk):
    one = desk(FIRST, touch(2, 99.0, 5, 99.5, 5), each_change=True)
    early = one.at(1.9).buy(99.5, 10, exec_inst=("ParticipateDoNotInitiate",))
    late = one.at(2.1).buy(99.5, 10, exec_inst=("ParticipateDoNotInitiate",))
    assert early.ord_status in ("New", "Filled") and late.ord_status == "Canceled"


def test_marks_and_funding_follow_the_middle_of_the_touch(desk):
    one = desk(FIRST, touch(20, 110.0, 50, 111.0, 50))
    one.at(19)
    before = one.venue.exchange.instruments["XBTUSD"].mark_e8
    one.at(40)
    after = one.venue.exchange.instruments["XBTUSD"].mark_e8
    assert abs(before / 1e8 - 100.25) < 0.05 and abs(after / 1e8 - 110.5) < 0.05


@pytest.mark.parametrize("symbol, profile", [("XBTUSDT", "classic"), ("ETHUSD", "classic"), ("XBTUSD", "modern"), ("XBTUSDT", "modern")])
def test_every_kind_of_contract_can_be_traded(desk, symbol, profile):
    one = desk(FIRST, sold(2, 99.0, 5000), symbol=symbol, profile=profile)
    one.at(1).buy(100.0, 1000)
    assert one.at(3).trades == [(2, 1, 1000, 100.0, "maker")]


def test_sizes_off_the_lot_and_prices_off_the_tick_are_taken_away_from_the_touch(desk):
    one = desk(touch(0, 100.07, 1550, 100.53, 20), sold(2, 99.97, 1730), profile="modern")
    assert one.at(1).quote == ([(1000, 1500)], [(1006, 100)])
    one.buy(100.0, 1000)
    assert one.at(3).trades == [(2, 1, 1000, 100.0, "maker")]
