"""Money and positions: what fills, funding, sweeps, leverage and withdrawals do to an account (api 4.3 to 4.5)."""

from __future__ import annotations

import random
from datetime import datetime, timezone
from fractions import Fraction

import pytest
from engine_kit import ALICE, BOB, HOUR, HOUSE, SECOND, START, Desk, c, e, refusal
from naive import NaivePosition

from bitmex_venue.engine.funding import next_funding, rate_from_premium
from bitmex_venue.engine.instruments import next_quarter, specs


@pytest.fixture
def desk():
    return Desk()


def test_an_inverse_long_earns_when_the_price_rises(desk):
    desk.position_of(ALICE, 1000, 10000)
    held = desk.position(ALICE)
    assert (held.current_qty, held.pos_cost, held.current_comm) == (1000, -10_000_000, 7500)
    desk.position_of(ALICE, -1000, 12500)
    flat = desk.position(ALICE)
    assert (flat.current_qty, flat.pos_cost, flat.is_open, flat.avg_entry_price_e8) == (0, 0, False, None)
    assert flat.realised_pnl == 10_000_000 - 8_000_000 - 7500 - 6000
    assert desk.margin(ALICE).wallet_balance == 10**9 + flat.realised_pnl


def test_linear_and_quanto_longs_earn_when_the_price_rises(desk):
    for symbol, qty, low, high, profit in (("XBTUSDT", 1000, 10000, 11000, 10**6), ("ETHUSD", 10, 300, 310, 10 * 1000)):
        for side, price in ((1, low), (-1, high)):
            desk.place(HOUSE, -side, qty, price, symbol=symbol)
            desk.place(ALICE, side, qty, price, symbol=symbol)
        held = desk.position(ALICE, symbol)
        assert held.realised_pnl + held.current_comm == profit
    assert desk.margin(ALICE, "USDt").wallet_balance == 10**12 + 10**6 - 7500 - 8250


def test_cost_released_is_proportional_and_the_average_stays(desk):
    desk.position_of(ALICE, 2, 6378)
    desk.position_of(ALICE, 1, 6360.5)
    before = desk.position(ALICE)
    assert before.pos_cost == -2 * 15679 - 15722
    desk.position_of(ALICE, -1, 6400)
    assert desk.position(ALICE).pos_cost == before.pos_cost + round(Fraction(-before.pos_cost, 3))


def test_a_flip_is_a_full_close_and_then_an_opening_at_the_fill_price(desk):
    desk.position_of(ALICE, 10, 10000)
    desk.position_of(ALICE, -25, 8000)
    held = desk.position(ALICE)
    assert (held.current_qty, held.pos_cost) == (-15, 15 * 12500)
    assert held.realised_pnl + held.current_comm == 10 * 10000 - 10 * 12500


def test_open_interest_is_the_sum_of_the_longs(desk):
    desk.position_of(ALICE, 10, 10000)
    desk.position_of(BOB, -4, 10000)
    assert desk.exchange.instruments["XBTUSD"].open_interest == 10
    desk.position_of(ALICE, -10, 10000)
    assert desk.exchange.instruments["XBTUSD"].open_interest == 4


def test_maker_rebate_and_taker_fee_go_through_the_fees_account(desk):
    desk.sell(BOB, 1000, 10000)
    desk.buy(ALICE, 1000, 10000)
    assert desk.position(BOB).current_comm == -2500 and desk.position(ALICE).current_comm == 7500
    assert desk.exchange.fees["XBt"] == 5000


def test_unrealised_profit_follows_the_mark_without_a_command_of_the_account(desk):
    desk.position_of(ALICE, 1000, 10000)
    desk.index(12500)
    desk.wait(5 * SECOND)
    image = desk.margin(ALICE)
    mark = desk.exchange.instruments["XBTUSD"].mark_e8
    assert abs(mark - 12500 * 10**8) < 12500 * 10**8 * 0.0001
    assert image.unrealised_pnl == 10_000_000 - 1000 * round(10**16 / mark)


@pytest.mark.parametrize("texts, shared", [("classic", False), ("modern", True)])
def test_unrealised_profit_is_margin_only_where_the_era_shares_it(texts, shared):
    desk = Desk(texts)
    desk.position_of(ALICE, 1_000_000, 10000)
    before = desk.margin(ALICE).available_margin
    desk.index(11000)
    desk.wait(5 * SECOND)
    assert desk.margin(ALICE).unrealised_pnl > 9 * 10**8
    assert (desk.margin(ALICE).available_margin > before + 8 * 10**8) is shared
    desk.index(9700)
    desk.wait(5 * SECOND)
    assert desk.margin(ALICE).available_margin < before - 2 * 10**8


