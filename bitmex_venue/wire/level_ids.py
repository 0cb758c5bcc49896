"""The `id` of a book level.

Rules (bitmex-api.md 5.7)
* classic: id = 1e8 x index of the symbol - price / original tick, so that a client may work the price out of it.
* modern: a number that says nothing; a level keeps it as long as it lives, and a level that comes back gets another one.

Known difference: indexes and original ticks of instruments other than XBTUSD are the engine's choice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FIRST_OPAQUE_ID = 98_876_000_000
SCALE = 100_000_000


class PriceIds:
    """The classic rule. `instruments` is the exchange's, read each time: a tick may change under way."""

    def __init__(self, instruments: Mapping[str, Any]) -> None:
        self._instruments = instruments

    def get(self, symbol: str, side: int, ticks: int) -> int:
        spec = self._instruments[symbol].spec
        return spec.symbol_index * SCALE - ticks * spec.tick_e8 // spec.min_tick_e8

    def drop(self, symbol: str, side: int, ticks: int) -> None:
        """The level is gone; its number stays what it was."""


class OpaqueIds:
    """The modern rule."""

    def __init__(self) -> None:
        self._next = FIRST_OPAQUE_ID
        self._ids: dict[tuple[str, int, int], int] = {}

    def get(self, symbol: str, side: int, ticks: int) -> int:
        key = (symbol, side, ticks)
        number = self._ids.get(key)
        if number is None:
            self._next += 1
            number = self._ids[key] = self._next
        return number

    def drop(self, symbol: str, side: int, ticks: int) -> None:
        self._ids.pop((symbol, side, ticks), None)
