"""The journal of a run: what happened and why, written down as it happens. Nothing here decides anything.

Rules:

* Writing never raises and never waits. Without a journal everything is told to NO_JOURNAL, which does nothing.
* Of an order is kept what was asked, with the rule that asked for it, and what became of it. The rule comes from where it was
  decided: `plan` takes the reasons by orderID, of new orders by (side, price); what no plan names is put down to `because`.
* What changes all the time is thinned: the touch to the newest of each quarter of a second, the account to one row a second.
* Trades before the run are not in it, and no trade is in it twice. The touch of a trade is the one before it, by the venue's time.

The rows that a venue sends are handed over as they are (`rows`); `now` gives the time of the venue, and does not count as an input.
Not thread-safe but for `note`: one thread at a time makes decisions.
"""
from __future__ import absolute_import, division, print_function

import itertools
import json
import logging
import time
from collections import deque
from contextlib import contextmanager

from market_maker.inputs import PASSED_ON, KeptInputs
from market_maker.journal_schema import SCHEMA
from market_maker.journal_store import FileStore, MemoryStore
from market_maker.utils import constants, log
from market_maker.utils.compat import string_types, to_text

TOUCH_EVERY_S = 0.25
ACCOUNT_EVERY_S = 1.0
TOUCHES_KEPT = 32
CHARGES = ('Funding',)
TRADES = ('Trade', 'Liquidation', 'Bankruptcy', 'Settlement')
ACCOUNT_COLUMNS = ('walletBalance', 'marginBalance', 'availableMargin', 'currentQty', 'avgEntryPrice', 'markPrice', 'unrealisedPnl')
BY_HAND = 'asked for by the strategy'


