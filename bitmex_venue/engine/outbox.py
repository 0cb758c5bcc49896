"""What a command has to tell, put into the order in which the venue tells it (bitmex-api.md 5.6).

Rules:

* one command tells: new order rows, their executions, that they work; then, of a single order that will trade at once, position
  and margin as they stand with all of it open; then fills, cancels and amends as they happened; then trades, book levels,
  quote and last price; then positions and margins, each once, as they are at the end;
* what one position does to the others of the wallet (with cross margin all stand together) is told with it;
* a position or a margin that is as it was last told is not told again;
* house accounts have no private events;
* nothing a later command changes can reach into an event already told: columns are copied when an event is made.

Known difference: of orders in bulk, amends and stops that trade at once, positions are told at the end only.
"""

from __future__ import annotations

from typing import Any

from . import events


class Outbox:
    """Collects; `flush` puts in order; `take` hands over."""

    __slots__ = ("done", "inserts", "news", "workings", "rest", "trades", "positions", "wallets", "traded")

    def __init__(self) -> None:
        self.done: list[Any] = []
        self.inserts: list[events.OrderEvent] = []
        self.news: list[events.ExecutionEvent] = []
        self.workings: list[events.OrderEvent] = []
        self.rest: list[Any] = []
        self.trades: list[events.TradeEvent] = []
        self.positions: dict[Any, None] = {}
        self.wallets: dict[Any, Any] = {}
        self.traded: dict[Any, None] = {}

    def take(self) -> list[Any]:
        done, self.done = self.done, []
        return done

    def order_update(self, now: int, order, columns: dict[str, Any]) -> None:
        if not order.house:
            columns["cl_ord_id"] = order.cl_ord_id
            columns["timestamp"] = order.timestamp = now
            self.rest.append(events.OrderEvent(now, "update", order, columns))

    def touch(self, position) -> None:
        """Remember to tell this position and its wallet (house accounts: nothing)."""
        if not position.account.house:
            self.positions[position] = None

    def flush(self, now: int, markets) -> None:
        done = self.done
        for part in (self.inserts, self.news, self.workings, self.rest, self.trades):
            if part:
                done.extend(part)
                part.clear()
        for market in markets:
            if market.book.changed:
                self._books(now, market)
        if self.traded:
            for instrument in self.traded:
                columns = {"last_price": instrument.last_price, "last_tick_direction": instrument.last_tick_direction}
                done.append(events.InstrumentEvent(now, instrument.symbol, columns))
            self.traded.clear()
        if self.positions or self.wallets:
            self._accounts(now, done)

    def _books(self, now: int, market) -> None:
        book, done, symbol = market.book, self.done, market.symbol
        market.moved = True
        for side, price, size, old in book.take_changes():
            done.append(events.BookEvent(now, symbol, side, price, size, old))
        quote = book.quote()
        if quote != book.shown_quote:
            book.shown_quote = quote
            done.append(events.QuoteEvent(now, symbol, *quote))

    def tell_accounts_between(self, now: int) -> None:
        """Tell positions and margins as they are in the middle of a command, after new orders and before what becomes of them."""
        self._accounts(now, self.rest)

    def _accounts(self, now: int, done: list[Any]) -> None:
        wallets = self.wallets
        for position in self.positions:
            position.refresh_order_margin()
            wallets[position.wallet] = position.account
        images = {w: account.margin_image(w.currency) for w, account in wallets.items()}
        for wallet in wallets:
            for position in wallet.positions:
                if position.current_qty and not position.leverage_e2:
                    self.positions[position] = None
        for position in self.positions:
            equity = 0
            if position.current_qty and not position.leverage_e2:
                whole, unrealised = images[position.wallet], position.unrealised_pnl
                maint = position.margin(unrealised).maint_margin
                equity = whole.margin_balance - whole.maint_margin - unrealised + maint
            image = position.image(equity)
            if not image.shows(position.told):
                position.told = image
                done.append(events.PositionEvent(now, position.account.account_id, position.symbol, image))
        for wallet, account in wallets.items():
            image = images[wallet]
            if not image.shows(wallet.told, account.texts.shows_pending):
                wallet.told = image
                done.append(events.MarginEvent(now, account.account_id, wallet.currency, image))
        self.positions.clear()
        wallets.clear()
