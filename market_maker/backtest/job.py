"""What a back-test is asked for, as a value: the same job gives the same answer, in this process or in another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from market_maker import _settings_base as base
from market_maker.utils import errors

BEGIN_S = 1_534_377_600  # 16 August 2018, when synthetic markets begin: the day that the original's recorded run is from
MINUTES = 60.0
MATCHERS = ("auto", "engine", "hft")
QUEUES = ("conservative", "probabilistic")
LATENCY_S = 0.05


@dataclass(frozen=True)
class Job:
    """One back-test.

    symbol -- the contract. data -- files of recorded market data, in the order of time; without any, `market` says who trades: lively,
    calm, or a file of one-minute bars. begin, end -- Unix seconds within the data (of a synthetic market: when it begins). minutes -- how
    long a synthetic market lasts (an hour unless given), or of the data no more than this. strict -- whether a bad row ends it.

    settings -- NAME: value, over those of `settings_path` (default: ./settings.py, where there is one) and of the environment. strategy --
    module:Class. profile -- classic or modern (default: PAPER_PROFILE). balance_xbt -- paper money (default: PAPER_BALANCE_XBT).
    fees -- (maker, taker) as fractions, instead of the profile's.

    matcher -- engine (our orders match within the book), hft (they wait in hftbacktest's queues), auto: hft for data, engine otherwise.
    queue -- conservative or probabilistic; partial_fills -- whether a trade can fill a part of an order (both of hft alone). latency --
    seconds each way, or a file of measured samples. seed -- of everything random.

    runs_dir -- the folder in which the run leaves a folder of its own; None keeps it in memory.
    """

    symbol: str = "XBTUSD"
    data: tuple[str, ...] = ()
    market: str = "lively"
    begin: float | None = None
    end: float | None = None
    minutes: float | None = None
    strict: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    settings_path: str | None = None
    strategy: str | None = None
    profile: str | None = None
    balance_xbt: float | None = None
    fees: tuple[float, float] | None = None
    matcher: str = "auto"
    queue: str = "conservative"
    partial_fills: bool = True
    latency: float | str = LATENCY_S
    seed: int = 0
    runs_dir: str | None = None

    def checked(self) -> Job:
        """The job itself. Raises SettingsError for what cannot be meant."""
        for name, known in (("matcher", MATCHERS), ("queue", QUEUES), ("profile", (None, "classic", "modern"))):
            if getattr(self, name) not in known:
                words = ", ".join(str(word) for word in known if word)
                raise errors.SettingsError(f"--{name} {getattr(self, name)}: it is one of {words}.")
        if self.minutes is not None and not 0 < self.minutes < 10**7:
            raise errors.SettingsError(f"--minutes {self.minutes}: a number above 0.")
        if self.begin is not None and self.end is not None and self.begin >= self.end:
            raise errors.SettingsError("--from must be before --to.")
        if self.matcher == "hft" and not self.data:
            raise errors.SettingsError("--matcher hft needs recorded data (--data FILE): a synthetic market matches by itself.")
        return self

    @property
    def uses_hft(self) -> bool:
        """Which of the two matchers it is."""
        return bool(self.data) and self.matcher != "engine"


def setting(text: str, option: str = "--set") -> tuple[str, Any]:
    """NAME=VALUE as on the command line, behind `option` -> (name, value in its one form). Raises SettingsError."""
    name, sign, value = text.partition("=")
    if not sign:
        raise errors.SettingsError(f"{option} {text}: write it as NAME=VALUE.")
    known = base.BY_NAME.get(name.strip())
    if known is None:
        raise errors.SettingsError(f"{option}: {base.unknown(name.strip())}")
    try:
        return known.name, known.kind.parse(value.strip())
    except ValueError as error:
        raise errors.SettingsError(f"{option} {text}: {known.name} must be {error}.") from None
