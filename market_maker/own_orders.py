"""The state of our orders: acknowledgements, realtime rows and unknown outcomes merged into one truth.

An order goes through these states::

    PENDING_NEW    sent, no answer yet                        -> LIVE, DONE, UNKNOWN
    LIVE           the venue holds it                         -> PENDING_AMEND, PENDING_CANCEL, DONE
    PENDING_AMEND  an amend is on its way                     -> LIVE, DONE, UNKNOWN
    PENDING_CANCEL a cancel is on its way                     -> LIVE, DONE
    UNKNOWN        a request of which the outcome is unknown  -> LIVE, DONE
    DONE           filled, canceled, refused; final

Rules:

* The same fact may come by reply, by realtime row and by REST list, in any order, late, doubled or not at all.
* cumQty never goes down and DONE is never left, unless it was a refusal and the venue shows the order all the same; of the rest the
  row with the later timestamp counts.
* An unknown outcome is not a rejection: the order counts as resting until the venue says what became of it, or until the
  request can no longer arrive (`settle_by`). An amend of which a newer row shows the effect has arrived, whatever became of its answer;
  but one that was sent twice may do so again.
* Such an order may still be cancelled: an amend that arrives after that is refused. A cancel that failed settles nothing about it.
* Only orders under our prefix and of our symbol are looked at. What is longer than our names are has a longer prefix that begins like ours.
* An order under our prefix that this process did not send, and that was not there when it started, is a stranger.
* A row that ends an order without saying what of it was filled leaves that open: until it was looked up, what was left of it may have been.
* What each order may still fill is counted at its worst: the larger of what it is and of what an amend in flight makes it.
"""
from __future__ import absolute_import, division, print_function

import threading
from collections import OrderedDict

PENDING_NEW, LIVE, PENDING_AMEND, PENDING_CANCEL, UNKNOWN, DONE = (
    'pending new', 'live', 'pending amend', 'pending cancel', 'unknown', 'done')

TERMINAL = frozenset(['Filled', 'Canceled', 'Rejected', 'Expired', 'Stopped', 'DoneForDay'])
NO_ANSWER = 'no answer: it may have taken effect'
GONE = 'the venue does not list it any more'
TAIL = 22                      # characters of a clOrdID after the prefix, at most
DONE_KEPT = 2000               # ended orders remembered, so that late rows do not bring them back
KEPT = ('orderID', 'clOrdID', 'symbol', 'side', 'price', 'orderQty', 'cumQty')  # of their rows


def is_ours(prefix, cl_ord_id):
    """Whether a clOrdID carries this prefix."""
    return bool(cl_ord_id) and cl_ord_id.startswith(prefix) and len(cl_ord_id) <= len(prefix) + TAIL


class _Order(object):
    __slots__ = ('row', 'state', 'amend', 'is_shown', 'is_repeated', 'settle_by', 'told_at')

    def __init__(self, row, state):
        self.row = row
        self.state = state
        self.amend = None          # what an amend in flight or of unknown outcome asks for
        self.is_shown = False      # a row showed its effect
        self.is_repeated = False   # it was sent more than once: another of it may arrive although one has
        self.settle_by = None      # unix seconds after which a request of unknown outcome can no longer arrive
        self.told_at = 0           # the version at which a row last spoke of it

    def leaves(self):
        return max(0, (self.row.get('orderQty') or 0) - (self.row.get('cumQty') or 0))

    def marks(self):
        """What whoever plans has to know besides the row."""
        if self.state == LIVE:
            return {}
        return {'inFlight': True, 'inDoubt': True} if self.state == UNKNOWN and self.row['orderID'] else {'inFlight': True}

    def has_arrived(self):
        """Whether nothing of a request of unknown outcome is under way any more, now that a row speaks of the order."""
        return self.amend is None or (self.is_shown and not self.is_repeated)

    def worst_leaves(self):
        """What it may still fill, whichever of the two quantities turns out to be true."""
        leaves = self.leaves()
        if self.amend and self.amend.get('orderQty') is not None:
            leaves = max(leaves, self.amend['orderQty'] - (self.row.get('cumQty') or 0))
        return leaves


