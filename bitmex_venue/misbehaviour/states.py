"""What faults do to the venue itself and to its market: once, again and again, or for as long as they are armed.

Rules
* What lasts is undone when the fault ends: clock, fees, state and books are as they would have been.
* What happens at once strikes when it is armed, and, with `times` or `for_s`, again every `every_s` seconds.
* Everything that touches accounts or the book is a command of the exchange.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from ..engine import commands as cmd
from ..engine.refusals import Refused
from ..steering import BadSteering
from ..wire.encode import SECOND
from .catalogue import BadFault, Fault

log = logging.getLogger("bitmex_venue")
SPURIOUS = "Canceled by the venue."


def check(venue: Any, fault: Fault, values: dict[str, Any]) -> None:
    """Whether the venue has what the fault is about. Raises BadFault."""
    symbol = values.get("symbol")
    if symbol is not None and symbol not in venue.exchange.books:
        raise BadFault(f"{fault.name}: there is no contract {symbol!r}: {', '.join(venue.exchange.books)}")


# ---- what happens at once: each returns what it was done to, one text per strike


def _restart(venue: Any, armed: Any) -> list[str]:
    venue.restart(armed.values["down_s"])
    return ["venue"]


def _spurious_cancel(venue: Any, armed: Any) -> list[str]:
    symbol, exchange = armed.values["symbol"], venue.exchange
    found = [
        order
        for account in exchange.accounts.values()
        if not account.house and armed.account in (None, account.account_id)
        for order in account.open.values()
        if order.symbol == symbol
    ]
    chosen = armed.rng.sample(found, min(len(found), armed.values["count"]))
    for order in chosen:
        venue.execute(cmd.Cancel(order.account_id, (order.order_id,), text=SPURIOUS))
    return [order.order_id for order in chosen]


def _price_gap(venue: Any, armed: Any) -> list[str]:
    venue.steering.gap(armed.values["symbol"], armed.values["percent"])
    return [armed.values["symbol"]]


def _flash_crash(venue: Any, armed: Any) -> list[str]:
    symbol, percent = armed.values["symbol"], armed.values["percent"]
    factor = 1 + percent / 100
    venue.steering.sweep(symbol, "Sell" if percent < 0 else "Buy", percent=percent)
    if venue.market.steer(symbol, factor):
        back = venue.now + round(armed.values["back_s"] * SECOND)
        venue.agenda.add(back, lambda time: _steer_back(venue, symbol, factor))
    return [symbol]


def _steer_back(venue: Any, symbol: str, factor: float) -> None:
    venue.market.steer(symbol, 1 / factor)


AT_ONCE: dict[str, Callable[[Any, Any], list[str]]] = {
    "venue_restart": _restart,
    "spurious_cancel": _spurious_cancel,
    "price_gap": _price_gap,
    "flash_crash": _flash_crash,
}


# ---- what lasts: (begin, end)


def _skew(venue: Any, armed: Any) -> None:
    armed.kept = round(armed.values["by_s"] * SECOND)
    venue.authenticator.skew_ns += armed.kept


def _unskew(venue: Any, armed: Any) -> None:
    venue.authenticator.skew_ns -= armed.kept


def _close(venue: Any, armed: Any) -> None:
    _try(venue, cmd.SetState(armed.values["symbol"], "Closed"))


def _open(venue: Any, armed: Any) -> None:
    symbol = armed.values["symbol"]
    if not any(other.name == armed.name and other.values["symbol"] == symbol for other in venue.faults.states):
        _try(venue, cmd.SetState(symbol, "Open"))


def _empty(venue: Any, armed: Any) -> None:
    venue.steering.keep_off(armed.values["symbol"], armed.values.get("side"))


def _fill(venue: Any, armed: Any) -> None:
    venue.steering.let_on(armed.values["symbol"], armed.values.get("side"))


def _other_fees(venue: Any, armed: Any) -> None:
    symbol = armed.values["symbol"]
    spec = venue.exchange.instruments[symbol].spec
    armed.kept = (spec.maker_fee_e8, spec.taker_fee_e8)
    _try(venue, cmd.SetFees(symbol, round(armed.values["maker"] * 1e8), round(armed.values["taker"] * 1e8)))


def _old_fees(venue: Any, armed: Any) -> None:
    _try(venue, cmd.SetFees(armed.values["symbol"], *armed.kept))


def _other_grid(venue: Any, armed: Any) -> None:
    symbol, tick, lot = (armed.values[name] for name in ("symbol", "tick", "lot"))
    spec = venue.exchange.instruments[symbol].spec
    armed.kept = (spec.tick_e8 / 1e8, spec.lot_size)
    venue.steering.regrid(symbol, armed.kept[0] if tick is None else tick, armed.kept[1] if lot is None else lot)


def _old_grid(venue: Any, armed: Any) -> None:
    try:
        venue.steering.regrid(armed.values["symbol"], *armed.kept)
    except BadSteering as problem:
        log.warning("the grid of %s stays what it is: %s", armed.values["symbol"], problem)


def _try(venue: Any, command: Any) -> None:
    try:
        venue.execute(command)
    except Refused as refusal:
        raise BadFault(f"the exchange refused it: {refusal.message}") from None


LASTING: dict[str, tuple[Callable[[Any, Any], None], Callable[[Any, Any], None]]] = {
    "clock_skew": (_skew, _unskew),
    "market_closed": (_close, _open),
    "empty_book": (_empty, _fill),
    "one_sided_book": (_empty, _fill),
    "fee_change": (_other_fees, _old_fees),
    "grid_change": (_other_grid, _old_grid),
}


# ---- arming and disarming


def begin(venue: Any, armed: Any) -> None:
    """A fault of the venue or its market is armed."""
    if armed.name in LASTING:
        LASTING[armed.name][0](venue, armed)
        venue.faults.count(armed, str(armed.values.get("symbol", "venue")))
        return
    again = _act(venue, armed)
    if again is not None:
        venue.agenda.add(again, lambda time: _act(venue, armed))


def _act(venue: Any, armed: Any) -> int | None:
    """Strike once; returns when to do so again."""
    if armed.over:
        return None
    for what in AT_ONCE[armed.name](venue, armed):
        venue.faults.count(armed, what)
    once = armed.times is None and armed.end is None
    if once or (armed.times is not None and armed.count >= armed.times):
        venue.faults.disarm(armed)
        return None
    return venue.now + round(armed.values["every_s"] * SECOND)


def end(venue: Any, armed: Any) -> None:
    """A fault of the venue or its market has ended."""
    if armed.name in LASTING:
        LASTING[armed.name][1](venue, armed)
