"""The request budget: what the next requests may cost.

Two layers (bitmex-api.md 2.1): a bucket that refills continuously over minutes, and on order requests a second one of ten a
second. The venue's own headers correct both, so that requests of other processes of the account are seen, and expected to go on as in the
last half minute. Of requests that are under way side by side the replies may overtake each other: until the last of them is back a header
can only lower what we believe.

Rules:

* Cancels are never held back, and a reserve is kept for them: nothing else may spend the last tokens.
* What cannot be paid now is left out, never queued: a quote of seconds ago is worth nothing.
* Until the venue has told its limit nothing is held back.

Time is handed in, in seconds of a clock that is never set back. Every method is safe from any thread.
"""
from __future__ import absolute_import, division, print_function

import functools
import math
import threading
from collections import deque

DEFAULT_RESERVE = 8            # tokens kept for reading the orders again and cancelling everything
SECOND_LAYER_LIMIT = 10        # order requests in any one second
SECOND_S = 1.1                 # what we take for one: a request may be under way for less time than one of a second before
LATE_S = 6.0                   # for so long a request without an answer may still arrive, and be counted then
CLASSIC_LIMIT = 150            # a limit from here on is one of the classic era, without a second layer
CLASSIC_WINDOW_S = 300.0       # 300 or 150 in five minutes
MODERN_WINDOW_S = 60.0         # 120, 60 or 30 a minute
ASK_AFTER_S = 5.0              # so long a guess about others is worth more than the token that it costs to know
OTHERS_S = 30.0                # what others spent counts less and less over about so long
WITH_KEY = {150: 300, 30: 120}  # what an account is granted where an address without a key gets this


def _locked(method):
    @functools.wraps(method)
    def wrapped(self, *args):
        with self._lock:
            return method(self, *args)
    return wrapped


