"""Several calls at once, for requests that would otherwise wait for each other across a network."""
from __future__ import absolute_import, division, print_function

import threading

from market_maker.utils import threads


def run_all(calls, workers):
    """Run the callables, at most `workers` at a time; return [(result, None) or (None, error), ...] in their order.

    With one worker they run one after the other in this thread, with fewer at a time where the system allows no more threads. An error
    that is no `Exception` (a stop) is kept like any other, so that the outcome of every call is known when this returns.
    """
    outcomes = [None] * len(calls)
    turns = iter(range(len(calls)))
    lock = threading.Lock()

    def work():
        while True:
            with lock:
                turn = next(turns, None)
            if turn is None:
                return
            try:
                outcomes[turn] = (calls[turn](), None)
            except BaseException as error:  # noqa: B902 - handed to the caller with the outcomes of the other calls
                outcomes[turn] = (None, error)

    helpers = []
    try:
        for _ in range(min(workers, len(calls)) - 1):
            helpers.append(threads.start(work, 'request'))
    except threading.ThreadError:
        pass
    work()
    for helper in helpers:
        helper.join()
    return outcomes
