"""A short form of bench/market_study.py: what the default ladder lives through on lively and calm."""

import math

import pytest

from bench import market_study


@pytest.fixture(scope="module")
def lively():
    return [market_study.run("lively", seed, 10) for seed in range(8)]


@pytest.fixture(scope="module")
def calm():
    return [market_study.run("calm", seed, 30) for seed in range(8)]


def deviation_bp(outcomes):
    return 1e4 * math.sqrt(sum(o.squares for o in outcomes) / sum(o.minutes for o in outcomes))


def test_on_lively_an_inner_order_is_filled_within_45_seconds_and_both_sides_within_10_minutes(lively):
    assert sum(outcome.inner_s <= 45 for outcome in lively) >= 7
    assert sum(outcome.both_s <= 600 for outcome in lively) >= 7


def test_lively_is_made_by_sweeps_and_not_by_constant_noise(lively):
    fills = [outcome.fills for outcome in lively]
    assert 5 < sum(fills) / len(fills) < 60
    assert 20 < deviation_bp(lively) < 60


def test_calm_moves_like_the_median_recorded_day(calm):
    assert deviation_bp(calm) == pytest.approx(9.5, rel=0.1)


def test_calm_pays_a_wide_ladder_no_significant_profit(calm):
    profits = [outcome.profit_xbt for outcome in calm]
    mean = sum(profits) / len(profits)
    error = math.sqrt(sum((p - mean) ** 2 for p in profits) / (len(profits) - 1) / len(profits))
    assert sum(outcome.fills for outcome in calm) > 3
    assert mean < 2 * error


def test_the_markets_are_cheap_to_simulate(lively, calm):
    for outcomes in (lively, calm):
        assert sum(o.seconds for o in outcomes) / sum(o.cpu_s for o in outcomes) > 60


def test_the_study_prints_its_table(capsys):
    assert market_study.main(["--market", "lively", "--seeds", "2", "--minutes", "1"]) == 0
    printed = capsys.readouterr().out
    assert "lively, 2" in printed and "one-minute deviation" in printed


def test_the_study_ladder_is_that_of_the_recorded_run_of_the_original():
    class Book:
        best_bid, best_ask = 12717, 12718  # 6358.5 and 6359.0, ../shared/data/riot_stat

    ladder = market_study.Ladder.__new__(market_study.Ladder)
    ladder.exchange = type("Exchange", (), {"books": {"XBTUSD": Book}})
    ladder._orders = {1: [], -1: []}
    ladder._spec = type("Spec", (), {"lot_size": 1})
    wanted = ladder.wanted()
    assert [ticks / 2 for ticks, _ in wanted[1]] == [6171.5, 6202.0, 6233.0, 6264.5, 6295.5, 6327.0]
    assert [ticks / 2 for ticks, _ in wanted[-1]] == [6551.5, 6519.0, 6486.5, 6454.5, 6422.0, 6390.5]
    assert [size for _, size in wanted[1]] == [600, 500, 400, 300, 200, 100]
