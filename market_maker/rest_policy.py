"""Pure: what came back from one HTTP attempt -> what to do next.

Rules:

* A request that certainly never left, and one that the venue certainly did not act on, may be sent again.
* GET and DELETE, and what the caller calls repeatable, may be sent again after anything that passes by itself: doing it twice
  changes nothing.
* POST and PUT are not repeated when their outcome is unknown; the order is looked up by its clOrdID instead.
* Retries are bounded, and shorter for POST and PUT: a quote that comes seconds late is worth less than none.
* A 503 that says "overloaded" did not reach the matching engine and is repeated with the same clOrdID, not before half a
  second; any other 5xx says nothing about what happened.
* Nothing here waits, sends or exits.
"""
from __future__ import absolute_import, division, print_function

from collections import namedtuple

from market_maker.utils import errors

# What became of an attempt that brought no answer.
NOT_SENT = 'not sent'          # refused, unresolved, no route, connect time-out: the venue never saw it
NO_ANSWER = 'no answer'        # sent, or perhaps sent; then a time-out or a broken connection
BAD_CERTIFICATE = 'bad certificate'

# What to do.
RETURN = 'return'              # the body is the result
RETRY = 'retry'                # send the same bytes again after `wait` seconds
SYNC_CLOCK = 'sync clock'      # correct our clock by the reply, then send again
LOG_IN = 'log in'              # the access token ran out: get another, then send again
LOOK_UP = 'look up'            # duplicate clOrdID: the order is there already, read it
NOTHING = 'nothing'            # already gone: an empty result
RAISE = 'raise'                # raise `error`

# `number` counts from 0; `authenticated_by` is 'key', 'token' or None; `repeatable`: doing it twice changes nothing;
# `renewed`: token or clock were renewed for this request already, earlier retries for other reasons do not count.
Attempt = namedtuple('Attempt', 'verb number authenticated_by repeatable renewed')
Attempt.__new__.__defaults__ = (False,)

# `message`, `name`: of the error body, '' without one; `retry_after`: seconds or None; `reset`: unix seconds or None.
Answer = namedtuple('Answer', 'status message name retry_after reset is_json response')

Decision = namedtuple('Decision', 'action wait error')

RETRY_WAITS = {'GET': (0.5, 1.0, 2.0), 'DELETE': (0.5, 1.0, 2.0), 'POST': (0.5, 1.0), 'PUT': (0.5, 1.0)}
LONGEST_WAIT_S = 5.0           # a rate limit further away than this is the loop's business

GONE = ('invalid ordstatus', 'invalid orderid', 'invalid leavesqty', 'invalid origclordid', 'invalid amend')
CLOSED = ('market is not open', 'instrument not listed for trading yet', 'instrument expired')


def may_repeat(attempt):
    """Whether a request may be sent again although an earlier one may have taken effect."""
    return attempt.repeatable or attempt.verb in ('GET', 'DELETE')


def after_failure(attempt, kind, detail, max_retries=None):
    """Decide after an attempt without an answer. `kind` is NOT_SENT, NO_ANSWER or BAD_CERTIFICATE; `detail` a text."""
    if kind == BAD_CERTIFICATE:
        return _raise(errors.VenueUnreachable(
            'The certificate of the venue could not be verified: %s. Update certifi, or check the date of this machine.' % detail))
    if kind == NO_ANSWER and not may_repeat(attempt):
        return _raise(errors.UnknownOutcome('No answer to %s: %s' % (attempt.verb, detail)))
    return _retry_or(attempt, errors.VenueUnreachable('The venue cannot be reached: %s' % detail), max_retries)


def after_answer(attempt, answer, now, max_retries=None):
    """Decide after an answer; `now` in unix seconds of our clock."""
    if answer.status < 300 and answer.is_json:
        return Decision(RETURN, 0.0, None)
    handler = _BY_STATUS.get(answer.status)
    if handler is not None:
        return handler(attempt, answer, now, max_retries)
    if answer.status >= 500 or answer.status < 400:
        return _outcome_unknown(attempt, answer, max_retries)
    return _raise(_error(errors.RequestRefused, answer))


