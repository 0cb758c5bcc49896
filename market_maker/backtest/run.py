"""Run back-tests: a job in, a run out, like any other run of the bot.

* The same job gives the same run, to the byte: time, ids, latencies and markets come from the job and its seed alone.
* A run that is stopped (Ctrl-C) cancels its orders in simulated time and keeps what was done.
* Nothing of an earlier run in this process reaches into the next.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from multiprocessing import get_context
from typing import Any

from market_maker import run_folder
from market_maker import settings as settings_module
from market_maker.journal import Journal
from market_maker.journal_reading import Run
from market_maker.journal_schema import FILE_NAME
from market_maker.market_maker import OrderManager
from market_maker.settings import Settings
from market_maker.utils import errors
from market_maker.utils.load import load_class

from .doors import latency as latency_of
from .job import Job
from .quiet import quietly, rarely_collecting
from .scenes import Progress, Scene, scene_of
from .stage import OVER, Stage, open_venue


@dataclass
class Result:
    """What became of a job. `run` reads it; `image` holds a run that was kept in memory, `path` the folder of one that was not.

    seconds -- of real time; rows -- of market data; bad -- rows that could not be read, problems -- a line for each kind of them;
    requests -- sent by the bot; ended -- why it ended; is_whole -- whether it came to the end that was asked for.
    """

    job: Job
    path: str | None
    image: bytes | None
    market_effect: str
    ended: str
    seconds: float
    rows: int
    bad: int
    problems: tuple[str, ...]
    requests: int

    @property
    def is_whole(self) -> bool:
        return self.ended == OVER

    @cached_property
    def run(self) -> Run:
        """The run, open for reading."""
        if self.path is not None:
            return Run(sqlite3.connect(os.path.join(self.path, FILE_NAME)), os.path.basename(self.path), self.path)
        connection = sqlite3.connect(":memory:")
        connection.deserialize(self.image)
        return Run(connection)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "run"}


def run(job: Job, progress: Progress | None = None, data: Any = None) -> Result:
    """Carry out one job. `data`, something with `batches` and `describe` (see `bitmex_venue.market.importers`), is taken instead of files.

    Raises SettingsError (a bad job, settings or data, in one line), or what ended the run.
    """
    job = job.checked()
    begun = time.perf_counter()
    settings = load_settings(job)
    latency = latency_of(job.latency, job.seed)
    chosen = load_class(job.strategy, OrderManager) if job.strategy else OrderManager
    with ExitStack() as stack:
        stack.enter_context(rarely_collecting())
        scene = stack.enter_context(scene_of(job, settings, data, progress))
        venue = open_venue(job, settings, scene.market, scene.begin)
        connection, path = stack.enter_context(_kept(job))
        journal = Journal(connection, _about(job, settings, scene, latency.describe()), keeps_inputs=False)
        share = progress and (lambda now: progress((now - scene.begin) / max(1, scene.end - scene.begin), "trading"))
        ended, requests, stage = "an error", 0, None
        try:
            with quietly(journal, settings):
                stage = Stage(job, settings, venue, scene.end, latency, journal, chosen, share)
                stage.run()
                ended, requests = stage.stop_reason, stage.requests
        finally:
            journal.close(exit_code=errors.EXIT_OK if ended != "an error" else errors.EXIT_ERROR, ended_by=ended)
            connection.commit()
            if stage is None and path is not None:  # nothing has happened that is worth a folder
                shutil.rmtree(path, ignore_errors=True)
        image = None if path else connection.serialize()
        seconds = time.perf_counter() - begun
        return Result(job, path, image, scene.effect, ended, seconds, scene.rows, scene.bad(), scene.problems(), requests)


def run_many(jobs: Iterable[Job], processes: int = 1) -> Iterator[Result]:
    """Carry out jobs, several at a time; results come in the order of the jobs. Raises what the first failing job raised."""
    jobs = list(jobs)
    if processes <= 1 or len(jobs) <= 1:
        yield from map(run, jobs)
        return
    with ProcessPoolExecutor(min(processes, len(jobs)), get_context("spawn")) as pool:
        yield from pool.map(run, jobs)


def load_settings(job: Job) -> Settings:
    """The settings of a run, by the usual machinery: files, environment, the job's own last. Raises SettingsError with all problems."""
    settings = settings_module.load(symbol=job.symbol, path=job.settings_path, overrides=dict(job.settings))
    settings.BASE_URL, settings.API_KEY, settings.API_SECRET = "paper", "", ""
    settings.LOGIN = settings.PASSWORD = settings.OTPTOKEN = ""
    settings.DRY_RUN, settings.RUN_FOR_S, settings.WATCHED_FILES = False, None, []
    if settings.RANDOM_SEED is None:
        settings.RANDOM_SEED = job.seed
    return settings


# ---- where it is kept


@contextmanager
def _kept(job: Job) -> Iterator[tuple[sqlite3.Connection, str | None]]:
    """A connection for the journal, and the folder it is in."""
    path = None
    if job.runs_dir is not None:
        try:
            path = run_folder.new_folder(job.runs_dir, job.symbol)
        except OSError as error:
            raise errors.SettingsError(f"--runs-dir {job.runs_dir}: no folder can be made there: {error.strerror}.") from None
    with closing(sqlite3.connect(":memory:" if path is None else os.path.join(path, FILE_NAME))) as connection:
        yield connection, path


def _about(job: Job, settings: Settings, scene: Scene, latency: str) -> dict[str, Any]:
    return {
        "kind": "backtest",
        "settings": run_folder.shown_settings(settings),
        "seed": job.seed,
        "market": f"{scene.text}; {latency}",
        "market_effect": scene.effect,
    }
