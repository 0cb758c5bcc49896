"""The end of a dated future, and the beginning of the next.

Rules (bitmex-api.md 4.2, issue 3):

* at expiry every order of the contract is cancelled, and every position is closed at the index price of that moment;
* who could not pay for that is liquidated first, at the price of settlement, so that nobody owes money for it;
* each side pays the settlement fee; the closing is a Settlement execution, and realised profit moves to the wallet;
* afterwards the instrument is Settled and takes no orders, and the next quarter's is listed, with its mark at the index.

Known differences: the real venue settles at the average of the index over the last half hour, and lists a contract long before the one
before it has ended.
"""

from __future__ import annotations

from . import contract_math, events
from .instruments import InstrumentSpec, next_future


def settle(exchange, market) -> InstrumentSpec:
    """Close a contract for good, now; returns the next one, which is listed."""
    instrument, now = market.instrument, exchange.now
    price_e8 = instrument.index_e8 or instrument.mark_e8
    instrument.state = "Open"  # one that somebody closed settles like any other
    _empty(exchange, market)
    if price_e8:
        instrument.set_mark(price_e8)
        instrument.basis_e8 = instrument.basis_rate_e8 = 0
        instrument.settled_price_e8 = price_e8
        exchange.liquidation.check(market)
        _empty(exchange, market)
        for position in list(instrument.holders):
            _close(exchange, position)
        instrument.open_interest = 0
        exchange.liquidation.collect()
    instrument.state = "Settled"
    outbox = exchange.outbox
    outbox.rest.append(events.SettlementEvent(now, market.symbol, price_e8 or 0))
    columns = {
        "state": "Settled", "settled_price_e8": price_e8, "mark_e8": instrument.mark_e8, "basis_e8": instrument.basis_e8,
        "basis_rate_e8": 0, "open_interest": 0, "bid_price": None, "ask_price": None,
        "volume_24h": instrument.window.volume,
    }  # fmt: skip
    outbox.rest.append(events.InstrumentEvent(now, market.symbol, columns))
    return _list_next(exchange, instrument)


def _empty(exchange, market) -> None:
    for account in list(exchange.accounts.values()):
        for order in [o for o in account.open.values() if o.market is market]:
            exchange.clearing.end_by_rule(order, "Instrument expired")
    for side in (1, -1):
        for level in list(market.book.side(side).in_order()):
            market.book.set_external(side, level.price, 0)


def _list_next(exchange, settled) -> InstrumentSpec:
    """The contract of the next quarter, which the same index marks."""
    now, spec = exchange.now, next_future(settled.spec, exchange.now)
    market = exchange.list_contract(spec)
    exchange.outbox.rest.append(events.ListingEvent(now, spec.symbol))
    market.instrument.index_e8 = exchange.instruments[spec.reference].index_e8
    if market.instrument.index_e8:
        exchange.marks.remark(market)
    return spec


def _close(exchange, position) -> None:
    """Both sides of a contract close at one value per lot, so that what one loses another has."""
    instrument = position.instrument
    qty = position.current_qty
    cost = abs(qty) // instrument.lot_size * instrument.mark_lot_value
    rate = instrument.spec.settlement_fee_e8
    comm = exchange.clearing.settle(position, -1 if qty > 0 else 1, abs(qty), cost, rate)
    if not position.account.house:
        signed = cost if (qty > 0) == instrument.is_inverse else -cost
        exchange.outbox.rest.append(
            events.ExecutionEvent(
                exchange.now, exchange.ids.next(), "Settlement", position, {}, abs(qty),
                contract_math.div_half_away(instrument.mark_e8, instrument.spec.tick_e8), "", rate, signed, comm,
            )
        )  # fmt: skip
    exchange.clearing.sweep(position)
