"""What the default ladder lives through on a synthetic market: many seeds, simulated time, the real engine.

    python -m bench.market_study --market lively --seeds 200
    python -m bench.market_study --market calm --seeds 200 --minutes 60

The ladder is the original bot's, with its default settings, written down here again in few lines so that the market
is judged by something that is not the bot: six pairs of 100 to 600 contracts, INTERVAL 0.5 %, MIN_SPREAD 1 %,
MAINTAIN_SPREADS, RELIST_INTERVAL 1 %, a look every 5 s. It starts at a seeded moment up to half a minute after the
market.

Reported: the share of seeds with an inner order filled within 45 s of the first quote, with fills on both sides
within ten minutes; the deviation of one-minute log returns of the last price; the profit before fees and rebates,
marked at mid, in XBT per seed (mean, standard error, t); simulated seconds per CPU second.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from random import Random
from typing import Any, NamedTuple

from bitmex_venue.engine.commands import Amend, Cancel, Deposit, OpenAccount, Place, PlaceBulk
from bitmex_venue.engine.events import ExecutionEvent
from bitmex_venue.engine.exchange import Exchange
from bitmex_venue.engine.instruments import specs
from bitmex_venue.engine.refusals import Refused
from bitmex_venue.market import create

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
BEGIN = 1_790_000_000 * SECOND
SYMBOL = "XBTUSD"
ACCOUNT = 100_000

PAIRS, START_SIZE, STEP_SIZE = 6, 100, 100
INTERVAL, MIN_SPREAD, RELIST_INTERVAL, LOOP_S = 0.005, 0.01, 0.01, 5


class Fill(NamedTuple):
    time: int
    side: int
    level: int  # 1 is the inner order
    qty: int
    price: float


class Ladder:
    """The original's default ladder on one account. Orders are matched to wanted ones by age, outermost first."""

    def __init__(self, exchange: Any) -> None:
        self.exchange = exchange
        self.fills: list[Fill] = []
        self.refused = 0
        self._orders: dict[int, list[Any]] = {1: [], -1: []}
        self._levels: dict[str, int] = {}
        self._spec = exchange.instruments[SYMBOL].spec
        exchange.execute(exchange.now, OpenAccount(ACCOUNT, "ladder"))
        exchange.execute(exchange.now, Deposit(ACCOUNT, "XBt", 100 * 100_000_000))

    def wanted(self) -> dict[int, list[tuple[int, int]]] | None:
        """(ticks, size) a side, outermost first; None while the book has an empty side."""
        book = self.exchange.books[SYMBOL]
        if book.best_bid is None or book.best_ask is None:
            return None
        own = {side: [order.price for order in self._orders[side]] for side in (1, -1)}
        buy = book.best_bid + (book.best_bid not in own[1])
        sell = book.best_ask - (book.best_ask not in own[-1])
        if buy * (1 + MIN_SPREAD) > sell:
            buy, sell = buy * (1 - MIN_SPREAD / 2), sell * (1 + MIN_SPREAD / 2)
        result: dict[int, list[tuple[int, int]]] = {1: [], -1: []}
        for level in range(PAIRS, 0, -1):
            size = self._size(START_SIZE + (level - 1) * STEP_SIZE)
            result[1].append((math.floor(buy * (1 + INTERVAL) ** (1 - level) + 0.5), size))
            result[-1].append((math.ceil(sell * (1 + INTERVAL) ** (level - 1) - 0.5), size))
        return result

    def _size(self, size: int) -> int:
        return -(-size // self._spec.lot_size) * self._spec.lot_size

    def tick(self, now: int) -> None:
        for side in (1, -1):
            self._orders[side] = [order for order in self._orders[side] if order.leaves_qty > 0]
        wanted = self.wanted()
        if wanted is None:
            return
        for side in (1, -1):
            orders = self._orders[side]
            for order, (price, size) in zip(orders, wanted[side], strict=False):
                moved = price != order.price and abs(price / order.price - 1) > RELIST_INTERVAL
                if size != order.leaves_qty or moved:
                    self._do(now, Amend(ACCOUNT, order.order_id, order_qty=order.cum_qty + size, price=price))
            places = [Place(ACCOUNT, SYMBOL, side, size, price) for price, size in wanted[side][len(orders) :]]
            if places:
                placed = self._do(now, PlaceBulk(ACCOUNT, tuple(places))) or []
                for order, level in zip(placed, range(len(placed), 0, -1), strict=True):
                    self._levels[order.order_id] = level
                orders.extend(placed)
            for order in orders[PAIRS:]:
                self._do(now, Cancel(ACCOUNT, (order.order_id,)))

    def _do(self, now: int, command: Any) -> Any:
        try:
            return self.exchange.execute(now, command)
        except Refused:
            self.refused += 1
            return None

    def hear(self, events: list[Any]) -> None:
        for event in events:
            if isinstance(event, ExecutionEvent) and event.exec_type == "Trade" and event.order.account_id == ACCOUNT:
                order = event.order
                price = self._spec.price(event.last_px)
                level = self._levels.get(order.order_id, 0)
                self.fills.append(Fill(event.time, order.side, level, event.last_qty, price))

    def profit_xbt(self, mid: float) -> float:
        """Before fees, marked at `mid`: inverse contracts."""
        return sum(fill.side * fill.qty * (1 / fill.price - 1 / mid) for fill in self.fills)


class Outcome(NamedTuple):
    seed: int
    inner_s: float  # from the first quote to the first fill of an inner order; inf if never
    both_s: float
    fills: int
    profit_xbt: float
    squares: float  # sum of squared one-minute log returns, and how many
    minutes: int
    cpu_s: float
    seconds: float


def run(market_name: str, seed: int, minutes: float, profile: str = "classic") -> Outcome:
    """One seed: the ladder on that market for so many minutes from its first quote."""
    began = time.process_time()
    exchange = Exchange(specs(profile), BEGIN, seed=seed)
    market = create(market_name, seed, profile)
    market.begin(exchange, BEGIN)
    ladder = Ladder(exchange)
    first = BEGIN + int(Random(seed).uniform(1, 30) * SECOND)
    end = first + int(minutes * MINUTE)
    closes = []
    for now, what in _times(market, exchange, first, end):
        if what == "market":
            market.act(now)
        elif what == "ladder":
            ladder.tick(now)
        else:
            closes.append(exchange.instruments[SYMBOL].last_price)
        ladder.hear(exchange.take_events())
    book = exchange.books[SYMBOL]
    mid = (ladder._spec.price(book.best_bid) + ladder._spec.price(book.best_ask)) / 2
    closes = [price for price in closes if price]
    returns = [math.log(b / a) for a, b in pairwise(closes)]
    return Outcome(
        seed, _first(ladder.fills, first, lambda f: f.level == 1),
        max(_first(ladder.fills, first, lambda f: f.side > 0), _first(ladder.fills, first, lambda f: f.side < 0)),
        len(ladder.fills), ladder.profit_xbt(mid), sum(r * r for r in returns), len(returns),
        time.process_time() - began, (end - BEGIN) / SECOND,
    )  # fmt: skip


def _times(market: Any, exchange: Any, first: int, end: int) -> Iterator[tuple[int, str]]:
    tick, minute = first, BEGIN + MINUTE
    while True:
        due = market.next_time()
        now = min(tick, minute, end if due is None else due)
        if now >= end:
            return
        if due is not None and due <= now:
            yield now, "market"
        elif tick <= now:
            tick += LOOP_S * SECOND
            yield now, "ladder"
        else:
            minute += MINUTE
            yield now, "minute"


def _first(fills: list[Fill], begin: int, wanted: Any) -> float:
    return next(((fill.time - begin) / SECOND for fill in fills if wanted(fill)), math.inf)


def table(market: str, outcomes: list[Outcome]) -> str:
    """The findings, a line each."""
    profits = [outcome.profit_xbt for outcome in outcomes]
    mean = statistics.fmean(profits)
    error = statistics.stdev(profits) / math.sqrt(len(profits)) if len(profits) > 1 else math.nan
    count = len(outcomes)
    cpu, seconds = sum(o.cpu_s for o in outcomes), sum(o.seconds for o in outcomes)
    deviation = math.sqrt(sum(o.squares for o in outcomes) / max(1, sum(o.minutes for o in outcomes)))
    lines = [
        ("market, seeds, simulated hours", f"{market}, {count}, {seconds / 3600:.1f}"),
        ("inner order filled within 45 s", f"{100 * sum(o.inner_s <= 45 for o in outcomes) / count:.1f} %"),
        ("both sides filled within 10 min", f"{100 * sum(o.both_s <= 600 for o in outcomes) / count:.1f} %"),
        ("median wait for an inner fill", f"{statistics.median(o.inner_s for o in outcomes):.1f} s"),
        ("fills an hour", "%.1f" % (sum(o.fills for o in outcomes) / seconds * 3600)),
        ("one-minute deviation", "%.2f bp" % (deviation * 1e4)),
        ("profit before fees, XBT a seed", f"mean {mean:+.8f}, standard error {error:.8f}, t {mean / error:+.2f}"),
        ("simulated seconds per CPU second", "%.0f" % (seconds / cpu)),
        ("share of a core in real time", "%.2f %%" % (100 * cpu / seconds)),
    ]
    return "\n".join(f"{name:34} {value}" for name, value in lines)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--market", default="lively")
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--profile", default="classic")
    options = parser.parse_args(arguments)
    outcomes = []
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        outcomes.append(run(options.market, seed, options.minutes, options.profile))
        if sys.stderr.isatty():
            print(f"\rseed {seed}", end="", file=sys.stderr)
    print(table(options.market, outcomes))
    return 0


if __name__ == "__main__":
    sys.exit(main())
