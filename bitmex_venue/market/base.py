"""What every market is to the venue: something that begins, says when it next acts, and acts.

Rules:
* No clock, no sockets, no threads: the venue asks `next_time` and calls `act` when that time has come. (Recorded data may be read ahead
  in a thread; what is done with it, and when, does not depend on that.)
* What was due is done in the order of its times, each at its own time; a late call loses nothing and doubles nothing.
* An order that the exchange refuses (a closed instrument, say) is one that was not sent: the market goes on.

Times are nanoseconds since the Unix epoch, as everywhere in the engine.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any

from bitmex_venue.engine.commands import BUY, SELL, CancelAll, OpenAccount, Place, SetLevel
from bitmex_venue.engine.refusals import Refused

SECOND = 1_000_000_000

MAKERS = 1  # house account of those who rest orders
TAKERS = 2  # house account of those who hit them


class BadMarketFile(ValueError):
    """A market file that cannot be read as one; the message names the file and, where there is one, the line."""


class Market:
    """Base of all markets. `matcher` is the matcher factory the Exchange must be made with, None for its own."""

    name = "market"
    matcher: Any = None
    leads = False  # whether it acts before the exchange's own timers where both are due at one moment

    def describe(self) -> str:
        """One line for the start message."""
        return self.name

    def lists(self, spec: Any) -> bool:
        """Whether a contract (or index) is to be listed: all are, but where a market can only be about one."""
        return True

    def begin(self, exchange: Any, now: int) -> None:
        """Join `exchange` at `now`: house accounts, index, first orders. Called once, before any `act`."""
        raise NotImplementedError

    def resume(self, exchange: Any, now: int) -> None:
        """Join an exchange that was kept, instead of `begin`: what the houses left in its books goes, then the market begins
        anew. What it holds stays."""
        floor = Floor(exchange)
        for house in (MAKERS, TAKERS):
            floor.do(now, CancelAll(house))
        for symbol, book in exchange.books.items():
            for side in (BUY, SELL):
                for price in [level.price for level in book.side(side).in_order() if level.external]:
                    floor.do(now, SetLevel(symbol, side, price, 0))
        self.begin(exchange, now)

    def next_time(self) -> int | None:
        """When the market next wants to act; None when it never will again."""
        return None

    def act(self, now: int) -> None:
        """Do everything that was due at or before `now`."""

    def live_until(self, until: int) -> None:
        """Find out what happens next, no later than `until`: `next_time` is asked right after. For a market that knows only by
        living on (a recording that our orders wait in); the others know without being told."""

    def arrive(self, now: int) -> None:
        """The venue has come to `now`, and somebody is about to look: show what was worth no `act` of its own."""

    def steer(self, name: str, factor: float) -> bool:
        """Multiply the path of an index (and so of what follows it), or of one contract alone; False where there is none."""
        return False


    def relist(self, symbol: str, now: int) -> bool:
        """A contract has another tick or lot, and an empty book: begin with it anew. False where that cannot be done."""
        return False


class Agenda:
    """Things to do, each at a time, done in order of time and then of entry."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Callable[[int], int | None]]] = []
        self._entries = 0

    def add(self, time: int, action: Callable[[int], int | None]) -> None:
        """Have `action(time)` called at `time`; what it returns is when to call it again, None for never."""
        heapq.heappush(self._heap, (time, self._entries, action))
        self._entries += 1

    def next_time(self) -> int | None:
        return self._heap[0][0] if self._heap else None

    def run(self, now: int) -> None:
        while self._heap and self._heap[0][0] <= now:
            time, _, action = heapq.heappop(self._heap)
            again = action(time)
            if again is not None:
                self.add(again, action)


class Floor:
    """The exchange as a house account sees it: refusals are swallowed, time never goes back."""

    def __init__(self, exchange: Any) -> None:
        self.exchange = exchange

    def open_accounts(self, now: int) -> None:
        self.do(now, OpenAccount(MAKERS, "makers", house=True))
        self.do(now, OpenAccount(TAKERS, "takers", house=True))

    def open_trade(self, time: int, symbol: str) -> None:
        """The first trade of a contract, one lot at its mark between the houses, so that a last price and a trade exist from the
        first moment: real clients take both for granted. Nothing where there is one already, or no mark."""
        instrument = self.exchange.instruments[symbol]
        if instrument.last_price is None and instrument.mark_e8:
            ticks, lot = instrument.mark_e8 // instrument.spec.tick_e8, instrument.spec.lot_size
            self.do(time, Place(MAKERS, symbol, SELL, lot, ticks))
            self.do(time, Place(TAKERS, symbol, BUY, lot, ticks, "Limit", "ImmediateOrCancel"))

    def do(self, time: int, command: Any) -> Any:
        """Execute; the exchange's answer, or None when it refused."""
        try:
            return self.exchange.execute(max(time, self.exchange.now), command)
        except Refused:
            return None
