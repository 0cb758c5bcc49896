"""HTTP to one venue: send, read the answer, do what `rest_policy` decides.

Rules:

* What is signed are the bytes that are sent.
* Credentials go to https or to this machine, and nowhere else (see `address`); a redirect is never followed.
* The certificate is always looked at, against certifi's list, whatever the environment says or somebody has set on the session.
* Requests of this machine to itself do not pass a proxy. No name and password are taken from a .netrc.
* Each request is sent at most a bounded number of times; this room never exits the process.
"""
from __future__ import absolute_import, division, print_function

import email.utils
import json
import logging
from collections import OrderedDict

import requests
import requests.certs

from market_maker import rest_policy as policy
from market_maker.inputs import PASSED_ON
from market_maker.utils import address, constants, errors
from market_maker.utils.clock import Wakeup
from market_maker.utils.compat import to_text
from market_maker.utils.reasons import reason_of
from market_maker.warmth import Warmth

logger = logging.getLogger('root')
# The order in which an order's fields are written, so that log lines are the same on every Python.
FIELD_ORDER = ('orderID', 'symbol', 'side', 'orderQty', 'price', 'ordType', 'execInst', 'clOrdID')


def check_address(base_url):
    """Raise SettingsError unless credentials may be sent to this address."""
    problem = address.problem_of(base_url)
    if problem:
        raise errors.SettingsError('BASE_URL %s %s.' % (address.without_user(base_url or 'None'), problem))


class RestSession(object):
    """A kept-alive session. `auth` is a requests auth object or None; `transport` a transport adapter or None;
    `on_request(url, text)` is told of each request before it is sent, unless it is a quiet one; `inputs` is what answers pass through."""

    def __init__(self, base_url, clock, budget, auth=None, timeout=7, transport=None, on_request=None, inputs=PASSED_ON):
        self.base_url = base_url if base_url.endswith('/') else base_url + '/'
        self.clock = clock
        self.budget = budget
        self.auth = auth
        self.timeout = timeout
        self.clock_offset = 0.0          # the venue's clock minus ours, seconds
        self._on_request = on_request
        self._inputs = inputs
        self._nap = Wakeup()             # never set: waiting between retries is waiting for nothing
        self._made = {}                  # (verb, address) -> the request to it, without body and signature
        self._session = requests.Session()
        self._session.trust_env = not address.is_loopback(base_url)
        self._session.headers.update({'user-agent': 'marketmaker-desk/' + constants.VERSION,
                                      'content-type': 'application/json', 'accept': 'application/json'})
        if transport is not None:
            self._session.mount('http://', transport)
            self._session.mount('https://', transport)
        self._warmth = Warmth(self._session, self.base_url, clock)

    def keep_warm(self, connections):
        """Open again what of so many connections the venue has closed meanwhile; see `Warmth.keep`. For the thread that makes the requests."""
        self._warmth.keep(connections)

    def close(self):
        self._session.close()
        self._nap.close()

    def venue_time(self):
        """Unix seconds by the venue's clock, as far as we know it."""
        return self.clock.time() + self.clock_offset

    def request(self, verb, path, query=None, body=None, timeout=None, max_retries=None, cost=1, quiet=False, repeatable=False):
        """Return the decoded JSON of the answer; None where a DELETE found nothing.

        query -- pairs or dict of texts; body -- what is sent as JSON, or None; timeout -- seconds; max_retries -- fewer than the
        policy allows; cost -- tokens it takes from the request budget; repeatable -- doing it twice changes nothing. Raises errors
        of `utils.errors`: UnknownOutcome when a POST or PUT may have taken effect, DuplicateOrder for a clOrdID that is there already.
        """
        url = self.base_url + path
        text = None if body is None else json.dumps(body)
        if not quiet and self._on_request is not None:
            self._on_request(url, text or json.dumps(query or ''))
        prepared_body = None if text is None else text.encode('utf-8')
        number, renewed = 0, False
        while True:
            attempt = policy.Attempt(verb, number, self._authenticated_by(), repeatable, renewed)
            decision, answer = self._attempt(attempt, path, url, query, prepared_body, timeout, max_retries, cost)
            if decision.action == policy.RETURN:
                return answer
            if decision.action == policy.NOTHING:
                return None
            if decision.action in (policy.RAISE, policy.LOOK_UP):
                decision.error.repeated = number > 0
                raise decision.error if decision.action == policy.RAISE else DuplicateOrder(decision.error)
            renewed = renewed or decision.action in (policy.LOG_IN, policy.SYNC_CLOCK)
            if decision.action == policy.LOG_IN:
                self.log_in()
            elif decision.action == policy.RETRY:
                logger.warning('%s %s did not succeed (%s); trying again in %.1f s', verb, path, decision.error, decision.wait)
                self.clock.wait(self._nap, decision.wait)
                number += 1

    def _attempt(self, attempt, path, url, query, body, timeout, max_retries, cost):
        """Send once; return (decision, decoded body)."""
        verb = attempt.verb
        request = self._prepared(verb, url, query, body)
        self.budget.note_request(cost, verb != 'GET' and path.startswith(('order', 'position/')), self.clock.monotonic())
        try:
            return self._send(request, attempt, timeout, max_retries)
        finally:
            self.budget.note_done()

    def _prepared(self, verb, url, query, body):
        """The request, signed. What a request to the same address would be again (all but body and signature) is made once."""
        if query or body is None or self._session.cookies:
            return self._session.prepare_request(requests.Request(verb, url, data=body, params=query, auth=self.auth or _unsigned))
        made = self._made.get((verb, url))
        if made is None:
            made = self._made[verb, url] = self._session.prepare_request(requests.Request(verb, url, auth=_unsigned))
        request = made.copy()
        request.body, request.headers['Content-Length'] = body, str(len(body))
        return request if self.auth is None else self.auth(request)

    def _send(self, request, attempt, timeout, max_retries):
        settings = self._session.merge_environment_settings(request.url, {}, False, None, None)
        settings['verify'] = requests.certs.where()
        try:
            response = self._inputs.send(self._session.send, request, failure_of, timeout=timeout or self.timeout, allow_redirects=False,
                                         **settings)
        except requests.exceptions.RequestException as error:
            kind, reason = failure_of(error)
            if kind == policy.NO_ANSWER and attempt.verb != 'GET':
                self.budget.note_lost(self.clock.monotonic())
            return policy.after_failure(attempt, kind, reason, max_retries), None
        answer, decoded = _read(response)
        self.budget.note_headers(response.headers, self.clock.monotonic())
        decision = policy.after_answer(attempt, answer, self.clock.time(), max_retries)
        if response.status_code == 429:
            self.budget.note_refusal(answer.retry_after or 1, self.clock.monotonic())
        if decision.action == policy.SYNC_CLOCK:
            self._sync_clock(response)
        return decision, decoded

    def _authenticated_by(self):
        return None if self.auth is None else 'token' if hasattr(self.auth, 'login_request') else 'key'

    def log_in(self):
        """Exchange e-mail, password and one-time token for an access token. Raises AuthenticationError."""
        login, self.auth = self.auth, None
        try:
            login.accept(self.request('POST', 'user/login', body=login.login_request(), quiet=True))
        except errors.RequestRefused:
            raise errors.AuthenticationError('The venue did not accept LOGIN, PASSWORD and OTPTOKEN.')
        except (KeyError, TypeError):
            raise errors.VenueUnreachable('The venue answered the login with something that is no token.')
        finally:
            self.auth = login

    def _sync_clock(self, response):
        """Take the venue's time from its Date header: whole seconds, so the middle of that second.

        What counts is when the answer came, not when we asked: a request may be slow because it was under way for long, and who takes the
        venue's clock to be ahead signs for longer than `own_orders` waits for what was lost.
        """
        date = email.utils.parsedate_tz(response.headers.get('Date', ''))
        if date is not None:
            self.set_offset(email.utils.mktime_tz(date) + 0.5 - self.clock.time())

    def set_offset(self, offset):
        """The venue's clock is `offset` seconds ahead of ours; said when it matters."""
        if abs(offset - self.clock_offset) >= 1.0:
            logger.warning('The clock of this machine is %.1f s %s the venue\'s; requests are signed with the venue\'s time.',
                           abs(offset), 'behind' if offset > 0 else 'ahead of')
        self.clock_offset = offset


