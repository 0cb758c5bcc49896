"""The contracts of the venue: their constants (`InstrumentSpec`) and what changes while they trade (`Instrument`).

Rules:

* prices are ticks inside; `to_ticks` refuses what is off the grid with the venue's own text (bitmex-api.md 3.8);
* constants are those of bitmex-api.md 4.2, one set per profile: `classic` (2018 to 2020) and `modern` (2024 to 2026);
* the dated future expires on the last Friday of its quarter at 12:00 UTC, and its symbol says which (XBTZ26); the next one is
  listed when it has.

Known difference: the real venue listed thousands of contracts; here are four and their two indices.
"""

from __future__ import annotations

import calendar
from collections import deque
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation

from . import contract_math
from .contract_math import E8
from .refusals import Refused

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 3600 * SECOND
DAY = 24 * HOUR
MONTHS = {3: "H", 6: "M", 9: "U", 12: "Z"}


@dataclass(frozen=True)
class InstrumentSpec:
    """The constants of a contract. `kind` is inverse, quanto, linear or index; rates and prices `*_e8` are of 1e-8.

    `multiplier` and the three conversion factors are as the wire shows them; `risk_limit` and `risk_step` are in
    settlement units; `funding_interval` in ns (0: none); `expiry` ns since the epoch, None for a perpetual;
    `reference` is the index that marks it; `symbol_index` numbers book levels in the classic profile (5.7).
    """

    symbol: str
    root_symbol: str
    typ: str
    kind: str
    underlying: str
    quote_currency: str
    settl_currency: str
    position_currency: str
    multiplier: int
    lot_size: int
    tick_e8: int
    reference: str = ""
    underlying_to_position_multiplier: int | None = None
    underlying_to_settle_multiplier: int | None = None
    quote_to_settle_multiplier: int | None = None
    max_order_qty: int = 10_000_000
    max_price_e8: int = 1_000_000 * E8
    init_margin_e8: int = 1_000_000
    maint_margin_e8: int = 500_000
    maker_fee_e8: int = 0
    taker_fee_e8: int = 0
    settlement_fee_e8: int = 0
    risk_limit: int = 20_000_000_000
    risk_step: int = 10_000_000_000
    funding_interval: int = 0
    interest_rate_e8: int = 10_000
    expiry: int | None = None
    listing: int = 1_463_140_800 * SECOND
    mark_step_e8: int = 1_000_000
    min_tick_e8: int = 1_000_000
    symbol_index: int = 0

    @property
    def is_inverse(self) -> bool:
        return self.kind == "inverse"

    @property
    def is_quanto(self) -> bool:
        return self.kind == "quanto"

    @property
    def is_index(self) -> bool:
        return self.kind == "index"

    @property
    def value_numerator(self) -> int:
        """|multiplier| * lotSize, times 1e8 for inverse contracts (prices are e8)."""
        base = abs(self.multiplier) * self.lot_size
        return base * E8 if self.kind == "inverse" else base

    @property
    def max_ticks(self) -> int:
        return self.max_price_e8 // self.tick_e8

    def to_ticks(self, x: str | int | float | Decimal, field: str = "price") -> int:
        """Ticks of a price as a client sent it. Refused: `Invalid <field>` or `Invalid <field> tickSize`."""
        try:
            value = Decimal(str(x)) if not isinstance(x, bool) else Decimal("NaN")
        except InvalidOperation:
            value = Decimal("NaN")
        if not value.is_finite() or value <= 0 or value * E8 > self.max_price_e8:
            raise Refused(f"Invalid {field}")
        ticks, rest = divmod(value * E8, self.tick_e8)
        if rest:
            raise Refused(f"Invalid {field} tickSize")
        return int(ticks)

    def price(self, ticks: int) -> float:
        """The price of so many ticks, as the wire shows it (the nearest double of the decimal)."""
        return ticks * self.tick_e8 / E8


