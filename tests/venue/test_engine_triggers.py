"""Stop and if-touched orders (api 3.2, 3.3): what sets them off, and what becomes of them then."""

from __future__ import annotations

import pytest
from engine_kit import ALICE, BOB, CLOSE, HOUSE, IOC, POST, SECOND, Desk, c, e, refusal

ON_LAST, ON_MARK, ON_INDEX = ("LastPrice",), ("MarkPrice",), ("IndexPrice",)


@pytest.fixture
def desk():
    desk = Desk()
    desk.buy(HOUSE, 1000, 9900)
    desk.sell(HOUSE, 1000, 10100)
    return desk


def stop(desk, side, stop_px, price=None, qty=10, ord_type=None, exec_inst=ON_LAST, **more):
    kind = ord_type or ("Stop" if price is None else "StopLimit")
    more = {"ord_type": kind, "stop_px": desk.ticks(stop_px), "exec_inst": exec_inst, **more}
    return desk.place(ALICE, side, qty, price, **more)


def last(desk, price):
    """Let the last trade be at this price."""
    desk.sell(HOUSE, 1, price) if price < 10100 else desk.sell(HOUSE, 1, 10100)
    desk.buy(BOB, 1, price, time_in_force=IOC)


@pytest.mark.parametrize(
    "ord_type, side, below, at",
    [
        ("Stop", 1, 10000, 10050),
        ("Stop", -1, 10060, 10050),
        ("MarketIfTouched", -1, 10000, 10050),
        ("MarketIfTouched", 1, 10060, 10050),
    ],
)
def test_a_stop_goes_off_against_its_owner_and_an_if_touched_the_other_way_about(desk, ord_type, side, below, at):
    order = stop(desk, side, 10050, ord_type=ord_type)
    last(desk, below)
    assert (order.ord_status, order.working, order.triggered) == ("New", False, "")
    last(desk, at)
    assert order.triggered == "StopOrderTriggered" and order.ord_status == "Filled"
    assert order.text == "Triggered: Order StopPx reached\nSubmitted via API."
    assert desk.exchange.audit().ok


@pytest.mark.parametrize("exec_inst", [ON_MARK, ON_INDEX, ()])
def test_the_mark_is_watched_unless_the_order_says_otherwise(desk, exec_inst):
    order = stop(desk, 1, 10050, exec_inst=exec_inst)
    last(desk, 10060)
    assert not order.triggered
    desk.index(10070)
    assert bool(order.triggered) is (exec_inst == ON_INDEX)
    desk.wait(5 * SECOND)
    assert order.triggered


def test_a_stop_limit_rests_at_its_price_when_it_went_off(desk):
    order = stop(desk, 1, 10050, price=9990)
    assert desk.position(ALICE).init_margin == 0 and desk.book()[0] == [(9900.0, 1000)]
    last(desk, 10050)
    assert order.working and order.is_open and desk.book()[0][0] == (9990.0, 10)
    assert desk.position(ALICE).init_margin > 0


def test_a_market_stop_never_rests(desk):
    order = stop(desk, 1, 10050, qty=5000)
    last(desk, 10050)
    assert (order.ord_status, order.cum_qty) == ("Canceled", 1000)


def test_a_stop_whose_price_is_passed_already_goes_off_at_once(desk):
    last(desk, 10060)
    assert stop(desk, 1, 10050).ord_status == "Filled"


def test_what_one_sets_off_may_set_off_others(desk):
    desk.buy(HOUSE, 10, 9950)
    desk.buy(HOUSE, 10, 9940)
    first, second = stop(desk, -1, 10000), stop(desk, -1, 9950)
    last(desk, 10000)
    assert (first.avg_px_e8, second.avg_px_e8) == (9950 * 10**8, 994050000000)  # avgPx comes from the rounded value


