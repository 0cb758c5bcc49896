"""Journals that tests write by hand: a few rows, in memory, read as any other run."""

import json
import sqlite3

from market_maker.journal_reading import ROWS, Run
from market_maker.journal_schema import COLUMNS, TABLES

START = 1_790_000_000.0
XBTUSD = {
    "symbol": "XBTUSD",
    "isInverse": True,
    "multiplier": -100000000,
    "settlCurrency": "XBt",
    "lotSize": 100,
    "tickSize": 0.1,
    "makerFee": 0.0005,
    "takerFee": 0.0005,
    "quoteCurrency": "USD",
}
XBTUSD_2018 = dict(XBTUSD, lotSize=1, tickSize=0.5, makerFee=-0.00025, takerFee=0.00075)
ETHUSD = {
    "symbol": "ETHUSD",
    "isQuanto": True,
    "multiplier": 100,
    "settlCurrency": "XBt",
    "lotSize": 1,
    "tickSize": 0.01,
    "makerFee": 0.0005,
    "takerFee": 0.0005,
    "quoteCurrency": "USD",
}
XBTUSDT = {
    "symbol": "XBTUSDT",
    "multiplier": 1,
    "settlCurrency": "USDt",
    "lotSize": 100,
    "tickSize": 0.1,
    "makerFee": 0.0005,
    "takerFee": 0.0005,
    "quoteCurrency": "USDT",
}
SETTINGS = {"ORDERID_PREFIX": "mm_", "ORDER_TRANSPORT": "single", "MIN_POSITION": -10000, "MAX_POSITION": 10000}


class Writer:
    """Rows in the order of the calls; times are seconds from START. `run()` reads what is there."""

    def __init__(self, instrument=XBTUSD, path=":memory:", **about):
        self.connection = sqlite3.connect(path)
        self.connection.executescript(TABLES)
        self.seq = 0
        facts = {
            "schema": 1,
            "kind": "backtest",
            "symbol": instrument["symbol"],
            "started": START,
            "settings": SETTINGS,
            "instrument": instrument,
            "currency": instrument["settlCurrency"],
            "market": "made up by a test",
            "market_effect": "none",
        }
        self.about(**dict(facts, **about))

    def about(self, **facts):
        for name, value in facts.items():
            self.connection.execute("INSERT OR REPLACE INTO about VALUES (?, ?)", (name, json.dumps(value)))

    def add(self, table, at, **columns):
        self.seq += 1
        row = ROWS[table](**dict(dict.fromkeys(COLUMNS[table]), seq=self.seq, at=START + at, **columns))
        self.connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)

    def touch(self, at, bid, ask):
        self.add("touch", at, bid=bid, ask=ask, bid_size=100, ask_size=100)

    def account(self, at, balance, position=0, mark=None):
        self.add("account", at, margin_balance=balance, wallet_balance=balance, position=position, mark_price=mark)

    def fill(self, at, side, size, price, **columns):
        given = {"exec_id": f"e{self.seq}", "cl_ord_id": f"mm_{self.seq}", "liquidity": "maker", **columns}
        self.add("fill", at, side=side, size=size, price=price, **given)

    def order(self, at, what, name, side="Buy", price=None, **columns):
        self.add("order_event", at, what=what, cl_ord_id=name, side=side, price=price, **columns)

    def end(self, at, **facts):
        self.about(ended=START + at, **facts)
        return self.run()

    def run(self):
        self.connection.commit()
        return Run(self.connection, "20260921-120000-XBTUSD")
