"""What a run is told from outside, and by chance: handed through as it is, or kept in order, so that the run can be computed again.

Theory of operation. Given the same inputs in the same order, the bot's own code does the same again. What comes from outside comes
through here: readings of the clock, frames of the realtime line, answers to requests, flags that others set (a stop, a wake-up, the death
of the paper venue), what settings files say, and chance. `Inputs` hands all that through. `KeptInputs` also writes it down, and sees to it
that there is an order to write down: frames are queued by the thread that reads them and applied by the loop's own (`ws.queued_feed`),
and of requests that are under way side by side only one at a time runs any code of ours. `refeed` plays a record back.

Rules:

* What others may change at any moment is read through `observe`: kept is each change, and at which reading it was seen.
* Of an answer are kept status, body and the headers we read; of a request verb, path and body, for comparison. A login is kept
  without its secrets, signatures and keys are in no record.
* No signal handler and no other thread than the one that has its turn calls anything here.
"""
from __future__ import absolute_import, division, print_function

import threading

from market_maker.utils import compat
from market_maker.utils.clock import RealClock, Wakeup
from market_maker.utils.parallel import run_all
from market_maker.ws.queued_feed import Line, QueuedFeed
from market_maker.ws.socket_feed import SocketFeed

LOGIN_PATH = 'user/login'
HIDDEN_LOGIN = '{"id": "(hidden)"}'

# The kinds of records. A reading of the clock, of which there are the most by far, is a bare number: of `monotonic` as it is, of `time` negative.
OBSERVED, HEARD, REQUEST, ANSWER, FAILURE, TURN, CHANCE, SETTINGS = 'o', 'h', 'q', 'a', 'x', 'n', 'r', 's'


class Inputs(object):
    """Hands everything through."""

    def clock(self, clock):
        """The clock that the client shall use in place of this one (None: that of the machine)."""
        return clock or RealClock()

    def wakeup(self):
        return Wakeup()

    def feed(self, feed, wakeup):
        """The realtime feed that the client shall use in place of this one (None: a socket)."""
        return feed or SocketFeed()

    def observe(self, name, value):
        """A value that somebody else may change at any moment."""
        return value

    def draw(self, name, draw):
        """Something by chance: what `draw()` gives."""
        return draw()

    def settings(self, reload, settings):
        """Read the settings files again: what `reload()` says of it."""
        return reload()

    def send(self, send, request, failure_of, **options):
        """A response to a prepared request: what `send(request, **options)` gives, or raises. failure_of(error) -> (kind, reason)."""
        return send(request, **options)

    def run_all(self, calls, workers):
        return run_all(calls, workers)


PASSED_ON = Inputs()


