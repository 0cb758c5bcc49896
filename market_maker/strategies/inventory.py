"""Leaning quotes against inventory: `marketmaker --strategy market_maker.strategies.inventory:InventoryOrderManager`.

The more we hold, the lower both sides of the ladder stand (the more we are short, the higher), so that the orders which
would reduce the position are nearer to the market than those which would enlarge it. At MAX_POSITION (MIN_POSITION) the ladder is
shifted by half of MIN_SPREAD; it never reaches the other side of the touch.
"""
from __future__ import absolute_import, division, print_function

from market_maker.market_maker import OrderManager


class InventoryOrderManager(OrderManager):

    def get_ticker(self):
        """Set the start positions as usual, then shift both against the position."""
        ticker = super(InventoryOrderManager, self).get_ticker()
        shift = 1 - self.lean() * self.settings.MIN_SPREAD / 2
        self.start_position_buy *= shift
        self.start_position_sell *= shift
        return ticker

    def lean(self):
        """From -1 (as short as allowed) over 0 (flat) to 1 (as long as allowed)."""
        position = self.exchange.get_delta()
        limit = self.settings.MAX_POSITION if position > 0 else self.settings.MIN_POSITION
        return max(-1.0, min(1.0, position / abs(limit))) if limit else 0.0
