"""Pure, safe for several threads: partial / insert / update / delete -> tables in memory; copies out.

Rules (bitmex-api.md 5.5):

* Nothing is applied to a table, or to a symbol of it, before its partial.
* A partial replaces everything within its filter, and nothing else; a second one may come at any time.
* Rows are found by the keys that the partial names, so that a row costs the same in a small table and in a large one.
* An update or a delete of a row that is not there harms nothing.
* One bad row does not cost the rest of its message.
* An order whose leavesQty is 0 is done and leaves the table; the venue sends no delete for it.
* Tables that only grow are capped.
* Readers get copies.
* One thread applies messages, any may read. What a row does to a table is one operation of a dict, which no other thread sees half done, so that
  only readers and images (partials) take the lock; where a dict is made of Python (2.7), every change takes it.
"""
from __future__ import absolute_import, division, print_function

import itertools
import threading
from operator import itemgetter

from market_maker.utils.compat import DICTS_ARE_ATOMIC, OrderedMap

MAX_TABLE_LEN = 200

# What identifies a row where the partial does not say (bitmex-api.md 5.5).
FALLBACK_KEYS = {
    'order': ('orderID',),
    'execution': ('execID',),
    'position': ('account', 'symbol'),
    'margin': ('account', 'currency'),
    'wallet': ('account', 'currency'),
    'instrument': ('symbol',),
    'orderBookL2': ('symbol', 'id', 'side'),
    'orderBookL2_25': ('symbol', 'id', 'side'),
    'orderBook10': ('symbol',),
    'liquidation': ('orderID',),
}
CAPPED = ('trade', 'quote', 'execution')


class _Table(object):
    """One table. `changes` are its three ways to change, by action: each takes rows and returns those that it could not apply, or None."""

    __slots__ = ('keys', 'key_of', 'rows', 'numbers', 'images', 'is_capped', 'ends_orders', 'changes', '_lock')

    def __init__(self, name, lock):
        self.images = set()           # symbols whose partial came; None stands for all of them
        self.is_capped = name in CAPPED
        self.ends_orders = name == 'order'
        self.changes = {}
        self._lock = lock
        self.set_keys(())

    def set_keys(self, keys):
        """Rows are found by these columns from now on; what was found by others is forgotten."""
        self.keys = keys
        self.rows = OrderedMap()     # key -> row; keyless rows are keyed by their number
        numbers = self.numbers = itertools.count()
        self.key_of = itemgetter(*keys) if keys else lambda row: next(numbers)
        update = _order_update if self.ends_orders else _update
        insert = _insert if keys or not self.is_capped else _append
        for action, change in (('insert', insert), ('update', update), ('delete', _delete)):
            self.changes[action] = change(self) if DICTS_ARE_ATOMIC else _with(self._lock, change(self))

    def has_image_of(self, row):
        return None in self.images or 'symbol' not in row or row['symbol'] in self.images


