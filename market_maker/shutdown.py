"""Taking our orders off the book, by REST alone: the realtime connection may be what broke.

Rules:

* Tried a bounded number of times, each failure said.
* Done only when the venue itself says that nothing under our prefix rests, and no request of unknown outcome can still arrive.
* Without credentials there is nothing to try again.
"""
from __future__ import absolute_import, division, print_function

from market_maker.utils import errors
from market_maker.utils.clock import Wakeup

WAITS_S = (1.0, 2.0, 4.0, 8.0, 15.0)
LONGEST_WAIT_S = 60.0          # a rate limit that ends later than this is not waited for


def cancel_everything(exchange, clock, say):
    """Whether nothing of ours rests any more. `say(text)` is told every failure; raises nothing but KeyboardInterrupt."""
    nap = Wakeup()
    try:
        for number in range(len(WAITS_S) + 1):
            wait = WAITS_S[min(number, len(WAITS_S) - 1)]
            try:
                exchange.cancel_all_orders()
                left = exchange.orders_left()
                if not left:
                    return True
                problem = '%d still rest or may still arrive' % left
            except errors.AuthenticationError as error:
                say('Was not authenticated; could not cancel orders. %s' % error)
                return False
            except errors.RateLimited as error:
                problem = error
                wait = min(LONGEST_WAIT_S, max(wait, error.retry_at - clock.time()))
            except Exception as error:
                problem = error
            if number == len(WAITS_S):
                break
            say('Unable to cancel orders: %s. Trying again in %d s (%d of %d).' % (problem, wait, number + 1, len(WAITS_S)))
            clock.wait(nap, wait)
        say('Unable to cancel orders: %s. Orders may be left on the book: run "marketmaker cancel".' % problem)
        return False
    finally:
        nap.close()