def test_marks_are_refreshed_every_five_seconds_and_open_positions_told(desk):
    desk.position_of(ALICE, 1000, 10000)
    desk.events()
    desk.index(10100)
    assert desk.exchange.instruments["XBTUSD"].mark_e8 < 10002 * 10**8
    at = desk.exchange.next_timer()
    assert at % (5 * SECOND) == 0 and at - desk.now <= 5 * SECOND
    desk.wait(5 * SECOND)
    found = desk.events()
    marks = [x for x in found if isinstance(x, e.InstrumentEvent) and "mark_e8" in x.columns and x.symbol == "XBTUSD"]
    assert marks and marks[0].time == at
    told = [x for x in found if isinstance(x, e.PositionEvent)]
    assert [x.account_id for x in told] == [ALICE] and told[0].image.mark_e8 == marks[0].columns["mark_e8"]


def test_the_mark_is_the_index_and_the_funding_still_to_come(desk):
    instrument = desk.exchange.instruments["XBTUSD"]
    desk.wait(5 * SECOND)
    left = instrument.funding_timestamp - desk.now // (5 * SECOND) * 5 * SECOND
    basis = Fraction(instrument.funding_rate_e8 * left, 8 * HOUR)
    assert abs(instrument.mark_e8 - 10000 * (10**8 + basis)) <= 10**6


