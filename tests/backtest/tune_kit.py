"""A stand-in for runs of the bot that is quick and knows what is best: INTERVAL 0.002 with 4 pairs. Run as a program it tunes with it.

Each fold adds a little noise of its own seed, so that the best trial of one fold need not be the best of another.
"""

import contextlib
import math
import os
import pathlib
import random
import signal
import sys
import tempfile
import threading

from market_maker.backtest.tune_score import Fold
from market_maker.backtest.tune_trial import BROKE, REFUSED, Outcome, Task

SPACE = """\
INTERVAL = {low = 0.0005, high = 0.02, log = true}
ORDER_PAIRS = {low = 1, high = 9}
MAINTAIN_SPREADS = [true, false]
"""


@contextlib.contextmanager
def folder():
    """An empty folder with a space file, in memory where there is a place for that: a study writes to the disk for each step."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as path:
        found = pathlib.Path(path)
        (found / "space.toml").write_text(SPACE)
        yield found


def evaluate(task: Task) -> Outcome:
    """What the task's settings make in the market of its seed."""
    settings = {**task.job.settings, **task.settings}
    if settings["ORDER_PAIRS"] == 9:
        return Outcome(None, REFUSED, "nine is too many")
    if settings["ORDER_PAIRS"] == 8:
        return Outcome(None, BROKE, "ValueError: eight breaks")
    miss = math.log(settings["INTERVAL"] / 0.002) ** 2 + 0.05 * (settings["ORDER_PAIRS"] - 4) ** 2
    noise = random.Random(f"{task.fold} {settings['INTERVAL']:.4f}")
    changes = [0.0002 - 0.0001 * miss + noise.gauss(0, 0.0001) for _ in range(40)]
    profit = sum(changes)
    return Outcome(Fold(
        profit=round(profit * 1e8), profit_percent=100 * profit, drawdown_percent=100 * max(0.0002, 0.004 * settings["INTERVAL"] / 0.002),
        fills=0 if settings["INTERVAL"] > 0.015 else 40, requests=1.0, interval_s=60.0,
        moments=(40.0, *(sum(change**power for change in changes) for power in (1, 2, 3, 4)))))  # fmt: skip


def evaluate_and_die(task: Task) -> Outcome:
    """The same, but kill -9 at the trial that KILL_AT names."""
    if task.index == int(os.environ["KILL_AT"]):
        os.kill(os.getpid(), signal.SIGKILL)
    return evaluate(task)


def evaluate_and_interrupt(task: Task) -> Outcome:
    """The same, but Ctrl-C at the trial that KILL_AT names."""
    if task.index == int(os.environ["KILL_AT"]):
        os.kill(os.getpid(), signal.SIGINT)
    return evaluate(task)


def evaluate_for_long(task: Task) -> Outcome:
    """The same, but from the trial that KILL_AT names on nothing ever ends; the file `begun` says that it has begun."""
    if task.index >= int(os.environ["KILL_AT"]):
        pathlib.Path("begun").write_text("")
        threading.Event().wait()
    return evaluate(task)


if __name__ == "__main__":
    from market_maker import cli
    from market_maker.backtest import tune

    how = globals()[sys.argv[1]]
    real, tune.main = tune.main, lambda argv: real(argv, how)
    sys.exit(cli.main(["tune", *sys.argv[2:]]))
