"""Pure: MAX_DRAWDOWN and MAX_LOSS: when a run has lost enough.

Formula, with value = marginBalance - (deposits - withdrawals since the start):

    loss = value at the start - value now             stops when it reaches MAX_LOSS (settlement currency)
    drawdown = (peak - value now) / peak * 100        stops when it reaches MAX_DRAWDOWN (percent); peak: the highest value of the run

Rules:

* A peak counts once it is known that no deposit made it; so a deposit is no profit, and a withdrawal no loss.
* A stop stays until the program is started again or one of the two settings is changed; start and peak are then the value of that moment.
"""
from __future__ import absolute_import, division, print_function


class Stops(object):
    """Money in units of the settlement currency."""

    def __init__(self, balance, deposits=0):
        self.deposits = deposits
        self.start = self.peak = balance - deposits
        self._highest = balance

    def note(self, balance):
        """The balance now, with deposits as they were known last."""
        self._highest = max(self._highest, balance)

    def settle(self, balance, deposits):
        """The balance, and the deposits of this moment."""
        if deposits == self.deposits:
            self.peak = max(self.peak, self._highest - deposits)
        self.deposits = deposits
        self.peak = max(self.peak, balance - deposits)
        self._highest = balance

    def exceeded(self, balance, max_drawdown, max_loss):
        """Which limit is reached, as a text; None when none is. `max_drawdown` in percent, `max_loss` in units; 0 is off."""
        value = balance - self.deposits
        peak = max(self.peak, self._highest - self.deposits)
        if max_loss and self.start - value >= max_loss:
            return 'MAX_LOSS'
        if max_drawdown and peak > 0 and 100.0 * (peak - value) / peak >= max_drawdown:
            return 'MAX_DRAWDOWN'
        return None
