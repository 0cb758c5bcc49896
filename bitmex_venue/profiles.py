"""The two eras of the venue, as data.

`classic` is BitMEX of about 2016 to mid 2021, for which the original market maker was written; `modern` is its last state,
2024 to 2026. Whatever the two do differently on the wire is a field here, so that no other module asks for a name.

Known differences from the real venue: each profile freezes one moment of an era that kept moving (bitmex-api.md 2.1, 5.7,
section 6); where an era changed its mind the figure nearer to its end was taken, save for the rate limits and the
bulk price of `classic`, which are those of 2016 to 2018.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal


@dataclass(frozen=True)
class Limits:
    """Requests allowed: `*_count` tokens that refill evenly over `*_period_s` seconds.

    `burst_count` is the second layer on order routes (per second), or None where the era had none.
    """

    user_count: int
    user_period_s: int
    address_count: int
    address_period_s: int
    burst_count: int | None = None


@dataclass(frozen=True)
class Profile:
    """One era. `texts` is what the engine is told; everything else is the wire's business."""

    name: str
    texts: str
    limits: Limits
    bulk: bool  # POST and PUT /order/bulk exist
    bulk_cost: Decimal  # tokens per order of a bulk request, rounded up over the request
    sparse: bool  # rows leave out nulls and empty strings
    sorted_columns: bool  # order rows in alphabetical order (late 2025)
    whole_numbers: bool  # 6370 instead of 6370.0: a JavaScript server wrote the JSON
    login: bool  # /user/login, access-token, email and password on the socket
    nonce: bool  # api-nonce beside api-expires
    schema_extras: bool  # partials carry foreignKeys and attributes
    position_keys: tuple[str, ...]
    execution_keys: tuple[str, ...]
    cancel_error_rows: bool  # a cancel that fails answers the whole order row, not a short one
    price_ids: bool  # ids of book levels tell the price
    book_price_always: bool  # price on update and delete rows of the book
    book_times: tuple[str, ...]  # time columns of book rows
    strategy: bool  # a `strategy` column, "OneWay"
    text_type: str  # the name of the type of text columns in a partial
    welcome_version: str
    welcome_limit: bool  # limit.remaining is told
    heartbeat_flag: bool
    connections_per_hour: int
    no_price: int  # shown where no price reaches the liquidation or bankruptcy of a short
    lastmkt: bool  # exDestination, lastMkt, simple* and multiLegReportingType columns


CLASSIC = Profile(
    name="classic",
    texts="classic",
    limits=Limits(user_count=300, user_period_s=300, address_count=150, address_period_s=300),
    bulk=True,
    bulk_cost=Decimal("0.5"),
    sparse=False,
    sorted_columns=False,
    whole_numbers=True,
    login=True,
    nonce=True,
    schema_extras=True,
    position_keys=("account", "symbol", "currency"),
    execution_keys=("execID",),
    cancel_error_rows=True,
    price_ids=True,
    book_price_always=False,
    book_times=(),
    strategy=False,
    text_type="string",
    welcome_version="2018-08-10T17:47:32.000Z",
    welcome_limit=True,
    heartbeat_flag=False,
    connections_per_hour=40,
    no_price=100_000_000,
    lastmkt=True,
)

MODERN = Profile(
    name="modern",
    texts="modern",
    limits=Limits(user_count=120, user_period_s=60, address_count=30, address_period_s=60, burst_count=10),
    bulk=False,
    bulk_cost=Decimal("0.1"),
    sparse=True,
    sorted_columns=True,
    whole_numbers=False,
    login=False,
    nonce=False,
    schema_extras=False,
    position_keys=("account", "symbol", "strategy"),
    execution_keys=(),
    cancel_error_rows=False,
    price_ids=False,
    book_price_always=True,
    book_times=("timestamp", "transactTime"),
    strategy=True,
    text_type="",
    welcome_version="2.0.0",
    welcome_limit=False,
    heartbeat_flag=True,
    connections_per_hour=720,
    no_price=1_000_000,
    lastmkt=False,
)

PROFILES: dict[str, Profile] = {p.name: p for p in (CLASSIC, MODERN)}


def get(name: str, bulk_cost: object | None = None) -> Profile:
    """The profile called `name`; `bulk_cost` (tokens per order) replaces its own. Raises ValueError for another name."""
    try:
        profile = PROFILES[name]
    except KeyError:
        raise ValueError(f"unknown profile {name!r}: choose {' or '.join(PROFILES)}") from None
    if bulk_cost is not None:
        profile = replace(profile, bulk_cost=Decimal(str(bulk_cost)))
    return profile