class Journal(object):
    """A run's journal.

    path -- of a file that must not exist yet, ':memory:', or an open sqlite3 connection: the latter two for runs on simulated time,
    which have no thread and write in large batches. about -- facts of the run (see journal_schema). keeps_inputs -- whether what the
    run is told is kept as well, so that it can be computed again; only with a file. now -- seconds by the venue's clock; the client
    that is given the journal sets it. Raises OSError when the file cannot be made. `inputs` is what all that comes from outside passes
    through on its way to the client and to the loop. also -- called about once a second by the thread that writes the file.
    """

    def __init__(self, path, about=None, keeps_inputs=True, now=time.time, also=None):
        is_file = isinstance(path, string_types) and path != ':memory:'
        self._store = FileStore(path, also) if is_file else MemoryStore(None if path == ':memory:' else path)
        self._add = self._store.add        # of (table, row)
        self.inputs = KeptInputs(self._store.add_input) if keeps_inputs and is_file else PASSED_ON
        self.now = now
        self.decision = None               # the number of the one that is under way
        self._numbers = itertools.count(1)
        self._cause = None
        self._reasons, self._because = {}, BY_HAND
        self._touch = (None, None, None, None)
        self._touch_quarter, self._is_touch_due = None, False
        self._touches = deque(maxlen=TOUCHES_KEPT)  # (the venue's time of it, touch), one of each such time, for fills
        self._account, self._account_at, self._is_account_due = {}, None, False
        self._symbol = self._currency = None
        self._executions = None            # execIDs of the time before the run
        self._takes = {'quote': self._quote, 'margin': self._margin, 'position': self._position, 'execution': self._execution}
        self.about(schema=SCHEMA, version=constants.VERSION, **(about or {}))

    #
    # The run
    #
    def about(self, **facts):
        """Facts of the run, by name; a later value replaces an earlier one. What JSON cannot say becomes text."""
        for name, value in facts.items():
            self._add(('about', (name, to_text(json.dumps(value, sort_keys=True, default=str)))))

    def begin(self, symbol, currency, instrument):
        """From now on rows are about this symbol and the currency it settles in. Calling again, after a new start, is harmless."""
        if self._symbol is None:
            self.about(symbol=symbol, currency=currency, instrument=instrument, started=self.now())
        self._symbol, self._currency = symbol, currency

    def close(self, **facts):
        """The run is over: the last touch and account, then the facts that are known now. Calling again is harmless."""
        now = self.now()
        self._flush_touch(now)
        self._write_account(now)
        self.about(ended=now, **facts)
        self._store.close()

    @property
    def connection(self):
        """Of a journal in memory: the connection that holds all rows."""
        return self._store.connection

    #
    # Decisions
    #
    def begin_decision(self, cause):
        """A look at the market begins; `cause` is what brought it about."""
        self.decision, self._cause = next(self._numbers), cause

    def end_decision(self, outcome):
        """What came of it. Touch, position and balance are those that the rows told last."""
        if self.decision is not None:
            bid, _, ask, _ = self._touch
            account = self._account
            self._add(('decision', (self.decision, self.now(), self._cause, bid, ask, account.get('currentQty'),
                                    account.get('marginBalance'), outcome)))
        self.decision, self._reasons = None, {}

    def plan(self, reasons):
        """Why orders are about to be asked for: {orderID or (side, price): reason}."""
        self._reasons = reasons

    @contextmanager
    def because(self, reason):
        """What is asked for within the block, and is in no plan, has this reason."""
        before, self._because = self._because, reason
        try:
            yield
        finally:
            self._because = before

    #
    # Orders
    #
    def asked(self, what, order, known=None):
        """An order request is about to leave: 'create', 'amend' or 'cancel', with the order as it is asked for. `known` is its row."""
        get, row = order.get, known or order
        order_id, side, price = get('orderID'), get('side') or row.get('side'), get('price')
        self._add(('order_event', (
            next(self._numbers), self.now(), self.decision, get('clOrdID') or row.get('clOrdID'), order_id, what, side, price, get('orderQty'),
            row.get('leavesQty'), row.get('cumQty'), self._reasons.get(order_id or (side, price), self._because))))

    def told(self, what, row, reason=None):
        """Something became of an order; `row` says how it stands, `reason` are the venue's words."""
        get = row.get
        self._add(('order_event', (next(self._numbers), self.now(), self.decision, get('clOrdID'), get('orderID') or None, what, get('side'),
                                   get('price'), get('orderQty'), get('leavesQty'), get('cumQty'), reason)))

    #
    # Rows of the venue
    #
    def rows(self, table, rows, is_image=False):
        """Rows of a realtime table as they were applied; `is_image` tells that they are a partial. Other tables are passed over."""
        take = self._takes.get(table)
        if take is not None:
            take(rows, is_image)

    def trades(self, rows):
        """Executions since the start of the run that were read by REST: those missed while the line was down are made up for."""
        self._execution(rows, False, is_late=True)

    def _quote(self, rows, is_image):
        row = rows[-1] if rows else {}
        if row.get('symbol') != self._symbol:
            return
        touch = row.get('bidPrice'), row.get('bidSize'), row.get('askPrice'), row.get('askSize')
        if touch == self._touch:
            return
        now = self.now()
        if self._is_touch_due and now // TOUCH_EVERY_S != self._touch_quarter:
            self._flush_touch(now)
        self._touch, self._touch_quarter, self._is_touch_due = touch, now // TOUCH_EVERY_S, True
        self._touch_at = now
        if self._touches and self._touches[-1][0] == row.get('timestamp'):
            self._touches.pop()
        self._touches.append((row.get('timestamp'), touch))

    def _touch_before(self, row):
        """The touch just before a trade. The quotes that it moved are often told first: they bear its time, or a later one."""
        traded = row.get('timestamp')  # transactTime may be that of the order
        for stamp, touch in reversed(self._touches):
            if not traded or not stamp or stamp < traded:
                return touch
        return self._touches[0][1] if self._touches else self._touch

    def _flush_touch(self, now):
        if self._is_touch_due:
            self._add(('touch', (next(self._numbers), self._touch_at) + self._touch))
            self._is_touch_due = False

    def _margin(self, rows, is_image):
        for row in rows:
            if row.get('currency') == self._currency:
                self._note_account(row, ('walletBalance', 'marginBalance', 'availableMargin'))

    def _position(self, rows, is_image):
        for row in rows:
            if row.get('symbol') == self._symbol:
                self._note_account(row, ('currentQty', 'avgEntryPrice', 'markPrice', 'unrealisedPnl'))

    def _note_account(self, row, columns):
        account = self._account
        for column in columns:
            if column in row and account.get(column) != row[column]:
                account[column] = row[column]
                self._is_account_due = True
        if self._is_account_due:
            now = self.now()
            if self._account_at is None or now - self._account_at >= ACCOUNT_EVERY_S:
                self._write_account(now)

    def _write_account(self, now):
        if self._is_account_due:
            self._add(('account', (next(self._numbers), now) + tuple(self._account.get(column) for column in ACCOUNT_COLUMNS)))
            self._account_at, self._is_account_due = now, False

    def _execution(self, rows, is_image, is_late=False):
        if self._executions is None:
            self._executions = set(row.get('execID') for row in rows) if is_image else set()
            if is_image:
                return
        for row in rows:
            if row.get('execID') in self._executions or row.get('symbol') != self._symbol:
                continue
            if row.get('execType') in TRADES and row.get('lastQty'):
                self._executions.add(row['execID'])
                self._fill(row, (None, None, None, None) if is_late else self._touch_before(row))
            elif row.get('execType') in CHARGES:
                self._executions.add(row['execID'])
                held = (row.get('lastQty') or 0) * (-1 if (self._account.get('currentQty') or 0) < 0 else 1)
                self._add(('funding', (next(self._numbers), self.now(), row['execID'], row.get('commission'), held, row.get('execCost'),
                                       row.get('execComm'))))

    def _fill(self, row, touch):
        liquidity = {'AddedLiquidity': 'maker', 'RemovedLiquidity': 'taker'}.get(row.get('lastLiquidityInd'))
        side = row.get('side') or ('Buy' if (row.get('homeNotional') or 0) > 0 else 'Sell')
        self._add(('fill', (next(self._numbers), self.now(), row['execID'], row.get('clOrdID'), row.get('orderID'), side,
                            row.get('lastPx'), row['lastQty'], liquidity, row.get('execCost'), row.get('execComm'), touch[0], touch[2])))

    #
    # What was said
    #
    def note(self, level, text):
        """A line of the log. Safe from any thread."""
        self._add(('note', (next(self._numbers), self.now(), level, text)))


class NoJournal(object):
    """Takes everything and keeps nothing."""

    __slots__ = ()
    inputs = PASSED_ON
    decision = None
    now = property(lambda self: time.time, lambda self, value: None)

    def _nothing(self, *arguments, **options):
        pass

    about = begin = close = begin_decision = end_decision = plan = asked = told = rows = trades = note = _nothing

    @contextmanager
    def because(self, reason):
        yield


NO_JOURNAL = NoJournal()


class NoteHandler(logging.Handler):
    """Puts what is logged at WARNING and above into a journal, without secrets."""

    def __init__(self, journal):
        super(NoteHandler, self).__init__(logging.WARNING)
        self._journal = journal

    def emit(self, record):
        self._journal.note(record.levelname, log.message_of(record))
