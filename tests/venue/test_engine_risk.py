"""Liquidation, insurance, risk limits, isolated margin, settlement, changed fees (api 4.5, issue 3)."""

from __future__ import annotations

import pytest
from engine_kit import ALICE, BOB, HOUR, HOUSE, SECOND, Desk, c, e, refusal

from bitmex_venue.engine.liquidation import ENGINE_ACCOUNT
from bitmex_venue.engine.timers import MIDNIGHT, SETTLE


def ruined(texts="classic", bid=9895):
    """Alice holds 1,000,000 contracts from 10,000 on 1.6 XBT, and the index falls to 9,890."""
    desk = Desk(texts, balance=160_000_000)
    desk.position_of(ALICE, 1_000_000, 10000)
    desk.order = desk.buy(ALICE, 100, 9000)
    if bid:
        desk.buy(HOUSE, 2_000_000, bid)
    desk.events()
    desk.index(9890)
    desk.wait(5 * SECOND)
    return desk


@pytest.mark.parametrize("texts, fee", [("classic", 7_608_000), ("modern", 0)])
def test_a_position_short_of_maintenance_is_taken_over_at_its_bankruptcy_price_after_its_orders_are_cancelled(texts, fee):
    desk = ruined(texts)
    assert desk.order.text == "Canceled: Cancel from Liquidation\nSubmitted via API."
    held = desk.position(ALICE)
    assert held.current_qty == 0
    assert 0 <= desk.margin(ALICE).margin_balance < 160_000_000 // 50
    rows = [x for x in desk.events(e.ExecutionEvent) if x.exec_type == "Trade"]
    assert [(x.order.account_id, x.order.text, x.last_qty, x.exec_comm) for x in rows] == [(ALICE, "Liquidation", 1_000_000, fee)]
    assert desk.exchange.audit().ok


def test_an_account_never_owes_money_for_a_liquidation():
    desk = ruined(bid=9000)
    assert desk.margin(ALICE).margin_balance >= 0
    assert desk.position(ENGINE_ACCOUNT).current_qty == 1_000_000
    desk.index(5000)
    desk.wait(5 * SECOND)
    assert desk.margin(ALICE).margin_balance >= 0 and desk.exchange.audit().ok


@pytest.mark.parametrize("balance", range(130_000_000, 190_000_000, 7_654_321))
@pytest.mark.parametrize("side", [1, -1])
def test_however_the_value_of_a_lot_is_rounded_the_take_over_leaves_no_debt(balance, side):
    desk = Desk(balance=balance)
    desk.position_of(ALICE, side * 1_000_000, 10000)
    desk.index(10000 - side * 600)
    desk.wait(5 * SECOND)
    assert desk.position(ALICE).current_qty == 0
    assert 0 <= desk.margin(ALICE).margin_balance < 1_600_000 and desk.exchange.audit().ok


def test_an_isolated_position_whose_margin_funding_has_eaten_leaves_no_debt_either():
    desk = Desk(balance=110_000_000)
    desk.do(c.SetLeverage(ALICE, "XBTUSD", 10_000))
    desk.position_of(ALICE, 900_000, 10000)
    desk.do(c.Withdraw(ALICE, "XBt", desk.margin(ALICE).withdrawable_margin))
    desk.exchange.instruments["XBTUSD"].funding_rate_e8 = 300_000
    desk.wait(8 * HOUR)  # 20:00
    assert desk.exchange.funding.pool["XBt"] == 0 and desk.position(ALICE).realised_pnl < -20_000_000
    desk.index(9000)
    desk.wait(5 * SECOND)
    assert desk.position(ALICE).current_qty == 0
    assert desk.margin(ALICE).margin_balance >= 0 and desk.exchange.audit().ok


def test_what_the_take_over_gains_is_the_insurance_funds():
    desk = ruined(bid=9895)
    assert desk.position(ENGINE_ACCOUNT).current_qty == 0
    assert desk.exchange.insurance["XBt"] > 0
    told = desk.events()
    assert [x.action for x in told if isinstance(x, e.LiquidationEvent)] == ["insert", "delete"]
    assert [x.balance for x in told if isinstance(x, e.InsuranceEvent)] == [desk.exchange.insurance["XBt"]]
    assert desk.exchange.audit().ok


def test_what_cannot_be_sold_at_the_bankruptcy_price_rests_there_and_is_told():
    desk = ruined(bid=None)
    (order,) = desk.exchange.open_orders(ENGINE_ACCOUNT)
    assert order.side == -1 and order.leaves_qty == 1_000_000
    desk.events()
    desk.buy(HOUSE, 400_000, 10000)
    desk.buy(HOUSE, 600_000, 10000)
    assert [(x.action, x.leaves_qty) for x in desk.events(e.LiquidationEvent)] == [("update", 600_000), ("delete", 0)]
    desk.wait(5 * SECOND)
    assert "XBt" in desk.exchange.insurance and desk.exchange.audit().ok


