"""Another tick or lot for a contract that trades.

A change takes two commands, one right after the other, since prices are told in ticks: `ClearGrid` says on the old grid what leaves the
book, `SetGrid` changes the contract and says on the new one what comes back.

Rules

* a client's order whose price, stop price or size does not fit the new grid is cancelled, with a text that says so;
* the others keep their place among themselves, their price and their size; nothing is told of them but the levels;
* orders of the house and external levels are all taken off: who made them makes new ones;
* a lot that some client's position is not a multiple of is refused, for its rest could never be traded again (nor could the
  house's be settled, where the contract expires);
* what has ended, last price and figures of the day are kept on the new grid, rounded down to it.
"""

from __future__ import annotations

from dataclasses import replace

from . import commands as c
from .events import GridEvent, InstrumentEvent
from .orders import Order
from .refusals import Refused

RULE = "Order is off the new price or size grid of the contract"


class Grids:
    """Carries out `ClearGrid` and `SetGrid` for an exchange. `parked` holds orders between the two."""

    def __init__(self, exchange) -> None:
        self.exchange = exchange
        self.parked: dict[str, list[Order]] = {}

    def handlers(self) -> dict:
        return {c.ClearGrid: self.clear, c.SetGrid: self.set}

    # -- the old grid --------------------------------------------------------------------------------------------------

    def clear(self, command: c.ClearGrid) -> None:
        market = self._checked(command)
        exchange, book, clearing = self.exchange, market.book, self.exchange.clearing
        orders = [order for side in (1, -1) for level in book.side(side).in_order() for order in level.orders()]
        orders += market.triggers.orders()
        for side in (1, -1):
            for price in [level.price for level in book.side(side).in_order() if level.external]:
                book.set_external(side, price, 0)
        kept = []
        for order in orders:
            if order.house or not self._fits(order, command):
                clearing.end_by_rule(order, RULE)
            else:
                kept.append(order)
        for order in kept:
            clearing.unrest(order)
        self.parked[command.symbol] = kept
        for number in range(2):
            exchange.marks.shown.pop((command.symbol, number), None)
        market.moved = True

    def _checked(self, command):
        market = self.exchange.markets.get(command.symbol)
        if market is None:
            raise Refused("Invalid symbol")
        spec, tick, lot = market.instrument.spec, command.tick_e8, command.lot_size
        if type(tick) is not int or tick <= 0 or tick % spec.min_tick_e8 or tick > spec.max_price_e8:
            raise Refused("Invalid tickSize")
        if type(lot) is not int or not 0 < lot <= spec.max_order_qty:
            raise Refused("Invalid lotSize")
        for account in self.exchange.accounts.values():
            if account.house and spec.expiry is None:
                continue
            position = account.positions.get(command.symbol)
            if position is not None and position.current_qty % lot:
                raise Refused(f"Invalid lotSize: a position of {position.current_qty} is not a multiple of {lot}")
        return market

    @staticmethod
    def _fits(order: Order, command) -> bool:
        old = order.market.instrument.spec.tick_e8
        prices = [price for price in (order.price, order.limit, order.stop_px) if price is not None]
        sizes = (order.leaves_qty, order.cum_qty, order.order_qty)
        return not any(price * old % command.tick_e8 for price in prices) and not any(s % command.lot_size for s in sizes)

    # -- the new grid --------------------------------------------------------------------------------------------------

    def set(self, command: c.SetGrid) -> None:
        market = self._checked(command)
        instrument = market.instrument
        if command.symbol not in self.parked:
            raise Refused("ClearGrid comes first")
        old, new = instrument.spec.tick_e8, command.tick_e8
        instrument.respec(replace(instrument.spec, tick_e8=new, lot_size=command.lot_size))
        self._rescale(instrument, old, new)
        now, rest = self.exchange.now, self.exchange.outbox.rest
        rest.append(GridEvent(now, command.symbol, old, new))
        columns = {"tick_e8": new, "lot_size": command.lot_size, "last_price": instrument.last_price}
        rest.append(InstrumentEvent(now, command.symbol, {**columns, "volume_24h": instrument.window.volume}))
        for account in self.exchange.accounts.values():
            for order in (*account.open.values(), *account.ended.values()):
                if order.market is market:
                    for name in ("price", "limit", "stop_px"):
                        value = getattr(order, name)
                        if value is not None:
                            setattr(order, name, max(1, value * old // new))
                    if order.limit is not None:
                        order.lot_value = instrument.value_at(order.limit)
        for order in self.parked.pop(command.symbol):
            self._bring_back(order)
        for position in instrument.holders:
            self.exchange.outbox.touch(position)

    @staticmethod
    def _rescale(instrument, old: int, new: int) -> None:
        window = instrument.window
        if instrument.last_price is not None:
            instrument.last_price = max(1, instrument.last_price * old // new)
        if window.prev_price is not None:
            window.prev_price = max(1, window.prev_price * old // new)
        for minute in window.minutes:
            minute[3:6] = [max(1, price * old // new) for price in minute[3:6]]
        window.repriced()

    def _bring_back(self, order: Order) -> None:
        market = order.market
        if order.stop_px is not None and not order.triggered:
            market.triggers.add(order)
            return
        market.matcher.rest(order)
        order.counted = True
        order.position.count(order.side, order.leaves_qty, order.leaves_qty // market.instrument.lot_size * order.lot_value)
        self.exchange.outbox.touch(order.position)
