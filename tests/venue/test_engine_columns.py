"""Columns that images work out when asked, and the audit that must notice what is wrong."""

from __future__ import annotations

import pytest
from engine_kit import ALICE, BOB, HOUSE, REDUCE, SECOND, START, Desk, c, refusal

from bitmex_venue.engine import texts
from bitmex_venue.engine.exchange import Exchange
from bitmex_venue.engine.instruments import specs
from bitmex_venue.engine.liquidation import bankruptcy_ticks


@pytest.fixture
def desk():
    return Desk("modern")


def hold(desk, symbol, qty, price):
    desk.place(HOUSE, -1, qty, price, symbol=symbol)
    desk.place(ALICE, 1, qty, price, symbol=symbol)
    return desk.position(ALICE, symbol)


def test_a_flat_position_has_no_prices(desk):
    desk.buy(ALICE, 100, 9990)
    flat = desk.position(ALICE)
    prices = (flat.avg_entry_price_e8, flat.break_even_price_e8, flat.liquidation_price_e8, flat.bankrupt_price_e8)
    assert prices == (None,) * 4 and not flat.is_open
    assert (flat.unrealised_pnl_pcnt, flat.unrealised_roe_pcnt, flat.home_notional) == (0.0, 0.0, 0.0)
    assert desk.exchange.accounts[BOB].position_image("XBTUSD") is None


def test_notionals_of_a_linear_long(desk):
    held = hold(desk, "XBTUSDT", 1_000_000, 10000)
    assert held.home_notional == 1.0
    assert held.foreign_notional == pytest.approx(-10_000, rel=1e-3)
    assert held.avg_entry_price_e8 == 10_000 * 10**8
    desk.place(ALICE, 1, 1000, 9000, symbol="XBTUSDT")
    desk.place(ALICE, -1, 1000, 11000, symbol="XBTUSDT")
    held = desk.position(ALICE, "XBTUSDT")
    assert (held.open_order_buy_cost, held.open_order_sell_cost) == (9_000_000, -11_000_000)


def test_notionals_of_a_quanto_long(desk):
    held = hold(desk, "ETHUSD", 10, 300)
    assert held.home_notional == 10.0 and held.foreign_notional == pytest.approx(-3000, rel=1e-3)
    assert held.unrealised_cost == 10 * 30_000


def test_the_liquidation_price_is_where_the_account_is_liquidated():
    desk = Desk(balance=160_000_000)
    desk.position_of(ALICE, 1_000_000, 10000)
    price = desk.position(ALICE).liquidation_price_e8 / 10**8
    assert desk.position(ALICE).bankrupt_price_e8 / 10**8 < price < 10_000
    for index, left in ((price + 3, 1_000_000), (price - 3, 0)):
        desk.index(index)
        desk.wait(5 * SECOND)
        assert desk.position(ALICE).current_qty == left


def test_a_price_that_no_market_reaches_is_shown_as_the_end_of_the_scale():
    desk = Desk(balance=10**12)
    for symbol, side, shown in (("XBTUSD", -1, 1_000_000), ("XBTUSD", 1, 0.5), ("XBTUSDT", 1, 0.5)):
        desk.place(HOUSE, -side, 2000, 10000, symbol=symbol)
        desk.place(ALICE, side, 2000, 10000, symbol=symbol)
        assert desk.position(ALICE, symbol).liquidation_price_e8 == shown * 10**8
        desk.place(HOUSE, side, 2000, 10000, symbol=symbol)
        desk.place(ALICE, -side, 2000, 10000, symbol=symbol)


@pytest.mark.parametrize("symbol, side, price", [("XBTUSD", 1, 1_000_000), ("XBTUSDT", -1, 0.5)])
def test_a_position_that_no_price_could_save_is_taken_over_at_the_end_of_the_scale(symbol, side, price):
    desk = Desk()
    desk.place(HOUSE, -side, 2000, 10000, symbol=symbol)
    desk.place(ALICE, side, 2000, 10000, symbol=symbol)
    position = desk.exchange.accounts[ALICE].positions[symbol]
    position.wallet.amount = -(10**14)
    assert bankruptcy_ticks(position) == desk.ticks(price, symbol)
    assert position.image().bankrupt_price_e8 is not None