def test_what_the_engine_has_and_no_longer_offers_is_offered_again():
    desk = ruined(bid=None)
    for command in (c.ClearGrid, c.SetGrid):
        desk.do(command("XBTUSD", 10**8, 1))
    assert desk.exchange.open_orders(ENGINE_ACCOUNT) == []
    desk.wait(5 * SECOND)
    (order,) = desk.exchange.open_orders(ENGINE_ACCOUNT)
    assert (order.side, order.leaves_qty) == (-1, 1_000_000)
    told = [(x.action, x.leaves_qty) for x in desk.events(e.LiquidationEvent)]
    assert told == [("insert", 1_000_000), ("delete", 0), ("insert", 1_000_000)]
    desk.buy(HOUSE, 1_000_000, 10000)
    desk.wait(5 * SECOND)
    assert "XBt" in desk.exchange.insurance and desk.exchange.audit().ok


def test_a_sound_account_is_left_alone():
    desk = Desk()
    desk.position_of(ALICE, 1_000_000, 10000)
    desk.index(9500)
    desk.wait(5 * SECOND)
    assert desk.position(ALICE).current_qty == 1_000_000 and desk.exchange.liquidation.taken == 0


def test_a_short_is_liquidated_when_the_price_rises():
    desk = Desk(balance=160_000_000)
    desk.position_of(ALICE, -1_000_000, 10000)
    desk.index(10130)
    desk.wait(5 * SECOND)
    assert desk.position(ALICE).current_qty == 0 and desk.margin(ALICE).margin_balance >= 0
    assert desk.exchange.audit().ok


def test_an_isolated_position_stands_alone():
    desk = Desk()
    desk.do(c.SetLeverage(ALICE, "XBTUSD", 10_000))
    desk.position_of(ALICE, 1_000_000, 10000)
    kept = desk.buy(ALICE, 10, 250, symbol="ETHUSD")
    desk.index(9930)
    desk.wait(5 * SECOND)
    assert desk.position(ALICE).current_qty == 0 and kept.is_open
    lost = 10**9 - desk.margin(ALICE).margin_balance
    assert 100_000_000 < lost < 125_000_000
    assert desk.exchange.audit().ok


def test_margin_can_be_moved_into_an_isolated_position_and_out_again():
    desk = Desk()
    refused = refusal(desk.do, c.TransferMargin(ALICE, "XBTUSD", 5), desk=desk)
    assert refused.message == "Position is not isolated"
    desk.do(c.SetLeverage(ALICE, "XBTUSD", 10_000))
    desk.position_of(ALICE, 1_000_000, 10000)
    free = desk.margin(ALICE).available_margin
    desk.do(c.TransferMargin(ALICE, "XBTUSD", 100_000_000))
    held = desk.position(ALICE)
    assert held.margin.cross == 100_000_000
    assert desk.margin(ALICE).available_margin == free - 100_000_000 - 75_000
    desk.index(9930)
    desk.wait(5 * SECOND)
    assert desk.position(ALICE).current_qty == 1_000_000
    desk.index(10000)
    desk.wait(5 * SECOND)
    for amount in (-100_000_001, 0):
        assert refusal(desk.do, c.TransferMargin(ALICE, "XBTUSD", amount), desk=desk).message == "Invalid amount"
    assert refusal(desk.do, c.TransferMargin(ALICE, "XBTUSD", 10**12), desk=desk).message.startswith("Account has insufficient")
    desk.do(c.TransferMargin(ALICE, "XBTUSD", -100_000_000))
    assert desk.margin(ALICE).available_margin == free


def test_a_higher_risk_limit_asks_for_more_margin():
    desk = Desk(balance=10**11)
    desk.buy(ALICE, 1_000_000, 10000)
    before = desk.position(ALICE)
    desk.do(c.SetRiskLimit(ALICE, "XBTUSD", 40_000_000_000))
    after = desk.position(ALICE)
    assert (after.init_req_e8, after.maint_req_e8) == (2_000_000, 1_500_000)
    assert after.init_margin > before.init_margin and desk.exchange.audit().ok
    assert desk.buy(ALICE, 2_500_000, 10000).is_open
    for limit in (1, 10**15, None):
        assert refusal(desk.do, c.SetRiskLimit(ALICE, "XBTUSD", limit), desk=desk).message == "Invalid riskLimit"
    lower = refusal(desk.do, c.SetRiskLimit(ALICE, "XBTUSD", 20_000_000_000), desk=desk)
    assert lower.message == "Value of position and orders exceeds position Risk Limit"


