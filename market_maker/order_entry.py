"""Orders on their way to the venue and back: placing, amending, cancelling, looking up, and keeping account of each.

Rules:

* After a time-out, a broken connection or a 5xx an order may be resting: it is looked up by its clOrdID and never sent again
  under another.
* Single orders of one list go side by side, so that the last does not wait for a dozen round trips; one that fails does not
  stop the others.
* A list of which single requests take long is not sent to its end: what is left is decided anew, with the prices that hold then.
* What the request budget cannot pay for is left out, the outermost orders first, and left to the next tick.
* An order of unknown outcome is read at once, and again when the first of them can no longer arrive: in between there is nothing to learn.
* An answer of "overloaded" should mean that nothing was carried out, and gateways have lied: after one, whatever a later attempt was
  answered, the orders count as if they rested until they have been looked up, since one may be filled by then and not be open any more.
* A post-only order that the venue accepted and canceled is in the answer as it is: `ordStatus` Canceled, not resting.
* Bulk requests are used until the venue answers 404 to one, then single ones; that is remembered.
"""
from __future__ import absolute_import, division, print_function

import functools
import json
import logging
from collections import OrderedDict

from market_maker.auth.api_key import REST_EXPIRES_S
from market_maker.inputs import PASSED_ON
from market_maker.own_orders import is_ours
from market_maker.rest_session import DuplicateOrder, ordered
from market_maker.utils import errors

logger = logging.getLogger('root')

POST_ONLY = 'ParticipateDoNotInitiate'
TOKEN_SETTLES_S = 30           # a request with an access token does not expire: this long it may still take effect
LOOKED_UP_AT_ONCE = 20         # clOrdIDs in one query
SIDE_BY_SIDE = 8               # single requests under way at a time
FRESH_S = 1.0                  # what of a list of single orders has not left by then is not sent: its prices are of that time
READ_AGAIN_S = 0.5             # after a reading that was overtaken; doubled for each further one in a row, and no sooner than this for any
MOST_DOUBLINGS = 4
READ_RETRIES = 1               # within a reading: the loop repeats it, and sees to our quotes in between


