"""Pure: resting orders vs desired quotes -> a plan (cancel, amend, create).

Rules:

* Resting orders, oldest first, are matched with the desired ones of their side from the outside in: when an inner order is filled the
  others stay and one is created. Where another way to match them (by price, from the inside out, what may stay as it is first) needs
  fewer amends, it is taken.
* An order is amended when its size is not the one wanted, or its price is further than RELIST_INTERVAL from it.
* An amend asks for cumQty plus the size wanted: what is left of the order may change under way, what was filled may not.
* Surplus orders are cancelled before anything is created, so that no more rest than are desired, at any moment.
* Amends that move away from the other side go first. One that moves to where an order of ours stood until then goes in a second
  request, after the first was answered: a venue that works through a list in order, one that refuses it half way, and single
  requests of which one is lost, none can make us trade with ourselves. What would still meet an own order is held back.
* With limits: position plus everything that rests, or is asked for, on a side stays within them whatever fills first. The ladder is
  trimmed from its outermost level; during an amend the larger of old and new size counts; what does not fit until a
  reduction is known to have happened is put off.
* Each order that is touched has its reason, where it is decided: `reasons` names them by orderID, new ones by (side, price).
* An order of which a request is in flight (inFlight, or no orderID yet) takes its place and counts, and is left alone. But where it is not
  known whether an amend arrived (inDoubt) and the order is in the wrong place by now, it is cancelled and another created: after that
  the amend cannot take effect any more.

Rows are the venue's (orderID, side, price, leavesQty, cumQty), oldest first; desired orders are dicts of price, orderQty and side,
outermost first.
"""
from __future__ import absolute_import, division, print_function

from collections import namedtuple

from market_maker import why
from market_maker.quoting import lots_down

BUY, SELL = 'Buy', 'Sell'

# amend -- list of Amend; batches -- the same in the lists to be sent one after the other; create -- desired orders, as given;
# cancel -- rows; put_off -- desired orders, or Amends, that wait for a later plan; reasons -- why, of these and of what was left out
Plan = namedtuple('Plan', 'amend batches create cancel put_off reasons')
Plan.__new__.__defaults__ = (None,)


class Amend(namedtuple('Amend', 'order price quantity')):
    """A resting order and what it shall become: a price, and contracts left to fill."""

    __slots__ = ()

    @property
    def request(self):
        return {'orderID': self.order['orderID'], 'orderQty': (self.order.get('cumQty') or 0) + self.quantity,
                'price': self.price, 'side': self.order['side']}

    @property
    def advances(self):
        """Whether it moves towards the other side."""
        old = self.order['price']
        return self.price > old if self.order['side'] == BUY else self.price < old


# position -- contracts held; lowest, highest -- limits; buys, sells -- contracts that may come to be bought and sold on top of it,
# when the caller knows of more than the rows show: an amend in flight, a fill that the position does not show yet
Limits = namedtuple('Limits', 'position lowest highest buys sells')


def diff(existing, buy_orders, sell_orders, relist_interval, limits=None, lot=1):
    """The Plan that makes the `existing` rows into the desired orders."""
    amends, creates, cancels, put_off, reasons = [], [], [], [], {}
    for side, asked in ((BUY, buy_orders), (SELL, sell_orders)):
        desired = asked
        rows = [row for row in existing if row['side'] == side and row.get('price')]
        room = None
        if limits is not None:
            resting = sum(row['leavesQty'] for row in rows)
            unseen = max(0, (limits.buys if side == BUY else limits.sells) - resting)
            room = _total_room(limits, side) - unseen
            desired = trim(desired, room - sum(row['leavesQty'] for row in rows if _is_locked(row)), lot)
        pairs, surplus, missing = _match(rows, desired, relist_interval)
        pairs, doubtful = _apart(pairs, relist_interval)
        surplus = surplus + [row for row, _ in doubtful]
        missing = [order for order in desired if any(order is other for other in missing + [wanted for _, wanted in doubtful])]
        if limits is not None:
            room -= resting - sum(row['leavesQty'] for row in surplus)
        side_amends, side_creates, side_late = _within(room, pairs, missing, relist_interval)
        amends += side_amends
        creates += side_creates
        put_off += side_late
        cancels += surplus
        _give_reasons(reasons, side, asked, desired, rows, (side_amends, side_creates, surplus), relist_interval)
        reasons.update((row['orderID'], why.in_doubt(row, wanted, relist_interval)) for row, wanted in doubtful)
    return in_order(existing, amends, creates, cancels, put_off, reasons)