class DuplicateOrder(errors.RequestRefused):
    """The venue has an order with this clOrdID already: an earlier attempt took effect."""

    def __init__(self, refusal):
        super(DuplicateOrder, self).__init__(refusal.message, refusal.status, refusal.name, refusal.response)


def ordered(order):
    """A copy of an order's fields in a fixed order."""
    known = [(name, order[name]) for name in FIELD_ORDER if name in order]
    return OrderedDict(known + sorted((name, value) for name, value in order.items() if name not in FIELD_ORDER))


def _read(response):
    """A response -> (policy.Answer, decoded body or None)."""
    try:
        decoded, is_json = json.loads(to_text(response.content)), True
    except ValueError:
        decoded, is_json = None, False
    error = decoded.get('error') if isinstance(decoded, dict) else None
    error = error if isinstance(error, dict) else {'message': error} if error else {}
    return policy.Answer(response.status_code, to_text(error.get('message') or ''), error.get('name') or '',
                         _number(response.headers.get('Retry-After')), _number(response.headers.get('x-ratelimit-reset')),
                         is_json, response), decoded


def _number(text):
    try:
        return float(text)
    except (TypeError, ValueError):
        return None


def failure_of(error):
    """(kind, reason) of what kept a request from being answered: NOT_SENT, NO_ANSWER or BAD_CERTIFICATE, and words."""
    if isinstance(error, KnownFailure):
        return error.kind, error.reason
    if isinstance(error, requests.exceptions.SSLError):
        return policy.BAD_CERTIFICATE if 'certificate' in str(error).lower() else policy.NO_ANSWER, reason_of(error)
    return policy.NOT_SENT if _never_left(error) else policy.NO_ANSWER, reason_of(error)


class KnownFailure(requests.exceptions.RequestException):
    """A failure of an earlier run, raised again: kind and reason as `failure_of` gave them then."""

    def __init__(self, kind, reason):
        super(KnownFailure, self).__init__(reason)
        self.kind, self.reason = kind, reason


def _unsigned(request):
    """An auth for `requests` that leaves a request as it is, and keeps it from looking for another one in a .netrc."""
    return request


def _never_left(error):
    """Whether a request certainly did not reach the venue: it could not even connect."""
    if isinstance(error, (requests.exceptions.ConnectTimeout, requests.exceptions.ProxyError, requests.exceptions.InvalidURL)):
        return True
    cause = getattr(error.args[0] if error.args else None, 'reason', None)
    return type(cause).__name__ in ('NewConnectionError', 'NameResolutionError', 'ConnectTimeoutError')
