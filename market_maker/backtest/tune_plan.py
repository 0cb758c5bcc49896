"""What a study is: everything that its result depends on, as a value; its folds; and whether two of them are the same study.

Rules:

* Folds stand in the order of time: parts of equal length of the data, or as many seeds of a synthetic market. The last `tests` of them are
  kept from the search and judge what it found.
* Two plans with the same `identity` give the same trials. How many trials, and where they run, is not part of it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from market_maker import _settings_base as base
from market_maker.utils import errors

from . import tune_space
from .job import Job
from .tune_space import SEARCHED, Space

FEWEST_FOLDS = 2
# Settings that no run in simulated time depends on.
IGNORED_GROUPS = ("Venue and credentials", "Instrument", "The paper venue")
IGNORED = ("LOG_LEVEL", "WATCHED_FILES", "RUNS_DIR", "RUNS_KEEP", "DRY_RUN", "DRY_BTC", "RUN_FOR_S", "ORDERID_PREFIX", "CONTRACTS")
STARTUP = 10                   # trials drawn at random before the search is led by what was found


@dataclass(frozen=True)
class Plan:
    """A study. job -- what all runs share, of which a fold takes a part; folds -- Jobs, the last `tests` of them unseen by the search.

    space -- what is searched; base_values -- every setting that matters, as it is without the search; objective -- a key of
    tune_score.OBJECTIVES; batch -- trials that are drawn together, without knowing of each other's results.
    """

    job: Job
    folds: tuple[Job, ...]
    tests: int
    space: Space
    base_values: Mapping[str, Any]
    objective: str = "sharpe"
    batch: int = 4
    seed: int = 0
    source: str = ""

    @property
    def train(self) -> range:
        """Indices of the folds the search sees."""
        return range(len(self.folds) - self.tests)

    @property
    def unseen(self) -> range:
        return range(len(self.folds) - self.tests, len(self.folds))

    @property
    def identity(self) -> dict[str, Any]:
        """All that the trials depend on, as JSON."""
        job = self.job
        return {
            "symbol": job.symbol, "data": [_file(path) for path in job.data],
            "folds": [[_market(fold), fold.begin, fold.end, fold.minutes, fold.seed] for fold in self.folds], "tests": self.tests,
            "runs": {name: getattr(job, name) for name in ("strategy", "profile", "balance_xbt", "fees", "matcher", "queue", "partial_fills",
                                                           "latency", "strict")},
            "settings": {name: value for name, value in sorted(self.base_values.items()) if name not in self.space},
            "space": tune_space.describe(self.space), "objective": self.objective, "batch": self.batch, "seed": self.seed,
        }  # fmt: skip

    @property
    def name(self) -> str:
        """The study's name unless it is given one: another plan has another."""
        text = json.dumps(self.identity, sort_keys=True)
        return f"{self.job.symbol}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"

    def settings(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Everything that the settings of a trial are made of and that is not a default: for a file, and for people."""
        whole = {name: value for name, value in self.base_values.items() if name in SEARCHED}
        whole.update(values)
        defaults = base.defaults()
        return {setting.name: whole[setting.name] for setting in base.SETTINGS if setting.name in whole
                and whole[setting.name] != defaults[setting.name]}


def differences(ours: dict[str, Any], known: dict[str, Any]) -> list[str]:
    """Where two identities differ, in words."""
    ours = json.loads(json.dumps(ours))
    found = []
    for name in sorted(set(ours) | set(known)):
        if ours.get(name) != known.get(name):
            found.append(name if isinstance(ours.get(name), (dict, list)) else f"{name} ({known.get(name)}, now {ours.get(name)})")
    return found


def that_matter(values: Mapping[str, Any]) -> dict[str, Any]:
    """Of all settings those that a run depends on: handed to each, so that a worker's own settings and environment do not count."""
    return {setting.name: values[setting.name] for setting in base.SETTINGS
            if setting.group not in IGNORED_GROUPS and setting.name not in IGNORED}


def seeds(job: Job, folds: int) -> tuple[Job, ...]:
    """The folds of a synthetic market: the job's seed and those after it."""
    return tuple(replace(job, seed=job.seed + fold) for fold in range(folds))


def paths(job: Job, files: tuple[str, ...]) -> tuple[Job, ...]:
    """The folds of price paths of one-minute bars: a file each."""
    return tuple(replace(job, market=path) for path in files)


def parts(job: Job, begin: float, end: float, folds: int) -> tuple[Job, ...]:
    """The folds of recorded data between two moments (Unix seconds): parts of equal length, to the millisecond."""
    edges = [round(begin + (end - begin) * edge / folds, 3) for edge in range(folds + 1)]
    return tuple(replace(job, begin=edges[fold], end=edges[fold + 1]) for fold in range(folds))


def check(folds: int, tests: int) -> None:
    """Raises SettingsError where the folds leave nothing to choose on, or nothing to judge by."""
    if folds < FEWEST_FOLDS or not 1 <= tests < folds:
        raise errors.SettingsError(f"--folds {folds} --tests {tests}: at least two folds, of which some but not all are kept for the test.")


def _market(job: Job) -> Any:
    if job.data:
        return None
    return _file(job.market) if os.path.isfile(job.market) else job.market


def _file(path: str) -> list[Any]:
    """What tells one data file from another, wherever it lies: its name and size."""
    try:
        return [os.path.basename(path), os.path.getsize(path)]
    except OSError as error:
        raise errors.SettingsError(f"--data {path} cannot be read: {error.strerror}.") from None
