"""From a name or a path to a market."""

from __future__ import annotations

from random import Random

from .bars import BarPath, read_bars
from .base import BadMarketFile, Market
from .files import Kind, kind_of, numbered_lines
from .synthetic import Empty, Synthetic

LIVELY = "index moving 9.5 bp a minute, and every 14 to 36 s a sweep through the book that recovers"
CALM = "index moving 9.5 bp a minute, the median recorded day; prices follow it"
BARS = "the index follows these one-minute bars once, then stands still; crowds trade around it"


def create(name_or_path: str, seed: int = 0, profile_name: str = "classic") -> Market:
    """A market that has not begun. Raises BadMarketFile, in one line, for a file that is missing or no market."""
    if name_or_path == "lively":
        return Synthetic("lively", seed, profile_name, sweeps=True, text=LIVELY)
    if name_or_path == "calm":
        return Synthetic("calm", seed, profile_name, sweeps=False, text=CALM)
    if name_or_path == "empty":
        return Empty(profile_name)
    kind = kind_of(name_or_path)
    if kind is Kind.CSV:
        raise BadMarketFile(f"{name_or_path}: {kind.value} can be read but not played: a market is one-minute bars or a recorded stream")
    if kind is Kind.BARS:
        for _ in read_bars(numbered_lines(name_or_path), name_or_path):
            pass  # a bad row is told before the market begins, not in the middle of it
        path = BarPath(read_bars(numbered_lines(name_or_path), name_or_path), Random(f"{seed}/bars"), name_or_path)
        return Synthetic(name_or_path, seed, profile_name, sweeps=False, text=BARS, value=path)
    from .replay import Replay  # only a recording needs the engine's matcher for it

    return Replay(name_or_path, profile_name)
