"""A day of market: the bot in a back-test, beside hftbacktest's own compiled loop with the same ladder on the same rows.

    python -m bench.backtest [--rows N] [--hours H] [--seed S] [--runs N]

Writes bench/BACKTEST.md. The loop is what the library is made for: a strategy that numba compiles, which touches nothing but the library. It
quotes by the same rules as the bot with its default settings, at the same times, with the same latency; so what ours takes longer is the bot
itself, its signed requests, and a venue with accounts behind them. Where the fills differ says what the loop leaves out.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import sys
import tempfile
import time
from collections import Counter
from typing import Any, NamedTuple

import numpy as np
from hftbacktest import BacktestAsset, HashMapMarketDepthBacktest
from hftbacktest.order import GTC, LIMIT
from hftbacktest.types import EXCH_EVENT, LOCAL_EVENT
from numba import njit

from bench import peers, report
from market_maker import _settings_base as base
from market_maker.backtest.generated import Generated
from market_maker.backtest.run import Job, run
from market_maker.backtest.tape import Tape

TICK, LOT = 0.5, 1
SECOND = 10**9
LATENCY_S = 0.05
SETTINGS = {"EVENT_DRIVEN": False}
MOST_FILLS = 1_000_000


class Loop(NamedTuple):
    """What the compiled loop is told; the fields of the bot's settings."""

    first: int  # ns of its first decision
    bid: int  # ticks: the touch by which it decides first (while the requests of its start travel the bot hears nothing)
    ask: int
    end: int  # ns
    every: int
    wait: int
    tick: float
    pairs: int
    interval: float
    spread: float
    relist: float
    size: int
    step: int


@njit
def quote(hbt: Any, rule: Loop, fills: Any) -> tuple[int, int]:
    """Quote until the data end; (fills, decisions). `fills` takes (time, side, ticks, contracts)."""
    ids = np.zeros((2, rule.pairs), np.int64)
    ticks = np.zeros((2, rule.pairs), np.int64)
    left = np.zeros((2, rule.pairs), np.int64)
    number = count = decisions = 0
    hbt.wait_next_feed(False, 0)
    hbt.elapse(rule.first - hbt.current_timestamp)
    while True:
        decisions += 1
        count = look(hbt, ids, ticks, left, fills, count)
        hbt.clear_inactive_orders(0)
        depth = hbt.depth(0)
        bid, ask = depth.best_bid_tick, depth.best_ask_tick
        if decisions == 1:
            bid, ask = rule.bid, rule.ask
        buy, sell = (bid + 1) * rule.tick, (ask - 1) * rule.tick
        if buy * (1 + rule.spread) > sell:
            buy, sell = buy * (1 - rule.spread / 2), sell * (1 + rule.spread / 2)
        moved = False
        for side in range(2):
            for level in range(rule.pairs - 1, -1, -1):
                if ids[side, level]:
                    wanted = at_level(side, level, buy, sell, rule)
                    size = rule.size + level * rule.step
                    is_far = abs(wanted / ticks[side, level] - 1) > rule.relist
                    if is_far or left[side, level] != size:
                        hbt.modify(0, ids[side, level], wanted * rule.tick, size, False)
                        ticks[side, level], left[side, level] = wanted, size
                        moved = True
        if moved:
            hbt.elapse(2 * rule.wait)
        made = False
        for side in range(2):
            for level in range(rule.pairs - 1, -1, -1):
                if not ids[side, level]:
                    number += 1
                    wanted = at_level(side, level, buy, sell, rule)
                    size = rule.size + level * rule.step
                    if side == 0:
                        hbt.submit_buy_order(0, number, wanted * rule.tick, size, GTC, LIMIT, False)
                    else:
                        hbt.submit_sell_order(0, number, wanted * rule.tick, size, GTC, LIMIT, False)
                    ids[side, level], ticks[side, level], left[side, level] = number, wanted, size
                    made = True
        if made:
            hbt.elapse(2 * rule.wait)
        if hbt.elapse(rule.every) != 0 or hbt.current_timestamp >= rule.end:
            return look(hbt, ids, ticks, left, fills, count), decisions


