"""Who works at which trial of a study: claims in the storage, that count while their worker lives and speaks.

Rules:

* A claim is taken over when its process is gone (on the same machine), or has been silent for SILENCE_S (on any).
* Two who claim at the same moment may both work: the outcome is the same, and the second is not written down. Nothing is lost but time.
"""

from __future__ import annotations

import os
import platform
import threading
import time
import uuid
from typing import Any

from optuna.exceptions import OptunaError, UpdateFinishedTrialError
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import SQLAlchemyError

BEAT_S = 10.0                  # how often a worker says that it is alive
SILENCE_S = 60.0               # and after which silence it is taken for dead
TRIES = 5                      # a trial whose process died so often is not begun again
WORKER = "worker"


class Claims:
    """The claims of this process: taken, kept alive by a thread, let go."""

    def __init__(self, storage: Any) -> None:
        self._storage = storage
        self._name = uuid.uuid4().hex
        self._held: dict[int, int] = {}  # trial id -> how often it was begun
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="tune-claims", daemon=True)

    def __enter__(self) -> Claims:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: Any) -> None:
        self._over.set()
        self._thread.join(BEAT_S)

    def take(self, trial_id: int, trial: FrozenTrial) -> bool:
        """Claim a trial unless somebody alive has."""
        if trial.state == TrialState.WAITING:
            try:
                if not self._storage.set_trial_state_values(trial_id, TrialState.RUNNING):
                    return False
            except UpdateFinishedTrialError:
                return False
        elif not is_dead(trial.user_attrs.get(WORKER)):
            return False
        with self._lock:
            self._held[trial_id] = tries(trial) + 1
            return self._say(trial_id)

    def let_go(self, trial_id: int) -> None:
        with self._lock:
            self._held.pop(trial_id, None)

    def pause(self, seconds: float) -> None:
        self._over.wait(seconds)

    def _go_on(self) -> None:
        while not self._over.wait(BEAT_S):
            with self._lock:
                for trial_id in list(self._held):
                    try:
                        self._say(trial_id)
                    except (OptunaError, SQLAlchemyError):  # a moment's trouble: the next beat will do
                        continue

    def _say(self, trial_id: int) -> bool:
        try:
            self._storage.set_trial_user_attr(trial_id, WORKER, {
                "name": self._name, "host": platform.node(), "pid": os.getpid(), "at": time.time(), "tries": self._held[trial_id]})
        except UpdateFinishedTrialError:
            return False
        return True


def tries(trial: FrozenTrial) -> int:
    """How often a trial was begun."""
    return trial.user_attrs.get(WORKER, {}).get("tries", 0)


def is_dead(worker: dict[str, Any] | None) -> bool:
    """Whether the claim of a worker counts no more. One that has claimed and not yet said so is not waited for: it loses nothing."""
    if worker is None or time.time() - worker["at"] > SILENCE_S:
        return True
    if worker["host"] != platform.node() or os.name != "posix":
        return False
    try:
        os.kill(worker["pid"], 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
