"""Several calls at once."""
from __future__ import absolute_import, division, print_function

import threading

from market_maker.utils.parallel import run_all


def test_results_and_errors_come_in_the_order_of_the_calls():
    def fail():
        raise ValueError('no')
    outcomes = run_all([lambda: 1, fail, lambda: 3], 2)
    assert outcomes[0] == (1, None) and outcomes[2] == (3, None)
    assert isinstance(outcomes[1][1], ValueError)


def test_with_one_worker_all_runs_in_this_thread():
    assert run_all([threading.current_thread] * 3, 1) == [(threading.current_thread(), None)] * 3


def test_calls_run_at_the_same_time():
    meeting = [threading.Event() for _ in range(4)]

    def meet(mine):
        meeting[mine].set()
        return all(event.wait(10) for event in meeting)
    calls = [lambda mine=mine: meet(mine) for mine in range(4)]
    assert [result for result, _ in run_all(calls, 4)] == [True] * 4


def test_no_calls_are_no_work():
    assert run_all([], 4) == []
