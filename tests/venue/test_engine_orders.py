"""New orders, amends and cancels: what is refused and in which words, and what becomes of the rest (api 3.2 to 3.8)."""

from __future__ import annotations

import pytest
from engine_kit import ALICE, BOB, CLOSE, FOK, HOUSE, IOC, POST, REDUCE, SECOND, Desk, c, e, refusal


@pytest.fixture
def desk():
    return Desk()


@pytest.fixture
def modern():
    return Desk("modern")


# -- new orders --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change, message",
    [
        ({"account_id": 5}, "Invalid account"),
        ({"symbol": "XBTEUR"}, "Invalid symbol"),
        ({"symbol": ".BXBT"}, "Instrument not listed for trading yet"),
        ({"side": 0}, "Invalid side"),
        ({"order_qty": 0}, "Invalid orderQty"),
        ({"order_qty": -5}, "Invalid orderQty"),
        ({"order_qty": None}, "Invalid orderQty"),
        ({"order_qty": 1.5}, "Invalid orderQty"),
        ({"order_qty": 10_000_001}, "Invalid orderQty"),
        ({"price": None}, "Invalid price"),
        ({"price": 0}, "Invalid price"),
        ({"price": 2_000_001}, "Invalid price"),
        ({"ord_type": "Pegged"}, "Unsupported ordType"),
        ({"time_in_force": "AtTheOpening"}, "Unsupported timeInForce"),
        ({"exec_inst": ("AllOrNone",)}, "Unsupported execInst"),
        ({"exec_inst": POST, "time_in_force": IOC}, "Invalid ordType or timeInForce for execInst"),
        ({"exec_inst": POST, "ord_type": "Market"}, "Invalid ordType or timeInForce for execInst"),
        ({"exec_inst": ("MarkPrice",)}, "Invalid ordType for execInst"),
        ({"stop_px": 5}, "Invalid stopPx for ordType"),
        ({"cl_ord_id": "x" * 37}, "Invalid clOrdID"),
    ],
)
def test_a_new_order_is_refused_in_the_words_of_the_venue(desk, change, message):
    place = c.Place(ALICE, "XBTUSD", 1, 10, 20000)._replace(**change)
    assert refusal(desk.do, place, desk=desk).message == message
    assert desk.events() == []


def test_order_quantity_is_a_multiple_of_the_lot(modern):
    assert refusal(modern.buy, ALICE, 150, 10000).message == "Invalid orderQty"


@pytest.mark.parametrize(
    "price, message",
    [(9990.3, "Invalid price tickSize"), ("x", "Invalid price"), (-1, "Invalid price"), (True, "Invalid price"), (10**7, "Invalid price")],
)
def test_a_price_off_the_grid_is_refused(desk, price, message):
    assert refusal(desk.ticks, price, desk=desk).message == message
    assert desk.ticks("9990.5") == 19981 and desk.exchange.instruments["XBTUSD"].spec.price(19981) == 9990.5


def test_a_clordid_may_not_be_used_again(desk):
    order = desk.buy(ALICE, 1, 9990, cl_ord_id="a")
    assert refusal(desk.buy, ALICE, 1, 9990, cl_ord_id="a").message == "Duplicate clOrdID"
    desk.cancel(order)
    assert refusal(desk.buy, ALICE, 1, 9990, cl_ord_id="a").message == "Duplicate clOrdID"
    assert desk.buy(BOB, 1, 9990, cl_ord_id="a").is_open
    assert desk.exchange.order_by_cl_ord_id(ALICE, "a") is order


def test_two_hundred_open_orders_a_symbol_and_no_more(desk):
    for n in range(200):
        desk.buy(ALICE, 1, 9000 + n)
    assert refusal(desk.buy, ALICE, 1, 9990).message == "Too many open orders"
    assert desk.buy(ALICE, 1, 290, symbol="ETHUSD").is_open
    assert desk.buy(BOB, 1, 9990).is_open


