"""`marketmaker backtest`: the bot as it is on recorded or synthetic markets, in simulated time.

Exit codes: 0 done, 1 an error ended the run, 2 wrong usage, settings or data, 130 stopped by Ctrl-C (what was done is kept).
"""

from __future__ import annotations

import sys
from argparse import Namespace
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

from tqdm import tqdm

from market_maker import run_folder, words
from market_maker.utils import errors

from . import summary
from .job import LATENCY_S, MATCHERS, MINUTES, QUEUES, Job, setting
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
    """One job, or one for each file where each is to be a run of its own."""
    job = Job(
        symbol=asked.symbol.upper(), data=tuple(asked.data), market=asked.market, begin=asked.begin, end=asked.end, minutes=asked.minutes,
        strict=asked.strict, settings=dict(asked.set), settings_path=asked.settings, strategy=asked.strategy, profile=asked.profile,
        balance_xbt=asked.balance, matcher=asked.matcher, queue=asked.queue, partial_fills=not asked.whole_fills, latency=asked.latency,
        seed=asked.seed, runs_dir=asked.runs_dir,
    )  # fmt: skip
    settings = load_settings(job.checked())
    job = replace(job, runs_dir=job.runs_dir or settings.RUNS_DIR or None)
    run_folder.remove_old(job.runs_dir or "", settings.RUNS_KEEP)
    return [replace(job, data=(path,)) for path in asked.data] if asked.each and asked.data else [job]


def _parser() -> words.Parser:
    parser = words.Parser("backtest", WHAT[0].upper() + WHAT[1:] + ".", EXAMPLE)
    add = parser.add_argument
    add("symbol", nargs="?", default="XBTUSD", metavar="SYMBOL", help="the contract (XBTUSD)")
    add("--data", nargs="+", default=[], metavar="FILE", help="recorded market data, in the order of time; see docs/backtest.md")
    add("--each", action="store_true", help="with several files of --data: a run for each instead of one through all")
    add("--processes", type=_count, default=1, metavar="N", help="with --each: so many runs at a time (1)")
    add("--from", dest="begin", type=_moment, metavar="TIME", help="begin here, such as 2018-08-16 or 2018-08-16T12:00 (UTC)")
    add("--to", dest="end", type=_moment, metavar="TIME", help="end here")
    add("--minutes", type=_number, metavar="N", help=f"no longer than this ({MINUTES:g} on a synthetic market)")
    add("--strict", action="store_true", help="let a row that cannot be read end it, instead of passing it over")
    add("--set", action="append", type=_setting, default=[], metavar="NAME=VALUE", help="a setting, over all others; may be repeated")
    add("--settings", metavar="FILE", help="read this file instead of ./settings.py")
    add("--strategy", metavar="MODULE:CLASS", help="a subclass of OrderManager, from a module or a file")
    add("--market", default="lively", metavar="lively|calm|FILE", help="without --data: who trades; a file of one-minute bars moves the index")
    add("--matcher", default="auto", choices=MATCHERS, help="engine: within the book; hft: in hftbacktest's queues (auto: hft for --data)")
    add("--queue", default="conservative", choices=QUEUES, help="how an order moves up while others cancel (conservative: not at all)")
    add("--whole-fills", action="store_true", help="fill orders wholly or not at all (hft)")
    add("--latency", default=LATENCY_S, metavar="SECONDS|FILE", help=f"how long a request takes, each way ({LATENCY_S}), or measured samples")
    add("--profile", choices=("classic", "modern"), help="which BitMEX it is (PAPER_PROFILE)")
    add("--balance", type=_number, metavar="XBT", help="paper money to begin with (PAPER_BALANCE_XBT)")
    add("--seed", type=int, default=0, help="of everything random (0)")
    add("--runs-dir", metavar="FOLDER", help="where the run leaves a folder (RUNS_DIR)")
    add("--json", action="store_true", help="print one JSON document")
    return parser


def _setting(text: str) -> tuple[str, Any]:
    return setting(text)


def _moment(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise errors.SettingsError(f"{text} is no time; write it as 2018-08-16 or 2018-08-16T12:00.") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise errors.SettingsError(f"{text} is no number above 0.")
    return value


def _count(text: str) -> int:
    if not text.isdigit() or not int(text):
        raise errors.SettingsError(f"{text} is no number of processes.")
    return int(text)
