"""The measures, each as a function that runs its rounds and returns rows of the table.

texts     From a text in memory to the table updated, through each program's own message handler; messages per second of processor time. `json.loads` of the
          same texts is the yardstick. Slow programs are fed the beginning of the stream.
sockets   From a socket to the table updated, with each program's own socket and thread; messages per second of the client's processor time, so that other
          load on the machine does not count.
reaction  From the touch's move on the wire to the amend of all twelve orders at the venue (`reaction.py`), RELIST_INTERVAL = 0, wall time.
memory    Growth of a process that is fed many messages.
tokens    What the venue's rate limiter charges for an hour of the same market, default settings, in simulated time (`inside/simulate.py`), from the first
          order on; how far quotes stand from where the rules want them, looked at every second. A market reacts to who trades in it: with the same
          seed both meet the same crowd, not the same trades. Who leaves is started again after a second, and what that costs counts.
start     From the start of the process to its first order, at a venue that is already there, wall time.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from typing import Any, NamedTuple

from bench import bots, inputs, peers, reaction
from bench.report import Row, median, percentile

INSIDE = os.path.join(peers.ROOT, "bench", "inside")
INPUTS = os.path.join(peers.BUILD, "inputs")
SHARED = os.path.join(os.path.dirname(peers.ROOT), "shared")
LIMIT_S = 300


class Size(NamedTuple):
    """How much is measured."""

    text_rounds: int
    socket_rounds: int
    start_rounds: int
    changes: int
    moves: int
    polled_moves: int
    memory_messages: int
    minutes: float
    seeds: int


FULL = Size(5, 3, 5, 20_000, 300, 10, 1_000_000, 60, 6)
QUICK = Size(2, 1, 2, 5_000, 60, 2, 100_000, 60, 3)  # an hour of market, since less says little of what an hour costs


class Broken(Exception):
    """A program could not be measured; the message says why."""


def _run(script: str, task: dict[str, Any], peer: peers.Peer | None) -> dict[str, Any]:
    """Run a script of inside/ in the environment of a peer, or in ours; its answer. Raises Broken, Unavailable."""
    python = sys.executable if peer is None else peers.prepare(peer)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MM_", "BITMEX_"))}
    if peer is None:
        environment["PYTHONPATH"] = peers.ROOT
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        done = subprocess.run(
            [python, os.path.join(INSIDE, script)], input=json.dumps(task), capture_output=True, text=True, cwd=folder, env=environment, timeout=LIMIT_S
        )
    try:
        return json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        raise Broken(f"{peer.label if peer else 'ours'}: {(done.stderr.strip().splitlines() or ['no answer'])[-1]}") from None


def _save(stream: inputs.Stream, name: str) -> str:
    os.makedirs(INPUTS, exist_ok=True)
    path = os.path.join(INPUTS, name)
    inputs.save(stream, path)
    return path


def _per_second(value: float) -> str:
    return f"{value:,.0f}/s"


def _times(value: float) -> str:
    return f"{value:.2f} x" if value < 10 else f"{value:.0f} x"


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


# ---- texts

# reader, environment, changes it is fed at most by size of the book
TEXT_READERS = (
    ("ours", None, {}),
    ("json.loads", None, {}),
    ("ccxt", peers.CCXT, {}),
    ("cryptofeed", peers.CRYPTOFEED, {}),
    ("bitmex-market-maker", peers.ORIGINAL_BULK, {500: 5000, 5000: 1000}),
    ("bitmex-market-maker", peers.ORIGINAL, {500: 5000, 5000: 1000}),
    ("bitmex-ws", peers.BITMEX_WS, {500: 2000, 5000: 400}),
)
LEAST_MESSAGES = 5000  # the recorded stream has 666
TEXT_GOALS = {"json.loads": 0.5, "ccxt": 5.0}
ORIGINAL_GOAL = 20.0  # on the large book


def texts(size: Size) -> list[Row]:
    streams = [(levels, inputs.generated(levels, size.changes)) for levels in (500, 5000)]
    real = inputs.recorded(SHARED)
    if real is None:
        say(f"no recorded stream in {SHARED}: left out")
    else:
        streams.append((5000, real))
    rows = []
    for levels, stream in streams:
        path = _save(stream, f"texts-{stream.name.partition(' ')[0].replace(',', '')}.txt")
        speeds = _text_speeds(path, levels, size.text_rounds, stream)
        ours = speeds.pop("ours", 0.0)
        for label, theirs in speeds.items():
            name = label.partition(" ")[0]
            goal = TEXT_GOALS.get(name)
            if name == "bitmex-market-maker" and levels == 5000:
                goal = ORIGINAL_GOAL
            ratio = ours / theirs
            words = "" if goal is None else f"at least {goal:g} x"
            rows.append(
                Row(f"text to table, {stream.name}: {label}", _per_second(ours), _per_second(theirs), _times(ratio), words,
                    None if goal is None else ratio >= goal, _wished(name, ratio))
            )  # fmt: skip
    return rows


def _wished(name: str, ratio: float) -> str:
    return f"0.6 x wished: {'reached' if ratio >= 0.6 else 'missed'}" if name == "json.loads" else ""


def _text_speeds(path: str, levels: int, rounds: int, stream: inputs.Stream) -> dict[str, float]:
    """label -> messages a second; programs that cannot be measured are left out, with a word."""
    found: dict[str, list[float]] = {}
    left_out: set[str] = set()
    for turn in range(rounds):
        for name, peer, limits in TEXT_READERS:
            label = peer.label if peer else name
            if label in left_out:
                continue
            say(f"texts, {stream.name}, round {turn + 1} of {rounds}: {label}")
            try:
                answer = _run("texts.py", {"reader": name, "path": path, "limit": limits.get(levels), "least": LEAST_MESSAGES}, peer)
            except (Broken, peers.Unavailable, subprocess.TimeoutExpired) as problem:
                say(f"left out: {problem}")
                left_out.add(label)
                continue
            found.setdefault(label, []).append(answer["messages"] / answer["seconds"])
    return {label: median(speeds) for label, speeds in found.items()}


# ---- sockets

SOCKET_READERS = (
    ("ours", None),
    ("bitmex-market-maker", peers.ORIGINAL_BULK),
    ("bitmex-market-maker", peers.ORIGINAL),
    ("bitmex-ws", peers.BITMEX_WS),
)
SOCKET_GOAL = 4.0


def sockets(size: Size) -> list[Row]:
    rows = []
    for stream in (inputs.generated(500, size.changes), inputs.generated(500, size.changes, with_book=False)):
        path = _save(stream, f"socket-{stream.name.partition(' ')[0]}.txt")
        speeds: dict[str, list[float]] = {}
        for turn in range(size.socket_rounds):
            for name, peer in SOCKET_READERS:
                label = peer.label if peer else name
                say(f"sockets, {stream.name}, round {turn + 1} of {size.socket_rounds}: {label}")
                try:
                    speeds.setdefault(label, []).append((len(stream.changes) + 1) / _read_socket(name, peer, path))
                except (Broken, peers.Unavailable, subprocess.TimeoutExpired) as problem:
                    say(f"left out: {problem}")
        ours = median(speeds.pop("ours"))
        for label, values in speeds.items():
            ratio = ours / median(values)
            goal = label.startswith("bitmex-market-maker")
            rows.append(
                Row(f"socket to table, {stream.name}: {label}", _per_second(ours), _per_second(median(values)), _times(ratio),
                    f"at least {SOCKET_GOAL:g} x" if goal else "", ratio >= SOCKET_GOAL if goal else None)
            )  # fmt: skip
    return rows


def _read_socket(name: str, peer: peers.Peer | None, path: str) -> float:
    """Seconds of the client's processor time."""
    command = [sys.executable, "-m", "bench.replay_server", path]
    server = subprocess.Popen(command, cwd=peers.ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        return _run("sockets.py", {"reader": name, "port": port}, peer)["cpu_s"]
    finally:
        server.kill()
        server.communicate()


# ---- reaction

MEDIAN_GOAL_S, LATE_GOAL_S = 0.003, 0.015


def reactions(size: Size) -> list[Row]:
    found = {}
    for bot in (bots.OURS, bots.ORIGINAL_BULK, bots.ORIGINAL):
        say(f"reaction: {bot.label}")
        try:
            found[bot.label] = asyncio.run(reaction.react(bot, size.moves, size.polled_moves))
        except (reaction.Failed, peers.Unavailable) as problem:
            say(f"left out: {problem}")
    ours = found.pop("ours", None)
    if ours is None or not ours.seconds:
        return [Row("touch to amend of 12 orders", "no answer", "", "", "median 3 ms", False)]
    middle, late = median(ours.seconds), percentile(ours.seconds, 0.99)
    remark = f"{len(ours.seconds)} moves" + (f", {ours.missed} more without an answer" if ours.missed else "")
    rows = [
        Row("touch to amend of 12 orders: median", _ms(middle), "", "", "under 3 ms", middle < MEDIAN_GOAL_S, remark),
        Row("touch to amend of 12 orders: p99", _ms(late), "", "", "under 15 ms", late < LATE_GOAL_S, remark),
    ]
    for label, theirs in found.items():
        if theirs.seconds:
            value = median(theirs.seconds)
            rows.append(
                Row(f"touch to amend of 12 orders: {label}", _ms(middle), _ms(value), f"1/{value / middle:,.1f}",
                    remark=f"{len(theirs.seconds)} moves, it polls")
            )  # fmt: skip
    return rows


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:,.1f} ms" if seconds < 1 else f"{seconds * 1000:,.0f} ms"


