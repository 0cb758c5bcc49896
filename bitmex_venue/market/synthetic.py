"""The two synthetic markets, `lively` and `calm`, and `empty`.

One crowd (crowd.py) for each instrument, around one moving index for each underlying.

`calm`    an ordinary day of XBTUSD. Of the 92 days in ../shared/data/xbtusd_1m (November 2018, March 2020, July
          2021) the median day's standard deviation of one-minute log returns is 9.5 bp (2 July 2021; quartiles 6.1
          and 18.2). The index is a random walk of that size without drift and prices follow it: whoever quotes half
          a percent away is filled when the value has come to him, and earns nothing by it.
`lively`  the same, and besides at random times (every 14 to 36 seconds) somebody trades through two thirds of a
          percent of the book or more, up or down with equal odds, and the price comes back within seconds. It pays
          every wide ladder: a demonstration, not a forecast.
`empty`   instruments and index, and nobody else.
The first two begin with one trade of one lot a contract, at the mark, so that there is a last price.

First prices: `classic` starts where the original's recorded run quoted (16 August 2018, index near 6,360), when
XBTUSD had the classic profile's tick, lot and fees; half a dollar is then 0.8 bp, and the book is dense. `modern`
starts at the mark price recorded on 3 May 2026.

Rules:
* One generator a purpose, each seeded from (seed, purpose): a client's orders change neither index nor the times of
  sweeps.
* An index is told to the exchange once a second, to 1e-8; it never sees a sweep.
* On an exchange that was kept (`--data`) the indices go on from where they stood, with other draws; new crowds come. A path of
  recorded bars begins again at its first bar.
* A contract that is listed later gets its crowd within a second; the crowd of one that has settled goes home.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

from bitmex_venue.engine.commands import SetIndex
from bitmex_venue.engine.contract_math import lot_value

from .base import SECOND, Agenda, Floor, Market
from .crowd import Crowd
from .habits import Habits
from .paths import Basis, Diffusion, Follower, NoSweeps, Steered, Sweeps

DEVIATION = 0.00095  # of one-minute log returns: the median recorded day
FIRST_PRICES = {"classic": {".BXBT": 6360.0, ".BETH": 290.0}, "modern": {".BXBT": 78170.0, ".BETH": 2310.0}}
ETH_BETA, ETH_DEVIATION = 0.9, 0.0006  # ether follows bitcoin, and moves by itself as well
FUTURE_BASIS = 0.004  # the dated future above its index
INDEX_EVERY = SECOND

MAIN_SYMBOL = "XBTUSD"
MAIN = Habits()
SIDE_SHOW = Habits(
    step_s=(2.0, 6.0), limit_rate=0.1, market_rate=0.1, withdrawn=0.9, near=4, patience=8, reach_bp=100.0
)
SIDE_SHARE = 0.3  # of the main market's liquidity, in dollars


class Synthetic(Market):
    """Crowds around an index. `value` overrides the path of `.BXBT` (recorded bars do)."""

    def __init__(self, name: str, seed: int, profile: str, *, sweeps: bool, text: str, value: Any = None) -> None:
        self.name = name
        self._seed = seed
        self._first_prices = FIRST_PRICES.get(profile, FIRST_PRICES["classic"])
        self._sweeps = sweeps
        self._text = text
        self._value = value
        self._agenda = Agenda()
        self._steered: dict[str, Steered] = {}
        self._crowds: dict[str, Crowd] = {}
        self._known = 0  # instruments that the market has looked at

    def describe(self) -> str:
        return f"{self.name}: {self._text} (seed {self._seed})"

    def begin(self, exchange: Any, now: int) -> None:
        self._floor = Floor(exchange)
        self._floor.open_accounts(now)
        self._indices = self._paths(now)
        self._known = 0
        self._crowds.clear()
        self._agenda.add(self._tell_indices(now), self._tell_indices)

    def resume(self, exchange: Any, now: int) -> None:
        self._seed = f"{self._seed}/{now}"
        self._first_prices = stood(exchange, self._first_prices)
        super().resume(exchange, now)

    def next_time(self) -> int | None:
        return self._agenda.next_time()

    def act(self, now: int) -> None:
        self._agenda.run(now)

    def steer(self, name: str, factor: float) -> bool:
        path = self._steered.get(name)
        if path is not None:
            path.factor *= factor
        return path is not None

    def relist(self, symbol: str, now: int) -> bool:
        self._crowds[symbol].begin(now)
        return True

    def _rng(self, purpose: str) -> Random:
        return Random(f"{self._seed}/{purpose}")

    def _paths(self, now: int) -> dict[str, Any]:
        value = self._value or Diffusion(self._rng(".BXBT"), self._first_prices[".BXBT"], DEVIATION)
        value = self._steered[".BXBT"] = Steered(value)
        value.at(now)
        ether = Follower(self._rng(".BETH"), self._first_prices[".BETH"], value, ETH_BETA, ETH_DEVIATION)
        ether = self._steered[".BETH"] = Steered(ether)
        ether.at(now)
        return {".BXBT": value, ".BETH": ether}

    def _tell_indices(self, time: int) -> int:
        for symbol, path in self._indices.items():
            if symbol in self._floor.exchange.instruments:
                self._floor.do(time, SetIndex(symbol, round(path.at(time) * 1e8)))
        self._join(time)
        return time + INDEX_EVERY

    def _join(self, time: int) -> None:
        """Bring crowds to the contracts that have none: all of them at the beginning, later a new one."""
        instruments = self._floor.exchange.instruments
        if len(instruments) == self._known:
            return
        self._known = len(instruments)
        for symbol, instrument in list(instruments.items()):
            if symbol not in self._crowds and not instrument.spec.is_index and instrument.state != "Settled":
                self._floor.open_trade(time, symbol)
                self._open(symbol, instrument.spec, time)

    def _open(self, symbol: str, spec: Any, now: int) -> None:
        is_main = symbol == MAIN_SYMBOL
        value = self._indices[spec.reference]
        if spec.expiry is not None:
            value = Basis(value, FUTURE_BASIS)
        value = self._steered[symbol] = Steered(value)
        sweeps = Sweeps(self._rng("sweeps"), now) if is_main and self._sweeps else NoSweeps()
        habits = MAIN if is_main else replace(SIDE_SHOW, scale=self._scale(spec, value.at(now), now))
        crowd = Crowd(self._floor, symbol, value, sweeps, habits, self._rng(symbol))
        crowd.begin(now)
        self._crowds[symbol] = crowd
        for act in (crowd.step, crowd.flurry):
            self._agenda.add(act(now), self._while_traded(symbol, act))

    def _while_traded(self, symbol: str, act: Callable[[int], int]) -> Callable[[int], int | None]:
        """The act of a crowd, until the contract has settled."""
        instrument = self._floor.exchange.instruments[symbol]
        return lambda time: act(time) if instrument.state != "Settled" else None

    def _scale(self, spec: Any, price: float, now: int) -> float:
        """Contracts of `spec` that are worth one dollar, times the share of the main market's liquidity."""
        value = lot_value(spec, round(price * 1e8)) / spec.lot_size
        dollars = value * 1e-6 if spec.settl_currency == "USDt" else value * 1e-8 * self._indices[".BXBT"].at(now)
        return SIDE_SHARE / dollars


class Empty(Market):
    """Instruments, a standing index, and nobody."""

    name = "empty"

    def __init__(self, profile: str) -> None:
        self._first_prices = FIRST_PRICES.get(profile, FIRST_PRICES["classic"])

    def describe(self) -> str:
        return "empty: no other participants, the index stands still"

    def relist(self, symbol: str, now: int) -> bool:
        return True

    def begin(self, exchange: Any, now: int) -> None:
        floor = Floor(exchange)
        for symbol, price in self._first_prices.items():
            if symbol in exchange.instruments:
                floor.do(now, SetIndex(symbol, round(price * 1e8)))

    def resume(self, exchange: Any, now: int) -> None:
        self._first_prices = stood(exchange, self._first_prices)
        super().resume(exchange, now)


def stood(exchange: Any, otherwise: dict[str, float]) -> dict[str, float]:
    """Where the indices of a kept exchange stood."""
    known = {s: exchange.instruments[s].index_e8 for s in otherwise if s in exchange.instruments}
    return {symbol: known[symbol] / 1e8 if known.get(symbol) else price for symbol, price in otherwise.items()}
