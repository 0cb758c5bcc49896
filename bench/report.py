"""The table: what was measured, against whom, what had to be reached, and whether it was."""

from __future__ import annotations

import datetime
import os
import platform
import statistics
import subprocess
import sys
from typing import NamedTuple

from bench import peers

OURS_NEEDS = ("requests", "websocket-client", "aiohttp")
PEERS_NEED = ("websocket-client", "requests", "aiohttp", "orjson", "yapic.json")


class Row(NamedTuple):
    """`goal` and `reached` are empty and None where nothing was promised."""

    measure: str
    ours: str
    theirs: str
    ratio: str
    goal: str = ""
    reached: bool | None = None
    remark: str = ""

    @property
    def verdict(self) -> str:
        return {None: "", True: "reached", False: "**missed**"}[self.reached]


COLUMNS = ("measure", "ours", "theirs", "ratio", "goal", "", "remark")


def median(values: list[float]) -> float:
    return statistics.median(values)


def percentile(values: list[float], share: float) -> float:
    """The smallest value that is not exceeded by `share` of them."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def markdown(rows: list[Row]) -> str:
    cells = [list(COLUMNS), *([row.measure, row.ours, row.theirs, row.ratio, row.goal, row.verdict, row.remark] for row in rows)]
    widths = [max(3, *(len(line[column]) for line in cells)) for column in range(len(COLUMNS))]
    lines = ["| " + " | ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) + " |" for line in cells]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def write(path: str, rows: list[Row], notes: list[str], how: str, load_before: float) -> None:
    """The whole file."""
    text = "\n".join(
        [
            "# What `make bench` measured",
            "",
            "Written by `python -m bench`; not to be edited. Medians of alternating runs, everybody fed the same texts. `bench/measures.py` says in words",
            "what each line is.",
            "",
            markdown(rows),
            "",
            *(f"* {note}" for note in notes),
            "",
            "## Where",
            "",
            *(f"* {fact}" for fact in _facts(how, load_before)),
            "",
        ]
    )
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def _facts(how: str, load_before: float) -> list[str]:
    out = [
        f"{datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d %H:%M} UTC, {how}, commit {_commit()}",
        f"{os.cpu_count()} cores, {processor()}, {platform.system()} {platform.release()}; load {load_before:.1f} before, {load():.1f} after",
        f"ours: Python {platform.python_version()}; {peers.versions(sys.executable, *OURS_NEEDS)}",
    ]
    for peer in peers.PEERS:
        if os.path.exists(peer.python):
            out.append(f"{peer.label}: {peers.versions(peer.python, *PEERS_NEED)}")
    return out


def load() -> float:
    """Processes that want to run, over the last minute."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0


def processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next(line.partition(":")[2].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _commit() -> str:
    try:
        done = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=peers.ROOT, capture_output=True, text=True)
    except OSError:
        return "unknown"
    return done.stdout.strip() or "unknown"