# ---- memory

MEMORY_GOAL_MB = 5.0


def memory(size: Size) -> list[Row]:
    say("memory: ours")
    path = _save(inputs.generated(500, 20_000), "memory.txt")
    answer = _run("memory.py", {"path": path, "messages": size.memory_messages}, None)
    grown = answer["grown_mb"]
    return [
        Row(f"memory after {answer['messages']:,} messages", f"{grown:+.1f} MB", "", "", f"less than {MEMORY_GOAL_MB:g} MB", grown < MEMORY_GOAL_MB)
    ]


# ---- tokens

LATENCY_MS = 20
FIRST_SEED = 11  # what waits and what drifts (excursions, recentring) was tuned on 1 to 8
TOKEN_GOALS = {"classic": 1 / 3, "modern": 1.0}


def tokens(size: Size) -> list[Row]:
    rows = []
    for profile, goal in TOKEN_GOALS.items():
        sums = {}
        for name, peer in (("ours", None), ("bitmex-market-maker", peers.ORIGINAL)):
            runs = []
            for number, seed in enumerate(range(FIRST_SEED, FIRST_SEED + size.seeds), 1):
                say(f"tokens, {profile}, market {number} of {size.seeds}: {peer.label if peer else name}")
                task = {
                    "bot": name, "root": peers.ROOT, "profile": profile, "market": "lively", "seed": seed, "minutes": size.minutes,
                    "latency_ms": LATENCY_MS,
                }  # fmt: skip
                runs.append(_run("simulate.py", task, peer))
            sums[name] = runs
        rows += _token_rows(profile, goal, sums["ours"], sums["bitmex-market-maker"])
    return rows


