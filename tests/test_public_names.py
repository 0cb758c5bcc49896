"""The original's public names stay, so that somebody's old strategy file runs unchanged (design rule 5)."""
from __future__ import absolute_import, division, print_function

import pytest
from desk import Desk

from market_maker import custom_strategy
from market_maker import market_maker as bot
from market_maker.utils import math

EXCHANGE = ['cancel_order', 'cancel_all_orders', 'get_portfolio', 'calc_delta', 'get_delta', 'get_instrument', 'get_margin', 'get_orders',
            'get_highest_buy', 'get_lowest_sell', 'get_position', 'get_ticker', 'is_open', 'check_market_open', 'check_if_orderbook_empty',
            'amend_bulk_orders', 'create_bulk_orders', 'cancel_bulk_orders', 'amend_orders', 'create_orders', 'cancel_orders']
MANAGER = ['place_orders', 'prepare_order', 'converge_orders', 'get_price_offset', 'get_ticker', 'reset', 'sanity_check', 'print_status',
           'run_loop', 'exit', 'restart', 'long_position_limit_exceeded', 'short_position_limit_exceeded', 'check_file_change',
           'check_connection']


@pytest.mark.parametrize('name', EXCHANGE)
def test_the_exchange_interface_has(name):
    assert callable(getattr(bot.ExchangeInterface, name))


@pytest.mark.parametrize('name', MANAGER)
def test_the_order_manager_has(name):
    assert callable(getattr(bot.OrderManager, name))


@pytest.mark.parametrize('name', ['run', 'cost', 'margin', 'XBt_to_XBT', 'ExchangeInterface', 'OrderManager'])
def test_the_module_has(name):
    assert callable(getattr(bot, name))


def test_the_helpers_have_their_names():
    assert callable(math.toNearest) and callable(custom_strategy.run) and callable(custom_strategy.CustomOrderManager)


def test_an_order_manager_carries_the_original_s_attributes():
    desk = Desk()
    desk.manager.reset()
    for name in ('exchange', 'start_time', 'instrument', 'starting_qty', 'running_qty', 'start_XBt', 'start_position_buy',
        'start_position_sell',
                 'start_position_mid'):
        assert hasattr(desk.manager, name), name
    for name in ('dry_run', 'symbol', 'bitmex'):
        assert hasattr(desk.exchange, name), name
    desk.manager.shut_down()


def test_a_strategy_written_for_the_original_runs_unchanged():
    class CustomOrderManager(bot.OrderManager):
        """As the original's README shows it: lists of price, orderQty and side."""

        def place_orders(self):
            buy_orders = []
            sell_orders = []
            buy_orders.append({'price': 6300.0, 'orderQty': 100, 'side': 'Buy'})
            buy_orders.append({'price': 6310.0, 'orderQty': 200, 'side': 'Buy'})
            sell_orders.append({'price': 6400.0, 'orderQty': 100, 'side': 'Sell'})
            self.converge_orders(buy_orders, sell_orders)
    desk = Desk(manager=CustomOrderManager)
    seen = []
    desk.at(7, lambda: seen.append((desk.venue.ladder('Buy'), desk.venue.ladder('Sell'))))
    desk.run(8)
    assert seen == [([(6310.0, 200), (6300.0, 100)], [(6400.0, 100)])] and len(desk.venue.orders) == 3


def test_old_code_that_shifts_the_start_positions_moves_the_ladder():
    class Shifted(bot.OrderManager):
        def get_ticker(self):
            ticker = bot.OrderManager.get_ticker(self)
            self.start_position_buy *= 0.99
            self.start_position_sell *= 1.01
            return ticker
    desk = Desk(manager=Shifted)
    desk.manager.reset()
    assert desk.venue.ladder('Buy')[0][0] == 6264.0 and desk.venue.ladder('Sell')[0][0] == 6454.0
    desk.manager.shut_down()
