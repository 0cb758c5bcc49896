"""Pure: the sentences in which a plan says why it makes, moves or ends an order. `level` is -1, -2, ... for buys, 1, 2, ... for sells."""
from __future__ import absolute_import, division, print_function


def missing(level, is_cut):
    """A new order; `is_cut` tells that a position limit made it smaller."""
    return 'level %+d was missing%s' % (level, '; its size is what the position limit leaves' if is_cut else '')


def amended(level, row, wanted, is_far, relist_interval, is_cut):
    """A resting order that becomes another price, another size, or both."""
    parts = []
    if is_far:
        parts.append(_distance(row, wanted, relist_interval))
    if wanted['orderQty'] > row['leavesQty']:
        parts.append('%s: from %d up to %d' % ('partly filled' if row.get('cumQty') else 'too small', row['leavesQty'], wanted['orderQty']))
    elif wanted['orderQty'] < row['leavesQty']:
        parts.append('%s: from %d down to %d' % ('over the position limit' if is_cut else 'too large', row['leavesQty'], wanted['orderQty']))
    return 'level %+d: %s' % (level, ', and '.join(parts))


def superfluous(count, wanted, is_cut):
    """An order without a place in the ladder: `count` rest where `wanted` are."""
    return '%s: %d of its side rest, %d are wanted' % ('over the position limit' if is_cut else 'superfluous', count, wanted)


def in_doubt(row, wanted, relist_interval):
    """An order of which nobody knows whether its last amend arrived, and that is in the wrong place."""
    return 'no answer to its last amend, and %s' % _distance(row, wanted, relist_interval)


def _distance(row, wanted, relist_interval):
    return '%.4g %% from its place (RELIST_INTERVAL %.3g %%)' % (100 * abs(wanted['price'] / row['price'] - 1), 100 * relist_interval)


def drifted(amend, every):
    """An order that stood well within RELIST_INTERVAL of its place and is taken home while nothing else is to be done."""
    return '%.4g %% from its place, and nothing else is to be done (RECENTRE_S %g s)' % (100 * abs(amend.price / amend.order['price'] - 1), every)