class Window:
    """Trades of the last 24 hours, by the minute: volume (contracts), turnover (settlement units), high, low, the price
    before (ticks)."""

    __slots__ = ("minutes", "volume", "turnover", "prev_price", "_range")

    def __init__(self) -> None:
        self.minutes: deque[list[int]] = deque()  # minute, volume, turnover, high, low, close
        self.volume = self.turnover = 0
        self.prev_price: int | None = None
        self._range: tuple[int, int] | None = None  # (high, low), None where it must be looked for

    def add(self, now: int, ticks: int, qty: int, cost: int) -> None:
        minute = now // MINUTE
        minutes = self.minutes
        if minutes and minutes[-1][0] == minute:
            last = minutes[-1]
            last[1] += qty
            last[2] += cost
            if ticks > last[3]:
                last[3] = ticks
            if ticks < last[4]:
                last[4] = ticks
            last[5] = ticks
        else:
            if self.prev_price is None:
                self.prev_price = ticks
            minutes.append([minute, qty, cost, ticks, ticks, ticks])
        self.volume += qty
        self.turnover += cost
        if self._range is not None:
            high, low = self._range
            if ticks > high or ticks < low:
                self._range = max(high, ticks), min(low, ticks)

    def forget(self, now: int) -> bool:
        """Drop what is older than a day; true when something was."""
        oldest = (now - DAY) // MINUTE
        dropped = False
        while self.minutes and self.minutes[0][0] < oldest:
            _, qty, cost, high, low, close = self.minutes.popleft()
            if self._range is not None and (high == self._range[0] or low == self._range[1]):
                self._range = None
            self.volume -= qty
            self.turnover -= cost
            self.prev_price = close
            dropped = True
        return dropped

    @property
    def high(self) -> int | None:
        return self._high_and_low()[0]

    @property
    def low(self) -> int | None:
        return self._high_and_low()[1]

    def repriced(self) -> None:
        """The prices of the minutes were written anew."""
        self._range = None

    def _high_and_low(self) -> tuple[int | None, int | None]:
        if not self.minutes:
            return None, None
        if self._range is None:
            self._range = max(m[3] for m in self.minutes), min(m[4] for m in self.minutes)
        return self._range


class Instrument:
    """A spec and what changes: state, last price, mark, index, funding, volumes, open interest.

    `last_price` is ticks or None; marks, index and rates are e8; `basis_e8` is what the mark was above the index when it was
    made, and `basis_rate_e8` the same of a dated future as a rate a year; `prev_close_e8` the mark at the last full hour;
    `volume` counts contracts and `turnover` settlement units since the start; `open_interest` contracts;
    `settled_price_e8` the price of settlement, None before.
    """

    __slots__ = (
        "spec", "state", "last_price", "last_tick_direction", "mark_e8", "index_e8", "mark_lot_value",
        "funding_rate_e8", "indicative_funding_rate_e8", "funding_timestamp", "premium_sum", "premium_count",
        "fair_basis_rate_e8", "basis_e8", "basis_rate_e8", "prev_close_e8", "volume", "turnover", "trades", "open_interest",
        "settled_price_e8", "_values", "lot_size", "is_inverse", "holders", "window",
    )  # fmt: skip

    def __init__(self, spec: InstrumentSpec) -> None:
        self.state = "Open"
        self.last_price: int | None = None
        self.last_tick_direction = "ZeroPlusTick"
        self.mark_e8: int | None = None
        self.index_e8: int | None = None
        self.mark_lot_value = 0
        self.funding_rate_e8 = spec.interest_rate_e8 if spec.funding_interval else 0
        self.indicative_funding_rate_e8 = self.funding_rate_e8
        self.funding_timestamp: int | None = None
        self.premium_sum = 0
        self.premium_count = 0
        self.fair_basis_rate_e8 = 0
        self.basis_e8: int | None = None
        self.basis_rate_e8 = 0
        self.prev_close_e8: int | None = None
        self.volume = self.turnover = self.trades = self.open_interest = 0
        self.settled_price_e8: int | None = None
        self.holders: dict = {}  # positions that are not flat, in the order in which they became so
        self.window = Window()
        self.respec(spec)

    def respec(self, spec: InstrumentSpec) -> None:
        """Give the instrument other constants (fees, lot, tick); cached values are dropped."""
        self.spec = spec
        self.lot_size = spec.lot_size
        self.is_inverse = spec.is_inverse
        self._values: dict = {}
        self.mark_lot_value = contract_math.lot_value(spec, self.mark_e8) if self.mark_e8 else 0

    @property
    def symbol(self) -> str:
        return self.spec.symbol

    def value_at(self, ticks: int) -> int:
        """Value of one lot at a price in ticks; remembered, since prices repeat."""
        value = self._values.get(ticks)
        if value is None:
            if len(self._values) > 20_000:
                self._values.clear()
            value = self._values[ticks] = contract_math.lot_value(self.spec, ticks * self.spec.tick_e8)
        return value

    def traded(self, now: int, ticks: int, qty: int, cost: int) -> None:
        """Count a trade into the totals and the last 24 hours."""
        self.volume += qty
        self.turnover += cost
        self.trades += 1
        self.window.add(now, ticks, qty, cost)

    @property
    def open_value(self) -> int:
        """Open interest at the mark, in settlement units."""
        return abs(self.mark_value(self.open_interest))

    def set_mark(self, mark_e8: int) -> None:
        self.mark_e8 = mark_e8
        self.mark_lot_value = contract_math.lot_value(self.spec, mark_e8)

    def mark_value(self, qty: int) -> int:
        """Signed markValue of a signed position (4.4)."""
        value = qty // self.lot_size * self.mark_lot_value
        return -value if self.is_inverse else value