def test_a_risk_limit_that_cannot_be_paid_for_is_refused():
    desk = Desk(balance=116_000_000)
    desk.buy(ALICE, 1_000_000, 10000)
    refused = refusal(desk.do, c.SetRiskLimit(ALICE, "XBTUSD", 120_000_000_000), desk=desk)
    assert refused.message.startswith("Account has insufficient")
    assert desk.exchange.audit().ok


def test_the_dated_future_settles_at_the_index_and_takes_no_orders_afterwards():
    desk = Desk()
    symbol = "XBTZ30"
    for account, side in ((HOUSE, -1), (ALICE, 1)):
        desk.place(account, side, 1000, 10000, symbol=symbol)
    order = desk.place(BOB, 1, 5, 9000, symbol=symbol)
    spec = desk.exchange.instruments[symbol].spec
    timers = desk.exchange.timers  # ten years of marks are not what is tested
    timers.queue[:] = [timer for timer in timers.queue if timer[1] == SETTLE] + [(spec.expiry + 1, MIDNIGHT, "")]
    timers.next = spec.expiry
    desk.index(12500)
    desk.now = spec.expiry
    desk.wait(0)
    instrument, held = desk.exchange.instruments[symbol], desk.position(ALICE, symbol)
    assert (instrument.state, instrument.settled_price_e8, instrument.open_interest) == ("Settled", 12500 * 10**8, 0)
    assert held.current_qty == 0 and order.ord_status == "Canceled"
    assert desk.margin(ALICE).amount == 10**9 + 2_000_000 - 7500 - 4000
    told = desk.events()
    assert [x.price_e8 for x in told if isinstance(x, e.SettlementEvent)] == [12500 * 10**8]
    (row,) = [x for x in told if isinstance(x, e.ExecutionEvent) and x.exec_type == "Settlement"]
    assert (row.last_qty, row.exec_cost, row.exec_comm) == (1000, 8_000_000, 4000)
    assert desk.exchange.audit().ok
    assert refusal(desk.place, ALICE, 1, 5, 9000, symbol=symbol).message == "Instrument expired"
    assert [x.symbol for x in told if isinstance(x, e.ListingEvent)] == ["XBTH31"]
    following = desk.exchange.instruments["XBTH31"]
    assert (following.state, following.mark_e8, following.spec.listing) == ("Open", 12500 * 10**8, spec.expiry)
    for account, side in ((HOUSE, -1), (ALICE, 1)):
        desk.place(account, side, 1000, 12500, symbol="XBTH31")
    assert desk.position(ALICE, "XBTH31").current_qty == 1000 and desk.exchange.audit().ok
    assert (following.spec.expiry, SETTLE, "XBTH31") in timers.queue


@pytest.mark.parametrize("state", ["Open", "Closed"])
def test_who_cannot_pay_for_a_settlement_is_liquidated_at_its_price_and_the_fund_pays(state):
    desk = Desk(balance=160_000_000)
    symbol = "XBTZ30"
    for account, side in ((HOUSE, -1), (ALICE, 1)):
        desk.place(account, side, 1_000_000, 10000, symbol=symbol)
    spec, timers = desk.exchange.instruments[symbol].spec, desk.exchange.timers
    timers.queue[:] = [timer for timer in timers.queue if timer[1] == SETTLE] + [(spec.expiry + 1, MIDNIGHT, "")]
    timers.next = spec.expiry
    desk.do(c.SetState(symbol, state))
    desk.index(9000)
    desk.events()
    desk.now = spec.expiry
    desk.wait(0)
    assert desk.exchange.instruments[symbol].state == "Settled" and not desk.exchange.open_orders(ENGINE_ACCOUNT)
    assert 0 <= desk.margin(ALICE).margin_balance < 1_100_000 and desk.exchange.insurance["XBt"] < -900_000_000
    told = desk.events()
    assert [x.action for x in told if isinstance(x, e.LiquidationEvent)] == ["insert", "delete"]
    assert [x.balance for x in told if isinstance(x, e.InsuranceEvent)][-1] == desk.exchange.insurance["XBt"]
    assert desk.exchange.audit().ok


def test_changed_fees_hold_for_later_fills_and_for_margin():
    desk = Desk()
    desk.buy(ALICE, 1000, 10000)
    desk.do(c.SetFees("XBTUSD", 10_000, 20_000))
    assert desk.position(ALICE).init_margin == 100_000 + 2_000 + 2_020
    desk.sell(BOB, 1000, 10000)
    assert desk.position(ALICE).current_comm == 1000 and desk.position(BOB).current_comm == 2000
    assert refusal(desk.do, c.SetFees("XBTUSD", 10**8, 0), desk=desk).message == "Invalid fee"
    assert refusal(desk.do, c.SetFees("NOPE", 0, 0), desk=desk).message == "Invalid symbol"
    assert desk.exchange.audit().ok
