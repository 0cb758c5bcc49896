"""How much may be asked: token buckets that refill evenly (bitmex-api.md 2.1).

Rules
* One bucket per account (all its keys share it), one per address for requests without credentials.
* A request that is not known by its bucket to be payable is refused and costs nothing; cancels are counted but never refused.
* `modern` has a second bucket on order routes, so many a second.
* Headers: limit, whole tokens remaining, and the unix second in which the bucket is full again.

Integer arithmetic: a token is worth `period` nanoseconds x count, so that refilling never rounds.
"""

from __future__ import annotations

from typing import NamedTuple

from ..profiles import Limits
from .encode import SECOND

MAX_ADDRESSES = 10_000


class Bucket:
    """`count` tokens that come back over `period_ns`. Credit is kept in nanoseconds times tokens."""

    __slots__ = ("count", "period_ns", "credit", "updated")

    def __init__(self, count: int, period_ns: int, now: int) -> None:
        self.count = count
        self.period_ns = period_ns
        self.credit = count * period_ns
        self.updated = now

    def refill(self, now: int) -> None:
        """Bring the credit up to `now`; a clock that went back gives nothing."""
        if now > self.updated:
            self.credit = min(self.count * self.period_ns, self.credit + (now - self.updated) * self.count)
        self.updated = now

    def affords(self, tokens: int) -> bool:
        return self.credit >= tokens * self.period_ns

    def take(self, tokens: int) -> None:
        """Spend tokens, never below zero."""
        self.credit = max(0, self.credit - tokens * self.period_ns)

    @property
    def remaining(self) -> int:
        return self.credit // self.period_ns

    def wait_ns(self, tokens: int) -> int:
        """How long until `tokens` can be paid (a request of more than the whole bucket waits for a full one)."""
        missing = min(tokens, self.count) * self.period_ns - self.credit
        return 0 if missing <= 0 else -(-missing // self.count)

    def full_at(self) -> int:
        """When the bucket is full again, in nanoseconds."""
        missing = self.count * self.period_ns - self.credit
        return self.updated + -(-missing // self.count)


class Charge(NamedTuple):
    """What became of a request: the headers to send and, when refused, the seconds to wait (else 0)."""

    headers: dict[str, str]
    retry_s: int


class RateLimiter:
    """All buckets of a venue. `enabled` False counts nothing and sends no headers."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.enabled = True
        self._users: dict[int, Bucket] = {}
        self._addresses: dict[str, Bucket] = {}
        self._bursts: dict[int, Bucket] = {}

    def charge(
        self,
        now: int,
        account_id: int | None,
        remote: str,
        tokens: int = 1,
        burst: bool = False,
        refusable: bool = True,
    ) -> Charge:
        """Spend `tokens` of an account (of an address when `account_id` is None) at `now`, nanoseconds."""
        if not self.enabled:
            return Charge({}, 0)
        bucket = self._bucket(now, account_id, remote)
        second = self._burst(now, account_id) if burst and account_id is not None else None
        wait = 0 if bucket.affords(tokens) else bucket.wait_ns(tokens)
        if second is not None and not second.affords(1):
            wait = max(wait, second.wait_ns(1))
        retry_s = max(1, -(-wait // SECOND)) if wait and refusable else 0
        if not retry_s:
            bucket.take(tokens)
            if second is not None:
                second.take(1)
        headers = {
            "x-ratelimit-limit": str(bucket.count),
            "x-ratelimit-remaining": str(bucket.remaining),
            "x-ratelimit-reset": str(-(-bucket.full_at() // SECOND)),
        }
        if second is not None:
            headers["x-ratelimit-remaining-1s"] = str(second.remaining)
        return Charge(headers, retry_s)

    def _bucket(self, now: int, account_id: int | None, remote: str) -> Bucket:
        limits = self.limits
        if account_id is not None:
            bucket = self._users.get(account_id)
            if bucket is None:
                bucket = self._users[account_id] = Bucket(limits.user_count, limits.user_period_s * SECOND, now)
        else:
            bucket = self._addresses.get(remote)
            if bucket is None:
                if len(self._addresses) >= MAX_ADDRESSES:
                    self._addresses.clear()
                bucket = Bucket(limits.address_count, limits.address_period_s * SECOND, now)
                self._addresses[remote] = bucket
        bucket.refill(now)
        return bucket

    def _burst(self, now: int, account_id: int) -> Bucket | None:
        if self.limits.burst_count is None:
            return None
        bucket = self._bursts.get(account_id)
        if bucket is None:
            bucket = self._bursts[account_id] = Bucket(self.limits.burst_count, SECOND, now)
        bucket.refill(now)
        return bucket
