"""Where our orders stood: the best of them at each moment, how long at the touch, how far from it, and what became of them.

Rules:

* An order counts from when it rested until it was filled or cancelled, at the price it was last told to have; what was only asked
  for does not count, nor what was left over from an earlier run until it is amended.
* At the touch means at the best price of its side or better. The touch that is journalled has our own orders in it and is known to a
  quarter of a second, so times are as exact as that.
* Orders of one kind that one decision asked for at the same moment went out in one request: bulk orders, or one cancel for many. Sent one
  by one there is a reply between any two.
* Times are shares of the time in which the touch was known, from its first row to the end of the run.
"""

import heapq

import numpy as np

from market_maker.backtest.observed import BUY, at_moments
from market_maker.journal_schema import ASKED

STANDS = ("rests", "amended")
GONE = ("filled", "cancelled")
AT_ONCE_S = 0.0003
HIT = ("partly filled", "filled")


class Orders:
    """Counts and best prices, from the order events of a run.

    bid_at, bid, ask_at, ask -- our best prices from each moment on (NaN: none); offered -- orders that were accepted; hit -- those that
    were filled at least in part; refused -- refusals; asked -- {'create', 'amend', 'cancel'} -> how often; requests_at -- when requests
    went out.
    """

    def __init__(self, events):
        sides = {BUY: _Best(-1), "Sell": _Best(1)}
        offered, hit = set(), set()
        self.asked, self.requests_at, self.refused, last = dict.fromkeys(ASKED, 0), [], 0, None
        for event in events:
            what, key = event.what, event.cl_ord_id or event.order_id
            if what in self.asked:
                self.asked[what] += 1
                if last is None or last[:2] != (event.decision, what) or event.at - last[2] > AT_ONCE_S:
                    self.requests_at.append(event.at)
                last = (event.decision, what, event.at)
            elif what in STANDS:
                offered.add(key)
                sides[event.side].put(event.at, key, event.price if event.leaves != 0 else None)  # a reply may amend and fill at once
            elif what in HIT:
                offered.add(key)
                hit.add(key)
            elif what == "refused":
                self.refused += 1
            if what in GONE or (what == "refused" and event.leaves == 0):
                for side in sides.values():
                    side.put(event.at, key, None)
        self.offered, self.hit = len(offered), len(hit)
        (self.bid_at, self.bid), (self.ask_at, self.ask) = sides[BUY].columns(), sides["Sell"].columns()


class _Best:
    """The best price of one side, from moment to moment. `sign` -1 for bids. A heap; dead entries are thrown away when they surface."""

    def __init__(self, sign):
        self._sign, self._prices, self._heap = sign, {}, []
        self._at, self._best = [], []

    def put(self, at, key, price):
        """From now on the order stands at this price; None: it is gone."""
        if price is None:
            if self._prices.pop(key, None) is None:
                return
        elif self._prices.get(key) == price:
            return
        else:
            self._prices[key] = price
            heapq.heappush(self._heap, (self._sign * price, key))
        heap = self._heap
        while heap and self._prices.get(heap[0][1]) != self._sign * heap[0][0]:
            heapq.heappop(heap)
        best = self._sign * heap[0][0] if heap else np.nan
        if self._best and (best == self._best[-1] or (best != best and self._best[-1] != self._best[-1])):
            return
        self._at.append(at)
        self._best.append(best)

    def columns(self):
        return np.array(self._at, dtype=float), np.array(self._best, dtype=float)


def at_touch(observed, orders):
    """{'buy': {...}, 'sell': {...}, 'both', 'either'}; each side {'quoted', 'at_touch': shares of time, 'distance_bps': mean while quoted}.

    Shares are None where the touch was never known. Pure.
    """
    known = observed.touch_at[~np.isnan(observed.mid)]
    start = known[0] if len(known) else observed.end
    moments = np.unique(np.concatenate([observed.touch_at, orders.bid_at, orders.ask_at, [start, observed.end]]))
    moments = moments[(moments >= start) & (moments <= observed.end)]
    lengths, moments = np.diff(moments), moments[:-1]
    bid, ask = at_moments(observed.touch_at, observed.bid, moments), at_moments(observed.touch_at, observed.ask, moments)
    lengths = np.where(np.isnan(bid) | np.isnan(ask), 0.0, lengths)
    total = lengths.sum()
    own_bid, own_ask = at_moments(orders.bid_at, orders.bid, moments), at_moments(orders.ask_at, orders.ask, moments)
    is_bid, is_ask = own_bid >= bid, own_ask <= ask  # comparing with NaN is False
    return {
        "buy": _side(lengths, total, ~np.isnan(own_bid), is_bid, (bid - own_bid) / bid * 1e4),
        "sell": _side(lengths, total, ~np.isnan(own_ask), is_ask, (own_ask - ask) / ask * 1e4),
        "both": _share(lengths[is_bid & is_ask].sum(), total),
        "either": _share(lengths[is_bid | is_ask].sum(), total),
    }


def _side(lengths, total, quoted, is_at_touch, distance):
    counts = quoted & (lengths > 0)
    time = lengths[counts].sum()
    return {
        "quoted": _share(lengths[quoted].sum(), total),
        "at_touch": _share(lengths[is_at_touch].sum(), total),
        "distance_bps": float((np.maximum(distance[counts], 0.0) * lengths[counts]).sum() / time) if time else None,
    }


def _share(part, whole):
    return float(part / whole) if whole else None


def requests(orders, seconds):
    """What was asked of the venue about orders: {'creates', 'amends', 'cancels', 'total', 'per_minute', 'peak_per_minute'}. Pure.

    The first three count orders, the others requests: see Orders.requests_at.
    """
    asked, moments = orders.asked, orders.requests_at
    minutes = np.bincount(((np.array(moments) - moments[0]) // 60).astype(int)) if moments else np.zeros(1, dtype=int)
    return {
        "creates": asked["create"],
        "amends": asked["amend"],
        "cancels": asked["cancel"],
        "total": len(moments),
        "per_minute": len(moments) * 60.0 / seconds if seconds else None,
        "peak_per_minute": int(minutes.max()),
    }
