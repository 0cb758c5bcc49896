"""`marketmaker backtest`: the bot as it is on recorded or synthetic markets, in simulated time.

Exit codes: 0 done, 1 an error ended the run, 2 wrong usage, settings or data, 130 stopped by Ctrl-C (what was done is kept).
"""

from __future__ import annotations

import sys
from argparse import Namespace
from dataclasses import replace
from typing import Any

from tqdm import tqdm

from market_maker import run_folder, words
from market_maker.utils import errors

from . import summary
from .arguments import add_run_options, count, job_of
from .job import Job, setting
from .run import Result, load_settings, run, run_many

WHAT = "let the bot trade a recorded or synthetic market in simulated time"
EXAMPLE = """\
marketmaker backtest XBTUSD --minutes 120 --market calm --set INTERVAL=0.002
  marketmaker backtest XBTUSD --data quote/20180816.csv.gz trade/20180816.csv.gz --set EVENT_DRIVEN=False"""
INTERRUPTED = 130


def main(argv: list[str]) -> int:
    """Do what the command line asks; the exit code."""
    asked = _parser().parse_args(argv)
    jobs = _jobs(asked)
    results = _run_all(jobs, asked)
    if asked.json:
        words.print_json([summary.as_dict(result) for result in results] if len(jobs) > 1 else summary.as_dict(results[0]))
    elif results:
        print("\n\n".join("\n".join(summary.lines(result)) for result in results))
    is_whole = len(results) == len(jobs) and all(result.is_whole for result in results)
    return errors.EXIT_OK if is_whole else INTERRUPTED


def _run_all(jobs: list[Job], asked: Namespace) -> list[Result]:
    if len(jobs) == 1:
        with _Bar(asked.json) as bar:
            return [run(jobs[0], bar.show)]
    results: list[Result] = []
    hidden = asked.json or not sys.stderr.isatty()
    try:
        for result in tqdm(run_many(jobs, asked.processes), total=len(jobs), unit="run", file=sys.stderr, disable=hidden):
            results.append(result)
    except KeyboardInterrupt:
        sys.stderr.write(f"Stopped: {len(results)} of {len(jobs)} runs are done.\n")
    return results


class _Bar:
    """A progress bar with the time left, on a terminal only."""

    def __init__(self, is_quiet: bool) -> None:
        hidden = is_quiet or not sys.stderr.isatty()
        layout = "{desc}: {percentage:3.0f}%|{bar}| {elapsed} gone, {remaining} left"
        self._shown: tuple[int, str] = (0, "")
        self._bar = tqdm(total=1000, file=sys.stderr, disable=hidden, bar_format=layout, leave=False)

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *exc_info: Any) -> None:
        self._bar.close()

    def show(self, share: float, what: str) -> None:
        done = int(min(1.0, share) * 1000)
        if (done, what) != self._shown and not self._bar.disable:
            self._shown = done, what
            self._bar.n = done
            self._bar.set_description_str(what)


def _jobs(asked: Namespace) -> list[Job]:
    """One job, or one for each file and for each value of a setting, where these are to be runs of their own."""
    job = job_of(asked, runs_dir=asked.runs_dir)
    settings = load_settings(job.checked())
    job = replace(job, runs_dir=job.runs_dir or settings.RUNS_DIR or None)
    run_folder.remove_old(job.runs_dir or "", settings.RUNS_KEEP)
    jobs = [replace(job, data=(path,)) for path in asked.data] if asked.each and asked.data else [job]
    for name, *values in asked.vary:
        jobs = [replace(one, settings={**one.settings, name: value}) for one in jobs for value in values]
    for one in jobs:
        load_settings(one)
    return jobs


def _varied(text: str) -> tuple[Any, ...]:
    """NAME=VALUE,VALUE,... -> (name, value, value, ...)."""
    name, _, values = text.partition("=")
    return (name.strip(), *(setting(f"{name}={value}", "--vary")[1] for value in values.split(",")))


def _parser() -> words.Parser:
    parser = words.Parser("backtest", WHAT[0].upper() + WHAT[1:] + ".", EXAMPLE)
    add_run_options(parser)
    add = parser.add_argument
    add("--each", action="store_true", help="with several files of --data: a run for each instead of one through all")
    add("--vary", action="append", type=_varied, default=[], metavar="NAME=V1,V2,...", help="a run for each value; may be repeated")
    add("--processes", type=count, default=1, metavar="N", help="with --each or --vary: so many runs at a time (1)")
    add("--runs-dir", metavar="FOLDER", help="where the run leaves a folder (RUNS_DIR)")
    return parser