def _token_rows(profile: str, goal: float, ours: list[Any], theirs: list[Any]) -> list[Row]:
    their_label = peers.ORIGINAL.label
    mine, yours = _an_hour(ours), _an_hour(theirs)
    hours = sum(run["hours"] for run in ours)
    remark = f"{hours:.1f} h; {_most(ours)}; theirs {_most(theirs)}"
    restarts = sum(run["restarts"] for run in theirs)
    if restarts:
        remark += f"; {their_label} left {restarts} time{'s' if restarts > 1 else ''} and was started again"
    ended = sorted({run["ended"] for run in ours + theirs if run["ended"] != "time"})
    if ended:
        remark += "; ended early: " + ", ".join(ended)
    rows = [
        Row(f"tokens an hour, {profile}: {their_label}", f"{mine:.0f}", f"{yours:.0f}", _times(mine / yours) if yours else "", f"at most {goal:.2f} x",
            mine <= yours * goal, remark)
    ]  # fmt: skip
    for words, key, unit, better in (
        ("mean distance of quotes", "distance_bps", "bp", lambda a, b: a <= b),
        ("share of quotes in place", "near", "%", lambda a, b: a >= b),
    ):
        a, b = (_mean(runs, key) * (100 if unit == "%" else 1) for runs in (ours, theirs))
        goal_words = "no more than theirs" if unit == "bp" else "no less than theirs"
        rows.append(Row(f"{words}, {profile}: {their_label}", f"{a:.2f} {unit}", f"{b:.2f} {unit}", _times(a / b), goal_words, better(a, b)))
    return rows


def _an_hour(runs: list[Any]) -> float:
    return sum(run["tokens"] for run in runs) / sum(run["hours"] for run in runs)


def _mean(runs: list[Any], key: str) -> float:
    return sum(run[key] * run["hours"] for run in runs) / sum(run["hours"] for run in runs)


def _most(runs: list[Any]) -> str:
    """Where the tokens went: 'POST order 40, PUT order 12'."""
    sums: dict[str, int] = {}
    for run in runs:
        for name, count in run["by_request"].items():
            sums[name] = sums.get(name, 0) + count
    shown = sorted(sums.items(), key=lambda item: -item[1])[:3]
    refused = sum(run["refused"] for run in runs)
    return ", ".join(f"{name} {count}" for name, count in shown) + (f", {refused} refused" if refused else "")


# ---- start

START_GOAL = 0.5


def starts(size: Size) -> list[Row]:
    found: dict[str, list[float]] = {}
    for turn in range(size.start_rounds):
        for bot in (bots.OURS, bots.ORIGINAL_BULK, bots.ORIGINAL):
            say(f"start, round {turn + 1} of {size.start_rounds}: {bot.label}")
            try:
                found.setdefault(bot.label, []).append(asyncio.run(reaction.start(bot)))
            except (reaction.Failed, peers.Unavailable) as problem:
                say(f"left out: {problem}")
    ours = median(found.pop("ours"))
    return [
        Row(f"start to first order: {label}", _ms(ours), _ms(median(values)), _times(ours / median(values)), f"under {START_GOAL:g} x",
            ours / median(values) < START_GOAL)
        for label, values in found.items()
    ]  # fmt: skip


MEASURES = {"texts": texts, "sockets": sockets, "reaction": reactions, "memory": memory, "tokens": tokens, "start": starts}