@njit
def at_level(side: int, level: int, buy: float, sell: float, rule: Loop) -> int:
    """The price of a level in ticks, half a tick away from the touch."""
    if side == 0:
        return int(np.ceil(buy / (1 + rule.interval) ** level / rule.tick - 0.5 - 1e-9))
    return int(np.floor(sell * (1 + rule.interval) ** level / rule.tick + 0.5 + 1e-9))


@njit
def look(hbt: Any, ids: Any, ticks: Any, left: Any, fills: Any, count: int) -> int:
    """Note what was filled since the last look."""
    orders = hbt.orders(0)
    for side in range(2):
        for level in range(ids.shape[1]):
            if ids[side, level]:
                order = orders.get(ids[side, level])
                now = int(np.round(order.leaves_qty))
                if now < left[side, level]:
                    fills[count] = (hbt.current_timestamp, 1 - 2 * side, ticks[side, level], left[side, level] - now)
                    count += 1
                    left[side, level] = now
                if now == 0:
                    ids[side, level] = 0
    return count


def compiled(files: list[str], rule: Loop) -> tuple[float, list[tuple[int, int, int]], int]:
    """(processor seconds, (side, ticks, contracts) of each fill, decisions) of the loop."""
    way = round(LATENCY_S * SECOND)
    asset = (
        BacktestAsset().data(files).inverse_asset(1.0).constant_order_latency(way, way).risk_adverse_queue_model().partial_fill_exchange()
        .trading_value_fee_model(-0.00025, 0.00075).tick_size(TICK).lot_size(float(LOT))
    )  # fmt: skip
    fills = np.zeros((MOST_FILLS, 4), np.int64)
    begun = time.process_time()
    hbt = HashMapMarketDepthBacktest([asset])
    count, decisions = quote(hbt, rule, fills)
    spent = time.process_time() - begun
    hbt.close()
    return spent, [tuple(int(x) for x in row[1:]) for row in fills[:count]], decisions


def files_for_both(tape: Tape) -> list[str]:
    """The rows of a tape that matches, shown to the loop as well."""
    for path in tape.matching:
        with np.load(path) as archive:
            rows = archive["data"].copy()
        rows["ev"] |= np.uint64(EXCH_EVENT | LOCAL_EVENT)
        np.savez(path, data=rows)
    return tape.matching


def rules(first: float, touch: tuple[float, float], end: int) -> Loop:
    value = base.defaults()
    bid, ask = (round(price / TICK) for price in touch)
    return Loop(
        round(first * SECOND), bid, ask, end, round(value["LOOP_INTERVAL"] * SECOND), round(LATENCY_S * SECOND), TICK,
        value["ORDER_PAIRS"], value["INTERVAL"], value["MIN_SPREAD"], value["RELIST_INTERVAL"], value["ORDER_START_SIZE"], value["ORDER_STEP_SIZE"],
    )  # fmt: skip


def by_price(fills: Any) -> Counter:
    total: Counter = Counter()
    for side, ticks, size in fills:
        total[side, ticks] += size
    return total


