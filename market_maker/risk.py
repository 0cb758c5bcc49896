"""The stops at work: watch the balance, and when a limit is reached take everything off the book and close the position.

Rules:

* The deposits are asked for once a minute, and always before a stop: money that came or went by hand is none of its business.
* Stopped, nothing is quoted; what is held is closed by market orders that can only reduce it, again at every look until it is gone.
"""
from __future__ import absolute_import, division, print_function

from market_maker import contracts
from market_maker.stops import Stops
from market_maker.utils import errors, log

ASK_EVERY_S = 60.0

logger = log.get_logger()


class Risk(object):
    def __init__(self, exchange, balance):
        self.exchange = exchange
        self.reason = None
        self._stops = Stops(balance)
        self._limits = None
        self._asked_at = None

    def check(self, max_drawdown, max_loss, now):
        """Raise Paused when a limit is reached; then nothing of ours rests, and the position is closed or being closed."""
        if self.exchange.dry_run or not (max_drawdown or max_loss):
            self.reason = None
            return
        balance = self.exchange.get_margin()['marginBalance']
        if self._limits != (max_drawdown, max_loss):
            if self._limits is not None and self.reason is not None:
                logger.info('The stops were changed: they count from here.')
                self._stops = Stops(balance, self._deposits())
            self.reason, self._limits = None, (max_drawdown, max_loss)
        if self.reason is None:
            self.reason = self._look(balance, max_drawdown, max_loss, now)
        if self.reason is not None:
            self._leave()
            raise errors.Paused('%s is reached: orders cancelled, position closed. Start again or change the setting to go on.' % self.reason)

    def _look(self, balance, max_drawdown, max_loss, now):
        units = max_loss * 10 ** contracts.currency(self.exchange.settlement()).digits
        self._stops.note(balance)
        reached = self._stops.exceeded(balance, max_drawdown, units)
        if reached is not None or self._asked_at is None or now - self._asked_at >= ASK_EVERY_S:
            self._asked_at = now
            self._stops.settle(balance, self._deposits())
            reached = self._stops.exceeded(balance, max_drawdown, units)
        return reached

    def _deposits(self):
        return self.exchange.deposits() or 0

    def _leave(self):
        with self.exchange.journal.because('%s is reached' % self.reason):
            if self.exchange.get_orders():
                self.exchange.cancel_all_orders()
            held = self.exchange.get_delta()
            if held:
                logger.warning('%s: closing a position of %d contracts.', self.reason, held)
                self.exchange.close_position(held)
