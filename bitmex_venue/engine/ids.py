"""Identifiers that look like the venue's uuids, come from a seed, never repeat and cost next to nothing.

Rule: the nth id of a seed is always the same, and two ids of one exchange differ (an odd factor modulo 2**64 is a
bijection, so the first sixteen digits are those of no other count).
"""

from __future__ import annotations

_MASK = (1 << 64) - 1
_FACTOR = 0x9E3779B97F4A7C15


class Ids:
    """`next()` gives a uuid-shaped string; `count` says how many were given."""

    __slots__ = ("count", "_start", "_tail")

    def __init__(self, seed: int) -> None:
        mixed = (seed * 0xD1342543DE82EF95 + 0x2545F4914F6CDD1D) & _MASK
        mixed ^= mixed >> 29
        self._start = (mixed * 0xBF58476D1CE4E5B9) & _MASK
        self._tail = f"-{0x8000 | (self._start >> 50):04x}-{self._start & 0xFFFFFFFFFFFF:012x}"
        self.count = 0

    def next(self) -> str:
        self.count += 1
        digits = "%016x" % ((self._start + self.count * _FACTOR) & _MASK)
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:]}{self._tail}"