def test_a_margin_row_of_nothing(desk):
    desk.do(c.OpenAccount(100009))
    empty = desk.margin(100009)
    assert (empty.margin_balance, empty.available_margin, empty.margin_used_pcnt, empty.margin_leverage) == (0, 0, 0.0, 0.0)
    assert empty.risk_value == 0


def test_a_reduce_only_order_is_not_amended_beyond_the_position():
    desk = Desk()
    desk.position_of(ALICE, 10, 10000)
    order = desk.sell(ALICE, 5, 10001, exec_inst=REDUCE)
    desk.amend(order, order_qty=50)
    assert (order.order_qty, order.leaves_qty) == (10, 10)


def test_an_amend_of_a_market_stops_price_is_refused():
    desk = Desk()
    order = desk.buy(ALICE, 5, ord_type="Stop", stop_px=desk.ticks(10100))
    assert refusal(desk.amend, order, 9990, desk=desk).message == "Invalid price"
    assert refusal(desk.amend, order, desk=desk, leaves_qty=10**8).message == "Invalid leavesQty"


def test_reading_an_account_that_is_not_there(desk):
    exchange = desk.exchange
    assert exchange.open_orders(5) == exchange.orders_of(5) == [] and exchange.order_by_cl_ord_id(5, "x") is None
    assert exchange.order("x") is None


def test_an_exchange_refuses_options_it_does_not_know():
    with pytest.raises(ValueError, match="self_trade"):
        Exchange(specs(), START, self_trade="maybe")
    with pytest.raises(ValueError, match="texts"):
        Exchange(specs(), START, texts="baroque")
    assert texts.get("modern").name == "modern"


def test_bulk_amends_of_another_account_are_refused(desk):
    order = desk.buy(ALICE, 100, 9990)
    bad = c.AmendBulk(BOB, (c.Amend(ALICE, order.order_id, price=5),))
    assert refusal(desk.do, bad, desk=desk).message == "Accounts do not match"


def test_time_never_goes_back(desk):
    desk.wait(SECOND)
    desk.exchange.execute(START, c.Advance())
    assert desk.exchange.now == START + SECOND


def test_the_state_does_not_depend_on_how_often_time_is_advanced():
    often, once = Desk(), Desk()
    for desk in (often, once):
        desk.position_of(ALICE, 10, 10000)
        desk.index(10100)
    for _ in range(200):
        often.wait(61 * SECOND)
    once.wait(200 * 61 * SECOND)
    assert often.exchange.digest() == once.exchange.digest()


@pytest.mark.parametrize(
    "spoil, finding",
    [
        (lambda x: setattr(x.accounts[ALICE].positions["XBTUSD"], "current_qty", 11), None),
        (lambda x: setattr(x.accounts[ALICE].wallets["XBt"], "amount", 1), None),
        (lambda x: setattr(x.accounts[ALICE].wallets["XBt"], "realised", 1), "realised of"),
        (lambda x: setattr(x.accounts[ALICE].wallets["XBt"], "init_margin", 1), "order margin of"),
        (lambda x: setattr(x.accounts[ALICE].positions["XBTUSD"], "orders", 9), "order count of"),
        (lambda x: setattr(x.accounts[ALICE].positions["XBTUSD"], "open_buy_qty", 9), "open orders of"),
        (lambda x: setattr(x.books["XBTUSD"].bids, "best", 1), "best of"),
        (lambda x: setattr(x.books["XBTUSD"].bids, "best", 10**6), "crossed"),
        (lambda x: setattr(next(iter(x.books["XBTUSD"].bids.levels.values())), "size", 1), "size of"),
        (lambda x: setattr(x.instruments["XBTUSD"], "open_interest", 1), "open interest"),
    ],
)
def test_the_audit_notices(spoil, finding):
    desk = Desk()
    desk.position_of(ALICE, 10, 10000)
    desk.buy(ALICE, 10, 9990)
    desk.sell(BOB, 10, 10010)
    assert desk.exchange.audit().ok
    spoil(desk.exchange)
    found = desk.exchange.audit()
    assert not found.ok and (finding is None or any(finding in line for line in found.wrong))
