"""How soon the real bot is filled on a synthetic market: `python -m bench.bot_study --seeds 200`.

The bot of `market_maker/`, with its default settings, its signing and its loop, runs against the venue in one process and in
simulated time. Nothing is left out but the sockets. (`bench.market_study` asks the same of the markets with a ladder of its own,
over hours, and for the profit.)
"""

from __future__ import annotations

import argparse
import io
import itertools
import logging
import sys

from bitmex_venue import market
from bitmex_venue.inprocess import SimulatedClock, VenueAdapter, VenueFeed
from bitmex_venue.venue import Venue
from market_maker import settings
from market_maker.bitmex import BitMEX
from market_maker.market_maker import ExchangeInterface, OrderManager

START_NS = 1_700_000_000 * 10**9
WANTED_S = 45


class Run:
    """One run of `seconds` after its first quote. `fills` are (seconds after the first quote, side, contracts)."""

    def __init__(self, name: str, seed: int, seconds: float, profile: str) -> None:
        venue = Venue(profile=profile, market=market.create(name, seed, profile), seed=seed, now=START_NS, balance={"XBt": 10**8})
        self._clock = SimulatedClock(venue)
        numbers = itertools.count(1)
        self._bitmex = BitMEX(
            "http://127.0.0.1/api/v1/", "XBTUSD", venue.api_key, venue.api_secret, transport=VenueAdapter(venue), feed=VenueFeed(venue),
            clock=self._clock, new_id=lambda: str(next(numbers)), jitter=lambda: 0.5,
        )  # fmt: skip
        chosen = settings.load(symbol="XBTUSD", environ={}, overrides={"RUN_FOR_S": seconds})
        self._manager = OrderManager(ExchangeInterface(False, chosen, bitmex=self._bitmex), chosen)
        self.fills: list[tuple[float, str, int]] = []
        noted = self._bitmex.own_orders.on_fill

        def on_fill(row, quantity):
            self.fills.append((self._clock.time() - START_NS / 1e9, row["side"], quantity))
            noted(row, quantity)

        self._bitmex.own_orders.on_fill = on_fill
        self._manager.run_loop()
        self.cancelled = self._manager.cancelled

    @property
    def first(self) -> float:
        return self.fills[0][0] if self.fills else float("inf")

    @property
    def both_sides(self) -> bool:
        return len({side for _, side, _ in self.fills}) == 2


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.bot_study", description=__doc__.splitlines()[0])
    parser.add_argument("--market", default="lively")
    parser.add_argument("--profile", default="classic")
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=600)
    asked = parser.parse_args()
    logging.disable(logging.CRITICAL)
    out, sys.stdout = sys.stdout, io.StringIO()
    runs = [Run(asked.market, seed, asked.seconds, asked.profile) for seed in range(asked.seeds)]
    sys.stdout = out
    waits = sorted(run.first for run in runs)
    print(f"{asked.market}, {asked.profile}: {len(runs)} seeds of {asked.seconds:g} s, default settings")
    print(f"  filled within {WANTED_S} s of the first quote: {sum(wait <= WANTED_S for wait in waits) / len(runs):.1%}")
    print(f"  first fill: median {waits[len(waits) // 2]:.1f} s, longest {waits[-1]:.1f} s")
    print(f"  filled on both sides: {sum(run.both_sides for run in runs) / len(runs):.1%}")
    print(f"  fills a run: {sum(len(run.fills) for run in runs) / len(runs):.1f}; orders left: {sum(not run.cancelled for run in runs)}")


if __name__ == "__main__":
    main()
