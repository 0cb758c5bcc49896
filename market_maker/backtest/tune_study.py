"""The search itself: trials are drawn in batches, carried out by a crew, and kept in an Optuna storage, from which any number of processes
on any number of machines work together, and from which a study goes on after it was stopped, or killed.

Theory of operation. A trial has an index, kept in its user attributes; batch b holds the indices from b * batch. What a batch tries is worked
out from the plan's seed and the results of all earlier batches alone, in the order of their indices, in a study in memory: so it is the
same whoever works it out, and when. Who finds a batch missing writes its trials to the storage, WAITING; where two did so at the same time the
one with the lower number counts, and both are the same. Workers claim trials (RUNNING, with who they are and when they were last alive), carry
them out and tell the outcome. A claim of a process that is dead, or has not been heard of for a while, is taken over: its trial runs again,
with the same settings and so with the same outcome.

Rules:

* The result depends on the plan (with its seed and batch) and the number of trials; not on processes, machines, speed or interruptions.
* The first trial is the settings as they are, where they lie in the space.
* A trial whose settings are refused, or that fills nothing, is PRUNED; one that breaks has FAILED; both keep their reason, neither ends the study.
* The storage knows nothing of the folds that are kept for the test until the search is over.
"""

from __future__ import annotations

import contextlib
import re
import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.exceptions import ExperimentalWarning, OptunaError, UpdateFinishedTrialError
from optuna.samplers import TPESampler
from optuna.trial import FrozenTrial, TrialState, create_trial
from sqlalchemy.exc import IntegrityError, OperationalError, SQLAlchemyError

from market_maker.utils import errors

from . import tune_plan, tune_score, tune_space
from .tune_claims import TRIES, WORKER, Claims, is_dead, tries
from .tune_crew import Cluster, Here, Processes
from .tune_plan import Plan
from .tune_score import Fold
from .tune_trial import BROKE, Outcome, Task

LOOK_AGAIN_S = 0.5             # while others finish a batch
OPENINGS, OPENING_PAUSE_S = 20, 0.2
INDEX, FOLDS, REASON, PLAN, TESTED = "index", "folds", "reason", "plan", "tested"
AS_THEY_ARE = -1               # the index of the settings that nobody searched
STATES = {TrialState.COMPLETE: "complete", TrialState.PRUNED: "pruned", TrialState.FAIL: "failed"}
Crew = Here | Processes | Cluster


@dataclass(frozen=True)
class Trial:
    """A trial that is over: `values` are the goals' (None without any), `folds` those the search saw, `reason` why there are none."""

    index: int
    params: dict[str, Any]
    values: list[float] | None
    folds: tuple[Fold, ...]
    state: str
    reason: str | None