def test_funding_is_due_at_four_twelve_and_twenty_utc():
    due = next_funding(START, 8 * HOUR)
    times = [due + n * 8 * HOUR for n in range(3)]
    assert [datetime.fromtimestamp(t // SECOND, timezone.utc).hour for t in times] == [20, 4, 12]
    assert next_funding(due, 8 * HOUR) == due + 8 * HOUR and next_funding(due - 1, 8 * HOUR) == due


@pytest.mark.parametrize("rate, long_pays", [(10_000, True), (-7_531, False)])
def test_with_a_positive_rate_longs_pay_shorts_and_the_pool_takes_what_rounding_leaves(desk, rate, long_pays):
    desk.position_of(ALICE, 1001, 10000)
    instrument = desk.exchange.instruments["XBTUSD"]
    instrument.funding_rate_e8 = rate
    desk.now = instrument.funding_timestamp - 1
    desk.wait(0)
    desk.events()
    before = desk.margin(ALICE).wallet_balance
    desk.wait(1)
    (row,) = [x for x in desk.events(e.ExecutionEvent) if x.exec_type == "Funding"]
    notional = 1001 * instrument.mark_lot_value
    assert row.exec_comm == (1 if long_pays else -1) * (notional * abs(rate) // 10**8)
    assert (row.exec_cost, row.last_qty, row.commission_e8) == (-notional, 1001, rate)
    assert desk.margin(ALICE).wallet_balance == before - row.exec_comm
    assert desk.position(ALICE).current_qty == 1001
    assert desk.exchange.audit().ok


def test_the_next_funding_rate_is_the_premium_and_a_clamped_interest_term(desk):
    instrument = desk.exchange.instruments["XBTUSD"]
    desk.buy(HOUSE, 10, 10030)
    desk.sell(HOUSE, 10, 10030.5)
    desk.wait(60 * SECOND)
    premium = round(instrument.premium_sum / instrument.premium_count)
    assert premium == pytest.approx(302_500, abs=2)
    assert rate_from_premium(instrument) == premium - 50_000
    instrument.premium_sum *= 10
    assert rate_from_premium(instrument) == 375_000  # the cap


def test_the_indicative_rate_becomes_the_rate(desk):
    instrument = desk.exchange.instruments["XBTUSD"]
    instrument.indicative_funding_rate_e8 = 4321
    desk.now = instrument.funding_timestamp
    desk.wait(0)
    assert instrument.funding_rate_e8 == 4321
    assert desk.events(e.FundingEvent)[0].rate_e8 == 10_000


def test_classic_realised_profit_moves_to_the_wallet_at_noon(desk):
    desk.position_of(ALICE, 1000, 10000)
    desk.position_of(ALICE, -1000, 12500)
    desk.events()
    realised = desk.position(ALICE).realised_pnl
    assert desk.margin(ALICE).amount == 10**9
    desk.wait(24 * HOUR)
    (line,) = desk.events(e.WalletEvent)
    assert (line.kind, line.amount, line.address) == ("RealisedPNL", realised, "XBTUSD")
    assert datetime.fromtimestamp(line.time // SECOND, timezone.utc).hour == 12
    held = desk.position(ALICE)
    assert (held.realised_pnl, held.prev_realised_pnl, held.rebalanced_pnl) == (0, realised, realised)
    assert desk.margin(ALICE).amount == 10**9 + realised and desk.exchange.audit().ok


def test_modern_realised_profit_moves_to_the_wallet_at_each_closing_fill():
    desk = Desk("modern")
    desk.position_of(ALICE, 1000, 10000)
    desk.events()
    desk.position_of(ALICE, -400, 12500)
    (line,) = desk.events(e.WalletEvent)
    assert line.kind == "RealisedPNL" and line.amount == 400 * 2000 - 5000 - 400 * 8000 * 5 // 10000
    assert desk.position(ALICE).realised_pnl == 0 and desk.exchange.audit().ok


def test_deposits_and_withdrawals_are_in_the_ledger_and_the_fee_is_the_venues(desk):
    desk.do(c.Withdraw(ALICE, "XBt", 1000, 10, "3BMEX", "out"))
    (line,) = desk.events(e.WalletEvent)
    assert line[2:10] == ("XBt", "Withdrawal", -1000, 10, 10**9 - 1010, "3BMEX", "out", "Completed")
    assert desk.exchange.fees["XBt"] == 10 and desk.exchange.audit().ok
    desk.do(c.Deposit(ALICE, "XBt", 5))
    assert desk.events(e.WalletEvent)[0].kind == "Deposit"


def test_a_withdrawal_leaves_the_wallet_at_once_and_the_venue_when_its_time_is_up(desk):
    number = desk.do(c.Withdraw(ALICE, "XBt", 1000, 10, "3BMEX", "out", 30_000))
    before = desk.exchange.audit()
    wallet = desk.margin(ALICE)
    assert (wallet.amount, wallet.withdrawn, wallet.pending_debit) == (10**9 - 1010, 1000, 1010)
    assert before.ok and before.money["XBt"].withdrawn == 0 and not desk.exchange.fees.get("XBt")
    desk.wait(29 * SECOND)
    assert desk.margin(ALICE) == wallet
    desk.wait(SECOND)
    assert [(line.status, line.transact_id) for line in desk.events(e.WalletEvent)] == [("Pending", number), ("Completed", number)]
    after = desk.exchange.audit()
    assert after.ok and (after.money["XBt"].withdrawn, desk.exchange.fees["XBt"]) == (1000, 10)
    assert desk.margin(ALICE) == wallet._replace(pending_debit=0)
    assert refusal(desk.do, c.CancelWithdrawal(ALICE, number), desk=desk).message == "Invalid token"


def test_a_withdrawal_that_is_cancelled_in_time_comes_back_fee_and_all(desk):
    whole = desk.margin(ALICE)
    number = desk.do(c.Withdraw(ALICE, "XBt", 1000, 10, hold_ms=30_000))
    other = desk.do(c.Withdraw(ALICE, "USDt", 7, hold_ms=30_000))
    assert refusal(desk.do, c.CancelWithdrawal(BOB, number), desk=desk).message == "Invalid token"
    desk.do(c.CancelWithdrawal(ALICE, number), later=29 * SECOND)
    assert desk.margin(ALICE) == whole and desk.exchange.audit().ok
    assert refusal(desk.do, c.CancelWithdrawal(ALICE, number), desk=desk).message == "Invalid token"
    desk.wait(SECOND)
    told = [(line.status, line.transact_id, line.balance) for line in desk.events(e.WalletEvent)]
    assert told[2:] == [("Canceled", number, 10**9), ("Completed", other, 10**12 - 7)]
    assert desk.margin(ALICE) == whole and desk.exchange.audit().ok


def test_no_more_than_the_withdrawable_margin_can_be_taken_out(desk):
    desk.buy(ALICE, 1_000_000, 10000)
    free = desk.margin(ALICE).withdrawable_margin
    assert free == 10**9 - 115075000
    refused = refusal(desk.do, c.Withdraw(ALICE, "XBt", free + 1), desk=desk)
    assert refused.message == f"Account has insufficient Available Balance, {free + 1} XBt required"
    desk.do(c.Withdraw(ALICE, "XBt", free))


@pytest.mark.parametrize(
    "command, message",
    [
        (c.Deposit(ALICE, "XBt", 0), "Invalid amount"),
        (c.Deposit(ALICE, "DOGE", 5), "Invalid currency"),
        (c.Deposit(5, "XBt", 5), "Invalid account"),
        (c.Withdraw(ALICE, "XBt", -5), "Invalid amount"),
        (c.Withdraw(ALICE, "XBt", 5, hold_ms=-1), "Invalid time"),
        (c.OpenAccount(ALICE), "Invalid account"),
        (c.SetIndex("XBTUSD", 5), "Invalid symbol"),
        (c.SetIndex(".BXBT", 0), "Invalid price"),
        (c.SetState("XBTUSD", "Gone"), "Invalid state"),
        (c.SetState(".BXBT", "Open"), "Invalid symbol"),
        (c.SetLeverage(ALICE, "XBTUSD", 10_001), "Invalid leverage"),
        (c.SetLeverage(ALICE, "XBTUSD", -1), "Invalid leverage"),
    ],
)
def test_other_commands_are_refused_too(desk, command, message):
    assert refusal(desk.do, command, desk=desk).message == message


def test_isolated_leverage_asks_one_over_leverage_and_holds_it(desk):
    desk.do(c.SetLeverage(ALICE, "XBTUSD", 1000))
    desk.buy(ALICE, 1000, 10000)
    assert desk.position(ALICE).init_margin == 10**7 // 10 + 7500 + 8250
    desk.sell(HOUSE, 1000, 10000)
    held = desk.position(ALICE)
    assert (held.margin.init, held.leverage, held.cross_margin) == (10**6, 10.0, False)
    assert held.margin.margin == 10**6 + 8250
    before = desk.margin(ALICE).available_margin
    desk.index(9900)
    desk.wait(5 * SECOND)
    assert desk.margin(ALICE).available_margin == before  # its loss is its own
    desk.do(c.SetLeverage(ALICE, "XBTUSD", 0))
    assert desk.position(ALICE).cross_margin and desk.exchange.audit().ok


def test_leverage_that_cannot_be_paid_for_is_refused(desk):
    desk.position_of(ALICE, 1_500_000, 10000)
    assert refusal(desk.do, c.SetLeverage(ALICE, "XBTUSD", 100), desk=desk).message.startswith("Account has insufficient")
    assert refusal(desk.do, c.SetLeverage(BOB, "ETHUSD", 20000), desk=desk).message == "Invalid leverage"


def test_a_crossing_order_is_charged_at_the_touch_when_that_is_dearer():
    desk = Desk(balance=10**7)
    desk.sell(HOUSE, 100_000, 10000)
    refused = refusal(desk.buy, ALICE, 100_000, 1_000_000)
    assert refused.message == "Account has insufficient Available Balance, 11507500 XBt required"


def test_an_order_that_lowers_what_must_be_held_is_never_refused_for_margin():
    desk = Desk(balance=115_075_000 + 40_000_000)
    desk.position_of(ALICE, 1_000_000, 10000)
    desk.index(9930)
    desk.wait(5 * SECOND)
    assert desk.exchange.accounts[ALICE].wallets["XBt"].available() < 0
    assert desk.sell(ALICE, 500_000, 10001).is_open
    assert refusal(desk.buy, ALICE, 1, 9900).message.startswith("Account has insufficient")


@pytest.mark.parametrize("symbol", ["XBTUSD", "XBTUSDT"])
@pytest.mark.parametrize("seed", range(3))
def test_profit_over_any_chain_of_fills_is_what_the_naive_sum_says(symbol, seed):
    desk, rng = Desk(balance=10**13), random.Random(seed)
    instrument = desk.exchange.instruments[symbol]
    naive, lot = NaivePosition(instrument.is_inverse), instrument.spec.lot_size
    for _ in range(60):
        side, n, price = rng.choice((1, -1)), rng.randrange(1, 30), 10000 + rng.randrange(-400, 400) / 2
        desk.place(HOUSE, -side, n * lot, price, symbol=symbol)
        desk.place(ALICE, side, n * lot, price, symbol=symbol)
        naive.add(side * n, instrument.value_at(desk.ticks(price, symbol)))
    held = desk.position(ALICE, symbol)
    assert held.current_qty == naive.qty * lot
    assert held.realised_pnl + held.current_comm - held.pos_cost == naive.cash


def test_twenty_four_hour_figures_forget_what_is_older(desk):
    desk.position_of(ALICE, 10, 10000)
    desk.wait(HOUR)
    desk.position_of(ALICE, 10, 10100)
    window = desk.exchange.instruments["XBTUSD"].window
    assert (window.volume, window.high, window.low) == (20, desk.ticks(10100), desk.ticks(10000))
    desk.wait(23 * HOUR + 120 * SECOND)
    assert (window.volume, window.low, window.prev_price) == (10, desk.ticks(10100), desk.ticks(10000))
    assert desk.exchange.instruments["XBTUSD"].volume == 20


def test_the_dated_future_is_the_last_friday_of_its_quarter_and_says_which():
    now = 1_795_000_000 * SECOND  # 2026-11-18
    names = {s.symbol: s for s in specs("modern", now)}
    expiry = datetime.fromtimestamp(names["XBTZ26"].expiry // SECOND, timezone.utc)
    assert expiry == datetime(2026, 12, 25, 12, tzinfo=timezone.utc)
    assert next_quarter(names["XBTZ26"].expiry) == datetime(2027, 3, 26, 12, tzinfo=timezone.utc)


def test_ids_look_like_uuids_and_come_from_the_seed():
    first, second = Desk().buy(ALICE, 1, 9990).order_id, Desk().buy(ALICE, 1, 9990).order_id
    assert first == second and [len(part) for part in first.split("-")] == [8, 4, 4, 4, 12]
