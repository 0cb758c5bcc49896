"""The command line options that say what is run: shared by the words that back-test."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from datetime import datetime, timezone
from typing import Any

from market_maker.utils import errors

from .job import LATENCY_S, MATCHERS, MINUTES, QUEUES, Job, setting


def add_run_options(parser: ArgumentParser, several_markets: bool = False) -> None:
    """The options that `job_of` reads. With `several_markets` --market takes a list."""
    add = parser.add_argument
    add("symbol", nargs="?", default="XBTUSD", metavar="SYMBOL", help="the contract (XBTUSD)")
    add("--data", nargs="+", default=[], metavar="FILE", help="recorded market data, in the order of time; see docs/data.md")
    add("--from", dest="begin", type=_moment, metavar="TIME", help="begin here, such as 2018-08-16 or 2018-08-16T12:00 (UTC)")
    add("--to", dest="end", type=_moment, metavar="TIME", help="end here")
    add("--minutes", type=_number, metavar="N", help=f"no longer than this ({MINUTES:g} on a synthetic market)")
    add("--strict", action="store_true", help="let a row that cannot be read end it, instead of passing it over")
    add("--set", action="append", type=setting, default=[], metavar="NAME=VALUE", help="a setting, over all others; may be repeated")
    add("--settings", metavar="FILE", help="read this file instead of ./settings.py")
    add("--strategy", metavar="MODULE:CLASS", help="a subclass of OrderManager, from a module or a file")
    if several_markets:
        add("--market", nargs="+", default=["lively"], metavar="lively|calm|FILE",
            help="without --data: who trades (lively); or files of one-minute bars, one for each fold")
    else:
        add("--market", default="lively", metavar="lively|calm|FILE", help="without --data: who trades; a file of one-minute bars moves the index")
    add("--matcher", default="auto", choices=MATCHERS, help="engine: within the book; hft: in hftbacktest's queues (auto: hft for --data)")
    add("--queue", default="conservative", choices=QUEUES, help="how an order moves up while others cancel (conservative: not at all)")
    add("--whole-fills", action="store_true", help="fill orders wholly or not at all (hft)")
    add("--latency", default=LATENCY_S, metavar="SECONDS|FILE", help=f"how long a request takes, each way ({LATENCY_S}), or measured samples")
    add("--profile", choices=("classic", "modern"), help="which BitMEX it is (PAPER_PROFILE)")
    add("--balance", type=_number, metavar="XBT", help="paper money to begin with (PAPER_BALANCE_XBT)")
    add("--seed", type=int, default=0, help="of everything random (0)")
    add("--json", action="store_true", help="print one JSON document")


def job_of(asked: Namespace, **more: Any) -> Job:
    """The job that the options describe, not checked yet. more -- further fields of it."""
    market = asked.market if isinstance(asked.market, str) else asked.market[0]
    return Job(
        symbol=asked.symbol.upper(), data=tuple(asked.data), market=market, begin=asked.begin, end=asked.end, minutes=asked.minutes,
        strict=asked.strict, settings=dict(asked.set), settings_path=asked.settings, strategy=asked.strategy, profile=asked.profile,
        balance_xbt=asked.balance, matcher=asked.matcher, queue=asked.queue, partial_fills=not asked.whole_fills, latency=asked.latency,
        seed=asked.seed, **more,
    )  # fmt: skip


def count(text: str) -> int:
    """A whole number above 0. Raises SettingsError."""
    if not text.isdigit() or not int(text):
        raise errors.SettingsError(f"{text} is no whole number above 0.")
    return int(text)


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