def _give_reasons(reasons, side, asked, desired, rows, parts, relist_interval):
    """Add to `reasons` why each order of a side is amended, created or cancelled; `asked` are the desired orders before they were trimmed."""
    amends, creates, surplus = parts
    if not (amends or creates or surplus):
        return
    sign = -1 if side == BUY else 1
    level_of = dict((order['price'], sign * number) for number, order in reversed(list(enumerate(reversed(desired), 1))))
    whole = dict((order['price'], order['orderQty']) for order in asked)
    for amend in amends:
        wanted = {'price': amend.price, 'orderQty': amend.quantity}
        reasons[amend.order['orderID']] = why.amended(
            level_of.get(amend.price, 0), amend.order, wanted, is_far(amend.order['price'], amend.price, relist_interval), relist_interval,
            amend.quantity < whole.get(amend.price, 0))
    for order in creates:
        reasons[side, order['price']] = why.missing(level_of[order['price']], order['orderQty'] < whole[order['price']])
    for row in surplus:
        reasons[row['orderID']] = why.superfluous(len(rows), len(desired), len(desired) < len(asked))


def trim(desired, room, lot=1):
    """The desired orders, outermost first, less what does not fit into `room` contracts, cut off from the outermost."""
    kept = []
    for order in reversed(desired):
        quantity = min(order['orderQty'], lots_down(max(0, room), lot))
        if quantity <= 0:
            break
        kept.append(order if quantity == order['orderQty'] else dict(order, orderQty=quantity))
        room -= quantity
    return kept[::-1]


def needs_amend(row, desired, relist_interval):
    """Whether a resting order is too far from the desired one to be left where it is."""
    return desired['orderQty'] != row['leavesQty'] or is_far(row['price'], desired['price'], relist_interval)


def is_far(price, wanted, relist_interval):
    """Whether a price is further from the one wanted than RELIST_INTERVAL."""
    return wanted != price and abs(wanted / price - 1) > relist_interval


def _outermost_first(rows):
    """The rows of one side by price; of one price the older first."""
    return sorted(rows, key=lambda row: row['price'] if row['side'] == BUY else -row['price'])


def _total_room(limits, side):
    """Contracts that may be bought (sold) from the position held."""
    return limits.highest - limits.position if side == BUY else limits.position - limits.lowest


def _is_locked(row):
    return not row.get('orderID') or bool(row.get('inFlight'))


def _match(rows, desired, relist_interval):
    """(pairs of row and desired, rows without a desired order, desired orders without a row), in the way that needs fewest amends.

    Tried are the rows by age, as the original takes them, then by price; each from the outside in and from the inside out. Where
    it makes no difference the inner order is created, and the outermost is cancelled. By age fits what was placed from the outside
    in; orders that were placed one by one, some of them later, may stand in any order: then those first that may stay.
    """
    if len(rows) == len(desired) and not any(needs_amend(row, wanted, relist_interval) for row, wanted in zip(rows, desired)):
        return list(zip(rows, desired)), [], []  # the usual case: all stay
    ways = [_in_turn(ordered, desired, inner) for ordered in (rows, _outermost_first(rows)) for inner in (False, True)]
    ways.append(_fitting_first(rows, desired, relist_interval))
    best = min(ways, key=lambda way: sum(needs_amend(row, wanted, relist_interval) for row, wanted in way))
    paired = [id(row) for row, wanted in best]
    met = [id(wanted) for row, wanted in best]
    return (best, [row for row in rows if id(row) not in paired and (row.get('inDoubt') or not _is_locked(row))],
            [order for order in desired if id(order) not in met])


