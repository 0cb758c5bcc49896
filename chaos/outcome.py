"""What came of a run, and the scorecard of many."""

from __future__ import annotations

from typing import NamedTuple


class Outcome(NamedTuple):
    """Times in seconds (the longest), the rest counts; `overshoot` in contracts, `unaccounted` in the smallest unit of money."""

    faults: int = 0
    bare: float = 0.0
    wrong: float = 0.0
    overshoot: int = 0
    duplicates: int = 0
    left: int = 0
    unaccounted: int = 0
    requests: int = 0
    wasted: int = 0
    too_many: int = 0
    crashes: int = 0
    restarts: int = 0
    disagreed: int = 0

    @property
    def broken(self):
        """The names of what must be 0 and is not."""
        return [name for name in MUST_BE_ZERO if getattr(self, name)]

    def and_(self, other):
        """Both together: the longest times and the largest excess, and the sums of the rest."""
        return Outcome(*((max if name in WORST else _plus)(mine, theirs) for name, mine, theirs in zip(self._fields, self, other)))


WORST = ("bare", "wrong", "overshoot", "duplicates")
MUST_BE_ZERO = ("overshoot", "duplicates", "left", "unaccounted", "crashes", "restarts", "disagreed")
LINES = (
    ("faults", "faults injected", "%d"),
    ("bare", "longest time without quotes, s", "%.1f"),
    ("wrong", "longest time with a quote out of place, s", "%.1f"),
    ("overshoot", "overshoot beyond the limits, contracts (must be 0)", "%d"),
    ("duplicates", "orders beyond ORDER_PAIRS a side (must be 0)", "%d"),
    ("left", "orders left after the stop (must be 0)", "%d"),
    ("unaccounted", "money unaccounted for at the venue (must be 0)", "%d"),
    ("disagreed", "views of the orders that differ after the noise (must be 0)", "%d"),
    ("crashes", "ends by an error (must be 0)", "%d"),
    ("restarts", "restarts by the supervisor (must be 0)", "%d"),
    ("requests", "requests that reached the venue", "%d"),
    ("wasted", "of these refused by the venue", "%d"),
    ("too_many", "of these with 429", "%d"),
)


def _plus(mine, theirs):
    return mine + theirs


def total(outcomes):
    result = Outcome()
    for outcome in outcomes:
        result = result.and_(outcome)
    return result


def table(columns):
    """A Markdown table: `columns` is a list of (heading, Outcome or None)."""
    lines = ["| | " + " | ".join(heading for heading, _ in columns) + " |", "|---|" + "---:|" * len(columns)]
    for name, text, form in LINES:
        cells = ["-" if outcome is None else form % getattr(outcome, name) for _, outcome in columns]
        lines.append("| %s | %s |" % (text, " | ".join(cells)))
    return "\n".join(lines)