def test_no_orders_while_the_market_is_closed_but_cancels(desk):
    order = desk.buy(ALICE, 1, 9990)
    desk.do(c.SetState("XBTUSD", "Closed"))
    assert refusal(desk.buy, ALICE, 1, 9990).message == "Market is not open"
    assert refusal(desk.amend, order, 9991, desk=desk).message == "Market is not open"
    assert desk.cancel(order).error is None


def test_insufficient_balance_names_the_orders_own_requirement(desk):
    refused = refusal(desk.buy, ALICE, 10_000_000, 10000)
    assert refused.message == "Account has insufficient Available Balance, 1150750000 XBt required"
    assert (refused.name, refused.status) == ("ValidationError", 400)


def test_insufficient_balance_in_modern_words(modern):
    refused = refusal(modern.buy, ALICE, 10_000_000, 10000)
    assert refused.message == "Account has insufficient Available Balance, 1100500000 XBt required"
    assert refused.name == "HTTPError"


def test_resting_orders_count_towards_what_is_available():
    desk = Desk(balance=10**8)
    desk.buy(ALICE, 600_000, 10000)
    assert refusal(desk.buy, ALICE, 300_000, 10000).message.startswith("Account has insufficient")
    assert desk.sell(ALICE, 600_000, 10001).is_open  # the other side of a pair costs nothing more


def test_house_accounts_are_not_asked_for_margin_and_have_no_private_events():
    desk = Desk(balance=0)
    desk.buy(HOUSE, 10_000_000, 9990)
    assert not [x for x in desk.events() if isinstance(x, (e.OrderEvent, e.ExecutionEvent, e.PositionEvent, e.MarginEvent))]


def test_the_position_risk_limit_holds():
    desk = Desk(balance=10**13)
    desk.buy(ALICE, 2_000_000, 10000)  # 200 XBT
    refused = refusal(desk.buy, ALICE, 1, 10000)
    assert desk.sell(ALICE, 1_000_000, 10001).is_open
    assert refused.message == "Value of position and orders exceeds position Risk Limit"


def test_events_of_a_new_resting_order_come_in_the_recorded_order(desk):
    desk.buy(ALICE, 10, 9990)
    kinds = [(type(x).__name__, getattr(x, "action", getattr(x, "exec_type", None))) for x in desk.events()]
    assert kinds == [
        ("OrderEvent", "insert"),
        ("ExecutionEvent", "New"),
        ("OrderEvent", "update"),
        ("BookEvent", None),
        ("QuoteEvent", None),
        ("PositionEvent", None),
        ("MarginEvent", None),
    ]


def test_bulk_orders_are_told_together(desk):
    desk.do(c.PlaceBulk(ALICE, tuple(c.Place(ALICE, "XBTUSD", 1, 5, 19980 - n) for n in range(3))))
    told = [x for x in desk.events() if isinstance(x, (e.OrderEvent, e.ExecutionEvent, e.PositionEvent))]
    names = [getattr(x, "action", getattr(x, "exec_type", "position")) for x in told]
    assert names == ["insert"] * 3 + ["New"] * 3 + ["update"] * 3 + ["position"]


def test_bulk_is_all_or_none(desk):
    good = c.Place(ALICE, "XBTUSD", 1, 10, 19980)
    for bad, message in (
        (good._replace(price=0), "Invalid price"),
        (good._replace(order_qty=9_000_000), "Bulk orders: Account has insufficient Available Balance, 1036710675 XBt required"),
        (good._replace(account_id=BOB), "Accounts do not match"),
    ):
        assert refusal(desk.do, c.PlaceBulk(ALICE, (good, bad)), desk=desk).message == message
    twice = good._replace(cl_ord_id="a")
    assert refusal(desk.do, c.PlaceBulk(ALICE, (twice, twice)), desk=desk).message == "Duplicate clOrdID"
    many = (good,) * 201
    assert refusal(desk.do, c.PlaceBulk(ALICE, many), desk=desk).message == "Too many open orders"
    desk.do(c.Withdraw(ALICE, "XBt", 9 * 10**8))
    half = good._replace(order_qty=500_000)
    assert refusal(desk.do, c.PlaceBulk(ALICE, (half, half)), desk=desk).message.startswith("Bulk orders: Account has")
    assert len(desk.do(c.PlaceBulk(ALICE, (good, good._replace(side=-1, price=20020))))) == 2


