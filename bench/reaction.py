"""From the touch's move on the wire to the bulk amend of all twelve orders at the venue, and from the start of the program to its first order.

The venue is scripted and lives in this process. What is measured begins with the first byte that is sent of the quote and ends when the body of the
request has arrived. RELIST_INTERVAL is 0, so that every move is worth an amend; everything else is as it comes.

A bot that polls is asked at a random moment of its interval, one that reacts after a random short while, so that neither is caught in step.
"""

from __future__ import annotations

import asyncio
import time
from random import Random
from typing import NamedTuple

from bench.bots import Bot
from bench.scripted_venue import ScriptedVenue

ORDERS = 12
MOVE_TICKS = 40
PATIENCE_S = 12.0
START_LIMIT_S = 30.0
LOOP_INTERVAL_S = 5.0  # both bots' default
PROMPT_S = 0.5  # faster than that on the first moves: it does not poll
FIRST = 2  # moves that only tell which kind it is


class Failed(Exception):
    """A bot did not do what is measured; what it said last is in the message."""


class Reaction(NamedTuple):
    start_s: float
    seconds: list[float]
    missed: int  # moves that were not answered in time


async def react(bot: Bot, moves: int, polled_moves: int, seed: int = 1) -> Reaction:
    """Start the bot and move the touch so many times. Raises Failed."""
    venue, random = ScriptedVenue(), Random(seed)
    await venue.start()
    try:
        began = time.perf_counter()
        with bot.run(venue.url, RELIST_INTERVAL=0) as process:
            await _wait(lambda: venue.first_order is not None, process, START_LIMIT_S)
            await _wait(lambda: len(venue.orders) >= ORDERS, process, START_LIMIT_S)
            assert venue.first_order is not None
            start_s = venue.first_order - began
            await asyncio.sleep(1.0)
            seconds = [await _answer(venue, random) for _ in range(FIRST)]
            prompt = all(taken is not None and taken < PROMPT_S for taken in seconds)
            seconds = []
            for _ in range(moves if prompt else polled_moves):
                await asyncio.sleep(random.uniform(0.02, 0.1) if prompt else random.uniform(0.0, LOOP_INTERVAL_S))
                seconds.append(await _answer(venue, random))
            answered = [taken for taken in seconds if taken is not None]
            return Reaction(start_s, answered, len(seconds) - len(answered))
    finally:
        await venue.stop()


async def start(bot: Bot) -> float:
    """Seconds from the start of the process to its first order at a venue that is already there. Raises Failed."""
    venue = ScriptedVenue()
    await venue.start()
    try:
        began = time.perf_counter()
        with bot.run(venue.url) as process:
            await _wait(lambda: venue.first_order is not None, process, START_LIMIT_S)
            assert venue.first_order is not None
            return venue.first_order - began
    finally:
        await venue.stop()


async def _answer(venue: ScriptedVenue, random: Random) -> float | None:
    """Move the touch once, up or down; seconds until all orders are amended, None when that does not happen."""
    while not venue.amends.empty():
        venue.amends.get_nowait()
    up = venue.bid < 32000 or (venue.bid < 32400 and random.random() < 0.5)
    began = await venue.move(MOVE_TICKS if up else -MOVE_TICKS)
    amended = 0
    while amended < ORDERS:
        try:
            arrived, count = await asyncio.wait_for(venue.amends.get(), began + PATIENCE_S - time.perf_counter())
        except asyncio.TimeoutError:
            return None
        amended += count
    return arrived - began


async def _wait(condition, process, limit: float) -> None:
    end = time.perf_counter() + limit
    while not condition():
        if process.poll() is not None or time.perf_counter() > end:
            with open(process.log, encoding="utf-8", errors="replace") as log:
                said = log.read().strip().splitlines()[-12:]
            raise Failed("\n".join(said) or "it said nothing")
        await asyncio.sleep(0.002)