def quarter_expiry(year: int, month: int) -> datetime:
    """The last Friday of a month, 12:00 UTC."""
    last = datetime(year, month, calendar.monthrange(year, month)[1], 12, tzinfo=timezone.utc)
    return last - timedelta(days=(last.weekday() - 4) % 7)


def next_quarter(now: int) -> datetime:
    """The first quarterly expiry more than a week after `now` (ns)."""
    at = datetime.fromtimestamp(now // SECOND, timezone.utc) + timedelta(days=7)
    for step in range(24):
        year, month = at.year + (at.month - 1 + step) // 12, (at.month - 1 + step) % 12 + 1
        if month % 3 == 0 and quarter_expiry(year, month) > at:
            return quarter_expiry(year, month)
    raise AssertionError("a quarter ends within two years")


def next_future(spec: InstrumentSpec, now: int) -> InstrumentSpec:
    """The contract that follows a dated one which has settled at `now`."""
    expiry = next_quarter(max(now, spec.expiry or 0))
    return replace(
        spec, symbol=future_symbol(spec.root_symbol, expiry), expiry=int(expiry.timestamp()) * SECOND, listing=now,
        symbol_index=spec.symbol_index + 1,
    )  # fmt: skip


def future_symbol(root: str, expiry: datetime) -> str:
    """The name of a quarterly contract: root, letter of the month, year."""
    return f"{root}{MONTHS[expiry.month]}{expiry.year % 100:02d}"


def _fees(modern: bool) -> dict:
    if modern:
        return {"maker_fee_e8": 50_000, "taker_fee_e8": 50_000}
    return {"maker_fee_e8": -25_000, "taker_fee_e8": 75_000}


def specs(profile_name: str = "classic", now: int | None = None) -> list[InstrumentSpec]:
    """The contracts of a profile, `classic` or `modern`. With `now` (ns) the dated future is the next quarter's,
    otherwise the one of December 2030, so that nothing expires under a test."""
    modern = profile_name == "modern"
    expiry = next_quarter(now) if now is not None else quarter_expiry(2030, 12)
    future = future_symbol("XBT", expiry)
    lot = 100 if modern else 1
    inverse = {
        "root_symbol": "XBT", "kind": "inverse", "underlying": "XBT", "quote_currency": "USD", "settl_currency": "XBt",
        "position_currency": "USD", "multiplier": -E8, "underlying_to_settle_multiplier": -E8, "reference": ".BXBT",
        "lot_size": lot, "risk_step": 15_000_000_000 if modern else 10_000_000_000, **_fees(modern),
    }  # fmt: skip
    eight_hours = 8 * HOUR
    return [
        InstrumentSpec(
            symbol="XBTUSD", typ="FFWCSX", tick_e8=10_000_000 if modern else 50_000_000,
            funding_interval=eight_hours, symbol_index=88, **inverse,
        ),
        InstrumentSpec(
            symbol="ETHUSD", root_symbol="ETH", typ="FFWCSX", kind="quanto", underlying="ETH", quote_currency="USD",
            settl_currency="XBt", position_currency="", multiplier=100, quote_to_settle_multiplier=1279,
            lot_size=1, tick_e8=1_000_000 if modern else 5_000_000, reference=".BETH", init_margin_e8=2_000_000,
            maint_margin_e8=1_000_000, risk_limit=5_000_000_000, risk_step=5_000_000_000,
            funding_interval=eight_hours, symbol_index=297, **_fees(modern),
        ),
        InstrumentSpec(
            symbol="XBTUSDT", root_symbol="XBT", typ="FFWCSX", kind="linear", underlying="XBT", quote_currency="USDT",
            settl_currency="USDt", position_currency="XBT", multiplier=1, underlying_to_position_multiplier=1_000_000,
            quote_to_settle_multiplier=1_000_000, lot_size=100 if modern else 1000,
            tick_e8=10_000_000 if modern else 50_000_000, reference=".BXBT", max_order_qty=1_000_000_000,
            risk_limit=10_000_000_000_000, risk_step=5_000_000_000_000, funding_interval=eight_hours,
            symbol_index=530, **_fees(modern),
        ),
        InstrumentSpec(
            symbol=future, typ="FFCCSX", tick_e8=50_000_000, expiry=int(expiry.timestamp()) * SECOND,
            settlement_fee_e8=0 if modern else 50_000, symbol_index=600, **inverse,
        ),
        _index(".BXBT", "XBT", 10, modern),
        _index(".BETH", "ETH", 11, modern),
    ]  # fmt: skip


def _index(symbol: str, underlying: str, number: int, modern: bool) -> InstrumentSpec:
    return InstrumentSpec(
        symbol=symbol, root_symbol=underlying, typ="MRCXXX", kind="index", underlying=underlying, quote_currency="USD",
        settl_currency="", position_currency="", multiplier=1, lot_size=1, tick_e8=1_000_000, symbol_index=number,
    )  # fmt: skip
