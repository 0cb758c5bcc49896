"""Sending a plan: the part of it that is worth its requests now, the part that the budget pays for, and what the answers teach.

Rules:

* Cancels are sent before amends and amends before creates; a cancel that came too late ends the turn, and the orders are read again.
* What is put off or cannot be paid is forgotten, not queued: we look again when it is due, and a new plan is made then.
* Where not all amends could be sent, what may rely on them waits for the next turn.
* In the pause after an error nothing is placed, but what has come too near to the other side is cancelled.
* What was refused is learned from, whether the request as a whole went well or not.
"""
from __future__ import absolute_import, division, print_function

from market_maker import afford
from market_maker.excursions import Excursions, is_too_near
from market_maker.refusals import Refusals
from market_maker.rush import Rush
from market_maker.top_ups import TopUps
from market_maker.utils import errors, log

logger = log.get_logger()

AMPLE_AFTER_S = 30.0           # the budget suffices again when it has for so long


class Sender(object):
    """Of one run. `loop` is the `Running` that is told what is sent, what was put off, and when to look again."""

    def __init__(self, exchange, loop):
        self._exchange = exchange
        self._loop = loop
        self._refusals = Refusals(loop.settings.LOOP_INTERVAL)
        self._top_ups = TopUps()
        self._excursions = Excursions()
        self._rush = Rush()
        self._is_short, self._short_at = False, None   # of requests; said once
        self._late = frozenset()           # what the budget left out at the last look
        self.quotes_sent = 0               # amends and creates that were answered with an order

    def note_touch(self, touch, now):
        """The best prices at a look, whether something is sent then or not."""
        settings = self._loop.settings
        self._excursions.note(touch.middle, settings.RELIST_INTERVAL, settings.EXCURSION_S, now)

    def forget_jumps(self):
        """What rests may not be what was wanted: no jump of the touch is a reason to leave it so."""
        self._excursions.forget()

    def is_waiting(self, now):
        """Whether a jump of the touch is waited for."""
        return self._excursions.wait(now) > 0

    def can_spare(self, plan, now):
        """Whether the request budget pays for the plan and for as much again."""
        venue = self._exchange.bitmex
        tokens, second = venue.request_budget.purse(now)
        needed, requests = afford.cost(plan, venue.order_transport_used)
        return 2 * needed <= tokens and 2 * requests <= second

    def adjusted(self, orders):
        """The orders of a side with the prices at which the venue may take them, after what it refused."""
        return self._refusals.adjust(orders)

    def send(self, existing, plan, desired, touch):
        """Send what of a plan (see `convergence`) is due and can be paid.

        Raises what the requests raise; OrderGone after a cancel that came too late. Then the rest of the plan is not sent.
        """
        now = self._loop.clock.monotonic()
        plan = self._refusals.hold_back(plan, now)
        plan = self._put_off(existing, plan, desired, now)
        plan = self._no_rush(plan, touch, now)
        plan = self._pay_for(existing, plan, touch, now)
        self._rush.note(plan, now)
        if plan.cancel or plan.amend or plan.create:
            self._loop.note_sending()
            self._loop.outcome = 'sent: ' + counts((len(plan.cancel), 'cancel'), (len(plan.amend), 'amend'), (len(plan.create), 'create'))
        self._cancel(plan.cancel)
        if self._amend(plan):
            self._create(plan.create)

    def pull_too_near(self, inner):
        """Cancel, while nothing is placed after an error, what may be hit at a price that no order shall have: `inner` are those of the innermost
        by side. Raises as `send` does."""
        if self._exchange.dry_run or self._loop.waiting.kind in (errors.RateLimited, errors.PermissionDenied):
            return
        rows = [row for row in self._exchange.get_orders() if row.get('price') and (row.get('inDoubt') or not row.get('inFlight'))
                and is_too_near(row, inner[row['side']], self._loop.settings.RELIST_INTERVAL)]
        if rows:
            self._loop.note_sending()
            self._loop.outcome = 'sent: ' + counts((len(rows), 'cancel'))
            with self._loop.journal.because('too near to the other side, and nothing is placed now'):
                self._cancel(rows)

    #
    # What is left out
    #
    def _put_off(self, existing, plan, desired, now):
        """The part of the plan that is worth its requests now."""
        settings = self._loop.settings
        if not settings.EVENT_DRIVEN:
            return plan
        plan, top_up = self._top_ups.hold_back(existing, plan, settings.RELIST_INTERVAL, settings.REQUOTE_MIN_S, now)
        plan, end = self._excursions.hold_back(existing, plan, desired, settings.RELIST_INTERVAL, now)
        if end is not None:
            self._loop.outcome = 'put off: the touch has jumped, and such jumps came back before'
        for wait in (top_up, end):
            if wait is not None:
                self._loop.look_again(wait)
        return plan

    def _no_rush(self, plan, touch, now):
        """The plan without what would be filled at once, as what was placed before it."""
        was_on = self._rush.is_on
        plan, wait = self._rush.hold_back(plan, touch, now)
        if wait is not None:
            self._loop.outcome = 'put off: what is placed around this touch is filled at once'
            self._loop.look_again(wait)
            if not was_on:
                logger.warning('What is placed around %s / %s is filled at once, so that touch may be an old one: the next orders wait.', *touch)
        return plan

    def _pay_for(self, existing, plan, touch, now):
        """The part of the plan that the request budget pays for."""
        venue = self._exchange.bitmex
        budget = venue.request_budget
        if (plan.amend or plan.create) and budget.is_guess(now):
            venue.http_open_orders()       # costs one token; orders that rest where they should not cost more
        tokens, second = budget.purse(now)
        part, left_out = afford.trim(existing, plan, venue.order_transport_used, tokens, second, touch.middle, budget.limit)
        late, self._late = self._late, afford.names_left_out(plan, part)
        plan = part
        if left_out:
            budget.note_skipped(len(self._late - late))
            self._loop.look_again(max(1.0, budget.wait(now)))
            self._short_at = now
        if left_out and not self._is_short:
            self._is_short = True
            logger.info('The request budget pays for a part of the orders (%s): the most important go first.', budget.describe(now))
        elif self._is_short and now - self._short_at >= AMPLE_AFTER_S:
            self._is_short = False
            logger.info('The request budget suffices again (%s).', budget.describe(now))
        return plan

    #
    # What is sent
    #
    def _cancel(self, rows):
        if not rows:
            return
        logger.info('Canceling %d orders:' % len(rows))
        for row in reversed(rows):
            self._say(row['side'], row['leavesQty'], row['price'])
        known = dict((row['orderID'], row.get('cumQty') or 0) for row in rows)
        answers = self._exchange.cancel_bulk_orders(rows) or []
        for answer in answers:
            if answer.get('error') or (answer.get('cumQty') or 0) > known.get(answer.get('orderID'), 0):
                raise errors.OrderGone('An order was gone before it could be cancelled.')
        if set(known) - set(answer.get('orderID') for answer in answers):
            raise errors.OrderGone('The venue did not say of every order that it was cancelled.')

    def _amend(self, plan):
        """Whether all amends were sent."""
        for amend in reversed(plan.amend):
            row, digits = amend.order, self._exchange.tick_log
            logger.info('Amending %4s: %d @ %.*f to %d @ %.*f (%+.*f)' % (
                row['side'], row['leavesQty'], digits, row['price'], amend.quantity, digits, amend.price,
                digits, amend.price - row['price']))
        for batch in plan.batches:
            if len(self._request(self._exchange.amend_bulk_orders, [amend.request for amend in batch])) < len(batch):
                return False
        return True

    def _create(self, orders):
        if not orders:
            return
        logger.info('Creating %d orders:' % len(orders))
        for order in reversed(orders):
            self._say(order['side'], order['orderQty'], order['price'])
        self._request(self._exchange.create_bulk_orders, orders)
        self._loop.note_quote()

    def _say(self, side, quantity, price):
        logger.info('%4s %d @ %.*f' % (side, quantity, self._exchange.tick_log, price))

    def _request(self, request, orders):
        """Send a list of orders, learn from the answer which of them do not rest, and return its rows."""
        rows = []
        try:
            rows = request(orders) or []
            self.quotes_sent += len(rows)
            return rows
        except errors.MarketMakerError as error:
            rows = getattr(error, 'results', None) or []
            raise
        finally:
            for row in self._refusals.note(rows, self._loop.instrument['tickSize'], self._loop.clock.monotonic()):
                reason = (row.get('ordRejReason') or row.get('text') or row['ordStatus']).splitlines()[0]
                logger.warning('Not resting: %s %d @ %.*f: %s (refused so far: %d)', row.get('side'), row.get('orderQty') or 0,
                               self._exchange.tick_log, row.get('price') or 0, reason, self._refusals.count)


def counts(*pairs):
    """'2 amends, 1 create' of (2, 'amend'), (1, 'create'); what there is none of is left out."""
    return ', '.join('%d %s%s' % (count, what, '' if count == 1 else 's') for count, what in pairs if count)