class OwnOrders(object):
    """All our orders of one symbol. Every method is safe from any thread; rows in are copied, rows out are copies.

    on_fill(row, quantity), when given, is called once for each increase of an order's cumQty, whichever way it became known.
    journal, when given, is told what is asked for (`asked(what, order, row)`) and what became of it (`told(what, row, reason)`).
    """

    def __init__(self, prefix, symbol, on_fill=None, journal=None):
        self._journal = journal or _Nobody()
        self.prefix = prefix
        self.symbol = symbol
        self.on_fill = on_fill
        self._lock = threading.RLock()
        self._orders = OrderedDict()       # clOrdID -> _Order that is not done
        self._by_order_id = {}             # orderID -> clOrdID
        self._done = OrderedDict()         # clOrdID -> what is kept of ended orders' rows
        self._half_told = {}               # clOrdID of ended orders of which it was not told what was filled -> version
        self._refused = set()              # those of them that never were, as far as we were told
        self._strangers = []
        self._sealed = False
        self.version = 0                   # goes up with everything that may have changed something

    #
    # What we ask for
    #
    def sending_new(self, order):
        """An order is about to be sent; `order` has clOrdID, side, orderQty (positive) and price."""
        with self._lock:
            row = {'orderID': '', 'clOrdID': order['clOrdID'], 'symbol': self.symbol, 'side': order['side'],
                   'orderQty': order['orderQty'], 'leavesQty': order['orderQty'], 'cumQty': 0, 'price': order.get('price'),
                   'ordStatus': 'PendingNew', 'timestamp': ''}
            self._forget_end(order['clOrdID'])  # refused before, and sent again under its name
            self._orders[order['clOrdID']] = _Order(row, PENDING_NEW)
            self._journal.asked('create', order)

    def sending_amend(self, amend):
        """An amend is about to be sent; `amend` has orderID and the new orderQty and price."""
        self._pend(amend.get('orderID'), PENDING_AMEND, dict(amend), 'amend')

    def sending_cancel(self, order_ids):
        for order_id in order_ids:
            self._pend(order_id, PENDING_CANCEL, None, 'cancel')

    def _pend(self, order_id, state, amend, what):
        with self._lock:
            order = self._orders.get(self._by_order_id.get(order_id))
            self._journal.asked(what, amend or {'orderID': order_id}, None if order is None else order.row)
            if order is not None and order.state == LIVE:
                order.state, order.amend, order.is_shown, order.is_repeated = state, amend, False, False

    #
    # What comes back
    #
    def merge(self, rows):
        """Rows of the order table from anywhere: a reply, the realtime feed, a REST list. Foreign rows are ignored."""
        with self._lock:
            self.version += 1
            for row in rows:
                self._merge(row)

    def answered(self, order_ids=(), cl_ord_ids=()):
        """The request about these orders was answered, with success or not: nothing of it is in flight any more. What is unknown of an
        earlier one stays so."""
        with self._lock:
            self.version += 1
            for cl_ord_id in self._names(order_ids, cl_ord_ids):
                order = self._orders.get(cl_ord_id)
                if order is not None and order.state in (PENDING_AMEND, PENDING_CANCEL):
                    order.state, order.amend = LIVE, None

    def refused(self, cl_ord_ids, reason=None):
        """New orders that the venue refused, or that certainly never left: they do not exist."""
        with self._lock:
            self.version += 1
            for cl_ord_id in cl_ord_ids:
                if cl_ord_id in self._orders:
                    self._journal.told('refused', self._orders[cl_ord_id].row, reason)
                    self._end(cl_ord_id)
                    self._refused.add(cl_ord_id)

    def outcome_unknown(self, settle_by, order_ids=(), cl_ord_ids=(), is_repeated=False):
        """No answer came. Until `settle_by` (unix seconds) the request may still take effect; when it was sent more than once, also again."""
        with self._lock:
            for cl_ord_id in self._names(order_ids, cl_ord_ids):
                order = self._orders.get(cl_ord_id)
                if order is None:
                    continue
                order.is_repeated = is_repeated
                if order.state == PENDING_AMEND and order.has_arrived():
                    order.state, order.amend = LIVE, None  # a row has told already
                    continue
                order.state, order.settle_by = UNKNOWN, settle_by
                self._journal.told('unknown', order.row, NO_ANSWER)

    def reconcile(self, open_rows, looked_up, now, asked_at=None):
        """Take the venue's word: `open_rows` is its list of open orders, `looked_up` are rows of orders asked for by clOrdID.

        An order in neither list is gone, unless a request about it may still arrive, or a row came since `asked_at` (the `version` before
        the first list was asked for): then the lists may be older than it. Returns whether there is such an order, so that the lists must
        be read again. Both must have been asked for after the last request was answered; `now` in unix seconds.
        """
        with self._lock:
            self.version += 1
            listed, is_newer = set(), False
            for row in list(open_rows) + list(looked_up):
                listed.add(row.get('clOrdID'))
                self._merge(row)
            for cl_ord_id, order in list(self._orders.items()):
                settled = order.settle_by is None or now >= order.settle_by
                if cl_ord_id in listed:
                    if settled:
                        order.state, order.amend, order.settle_by = LIVE, None, None
                elif asked_at is not None and order.told_at > asked_at:
                    is_newer = True
                elif settled or order.row['orderID']:
                    self._journal.told('cancelled', order.row, GONE)
                    self._end(cl_ord_id)
            self._half_told = dict(item for item in self._half_told.items() if asked_at is not None and item[1] > asked_at)
            return is_newer

    def _names(self, order_ids, cl_ord_ids):
        names = [self._by_order_id.get(order_id) for order_id in order_ids]
        return [name for name in names if name is not None] + list(cl_ord_ids)

    def _merge(self, row):
        cl_ord_id = row.get('clOrdID') or self._by_order_id.get(row.get('orderID'))
        if not is_ours(self.prefix, cl_ord_id) or row.get('symbol', self.symbol) != self.symbol:
            return
        if cl_ord_id in self._done:
            if cl_ord_id not in self._refused or _is_terminal(row) or not _is_whole(row):
                return self._late_row(cl_ord_id, row)
            self._orders[cl_ord_id] = _Order(dict(row, cumQty=self._forget_end(cl_ord_id)), LIVE)
        order = self._orders.get(cl_ord_id)
        if order is None:
            if _is_terminal(row) or not _is_whole(row):
                return  # of a run before ours, or an error row: nothing rests
            order = self._orders[cl_ord_id] = _Order(dict(row, cumQty=0), LIVE)
            if self._sealed:
                self._strangers.append(cl_ord_id)
            else:
                order.row['cumQty'] = row.get('cumQty') or 0  # filled before our time
        order.told_at = self.version
        self._note_fill(order, row)
        was_new, was = order.state == PENDING_NEW, (order.row.get('price'), order.row.get('orderQty'))
        stamp, known = row.get('timestamp') or '', order.row.get('timestamp') or ''
        if stamp >= known:
            order.row.update((key, value) for key, value in row.items() if key != 'cumQty')
        if stamp > known and order.amend and _shows(order.row, order.amend, was):
            order.is_shown = True
        if row.get('orderID'):
            order.row['orderID'] = row['orderID']
            self._by_order_id[row['orderID']] = cl_ord_id
            if order.state == PENDING_NEW:
                order.state = LIVE
            elif order.state == UNKNOWN and order.has_arrived():
                order.state, order.amend, order.settle_by = LIVE, None, None
        order.row['leavesQty'] = order.leaves()
        is_over = _is_terminal(row) or order.row['leavesQty'] == 0
        if was_new and order.state == LIVE and not is_over:
            self._journal.told('rests', order.row)
        elif not was_new and was != (order.row.get('price'), order.row.get('orderQty')):
            self._journal.told('amended', order.row)
        if is_over:
            self._tell_end(order.row, row)
            self._end(cl_ord_id)
            if row.get('cumQty') is None and order.leaves():
                self._half_told[cl_ord_id] = self.version

    def _note_fill(self, order, row):
        before, after = order.row.get('cumQty') or 0, row.get('cumQty') or 0
        if after > before:
            order.row['cumQty'] = after
            self._tell_fill(dict(order.row, **row))
            if self.on_fill is not None:
                self.on_fill(dict(order.row, **row), after - before)

    def _tell_fill(self, row):
        """`row` with what is filled by now; leavesQty is reckoned, since not every row says it."""
        leaves = max(0, (row.get('orderQty') or 0) - (row.get('cumQty') or 0))
        self._journal.told('partly filled' if leaves else 'filled', dict(row, leavesQty=leaves))

    def _tell_end(self, known, row):
        """An end that was no fill."""
        if (known.get('cumQty') or 0) < (known.get('orderQty') or 0) or row.get('ordStatus') in ('Canceled', 'Rejected', 'Expired'):
            words = row.get('ordRejReason') or row.get('text') or row.get('ordStatus')
            self._journal.told('refused' if row.get('ordStatus') == 'Rejected' else 'cancelled', dict(known, leavesQty=0), words)

    def _late_row(self, cl_ord_id, row):
        if row.get('cumQty') is None:
            return
        known = self._done[cl_ord_id]
        before, after = known['cumQty'] or 0, row['cumQty']
        if _is_terminal(row):
            self._half_told.pop(cl_ord_id, None)
        if after > before:
            known['cumQty'] = after
            row = dict(known, **row)
            self._tell_fill(row)
            if self.on_fill is not None and _is_whole(row):
                self.on_fill(row, after - before)

    def _end(self, cl_ord_id):
        order = self._orders.pop(cl_ord_id)
        self._by_order_id.pop(order.row.get('orderID'), None)
        self._done[cl_ord_id] = dict((name, order.row.get(name)) for name in KEPT)
        if len(self._done) > DONE_KEPT:
            self._forget_end(next(iter(self._done)))

    def _forget_end(self, cl_ord_id):
        self._refused.discard(cl_ord_id)
        self._half_told.pop(cl_ord_id, None)
        return self._done.pop(cl_ord_id, {}).get('cumQty') or 0

    #
    # What is true
    #
    def open_orders(self):
        """Copies of the rows of orders that rest or may rest, oldest first.

        Those with a request in flight carry `inFlight` True, and also `inDoubt` when it is not known whether an amend arrived; one that the
        venue has not named yet has orderID ''.
        """
        with self._lock:
            return [dict(order.row, **order.marks()) for order in self._orders.values()]

    def state_of(self, cl_ord_id):
        with self._lock:
            order = self._orders.get(cl_ord_id)
            return order.state if order is not None else DONE if cl_ord_id in self._done else None

    def worst_case(self):
        """(contracts that may still be bought, contracts that may still be sold), resting and in flight, or perhaps filled before an end."""
        with self._lock:
            total = {'Buy': 0, 'Sell': 0}
            for order in self._orders.values():
                total[order.row['side']] += order.worst_leaves()
            for row in [self._done[cl_ord_id] for cl_ord_id in self._half_told]:
                total[row['side']] += row['orderQty'] - (row['cumQty'] or 0)
            return total['Buy'], total['Sell']

    def is_uncertain(self):
        """Whether an outcome is unknown."""
        with self._lock:
            return any(order.state == UNKNOWN for order in self._orders.values())

    def settles_at(self, first=False):
        """Unix seconds after which no request of unknown outcome can still arrive (`first`: the first of them); 0 where none is."""
        with self._lock:
            moments = [order.settle_by or 0.0 for order in self._orders.values() if order.state == UNKNOWN]
            return (min if first else max)(moments) if moments else 0.0

    def to_look_up(self, open_rows):
        """clOrdIDs of orders that we believe in, or of whose end not all is known, and that the venue's list of open orders does not name."""
        listed = set(row.get('clOrdID') for row in open_rows)
        with self._lock:
            return [cl_ord_id for cl_ord_id in list(self._orders) + sorted(self._half_told) if cl_ord_id not in listed]

    def is_half_told(self):
        """Whether an order ended of which it was not told what was filled."""
        return bool(self._half_told)

    def seal(self):
        """The start is over: from now on an order of ours that we did not send is a stranger. Calling again is harmless."""
        with self._lock:
            self._sealed = True

    def strangers(self):
        """clOrdIDs under our prefix that appeared after `seal` and that we did not send."""
        with self._lock:
            return list(self._strangers)


class _Nobody(object):
    def asked(self, what, order, row=None):
        pass

    def told(self, what, row, reason=None):
        pass


def _is_terminal(row):
    return row.get('ordStatus') in TERMINAL or row.get('leavesQty') == 0


def _shows(row, amend, was):
    """Whether a row that was something else (price, orderQty) is now what an amend asked for."""
    return was != (row.get('price'), row.get('orderQty')) and all(
        amend.get(name) in (None, row.get(name)) for name in ('price', 'orderQty'))


def _is_whole(row):
    """Whether a row says enough to stand for an order (a realtime update says only what changed)."""
    return row.get('side') is not None and row.get('orderQty') is not None