# -- reduce only and close ---------------------------------------------------------------------------------------------


def test_reduce_only_needs_a_position_on_the_other_side(desk):
    refused = refusal(desk.sell, ALICE, 5, 10000, exec_inst=REDUCE)
    assert refused.message == "Order had execInst of ReduceOnly and side of Sell but current position is 0"
    desk.position_of(ALICE, 10, 10000)
    refused = refusal(desk.buy, ALICE, 5, 10000, exec_inst=REDUCE)
    assert refused.message == "Order had execInst of ReduceOnly and side of Buy but current position is 10"


def test_reduce_only_is_no_larger_than_the_position(desk):
    desk.position_of(ALICE, 10, 10000)
    assert desk.sell(ALICE, 50, 10001, exec_inst=REDUCE).order_qty == 10


def test_reduce_only_is_trimmed_and_cancelled_as_the_position_shrinks(desk):
    desk.position_of(ALICE, 10, 10000)
    order = desk.sell(ALICE, 10, 10001, exec_inst=REDUCE)
    desk.buy(HOUSE, 6, 9999)
    desk.sell(ALICE, 6, 9999)
    assert (order.order_qty, order.leaves_qty) == (4, 4)
    desk.buy(HOUSE, 4, 9999)
    desk.sell(ALICE, 4, 9999)
    assert order.ord_status == "Canceled"
    assert order.text.startswith("Canceled: Order had execInst of ReduceOnly and side of Sell but current position is 0\n")
    assert desk.exchange.audit().ok


def test_reduce_only_never_turns_the_position(desk):
    desk.position_of(ALICE, 10, 10000)
    desk.buy(HOUSE, 100, 9999)
    orders = [desk.sell(ALICE, 10, 10001, exec_inst=REDUCE) for _ in range(3)]
    desk.buy(HOUSE, 100, 10001)
    assert desk.position(ALICE).current_qty == 0
    assert [o.ord_status for o in orders] == ["Filled", "Canceled", "Canceled"]


def test_reduce_only_needs_no_margin():
    desk = Desk(balance=12 * 10**5)
    desk.position_of(ALICE, 10000, 10000)
    assert desk.margin(ALICE).available_margin < 10**6
    assert desk.sell(ALICE, 10000, 10000.5, exec_inst=REDUCE).is_open


def test_close_alone_is_a_market_close_of_the_whole_position(desk):
    desk.position_of(ALICE, 10, 10000)
    desk.buy(HOUSE, 30, 9990)
    order = desk.do(c.Place(ALICE, "XBTUSD", 0, None, None, "Market", exec_inst=CLOSE))
    assert (order.side, order.order_qty, order.ord_status) == (-1, 10, "Filled")
    assert desk.position(ALICE).current_qty == 0
    refused = refusal(desk.do, c.Place(ALICE, "XBTUSD", 0, None, None, "Market", exec_inst=CLOSE), desk=desk)
    assert refused.message == "Order had execInst of Close and side of Buy but current position is 0"


def test_close_cancels_other_orders_of_its_side_as_needed_newest_first(desk):
    desk.position_of(ALICE, 10, 10000)
    old, new = desk.sell(ALICE, 4, 10010), desk.sell(ALICE, 4, 10011)
    order = desk.do(c.Place(ALICE, "XBTUSD", -1, 5, desk.ticks(10005), exec_inst=CLOSE))
    assert (old.is_open, new.ord_status, order.leaves_qty) == (True, "Canceled", 5)