class RequestBudget(object):
    """What may still be asked of the venue."""

    def __init__(self, reserve=DEFAULT_RESERVE):
        self.reserve = reserve
        self._lock = threading.RLock()
        self.limit = None              # size of the bucket, as the venue said last
        self.refused = 0               # 429s seen
        self.skipped = 0               # orders left out because they could not be paid; one that waits counts once
        self._remaining = None
        self._at = None
        self._expected = 0.0           # what others are thought to have spent since the last header
        self._others = 0.0             # tokens a second that others spend; a little below 0 when rounding has it so
        self._has_jumped = False       # whether more than half was gone at a stroke, and none of it was back since
        self._told_at, self._told = None, 0   # when the last header came, and what was left by it
        self._blocked_until = None
        self._second_layer = None      # times of recent order requests, where the venue counts them
        self._second_said = None       # (what a header said is left of it, when)
        self._lost = deque()           # when requests were given up that the second layer may still count
        self._under_way = 0
        self._is_crowd = False         # several requests were under way since the last moment without any

    @_locked
    def note_headers(self, headers, now):
        """Learn from a reply's headers (any case). Headers that are missing or make no sense change nothing."""
        limit, remaining = _number(headers.get('x-ratelimit-limit')), _number(headers.get('x-ratelimit-remaining'))
        if limit is not None and limit > 0 and remaining is not None:
            remaining = min(max(remaining, 0), limit)
            if limit == self.limit:
                self._advance(now)
                if self._is_crowd:
                    remaining = min(remaining, self._remaining)
                spent = 0.0 if self._is_crowd else self._remaining + self._expected - remaining
                self._learn_of_others(spent, now)
                self._has_jumped = spent > limit / 2.0 or (self._has_jumped and remaining <= self.reserve)
            self.limit, self._remaining, self._at, self._expected, self._told_at, self._told = limit, remaining, now, 0.0, now, remaining
        left = _number(headers.get('x-ratelimit-remaining-1s'))
        if left is not None:
            self._second_said = (left, now)
        is_modern = self.limit is not None and self.limit < CLASSIC_LIMIT
        if self._second_layer is None and (is_modern or headers.get('x-ratelimit-remaining-1s') is not None):
            self._second_layer = deque()

    @_locked
    def note_refusal(self, wait, now):
        """A 429 came: nothing but cancels for `wait` seconds."""
        self.refused += 1
        self._blocked_until = now + wait

    @_locked
    def note_request(self, cost, is_order, now):
        """A request leaves that costs `cost` tokens; `note_done` tells that it is back, or lost."""
        self._is_crowd = self._under_way > 0 or self._is_crowd
        self._under_way += 1
        if self._remaining is not None:
            self._advance(now)
            self._remaining = max(0.0, self._remaining - cost)
        if is_order and self._second_layer is not None:
            self._second_layer.append(now)

    @_locked
    def note_lost(self, now):
        """An order request was given up: it may arrive in any second from now on."""
        self._lost.append(now)

    @_locked
    def note_done(self):
        """A request is no longer under way."""
        self._under_way -= 1
        self._is_crowd = self._is_crowd and self._under_way > 0

    @_locked
    def note_skipped(self, count):
        """So many orders were left out because they could not be paid."""
        self.skipped += count

    @_locked
    def available(self, now):
        """Tokens in the bucket now (None until the venue has told)."""
        if self._remaining is None:
            return None
        return max(0.0, min(self.limit, self._remaining + (now - self._at) * self.limit / self._window() - self._theirs(now)))

    def _advance(self, now):
        self._expected += self._theirs(now)
        self._remaining, self._at = self.available(now), now

    def _theirs(self, now):
        """Tokens that others are thought to have spent since `_at`: fewer and fewer, or who takes the bucket for empty would never ask again."""
        since, until = (math.exp((self._told_at - moment) / OTHERS_S) for moment in (self._at, now))
        return max(0.0, self._others) * OTHERS_S * (since - until)

    def _learn_of_others(self, spent, now):
        """Others spent so many tokens since the last header, rounded; what is rounded up now is rounded down another time.

        For long nobody can spend more than comes back. Who emptied the bucket at once has not shown that he goes on.
        """
        kept = math.exp(-(now - self._told_at) / OTHERS_S)
        self._others = min(self._others * kept + spent / OTHERS_S, self.limit / self._window())

    @_locked
    def purse(self, now):
        """(tokens, order requests) that may be spent now on anything but cancels; infinite where nobody counts."""
        if self._blocked_until is not None and now < self._blocked_until:
            return 0, 0
        available = self.available(now)
        tokens = float('inf') if available is None else max(0, int(math.floor(available)) - self.reserve)
        if self._second_layer is None:
            return tokens, float('inf')
        while self._second_layer and now - self._second_layer[0] >= SECOND_S:
            self._second_layer.popleft()
        while self._lost and now - self._lost[0] >= LATE_S:
            self._lost.popleft()
        second = SECOND_LAYER_LIMIT - len(self._second_layer) - len(self._lost)
        if self._second_said is not None:
            left, when = self._second_said
            second = min(second, int(left + max(0.0, now - when - SECOND_S + 1.0) * SECOND_LAYER_LIMIT))
        return tokens, max(0, second)

    @_locked
    def is_guess(self, now):
        """Whether the purse is empty only because others, who seem to have spent half of it at a stroke, are thought to go on: a request would tell."""
        if not self._has_jumped or now - self._told_at < ASK_AFTER_S or now < (self._blocked_until or now):
            return False
        alone = self._told + (now - self._told_at) * self.limit / self._window()
        return alone >= self.reserve + 1 > self.available(now)

    @_locked
    def affordable(self, wanted, now):
        """How many of `wanted` single order requests (no cancels) can be sent now."""
        count = min([wanted] + [int(left) for left in self.purse(now) if left != float('inf')])
        self.skipped += wanted - count
        return count

    @_locked
    def wait(self, now):
        """Seconds until more can be paid than now: a second for the second layer, else until the next token, or the end of a refusal."""
        if self._blocked_until is not None and now < self._blocked_until:
            return self._blocked_until - now
        tokens = self.purse(now)[0]
        return SECOND_S if self.limit is None or tokens > 0 else self._window() / self.limit

    def _window(self):
        return window_s(self.limit)

    @property
    def per_minute(self):
        """Tokens that come back in a minute; None until the venue has told."""
        return None if self.limit is None else per_minute(self.limit)

    @_locked
    def describe(self, now):
        """A text for the status: '287 of 300 requests left'."""
        available = self.available(now)
        if available is None:
            return 'request budget not known yet'
        text = '%d of %d requests left' % (available, self.limit)
        if self.skipped:
            text += ', %d put off so far' % self.skipped
        return text


def window_s(limit):
    """Seconds in which a bucket of `limit` tokens fills up."""
    return CLASSIC_WINDOW_S if limit >= CLASSIC_LIMIT else MODERN_WINDOW_S


def per_minute(limit):
    """Tokens that come back in a minute to a bucket of `limit`."""
    return 60.0 * limit / window_s(limit)


def _number(text):
    try:
        return int(text)
    except (TypeError, ValueError):
        return None
