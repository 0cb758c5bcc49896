"""The figures of a run, against small runs worked out by hand, one of each kind of contract, and the rules of each module."""

import json

import numpy as np
import pytest

from journals import ETHUSD, START, XBTUSD, XBTUSDT, Writer
from market_maker.backtest import returns
from market_maker.backtest.figures import figures


def bought_and_sold(instrument, start=1_000_000_000):
    """Bought a lot at 99 with the mid at 100, sold it at 111 with the mid at 110, everything at a mark of the mid."""
    made = Writer(instrument)
    lot = instrument["lotSize"]
    made.account(0, start, 0, 100.0)
    made.touch(0, 99.0, 101.0)
    made.fill(10, "Buy", lot, 99.0, bid=99.0, ask=101.0)
    made.touch(20, 109.0, 111.0)
    made.fill(30, "Sell", lot, 111.0, bid=109.0, ask=111.0)
    return made


def test_an_inverse_run_is_split_as_by_hand():
    made = bought_and_sold(XBTUSD)
    # 100 contracts at 99, 100, 110, 111 are worth 101010101.01, 1e8, 90909090.91, 90090090.09 satoshi; fees 0.05 %, cut off
    profit = 101010101 - 90090090 - 50505 - 45045
    made.account(31, 1_000_000_000 + profit, 0, 110.0)
    found = figures(made.end(60, end_balance=1_000_000_000 + profit))
    assert found["profit"] == profit
    assert found["split"] == {"spread": 1010101 + 819001, "inventory": 10920011 - 1010101 - 819001, "fees": -95550, "funding": 0}
    assert found["inventory_parts"] == {"moves": 9090909, "mark": 0, "rounding": 0, "unexplained": 0}


def test_a_quanto_run_is_split_as_by_hand():
    made = bought_and_sold(ETHUSD)
    profit = 100 * 12 - 4 - 5  # multiplier 100; fees 0.05 % of 9900 and 11100, cut off
    found = figures(made.end(60, end_balance=1_000_000_000 + profit))
    assert found["profit"] == profit
    assert found["split"] == {"spread": 200, "inventory": 1000, "fees": -9, "funding": 0}
    assert found["inventory_parts"] == {"moves": 1000, "mark": 0, "rounding": 0, "unexplained": 0}


def test_a_linear_run_is_split_as_by_hand_with_funding_paid():
    made = bought_and_sold(XBTUSDT)
    made.add("funding", 40, exec_id="f", rate=0.0001, position=100, cost=10000, fee=7)
    profit = 100 * 12 - 4 - 5 - 7
    found = figures(made.end(60, end_balance=1_000_000_000 + profit))
    assert found["split"] == {"spread": 200, "inventory": 1000, "fees": -9, "funding": -7}
    assert found["currency"] == "USDt" and sum(found["split"].values()) == found["profit"] == profit


def test_an_open_position_counts_at_the_mark_and_the_gap_to_the_mid_is_told():
    made = Writer(XBTUSDT)
    made.account(0, 1_000_000, 0, 100.0)
    made.touch(0, 99.0, 101.0)
    made.fill(10, "Buy", 100, 99.0, bid=99.0, ask=101.0, fee=0)
    made.account(11, 1_000_000 + 100 * 5, 100, 104.0)  # bought at 99, marked at 104, the mid at 110
    made.touch(12, 109.0, 111.0)
    found = figures(made.end(60, end_balance=1_000_500))
    assert found["split"] == {"spread": 100, "inventory": 400, "fees": 0, "funding": 0}
    assert found["inventory_parts"] == {"moves": 1000, "mark": -600, "rounding": 0, "unexplained": 0}
    assert found["end_price"] == {"mark": 104.0, "mid": 110.0, "is_told": True}
    assert found["position"]["end"] == found["position"]["told"] == 100


def test_a_balance_read_after_the_last_account_row_was_read_at_a_newer_mark():
    made = Writer(XBTUSDT)
    made.account(0, 1_000_000, 0, 100.0)
    made.touch(0, 99.0, 101.0)
    made.fill(10, "Buy", 100, 100.0, bid=99.0, ask=101.0, fee=0)
    made.account(11, 1_000_000, 100, 100.0)
    found = figures(made.end(60, end_balance=1_000_020))
    assert found["end_price"]["mark"] == pytest.approx(100.2)
    assert found["inventory_parts"] == {"moves": 0, "mark": 20, "rounding": 0, "unexplained": 0}
    assert figures(made.end(60, end_balance=1_002_000))["inventory_parts"]["unexplained"] == 2000  # no mark moves that far


def test_a_row_whose_balance_was_told_at_a_newer_mark_than_its_own_is_understood_at_both_ends():
    made = Writer(XBTUSDT)
    told = {"position": 100, "mark_price": 100.0, "unrealised_pnl": 0, "wallet_balance": 5_000}
    made.add("account", 0, margin_balance=5_010, **told)
    made.touch(0, 99.0, 101.0)
    made.add("account", 50, margin_balance=5_030, **told)
    found = figures(made.end(60))
    assert found["end_price"]["mark"] == pytest.approx(100.3)
    assert found["profit"] == 20 and found["inventory_parts"] == {"moves": 0, "mark": 20, "rounding": 0, "unexplained": 0}


