"""What is due by itself, and when: one queue in time order.

Rules:

* what is due at one moment runs in a fixed order: marks and liquidations, dead man's switches, funding, the daily sweep,
  settlement, the end of the day, withdrawals;
* everything runs at its own time, however late it is noticed, so that it does not matter how often time is advanced;
* a dead man's switch is one timer per account: each call replaces it, and the queue holds at most one entry per account and
  earlier due time (bitmex-api.md 3.1, 7).
"""

from __future__ import annotations

import heapq
from typing import Any

from . import settlement
from .accounts import Account
from .funding import next_funding
from .instruments import DAY, HOUR
from .marks import REFRESH

MARKS, DEAD_MAN, FUNDING, SWEEP, SETTLE, MIDNIGHT, WITHDRAWAL = range(7)


class Timers:
    """The queue of an exchange: (time, kind, key)."""

    __slots__ = ("exchange", "queue", "next")

    def __init__(self, exchange) -> None:
        self.exchange = exchange
        now = exchange.now
        queue: list[tuple[int, int, Any]] = [
            (now // REFRESH * REFRESH + REFRESH, MARKS, ""),
            ((now // DAY + 1) * DAY, MIDNIGHT, ""),
        ]
        if not exchange.texts.sweeps_per_fill:
            noon = now // DAY * DAY + 12 * HOUR
            queue.append((noon if noon > now else noon + DAY, SWEEP, ""))
        for market in exchange.markets.values():
            spec, instrument = market.instrument.spec, market.instrument
            if spec.funding_interval:
                instrument.funding_timestamp = next_funding(now, spec.funding_interval)
                queue.append((instrument.funding_timestamp, FUNDING, market.symbol))
            if spec.expiry is not None and spec.expiry > now:
                queue.append((spec.expiry, SETTLE, market.symbol))
        heapq.heapify(queue)
        self.queue = queue
        self.next = queue[0][0]

    def push(self, at: int, kind: int, key: Any) -> None:
        heapq.heappush(self.queue, (at, kind, key))
        self.next = self.queue[0][0]

    def run(self, now: int) -> None:
        """Run everything due by `now`, each at its own time."""
        exchange = self.exchange
        while self.next <= now:
            at, kind, key = heapq.heappop(self.queue)
            exchange.now = max(exchange.now, at)
            self._run_one(at, kind, key)
            self.next = self.queue[0][0]
            exchange.finish()

    def _run_one(self, at: int, kind: int, key: Any) -> None:
        exchange = self.exchange
        if kind == MARKS:
            exchange.marks.refresh()
            exchange.liquidation.check()
            exchange.outbox.flush(exchange.now, exchange.markets.values())
            exchange.marks.tell_figures()
            self.push(at + REFRESH, MARKS, "")
        elif kind == DEAD_MAN:
            self._dead_man(at, exchange.accounts[key])
        elif kind == FUNDING:
            market = exchange.markets[key]
            exchange.funding.charge(market)
            self.push(market.instrument.funding_timestamp, FUNDING, key)
        elif kind == SWEEP:
            exchange.funding.sweep_all()
            self.push(at + DAY, SWEEP, "")
        elif kind == SETTLE:
            following = settlement.settle(exchange, exchange.markets[key])
            self.push(following.expiry, SETTLE, following.symbol)
        elif kind == WITHDRAWAL:
            exchange.administration.let_go(*key)
        else:
            for order in list(exchange.day_orders.values()):
                exchange.clearing.end_by_rule(order, "Order had timeInForce of Day")
            self.push(at + DAY, MIDNIGHT, "")

    # -- dead man's switches -------------------------------------------------------------------------------------------

    def set_dead_man(self, account: Account, at: int | None) -> None:
        """Cancel all orders of an account at a time; None disarms."""
        account.cancel_at = at
        if at is not None and (account.timer_at is None or account.timer_at > at):
            self._arm(account)

    def _arm(self, account: Account) -> None:
        account.timer_at = account.cancel_at
        self.push(account.cancel_at, DEAD_MAN, account.account_id)

    def _dead_man(self, at: int, account: Account) -> None:
        """The switch may have run out; it may also have been moved on or disarmed since it was set."""
        if account.timer_at == at:
            account.timer_at = None
        if account.cancel_at is None:
            return
        if account.cancel_at <= at:
            account.cancel_at = None
            self.exchange.trading.cancel_all(account, text="Canceled via cancelAllAfter.")
        elif account.timer_at is None:
            self._arm(account)
