"""Series of contracts: `XBT:perpetual`, `XBT:quarterly`, each standing for the contract that is traded under it now.

Rules (bitmex-api.md 3.9, 4.1)
* A series is a root and a timeframe. A second perpetual of a root goes by its own symbol: `XBTUSDT:perpetual`.
* Every contract that is traded is in exactly one series; a dated one is followed by the next as soon as it has settled.
* A root alone, or with `nearest`, is the dated contract that ends first, and the perpetual where there is none.

Known difference: there are no daily, weekly, monthly or biquarterly contracts, so those timeframes have no rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

NEAREST = ("", "nearest")
PERPETUAL = "perpetual"
QUARTERLY = "quarterly"


def traded(instruments: Mapping[str, Any], active: Iterable[str]) -> dict[str, str]:
    """{series: symbol} of the contracts in `active`, in their order; of several dated ones the first to end stands for all."""
    series: dict[str, str] = {}
    for symbol in sorted(active, key=lambda one: instruments[one].spec.expiry or 0):
        spec = instruments[symbol].spec
        name = f"{spec.root_symbol}:{QUARTERLY if spec.expiry is not None else PERPETUAL}"
        if name in series and spec.expiry is None:
            name = f"{symbol}:{PERPETUAL}"
        series.setdefault(name, symbol)
    return series


def find(text: str, instruments: Mapping[str, Any], active: Iterable[str]) -> list[str]:
    """The symbols that a symbol, a root or a series means: one, or none where there is no such thing."""
    if text in instruments:
        return [text]
    root, _, frame = text.partition(":")
    series = traded(instruments, active)
    names = [f"{root}:{QUARTERLY}", f"{root}:{PERPETUAL}"] if frame in NEAREST else [text]
    return [series[name] for name in names if name in series][:1]