# -- amends ------------------------------------------------------------------------------------------------------------


def test_amends_are_refused_in_the_words_of_the_venue(desk):
    order = desk.buy(ALICE, 10, 9990, cl_ord_id="mine")
    desk.buy(ALICE, 10, 9990, cl_ord_id="taken")
    ticks = desk.ticks(9990)

    def said(**fields):
        return refusal(desk.do, c.Amend(ALICE, **fields), desk=desk).message

    assert said(order_id="x", price=5) == "Invalid orderID"
    assert said(orig_cl_ord_id="x", price=5) == "Invalid origClOrdID"
    assert said(price=5) == "orderID or origClOrdID must be sent."
    same = "Invalid amend: orderQty, leavesQty, price, stopPx unchanged"
    assert said(order_id=order.order_id) == same
    assert said(order_id=order.order_id, price=ticks, order_qty=10) == same
    assert said(order_id=order.order_id, leaves_qty=10) == same
    assert said(order_id=order.order_id, price=0) == "Invalid price"
    assert said(order_id=order.order_id, order_qty=-1) == "Invalid orderQty"
    assert said(order_id=order.order_id, order_qty=5, leaves_qty=5) == "Invalid leavesQty"
    assert said(order_id=order.order_id, leaves_qty=-5) == "Invalid leavesQty"
    assert said(order_id=order.order_id, stop_px=5) == "Invalid stopPx for ordType"
    assert said(order_id=order.order_id, price=5, cl_ord_id="new") == "Invalid origClOrdID"
    assert said(orig_cl_ord_id="mine", price=5, cl_ord_id="taken") == "Duplicate clOrdID"
    assert said(order_id=order.order_id, order_qty=9_999_999).startswith("Account has insufficient Available Balance,")
    assert refusal(desk.do, c.Amend(BOB, order.order_id, price=5), desk=desk).message == "Invalid orderID"


@pytest.mark.parametrize("texts, message", [("classic", "Invalid ordStatus"), ("modern", "Invalid ordStatus: Canceled")])
def test_amending_a_terminal_order_is_refused(texts, message):
    desk = Desk(texts)
    order = desk.buy(ALICE, 100, 9990)
    desk.cancel(order)
    assert refusal(desk.amend, order, 9980, desk=desk).message == message


def test_leaves_qty_sets_what_is_still_to_fill(desk):
    order = desk.buy(ALICE, 10, 10000)
    desk.sell(BOB, 4, 10000)
    desk.amend(order, leaves_qty=20)
    assert (order.order_qty, order.cum_qty, order.leaves_qty) == (24, 4, 20)
    desk.amend(order, order_qty=9)
    assert (order.order_qty, order.cum_qty, order.leaves_qty) == (9, 4, 5)


@pytest.mark.parametrize("amend", [{"order_qty": 3}, {"order_qty": 4}, {"leaves_qty": 0}])
def test_order_qty_at_or_below_what_is_filled_ends_the_order(desk, amend):
    order = desk.buy(ALICE, 10, 10000)
    desk.sell(BOB, 4, 10000)
    desk.amend(order, **amend)
    assert (order.ord_status, order.leaves_qty, order.cum_qty) == ("Canceled", 0, 4)
    assert desk.book() == [[], []] and desk.exchange.audit().ok


@pytest.mark.parametrize(
    "texts, text",
    [
        ("classic", "Amended orderQty price: Amended via API.\nSubmitted via API."),
        ("modern", "Amended orderQty price\nSubmitted via API."),
    ],
)
def test_text_of_an_amend_names_what_changed(texts, text):
    desk = Desk(texts)
    order = desk.buy(ALICE, 1000, 9990)
    desk.amend(order, 9989, order_qty=2000)
    desk.amend(order, 9988, order_qty=1000)
    assert order.text == text


