"""Several calls at once, for requests that would otherwise wait for each other across a network."""
from __future__ import absolute_import, division, print_function

import threading


def run_all(calls, workers):
    """Run the callables, at most `workers` at a time; return [(result, None) or (None, error), ...] in their order.

    With one worker they run one after the other in this thread. An error that is no `Exception` (a stop) is kept like any other, so
    that the outcome of every call is known when this returns.
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

    helpers = [threading.Thread(target=work) for _ in range(min(workers, len(calls)) - 1)]
    for helper in helpers:
        helper.daemon = True
        helper.start()
    work()
    for helper in helpers:
        helper.join()
    return outcomes
