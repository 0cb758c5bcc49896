"""One run of one trial: settings and a fold in, its figures or the reason why there are none out. Runs in any process on any machine.

Rules:

* Nothing that goes wrong within a run is raised: it is an Outcome with a reason, so that one trial never ends a study.
* The same task gives the same outcome, wherever and however often it is carried out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from market_maker.utils import errors

from . import returns
from .figures import figures
from .job import Job
from .run import run
from .tune_score import Fold

REFUSED, BROKE = "refused", "failed"   # the settings' fault, and not


@dataclass(frozen=True)
class Task:
    """`settings` (name: value) to be tried in `job`, of which they replace what they name. index -- of the trial; fold -- of the plan."""

    index: int
    fold: int
    job: Job
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class Outcome:
    """A Fold, or why there is none: `kind` is REFUSED or BROKE, `reason` a short sentence. Of a run that was stopped `is_stopped`."""

    fold: Fold | None
    kind: str | None = None
    reason: str | None = None
    is_stopped: bool = False


def evaluate(task: Task) -> Outcome:
    """Carry out a task."""
    job = replace(task.job, settings={**task.job.settings, **task.settings}, runs_dir=None)
    try:
        result = run(job)
        if not result.is_whole:
            return Outcome(None, BROKE, f"the run ended early: {result.ended}", str(result.ended).startswith("SIG"))
        return _judged(figures(result.run))
    except KeyboardInterrupt:
        return Outcome(None, BROKE, "stopped", True)
    except errors.SettingsError as error:
        return Outcome(None, REFUSED, error.problems[0])
    except Exception as error:  # a study of hundreds of runs shall not end with the first that breaks
        text = (str(error).splitlines() or [""])[0]
        return Outcome(None, BROKE, f"{type(error).__name__}: {text}" if text else type(error).__name__)


def _judged(found: dict[str, Any]) -> Outcome:
    if found["profit"] is None or not found["start_balance"]:
        return Outcome(None, BROKE, "the balance is not known")
    return Outcome(Fold(
        profit=found["profit"], profit_percent=found["profit_percent"], drawdown_percent=found["drawdown"]["percent"] or 0.0,
        fills=found["fills"], requests=found["requests"]["per_minute"] or 0.0, interval_s=found["sharpe"]["interval_s"],
        moments=moments(found["equity"]["at"], found["equity"]["balance"], found["start_balance"])))  # fmt: skip


def moments(at: np.ndarray, equity: np.ndarray, start: float) -> tuple[float, float, float, float, float]:
    """(count, sums of the first to fourth powers) of the changes of equity, as fractions of `start`."""
    changes = returns.changes_of(at, equity)[1] / start
    return (float(len(changes)), *(float((changes**power).sum()) for power in (1, 2, 3, 4)))
