"""What a book looks like: how much rests how far from the touch, and on which prices.

Source: the two whole XBTUSD books of ../shared/data (22 July 2021 at 32,180 and 25 April 2025 at 94,889), both sides,
contracts per basis point of distance:

    distance, bp      0-1    1-2    2-5   5-10  10-20  20-50  50-100  100-200  200-500
    2021             740k   440k   285k   254k   223k   330k    148k      93k      69k
    2025              93k    93k   392k   457k   451k   358k    153k     112k      37k

`DENSITY` is the middle of the two. Sizes at one level vary as a lognormal; its sigma of 1.2 gives the recorded touch
          sizes
of tens of thousands to a million. A flat top, a shoulder to half a percent and a power-like decay beyond are the
shape that Bouchaud, Mezard and Potters found in books of limit orders (Quantitative Finance 2, 2002).

Prices: one level every `GRID_BP` near the touch (one tick when a tick is coarser), every fourth of them beyond 60
bp, every thirty-second beyond 300 bp, up to 10 %. Where the grid is wider than a tick each level sits at a fixed
random offset.
"""

from __future__ import annotations

import math
from random import Random

GRID_BP = 0.8
ZONES = ((60.0, 1), (300.0, 4), (1000.0, 32))  # (to this distance in bp, every so many steps of the grid)

DENSITY = ((2.0, 350_000), (20.0, 340_000), (50.0, 340_000), (100.0, 150_000), (200.0, 100_000), (1000.0, 40_000))
SIGMA = 1.2
ROUND = 100  # sizes come in hundreds, as most people's do


def density(distance_bp: float) -> float:
    """Contracts of XBTUSD per basis point at that distance from the touch."""
    for reach, value in DENSITY:
        if distance_bp <= reach:
            return float(value)
    return float(DENSITY[-1][1])


def stride(distance_bp: float) -> int:
    """Every how many steps of the grid a level is found at that distance."""
    for reach, step in ZONES:
        if distance_bp <= reach:
            return step
    return ZONES[-1][1]


def contracts(amount: float, lot: int) -> int:
    """`amount` as a size that somebody would type: a positive multiple of a hundred and of the lot."""
    unit = lot if lot % ROUND == 0 else ROUND * lot // math.gcd(ROUND, lot)
    return max(1, int(amount / unit + 0.5)) * unit


class Grid:
    """The prices, in ticks, on which standing orders rest; a level is known by its number, counted from price zero."""

    JITTERS = 1009

    def __init__(self, rng: Random, price_ticks: float) -> None:
        self.step = max(1, round(price_ticks * GRID_BP / 1e4))
        self._jitter = [rng.randrange(self.step) for _ in range(self.JITTERS)]
        self.step_bp = self.step / price_ticks * 1e4

    def price(self, number: int) -> int:
        return number * self.step + self._jitter[number % self.JITTERS]

    def number(self, ticks: int) -> int:
        """The level whose cell holds that price."""
        return ticks // self.step

    def numbers_from(self, number: int, side: int, reach_bp: float) -> list[int]:
        """The levels of a side, the one nearest to the touch (`number`) first; `side` +1 bids, -1 asks."""
        numbers = []
        distance = 0
        while distance * self.step_bp <= reach_bp:
            candidate = number - side * distance
            gap = stride(distance * self.step_bp)
            if candidate % gap == 0:
                numbers.append(candidate)
            distance += 1
        return numbers
