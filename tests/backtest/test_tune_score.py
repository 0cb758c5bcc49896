"""What a trial is worth, and how much of it is luck."""

import math

import numpy as np
import pytest

from market_maker.backtest import tune_score, tune_trial
from market_maker.backtest.tune_score import Fold


def fold(changes, fills=5, drawdown=0.5, interval=60.0):
    changes = np.array(changes)
    return Fold(int(1e8 * changes.sum()), 100 * changes.sum(), drawdown, fills, 2.0, interval,
                (float(len(changes)), *(float((changes**power).sum()) for power in (1, 2, 3, 4))))


def test_the_moments_of_several_folds_are_those_of_all_their_changes_together():
    source = np.random.default_rng(1)
    parts = [source.gamma(2.0, 0.001, 50) - 0.001, source.normal(0.0005, 0.002, 80)]
    changes = np.concatenate(parts)
    found = tune_score.score([fold(part) for part in parts])
    standard = (changes - changes.mean()) / changes.std()
    assert found["sharpe"] == pytest.approx(changes.mean() / changes.std(ddof=1))
    assert found["skew"] == pytest.approx((standard**3).mean()) and found["kurtosis"] == pytest.approx((standard**4).mean())
    assert found["changes"] == 130 and found["fills"] == 10


def test_profit_is_the_mean_of_the_folds_and_drawdown_the_worst():
    found = tune_score.score([fold([0.01] * 30, drawdown=1.0), fold([0.02] * 30, drawdown=3.0)])
    assert found["profit"] == pytest.approx(45.0) and found["drawdown"] == 3.0 and found["calmar"] == pytest.approx(15.0)
    assert tune_score.score([fold([0.001], drawdown=0.0)])["calmar"] == pytest.approx(0.1 / 0.01)


def test_too_few_or_unlike_changes_make_no_sharpe_ratio():
    some = [0.001, -0.002] * 10
    assert tune_score.score([fold(some)])["sharpe"] is None and tune_score.score([fold([0.001] * 40)])["sharpe"] is None
    assert tune_score.score([fold(some), fold(some, interval=600.0)])["sharpe"] is None
    assert tune_score.values("sharpe", [fold(some)]) == "there are too few changes of equity for a Sharpe ratio"
    assert tune_score.rank("sharpe", [fold(some)]) == -math.inf


def test_each_objective_has_its_goals_and_their_directions():
    folds = [fold([0.001, -0.0005] * 20)]
    score = tune_score.score(folds)
    assert tune_score.values("profit", folds) == [score["profit"]] and tune_score.values("calmar", folds) == [score["calmar"]]
    assert tune_score.values("pareto", folds) == [score["profit"], 0.5] and tune_score.directions("pareto") == ["maximize", "minimize"]
    assert tune_score.values("profit", [fold([0.0] * 40, fills=0)]) == "no order was filled"


def test_the_deflated_sharpe_ratio_is_that_of_the_paper_s_example():
    """Bailey and Lopez de Prado 2014: annual 2.5, variance of 100 trials 1/2, five years of 250 days, skew -3, kurtosis 10 -> 0.9004."""
    deviation = math.sqrt(1 / 2 / 250)
    sharpes = [sign * deviation * math.sqrt(99 / 100) for sign in (1, -1) for _ in range(50)]
    best = {"sharpe": 2.5 / math.sqrt(250), "changes": 1250, "skew": -3.0, "kurtosis": 10.0}
    found = tune_score.deflated(best, sharpes)
    assert found["expected_by_luck"] == pytest.approx(0.1132, abs=5e-5) and found["probability"] == pytest.approx(0.9004, abs=5e-5)


def test_the_more_trials_the_more_is_luck():
    best = {"sharpe": 0.1, "changes": 500, "skew": 0.0, "kurtosis": 3.0}
    few, many = (tune_score.deflated(best, [0.1, 0.0, -0.05] * count)["probability"] for count in (2, 40))
    assert few > many
    assert tune_score.deflated(best, [0.1]) is None and tune_score.deflated(dict(best, sharpe=None), [0.1, 0.2]) is None


def test_worthless_trials_are_not_taken_for_more_than_luck():
    """Of 50 random walks the best looks good; deflated it rarely passes."""
    passed = 0
    for seed in range(40):
        source = np.random.default_rng(seed)
        scores = [tune_score.score([fold(source.normal(0, 0.001, 240))]) for _ in range(50)]
        best = max(scores, key=lambda score: score["sharpe"])
        passed += tune_score.deflated(best, [score["sharpe"] for score in scores])["probability"] > tune_score.CONVINCING
    assert passed <= 6


def test_the_front_holds_what_no_other_beats_in_both():
    points = [(1.0, 1.0), (2.0, 2.0), (0.5, 1.5), (2.0, 3.0), (1.0, 1.0), (-1.0, 0.5)]
    assert tune_score.front(points) == [5, 0, 1] and tune_score.front([]) == []


def test_a_fold_comes_back_from_the_storage_as_it_went():
    one = fold([0.001, 0.002])
    assert Fold.of(one.as_dict()) == one


def test_changes_of_equity_are_fractions_of_the_start():
    at = np.arange(0, 3600, 30.0)
    count, total, *_ = tune_trial.moments(at, 1e8 + 1000 * at, 1e8)
    assert count == 59 and total == pytest.approx(59 * 60 * 1000 / 1e8)
