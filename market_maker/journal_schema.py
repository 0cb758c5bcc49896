"""The tables of a run's journal: what is kept of a run, one SQLite file, so that everybody who reads or writes one means the same.

Rules:

* Money is an integer in the smallest unit of the settlement currency (satoshi for XBt); positive is received, but for fees, which are
  positive where paid. Prices are in quote currency, sizes and positions in contracts, times in Unix seconds by the venue's clock as
  far as we know it.
* Sides are `Buy` and `Sell`. Rows are only ever added; `seq` counts over all tables and gives the order in which things happened.
* No secret is in any table: settings without credentials, requests without headers.
* `input` holds what a run was told, in full, so that it can be fed to the same code again (in batches, compressed: see journal_inputs);
  back-tests leave it empty, since their data and seed do the same.
* `fill` holds every trade of the account in the symbol; ours are those whose cl_ord_id begins with ORDERID_PREFIX of the settings.

`about` (name, value as JSON): schema, version, kind (`paper`, `venue`, `dry-run`, `backtest`), symbol, started, ended, exit_code, settings (an
object), instrument (the row at the start), currency (such as `XBt`), market (one line: where the prices came from), market_effect (one
line: what our own orders do to them), seed (of the market and of the sizes, where there is one), start_balance and end_balance
(marginBalance), deposits (net of withdrawals, during the run).
"""
from __future__ import absolute_import, division, print_function

import re
from collections import OrderedDict

SCHEMA = 1
FILE_NAME = 'journal.sqlite'

# What a row of order_event tells. ASKED is what we sent, TOLD what became of the order.
ASKED = ('create', 'amend', 'cancel')
TOLD = ('rests', 'amended', 'partly filled', 'filled', 'cancelled', 'refused', 'unknown')

TABLES = """
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE input (seq INTEGER PRIMARY KEY, at REAL, kind TEXT NOT NULL, body BLOB);
CREATE TABLE decision (seq INTEGER PRIMARY KEY, at REAL NOT NULL, cause TEXT NOT NULL, bid REAL, ask REAL, position INTEGER,
                       margin_balance INTEGER, outcome TEXT NOT NULL);
CREATE TABLE order_event (seq INTEGER PRIMARY KEY, at REAL NOT NULL, decision INTEGER, cl_ord_id TEXT, order_id TEXT, what TEXT NOT NULL,
                          side TEXT, price REAL, size INTEGER, leaves INTEGER, filled INTEGER, reason TEXT);
CREATE TABLE fill (seq INTEGER PRIMARY KEY, at REAL NOT NULL, exec_id TEXT UNIQUE, cl_ord_id TEXT, order_id TEXT, side TEXT NOT NULL,
                   price REAL NOT NULL, size INTEGER NOT NULL, liquidity TEXT, cost INTEGER, fee INTEGER, bid REAL, ask REAL);
CREATE TABLE funding (seq INTEGER PRIMARY KEY, at REAL NOT NULL, exec_id TEXT UNIQUE, rate REAL, position INTEGER, cost INTEGER, fee INTEGER);
CREATE TABLE account (seq INTEGER PRIMARY KEY, at REAL NOT NULL, wallet_balance INTEGER, margin_balance INTEGER, available_margin INTEGER,
                      position INTEGER, avg_entry_price REAL, mark_price REAL, unrealised_pnl INTEGER);
CREATE TABLE touch (seq INTEGER PRIMARY KEY, at REAL NOT NULL, bid REAL, bid_size INTEGER, ask REAL, ask_size INTEGER);
CREATE TABLE note (seq INTEGER PRIMARY KEY, at REAL NOT NULL, level TEXT NOT NULL, text TEXT NOT NULL);
"""
# name of a table -> names of its columns, as written above
COLUMNS = OrderedDict((name, [column.split()[0] for column in re.split(r',\s*', columns)])
                      for name, columns in re.findall(r'CREATE TABLE (\w+) \((.*?)\);', TABLES, re.DOTALL))

# decision.cause: 'start', 'interval', 'market', 'account', 'orders', 'put off', 'error', 'waiting is over', 'stop';
# decision.outcome: 'nothing to do', 'sent: 2 amends, 1 create', 'waiting: <why>'.
# order_event.reason of what was asked: which rule made, moved or ended the order; of what was told: the venue's words, where it gave any.
# fill.bid and ask: the touch just before; fill.cost: execCost; touch: at most four rows a second, the newest of each quarter;
# account: on each change, at most one a second, and one at the start and the end; funding.position: contracts held then, cost: execCost,
# fee: execComm; note: what was logged at WARNING and above.