def _apart(pairs, relist_interval):
    """(the pairs that stay together, those of which the row is in doubt and in the wrong place)."""
    doubtful = [pair for pair in pairs if pair[0].get('inDoubt') and is_far(pair[0]['price'], pair[1]['price'], relist_interval)]
    return ([pair for pair in pairs if pair not in doubtful], doubtful) if doubtful else (pairs, doubtful)


def _in_turn(rows, desired, inner=False):
    """Pairs in the order given. Of more desired orders than rows the inner are left over, of more rows the outer; or else the reverse."""
    count = min(len(rows), len(desired))
    inner = inner != (len(rows) > len(desired))
    return list(zip(rows[len(rows) - count if inner else 0:], desired[len(desired) - count if inner else 0:]))


def _fitting_first(rows, desired, relist_interval):
    """Pairs of what needs no amend, wherever it stands, then the rest by price."""
    left, row_of, unmet = _outermost_first(rows), {}, []
    for wanted in desired:
        row = next((row for row in left if not needs_amend(row, wanted, relist_interval)), None)
        if row is None:
            unmet.append(wanted)
        else:
            left = [other for other in left if other is not row]
            row_of[id(wanted)] = row
    row_of.update((id(wanted), row) for row, wanted in _in_turn(left, unmet))
    return [(row_of[id(wanted)], wanted) for wanted in desired if id(wanted) in row_of]


def _within(room, pairs, missing, relist_interval):
    """(amends, creates, what is put off): of what enlarges our exposure, the inner orders first, as much as `room` allows."""
    amends, creates, late = [], [], []
    for order in reversed(missing):
        if room is not None and order['orderQty'] > room:
            late.append(order)
            continue
        creates.append(order)
        room = room if room is None else room - order['orderQty']
    for row, wanted in reversed(pairs):
        if _is_locked(row) or not needs_amend(row, wanted, relist_interval):
            continue
        amend = Amend(row, wanted['price'], wanted['orderQty'])
        growth = max(0, wanted['orderQty'] - row['leavesQty'])
        if room is not None and growth > max(0, room):
            late.append(amend)
            wanted = dict(wanted, orderQty=row['leavesQty'])
            if not needs_amend(row, wanted, relist_interval):
                continue
            amend, growth = Amend(row, wanted['price'], wanted['orderQty']), 0
        amends.append(amend)
        room = room if room is None else room - growth
    return amends[::-1], creates[::-1], late


def in_order(existing, amends, creates, cancels, put_off, reasons=None):
    """The Plan, in the order of sending, without what would meet an own order that still rests by then.

    Also for who takes something out of a plan: what relied on it goes to `put_off`.
    """
    put_off = list(put_off)
    gone = [id(row) for row in cancels]
    book = dict((id(row), (row['side'], row['price'])) for row in existing if id(row) not in gone and row.get('price'))
    before = dict(book)
    first = [amend for amend in amends if not amend.advances]
    kept, second = [], []
    for amend in first + [amend for amend in amends if amend.advances]:
        side = amend.order['side']
        if _meets(side, amend.price, book):
            put_off.append(amend)
            continue
        book[id(amend.order)] = (side, amend.price)
        (second if second or _meets(side, amend.price, before) else kept).append(amend)
    possible = []
    for order in creates:
        if _meets(order['side'], order['price'], book):
            put_off.append(order)
            continue
        book[id(order)] = (order['side'], order['price'])
        possible.append(order)
    return Plan(kept + second, [batch for batch in (kept, second) if batch], possible, cancels, put_off, reasons)


def _meets(side, price, book):
    """Whether an order at this price would trade with one of the other side in `book`."""
    if side == BUY:
        return any(price >= other for where, other in book.values() if where == SELL)
    return any(price <= other for where, other in book.values() if where == BUY)