def test_at_one_price_the_one_that_waited_longer_goes_first(desk):
    desk.buy(HOUSE, 10, 9950)
    first, second = stop(desk, -1, 10000), stop(desk, -1, 10000)
    last(desk, 10000)
    assert (first.avg_px_e8, second.avg_px_e8) == (9950 * 10**8, 9900 * 10**8)


def test_ten_stops_a_symbol_and_no_more(desk):
    orders = [stop(desk, 1, 10050) for _ in range(10)]
    assert refusal(stop, desk, 1, 10050, desk=desk).message == "Too many open orders"
    desk.cancel(orders[0])
    assert stop(desk, 1, 10050).is_open and desk.buy(ALICE, 1, 9000).is_open


def test_a_stop_that_cannot_be_paid_for_when_it_goes_off_is_rejected(desk):
    order = stop(desk, 1, 10050, qty=9_000_000)
    last(desk, 10050)
    assert order.ord_status == "Rejected"
    assert order.text.startswith("Rejected: Account has insufficient Available Balance")


def test_a_stop_that_closes_is_cut_to_the_position_or_cancelled_without_one(desk):
    desk.position_of(ALICE, 10, 10000)
    both = [stop(desk, -1, 9990, qty=50, exec_inst=CLOSE + ON_LAST) for _ in range(2)]
    last(desk, 9990)
    assert [(o.ord_status, o.cum_qty) for o in both] == [("Filled", 10), ("Canceled", 0)]
    assert desk.position(ALICE).current_qty == 0


def test_a_stop_may_be_amended_and_cancelled_while_it_waits(desk):
    order = stop(desk, 1, 10050)
    desk.amend(order, stop_px=desk.ticks(10060), order_qty=20)
    assert order.text.startswith("Amended orderQty stopPx: ")
    last(desk, 10050)
    assert not order.triggered and order.leaves_qty == 20
    desk.amend(order, order_qty=5)
    last(desk, 10060)
    assert order.cum_qty == 5
    other = stop(desk, 1, 10150)
    desk.cancel(other)
    desk.index(10200)
    desk.wait(5 * SECOND)
    assert other.ord_status == "Canceled" and not other.triggered
    assert desk.exchange.audit().ok


def test_a_waiting_stop_with_nothing_left_to_fill_is_cancelled(desk):
    order = stop(desk, 1, 10050)
    desk.amend(order, leaves_qty=0)
    assert order.ord_status == "Canceled" and desk.exchange.markets["XBTUSD"].triggers.count == 0
    assert desk.exchange.audit().ok


def test_a_post_only_stop_limit_that_would_take_when_it_goes_off_is_cancelled(desk):
    order = stop(desk, 1, 10050, price=10100, exec_inst=POST + ON_LAST)
    last(desk, 10050)
    assert order.ord_status == "Canceled" and "ParticipateDoNotInitiate" in order.text


def test_a_stop_that_goes_off_is_told(desk):
    stop(desk, 1, 10050, price=9990)
    desk.events()
    last(desk, 10050)
    found = [x for x in desk.events() if getattr(getattr(x, "order", None), "account_id", None) == ALICE]
    assert found[0].exec_type == "TriggeredOrActivatedBySystem"
    assert found[1].columns["triggered"] == "StopOrderTriggered" and found[1].columns["working"] is True


@pytest.mark.parametrize(
    "change, message",
    [
        ({"stop_px": None}, "Invalid stopPx"),
        ({"ord_type": "StopLimit"}, "Invalid price"),
        ({"exec_inst": ON_LAST + ON_MARK}, "Invalid execInst"),
        ({"exec_inst": ("LastWithinMark",)}, "Unsupported execInst"),
    ],
)
def test_stops_are_refused_in_the_words_of_the_venue(desk, change, message):
    place = c.Place(ALICE, "XBTUSD", 1, 10, None, "Stop", stop_px=20100)._replace(**change)
    assert refusal(desk.do, place, desk=desk).message == message
    assert desk.events(e.ExecutionEvent) == []
