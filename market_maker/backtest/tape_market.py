"""Recorded data as the market of a venue: rows go by inside hftbacktest, and the venue sees what matters.

Rules

* The venue is told of a fill at the fill's own time. The touch, the newest trade and the index are told when somebody looks: a client
  that waits for a time sees the newest of each then; one that waits for changes (`each_change`) is woken by each change of the touch.
* Of several trades between two looks the newest is told.
* The index is the middle of the recorded touch, told once a second at most; marks and funding follow from it as everywhere in the venue
  (with a premium of nothing, so that each funding interval pays the contract's interest rate).
"""

from __future__ import annotations

from typing import Any

from bitmex_venue.engine.commands import Advance, SetIndex
from bitmex_venue.engine.matching import PriceTimeMatcher
from bitmex_venue.market.base import SECOND, Floor, Market

from .lane import Lane, Model
from .matcher import HftMatcher
from .tape import FAR, Tape

SHOWN_LEVELS = 25  # as many as the short book has
INDEX_EVERY = SECOND


class TapeMarket(Market):
    """The market of `symbol` in the files of a tape. Begins when the tape does. `close` it at the end."""

    def __init__(self, tape: Tape, symbol: str, model: Model, text: str, each_change: bool) -> None:
        self.name = text
        self.tape = tape
        self.symbol = symbol
        self._matching = Lane(tape.matching, model)
        self._showing = Lane(tape.showing, model, keeps_trades=True)
        self._scout = Lane(tape.showing, model) if each_change else None  # runs ahead, to say when the touch changes
        self._responded = False
        self._change: int | None = None  # when the touch changes next, as far as we have looked
        self._shown: dict[tuple[int, int], int] = {}
        self._told_at = self._told_mid = 0
        for lane in self._lanes():
            lane.start()

    def describe(self) -> str:
        return self.name

    def matcher(self, book: Any, host: Any) -> Any:
        """The factory that the exchange is made with: the traded contract's matcher is the library's."""
        if book.symbol == self.symbol:
            self._matcher = HftMatcher(book, host, self._matching, self._showing, self.tape.has_depth)
            return self._matcher
        return PriceTimeMatcher(book, host)

    def begin(self, exchange: Any, now: int) -> None:
        self._floor = Floor(exchange)
        self._exchange = exchange.exchange  # a gate's: nobody steers a back-test
        self._instrument = exchange.instruments[self.symbol]
        self._tell_index(now, sum(self.tape.first))
        self._instrument.last_price = self.tape.first[0]  # until the first trade
        self._show(now)

    # ---- time

    def live_until(self, until: int) -> None:
        if self._responded or until <= self._matching.now:
            return
        if self._scout is not None:
            until = min(until, self._next_change())
        self._responded = self._matching.go(until)

    def next_time(self) -> int | None:
        if self._responded:
            return self._matching.now
        return self._change if self._scout is not None else None

    def act(self, now: int) -> None:
        if self._responded:
            self._responded = False
            self._exchange.execute(now, Advance())
        if self._scout is not None and self._change is not None and self._change <= now:
            self._change = None
            self._show(now)

    def arrive(self, now: int) -> None:
        if now > self._showing.now:
            self._show(now)

    def _next_change(self) -> int:
        """When the touch changes next."""
        while self._change is None:
            before = self._scout.touch()
            if not self._scout.step(FAR):
                self._change = FAR
            elif self._scout.touch() != before:
                self._change = self._scout.now
        return self._change

    # ---- what is seen

    def _show(self, now: int) -> None:
        """Bring the venue's book, its newest trade and the index to `now`."""
        showing = self._showing
        showing.go(now)
        bid, bid_size, ask, ask_size = showing.touch()
        if self.tape.has_depth:
            levels = showing.levels(SHOWN_LEVELS)
        else:
            levels = {(side, ticks): size for side, ticks, size in ((1, bid, bid_size), (-1, ask, ask_size)) if ticks is not None}
        trade = showing.last_trade()
        exchange, shown = self._exchange, self._shown
        if levels == shown and trade is None:
            return
        exchange.execute(now, Advance())  # the time of what follows
        for side, ticks in shown.keys() - levels.keys():
            self._matcher.set_level(side, ticks, 0)
        for level, size in levels.items():
            if shown.get(level) != size:
                self._matcher.set_level(*level, size)
        self._shown = levels
        if trade is not None:
            self._matcher.recorded_trade(*trade)
        exchange.finish()
        if bid is not None and ask is not None and bid + ask != self._told_mid and now >= self._told_at + INDEX_EVERY:
            self._tell_index(now, bid + ask)

    def _tell_index(self, now: int, twice_mid: int) -> None:
        self._told_at, self._told_mid = now, twice_mid
        spec = self._instrument.spec
        self._floor.do(now, SetIndex(spec.reference, twice_mid * spec.tick_e8 // 2))

    def close(self) -> None:
        """Give back the library's memory."""
        for lane in self._lanes():
            lane.close()

    def _lanes(self) -> list[Lane]:
        return [lane for lane in (self._matching, self._showing, self._scout) if lane is not None]
