"""Where the trading of a back-test takes place: a synthetic market, recorded data in hftbacktest's queues, or in the venue's own book."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bitmex_venue import market as markets
from bitmex_venue.engine.instruments import InstrumentSpec, specs
from bitmex_venue.market.base import BadMarketFile
from market_maker.settings import Settings
from market_maker.utils import errors

from .job import BEGIN_S, MINUTES, Job
from .stage import SATOSHI, ns

MATCHED = "our orders match within the book: others meet them, and what they take is gone"
NONE = "none: our orders wait in the queues of the recorded market and change nothing in it"
TAKEN = "what our orders take from the recorded book is gone until its next row sets the level; nobody reacts to them"
DEPTH = "the book is known"
TOUCH_ALONE = "only the touch is known: an order beyond it is filled when a trade goes through its price, or after all that is shown once the touch is there"
FUNDING = "index: the middle of the recorded touch; funding at the contract's interest rate"

Progress = Callable[[float, str], None]
"""Called now and then with the part that is done (0 to 1) and what is being done."""


@dataclass
class Scene:
    """A market with its beginning and end (ns), and what is to be said of it. `bad` and `problems` count what could not be read."""

    market: Any
    begin: int
    end: int
    text: str
    effect: str
    rows: int = 0
    bad: Callable[[], int] = int
    problems: Callable[[], tuple[str, ...]] = tuple


@contextmanager
def scene_of(job: Job, settings: Settings, data: Any, progress: Progress | None) -> Iterator[Scene]:
    """The market that a job asks for; `data` is taken instead of its files. Raises SettingsError."""
    profile = job.profile or settings.PAPER_PROFILE
    try:
        if data is None and not job.data:
            yield _synthetic(job, profile)
            return
        spec = _contract(job, profile)
        data = _open(job) if data is None else data
        scene = _in_queues(job, settings, spec, data, progress) if job.uses_hft else _in_the_book(job, spec, data)
        with scene as found:
            problems = getattr(data, "problems", None)
            if problems is not None:
                found.bad, found.problems = (lambda: problems.count), (lambda: tuple(problems.lines()))
            yield found
    except BadMarketFile as error:
        raise errors.SettingsError(str(error)) from None


def _synthetic(job: Job, profile: str) -> Scene:
    market = markets.create(job.market, job.seed, profile)
    begin = ns(BEGIN_S if job.begin is None else job.begin)
    end = begin + ns((job.minutes or MINUTES) * 60)
    return Scene(market, begin, end if job.end is None else min(end, ns(job.end)), market.describe(), MATCHED)


def _contract(job: Job, profile: str) -> InstrumentSpec:
    found = [spec for spec in specs(profile) if not spec.is_index]
    for spec in found:
        if spec.symbol == job.symbol:
            return spec
    raise errors.SettingsError(f"The {profile} venue has no contract {job.symbol}; it has {', '.join(spec.symbol for spec in found)}.")


def _open(job: Job) -> Any:
    from bitmex_venue.market.importers import open_data  # polars takes its time, and only data need it

    begin, end = (None if moment is None else ns(moment) for moment in (job.begin, job.end))
    return open_data(job.data, job.symbol, begin, end, job.strict)


@contextmanager
def _in_queues(job: Job, settings: Settings, spec: InstrumentSpec, data: Any, progress: Progress | None) -> Iterator[Scene]:
    """The rows go through hftbacktest, out of files that it reads one after the other as time goes on."""
    from .lane import Model
    from .tape import FAR, Tape
    from .tape_market import TapeMarket

    maker, taker = job.fees or (spec.maker_fee_e8 / SATOSHI, spec.taker_fee_e8 / SATOSHI)
    model = Model(spec.price(1), spec.lot_size, job.queue, job.partial_fills, spec.is_inverse, 1.0, maker, taker)
    longest = FAR if job.minutes is None else ns(job.minutes * 60)
    with tempfile.TemporaryDirectory(prefix="marketmaker-backtest-") as folder:
        try:
            tape = Tape(folder, model.tick, model.lot).write(data, progress and (lambda rows: progress(0, f"reading, {rows:,} rows")), longest)
        except OSError as error:
            raise errors.SettingsError(f"The data cannot be unpacked in {folder}: {error.strerror} (TMPDIR names another place).") from None
        market = TapeMarket(tape, spec, model, "; ".join(data.describe()), settings.EVENT_DRIVEN)
        known = DEPTH if tape.has_depth else TOUCH_ALONE
        text = f"{market.name}; {known}; {job.queue} queue, {'partial' if job.partial_fills else 'whole'} fills; {FUNDING}"
        try:
            yield Scene(market, tape.opens, min(tape.end, tape.begin + longest), text, NONE, tape.rows)
        finally:
            market.close()


@contextmanager
def _in_the_book(job: Job, spec: InstrumentSpec, data: Any) -> Iterator[Scene]:
    """The rows set the levels of the venue's own book, and our orders match there."""
    from .book_market import BookMarket

    market = BookMarket(data, spec, None if job.minutes is None else ns(job.minutes * 60))
    known = "; ".join(data.describe()) + "; our orders wait behind what their level showed when they came"
    yield Scene(market, market.begins, market.ends, known, TAKEN, market.rows)
