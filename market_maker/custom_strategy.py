"""A strategy of your own, to start from: run it with `marketmaker --strategy market_maker.custom_strategy:CustomOrderManager`.

It keeps one buy and one sell around the middle of the market, each MIN_SPREAD / 2 away from it. Copy this file, change
place_orders(), and run it the same way: `marketmaker --strategy my_strategy.py:CustomOrderManager`.

What place_orders() can use: self.exchange (get_ticker, get_position, get_orders, calc_delta, get_instrument, ...), the BitMEX client
itself as self.exchange.bitmex (market_depth, recent_trades, ...), self.settings, and self.get_price_offset(index).
"""
from __future__ import absolute_import, division, print_function

from market_maker.market_maker import OrderManager
from market_maker.utils.math import toNearest


class CustomOrderManager(OrderManager):
    """One order a side, the same distance from the middle."""

    def place_orders(self):
        instrument = self.exchange.get_instrument()
        mid = self.exchange.get_ticker()['mid']
        distance = self.settings.MIN_SPREAD / 2
        quantity = self.prepare_order(1)['orderQty']  # ORDER_START_SIZE, in whole lots

        buy_orders = [{'price': toNearest(mid * (1 - distance), instrument['tickSize']), 'orderQty': quantity, 'side': 'Buy'}]
        sell_orders = [{'price': toNearest(mid * (1 + distance), instrument['tickSize']), 'orderQty': quantity, 'side': 'Sell'}]

        # What rests is amended, created and cancelled until it is this. Lists go from the outermost order to the innermost.
        return self.converge_orders(buy_orders, sell_orders)


def run():
    """The same without our command line: `python -c 'from market_maker import custom_strategy; custom_strategy.run()'`."""
    CustomOrderManager().run_loop()


if __name__ == '__main__':
    run()
