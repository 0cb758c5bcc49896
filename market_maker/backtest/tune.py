"""`marketmaker tune`: search settings, and judge what is found on data it was not chosen on.

Exit codes: 0 searched, 1 no trial could be judged or a file could not be written, 2 wrong usage, settings or data, 130 stopped by Ctrl-C (the
study is kept: the same command goes on).
"""

from __future__ import annotations

import os
import shlex
import sys
from argparse import Namespace
from dataclasses import replace
from typing import Any

from tqdm import tqdm

from market_maker import words
from market_maker.utils import errors

from . import tune_crew, tune_plan, tune_report, tune_score, tune_space
from .arguments import add_run_options, count, job_of
from .job import MINUTES, Job
from .run import load_settings
from .tune_plan import Plan
from .tune_study import Study, Trial, without_password
from .tune_trial import evaluate

WHAT = "search settings, and judge what is found on data it was not chosen on"
EXAMPLE = "marketmaker tune XBTUSD --market calm --space space.toml --trials 60 --processes 2 --out settings-tuned.py"
INTERRUPTED = 130
FOLDER = "tuned"
PICTURES = (".png", ".svg")
SYNTHETIC = ("lively", "calm", "empty")


def main(argv: list[str], evaluate: tune_crew.Evaluate = evaluate) -> int:
    """Do what the command line asks; the exit code. `evaluate` carries out a task (another one is for tests)."""
    asked = _parser().parse_args(argv)
    if asked.out and os.path.exists(asked.out):
        raise errors.SettingsError(f"--out {asked.out}: it is there already, and nothing is overwritten.")
    if asked.picture and not asked.picture.lower().endswith(PICTURES):
        raise errors.SettingsError(f"--picture {asked.picture}: the name must end in {' or '.join(PICTURES)}.")
    plan = plan_of(asked)
    study = Study(plan, asked.storage, asked.study)
    try:
        with tune_crew.hire(evaluate, asked.processes, asked.scheduler) as crew:
            _search(study, crew, asked)
            study.test(tune_report.to_test(plan, study.over()), crew)
    except KeyboardInterrupt:
        return _stopped(study, asked)
    return _tell(study, asked, f"marketmaker tune {shlex.join(_without_secrets(argv))}")


def plan_of(asked: Namespace) -> Plan:
    """The plan that the command line describes. Raises SettingsError with every problem, before anything runs."""
    tune_plan.check(asked.folds, asked.tests)
    space = tune_space.read(asked.space)
    job = job_of(asked).checked()
    settings = load_settings(job)
    values = tune_plan.that_matter(settings.as_dict())
    job = replace(job, settings=values, settings_path=None, profile=job.profile or settings.PAPER_PROFILE, runs_dir=None,
                  balance_xbt=settings.PAPER_BALANCE_XBT if job.balance_xbt is None else job.balance_xbt,
                  data=tuple(map(os.path.abspath, job.data)))
    folds, source = _folds(job, asked)
    return Plan(job, folds, asked.tests, space, values, asked.objective, asked.batch, asked.seed, source)


def _folds(job: Job, asked: Namespace) -> tuple[tuple[Job, ...], str]:
    """The folds, and where they come from in words."""
    if job.data:
        begin, end = _span(job)
        names = ", ".join(map(os.path.basename, job.data))
        return tune_plan.parts(job, begin, end, asked.folds), f"{names}, {_length(end - begin)} in {asked.folds} parts"
    minutes = job.minutes or MINUTES
    if asked.market[0] in SYNTHETIC:
        if len(asked.market) > 1:
            raise errors.SettingsError("--market: one name, or one file of bars for each fold.")
        return tune_plan.seeds(job, asked.folds), f"{asked.market[0]}, {asked.folds} seeds from {job.seed} of {minutes:g} minutes"
    if len(asked.market) < tune_plan.FEWEST_FOLDS or not asked.tests < len(asked.market):
        raise errors.SettingsError("--market: a file of bars is one path of the price. Give one for each fold, in the order of time; the last "
                                   f"{asked.tests} are the test.")
    files = tuple(map(os.path.abspath, asked.market))
    return tune_plan.paths(job, files), f"bars of {', '.join(map(os.path.basename, files))}, {minutes:g} minutes each"


def _span(job: Job) -> tuple[float, float]:
    """The first and last moment of the data (Unix seconds), within --from and --to. Reads all of it once."""
    from bitmex_venue.market.base import SECOND, BadMarketFile
    from bitmex_venue.market.importers import open_data

    begin, end = (None if moment is None else round(moment * SECOND) for moment in (job.begin, job.end))
    first = last = None
    try:
        for batch in open_data(job.data, job.symbol, begin, end, job.strict).batches():
            first, last = batch.time[0] if first is None else first, batch.time[-1]
    except BadMarketFile as error:
        raise errors.SettingsError(str(error)) from None
    return int(first) / SECOND, int(last) / SECOND


