"""One truth about our orders, whatever the order in which it arrives (`interleaving` has the world that this is about).

Always: at most one live order per slot, that is no more on a side than the ladder has; one action in flight per order; position and everything
that rests within the limits, whatever fills first. When the noise has ended our view is the venue's. A tape that fails is shrunk to its shortest.

For more of it than a test run does: `PYTHONPATH=.:tests/venue python tests/venue/test_own_orders_interleaved.py --seconds 600 --first 1000`.
"""
from __future__ import annotations

import argparse
import logging
import random
import time
from collections import Counter

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from interleaving import play

WORLDS = (("classic", "auto"), ("classic", "single"), ("modern", "auto"))
LENGTHS = (20, 60, 150, 300, 600, 1200)
REACHED = """never left; request lost; reply lost; late request arrived; late request arrived during another; 503, done; 503, not done
row lost: order; row lost: position; row doubled; row before the reply; row after the reply; line broken; line broken during a request
filled while live; filled while pending new; filled while pending amend; filled while unknown
cancelled by somebody while live; cancelled by somebody while pending new; cancelled by somebody while pending amend
read by REST; read by REST while a request may arrive
create; cancel; amend of price; amend of size; amend of both; several orders of a side made; limits change the plan
Invalid ordStatus; Invalid leavesQty; Invalid orderID; Duplicate clOrdID"""
BY_WORLD = {("classic", "single"): {"some of several single orders succeeded"}, ("modern", "auto"): {"some of several single orders succeeded", "Not Found"}}


def tape(seed, length):
    chance = random.Random(seed)
    return [chance.randrange(2520) for _ in range(length)]


@pytest.mark.parametrize("profile, transport", WORLDS)
@given(numbers=st.lists(st.integers(0, 2519), max_size=150))
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_whatever_the_order_of_arrival_there_is_one_order_a_slot_no_limit_is_passed_and_in_the_end_the_views_agree(profile, transport, numbers):
    for what in play(numbers, profile, transport):
        event(what)


@pytest.mark.parametrize("profile, transport", WORLDS)
def test_the_same_with_long_tapes_and_all_that_can_happen_happens(profile, transport):
    reached = Counter()
    for seed in range(24):
        reached += play(tape(seed, 600), profile, transport)
    wanted = {what.strip() for line in REACHED.splitlines() for what in line.split(";")} | BY_WORLD.get((profile, transport), set())
    assert wanted - set(reached) == set()


@pytest.mark.parametrize("seed", [1491, 5916, 5953, 100672, 102345, 105064, 206168, 304215, 305976])
def test_tapes_that_once_went_wrong_go_well(seed):
    play(tape(seed, LENGTHS[seed // 3 % len(LENGTHS)]), *WORLDS[seed % len(WORLDS)])


def main():
    options = argparse.ArgumentParser(description="Play tapes for a while and name the seeds that fail.")
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--first", type=int, default=0)
    asked = options.parse_args()
    logging.disable(logging.CRITICAL)
    end, seed, failed = time.monotonic() + asked.seconds, asked.first, 0
    while time.monotonic() < end:
        try:
            play(tape(seed, LENGTHS[seed // 3 % len(LENGTHS)]), *WORLDS[seed % len(WORLDS)])
        except Exception as error:
            failed += 1
            print(f"seed {seed}, {LENGTHS[seed // 3 % len(LENGTHS)]} numbers, {WORLDS[seed % 3]}: {type(error).__name__} {error}", flush=True)
        seed += 1
    print(f"{seed - asked.first} tapes, {failed} failed")


if __name__ == "__main__":
    main()
