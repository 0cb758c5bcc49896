"""What a trial is worth: the figures of its folds, put together into one number, and how much of that number is luck.

A fold's figures (`Fold`) hold sums over the changes of its equity, so that the moments of several folds together are exact.

    profit    mean over the folds of the profit, in percent of the balance at the start
    drawdown  the largest of the folds', in percent
    sharpe    mean / standard deviation of the changes of equity over equal intervals of all folds together, per interval
    calmar    profit / drawdown; a drawdown below 0.01 % counts as 0.01 %

Deflated Sharpe ratio (Bailey and Lopez de Prado 2014, "The Deflated Sharpe Ratio", equations 1 and 2): the chance that the Sharpe ratio SR
of the best of N trials is above what the best of N worthless ones would show. With T changes of skewness g3 and kurtosis g4, V the
variance of the Sharpe ratios of the trials, g Euler's constant and Z the normal distribution:

    SR0 = sqrt(V) * ((1 - g) * Z^-1(1 - 1 / N) + g * Z^-1(1 - 1 / (N * e)))
    DSR = Z((SR - SR0) * sqrt(T - 1) / sqrt(1 - g3 * SR + (g4 - 1) / 4 * SR ** 2))

It takes the trials for independent of each other and the changes for independent in time; neither is quite so here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import NormalDist, variance
from typing import Any

ENOUGH = 30                    # changes of equity, for a Sharpe ratio
SMALLEST_DRAWDOWN = 0.01       # percent
CONVINCING = 0.95              # of the deflated Sharpe ratio
EULER = 0.5772156649015329
OBJECTIVES = {"sharpe": ("sharpe",), "profit": ("profit",), "calmar": ("calmar",), "pareto": ("profit", "drawdown")}


@dataclass(frozen=True)
class Fold:
    """What one run made. profit -- units; *_percent -- of the balance at the start, and of the highest equity; requests -- a minute.

    interval_s -- between two looks at the equity; moments -- how many changes there were, and the sums of their first to fourth powers,
    as fractions of the balance at the start.
    """

    profit: int
    profit_percent: float
    drawdown_percent: float
    fills: int
    requests: float
    interval_s: float
    moments: tuple[float, float, float, float, float]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, known: dict[str, Any]) -> Fold:
        return cls(**{**known, "moments": tuple(known["moments"])})


def score(folds: Sequence[Fold]) -> dict[str, Any]:
    """The figures of several folds together; what cannot be said is None. `skew` and `kurtosis` (3 is normal) are of all changes."""
    profit = sum(fold.profit_percent for fold in folds) / len(folds)
    drawdown = max(fold.drawdown_percent for fold in folds)
    one, skew, kurtosis, count = _moments(folds)
    return {
        "profit": profit, "drawdown": drawdown, "sharpe": one, "skew": skew, "kurtosis": kurtosis, "changes": count,
        "interval_s": folds[0].interval_s, "calmar": profit / max(drawdown, SMALLEST_DRAWDOWN), "fills": sum(fold.fills for fold in folds),
        "requests": sum(fold.requests for fold in folds) / len(folds), "profit_units": sum(fold.profit for fold in folds),
    }  # fmt: skip


def values(objective: str, folds: Sequence[Fold]) -> list[float] | str:
    """What the search is told of a trial: a number for each goal, or a sentence why there is none."""
    if not any(fold.fills for fold in folds):
        return "no order was filled"
    found = score(folds)
    wanted = [found[name] for name in OBJECTIVES[objective]]
    return "there are too few changes of equity for a Sharpe ratio" if None in wanted else wanted


def directions(objective: str) -> list[str]:
    return ["minimize" if name == "drawdown" else "maximize" for name in OBJECTIVES[objective]]


def rank(objective: str, folds: Sequence[Fold]) -> float:
    """What decides between two trials, larger is better: the objective, and of a pareto search profit / drawdown."""
    found = score(folds)
    value = found["calmar" if objective == "pareto" else OBJECTIVES[objective][0]]
    return -math.inf if value is None else value


def deflated(best: dict[str, Any], sharpes: Sequence[float]) -> dict[str, Any] | None:
    """{'probability', 'sharpe', 'expected_by_luck', 'trials', 'changes', 'skew', 'kurtosis'}; None where it cannot be said.

    best -- the score of the trial chosen; sharpes -- per interval, of every trial that has one, the best among them.
    """
    one, count = best["sharpe"], best["changes"]
    if one is None or len(sharpes) < 2 or count < ENOUGH:
        return None
    number, normal = len(sharpes), NormalDist()
    luck = math.sqrt(variance(sharpes)) * (
        (1 - EULER) * normal.inv_cdf(1 - 1 / number) + EULER * normal.inv_cdf(1 - 1 / (number * math.e)))
    spread = 1 - best["skew"] * one + (best["kurtosis"] - 1) / 4 * one * one
    if spread <= 0:
        return None
    return {
        "probability": normal.cdf((one - luck) * math.sqrt(count - 1) / math.sqrt(spread)), "sharpe": one, "expected_by_luck": luck,
        "trials": number, "changes": count, "skew": best["skew"], "kurtosis": best["kurtosis"],
    }  # fmt: skip


def front(points: Sequence[tuple[float, float]]) -> list[int]:
    """The places of the points (profit, drawdown) that no other beats in one without losing in the other, by drawdown."""
    order = sorted(range(len(points)), key=lambda place: (points[place][1], -points[place][0], place))
    kept: list[int] = []
    for place in order:
        if not kept or points[place][0] > points[kept[-1]][0]:
            kept.append(place)
    return kept


def _moments(folds: Sequence[Fold]) -> tuple[float | None, float | None, float | None, int]:
    """(Sharpe ratio per interval, skewness, kurtosis, count) of all changes together."""
    count, *sums = (sum(column) for column in zip(*(fold.moments for fold in folds), strict=True))
    if count < ENOUGH or len({fold.interval_s for fold in folds}) > 1:
        return None, None, None, int(count)
    mean, second, third, fourth = (one / count for one in sums)
    spread = second - mean * mean
    if not spread > 1e-12 * second:
        return None, None, None, int(count)
    skew = (third - 3 * mean * second + 2 * mean**3) / spread**1.5
    kurtosis = (fourth - 4 * mean * third + 6 * mean * mean * second - 3 * mean**4) / spread**2
    return mean / math.sqrt(spread * count / (count - 1)), skew, kurtosis, int(count)