class Study:
    """A study in a storage. Raises SettingsError when it cannot be opened, or is another than the plan says."""

    def __init__(self, plan: Plan, storage: str, name: str | None = None) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        warnings.simplefilter("ignore", ExperimentalWarning)
        self.plan = plan
        self.name = name or plan.name
        self._storage = _open(storage)
        self._study = optuna.create_study(
            storage=self._storage, study_name=self.name, directions=tune_score.directions(plan.objective), load_if_exists=True)
        known = self._study.user_attrs.get(PLAN)
        if known is None:
            self._study.set_user_attr(PLAN, plan.identity)
        elif differing := tune_plan.differences(plan.identity, known):
            raise errors.SettingsError(f"--study {self.name} was begun with other {', '.join(differing)}: take another name, or leave --study out.")
        self._id = self._storage.get_study_id_from_name(self.name)

    # ---- what there is

    def over(self) -> list[Trial]:
        """The trials that are over, by index."""
        return [_trial(index, known) for index, known in sorted(self._known().items()) if known.state.is_finished()]

    def tested(self, index: int) -> tuple[Fold, ...] | None:
        """What a trial made of the folds that the search did not see (AS_THEY_ARE: of all folds); None when it is not known."""
        known = self._study.user_attrs.get(f"{TESTED}:{index}")
        return None if known is None else tuple(map(Fold.of, known))

    def _known(self) -> dict[int, FrozenTrial]:
        """index -> trial; of several with one index the first."""
        found: dict[int, FrozenTrial] = {}
        for trial in self._study.get_trials(deepcopy=False):
            index = trial.user_attrs.get(INDEX)
            if index is not None:
                found.setdefault(index, trial)
        return found

    # ---- the search

    def search(self, trials: int, crew: Crew, told: Callable[[Trial], None] = lambda trial: None) -> None:
        """Go on until there are so many trials. `told` is called with each that is over, also those that others carried out."""
        seen = {trial.index for trial in self.over()}
        with Claims(self._storage) as claims:
            for begin in range(0, trials, self.plan.batch):
                batch = range(begin, min(begin + self.plan.batch, trials))
                if not seen.issuperset(batch):
                    self._draw(batch)
                    self._carry_out(batch, crew, claims, seen, told)

    def _draw(self, batch: range) -> None:
        """See to it that the trials of a batch are in the storage."""
        known = self._known()
        if all(index in known for index in batch):
            return
        drawer = _Drawer(self.plan, [known[index] for index in range(batch.start)])
        for index in batch:
            params = drawer.draw(index, known[index].params if index in known else None)
            if index not in known:
                self._study.add_trial(create_trial(
                    state=TrialState.WAITING, params=params, distributions=dict(self.plan.space), user_attrs={INDEX: index}))
        self._drop_doubles(batch)

    def _drop_doubles(self, batch: range) -> None:
        """Another worker may have drawn the same at the same time: of each trial the first counts, and the others shall not wait for ever."""
        known = self._known()
        for trial in self._study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
            index = trial.user_attrs.get(INDEX)
            if index in batch and trial.number != known[index].number:
                with contextlib.suppress(UpdateFinishedTrialError):
                    self._storage.set_trial_state_values(self._trial_id(trial), TrialState.FAIL)

    def _carry_out(self, batch: range, crew: Crew, claims: Claims, seen: set[int], told: Callable[[Trial], None]) -> None:
        """Claim trials of the batch and carry them out, until all of it is over, here or elsewhere."""
        while True:
            known = self._known()
            for index in batch:
                if index not in seen and known[index].state.is_finished():
                    seen.add(index)
                    told(_trial(index, known[index]))
            left = {index: known[index] for index in batch if not known[index].state.is_finished()}
            if not left:
                return
            claimed = self._claim(left, crew.size, claims)
            if claimed:
                self._run(claimed, crew, claims)
            else:
                claims.pause(LOOK_AGAIN_S)

    def _claim(self, left: dict[int, FrozenTrial], count: int, claims: Claims) -> dict[int, FrozenTrial]:
        """Up to `count` trials that nobody works at, now ours."""
        claimed: dict[int, FrozenTrial] = {}
        for index, trial in left.items():
            if tries(trial) >= TRIES and is_dead(trial.user_attrs.get(WORKER)):
                self._tell(trial, [Outcome(None, BROKE, f"the process that ran it died {TRIES} times")])
            elif len(claimed) < count and claims.take(self._trial_id(trial), trial):
                claimed[index] = trial
        return claimed

    def _run(self, claimed: dict[int, FrozenTrial], crew: Crew, claims: Claims) -> None:
        tasks = [self._task(index, trial.params, fold) for index, trial in claimed.items() for fold in self.plan.train]
        outcomes: dict[int, dict[int, Outcome]] = {index: {} for index in claimed}
        for task, outcome in crew.outcomes(tasks):
            outcomes[task.index][task.fold] = outcome
            if len(outcomes[task.index]) == len(self.plan.train):
                claims.let_go(self._trial_id(claimed[task.index]))
                self._tell(claimed[task.index], [outcomes[task.index][fold] for fold in self.plan.train])

    def _task(self, index: int, params: dict[str, Any], fold: int) -> Task:
        return Task(index, fold, self.plan.folds[fold], params)

    def _tell(self, trial: FrozenTrial, outcomes: list[Outcome]) -> None:
        """Write down what became of a trial. Another worker may have been faster, with the same."""
        bad = next((outcome for outcome in outcomes if outcome.fold is None), None)
        folds = [outcome.fold for outcome in outcomes if outcome.fold is not None]
        values = (bad.reason or "") if bad is not None else tune_score.values(self.plan.objective, folds)
        try:
            trial_id = self._trial_id(trial)
            self._storage.set_trial_user_attr(trial_id, FOLDS, [fold.as_dict() for fold in folds])
            if isinstance(values, str):
                self._storage.set_trial_user_attr(trial_id, REASON, values)
                is_broken = bad is not None and bad.kind == BROKE
                self._study.tell(trial.number, state=TrialState.FAIL if is_broken or self._has_many_goals() else TrialState.PRUNED)
            else:
                self._study.tell(trial.number, values)
        except (UpdateFinishedTrialError, ValueError):
            if not self._study.get_trials(deepcopy=False)[trial.number].state.is_finished():
                raise

    def _has_many_goals(self) -> bool:
        return len(self._study.directions) > 1  # Optuna knows no pruning there

    def _trial_id(self, trial: FrozenTrial) -> int:
        return self._storage.get_trial_id_from_study_id_trial_number(self._id, trial.number)

    # ---- the test

    def test(self, trials: Iterable[Trial], crew: Crew) -> None:
        """Run these trials on the folds that the search did not see, and the settings as they are on all; what is known is not run again."""
        asked = [(trial.index, trial.params, self.plan.unseen) for trial in trials if self.tested(trial.index) is None]
        if self.tested(AS_THEY_ARE) is None:
            asked.append((AS_THEY_ARE, {}, range(len(self.plan.folds))))
        outcomes: dict[int, dict[int, Outcome]] = {}
        for task, outcome in crew.outcomes([self._task(index, params, fold) for index, params, folds in asked for fold in folds]):
            outcomes.setdefault(task.index, {})[task.fold] = outcome
        for index, _, folds in asked:
            found = [outcomes[index][fold].fold for fold in folds]
            if None not in found:
                self._study.set_user_attr(f"{TESTED}:{index}", [fold.as_dict() for fold in found])


