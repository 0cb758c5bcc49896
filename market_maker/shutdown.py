"""Taking our orders off the book, by REST alone: the realtime connection may be what broke.

Rules:

* Tried a bounded number of times, each failure said; no longer than a minute where nobody answers.
* Done only when the venue itself says that nothing under our prefix rests, and no request of unknown outcome can still arrive. The last
  attempt is not made before that: with an access token a request may take half a minute.
* Without credentials there is nothing to try again.
"""
from __future__ import absolute_import, division, print_function

from market_maker.utils import errors
from market_maker.utils.clock import Wakeup

WAITS_S = (1.0, 2.0, 4.0, 8.0, 15.0)
LONGEST_WAIT_S = 60.0          # a rate limit that ends later than this is not waited for
NO_ANSWER_LIMIT_S = 45.0       # no further attempt after this long at a venue that hangs: each takes half a minute then
MAY_BE_LEFT = 'Orders may be left on the book: run "marketmaker cancel".'
LEFT = 'Unable to cancel orders: %s. ' + MAY_BE_LEFT


def cancel_everything(exchange, clock, say):
    """Whether nothing of ours rests any more. `say(text)` is told every failure; raises nothing but KeyboardInterrupt."""
    nap = Wakeup()
    deadline = clock.monotonic() + NO_ANSWER_LIMIT_S
    try:
        for number, wait in enumerate(WAITS_S, 1):
            problem, at_least = _try(exchange, clock)
            if problem is None:
                return True
            if isinstance(problem, errors.AuthenticationError):
                say('Was not authenticated; could not cancel orders. %s %s' % (problem, MAY_BE_LEFT))
                return False
            if isinstance(problem, errors.VenueUnreachable) and clock.monotonic() > deadline:
                say(LEFT % problem)
                return False
            if at_least > wait and (number == len(WAITS_S) or isinstance(problem, errors.RateLimited)):
                wait = at_least
            say('Unable to cancel orders: %s. Trying again in %d s (%d of %d).' % (problem, wait, number, len(WAITS_S)))
            clock.wait(nap, wait)
        problem = _try(exchange, clock)[0]
        if problem is not None:
            say(LEFT % problem)
        return problem is None
    finally:
        nap.close()


def _try(exchange, clock):
    """(what went wrong or None, seconds that the next attempt must wait)."""
    try:
        exchange.cancel_all_orders()
        left = exchange.orders_left()
        return ('%d still rest or may still arrive' % left, exchange.settled_in()) if left else (None, 0.0)
    except errors.RateLimited as error:
        return error, min(LONGEST_WAIT_S, error.retry_at - clock.time())
    except Exception as error:
        return error, 0.0