class Tables(object):
    """All tables of one connection. `apply` and `changes` are for one thread at a time, all else is safe from any."""

    def __init__(self):
        self._lock = threading.RLock()
        self._tables = {}
        self.changes = {}              # name of a table whose image came -> action -> function of rows, for who has no time for `apply`

    def reset(self):
        """Forget everything: a new connection begins."""
        with self._lock:
            self._tables.clear()
            self.changes.clear()

    def apply(self, message):
        """Apply one table message (a dict with table, action, data); return (rows applied, number of rows ignored).

        The message is ours from now on: its rows become those of the table. Rows of orders are copied.
        Raises ValueError for an action that does not exist.
        """
        name, action, rows = message['table'], message.get('action'), message.get('data') or []
        if action == 'partial':
            with self._lock:
                return self._partial(name, message, rows)
        if action not in ACTIONS:
            raise ValueError('unknown action %r on table %s' % (action, name))
        if name not in self.changes:
            return [], len(rows)
        bad = self.changes[name][action](rows)
        return ([row for row in rows if row not in bad], len(bad)) if bad else (rows, 0)

    def _partial(self, name, message, rows):
        table = self._tables.get(name)
        if table is None:
            table = self._tables[name] = _Table(name, self._lock)
            self.changes[name] = table.changes
        within = message.get('filter') or {}
        keys = tuple(message.get('keys') or ())
        if not keys or (rows and not all(key in rows[0] for key in keys)):
            keys = FALLBACK_KEYS.get(name, ()) if name not in CAPPED or name == 'execution' else ()
        if keys != table.keys:
            table.set_keys(keys)
        for key in [key for key, row in table.rows.items() if _is_within(row, within)]:
            del table.rows[key]
        table.images.add(within.get('symbol'))
        bad = table.changes['insert'](rows) or []
        return [row for row in rows if row not in bad] if bad else rows, len(bad)

    def merge(self, name, row):
        """Take a row that was read by REST into a table whose image has come: the columns it has replace those we know."""
        with self._lock:
            table = self._tables.get(name)
            if table is not None and table.has_image_of(row) and all(key in row for key in table.keys):
                table.rows.setdefault(table.key_of(row), {}).update(row)

    #
    # Reading
    #
    def has(self, name, symbol=None):
        """Whether the partial of a table (of a symbol of it) has come."""
        with self._lock:
            table = self._tables.get(name)
            return table is not None and (None in table.images or symbol in table.images or (symbol is None and bool(table.images)))

    def rows(self, name, **equal):
        """Copies of the rows whose columns equal those given, oldest first; [] for a table that is not there."""
        with self._lock:
            table = self._tables.get(name)
            if table is None:
                return []
            return [dict(row) for row in list(table.rows.values()) if all(row.get(key) == value for key, value in equal.items())]

    def row(self, name, **equal):
        """A copy of the newest such row, or None."""
        with self._lock:
            row = self._newest(name, equal)
            return None if row is None else dict(row)

    def pick(self, name, columns, **equal):
        """Those columns of the newest such row, as a list; None for each that is not there. Cheaper than a copy of a wide row."""
        with self._lock:
            row = self._newest(name, equal) or {}
            return [row.get(column) for column in columns]

    def best(self, name):
        """(highest buy, lowest sell) of a book; None for a side without rows."""
        with self._lock:
            table = self._tables.get(name)
            rows = [] if table is None else list(table.rows.values())
        prices = dict((side, [row['price'] for row in rows if row.get('side') == side and row.get('price')]) for side in ('Buy', 'Sell'))
        return max(prices['Buy']) if prices['Buy'] else None, min(prices['Sell']) if prices['Sell'] else None

    def _newest(self, name, equal):
        table = self._tables.get(name)
        if table is None:
            return None
        if len(table.keys) == 1 and len(equal) == 1 and table.keys[0] in equal:  # the usual case: straight by its key
            return table.rows.get(equal[table.keys[0]])
        for row in reversed(list(table.rows.values())):
            if all(row.get(key) == value for key, value in equal.items()):
                return row
        return None


# Each makes the function that changes a table in one way. They run for every message that comes: what they need is bound once.

def _update(table):
    known, key_of = table.rows, table.key_of

    def update(rows):
        bad = None
        for row in rows:
            try:
                known[key_of(row)].update(row)
            except UNFIT:
                bad = (bad or []) + [row]
        return bad
    return update


def _order_update(table):
    known, key_of = table.rows, table.key_of

    def update(rows):
        bad = None
        for row in rows:
            try:
                key = key_of(row)
                known[key].update(row)
                if _is_done(row):
                    del known[key]
            except UNFIT:
                bad = (bad or []) + [row]
        return bad
    return update


def _delete(table):
    known, key_of = table.rows, table.key_of

    def delete(rows):
        bad = None
        for row in rows:
            try:
                del known[key_of(row)]
            except UNFIT:
                bad = (bad or []) + [row]
        return bad
    return delete


def _insert(table):
    known, key_of, images, is_capped, ends_orders = table.rows, table.key_of, table.images, table.is_capped, table.ends_orders

    def insert(rows):
        bad, has_all = None, None in images
        for row in rows:
            try:
                if not (has_all or row.get('symbol') in images or 'symbol' not in row):
                    bad = (bad or []) + [row]
                elif not ends_orders:
                    known[key_of(row)] = row
                elif _is_done(row):
                    known.pop(key_of(row), None)
                else:
                    known[key_of(row)] = dict(row)  # who hears of orders may keep the row
            except UNFIT:
                bad = (bad or []) + [row]
        if is_capped:
            while len(known) > MAX_TABLE_LEN:
                del known[next(iter(known))]
        return bad
    return insert


def _append(table):
    """Insert, for tables that only grow and whose rows have no key: numbered as they come, the lowest numbers go first."""
    known, images, numbers, oldest = table.rows, table.images, table.numbers, itertools.count()

    def append(rows):
        bad, has_all = None, None in images
        for row in rows:
            try:
                if has_all or row.get('symbol') in images or 'symbol' not in row:
                    known[next(numbers)] = row
                else:
                    bad = (bad or []) + [row]
            except UNFIT:
                bad = (bad or []) + [row]
        while len(known) > MAX_TABLE_LEN:
            known.pop(next(oldest), None)
        return bad
    return append


def _with(lock, change):
    """The change while the lock is held."""
    def locked(rows):
        with lock:
            return change(rows)
    return locked


ACTIONS = ('insert', 'update', 'delete')
UNFIT = (KeyError, TypeError, IndexError, AttributeError)


def _is_done(order):
    leaves = order.get('leavesQty')
    return leaves is not None and leaves <= 0


def _is_within(row, within):
    return all(row.get(column, value) == value for column, value in within.items())
