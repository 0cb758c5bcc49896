"""Hand-made market data, and a venue whose market they are: a second of a recording is written in a line."""

from __future__ import annotations

import numpy as np

from bitmex_venue.engine import commands as cmd
from bitmex_venue.engine.instruments import specs
from bitmex_venue.market.importers import CLEAR, LEVEL, TOUCH, TRADE, Batch
from bitmex_venue.venue import Venue
from market_maker.backtest.book_market import BookMarket
from market_maker.backtest.lane import Model
from market_maker.backtest.tape import Tape
from market_maker.backtest.tape_market import TapeMarket

SECOND = 10**9
START = 1_534_377_600 * SECOND


def touch(second, bid, bid_size, ask, ask_size):
    return [(second, TOUCH, 1, bid, bid_size), (second, TOUCH, -1, ask, ask_size)]


def level(second, side, price, size):
    return [(second, LEVEL, side, price, size)]


def sold(second, price, size):
    return [(second, TRADE, -1, price, size)]


def bought(second, price, size):
    return [(second, TRADE, 1, price, size)]


def cleared(second):
    return [(second, CLEAR, 0, 0.0, 0.0)]


class HandMade:
    """Data of rows as above, in batches of `many`."""

    def __init__(self, *rows, many=1000):
        self.rows = sorted((row for part in rows for row in part), key=lambda row: row[0])
        self.many = many

    def describe(self):
        return ["made by hand"]

    def batches(self):
        for start in range(0, len(self.rows), self.many):
            time, kind, side, price, size = zip(*self.rows[start : start + self.many], strict=True)
            yield Batch(
                np.array([START + round(second * SECOND) for second in time], np.int64), np.array(kind, np.uint8),
                np.array(side, np.int8), np.array(price, np.float64), np.array(size, np.float64),
            )  # fmt: skip


def contract(symbol, profile="classic"):
    return next(spec for spec in specs(profile) if spec.symbol == symbol)


class Client:
    """A client of a venue on such data. Times are seconds of the recording, prices dollars of XBTUSD (classic) unless told otherwise."""

    def __init__(self, market, symbol, profile, begins):
        spec = contract(symbol, profile)
        self.tick, self.symbol, self.market = spec.price(1), symbol, market
        self.venue = Venue(profile, market, now=begins, balance={spec.settl_currency: 10**10})

    def at(self, second):
        self.venue.advance(START + round(second * SECOND))
        return self

    def place(self, side, price, quantity, **more):
        ticks = None if price is None else round(price / self.tick)
        return self.venue.execute(cmd.Place(self.venue.account_id, self.symbol, side, quantity, ticks, **more))

    def buy(self, price, quantity, **more):
        return self.place(1, price, quantity, **more)

    def sell(self, price, quantity, **more):
        return self.place(-1, price, quantity, **more)

    def amend(self, order, **change):
        if "price" in change:
            change["price"] = round(change["price"] / self.tick)
        return self.venue.execute(cmd.Amend(self.venue.account_id, order.order_id, **change))

    def cancel(self, order):
        return self.venue.execute(cmd.Cancel(self.venue.account_id, (order.order_id,)))

    @property
    def trades(self):
        """(second, side, contracts, dollars, maker or taker) of our fills, in their order."""
        kept = self.venue.history.executions.get(self.venue.account_id, ())
        words = {"AddedLiquidity": "maker", "RemovedLiquidity": "taker"}
        return [
            ((event.time - START) / SECOND, event.order.side, event.last_qty, event.last_px * self.tick, words[event.liquidity])
            for event in kept
            if event.exec_type == "Trade"
        ]

    @property
    def position(self):
        found = self.venue.exchange.accounts[self.venue.account_id].positions.get(self.symbol)
        return found.current_qty if found else 0

    @property
    def quote(self):
        book = self.venue.exchange.books[self.symbol]
        return book.levels(1, 1), book.levels(-1, 1)

    def close(self):
        assert self.venue.exchange.audit().ok


class Desk(Client):
    """Of hftbacktest's queues; `folder` is for its files."""

    def __init__(self, folder, data, queue="conservative", partial=True, each_change=False, symbol="XBTUSD", profile="classic"):
        spec = contract(symbol, profile)
        folder.mkdir(exist_ok=True)
        fees = spec.maker_fee_e8 / 1e8, spec.taker_fee_e8 / 1e8
        model = Model(spec.price(1), spec.lot_size, queue, partial, spec.is_inverse, 1.0, *fees)
        self.tape = Tape(str(folder), spec.price(1), spec.lot_size).write(data)
        self.is_partial = partial
        super().__init__(TapeMarket(self.tape, spec, model, "hand-made", each_change), symbol, profile, self.tape.opens)

    def close(self):
        super().close()
        position, _ = self.market.books()
        self.market.close()
        if not self.is_partial:  # the library counts no parts of orders
            assert round(position) == self.position


class BookDesk(Client):
    """Of the venue's own book."""

    def __init__(self, data, symbol="XBTUSD", profile="classic"):
        market = BookMarket(data, contract(symbol, profile), None)
        super().__init__(market, symbol, profile, market.begins)
