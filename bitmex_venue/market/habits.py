"""How busy an instrument is: the parameters of its crowd, and the sizes that follow from them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random
from typing import Any

from .shape import contracts

WIDEST = 2.5  # lognormal sizes are cut at so many sigmas


@dataclass(frozen=True)
class Habits:
    """Rates are per second, both sides together; sizes are contracts of XBTUSD, `scale` makes them this one's."""

    scale: float = 1.0
    step_s: tuple[float, float] = (0.4, 1.2)  # seconds between two looks at the fair price, uniform
    sweep_step_s: tuple[float, float] = (0.15, 0.35)  # the same while somebody sweeps
    limit_rate: float = 4.0
    market_rate: float = 1.5
    life_s: float = 4.0  # mean life of a brief order
    limit_size: tuple[float, float] = (9_000.0, 1.2)  # median and sigma of a lognormal
    market_size: tuple[float, float] = (2_500.0, 1.5)
    market_depth: int = 2  # grid steps that a small market order may walk
    withdrawn: float = 0.98  # share of the worthless orders that get away
    withdrawn_in_sweep: float = 0.75
    near: int = 8  # levels a side that are filled up at once
    patience: int = 12  # levels a side behind them that are looked at in each step
    reach_bp: float = 1000.0  # how far from the touch levels are found

    def size(self, rng: Random, median: float, sigma: float, spec: Any) -> int:
        """A lognormal size in contracts of `spec`, between a lot and the largest order it allows."""
        draw = min(max(rng.gauss(0.0, 1.0), -WIDEST), WIDEST)
        return min(contracts(self.scale * median * math.exp(sigma * draw), spec.lot_size), spec.max_order_qty)
