"""Recorded data as the market of a venue: rows go by inside hftbacktest, and the venue sees what matters.

Rules

* The venue is told of a fill at the fill's own time. The touch, the newest trade and the index are told when somebody looks: a client
  that waits for a time sees the newest of each then; one that waits for changes (`each_change`) is woken by each change of the touch.
* Of several trades between two looks the newest is told.
* The index is the middle of the recorded touch, told a nanosecond before the venue looks at its marks, every 5 s; marks and funding follow from
  it as everywhere in the venue (with next to no premium, so that each funding interval pays about the contract's interest rate).
"""

from __future__ import annotations

from typing import Any

from bitmex_venue.engine.commands import Advance, SetIndex
from bitmex_venue.engine.instruments import InstrumentSpec
from bitmex_venue.engine.marks import REFRESH
from bitmex_venue.market.base import Floor, Market

from .lane import Lane, Model
from .matcher import HftMatcher
from .tape import FAR, Tape

SHOWN_LEVELS = 25  # as many as the short book has


class TapeMarket(Market):
    """The market of one contract in the files of a tape. `begins` (ns) is when both sides of its book are known: the venue is to begin then.

    `close` it at the end.
    """

    leads = True

    def __init__(self, tape: Tape, spec: InstrumentSpec, model: Model, text: str, each_change: bool) -> None:
        self.name = text
        self.tape = tape
        self.spec = spec
        self._matching = Lane(tape.matching, model)
        self._showing = Lane(tape.showing, model, keeps_trades=True)
        self._scout = Lane(tape.showing, model) if each_change else None  # runs ahead, to say when the touch changes
        self._responded = False
        self._change: int | None = None  # when the touch changes next, as far as we have looked
        self._shown: dict[tuple[int, int], int] = {}
        self._shown_at = self._index_at = 0
        self._told_mid = 0
        for lane in self._lanes():
            lane.start()
        self._look_until(tape.opens)

    def describe(self) -> str:
        return self.name

    def matcher(self, book: Any, host: Any) -> Any:
        """The factory that the exchange is made with."""
        self._matcher = HftMatcher(book, host, self._matching, self._showing, self.tape.has_depth)
        return self._matcher

    def lists(self, spec: Any) -> bool:
        return spec.symbol in (self.spec.symbol, self.spec.reference)

    def begin(self, exchange: Any, now: int) -> None:
        self._floor = Floor(exchange)
        self._exchange = exchange.exchange  # a gate's: nobody steers a back-test
        bid, _, ask, _ = self._showing.touch()
        self._tell_index(now)
        exchange.instruments[self.spec.symbol].last_price = bid  # until the first trade
        self._show(now)

    # ---- time

    def live_until(self, until: int) -> None:
        if self._responded or until <= self._matching.now:
            return
        until = min(until, self._due())
        if until > self._matching.now:
            self._responded = self._matching.go(until)

    def next_time(self) -> int | None:
        return self._matching.now if self._responded else self._due()

    def _due(self) -> int:
        """When there is something to do that is known beforehand."""
        return self._index_at if self._scout is None else min(self._index_at, self._next_change())

    def act(self, now: int) -> None:
        if self._responded:
            self._responded = False
            self._matcher.is_due = True
            self._exchange.execute(now, Advance())
        if self._index_at <= now:
            self._showing.look(now)
            self._tell_index(now)
        if self._scout is not None and self._next_change() <= now:
            self._change = None
            self._show(now)

    def arrive(self, now: int) -> None:
        if now > self._shown_at:
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
        """Bring the venue's book and its newest trade to `now`."""
        showing, self._shown_at = self._showing, now
        showing.look(now)
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

    def _tell_index(self, now: int) -> None:
        self._index_at = now // REFRESH * REFRESH + REFRESH
        bid, _, ask, _ = self._showing.touch()
        if bid is not None and ask is not None and bid + ask != self._told_mid:
            self._told_mid = bid + ask
            self._floor.do(now - 1, SetIndex(self.spec.reference, self._told_mid * self.spec.tick_e8 // 2))

    def books(self) -> tuple[float, float]:
        """(position, fees) as the library has kept them; the venue's accounts are those that count."""
        return self._matching.books()

    def close(self) -> None:
        """Give back the library's memory."""
        for lane in self._lanes():
            lane.close()

    def _look_until(self, time: int) -> None:
        self._matching.go(time)
        for lane in (self._showing, self._scout):
            if lane is not None:
                lane.look(time)

    def _lanes(self) -> list[Lane]:
        return [lane for lane in (self._matching, self._showing, self._scout) if lane is not None]