class OrderEntry(object):
    """Sends what is asked and tells `own_orders` of it.

    rest -- a RestSession; own_orders -- an OwnOrders; transport -- 'bulk', 'single' or 'auto'; new_id() -> the tail of a clOrdID;
    mid() -> the price around which orders are nearest, or None; parallel -- how many single requests may be under way at a time.
    """

    def __init__(self, rest, own_orders, clock, post_only, transport, new_id, mid, parallel=SIDE_BY_SIDE, inputs=PASSED_ON):
        self.rest = rest
        self.own_orders = own_orders
        self.clock = clock
        self.post_only = post_only
        self.needs_reconcile = False
        self.read_at = 0.0                 # of the clock's `monotonic`: before this, reading the orders again would tell nothing new
        self._overtaken = 0                # readings in a row that were
        self.transport_used = {'bulk': 'bulk', 'single': 'single'}.get(transport)
        self.parallel = parallel
        self._is_short = False             # of requests; said once
        self._inputs = inputs
        self._new_id = new_id
        self._mid = mid

    #
    # Reading
    #
    def http_open_orders(self, max_retries=None):
        """Rows of our open orders, by REST."""
        wanted = OrderedDict([('ordStatus.isTerminated', False), ('symbol', self.own_orders.symbol)])
        query = OrderedDict([('filter', json.dumps(wanted)), ('count', 500)])
        rows = rows_of(self.rest.request('GET', 'order', query, max_retries=max_retries))
        ours = [row for row in rows if is_ours(self.own_orders.prefix, row.get('clOrdID'))]
        self.own_orders.merge(ours)
        return ours

    def look_up(self, cl_ord_ids, max_retries=None):
        """Rows of the orders with these clOrdIDs, whatever became of them; those the venue does not know are not in it."""
        rows = []
        for start in range(0, len(cl_ord_ids), LOOKED_UP_AT_ONCE):
            some = cl_ord_ids[start:start + LOOKED_UP_AT_ONCE]
            wanted = OrderedDict([('clOrdID', some), ('symbol', self.own_orders.symbol)])
            query = OrderedDict([('filter', json.dumps(wanted)), ('count', 100), ('reverse', 'true')])
            answer = rows_of(self.rest.request('GET', 'order', query, max_retries=max_retries))
            rows += [row for row in answer if row.get('clOrdID') in some]
        return rows

    def reconcile(self):
        """Take the venue's word about all our orders. Afterwards `needs_reconcile` tells whether a request may still arrive, or did meanwhile.

        Returns whether the lists were overtaken: an order that is in none of them was told of while they were read.
        """
        self.doubt()
        asked_at = self.own_orders.version
        listed = self.http_open_orders(READ_RETRIES)
        found = self.look_up(self.own_orders.to_look_up(listed), READ_RETRIES)
        is_newer = self.own_orders.reconcile(listed, found, self.clock.time(), asked_at)
        is_uncertain = self.own_orders.is_uncertain()
        self.needs_reconcile = is_newer or is_uncertain
        self._overtaken = min(MOST_DOUBLINGS, self._overtaken + 1) if is_newer else 0
        wait = READ_AGAIN_S * 2 ** max(0, self._overtaken - 1)
        if is_uncertain and not is_newer:
            wait = max(wait, self.own_orders.settles_at(first=True) - self.clock.time())
        self.read_at = self.clock.monotonic() + wait
        return is_newer

    def doubt(self, is_so=True):
        """Our picture may differ from the venue's by something that reading can tell now."""
        if is_so:
            self.needs_reconcile, self.read_at = True, 0.0

    #
    # New orders
    #
    def create(self, orders):
        """Place orders [{'price', 'orderQty', 'side'}, ...]; returns their rows."""
        return self._by_transport([self._prepared(order) for order in orders], self._create_bulk, self._create_prepared)

    def create_one(self, order):
        return self._create_prepared(self._prepared(order))

    def _prepared(self, order):
        """An order as it is sent: with symbol and clOrdID, and post-only where that is set."""
        order = dict(order, symbol=self.own_orders.symbol)
        order.setdefault('clOrdID', self.own_orders.prefix + self._new_id())
        if self.post_only:
            order.setdefault('execInst', POST_ONLY)
        return ordered(order)

    def _create_bulk(self, orders):
        return self._send_new(orders, lambda: self.rest.request(
            'POST', 'order/bulk', body={'orders': orders}, cost=bulk_cost(orders)))

    def _create_prepared(self, order):
        return self._send_new([order], lambda: [self.rest.request('POST', 'order', body=order)])[0]

    def _send_new(self, orders, send):
        """Send new orders and keep account of them, whatever happens."""
        names = [order['clOrdID'] for order in orders]
        for order in orders:
            self.own_orders.sending_new(order)
        try:
            rows = rows_about('clOrdID', names, send())
        except DuplicateOrder:
            rows = self._adopt(orders)
        except errors.UnknownOutcome as error:
            self._unknown(cl_ord_ids=names)
            error.cl_ord_ids = names
            raise
        except errors.MarketMakerError as error:
            if _may_be_untrue(error):
                self._unknown(cl_ord_ids=names, settles_in=0)
            else:
                self.own_orders.refused(names, '%s' % error)
            raise
        except BaseException:
            self._unknown(cl_ord_ids=names)
            raise
        self.own_orders.merge(rows)
        return rows

    def _adopt(self, orders):
        """An earlier attempt took effect: take the orders that the venue has, each compared with what was asked for.

        Those that it does not show, though it knows their names, may rest all the same; OrderGone says that they have to be read again.
        """
        by_name = dict((order['clOrdID'], order) for order in orders)
        self._unknown(cl_ord_ids=list(by_name))
        rows = self.look_up(list(by_name))
        for row in rows:
            order = by_name.pop(row['clOrdID'])
            for field in ('orderQty', 'side', 'price'):
                if field in order and row.get(field) != order[field]:
                    raise errors.RequestRefused('The venue has an order %s whose %s is %s where %s was asked for.' % (
                        row['clOrdID'], field, row.get(field), order[field]))
        self.own_orders.merge(rows)
        logger.info('The venue has %d of %d orders already from an earlier attempt; adopted.', len(rows), len(orders))
        if by_name:
            error = errors.OrderGone('The venue has orders of these names already, and does not show %d of them.' % len(by_name))
            error.results = rows
            raise error
        return rows

    #
    # Amends and cancels
    #
    def amend(self, orders):
        """Amend orders [{'orderID', 'orderQty' (with what is filled), 'price'}, ...]; returns their rows.

        Orders that the venue has not named yet (orderID '') are left alone.
        """
        return self._by_transport([order for order in orders if order.get('orderID')], self._amend_bulk, self.amend_one)

    def amend_one(self, order):
        fields = ordered(dict((name, value) for name, value in order.items() if name != 'side'))
        return self._send_amend([order], lambda: [self.rest.request('PUT', 'order', body=fields)])[0]

    def _amend_bulk(self, orders):
        return self._send_amend(orders, lambda: self.rest.request(
            'PUT', 'order/bulk', body={'orders': [ordered(order) for order in orders]}, cost=bulk_cost(orders)))

    def _send_amend(self, orders, send):
        order_ids = [order['orderID'] for order in orders]
        for order in orders:
            self.own_orders.sending_amend(order)
        try:
            rows = rows_about('orderID', order_ids, send())
        except errors.UnknownOutcome as error:
            self._unknown(order_ids=order_ids, is_repeated=error.repeated)
            raise
        except errors.MarketMakerError as error:
            if _may_be_untrue(error):
                self._unknown(order_ids=order_ids, settles_in=0)
            else:
                self.own_orders.answered(order_ids=order_ids)
                self.doubt(isinstance(error, errors.OrderGone))
            raise
        except BaseException:
            self._unknown(order_ids=order_ids)
            raise
        self.own_orders.merge(rows)
        self.own_orders.answered(order_ids=order_ids)
        return rows

    def cancel(self, order_ids):
        """Cancel orders in one request; returns their rows. Safe to repeat: what is gone is no error."""
        order_ids = [order_id for order_id in order_ids if order_id]
        if not order_ids:
            return []
        self.own_orders.sending_cancel(order_ids)
        try:
            rows = self.rest.request('DELETE', 'order', body={'orderID': order_ids})
            rows = rows if rows is None else rows_of(rows)
        except errors.MarketMakerError:
            self.own_orders.answered(order_ids=order_ids)
            self.doubt()
            raise
        self.own_orders.merge(rows or [])
        self.own_orders.answered(order_ids=order_ids)
        self.doubt(rows is None or any(row.get('error') for row in rows))
        return rows or []

    #
    # How they travel
    #
    def _by_transport(self, orders, bulk, single):
        if not orders:
            return []
        if self.transport_used != 'single':
            try:
                rows = bulk(orders)
                self.transport_used = 'bulk'
                return rows
            except errors.NotFound:
                if self.transport_used == 'bulk':
                    raise
                logger.info('The venue has no bulk orders (404); placing single orders from now on.')
                self.transport_used = 'single'
        return self._each(orders, single)

    def _each(self, orders, send):
        """Send single requests, the ones that can be paid for, side by side; raise the gravest error after all have been tried.

        Once the venue has said that it wants no more now, or is gone, or FRESH_S are over, those that have not left yet stay here.
        """
        halted, begun = [], self.clock.monotonic()

        def send_on(order):
            if halted:
                raise halted[0]
            if self.clock.monotonic() - begun > FRESH_S:
                return None
            try:
                return send(order)
            except HALTING as error:
                halted.append(error)
                raise
        outcomes = self._inputs.run_all([functools.partial(send_on, order) for order in self._affordable(orders)], self.parallel)
        rows = [row for row, error in outcomes if row is not None]
        failures = [error for _, error in outcomes if error is not None]
        if failures:
            gravest = min(failures, key=_gravity)
            gravest.results = rows
            raise gravest
        return rows

    def _affordable(self, orders):
        """Those of the orders, in their order, that the budget pays for; the ones nearest to the touch come first."""
        now, budget = self.clock.monotonic(), self.rest.budget
        count = budget.affordable(len(orders), now)
        if count >= len(orders):
            self._is_short = False
            return orders
        if not self._is_short:
            self._is_short = True
            logger.info('The request budget pays for %d of %d orders now (%s); the rest is left to the next look.',
                        count, len(orders), budget.describe(now))
        mid = self._mid() or 0
        nearest = sorted(range(len(orders)), key=lambda i: abs((orders[i].get('price') or mid) - mid))[:count]
        return [orders[i] for i in sorted(nearest)]

    def _unknown(self, order_ids=(), cl_ord_ids=(), settles_in=None, is_repeated=False):
        """The venue refuses a signed request once its `api-expires` has passed, so it can take effect no later than that."""
        if settles_in is None:
            settles_in = 1 + (TOKEN_SETTLES_S if hasattr(self.rest.auth, 'login_request') else REST_EXPIRES_S)
        self.own_orders.outcome_unknown(self.clock.time() + settles_in, order_ids, cl_ord_ids, is_repeated)
        self.doubt()