def test_what_the_journal_misses_is_told_as_unexplained_and_the_sum_stays_exact():
    made = bought_and_sold(XBTUSDT)
    found = figures(made.end(60, end_balance=1_000_000_000 + 1191 + 55, deposits=50))
    assert found["profit"] == 1191 + 5 == sum(found["split"].values())
    assert found["inventory_parts"]["unexplained"] == 5


def test_a_position_from_before_the_run_is_held_from_its_start():
    made = Writer(XBTUSDT)
    made.add("decision", 0, cause="start", outcome="nothing to do", position=200, margin_balance=5000)
    made.account(0, 5000, 200, 100.0)
    made.touch(0, 99.0, 101.0)
    made.touch(5, 104.0, 106.0)
    made.account(6, 6000, 200, 105.0)
    found = figures(made.end(10, end_balance=6000))
    assert found["split"] == {"spread": 0, "inventory": 1000, "fees": 0, "funding": 0}
    assert found["inventory_parts"]["moves"] == 1000
    assert found["position"] == {"start": 200, "end": 200, "lowest": 200, "highest": 200, "mean": 200.0, "mean_size": 200.0, "told": 200}


def test_trades_of_somebody_else_count_for_the_money_and_not_for_our_fills():
    made = bought_and_sold(XBTUSDT)
    made.fill(40, "Buy", 100, 110.0, cl_ord_id="", fee=0)
    found = figures(made.end(60, end_balance=1_000_001_191))
    assert (found["fills"], found["foreign_fills"], found["contracts"]) == (2, 1, 200)
    assert found["position"]["end"] == 100


def test_mark_outs_say_what_the_mid_made_of_the_fills_later():
    made = Writer(XBTUSDT)
    made.account(0, 1000, 0, 100.0)
    made.touch(0, 99.0, 101.0)
    made.fill(10, "Buy", 100, 99.0, bid=99.0, ask=101.0)
    made.touch(10.5, 97.0, 99.0)
    made.fill(15, "Sell", 100, 99.0, bid=97.0, ask=99.0)
    made.touch(19, 98.0, 100.0)
    made.fill(58, "Sell", 100, 101.0, bid=98.0, ask=100.0)
    found = figures(made.end(60))["markouts"]
    assert found[0]["count"] == 3 and found[0]["buy"]["bps"] == pytest.approx(1e4 / 99)
    assert found[1]["buy"]["bps"] == pytest.approx(-1e4 / 99)  # 98 a second later
    assert found[1]["count"] == 3 and found[1]["sell"]["count"] == 2
    assert found[10]["buy"]["bps"] == 0 and found[10]["buy"]["money"] == 0
    assert found[10]["count"] == 2  # the run ended before the third was ten seconds old
    assert found[60]["count"] == 0 and found[60]["bps"] is None and found[60]["bps_error"] is None
    one = [-1e4 / 99, 1e4 / 99, 2e4 / 101]
    assert found[1]["bps"] == pytest.approx(np.mean(one))
    assert found[1]["bps_error"] == pytest.approx(np.std(one, ddof=1) / 3**0.5)
    assert found[1]["money"] == -100 + 100 + 200


def test_time_at_the_touch_is_a_share_of_the_time_the_touch_was_known():
    made = Writer(XBTUSDT)
    made.touch(0, 100.0, 101.0)
    made.order(20, "create", "mm_a", price=100.0)
    made.order(20, "rests", "mm_a", price=99.0)
    made.order(40, "amended", "mm_a", price=100.0)  # at the touch for 20 s
    made.order(50, "rests", "mm_b", "Sell", 101.0)  # for 50 s
    made.order(60, "cancelled", "mm_a", price=100.0)
    found = figures(made.end(100))
    assert found["touch"]["buy"] == {"quoted": 0.4, "at_touch": 0.2, "distance_bps": pytest.approx(50.0)}
    assert found["touch"]["sell"] == {"quoted": 0.5, "at_touch": 0.5, "distance_bps": 0.0}
    assert (found["touch"]["both"], found["touch"]["either"], found["time_at_touch"]) == (0.1, 0.6, 0.6)


def test_the_best_of_several_orders_is_the_one_that_counts_and_the_next_one_after_it():
    made = Writer(XBTUSDT)
    made.touch(0, 100.0, 101.0)
    for name, price in (("mm_a", 98.0), ("mm_b", 100.0), ("mm_c", 99.0)):
        made.order(0, "rests", name, price=price)
    made.order(50, "filled", "mm_b", price=100.0)
    found = figures(made.end(100))["touch"]["buy"]
    assert found == {"quoted": 1.0, "at_touch": 0.5, "distance_bps": pytest.approx(50.0)}


