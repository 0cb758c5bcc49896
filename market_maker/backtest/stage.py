"""The two programs joined in simulated time: the bot with its own wrapper and signing on one side, a venue on the other.

Nothing of the bot is replaced or derived from: it is handed another transport, another feed, another clock, as design rule 10 has it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from bitmex_venue.engine.commands import SetFees
from bitmex_venue.engine.instruments import specs
from bitmex_venue.inprocess import VenueFeed
from bitmex_venue.venue import DEFAULT_BALANCE, Venue
from bitmex_venue.wire.encode import SECOND
from market_maker.bitmex import BitMEX
from market_maker.journal import Journal
from market_maker.market_maker import ExchangeInterface, OrderManager
from market_maker.settings import Settings
from market_maker.utils import errors

from .doors import EndingClock, Flag, Latency, TimedAdapter
from .job import Job

URL = "http://127.0.0.1/api/v1/"
API_KEY, API_SECRET = "b" * 24, "s" * 48  # the same in every run: signatures are part of what must not differ
SATOSHI = 100_000_000


def open_venue(job: Job, settings: Settings, market: Any, begin: int) -> Venue:
    """A venue that begins at `begin` (ns), with the account that the job asks for. Raises SettingsError."""
    profile = job.profile or settings.PAPER_PROFILE
    money = settings.PAPER_BALANCE_XBT if job.balance_xbt is None else job.balance_xbt
    balance = {**DEFAULT_BALANCE, "XBt": round(money * SATOSHI)}
    settled = {spec.settl_currency for spec in specs(profile, begin) if market.lists(spec)}
    balance = {currency: amount for currency, amount in balance.items() if currency in settled}
    venue = Venue(profile, market, job.seed, begin, api_key=API_KEY, api_secret=API_SECRET, balance=balance)
    if job.symbol not in venue.active():
        raise errors.SettingsError(f"The {profile} venue has no contract {job.symbol}; it has {', '.join(venue.active())}.")
    if job.fees is not None:
        venue.execute(SetFees(job.symbol, *(round(fee * SATOSHI) for fee in job.fees)))
    return venue


class Stage:
    """A bot at a venue; `client` is its wrapper. `run` once; then `stop_reason` tells why it ended, `requests` how many there were."""

    def __init__(
        self,
        job: Job,
        settings: Settings,
        venue: Venue,
        end: int,
        latency: Latency,
        journal: Journal,
        chosen: type = OrderManager,
        on_wait: Callable[[int], None] | None = None,
    ) -> None:
        self.venue = venue
        self._transport = TimedAdapter(venue, latency)
        clock = EndingClock(venue, end, on_wait)
        numbers = itertools.count(1)
        client = BitMEX(
            URL, job.symbol, API_KEY, API_SECRET, orderIDPrefix=settings.ORDERID_PREFIX, postOnly=settings.POST_ONLY,
            timeout=settings.TIMEOUT, order_transport=settings.ORDER_TRANSPORT, start_timeout=settings.START_TIMEOUT_S,
            symbols=[symbol for symbol in settings.CONTRACTS if symbol != job.symbol], transport=self._transport, feed=VenueFeed(venue, rows=True),
            clock=clock, new_id=lambda: f"{next(numbers):022d}", wakeup=Flag(), jitter=lambda: 0.5, journal=journal,
        )  # fmt: skip
        self.client = client
        self._manager = chosen(ExchangeInterface(False, settings, job.symbol, client), settings)
        clock.on_end = lambda: self._manager.request_stop(OVER)

    def run(self) -> None:
        """Trade until the end of the data or of the time, or until somebody stops it. Raises what ended the run, if something did."""
        self._manager.run_loop()

    @property
    def stop_reason(self) -> str:
        return self._manager.stop_reason or OVER

    @property
    def requests(self) -> int:
        return self._transport.count


OVER = "the back-test is over"


def ns(seconds: float) -> int:
    return round(seconds * SECOND)