def _length(seconds: float) -> str:
    unit, name = next(((unit, name) for unit, name in ((86400, "days"), (3600, "hours"), (60, "minutes")) if seconds >= 2 * unit), (1, "seconds"))
    return f"{seconds / unit:.1f} {name}"


# ---- searching


def _search(study: Study, crew: tune_crew.Crew, asked: Namespace) -> None:
    over = study.over()
    hidden = asked.json or not sys.stderr.isatty()
    best = _Best(study.plan, over)
    with tqdm(total=max(asked.trials, len(over)), initial=len(over), unit="trial", file=sys.stderr, disable=hidden) as bar:
        bar.set_postfix_str(best.text)

        def told(trial: Trial) -> None:
            best.take(trial)
            bar.set_postfix_str(best.text, refresh=False)
            bar.update()

        study.search(asked.trials, crew, told)


class _Best:
    """The best trial so far, for the progress bar."""

    def __init__(self, plan: Plan, trials: list[Trial]) -> None:
        self._plan = plan
        self._trials = tune_report.to_test(plan, trials)

    def take(self, trial: Trial) -> None:
        self._trials = tune_report.to_test(self._plan, [*self._trials, trial])

    @property
    def text(self) -> str:
        if not self._trials:
            return "best: none yet"
        score = tune_score.score(self._trials[0].folds)
        return f"best: trial {self._trials[0].index}, profit {score['profit']:+.4f} %, drawdown {score['drawdown']:.4f} %"


def _stopped(study: Study, asked: Namespace) -> int:
    count = len(study.over())
    sys.stderr.write(f"Stopped: {count} of {asked.trials} trials of study {study.name} are in {without_password(asked.storage)}. "
                     "The same command goes on from there.\n")
    return INTERRUPTED


# ---- telling


def _tell(study: Study, asked: Namespace, command: str) -> int:
    found = tune_report.result(study)
    files = {}
    if found["winner"] is not None:
        files["settings"] = _write_settings(found, asked.out, command)
    if found["pareto"]:
        from . import tune_picture

        files["picture"] = asked.picture or _beside(files.get("settings", study.name), ".png")
        tune_picture.save(found, study.over(), files["picture"])
    if asked.json:
        words.print_json({**found, "files": files})
    else:
        print("\n".join(tune_report.lines(found)))
        if "settings" in files:
            print(f"\nSettings: {files['settings']} (marketmaker --settings {shlex.quote(files['settings'])})")
        if "picture" in files:
            print(f"Picture:  {files['picture']}")
    return errors.EXIT_OK if found["winner"] is not None else errors.EXIT_ERROR


def _write_settings(found: dict[str, Any], out: str | None, command: str) -> str:
    """The path of the settings file. Without --out one of our own is found: with the same settings, or a new one."""
    text = tune_report.settings_text(found, command)
    number = 1
    while True:
        path = out or os.path.join(FOLDER, f"{found['study']}{'' if number == 1 else f'-{number}'}.py")
        if not out and os.path.exists(path):
            if _values_in(path) == _values_of(text):
                return path
            number += 1
            continue
        tune_report.write_new(path, text)
        return path


def _values_in(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8") as file:
            return _values_of(file.read())
    except (OSError, UnicodeDecodeError):
        return []


def _values_of(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def _beside(path: str, ending: str) -> str:
    return os.path.splitext(path)[0] + ending


def _without_secrets(argv: list[str]) -> list[str]:
    return [without_password(word) for word in argv]


# ---- the command line


def _parser() -> words.Parser:
    parser = words.Parser("tune", WHAT[0].upper() + WHAT[1:] + ".", EXAMPLE)
    add = parser.add_argument
    add("--space", required=True, metavar="FILE", help="what to search: TOML or a Python dict, see docs/tune.md")
    add("--trials", type=count, default=40, metavar="N", help="how many there shall be in the end (40)")
    add("--batch", type=count, default=4, metavar="K", help="how many are drawn at a time; part of what the result depends on (4)")
    add("--objective", default="sharpe", choices=sorted(tune_score.OBJECTIVES), help="what is good; pareto: profit and drawdown (sharpe)")
    add("--folds", type=count, default=4, metavar="N", help="parts of the data, or seeds of a synthetic market (4)")
    add("--tests", type=count, default=1, metavar="N", help="how many of them, the last, are kept to judge the winner (1)")
    add("--storage", default="sqlite:///tune.db", metavar="URL", help="an Optuna storage, shared by all who work at the study (sqlite:///tune.db)")
    add("--study", metavar="NAME", help="its name there (made of what is asked, so that the same command goes on)")
    add("--processes", type=count, default=1, metavar="N", help="runs at a time on this machine (1)")
    add("--scheduler", metavar="ADDRESS", help="let the workers of this Dask cluster do the runs, such as tcp://127.0.0.1:8786")
    add("--out", metavar="FILE", help="where to write the winner's settings; never overwritten (tuned/STUDY.py)")
    add("--picture", metavar="FILE", help="where to draw profit against drawdown, .png or .svg (beside the settings)")
    add_run_options(parser, several_markets=True)
    return parser
