"""Pure, locked: partial / insert / update / delete -> tables in memory; copies out.

Rules (bitmex-api.md 5.5):

* Nothing is applied to a table, or to a symbol of it, before its partial.
* A partial replaces everything within its filter, and nothing else; a second one may come at any time.
* Rows are found by the keys that the partial names, so that a row costs the same in a small table and in a large one.
* An update or a delete of a row that is not there harms nothing.
* One bad row does not cost the rest of its message.
* An order whose leavesQty is 0 is done and leaves the table; the venue sends no delete for it.
* Tables that only grow are capped.
* Readers get copies.
"""
from __future__ import absolute_import, division, print_function

import itertools
import threading
from operator import itemgetter

from market_maker.utils.compat import OrderedMap

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
    __slots__ = ('keys', 'key_of', 'rows', 'images', 'is_capped', 'ends_orders')

    def __init__(self, name):
        self.rows = OrderedMap()     # key -> row; keyless rows are keyed by their number
        self.images = set()           # symbols whose partial came; None stands for all of them
        self.is_capped = name in CAPPED
        self.ends_orders = name == 'order'
        self.set_keys(())

    def set_keys(self, keys):
        """Rows are found by these columns from now on; what was found by others is forgotten."""
        self.keys = keys
        self.rows = OrderedMap()
        numbers = itertools.count()
        self.key_of = itemgetter(*keys) if keys else lambda row: next(numbers)

    def has_image_of(self, row):
        return None in self.images or 'symbol' not in row or row['symbol'] in self.images


class Tables(object):
    """All tables of one connection. Every method is safe from any thread."""

    def __init__(self):
        self._lock = threading.RLock()
        self._tables = {}

    def reset(self):
        """Forget everything: a new connection begins."""
        with self._lock:
            self._tables = {}

    def apply(self, message):
        """Apply one table message (a dict with table, action, data); return (rows applied, number of rows ignored).

        The message is ours from now on: its rows become those of the table. Rows of orders are copied.
        Raises ValueError for an action that does not exist.
        """
        name, action, rows = message['table'], message.get('action'), message.get('data') or []
        with self._lock:
            if action == 'partial':
                return self._partial(name, message, rows)
            change = _ACTIONS.get(action)
            if change is None:
                raise ValueError('unknown action %r on table %s' % (action, name))
            table = self._tables.get(name)
            if table is None:
                return [], len(rows)
            bad = change(table, rows)
            if bad:
                return [row for row in rows if row not in bad], len(bad)
            return rows, 0

    def _partial(self, name, message, rows):
        table = self._tables.get(name)
        if table is None:
            table = self._tables[name] = _Table(name)
        within = message.get('filter') or {}
        keys = tuple(message.get('keys') or ())
        if not keys or (rows and not all(key in rows[0] for key in keys)):
            keys = FALLBACK_KEYS.get(name, ()) if name not in CAPPED or name == 'execution' else ()
        if keys != table.keys:
            table.set_keys(keys)
        for key in [key for key, row in table.rows.items() if _is_within(row, within)]:
            del table.rows[key]
        table.images.add(within.get('symbol'))
        bad = _insert(table, rows)
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
            return [dict(row) for row in table.rows.values() if all(row.get(key) == value for key, value in equal.items())]

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

    def _newest(self, name, equal):
        table = self._tables.get(name)
        if table is None:
            return None
        if len(table.keys) == 1 and len(equal) == 1 and table.keys[0] in equal:  # the usual case: straight by its key
            return table.rows.get(equal[table.keys[0]])
        for row in reversed(table.rows.values()):
            if all(row.get(key) == value for key, value in equal.items()):
                return row
        return None


# Each applies the rows of a message and returns those that it could not apply.

def _update(table, rows):
    known, key_of, bad = table.rows, table.key_of, []
    for row in rows:
        try:
            found = known[key_of(row)]
        except _UNFIT:
            bad.append(row)
            continue
        found.update(row)
        if table.ends_orders and _is_done(found):
            del known[key_of(found)]
    return bad


def _delete(table, rows):
    known, key_of, bad = table.rows, table.key_of, []
    for row in rows:
        try:
            del known[key_of(row)]
        except _UNFIT:
            bad.append(row)
    return bad


def _insert(table, rows):
    known, key_of, bad, has_all = table.rows, table.key_of, [], None in table.images
    for row in rows:
        try:
            if not (has_all or table.has_image_of(row)):
                bad.append(row)
                continue
            key = key_of(row)
        except _UNFIT:
            bad.append(row)
            continue
        if not table.ends_orders:
            known[key] = row
        elif _is_done(row):
            known.pop(key, None)
        else:
            known[key] = dict(row)     # who hears of orders may keep the row
    if table.is_capped:
        while len(known) > MAX_TABLE_LEN:
            del known[next(iter(known))]
    return bad


_UNFIT = (KeyError, TypeError, IndexError)
_ACTIONS = {'insert': _insert, 'update': _update, 'delete': _delete}


def _is_done(order):
    leaves = order.get('leavesQty')
    return leaves is not None and leaves <= 0


def _is_within(row, within):
    return all(row.get(column, value) == value for column, value in within.items())
