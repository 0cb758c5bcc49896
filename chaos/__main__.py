"""`python -m chaos`: run the three parts, print the scorecard, write chaos/SCORECARD.md. Ends with 1 when something of ours is not 0."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import platform
import sys
import time

from chaos import outcome, simulated

HERE = os.path.dirname(os.path.abspath(__file__))


def main(argv=None):
    arguments = _parser().parse_args(argv)
    begun = time.monotonic()
    columns, failures = [], []
    if "a" in arguments.parts:
        for heading, trials in (
            ("(a) alone", list(simulated.alone(arguments.seed))),
            ("(a) mixed", list(simulated.mixed(arguments.seed, arguments.runs))),
        ):
            columns.append((heading, _play_all(heading, trials, arguments.only, failures)))
    if "b" in arguments.parts or "c" in arguments.parts:
        from chaos import real_time

        columns += real_time.run(arguments.seed, arguments.parts, failures)
    text = _scorecard(arguments, columns, failures, time.monotonic() - begun)
    print("\n" + text)
    if not arguments.only and arguments.parts == "abc":
        with open(os.path.join(HERE, "SCORECARD.md"), "w", encoding="utf-8") as file:
            file.write(text)
    return 1 if failures else 0


def _parser():
    parser = argparse.ArgumentParser(prog="python -m chaos", description="Everything that can go wrong, on purpose, with a score.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", type=int, default=40, help="mixed runs of part (a)")
    parser.add_argument("--parts", default="abc", help="which of a, b, c (default all)")
    parser.add_argument("--only", help="one trial of part (a), by its name")
    return parser


def _play_all(heading, trials, only, failures):
    results = []
    for trial in trials:
        if only and trial.name != only:
            continue
        with contextlib.redirect_stdout(io.StringIO()):
            result = simulated.play(trial)
        results.append(result)
        broken = result.broken
        if broken:
            failures.append(f"{trial.name} (seed {trial.seed}): {', '.join(f'{name} {getattr(result, name)}' for name in broken)}")
        print(f"{heading} {trial.name:40} {result.faults:4d} faults  {'BROKEN ' + ' '.join(broken) if broken else 'ok'}", flush=True)
    return outcome.total(results)


def _scorecard(arguments, columns, failures, seconds):
    lines = [
        "# Chaos, scored", "",
        f"`python -m chaos --seed {arguments.seed}`, {seconds:.0f} s on {os.cpu_count()} cores, Python {platform.python_version()}. What the columns and"
        " lines mean is in the docstrings of `chaos/score.py` and `chaos/outcome.py`; times are by the venue's clock.", "",
        outcome.table(columns), "",
    ]
    lines += ["Nothing of ours that must be 0 is anything else." if not failures else "Broken:"] + [f"* {failure}" for failure in failures]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
