"""What can be asked of the exchange: plain records, so that a log of them is the whole history of a venue.

Units: time is nanoseconds since the Unix epoch (UTC); `price` and `stop_px` are ticks of the instrument; a price off the
tick grid (index, mark) is an integer of 1e-8 of the quote currency and is named `*_e8`; quantities are contracts; money
is the smallest unit of its currency (satoshi for XBt, micro-USDT for USDt). `side` is +1 to buy, -1 to sell, 0 for
"whatever closes the position" (only with `Close`).
"""

from __future__ import annotations

from typing import NamedTuple

BUY = 1
SELL = -1


class OpenAccount(NamedTuple):
    """Make an account. `house` accounts are the other participants: no margin check and no private events. `currencies` are
    those in which it has a wallet from the start."""

    account_id: int
    name: str = ""
    house: bool = False
    currencies: tuple[str, ...] = ()


class Deposit(NamedTuple):
    account_id: int
    currency: str
    amount: int


class Withdraw(NamedTuple):
    """Take money out of the wallet; `fee` goes to the venue. Refused when more than the withdrawable margin. It leaves the wallet
    at once and the venue after `hold_ms`; until then it can be cancelled. The answer is its transactID."""

    account_id: int
    currency: str
    amount: int
    fee: int = 0
    address: str = ""
    text: str = ""
    hold_ms: int = 0


class CancelWithdrawal(NamedTuple):
    """Take back a withdrawal that is still held, by its transactID; amount and fee return to the wallet."""

    account_id: int
    transact_id: str


class Place(NamedTuple):
    """A new order. `order_qty` None is allowed with `Close` only. `exec_inst` is sorted as the client sent it."""

    account_id: int
    symbol: str
    side: int
    order_qty: int | None
    price: int | None = None
    ord_type: str = "Limit"
    time_in_force: str = "GoodTillCancel"
    exec_inst: tuple[str, ...] = ()
    cl_ord_id: str = ""
    text: str = "Submitted via API."
    stop_px: int | None = None


class PlaceBulk(NamedTuple):
    """Several orders of one account: all are accepted, or none is."""

    account_id: int
    orders: tuple[Place, ...]


class Amend(NamedTuple):
    """Change an order, named by `order_id` or by `orig_cl_ord_id`. `leaves_qty` excludes `order_qty`."""

    account_id: int
    order_id: str = ""
    orig_cl_ord_id: str = ""
    cl_ord_id: str = ""
    order_qty: int | None = None
    leaves_qty: int | None = None
    price: int | None = None
    stop_px: int | None = None
    text: str = "Amended via API."


class AmendBulk(NamedTuple):
    account_id: int
    amends: tuple[Amend, ...]


class Cancel(NamedTuple):
    """Cancel by ids; the answer has one `CancelResult` per id asked for, in that order."""

    account_id: int
    order_ids: tuple[str, ...] = ()
    cl_ord_ids: tuple[str, ...] = ()
    text: str = "Canceled via API."


class CancelAll(NamedTuple):
    account_id: int
    symbol: str | None = None
    side: int | None = None
    text: str = "Canceled via API."


class CancelAllAfter(NamedTuple):
    """The dead man's switch of an account; 0 disarms, each call replaces the timer before."""

    account_id: int
    timeout_ms: int


class SetLeverage(NamedTuple):
    """`leverage_e2` is leverage times 100; 0 is cross margin."""

    account_id: int
    symbol: str
    leverage_e2: int


class SetIndex(NamedTuple):
    """The market tells the exchange a new value of an index (`.BXBT`); marks follow it."""

    symbol: str
    price_e8: int


class SetState(NamedTuple):
    """Open or close an instrument (`Open`, `Closed`)."""

    symbol: str
    state: str


class Advance(NamedTuple):
    """Nothing but time passing: timers that are due by then run."""


class SetLevel(NamedTuple):
    """Other people's liquidity at one price, as a recorded row sets it: `size` contracts, 0 to clear (see `external`)."""

    symbol: str
    side: int
    price: int
    size: int


class RecordedTrade(NamedTuple):
    """A trade that other people made; `side` is the taker's (see `external`)."""

    symbol: str
    side: int
    price: int
    size: int


class SetRiskLimit(NamedTuple):
    """Another risk limit of a position, in settlement units; each step above the base raises both margin rates."""

    account_id: int
    symbol: str
    risk_limit: int


class TransferMargin(NamedTuple):
    """Move margin into an isolated position, or (negative) out of it."""

    account_id: int
    symbol: str
    amount: int


class RefusePostOnly(NamedTuple):
    """The next `count` post-only orders of an account, new or amended, are cancelled as if they crossed the book (a fault)."""

    account_id: int
    count: int


class ClearGrid(NamedTuple):
    """A contract gets another tick (1e-8 of the quote currency) or lot: what leaves the book for it (see `grid`)."""

    symbol: str
    tick_e8: int
    lot_size: int


class SetGrid(NamedTuple):
    """The second half of it, with the same arguments."""

    symbol: str
    tick_e8: int
    lot_size: int


class SetFees(NamedTuple):
    """The venue changes what it charges for one contract; rates of 1e-8."""

    symbol: str
    maker_fee_e8: int
    taker_fee_e8: int
