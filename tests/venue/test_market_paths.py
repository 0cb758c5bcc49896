"""The price paths of the synthetic markets: pure, seeded, driven by times handed in."""

import math
from itertools import pairwise
from random import Random

import pytest

from bitmex_venue.market.base import SECOND
from bitmex_venue.market.paths import Basis, Diffusion, Follower, NoSweeps, Sweeps

START = 1_700_000_000 * SECOND
MINUTE = 60 * SECOND


def sampled(path, step, count):
    return [path.at(START + i * step) for i in range(count)]


def test_a_diffusion_has_the_deviation_it_was_given_whatever_the_steps():
    for step in (SECOND // 2, 7 * SECOND):
        path = Diffusion(Random(3), 6000.0, 0.001)
        per_minute = MINUTE // step
        prices = sampled(path, step, 4000 * per_minute)[::per_minute]
        returns = [math.log(b / a) for a, b in pairwise(prices)]
        assert math.sqrt(sum(r * r for r in returns) / len(returns)) == pytest.approx(0.001, rel=0.08)


def test_a_path_asked_twice_for_one_time_answers_the_same():
    diffusion = Diffusion(Random(3), 6000.0, 0.001)
    follower = Follower(Random(4), 300.0, diffusion, 0.9, 0.001)
    for time in (START, START + SECOND, START + MINUTE):
        assert diffusion.at(time) == diffusion.at(time)
        assert follower.at(time) == follower.at(time)
    assert Basis(diffusion, 0.01).at(START + MINUTE) == diffusion.at(START + MINUTE) * 1.01


def test_a_diffusion_has_no_drift():
    ends = []
    for seed in range(400):
        path = Diffusion(Random(seed), 1.0, 0.001)
        ends.append(math.log(sampled(path, MINUTE, 11)[-1]))
    mean = sum(ends) / len(ends)
    assert abs(mean) < 3 * 0.001 * math.sqrt(10) / math.sqrt(len(ends))


def test_a_follower_moves_with_its_leader():
    leader = Diffusion(Random(1), 6000.0, 0.001)
    alone = Follower(Random(2), 300.0, leader, 1.0, 0.0)
    leader_first, first = leader.at(START), alone.at(START)
    assert alone.at(START + MINUTE) / first == pytest.approx(leader.at(START + MINUTE) / leader_first)


def sweep_times(seed, seconds):
    """(begin, end) of the sweeps within so many seconds, by looking every tenth of a second."""
    sweeps = Sweeps(Random(seed), START)
    found, since = [], None
    for tenth in range(seconds * 10):
        time = START + tenth * SECOND // 10
        sweeps.at(time)
        if sweeps.is_under_way(time) and since is None:
            since = tenth / 10
        elif not sweeps.is_under_way(time) and since is not None:
            found.append((since, tenth / 10))
            since = None
    return found


def test_sweeps_come_at_random_times_but_never_a_minute_apart():
    found = sweep_times(5, 3600)
    gaps = [later[0] - earlier[1] for earlier, later in pairwise(found)]
    assert 80 < len(found) < 240
    assert max(gaps) < 45 and max(gaps) - min(gaps) > 10
    assert sweep_times(5, 600) == [sweep for sweep in found if sweep[1] <= 599.9]
    assert sweep_times(6, 600) != sweep_times(5, 600)


def test_sweeps_go_both_ways_past_half_a_percent_and_come_back():
    sweeps = Sweeps(Random(8), START)
    time, peaks, afterwards = START, [], []
    for _ in range(200):
        begins = sweeps.next_edge(time)
        ends = sweeps.next_edge(begins)
        before = sweeps.at(begins)
        peaks.append(sweeps.at(ends) - before)
        afterwards.append(abs(sweeps.at(ends + 10 * SECOND)))
        time = ends + 10 * SECOND
    assert all(abs(peak) > 0.005 for peak in peaks)
    assert 60 < sum(peak > 0 for peak in peaks) < 140
    assert max(afterwards) < 0.001


def test_without_sweeps_nothing_is_displaced():
    calm = NoSweeps()
    assert calm.at(START) == 0 and not calm.is_under_way(START) and calm.next_edge(START) is None