@pytest.mark.parametrize("texts, moves", [("classic", False), ("modern", True)])
def test_transact_time_moves_with_amends_and_in_the_modern_era_with_cancels_too(texts, moves):
    desk = Desk(texts)
    order = desk.buy(ALICE, 1000, 9990)
    desk.now += SECOND
    desk.events()
    desk.amend(order, 9989)
    (row,) = desk.events(e.OrderEvent)
    assert order.timestamp == order.transact_time == row.columns["transact_time"] == desk.now
    desk.now += SECOND
    desk.cancel(order)
    assert order.timestamp == desk.now and (order.transact_time == desk.now) is moves


def test_an_amend_by_client_id_may_rename_the_order(desk):
    order = desk.buy(ALICE, 10, 9990, cl_ord_id="old")
    desk.do(c.Amend(ALICE, orig_cl_ord_id="old", cl_ord_id="new", price=19990))
    assert (order.cl_ord_id, order.price) == ("new", 19990)
    assert desk.exchange.order_by_cl_ord_id(ALICE, "new") is order
    assert desk.exchange.order_by_cl_ord_id(ALICE, "old") is None


def test_a_filled_order_can_be_brought_back_within_sixty_seconds(desk):
    order = desk.buy(ALICE, 10, 10000)
    desk.sell(BOB, 10, 10000)
    desk.now += 60 * SECOND
    desk.amend(order, leaves_qty=5)
    assert (order.ord_status, order.order_qty, order.leaves_qty, order.cum_qty) == ("PartiallyFilled", 15, 5, 10)
    desk.sell(BOB, 5, 10000)
    desk.now += 61 * SECOND
    assert refusal(desk.amend, order, desk=desk, leaves_qty=5).message == "Invalid ordStatus"
    assert desk.exchange.audit().ok


def test_bulk_amend_is_all_or_none(desk):
    one, two = desk.buy(ALICE, 10, 9990), desk.buy(ALICE, 10, 9980)
    first = c.Amend(ALICE, one.order_id, price=19981)
    for bad, message in (
        (c.Amend(ALICE, "x", price=1), "Invalid orderID"),
        (c.Amend(ALICE, two.order_id, order_qty=9_999_999), "Bulk orders: Account has insufficient"),
        (first, "Duplicate orderID"),
    ):
        assert refusal(desk.do, c.AmendBulk(ALICE, (first, bad)), desk=desk).message.startswith(message)
    assert desk.do(c.AmendBulk(ALICE, (first, c.Amend(ALICE, two.order_id, order_qty=5)))) == [one, two]
    assert (one.price, two.order_qty) == (19981, 5)


def test_an_amend_in_bulk_of_an_order_that_an_earlier_one_filled_leaves_it(desk):
    one, two = desk.buy(ALICE, 10, 9990), desk.sell(ALICE, 10, 10000)
    desk.do(c.AmendBulk(ALICE, (c.Amend(ALICE, one.order_id, price=20000), c.Amend(ALICE, two.order_id, price=20010))))
    assert (one.ord_status, two.ord_status) == ("Filled", "Filled")
    assert desk.exchange.audit().ok


# -- cancels -----------------------------------------------------------------------------------------------------------


def test_a_cancel_answers_each_id_in_order_with_an_error_where_there_is_nothing_to_cancel(desk):
    one, two = desk.buy(ALICE, 10, 9990), desk.buy(ALICE, 10, 9990, cl_ord_id="b")
    filled = desk.buy(ALICE, 10, 10000)
    desk.sell(BOB, 10, 10000)
    theirs = desk.buy(BOB, 10, 9990)
    desk.do(c.Cancel(ALICE, (two.order_id,)))
    rows = desk.do(c.Cancel(ALICE, (two.order_id, filled.order_id, "x", theirs.order_id, one.order_id), ("b",)))
    unknown = "Unable to cancel order: Not found or not owned by user"
    assert [r.error for r in rows] == [
        "Unable to cancel order due to existing state: Canceled",
        "Unable to cancel order due to existing state: Filled",
        unknown,
        unknown,
        None,
        "Unable to cancel order due to existing state: Canceled",
    ]
    assert [r.order for r in rows] == [two, filled, None, None, one, two]
    assert one.text == "Canceled: Canceled via API.\nSubmitted via API."
    assert refusal(desk.do, c.Cancel(ALICE), desk=desk).status == 400


