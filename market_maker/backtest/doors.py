"""The doors between the bot and its venue in a back-test: requests that take their time, and a clock that ends.

Latency. hftbacktest can delay order requests by itself, but it knows one order a request and no wire: a bulk request, a reply that is
waited for, a time-out would not feel it. So latency is made here, where all of the venue does: a request arrives after the way there, is
carried out then, and its answer is there after the way back; the bot waits meanwhile, as it does live. Realtime rows take no time.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random
from typing import Any

import requests

from bitmex_venue.inprocess import SimulatedClock, VenueAdapter
from bitmex_venue.venue import Venue
from bitmex_venue.wire.encode import SECOND
from market_maker.utils import errors


class Latency:
    """How long requests travel. `ways()` is one draw: nanoseconds there and back."""

    def __init__(self, ways: list[tuple[int, int]], text: str, seed: int) -> None:
        self._all, self._text = ways, text
        self._rng = Random(f"{seed}/latency")

    def ways(self) -> tuple[int, int]:
        return self._all[0] if len(self._all) == 1 else self._all[int(self._rng.random() * len(self._all))]

    def describe(self) -> str:
        return self._text


def latency(given: float | str, seed: int) -> Latency:
    """Seconds each way, or the path of a measured sample: a line each request, seconds there and, if measured, back.

    Raises SettingsError.
    """
    try:
        seconds = float(given)
    except ValueError:
        return _sample(str(given), seed)
    if not 0 <= seconds < 3600:
        raise errors.SettingsError(f"--latency {given}: seconds, 0 or more, or a file of measured samples.")
    way = round(seconds * SECOND)
    return Latency([(way, way)], f"requests take {seconds:g} s there and {seconds:g} s back", seed)


def _sample(path: str, seed: int) -> Latency:
    ways = []
    try:
        with open(path, encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                cells = line.replace(",", " ").split("#")[0].split()
                if cells:
                    ways.append(_ways(cells, f"{path}:{number}"))
    except (OSError, UnicodeDecodeError) as error:
        raise errors.SettingsError(f"--latency {path}: neither seconds nor a file that can be read ({error}).") from None
    if not ways:
        raise errors.SettingsError(f"--latency {path}: there is no measured sample in it.")
    return Latency(ways, f"requests take as long as one of {len(ways)} measured in {path}, drawn at random", seed)


def _ways(cells: list[str], place: str) -> tuple[int, int]:
    try:
        seconds = [float(cell) for cell in cells[:2]]
    except ValueError:
        seconds = [math.nan]
    if not all(0 <= second < 3600 for second in seconds):
        raise errors.SettingsError(f"{place}: not a measured latency: {' '.join(cells)[:60]} (seconds there, and back)")
    return round(seconds[0] * SECOND), round(seconds[-1] * SECOND)


class TimedAdapter(VenueAdapter):
    """The venue's transport adapter, with another latency for each request. `count` is how many there were."""

    def __init__(self, venue: Venue, latency: Latency) -> None:
        super().__init__(venue, 0)
        self._latency = latency
        self.count = 0

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        self.count += 1
        self.latency_ns, back = self._latency.ways()
        answer = super().send(request, *args, **options)
        self.venue.run_until(self.venue.now + back)
        return answer


class Flag:
    """The wakeup of a bot in simulated time: nobody else is there to set it while it waits, so it needs no pipe to wait on."""

    def __init__(self) -> None:
        self._is_set = False

    def set(self) -> None:
        self._is_set = True

    def is_set(self) -> bool:
        return self._is_set

    def clear(self) -> None:
        self._is_set = False

    def close(self) -> None:
        """Nothing is held."""


class EndingClock(SimulatedClock):
    """Simulated time that calls `on_end()` at `end` (ns), once, and `on_wait(now)` before each wait."""

    def __init__(self, venue: Venue, end: int, on_wait: Callable[[int], None] | None = None) -> None:
        super().__init__(venue)
        self._begin = venue.now
        self.end = end
        self.on_end: Callable[[], None] = lambda: None
        self._on_wait = on_wait
        self.is_over = False

    def monotonic(self) -> float:
        """Seconds since the beginning: small enough that a wait ends when it should, not a rounding later."""
        return (self.venue.now - self._begin) / SECOND

    def wait(self, wakeup: Any, timeout: float) -> bool:
        if self.is_over:
            return super().wait(wakeup, timeout)
        if self._on_wait is not None:
            self._on_wait(self.venue.now)
        left = (self.end - self.venue.now) / SECOND
        woken = super().wait(wakeup, min(timeout, left))
        if self.venue.now >= self.end:
            self.is_over = True
            self.on_end()
        return woken
