"""Looking at the whole of an exchange: does the money add up, and is it the same state as before?

Rules:

* positions of a contract add up to zero, and open interest is the sum of the longs;
* per currency, deposits - withdrawals = wallets (and what is on its way out of them) + realised and unrealised profit + fees
  + funding pool + insurance, exactly (unrealised at any mark whatever: it nets to minus the sum of position costs);
* the margin kept per wallet and the sums of resting orders equal what going through all orders gives;
* `digest` covers everything a later command could depend on.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from . import contract_math
from .accounts import Totals


class Audit(NamedTuple):
    """`positions`: sum of quantities by symbol (all 0); `money`: totals by currency (`left` all 0); `wrong`: other findings."""

    positions: dict[str, int]
    money: dict[str, Totals]
    wrong: list[str]

    @property
    def ok(self) -> bool:
        return not any(self.positions.values()) and not any(t.left for t in self.money.values()) and not self.wrong


def audit(exchange) -> Audit:
    """Add everything up, the slow way."""
    positions = {symbol: 0 for symbol in exchange.markets}
    longs = dict.fromkeys(exchange.markets, 0)
    currencies = sorted({m.instrument.spec.settl_currency for m in exchange.markets.values()})
    money = {}
    for account in exchange.accounts.values():
        for position in account.positions.values():
            positions[position.symbol] += position.current_qty
            longs[position.symbol] += max(0, position.current_qty)
    for currency in currencies:
        wallets = [a.wallets[currency] for a in exchange.accounts.values() if currency in a.wallets]
        held = sum(w.amount + w.on_its_way + p_sum(w) for w in wallets)
        money[currency] = Totals(
            sum(w.deposited for w in wallets), sum(w.withdrawn for w in wallets), held,
            exchange.clearing.fees.get(currency, 0), exchange.funding.pool.get(currency, 0),
            exchange.insurance.get(currency, 0),
        )  # fmt: skip
    wrong = [*check_sums(exchange), *check_books(exchange)]
    for symbol, total in longs.items():
        if exchange.instruments[symbol].open_interest != total:
            wrong.append(f"open interest of {symbol} is not {total}")
    return Audit(positions, money, wrong)


def p_sum(wallet) -> int:
    """Realised profit not yet swept, plus unrealised with the marks left out (they cancel over all accounts)."""
    return sum(p.realised_pnl - p.pos_cost for p in wallet.positions)


def check_sums(exchange) -> list[str]:
    """What is kept up to date in small steps against the whole sum."""
    wrong = []
    for account in exchange.accounts.values():
        for wallet in account.wallets.values():
            if wallet.realised != sum(p.realised_pnl for p in wallet.positions):
                wrong.append(f"realised of {account.account_id} {wallet.currency}")
            if wallet.init_margin != sum(p.order_margin.init_margin for p in wallet.positions):
                wrong.append(f"order margin of {account.account_id} {wallet.currency}")
        for position in account.positions.values():
            mine = [o for o in account.open.values() if o.position is position]
            if position.orders != len(mine):
                wrong.append(f"order count of {account.account_id} {position.symbol}")
            if account.house:
                continue
            sums = [0, 0, 0, 0]
            for order in mine:
                if order.level is not None:
                    at = 0 if order.side > 0 else 2
                    sums[at] += order.leaves_qty
                    sums[at + 1] += order.leaves_qty // position.instrument.lot_size * order.lot_value
            kept = [position.open_buy_qty, position.open_buy_cost, position.open_sell_qty, position.open_sell_cost]
            if sums != kept:
                wrong.append(f"open orders of {account.account_id} {position.symbol}: {kept} for {sums}")
            whole = contract_math.order_margin(position.k_e16, position.current_qty, *sums)
            if whole != position.order_margin:
                wrong.append(f"margin of {account.account_id} {position.symbol}")
    return wrong


def check_books(exchange) -> list[str]:
    wrong = []
    for market in exchange.markets.values():
        book = market.book
        if book.best_bid is not None and book.best_ask is not None and book.best_bid >= book.best_ask:
            wrong.append(f"book of {market.symbol} is crossed")
        for side in (1, -1):
            levels = list(book.side(side).in_order())
            if [level.price for level in levels] != sorted(book.side(side).levels, reverse=side > 0):
                wrong.append(f"levels of {market.symbol} out of order")
            if (levels[0].price if levels else None) != book.side(side).best:
                wrong.append(f"best of {market.symbol}")
            for level in levels:
                if level.size != level.external + sum(o.leaves_qty for o in level.orders()) or level.size <= 0:
                    wrong.append(f"size of {market.symbol} {level.price}")
    return wrong


_REFS = frozenset({"account", "position", "market", "prev", "next", "level"})


def _order_state(order) -> tuple:
    return tuple(getattr(order, name) for name in order.__slots__ if name not in _REFS)


def state(exchange) -> tuple:
    """Everything a later command could depend on, as plain values."""
    accounts = []
    for account in exchange.accounts.values():
        wallets = [
            (w.currency, w.amount, w.deposited, w.withdrawn, w.realised, w.init_margin, w.prev_realised, *w.held.values())
            for w in account.wallets.values()
        ]
        positions = [
            tuple(
                getattr(p, n) for n in p.__slots__ if n not in ("account", "wallet", "instrument", "texts", "reduce_only", "told")
            ) + (tuple(p.reduce_only),)
            for p in account.positions.values()
        ]  # fmt: skip
        accounts.append(
            (
                account.account_id, account.name, account.house, account.cancel_at, account.timer_at, wallets, positions,
                [_order_state(o) for o in account.open.values()], [_order_state(o) for o in account.ended.values()],
                [(cl, o.order_id) for cl, o in account.by_cl_ord_id.items()],
            )
        )  # fmt: skip
    instruments = [
        tuple(getattr(i, n) for n in i.__slots__ if n not in ("_values", "holders", "window"))
        + ([(p.account.account_id) for p in i.holders], list(map(tuple, i.window.minutes)), i.window.prev_price)
        for i in exchange.instruments.values()
    ]
    books = [
        [
            (level.price, level.size, level.external, [o.order_id for o in level.orders()])
            for side in (1, -1) for level in market.book.side(side).in_order()
        ]
        for market in exchange.markets.values()
    ]  # fmt: skip
    return (
        exchange.now, exchange.ids.count, sorted(exchange.timers.queue), accounts, instruments, books, sorted(exchange.orders),
        list(exchange.day_orders), sorted(exchange.clearing.fees.items()), sorted(exchange.funding.pool.items()),
        sorted(exchange.insurance.items()), exchange.clearing.self_trades, exchange.clearing.self_traded_qty, exchange.liquidation.taken,
        [[o.order_id for o in market.triggers.orders()] for market in exchange.markets.values()],
        sorted(exchange.trading.refusals.items()),
        [(symbol, [o.order_id for o in orders]) for symbol, orders in sorted(exchange.grids.parked.items())],
    )  # fmt: skip


def digest(exchange) -> str:
    """A fingerprint of `state`."""
    return hashlib.sha256(repr(state(exchange)).encode()).hexdigest()
