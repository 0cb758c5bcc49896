"""How fast the venue is, and how much it holds: `python -m bench.venue [--quick]`, writes bench/VENUE.md.

Rules
* The venue runs in a process of its own, the load in another. Where a figure says processor, it is the processor's time and not the
  clock's, so that other work on the machine does not blur it; the clock's figure stands beside it.
* Rate limits are off (`--no-rate-limit`), signatures are checked, realtime is not compressed.
* Nothing fails because a goal is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time

import aiohttp

from bench import engine, venue_load

FULL = {"engine": 30_000, "seconds": 15, "quiet": 1000, "clients": 200, "orders": 1_000_000, "kept": 1_000_000}
QUICK = {"engine": 10_000, "seconds": 3, "quiet": 100, "clients": 200, "orders": 50_000, "kept": 50_000}
MB = 1 << 20


def part(name, commands, *more):
    """What bench/venue_inside.py says in a process of its own."""
    command = [sys.executable, "-m", "bench.venue_inside", name, str(commands), *more]
    return json.loads(subprocess.run(command, cwd=venue_load.ROOT, check=True, stdout=subprocess.PIPE).stdout)


def in_process(size):
    rows = []
    for resting in (100, 1_000, 10_000):
        spent = engine.measure(size["engine"], resting)
        goal = "20,000, wished 30,000" if resting == 10_000 else ""
        rows.append((f"commands a second, {resting:,} resting orders (processor)", f"{size['engine'] / spent:,.0f}", goal))
    return rows


def over_http(size):
    rows = []
    with venue_load.Process("--market", "empty", "--balance-xbt", "100000") as venue:
        done, spent, used = venue_load.requests(venue, size["seconds"])
        rows.append(("signed requests a second of one core (processor)", f"{done / used:,.0f}", "2,000"))
        rows.append(("signed requests a second, 4 connections (clock)", f"{done / spent:,.0f}", ""))
    with venue_load.Process("--market", "lively", "--balance-xbt", "100000") as venue:
        took = venue_load.latencies(venue, size["quiet"], 0.01)
        rows.append(("reply of a quiet venue, median, ms (clock)", f"{took[len(took) // 2] * 1000:.2f}", ""))
        rows.append(("reply of a quiet venue, 99th percentile, ms (clock)", f"{took[len(took) * 99 // 100] * 1000:.2f}", "5"))
    return rows


def realtime(size):
    with venue_load.Process("--market", "calm", "--balance-xbt", "100000") as venue:
        told = venue_load.broadcast(venue, size["clients"], 100, size["seconds"])
    clients = size["clients"]
    return [
        (f"{clients} clients on the full book: messages a second to each", f"{told['frames']:.0f}", "100"),
        (f"{clients} clients on the full book: share of one core (processor)", f"{told['share']:.0%}", "100%"),
        (f"{clients} clients on the full book: messages that a client has less than another", str(told["uneven"]), "0"),
        (f"{clients} clients on the full book: reply, 99th percentile, ms (clock)", f"{told['reply_p99'] * 1000:.1f}", ""),
        ("a reader that does not read is cut off after, s", f"{told['cut_after']:.1f}" if told["is_cut"] else "never", "in the end"),
        ("memory held for it meanwhile, MB", f"{told['held'] / MB:.1f}", "bounded"),
    ]


def endurance(size):
    seen = part("memory", size["orders"])
    rows = [(f"memory after {(n + 1) * size['orders'] // 10:,} orders, MB", f"{seen[n] / MB:.0f}", "") for n in (0, 4, 9)]
    rows.append(("growth over the second half, MB", f"{(seen[9] - seen[4]) / MB:.1f}", "bounded"))
    return rows


def kept(size):
    with tempfile.TemporaryDirectory() as directory:
        without, commands = part("command", size["kept"]), size["kept"]
        journal = part("command", size["kept"], directory)
        back = part("replay", 0, directory)
    return [
        ("a command through a venue in memory, us (processor)", f"{without / commands * 1e6:.1f}", ""),
        ("the same with --data, each in a transaction of its own, us (processor)", f"{journal / commands * 1e6:.1f}", ""),
        (f"{back['commands']:,} commands carried out again, s (processor)", f"{back['processor']:.1f}", ""),
        ("journal, bytes a command", f"{back['journal'] / back['commands']:.0f}", ""),
        (f"snapshot of {back['open']:,} open orders: MB", f"{back['image'] / MB:.1f}", ""),
        ("snapshot: written in, s; read in, s", f"{back['image_written']:.2f}; {back['image_read']:.2f}", ""),
        ("restart at the worst (100,000 commands after a snapshot), s", f"{back['processor'] / back['commands'] * 100_000:.1f}", ""),
    ]


def machine():
    model = platform.processor() or platform.machine()
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo") as file:
            model = next((line.partition(":")[2].strip() for line in file if line.startswith("model name")), model)
    load = ", ".join(f"{x:.1f}" for x in os.getloadavg())
    return (
        f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.release()}; Python {platform.python_version()}, "
        f"aiohttp {aiohttp.__version__}; load of the machine before: {load}"
    )


ABOUT = """# The venue, measured

Written by `make bench-venue` (bench/venue.py says how). {machine}. {kind} run of {minutes:.1f} minutes.

Figures of the processor are of one process and one core; figures of the clock share the machine with the load itself and with whatever
else runs there.

| measure | here | goal |
|---|---|---|
{rows}
"""


def main():
    options = argparse.ArgumentParser(prog="bench.venue", description="Measure the venue; writes bench/VENUE.md.")
    options.add_argument("--quick", action="store_true", help="under a minute; writes nothing")
    args = options.parse_args()
    size, about, began, rows = QUICK if args.quick else FULL, machine(), time.monotonic(), []
    for measure in (in_process, over_http, realtime, endurance, kept):
        for row in measure(size):
            print("{:80} {:>12}  {}".format(*row), flush=True)
            rows.append("| {} | {} | {} |".format(*row))
    if not args.quick:
        text = ABOUT.format(machine=about, kind="Full", minutes=(time.monotonic() - began) / 60, rows="\n".join(rows))
        with open(os.path.join(venue_load.ROOT, "bench", "VENUE.md"), "w", encoding="utf-8") as file:
            file.write(text)


if __name__ == "__main__":
    main()
