"""What was wrong with a file: counted by kind, the first of each kind named. With `strict` the first of all is an error.

Kinds: `columns` (too few or too many), `time`, `side`, `price`, `size`, `crossed` (a quote whose bid is not below its ask), `order` (back
in time), `line` (no JSON), `row` (of a message), `damaged` (the file ends before its time), `symbol` (no row of it in a file).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from .base import BadMarketFile

LONGEST = 80  # characters of a cell that are shown


class Problem(NamedTuple):
    """How many rows of a kind were bad, and the first: where it stands (line 0: the file as a whole) and what was wrong with it."""

    count: int
    path: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{place(self.path, self.line)}: {self.what}" + (f" (and {self.count - 1:,} more)" if self.count > 1 else "")


class Problems(Mapping):
    """kind -> Problem. `paths` gives the order of the files, in which the first of a kind is the first."""

    def __init__(self, strict: bool = False, paths: Sequence[str] = ()) -> None:
        self.strict = strict
        self._rank = {path: rank for rank, path in enumerate(paths)}
        self._found: dict[str, Problem] = {}

    def add(self, kind: str, path: str, line: int, what: str, count: int = 1) -> None:
        """Count bad rows; `line` and `what` are of the first of them."""
        known = self._found.get(kind)
        if known is not None and self._place(known.path, known.line) <= self._place(path, line):
            self._found[kind] = known._replace(count=known.count + count)
        else:
            self._found[kind] = Problem(count + (known.count if known else 0), path, line, what)

    def _place(self, path: str, line: int) -> tuple[int, int]:
        return self._rank.get(path, 0), line

    def settle(self) -> None:
        """Called when a piece of a file was looked at in every way: with strict the first that is bad raises BadMarketFile."""
        if self.strict and self._found:
            first = min(self._found.values(), key=lambda problem: self._place(problem.path, problem.line or sys.maxsize))
            raise BadMarketFile(f"{place(first.path, first.line)}: {first.what}")

    def clear(self) -> None:
        self._found.clear()

    @property
    def count(self) -> int:
        """Bad rows of all kinds."""
        return sum(problem.count for problem in self._found.values())

    def lines(self) -> list[str]:
        """A line for each kind, for people."""
        return [str(problem) for problem in self._found.values()]

    def __getitem__(self, kind: str) -> Problem:
        return self._found[kind]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


def place(path: str, line: int) -> str:
    return f"{path}:{line}" if line else path


def shown(cell: object) -> str:
    """A cell as it is quoted in a complaint."""
    text = "" if cell is None else str(cell)
    return repr(text if len(text) <= LONGEST else text[: LONGEST - 3] + "...")