class _Drawer:
    """Draws the settings of trials. `past` are the trials of all earlier batches, in the order of their indices."""

    def __init__(self, plan: Plan, past: list[FrozenTrial]) -> None:
        self._plan = plan
        self._memory = optuna.create_study(directions=tune_score.directions(plan.objective), sampler=optuna.samplers.RandomSampler(0))
        for trial in past:
            self._memory.add_trial(create_trial(
                state=trial.state, values=trial.values if trial.state == TrialState.COMPLETE else None, params=trial.params,
                distributions=dict(plan.space)))

    def draw(self, index: int, drawn: dict[str, Any] | None) -> dict[str, Any]:
        """The settings of trial `index`; those before it in its batch have been drawn here, too. `drawn` are known already."""
        params = drawn
        if params is None and index == 0:
            params = tune_space.within(self._plan.space, self._plan.base_values)
        if params is not None:
            self._memory.add_trial(create_trial(state=TrialState.RUNNING, params=params, distributions=dict(self._plan.space)))
            return params
        self._memory.sampler = TPESampler(
            seed=(self._plan.seed * 1_000_003 + index) % 2**32, n_startup_trials=tune_plan.STARTUP, multivariate=True, constant_liar=True)
        return self._memory.ask(dict(self._plan.space)).params


def _trial(index: int, known: FrozenTrial) -> Trial:
    return Trial(index, dict(known.params), list(known.values) if known.state == TrialState.COMPLETE else None,
                 tuple(map(Fold.of, known.user_attrs.get(FOLDS, []))), STATES[known.state], known.user_attrs.get(REASON))


def _open(storage: str) -> Any:
    """The storage behind a URL. Raises SettingsError. Several who open a new one at once make its tables at once: all but one try again."""
    waits = {"connect_args": {"timeout": 60}} if storage.startswith("sqlite") else {}
    for left in reversed(range(OPENINGS)):
        try:
            return optuna.storages.RDBStorage(storage, engine_kwargs=waits)
        except (OptunaError, SQLAlchemyError, ImportError, ValueError, OSError) as error:
            text = str(getattr(error, "orig", None) or error).splitlines()[0].rstrip(".")
            is_race = isinstance(error, IntegrityError) or (isinstance(error, OperationalError) and re.search("exists|locked", text))
            if not left or not is_race:
                raise errors.SettingsError(f"--storage {without_password(storage)} cannot be used: {text}.") from None
            time.sleep(OPENING_PAUSE_S)
    raise AssertionError("the last try returns or raises")


def without_password(url: str) -> str:
    scheme, found, rest = url.partition("://")
    return f"{scheme}://...@{rest.rpartition('@')[2]}" if found and "@" in rest else url
