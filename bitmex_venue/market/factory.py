"""From a name or a path, or several paths, to a market."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from .bars import BarPath, read_bars
from .base import BadMarketFile, Market
from .files import Kind, kind_of, numbered_lines
from .synthetic import Empty, Synthetic

LIVELY = "index moving 9.5 bp a minute, and every 14 to 36 s a sweep through the book that recovers"
CALM = "index moving 9.5 bp a minute, the median recorded day; prices follow it"
BARS = "the index follows these one-minute bars once, then stands still; crowds trade around it"
NAMES = ("lively", "calm", "empty")
LAB = "pip install '.[lab]' (Python 3.11 or newer)"


def create(
    name_or_path: str | Sequence[str],
    seed: int = 0,
    profile_name: str = "classic",
    symbol: str = "XBTUSD",
    strict: bool = False,
    ahead: bool = False,
) -> Market:
    """A market that has not begun: a name, the path of a file, or the paths of several files of trades, quotes or books.

    `symbol` is what is played of several files, or of a CSV; a recorded stream alone is played with all its symbols. With `strict` recorded
    data with a bad row is refused; with `ahead` a thread reads what comes next of a CSV or of several files. Raises BadMarketFile, in one
    line, for a file that is missing or no market.
    """
    paths = [name_or_path] if isinstance(name_or_path, str) else list(name_or_path)
    if len(paths) > 1:
        return _several(paths, profile_name, symbol, strict, ahead)
    name = paths[0]
    if name == "lively":
        return Synthetic("lively", seed, profile_name, sweeps=True, text=LIVELY)
    if name == "calm":
        return Synthetic("calm", seed, profile_name, sweeps=False, text=CALM)
    if name == "empty":
        return Empty(profile_name)
    kind = kind_of(name)
    if kind is Kind.CSV:
        return _several(paths, profile_name, symbol, strict, ahead)
    if kind is Kind.BARS:
        for _ in read_bars(numbered_lines(name), name):
            pass  # a bad row is told before the market begins, not in the middle of it
        path = BarPath(read_bars(numbered_lines(name), name), Random(f"{seed}/bars"), name)
        return Synthetic(name, seed, profile_name, sweeps=False, text=BARS, value=path)
    from .replay import Replay  # only a recording needs the engine's matcher for it

    return Replay(name, profile_name, strict)


def _several(paths: list[str], profile_name: str, symbol: str, strict: bool, ahead: bool) -> Market:
    named = [path for path in paths if path in NAMES]
    if named:
        raise BadMarketFile(f"{named[0]} is a market of its own and cannot be played together with files")
    try:
        from .data_replay import DataReplay
    except ImportError as error:
        package = error.name or "package for it"
        raise BadMarketFile(f"{paths[0]}: to play it this Python lacks {package}: {LAB}") from None
    return DataReplay(paths, symbol, profile_name, strict, ahead)