def one_tick_apart(mine: Counter, theirs: Counter) -> int:
    """Contracts of the one that the other filled a tick beside."""
    left, found = Counter(theirs), 0
    for (side, ticks), size in mine.items():
        for beside in (ticks - 1, ticks + 1):
            part = min(size, left[side, beside])
            left[side, beside] -= part
            size -= part
            found += part
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.backtest", description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--runs", type=int, default=3, help="the quickest counts")
    asked = parser.parse_args()
    load = report.load()
    data = Generated(asked.seed, asked.rows, round(asked.hours * 3600 * SECOND))
    job = Job(matcher="hft", data=("generated",), settings=SETTINGS, latency=LATENCY_S, seed=asked.seed)
    ours, loops = [], []
    with tempfile.TemporaryDirectory(prefix="bench-backtest-") as folder:
        begun = time.process_time()
        tape = Tape(folder, TICK, LOT).write(data)
        files = files_for_both(tape)
        reading = time.process_time() - begun
        for number in range(asked.runs):
            begun = time.process_time(), time.perf_counter()
            result = run(job, data=data)
            ours.append((time.process_time() - begun[0], time.perf_counter() - begun[1]))
            first = next(event.at for event in result.run.order_events() if event.what == "create")
            touch = next((row.bid, row.ask) for row in result.run.decisions() if row.outcome.startswith("sent"))
            if not number:
                compiled(files, rules(tape.begin / SECOND, (1.0, 2.0), tape.begin + 60 * SECOND))  # numba compiles
            loops.append(compiled(files, rules(first, touch, tape.end)))
            print(f"run {number + 1}: ours {ours[-1][0]:.1f} s, the loop {loops[-1][0]:.2f} s of the processor", file=sys.stderr)
    text = described(asked, result, ours, loops, reading, load)
    with open(os.path.join(peers.ROOT, "bench", "BACKTEST.md"), "w", encoding="utf-8") as file:
        file.write(text)
    print(text)


def described(asked: Any, result: Any, ours: Any, loops: Any, reading: float, load: float) -> str:
    spent, fills, decisions = min(loops)
    mine = by_price((1 if fill.side == "Buy" else -1, round(fill.price / TICK), fill.size) for fill in result.run.fills())
    theirs = by_price(fills)
    both = sum((mine & theirs).values())
    quickest = min(ours)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    near = both + one_tick_apart(mine - theirs, theirs - mine)
    lines = [
        "# A day in a back-test", "",
        f"Written by `make bench-backtest` (bench/backtest.py says how). {os.cpu_count()} cores, "
        f"{report.processor()}, Python {platform.python_version()}, {peers.versions(sys.executable, 'hftbacktest', 'numba', 'numpy')}; "
        f"load of the machine before: {load:.1f}.", "",
        f"{asked.rows:,} generated rows of touch and trades over {asked.hours:g} hours (seed {asked.seed}), default settings but EVENT_DRIVEN = False: "
        f"a decision every 5 s. One core, best of {len(ours)} runs, processor time.", "",
        "| | the bot in a back-test | hftbacktest's compiled loop |", "|---|---|---|",
        f"| seconds of the processor | {quickest[0]:.1f} | {spent:.2f} (its rows made beforehand: {reading:.1f}) |",
        f"| seconds of the clock | {quickest[1]:.1f} | |",
        f"| decisions | {result.run.count('decision'):,} | {decisions:,} |",
        f"| requests, signed and answered | {result.requests:,} | |",
        f"| contracts bought, sold | {_sum(mine, 1):,}, {_sum(mine, -1):,} | {_sum(theirs, 1):,}, {_sum(theirs, -1):,} |",
        f"| peak memory of the process with both, MB | {peak:,} | |", "",
        f"The bot takes {quickest[0] / (spent + reading):.1f} times as long as the loop with the reading of its rows, {quickest[0] / spent:.0f} times as "
        f"long as the loop alone. {both:,} contracts were filled at the same price on the same side in both "
        f"({both / max(1, sum(mine.values())):.0%} of ours, {both / max(1, sum(theirs.values())):.0%} of the loop's).", "",
        f"With prices one tick apart counted as the same it is {near:,} contracts. What they do differently:", "",
        "* The loop is told the touch of the bot's first decision, which is some tenths of a second old: the bot hears nothing while the requests of its",
        "  start travel. Everything after that it sees for itself.",
        "* The loop keeps an order for each level, and knows neither margin nor a budget of requests. The bot pairs orders with levels so that the",
        "  fewest are moved, and reads its orders again when one was filled while its amend was on its way.",
        "* Which of these moved the prices that differ was not traced further.",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _sum(total: Counter, side: int) -> int:
    return sum(size for (one, _), size in total.items() if one == side)


if __name__ == "__main__":
    main()
