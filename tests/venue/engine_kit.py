"""A small desk for tests of the engine: an exchange with accounts, marks and money, and short ways to trade on it."""

from __future__ import annotations

from bitmex_venue.engine import commands as c
from bitmex_venue.engine import events as e
from bitmex_venue.engine.exchange import Exchange
from bitmex_venue.engine.instruments import specs
from bitmex_venue.engine.refusals import Refused

START = 1_600_000_000 * 10**9  # 2020-09-13 12:26:40 UTC
SECOND = 10**9
HOUR = 3600 * SECOND
ALICE, BOB, HOUSE = 100000, 100001, 1
GTC, IOC, FOK, DAY = "GoodTillCancel", "ImmediateOrCancel", "FillOrKill", "Day"
POST, REDUCE, CLOSE = ("ParticipateDoNotInitiate",), ("ReduceOnly",), ("Close",)


class Desk:
    """Alice and Bob with 10 XBT and 1,000,000 USDT each, and a house account; the indices stand at 10,000 and 300."""

    def __init__(self, texts="classic", balance=10**9, **options):
        self.exchange = Exchange(specs(texts), START, texts=texts, seed=7, **options)
        self.now = START
        for account in (ALICE, BOB, HOUSE):
            self.do(c.OpenAccount(account, house=account < 1000))
            if balance:
                self.do(c.Deposit(account, "XBt", balance))
                self.do(c.Deposit(account, "USDt", 10**12))
        self.index(10_000)
        self.do(c.SetIndex(".BETH", 300 * 10**8))
        self.events()

    def do(self, command, later=0):
        self.now += later
        return self.exchange.execute(self.now, command)

    def index(self, price):
        return self.do(c.SetIndex(".BXBT", round(price * 10**8)))

    def wait(self, ns):
        self.do(c.Advance(), later=ns)

    def ticks(self, price, symbol="XBTUSD"):
        return self.exchange.instruments[symbol].spec.to_ticks(price)

    def place(self, account, side, qty, price=None, symbol="XBTUSD", **more):
        ticks = self.ticks(price, symbol) if price is not None else None
        more.setdefault("ord_type", "Limit" if price is not None else "Market")
        return self.do(c.Place(account, symbol, side, qty, ticks, **more))

    def buy(self, account, qty, price=None, **more):
        return self.place(account, 1, qty, price, **more)

    def sell(self, account, qty, price=None, **more):
        return self.place(account, -1, qty, price, **more)

    def amend(self, order, price=None, **more):
        ticks = self.ticks(price, order.symbol) if price is not None else None
        return self.do(c.Amend(order.account_id, order.order_id, price=ticks, **more))

    def cancel(self, order):
        return self.do(c.Cancel(order.account_id, (order.order_id,)))[0]

    def events(self, kind=None):
        found = self.exchange.take_events()
        return [event for event in found if kind is None or isinstance(event, kind)]

    def position(self, account, symbol="XBTUSD"):
        return self.exchange.accounts[account].position_image(symbol)

    def margin(self, account, currency="XBt"):
        return self.exchange.accounts[account].margin_image(currency)

    def book(self, symbol="XBTUSD"):
        book = self.exchange.books[symbol]
        price = self.exchange.instruments[symbol].spec.price
        return [[(price(t), size) for t, size in book.levels(side)] for side in (1, -1)]

    def position_of(self, account, qty, price):
        """Let an account come by a position, from the house."""
        self.place(HOUSE, -1 if qty > 0 else 1, abs(qty), price)
        self.place(account, 1 if qty > 0 else -1, abs(qty), price, time_in_force=IOC)


def refusal(action, *args, **more):
    """The Refused an action raises; the exchange must be as it was; `desk` when the action is not a method of one."""
    desk = more.pop("desk", None) or getattr(action, "__self__", None)
    desk.do(c.Advance())  # what is due is not the command's doing
    before = desk.exchange.digest()
    try:
        action(*args, **more)
    except Refused as refused:
        assert desk.exchange.digest() == before, "a refused command changed the state"
        return refused
    raise AssertionError("was not refused")


__all__ = [name for name in dir() if not name.startswith("_")]
_ = e
