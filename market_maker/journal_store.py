"""Where the rows of a journal go: into a file by a thread of its own, or into a connection that somebody holds in memory.

Rules:

* Adding a row costs an append, and never waits for a disk. A file is written about once a second, in one transaction, by a thread that
  alone holds its connection; what it has committed is readable after a `kill -9`.
* A disk that is full, or gone, or too slow is said once, and from then on rows are dropped: a bot trades on without its journal.
  What waits to be written is bounded.
* In memory there is no thread and no commit: rows are inserted in large batches, and before anybody reads.
"""
from __future__ import absolute_import, division, print_function

import logging
import os
import sqlite3
import zlib
from collections import deque

from market_maker.journal_inputs import encode
from market_maker.journal_schema import COLUMNS, TABLES
from market_maker.utils import threads
from market_maker.utils.clock import Wakeup

COMMIT_EVERY_S = 1.0
CLOSE_LIMIT_S = 5.0
UNFIT = (sqlite3.InterfaceError, sqlite3.ProgrammingError, OverflowError, ValueError)
BATCH = 5000                   # rows kept in memory before they are inserted there
MOST_ROWS, MOST_INPUTS = 200000, 50000  # that a writer may be behind
INSERT = dict((name, 'INSERT OR %s INTO %s VALUES (%s)' % ('REPLACE' if name == 'about' else 'IGNORE', name, ', '.join('?' * len(columns))))
              for name, columns in COLUMNS.items())

logger = logging.getLogger('root')


class MemoryStore(object):
    """Rows into a connection of the thread that calls. Reading goes through `connection`, which has them all."""

    def __init__(self, connection=None):
        self._connection = sqlite3.connect(':memory:') if connection is None else connection
        self._connection.executescript(TABLES)
        self._rows = []

    def add(self, row):
        """Take a pair (table, row)."""
        self._rows.append(row)
        if len(self._rows) >= BATCH:
            self._flush()

    def add_input(self, record):
        """A record of the inputs; kept nowhere: what makes a run in memory is at hand."""

    @property
    def connection(self):
        self._flush()
        return self._connection

    def close(self):
        self._flush()

    def _flush(self):
        rows, self._rows = self._rows, []
        insert(self._connection, rows)


class FileStore(object):
    """Rows into a new file, which only its owner may read; `also()` is called by its thread each second.

    Raises OSError when the file cannot be made; calling `close` again is harmless. `add` takes a pair (table, row), `add_input` a record of
    the inputs (see `inputs`): from any thread, in the order of the calls, and each is an append and no more.
    """

    def __init__(self, path, also=None):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        self._path = path
        self._also = also or _nothing
        self._rows, self._inputs = deque(maxlen=MOST_ROWS), deque(maxlen=MOST_INPUTS)
        self.add, self.add_input = self._rows.append, self._inputs.append
        self._squeeze = zlib.compressobj(6)
        self._is_closing = False
        self._wakeup = Wakeup()
        self._thread = threads.start(self._run, 'journal')

    def close(self):
        """Write what is left; waits for a few seconds at most."""
        if not self._is_closing:
            self._is_closing = True
            self._wakeup.set()
            self._thread.join(CLOSE_LIMIT_S)
            if not self._thread.is_alive():
                self._wakeup.close()
                self._also()  # what was said after an error that had ended it

    def _run(self):
        connection = None
        try:
            connection = self._open()
            is_last = False
            while not is_last:
                self._wakeup.wait(COMMIT_EVERY_S)
                is_last = self._is_closing
                self._write(connection)
                self._also()
        except (sqlite3.Error, IOError, OSError) as error:
            logger.warning('The journal of this run ends here: %s cannot be written (%s). Trading goes on without it.', self._path, error)
            self._drop_what_comes()
        finally:
            if connection is not None:
                connection.close()

    def _open(self):
        connection = sqlite3.connect(self._path, isolation_level=None)
        connection.execute('PRAGMA journal_mode = WAL')  # readers and the writer do not wait for each other
        connection.execute('PRAGMA synchronous = NORMAL')
        connection.executescript('BEGIN;' + TABLES + 'COMMIT;')
        return connection

    def _drop_what_comes(self):
        while not self._is_closing:
            _taken(self._rows), _taken(self._inputs)
            self._also()
            self._wakeup.wait(COMMIT_EVERY_S)

    def _write(self, connection):
        if len(self._rows) == MOST_ROWS or len(self._inputs) == MOST_INPUTS:
            raise sqlite3.OperationalError('the disk is too slow')
        rows, records = _taken(self._rows), _taken(self._inputs)
        if records:
            rows.append(('input', self._squeezed(records)))
        if rows:
            connection.execute('BEGIN')
            insert(connection, rows)
            connection.execute('COMMIT')

    def _squeezed(self, records):
        """One row. The batches are one compressed stream, so that each costs no more than what is new in it."""
        body = self._squeeze.compress(encode(records)) + self._squeeze.flush(zlib.Z_SYNC_FLUSH)
        return (None, None, 'zlib', sqlite3.Binary(body))


def _nothing():
    pass


def _taken(queue):
    """All that is in a queue now; others may go on adding."""
    found = []
    for _ in range(len(queue)):
        found.append(queue.popleft())
    return found


def insert(connection, rows):
    """Insert (table, row) pairs. A row whose key is there already is left out; a fact about the run replaces the one before.

    A row with what SQLite cannot hold (a venue may send anything) is left out too.
    """
    by_table = {}
    for table, row in rows:
        by_table.setdefault(table, []).append(row)
    for table, some in by_table.items():
        try:
            connection.executemany(INSERT[table], some)
        except UNFIT:
            for row in some:  # those before it are there already, which does no harm
                try:
                    connection.execute(INSERT[table], row)
                except UNFIT:
                    continue