def test_an_order_that_is_amended_and_filled_at_once_stands_no_more():
    made = Writer(XBTUSDT)
    made.touch(0, 100.0, 101.0)
    made.order(0, "rests", "mm_a", price=100.0, leaves=100)
    made.order(50, "filled", "mm_a", price=101.0, leaves=0)
    made.order(50, "amended", "mm_a", price=101.0, leaves=0)
    assert figures(made.end(100))["touch"]["buy"]["quoted"] == 0.5


def test_the_fill_ratio_is_of_orders_that_were_accepted():
    made = Writer(XBTUSDT)
    made.order(1, "rests", "mm_a", price=99.0)
    made.order(2, "partly filled", "mm_a", price=99.0)
    made.order(3, "filled", "mm_a", price=99.0)
    made.order(3, "rests", "mm_b", price=98.0)
    made.order(4, "refused", "mm_c", price=97.0)
    found = figures(made.end(100))
    assert found["orders"] == {"offered": 2, "hit": 1, "refused": 1} and found["fill_ratio"] == 0.5


def test_orders_asked_for_at_the_same_moment_count_as_one_request_and_those_one_after_another_as_several():
    made = Writer(XBTUSDT)
    for name in ("mm_a", "mm_b"):
        made.order(1, "create", name, price=99.0, decision=1)
    for at in (2.0, 2.02):
        made.order(at, "amend", "mm_a", price=98.0, decision=2)
    for name in ("mm_a", "mm_b"):
        made.order(70, "cancel", name, decision=3)
    found = figures(made.end(120))["requests"]
    assert found == {"creates": 2, "amends": 2, "cancels": 2, "total": 4, "per_minute": 2.0, "peak_per_minute": 3}


def test_drawdown_is_the_greatest_fall_below_the_highest_equity_before_it():
    made = Writer(XBTUSDT)
    for at, balance in ((0, 1000), (10, 1200), (20, 1100), (30, 1300), (40, 1170), (50, 1290)):
        made.account(at, balance)
    found = figures(made.end(60, end_balance=1290))
    assert found["drawdown"] == {"money": 130, "percent": 10.0, "peak_at": START + 30, "low_at": START + 40}
    assert found["equity"]["balance"].tolist()[-1] == 1290 and found["equity"]["at"][-1] == START + 60


def test_sharpe_is_mean_over_deviation_of_equal_intervals_annualised():
    at = np.arange(0.0, 60 * 61, 60)
    equity = 1e6 + np.cumsum(np.where(np.arange(61) % 2, 30.0, -10.0))
    found = returns.sharpe(at, equity)
    changes = np.diff(equity)
    assert found["samples"] == 60 and found["interval_s"] == 60 and found["reason"] is None
    assert found["per_interval"] == pytest.approx(changes.mean() / changes.std(ddof=1))
    assert found["value"] == pytest.approx(found["per_interval"] * (365.25 * 1440) ** 0.5)
    assert found["error"] > 0 and found["kurtosis"] == pytest.approx(1.0)


def test_sharpe_takes_the_longest_interval_with_enough_samples():
    at = np.arange(0.0, 86400 * 2, 30)
    assert returns.sharpe(at, 1e6 + np.sin(at))["interval_s"] == 3600
    assert returns.sharpe(at[: 2 * 60 * 12], 1e6 + np.sin(at[: 2 * 60 * 12]))["interval_s"] == 600


def test_sharpe_is_not_shown_for_too_few_samples_or_an_equity_that_never_changed():
    at = np.arange(0.0, 600, 10)
    assert returns.sharpe(at, 1e6 + at)["value"] is None and "too few" in returns.sharpe(at, 1e6 + at)["reason"]
    assert returns.sharpe(at * 10, at * 0 + 5.0)["reason"] == "the equity never changed"
    assert returns.sharpe(np.empty(0), np.empty(0))["samples"] == 0


def test_a_run_of_which_nothing_is_known_has_figures_that_say_so():
    found = figures(Writer(started=None).run())
    assert found["profit"] is None and found["split"] is None and found["fills"] == 0
    assert found["time_at_touch"] is None and found["drawdown"]["money"] is None and found["fill_ratio"] is None
    assert found["seconds"] == 0 and found["state"] == "cut off"


def test_a_fill_without_a_known_mid_counts_as_no_spread_and_is_counted():
    made = Writer(XBTUSDT)
    made.account(0, 1000, 0, 100.0)
    made.fill(1, "Buy", 100, 99.0, fee=0)
    found = figures(made.end(2, end_balance=1100))
    assert found["fills_without_mid"] == 1 and found["split"]["spread"] == 0


def test_a_fill_without_its_touch_takes_the_mid_that_was_journalled_before_it():
    made = Writer(XBTUSDT)
    made.account(0, 1000, 0, 100.0)
    made.touch(0, 99.0, 101.0)
    made.fill(1, "Buy", 100, 99.0, fee=0)
    assert figures(made.end(2, end_balance=1100))["split"]["spread"] == 100


def test_figures_are_numbers_that_json_can_say_but_for_the_series():
    found = figures(bought_and_sold(XBTUSD).end(60, end_balance=1_000_000_000))
    json.dumps(dict(found, equity=None))