def test_a_cancel_in_modern_words(modern):
    order = modern.buy(ALICE, 100, 9990)
    assert modern.cancel(order).error is None and order.text == "Canceled\nCanceled via API."
    assert modern.cancel(order).error == "Unable to cancel order"


def test_events_of_a_cancel(desk):
    order = desk.buy(ALICE, 10, 9990)
    desk.events()
    desk.cancel(order)
    execution, row, *_ = found = desk.events()
    assert execution.exec_type == "Canceled"
    assert {k: row.columns[k] for k in ("ord_status", "working", "leaves_qty", "text")} == {
        "ord_status": "Canceled", "working": False, "leaves_qty": 0, "text": order.text,
    }  # fmt: skip
    assert found[-1].image.init_margin == 0


def test_cancel_all_of_a_symbol_or_a_side(desk):
    buy, sell = desk.buy(ALICE, 1, 9990), desk.sell(ALICE, 1, 10010)
    other = desk.buy(ALICE, 1, 290, symbol="ETHUSD")
    assert desk.do(c.CancelAll(ALICE, "XBTUSD", -1)) == [sell]
    assert desk.do(c.CancelAll(ALICE, "XBTUSD")) == [buy]
    assert desk.do(c.CancelAll(ALICE)) == [other]
    assert desk.do(c.CancelAll(ALICE)) == []
    assert refusal(desk.do, c.CancelAll(ALICE, "NOPE"), desk=desk).message == "Invalid symbol"


def test_cancel_all_after_is_one_timer_replaced_by_each_call_and_disarmed_by_zero(desk):
    order = desk.buy(ALICE, 1, 9990)
    assert desk.do(c.CancelAllAfter(ALICE, 5000)) == (desk.now, desk.now + 5 * SECOND)
    desk.wait(4 * SECOND)
    desk.do(c.CancelAllAfter(ALICE, 5000))
    desk.wait(4 * SECOND)
    assert order.is_open
    desk.do(c.CancelAllAfter(ALICE, 1500))
    desk.wait(SECOND)
    assert desk.do(c.CancelAllAfter(ALICE, 0)) == (desk.now, None)
    desk.wait(60 * SECOND)
    assert order.is_open
    desk.do(c.CancelAllAfter(ALICE, 1500))
    due = desk.now + 1_500_000_000
    desk.wait(10 * SECOND)
    assert order.ord_status == "Canceled" and order.timestamp == due
    assert refusal(desk.do, c.CancelAllAfter(ALICE, -1), desk=desk).message == "Invalid timeout"


def test_ended_orders_are_remembered_up_to_a_number(desk):
    small = Desk(kept=5)
    orders = [small.buy(ALICE, 1, 9990, cl_ord_id=str(n), time_in_force=FOK) for n in range(8)]
    assert [small.exchange.order(o.order_id) is o for o in orders] == [False] * 3 + [True] * 5
    assert len(small.exchange.orders_of(ALICE)) == 5 and small.exchange.order_by_cl_ord_id(ALICE, "0") is None
    assert small.buy(ALICE, 1, 9990, cl_ord_id="0").cl_ord_id == "0"


def test_house_orders_are_not_remembered_without_end():
    desk = Desk()
    for _ in range(500):
        desk.cancel(desk.buy(HOUSE, 1, 9990))
    assert len(desk.exchange.orders) == 50


def test_unknown_commands_are_an_error_of_the_programmer(desk):
    with pytest.raises(TypeError):
        desk.do("hello")