class KeptInputs(Inputs):
    """Keeps what it hands through: `keep(record)` takes lists of what JSON can say, the first item being the kind."""

    def __init__(self, keep):
        self.keep = keep
        self._seen = {}                    # name of what is observed -> [readings since it changed, value]
        self._taken = 0                    # readings of the feed since something was heard
        self._raw_clock = RealClock()
        self._baton = None                 # while requests are under way side by side

    def clock(self, clock):
        self._raw_clock = clock or RealClock()
        return _KeptClock(self._raw_clock, self)

    def wakeup(self):
        return ObservedWakeup(self)

    def feed(self, feed, wakeup):
        monotonic = self._raw_clock.monotonic
        return QueuedFeed(lambda url, header: Line(SocketFeed(), url, header, wakeup, monotonic), self, wakeup) if feed is None else feed

    def observe(self, name, value):
        try:
            seen = self._seen[name]
        except KeyError:
            seen = self._seen[name] = [0, None]
        seen[0] += 1
        if value != seen[1]:
            self.keep((OBSERVED, name, seen[0], value))
            seen[:] = 0, value
        return value

    def heard(self, events):
        """What the feed has heard since the last time, as [(kind, ...), ...]; most often nothing."""
        self._taken += 1
        if events:
            self.keep((HEARD, self._taken, events))
            self._taken = 0
        return events

    def draw(self, name, draw):
        value = draw()
        self.keep((CHANCE, name, value))
        return value

    def settings(self, reload, settings):
        result = reload()
        changed, problems, later = result[0], result[1], result[2] if len(result) > 2 else []
        self.keep((SETTINGS, dict((name, getattr(settings, name)) for name in changed), list(problems), list(later)))
        return result

    def send(self, send, request, failure_of, **options):
        is_login = request.path_url.endswith(LOGIN_PATH)
        self.keep((REQUEST, request.method, request.path_url, '' if is_login else text_of(request.body)))
        self._let_go()
        try:
            response = send(request, **options)
        except Exception as error:
            self._take_up()
            self.keep((FAILURE,) + tuple(failure_of(error)))
            raise
        except BaseException:
            self._take_up()
            raise
        self._take_up()
        body = HIDDEN_LOGIN if is_login and response.status_code == 200 else text_of(response.content)
        self.keep((ANSWER, response.status_code, response.headers, body))  # of the headers, those in HEADERS are written
        return response

    def run_all(self, calls, workers):
        if workers < 2 or len(calls) < 2 or self._baton is not None:
            return run_all(calls, 1)
        self._baton = Baton(self.keep)
        try:
            return run_all([self._baton.call(number, call) for number, call in enumerate(calls)], workers)
        finally:
            self._baton = None

    def wait(self, clock, wakeup, timeout):
        self._let_go()
        try:
            return clock.wait(wakeup, timeout)
        finally:
            self._take_up()

    def _let_go(self):
        if self._baton is not None:
            self._baton.let_go()

    def _take_up(self):
        if self._baton is not None:
            self._baton.take_up()


class Baton(object):
    """Of several calls in threads of their own, the one that has it runs; who waits for the outside lets go of it meanwhile."""

    def __init__(self, keep):
        self._keep = keep
        self._lock = threading.Lock()
        self._mine = threading.local()

    def call(self, number, call):
        def with_baton():
            self._mine.number = number
            self.take_up()
            try:
                return call()
            finally:
                self.let_go()
        return with_baton

    def take_up(self):
        self._lock.acquire()
        self._keep((TURN, self._mine.number))

    def let_go(self):
        self._lock.release()


class ObservedWakeup(Wakeup):
    """A flag whose setting is an input. `nudge` ends a wait without setting it: there is something to look at first."""

    def __init__(self, inputs):
        super(ObservedWakeup, self).__init__()
        self._inputs = inputs
        self._is_nudged = False

    def is_set(self):
        return self._inputs.observe('wakeup', self._is_set)

    def nudge(self):
        """From any thread, after what there is to see was put there."""
        if not self._is_nudged:
            self._is_nudged = True
            self._signal.send()

    def take_nudge(self):
        """To be called before what there is to see is looked at."""
        if self._is_nudged:
            self._is_nudged = False
            self._signal.drain()

    def wait(self, timeout):
        if not self._is_set and not self._is_nudged and timeout > 0:
            self._signal.wait(timeout)
        return self._is_set


class _KeptClock(object):
    """The clock of the machine. A reading costs an append more; there are dozens for each decision."""

    def __init__(self, clock, inputs):
        self.raw = clock
        self._inputs = inputs
        tell_time, tell_monotonic, keep = clock.time, clock.monotonic, inputs.keep

        def time():
            now = tell_time()
            keep(-now)
            return now

        def monotonic():
            now = tell_monotonic()
            keep(now)
            return now
        self.time, self.monotonic = time, monotonic

    def wait(self, wakeup, timeout):
        return self._inputs.wait(self.raw, wakeup, timeout)


def text_of(body):
    """Bytes, or text, or nothing -> text from which `bytes_of` makes the same bytes, whatever they are."""
    return compat.to_bytes(body or b'').decode('latin-1')


def bytes_of(text):
    return text.encode('latin-1')
