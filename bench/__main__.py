"""Ours and theirs, side by side on the same input.

    python -m bench [--quick] [--only MEASURE ...]

A complete run writes bench/RESULTS.md; with --only the table is only printed. Peers come from PyPI into build/bench/. Not a test: nothing fails because a
goal is missed.
"""

from __future__ import annotations

import argparse
import os
import time

from bench import measures, peers, report

NOTES = (
    "texts and sockets: messages per second of processor time, one process at a time, alternating; reaction and start: wall time.",
    "json.loads is not a program but the yardstick: the least that a client in Python with the standard library must do. ccxt decodes with "
    "orjson, cryptofeed with compiled code; the bot's dependencies allow neither.",
    "bitmex-market-maker subscribes to no book; the lines with a book show what its tables cost when a strategy does, 'quotes and trades' what "
    "it is sent by default.",
    "tokens: both bots run in simulated time against our venue in process, requests take "
    f"{measures.LATENCY_MS} ms; same seeds (from {measures.FIRST_SEED} on; the rules were tuned on 1 to 8), "
    "markets react to who trades in them.",
)


def main() -> None:
    options = argparse.ArgumentParser(prog="bench", description="Measure the bot against the programs people use today.")
    options.add_argument("--quick", action="store_true", help="some six minutes instead of twenty")
    options.add_argument("--only", choices=list(measures.MEASURES), action="append", help="this measure alone; may be repeated")
    args = options.parse_args()
    size, began, load = measures.QUICK if args.quick else measures.FULL, time.monotonic(), report.load()
    rows = []
    for name, measure in measures.MEASURES.items():
        if args.only is None or name in args.only:
            rows += measure(size)
    print(report.markdown(rows))
    minutes = (time.monotonic() - began) / 60
    if args.only is None:
        how = f"{'quick' if args.quick else 'full'} run of {minutes:.1f} minutes"
        report.write(os.path.join(peers.ROOT, "bench", "RESULTS.md"), rows, list(NOTES), how, load)


if __name__ == "__main__":
    main()