def _may_be_untrue(error):
    """Whether an error may be told although the request, or an earlier attempt at it, was carried out."""
    return error.repeated or isinstance(error, errors.Overloaded)


def _gravity(error):
    """Errors in the order in which they matter to the loop; what is no error of ours comes first."""
    return _ACTIONS.index(error.action) if isinstance(error, errors.MarketMakerError) else -1


HALTING = (errors.RateLimited, errors.Overloaded, errors.VenueUnreachable)
_ACTIONS = (errors.STOP, errors.RETICK, errors.WAIT, errors.SKIP)


def bulk_cost(orders):
    """Tokens a bulk request takes: half of one per order, rounded up (bitmex-api.md 2.1)."""
    return (len(orders) + 1) // 2


def rows_of(answer):
    """The rows of an answer; raises UnknownOutcome for one that is no list of rows."""
    if isinstance(answer, list) and all(isinstance(row, dict) for row in answer):
        return answer
    raise errors.UnknownOutcome('The venue answered with something that is no list of rows.')


def rows_about(field, names, answer):
    """The rows of an answer about the orders of these names; raises UnknownOutcome when it does not speak of all of them."""
    rows = rows_of(answer)
    if set(names) - set(row.get(field) for row in rows):
        raise errors.UnknownOutcome('The venue answered an order request with something else than the orders.')
    return rows
