"""Everything the bot raises, and what the bot does about it.

::

    MarketMakerError                 stop
      SettingsError                  stop    the settings cannot be used; lists every problem
      AuthenticationError            stop    the venue refused the credentials, or there are none
        PermissionDenied             wait    the key is known and may not do this, or not from here, or not now
      VenueUnreachable               stop    no answer at start, or none for too long
      PaperVenueError                stop    the venue on this machine did not start, or died
      SecondCopyRunning              stop    somebody else places orders under our prefix
      ThreadFailed                   stop    one of our threads was ended by an error that nobody foresaw
      MarketClosedError              wait    the instrument does not trade now
      MarketEmptyError               wait    a side of the book is empty, there is nothing to quote around
      Paused                         wait    MAX_DRAWDOWN or MAX_LOSS is reached
      StaleData                      wait    our picture of the market is too old to act on
      VenueError                     (HTTP)  the venue answered, but not with what was asked for
        RequestRefused               skip    refused for good: the same request would be refused again
          OrderGone                  retick  the order is no longer what we thought it was
          RequestExpired             retick  it came after its time, also with the clock set right: signed anew it may come in time
          BeyondLiquidation          wait    the order would rest beyond the price at which the position is liquidated
          InsufficientFunds          wait    not enough margin for the request
          NotFound                   skip    no such path or thing
        RateLimited                  wait    too many requests; `retry_at` says when to ask again
        Overloaded                   wait    shed by the venue before it reached the engine
      UnknownOutcome                 retick  the request may or may not have taken effect: look it up

    Stopped (a SystemExit)                   the shutdown is done; carries the exit code

`action` on each class is one of STOP, WAIT, RETICK, SKIP; the loop acts on it and on nothing else. Waiting means: quote
nothing new, say why once, try again at the next tick. Re-ticking means: read the truth again and decide again. Skipping
means: this one request is dropped, the rest goes on.
"""
from __future__ import absolute_import, division, print_function

from requests.exceptions import HTTPError

from market_maker.utils.compat import native

STOP, WAIT, RETICK, SKIP = 'stop', 'wait', 'retick', 'skip'

EXIT_OK, EXIT_ERROR, EXIT_USAGE, EXIT_CREDENTIALS, EXIT_UNREACHABLE = 0, 1, 2, 3, 4


class MarketMakerError(Exception):
    """The root of the tree; `exit_code` is what the process ends with when nobody handles it. `repeated`: the request had been sent
    before, and this is the answer to the last attempt alone."""

    action = STOP
    repeated = False
    exit_code = EXIT_ERROR

    def __init__(self, *words):
        super(MarketMakerError, self).__init__(*[native(word) for word in words])


class SettingsError(MarketMakerError):
    """The settings cannot be used. `problems` is a list of lines, each a whole sentence."""

    exit_code = EXIT_USAGE

    def __init__(self, problems):
        if not isinstance(problems, (list, tuple)):
            problems = [problems]
        super(SettingsError, self).__init__('\n'.join(problems))
        self.problems = list(problems)


class AuthenticationError(MarketMakerError):
    """The venue refused the credentials (401, 403), or an action needs some and there are none."""

    exit_code = EXIT_CREDENTIALS


class PermissionDenied(AuthenticationError):
    """403: a permission that the key lacks, an address that is locked out or banned. What is forbidden now may be allowed later."""

    action = WAIT


class VenueUnreachable(MarketMakerError):
    """The venue could not be reached: refused, unresolved, or silent beyond the time limit."""

    exit_code = EXIT_UNREACHABLE


class PaperVenueError(MarketMakerError):
    """The venue on this machine did not start, or ended while the bot was trading on it."""


class SecondCopyRunning(MarketMakerError):
    """Orders under our prefix appeared that this process did not send."""


class ThreadFailed(MarketMakerError):
    """A thread of ours was ended by an error that nobody foresaw. `details` is its traceback, as text."""

    def __init__(self, name, details):
        super(ThreadFailed, self).__init__('the thread %s has failed: %s' % (name, (details.strip().splitlines() or ['?'])[-1]))
        self.details = details


class MarketClosedError(MarketMakerError):
    """The instrument does not trade now."""

    action = WAIT


class MarketEmptyError(MarketMakerError):
    """A side of the order book is empty."""

    action = WAIT


class Paused(MarketMakerError):
    """A stop is reached: nothing is quoted until the program is started again or the setting is changed."""

    action = WAIT


class StaleData(MarketMakerError):
    """The realtime picture is older than the limit, or being rebuilt."""

    action = WAIT


class VenueError(MarketMakerError, HTTPError):
    """The venue answered with an error. Also a `requests` HTTPError, for strategies written for the original.

    status -- HTTP status; name, message -- of the error body ('' when it was not JSON); response -- the raw response.
    """

    def __init__(self, message='', status=None, name='', response=None):
        HTTPError.__init__(self, native(message), response=response)
        self.message = message
        self.status = status
        self.name = name


class RequestRefused(VenueError):
    """A refusal that would be repeated: the request itself is at fault, or the account is."""

    action = SKIP


class OrderGone(RequestRefused):
    """Invalid ordStatus, orderID, leavesQty or origClOrdID: our picture of an order is behind the venue's."""

    action = RETICK


class RequestExpired(RequestRefused):
    """`api-expires` was in the past when the request came, also after our clock was set by the venue's."""

    action = RETICK


class BeyondLiquidation(RequestRefused):
    """The order's price is beyond the liquidation price of the position."""

    action = WAIT


class InsufficientFunds(RequestRefused):
    """The account's available balance does not cover the request."""

    action = WAIT


class NotFound(RequestRefused):
    """404."""


class RateLimited(VenueError):
    """429. `retry_at` is in unix seconds of our own clock."""

    action = WAIT

    def __init__(self, message='', status=429, name='', response=None, retry_at=0.0):
        super(RateLimited, self).__init__(message, status, name, response)
        self.retry_at = retry_at


class Overloaded(VenueError):
    """503 by load shedding: the request did not reach the matching engine."""

    action = WAIT


class UnknownOutcome(MarketMakerError):
    """No answer, or one that says nothing about the order. `cl_ord_ids` are those to look up."""

    action = RETICK

    def __init__(self, message='', cl_ord_ids=()):
        super(UnknownOutcome, self).__init__(message)
        self.cl_ord_ids = list(cl_ord_ids)


class Stopped(SystemExit):
    """The bot has shut down; `code` is the exit code. Raised by `OrderManager.exit`, caught by the command line."""


def code_of(error):
    """What a process that ends with this error exits with."""
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else EXIT_OK if error.code is None else EXIT_ERROR
    return EXIT_OK if isinstance(error, KeyboardInterrupt) else getattr(error, 'exit_code', EXIT_ERROR)
