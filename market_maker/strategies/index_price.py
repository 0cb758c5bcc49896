"""Quoting around an index price: `marketmaker --strategy market_maker.strategies.index_price:IndexOrderManager`.

The ladder starts MIN_SPREAD / 2 on either side of the index that the contract settles at, instead of at the touch: what trades on
this venue alone does not move our quotes, what moves everywhere does. It still ends on our own side of the touch. While there is
no index price it quotes around the touch.
"""
from __future__ import absolute_import, division, print_function

from market_maker import contracts
from market_maker.market_maker import OrderManager


class IndexOrderManager(OrderManager):

    def news(self):
        """A change of the index is worth a decision, too."""
        market, ours = super(IndexOrderManager, self).news()
        return (market, contracts.spot_price(self.exchange.get_instrument())), ours

    def get_ticker(self):
        """Set the start positions around the index; return the touch, against which they are checked."""
        ticker = super(IndexOrderManager, self).get_ticker()
        index = contracts.spot_price(self.exchange.get_instrument())
        if index:
            self.start_position_buy = index * (1 - self.settings.MIN_SPREAD / 2)
            self.start_position_sell = index * (1 + self.settings.MIN_SPREAD / 2)
            self.start_position_mid = index
        return ticker
