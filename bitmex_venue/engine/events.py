"""What the exchange tells: records in the order in which things happened, each complete in itself.

A record is never read back from live state: whatever can change later is copied into it when it is made, so that the wire
room may turn it into a row long after the command has finished, or never when nobody listens. Units are those of
`commands`. Column names are our own (snake_case); the wire room owns the wire's names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

NO_MATCH = "00000000-0000-0000-0000-000000000000"


class OrderEvent(NamedTuple):
    """`action` is "insert" or "update".

    `order` gives the columns that never change (id, account, symbol, side, type, ...). `columns` holds what can:
    for an insert all of cl_ord_id, ord_status, working, order_qty, price, stop_px, leaves_qty, cum_qty, avg_px_e8, text,
    triggered, transact_time, timestamp; for an update only those that changed.
    """

    time: int
    action: str
    order: Any
    columns: Mapping[str, Any]


class ExecutionEvent(NamedTuple):
    """One row of the execution table. `columns` has the same names as an OrderEvent's insert.

    For Funding and Settlement there is no order: `order` is the `accounts.Position` (account, symbol), `columns` is
    empty, `last_qty` the position's size, `exec_cost` its notional and `exec_comm` the payment (positive: paid).
    """

    time: int
    exec_id: str
    exec_type: str
    order: Any
    columns: Mapping[str, Any]
    last_qty: int = 0
    last_px: int | None = None
    liquidity: str = ""  # AddedLiquidity, RemovedLiquidity or ""
    commission_e8: int | None = None
    exec_cost: int | None = None
    exec_comm: int | None = None
    trd_match_id: str = NO_MATCH


class TradeEvent(NamedTuple):
    """One match as the public sees it; `side` is the taker's. One of size 0 says where an index stands."""

    time: int
    symbol: str
    side: int
    size: int
    price: int
    tick_direction: str
    trd_match_id: str
    gross_value: int


class BookEvent(NamedTuple):
    """One price level changed from `old_size` to `size` contracts (0: the level is gone)."""

    time: int
    symbol: str
    side: int
    price: int
    size: int
    old_size: int


class QuoteEvent(NamedTuple):
    """The touch after a command that changed its price or size. None and 0 where a side is empty."""

    time: int
    symbol: str
    bid_price: int | None
    bid_size: int
    ask_price: int | None
    ask_size: int


class InstrumentEvent(NamedTuple):
    """Columns of an instrument that changed, one concern at a time. The groups are

    last_price, last_tick_direction (a trade); last_price, last_tick_direction, mark_e8 (an index moved); index_e8 (of a contract that follows it);
    mark_e8, basis_e8, basis_rate_e8; bid_price, ask_price; volume_24h, turnover_24h, prev_price_24h; open_interest,
    open_value; funding_rate_e8, indicative_funding_rate_e8, funding_timestamp; session, prev_close_e8 (an hour begins); maker_fee_e8,
    taker_fee_e8; state (with all that a settlement ends). Prices without `_e8` are ticks.
    """

    time: int
    symbol: str
    columns: Mapping[str, Any]


class ListingEvent(NamedTuple):
    """A contract is traded from now on."""

    time: int
    symbol: str


class GridEvent(NamedTuple):
    """Prices in ticks told before this one were of `old_tick_e8`, those after it are of `tick_e8`."""

    time: int
    symbol: str
    old_tick_e8: int
    tick_e8: int


class PositionEvent(NamedTuple):
    """`image` is an immutable `accounts.PositionImage`, enough to work out every column of the row."""

    time: int
    account_id: int
    symbol: str
    image: Any


class MarginEvent(NamedTuple):
    """`image` is an immutable `accounts.MarginImage`."""

    time: int
    account_id: int
    currency: str
    image: Any


class WalletEvent(NamedTuple):
    """A line of the ledger: `kind` is Deposit, Withdrawal or RealisedPNL (then `address` is the symbol).

    A withdrawal has a `transact_id`, and is told anew when its `status` (Pending, Completed, Canceled) changes; `asked` is when
    it was asked for.
    """

    time: int
    account_id: int
    currency: str
    kind: str
    amount: int
    fee: int
    balance: int
    address: str = ""
    text: str = ""
    status: str = "Completed"
    transact_id: str = ""
    asked: int = 0


class FundingEvent(NamedTuple):
    time: int
    symbol: str
    rate_e8: int


class SettlementEvent(NamedTuple):
    time: int
    symbol: str
    price_e8: int
    kind: str = "Settlement"


class InsuranceEvent(NamedTuple):
    time: int
    currency: str
    balance: int


class LiquidationEvent(NamedTuple):
    time: int
    action: str  # insert, update, delete
    order: Any
    leaves_qty: int