def _bad_request(attempt, answer, now, max_retries):
    text = answer.message.lower()
    if 'this request has expired' in text:
        if not attempt.renewed:
            return Decision(SYNC_CLOCK, 0.0, None)
        return _raise(_error(errors.RequestExpired, answer))
    if 'duplicate clordid' in text:
        return Decision(LOOK_UP, 0.0, _error(errors.RequestRefused, answer))
    if text.startswith(GONE):
        return _raise(_error(errors.OrderGone, answer))
    if 'liquidation price of current' in text:
        return _raise(_error(errors.BeyondLiquidation, answer))
    if 'insufficient available balance' in text:
        return _raise(_error(errors.InsufficientFunds, answer))
    if text.startswith(CLOSED):
        return _raise(errors.MarketClosedError(answer.message))
    return _raise(_error(errors.RequestRefused, answer))


def _unauthorized(attempt, answer, now, max_retries):
    if attempt.authenticated_by == 'token' and not attempt.renewed:
        return Decision(LOG_IN, 0.0, None)
    return _raise(errors.AuthenticationError(
        'The venue refused the credentials: %s Check API_KEY and API_SECRET (or LOGIN and PASSWORD).' % _sentence(answer)))


def _forbidden(attempt, answer, now, max_retries):
    return _raise(errors.PermissionDenied(
        'The venue forbids this: %s Check the permissions of the key, its address lock, and whether this address is banned.'
        % _sentence(answer)))


def _not_found(attempt, answer, now, max_retries):
    if attempt.verb == 'DELETE':
        return Decision(NOTHING, 0.0, None)
    return _raise(_error(errors.NotFound, answer))


def _rate_limited(attempt, answer, now, max_retries):
    wait = answer.retry_after
    if wait is None:
        wait = max(1.0, answer.reset - now) if answer.reset is not None else 1.0
    error = errors.RateLimited(answer.message or 'Rate limit exceeded', 429, answer.name, answer.response, retry_at=now + wait)
    if wait > LONGEST_WAIT_S or not may_repeat(attempt):
        return _raise(error)
    return _retry_or(attempt, error, max_retries, at_least=wait)


def _unavailable(attempt, answer, now, max_retries):
    if 'overloaded' not in answer.message.lower():
        return _outcome_unknown(attempt, answer, max_retries)
    return _retry_or(attempt, _error(errors.Overloaded, answer), max_retries)


def _outcome_unknown(attempt, answer, max_retries):
    detail = 'HTTP %d%s' % (answer.status, ': ' + answer.message if answer.message else '')
    if not may_repeat(attempt):
        return _raise(errors.UnknownOutcome('The venue answered a %s with %s' % (attempt.verb, detail)))
    return _retry_or(attempt, errors.VenueUnreachable('The venue is not working: %s' % detail), max_retries)


_BY_STATUS = {400: _bad_request, 401: _unauthorized, 403: _forbidden, 404: _not_found, 429: _rate_limited, 503: _unavailable}


def _retry_or(attempt, error, max_retries, at_least=0.0):
    waits = RETRY_WAITS.get(attempt.verb, ())
    allowed = len(waits) if max_retries is None else min(max_retries, len(waits))
    if attempt.number >= allowed:
        return _raise(error)
    return Decision(RETRY, max(waits[attempt.number], at_least), error)


def _raise(error):
    return Decision(RAISE, 0.0, error)


def _error(kind, answer):
    return kind(answer.message or 'HTTP %d' % answer.status, answer.status, answer.name, answer.response)


def _sentence(answer):
    text = answer.message or 'HTTP %d' % answer.status
    return text if text.endswith('.') else text + '.'
