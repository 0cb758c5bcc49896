"""Scenarios: which fault is armed or disarmed when, written down beforehand.

A scenario is a list of steps, each a JSON object: `{"at": 30, "fault": "stall_table", "table": "order", "for_s": 5}` arms a fault with its
parameters 30 seconds after the start (of the venue's time); `{"at": 60, "disarm": "stall_table"}` disarms it, `"*"` all of them. A file
holds one such list, or a step on each line; lines that are empty or begin with `#` are skipped.

Rules: all of it is checked before anything is planned, and each problem is one line with its place; steps of one time happen in the
order in which they are written.
"""

from __future__ import annotations

import json
import logging
from typing import Any

from ..wire.encode import SECOND
from .catalogue import FAULTS, BadFault, read
from .states import check

MOST_S = 10**9
BY_NAME = {fault.name: fault for fault in FAULTS}
log = logging.getLogger("bitmex_venue")


class BadScenario(ValueError):
    """A scenario that cannot be played; `problems` has one line for each thing wrong."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def load(path: str) -> list[tuple[str, Any]]:
    """(place, step) of a scenario file. Raises BadScenario."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError) as problem:
        reason = getattr(problem, "strerror", None) or "not a text file"
        raise BadScenario([f"{path}: {reason}"]) from None
    if text.lstrip().startswith("["):
        try:
            steps = json.loads(text)
        except (ValueError, RecursionError) as problem:
            raise BadScenario([f"{path}: not JSON: {problem}"]) from None
        return [(f"{path}: step {number}", step) for number, step in enumerate(steps, 1)]
    out: list[tuple[str, Any]] = []
    problems = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            out.append((f"{path}:{number}", json.loads(line)))
        except (ValueError, RecursionError) as problem:
            problems.append(f"{path}:{number}: not JSON: {problem}")
    if problems:
        raise BadScenario(problems)
    return out


def problems(venue: Any, steps: list[tuple[str, Any]]) -> list[str]:
    """What is wrong with the steps, one line each."""
    found = []
    for place, step in steps:
        try:
            _check(venue, step)
        except BadFault as problem:
            found.append(f"{place}: {problem}")
    return found


def _check(venue: Any, step: Any) -> None:
    if not isinstance(step, dict):
        raise BadFault("a step is a JSON object")
    at = step.get("at")
    if isinstance(at, bool) or not isinstance(at, (int, float)) or not 0 <= at <= MOST_S:
        raise BadFault("'at' is a number of seconds from the start")
    if ("fault" in step) == ("disarm" in step):
        raise BadFault("a step has a 'fault' or a 'disarm'")
    name = step.get("fault", step.get("disarm"))
    if name not in BY_NAME and not (name == "*" and "disarm" in step):
        raise BadFault(f"unknown fault {name!r}")
    rest = {key: value for key, value in step.items() if key not in ("at", "fault", "disarm")}
    if "disarm" in step:
        if rest:
            raise BadFault(f"unknown parameter {next(iter(rest))!r}")
        return
    _, values = read(BY_NAME[name], rest)
    check(venue, BY_NAME[name], values)


def plan(venue: Any, steps: list[Any], places: list[str] | None = None) -> int:
    """Plan the steps, counted from now; returns how many. Raises BadFault with the first problem."""
    named = list(zip(places or [f"step {n}" for n in range(1, len(steps) + 1)], steps, strict=True))
    wrong = problems(venue, named)
    if wrong:
        raise BadFault(wrong[0])
    for place, step in named:
        when = venue.now + round(step["at"] * SECOND)
        venue.agenda.add(when, lambda time, place=place, step=step: _play(venue, place, step))
    return len(steps)


def play(venue: Any, path: str) -> int:
    """Plan the scenario of a file; returns how many steps it has. Raises BadScenario."""
    steps = load(path)
    wrong = problems(venue, steps)
    if wrong:
        raise BadScenario(wrong)
    return plan(venue, [step for _, step in steps], [place for place, _ in steps])


def _play(venue: Any, place: str, step: dict[str, Any]) -> None:
    """One step, at its time; what cannot be done then is logged, and the rest goes on."""
    if "disarm" in step:
        venue.faults.disarm_all(None if step["disarm"] == "*" else step["disarm"])
        return
    settings = {key: value for key, value in step.items() if key not in ("at", "fault")}
    try:
        venue.faults.arm(step["fault"], **settings)
    except BadFault as problem:
        log.error("%s: %s", place, problem)
