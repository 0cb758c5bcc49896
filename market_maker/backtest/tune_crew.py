"""Who carries out the tasks of a study: this process, several processes, or the workers of a Dask cluster.

A crew has `size` (tasks it can do at once) and `outcomes(tasks)`, which yields (task, outcome) as they are done, in any order. Leaving its
context ends it at once, also in the middle of tasks. What a worker that dies was doing is an outcome with a reason.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor, as_completed
from multiprocessing import get_context, parent_process
from types import TracebackType
from typing import Any

from market_maker.utils import errors

from .tune_trial import BROKE, Outcome, Task

CONNECT_S = 10
Evaluate = Callable[[Task], Outcome]
DIED = Outcome(None, BROKE, "the process that ran it died")


class Here:
    """One task after the other, in this process."""

    size = 1

    def __init__(self, evaluate: Evaluate) -> None:
        self._evaluate = evaluate

    def __enter__(self) -> Here:
        return self

    def __exit__(self, *exc_info: Any) -> None:
        pass

    def outcomes(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, Outcome]]:
        for task in tasks:
            outcome = self._evaluate(task)
            if outcome.is_stopped:
                raise KeyboardInterrupt
            yield task, outcome


class Processes:
    """Several tasks at a time, each in a process of its own on this machine."""

    def __init__(self, evaluate: Evaluate, count: int) -> None:
        self.size = count
        self._evaluate = evaluate
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._drop(is_done=kind is None)

    def outcomes(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, Outcome]]:
        """A process that dies takes its whole pool with it: what was not done yet is done again, one at a time."""
        left = dict(enumerate(tasks))
        yield from self._done(left, list(left))
        for place in list(left):
            yield from self._done(left, [place])

    def _done(self, left: dict[int, Task], places: list[int]) -> Iterator[tuple[Task, Outcome]]:
        """Carry out these of the tasks that are left. One that kills its process stays there, unless it was alone."""
        waiting = self._submit({place: left[place] for place in places})
        for future in as_completed(waiting):
            place = waiting[future]
            try:
                outcome = future.result()
            except BrokenExecutor:
                if len(places) > 1:
                    continue
                outcome = DIED
            yield left.pop(place), outcome
        if any(isinstance(future.exception(), BrokenExecutor) for future in waiting):
            self._drop(is_done=False)

    def _submit(self, tasks: dict[int, Task]) -> dict[Future[Outcome], int]:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(self.size, get_context("spawn"), initializer=_begin)
        waiting: dict[Future[Outcome], int] = {}
        for place, task in tasks.items():
            try:
                waiting[self._pool.submit(self._evaluate, task)] = place
            except BrokenExecutor:  # already, by one of those before
                break
        return waiting

    def _drop(self, is_done: bool) -> None:
        pool, self._pool = self._pool, None
        if pool is None:
            return
        workers = list((getattr(pool, "_processes", None) or {}).values())
        pool.shutdown(wait=is_done, cancel_futures=True)
        if not is_done:
            for worker in workers:
                worker.terminate()


class Cluster:
    """The workers of a Dask cluster (`distributed`); each needs this program and, under the same paths, the data."""

    def __init__(self, evaluate: Evaluate, address: str) -> None:
        self._evaluate = evaluate
        self._address = address
        self._client: Any = None

    def __enter__(self) -> Cluster:
        import distributed

        try:
            self._client = distributed.Client(self._address, timeout=CONNECT_S, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            raise errors.SettingsError(f"--scheduler {self._address} cannot be reached: {str(error).splitlines()[0].rstrip('.')}.") from None
        if not self._threads():
            self._client.close()
            raise errors.SettingsError(f"--scheduler {self._address} has no workers: start some with dask worker {self._address}.")
        return self

    def __exit__(self, *exc_info: Any) -> None:
        with contextlib.suppress(Exception):
            self._client.close(timeout=CONNECT_S)

    @property
    def size(self) -> int:
        return max(1, self._threads())

    def outcomes(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, Outcome]]:
        import distributed

        waiting = {self._client.submit(self._evaluate, task, pure=False): task for task in tasks}
        try:
            for future in distributed.as_completed(list(waiting), loop=self._client.loop):
                yield waiting[future], self._outcome(future)
        finally:
            self._client.cancel(list(waiting))

    def _threads(self) -> int:
        return sum(self._client.nthreads().values())

    def _outcome(self, future: Any) -> Outcome:
        if future.status == "finished":
            return future.result()
        error = future.exception() if future.status == "error" else None
        return DIED if error is None else Outcome(None, BROKE, f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}")


def hire(evaluate: Evaluate, processes: int = 1, scheduler: str | None = None) -> Here | Processes | Cluster:
    """The crew that the command line asks for."""
    if scheduler is not None:
        return Cluster(evaluate, scheduler)
    return Processes(evaluate, processes) if processes > 1 else Here(evaluate)


def _begin() -> None:
    """How a process of the pool begins: it leaves Ctrl-C to the one that leads the study, which ends the others, and ends when that one is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, name="tune-parent", daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(errors.EXIT_ERROR)
