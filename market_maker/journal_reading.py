"""Reading journals: of runs that are over, that are under way, or that were killed.

Rules:

* A journal is only ever read. One that is being written may be read at the same time: each question is answered with what is
  committed by then.
* What cannot be found or read is said in one line that names what there is.
"""
from __future__ import absolute_import, division, print_function

import json
import os
import sqlite3
import time
from collections import namedtuple

from market_maker.journal_schema import COLUMNS, FILE_NAME, SCHEMA
from market_maker.own_orders import is_ours
from market_maker.utils import errors

LAST = 'last'
QUIET_S = 30.0                 # a run that is under way writes more often than this

# One record per table of the schema, its columns by name, such as ROWS['fill'](seq, at, exec_id, ...).
ROWS = dict((name, namedtuple(str(name.title().replace('_', '')), columns)) for name, columns in COLUMNS.items())
_SELECT = dict((name, ' '.join(('SELECT', ', '.join(columns), 'FROM', name, 'ORDER BY seq'))) for name, columns in COLUMNS.items())
_COUNT = dict((name, ' '.join(('SELECT count(*) FROM', name))) for name in COLUMNS)
_LAST = [' '.join(('SELECT max(at) FROM', name)) for name in ('decision', 'order_event', 'touch', 'account')]


class Run(object):
    """One run. `connection` is an open sqlite3 connection, such as that of a Journal in memory.

    about -- the facts of the run (see journal_schema) as they stood when it was opened; name -- of its folder; path -- of its folder, or
    None in memory. The methods named after tables yield records in the order in which things happened.
    """

    def __init__(self, connection, name='', path=None):
        self._connection = connection
        self.name = name
        self.path = path
        self.about = dict((row[0], json.loads(row[1])) for row in connection.execute('SELECT name, value FROM about'))

    def decisions(self):
        return self._rows('decision')

    def order_events(self):
        return self._rows('order_event')

    def fills(self, ours=True):
        """Trades under the run's own prefix; with `ours` False all trades of the account in the symbol."""
        prefix = (self.about.get('settings') or {}).get('ORDERID_PREFIX') if ours else None
        return (row for row in self._rows('fill') if not prefix or is_ours(prefix, row.cl_ord_id))

    def fundings(self):
        return self._rows('funding')

    def accounts(self):
        return self._rows('account')

    def touches(self):
        return self._rows('touch')

    def notes(self):
        return self._rows('note')

    def input_batches(self):
        """The inputs as they are stored; journal_inputs reads them."""
        return self._rows('input')

    def count(self, table):
        """How many rows a table of the schema has."""
        return self._connection.execute(_COUNT[table]).fetchone()[0]

    def last_at(self):
        """When the last thing happened that the journal knows of; None where nothing did."""
        known = [self._connection.execute(query).fetchone()[0] for query in _LAST]
        known += [self.about.get('ended'), self.about.get('started')]
        return max([moment for moment in known if moment is not None] or [None])

    def state(self):
        """'over', 'under way', or 'cut off': it neither ended nor goes on."""
        if 'ended' in self.about:
            return 'over'
        return 'under way' if self.path and is_fresh(os.path.join(self.path, FILE_NAME)) else 'cut off'

    def close(self):
        self._connection.close()

    def _rows(self, table):
        make = ROWS[table]
        for row in self._connection.execute(_SELECT[table]):
            yield make(*row)


def open_run(name, runs_dir='runs'):
    """The Run of this name: 'last', a folder's path, a journal's path, or the name of a folder in `runs_dir`, its beginning or its end.

    Raises SettingsError, one line, when there is none, or more than one.
    """
    if name != LAST and os.path.isfile(name):
        return _open(name)
    if name != LAST and os.path.isfile(os.path.join(name, FILE_NAME)):
        return _open(os.path.join(name, FILE_NAME))
    names = run_names(runs_dir)
    if not names:
        raise errors.SettingsError('There are no runs in %s: a run of the bot makes one, unless RUNS_DIR is empty.' % os.path.abspath(runs_dir))
    found = names[-1:] if name == LAST else [one for one in names if one == name] or [
        one for one in names if one.startswith(name) or one.endswith(name)]
    if len(found) != 1:
        raise errors.SettingsError('%s is %s in %s. There %s: %s.' % (
            name, 'more than one run' if found else 'no run', os.path.abspath(runs_dir), 'are' if len(found or names) > 1 else 'is',
            _some(found or names)))
    return _open(os.path.join(runs_dir, found[0], FILE_NAME))


def run_names(runs_dir='runs'):
    """Names of the folders of runs, the oldest first; [] where there are none."""
    try:
        names = os.listdir(runs_dir)
    except OSError:
        return []
    return sorted(name for name in names if os.path.isfile(os.path.join(runs_dir, name, FILE_NAME)))


def list_runs(runs_dir='runs'):
    """(the Runs that can be read, the oldest first; names of those that cannot). Close each Run when done."""
    found, bad = [], []
    for name in run_names(runs_dir):
        try:
            found.append(_open(os.path.join(runs_dir, name, FILE_NAME)))
        except errors.SettingsError:
            bad.append(name)
    return found, bad


def is_fresh(path):
    """Whether a journal's file was written to a moment ago."""
    stamps = [os.stat(name).st_mtime for name in (path, path + '-wal') if os.path.exists(name)]
    return bool(stamps) and time.time() - max(stamps) < QUIET_S


def _open(path):
    folder = os.path.dirname(os.path.abspath(path))
    connection = None
    try:
        connection = sqlite3.connect(path)
        run = Run(connection, os.path.basename(folder), folder)
    except sqlite3.Error as error:
        if connection is not None:
            connection.close()
        raise errors.SettingsError('%s is not a journal that can be read (%s).' % (path, error))
    if run.about.get('schema', SCHEMA) != SCHEMA:
        run.close()
        raise errors.SettingsError('%s was written by another version of the bot (%s): this one reads journals of schema %d.' % (
            path, run.about.get('version'), SCHEMA))
    return run


def _some(names):
    return ', '.join(names[-8:]) + (' and %d older' % (len(names) - 8) if len(names) > 8 else '')
