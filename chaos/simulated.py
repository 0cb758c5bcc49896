"""Part (a): the bot in process, in simulated time. Each fault alone, those of the venue's own catalogue among them, then all of them mixed, from a seed.

A run is noise, then silence for `CALM_S` in which the two views must come to agree, then the stop, which is noisy again: the orders
must come off the book all the same.
"""

from __future__ import annotations

import contextlib
import logging
import tempfile
from typing import Any, NamedTuple

from chaos.armings import BY_KIND
from chaos.desk import Desk
from chaos.mischief import EVENTS, HEAVY, KINDS, TOKEN_REQUESTS
from chaos.outcome import Outcome

SETTINGS = {
    "INTERVAL": 0.001, "MIN_SPREAD": 0.002, "RELIST_INTERVAL": 0.001, "LOOP_INTERVAL": 2,
    "CHECK_POSITION_LIMITS": True, "MIN_POSITION": -2500, "MAX_POSITION": 2500,
}
ALONE_S, MIXED_S, CALM_S = 60, 120, 36
WAYS = (("classic", "auto"), ("modern", "auto"), ("classic", "single"))
LEVELS = (0.1, 0.25, 0.4)


class Trial(NamedTuple):
    """One run, as it can be repeated: `python -m chaos --only NAME`."""

    name: str
    seed: int
    level: float
    kinds: tuple[str, ...] | None
    seconds: float
    options: dict[str, Any]


def alone(seed):
    """Every kind of fault by itself, on both profiles in turn."""
    for number, kind in enumerate(KINDS):
        token = kind in TOKEN_REQUESTS
        options = {"profile": "classic" if token else ("classic", "modern")[number % 2], "with_token": token}
        if kind in BY_KIND and BY_KIND[kind].post_only:
            options["POST_ONLY"] = True
        yield Trial(kind, seed, 1.0 if kind in HEAVY + EVENTS else 0.3, (kind,), ALONE_S, options)


def mixed(seed, count):
    """Everything together, in `count` runs: profiles, transports, levels, narrow limits, post-only, tokens in turn."""
    for number in range(count):
        profile, transport = WAYS[number % len(WAYS)]
        options = {"profile": profile, "transport": transport, "with_token": profile == "classic" and number % 7 == 0, "POST_ONLY": number % 5 == 0}
        if number % 4 == 3:
            options.update(MIN_POSITION=-300, MAX_POSITION=400, ORDER_PAIRS=3)
        yield Trial(f"mixed-{seed + number}", seed + number, LEVELS[number % len(LEVELS)], None, MIXED_S, options)


@contextlib.contextmanager
def silence():
    """No log lines of the bot meanwhile; afterwards everything is as it was."""
    logger = logging.getLogger("root")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)


def play(trial):
    """Run one trial; returns its Outcome. Whatever the bot raises is counted, not raised."""
    with silence(), tempfile.TemporaryDirectory() as folder:
        settings = dict(SETTINGS, RUN_FOR_S=trial.seconds + CALM_S, **trial.options)
        profile, transport, token = (settings.pop(name, default) for name, default in (("profile", "classic"), ("transport", "auto"), ("with_token", False)))
        desk = Desk(folder, trial.seed, trial.level, trial.kinds, profile=profile, transport=transport, with_token=token, **settings)
        agreement = Agreement(desk, trial.seconds)
        try:
            crashed = desk.run() != 0
        except Exception:
            crashed = True
    return _outcome(desk, crashed, agreement)


class Agreement:
    """Quietens the line in good time, looks at the two views before the end, and lets the noise come back for the stop."""

    def __init__(self, desk, seconds):
        self.desk, self.level = desk, desk.mischief.level
        self.quiet_at = desk.venue.now + round(seconds * 1e9)
        self.ends_at = self.quiet_at + round((CALM_S - 1) * 1e9)
        self.seen = None
        self._is_quiet = False
        desk.venue.on_advanced.append(self.look)

    def look(self):
        now = self.desk.venue.now
        if not self._is_quiet and now >= self.quiet_at:
            self._is_quiet = True
            self.desk.quieten()
        if self._is_quiet and self.quiet_at + 15e9 <= now < self.ends_at and not self.seen and self.desk.bitmex.ws.ready:
            self.seen = self.desk.views_agree()  # between a fill and its row they may differ: it is enough that they agree once
        if now >= self.ends_at and not self.desk.mischief.level:
            self.desk.mischief.level = min(self.level, 0.2)


def _outcome(desk, crashed, agreement):
    refused = desk.adapter.refused
    left = len(desk.resting)
    return Outcome(
        faults=desk.faults, bare=desk.score.bare.longest, wrong=desk.score.wrong.longest, overshoot=max(0, desk.score.overshoot),
        duplicates=max(0, desk.score.duplicates), left=left, unaccounted=_unaccounted(desk.venue), requests=desk.adapter.requests,
        wasted=sum(refused.values()), too_many=refused[429], crashes=int(crashed), disagreed=int(agreement.seen is False),
    )


def _unaccounted(venue):
    audit = venue.exchange.audit()
    return sum(abs(total.left) for total in audit.money.values()) + sum(abs(quantity) for quantity in audit.positions.values()) + len(audit.wrong)
