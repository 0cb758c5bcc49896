"""What the venue sees while the bot runs: never more than ORDER_PAIRS orders a side, whatever happens to the wire."""
from __future__ import absolute_import, division, print_function

import pytest

from outside import Line, Watcher
from running import wait_until

pytestmark = pytest.mark.e2e

# A narrow ladder is filled all the time; the venue's market has a fixed seed.
NARROW = {'MM_LOOP_INTERVAL': '0.5', 'MM_RELIST_INTERVAL': '0.0001', 'MM_INTERVAL': '0.0005', 'MM_MIN_SPREAD': '0.0005', 'MM_ORDER_PAIRS': '3'}
WIDE = {'MM_LOOP_INTERVAL': '1'}


@pytest.fixture
def watcher(venue):
    watcher = Watcher(venue)
    assert wait_until(lambda: watcher.messages)
    yield watcher
    watcher.stop()


@pytest.fixture
def line(venue):
    line = Line(venue.port)
    yield line
    line.stop()


def fills(bot):
    return len([row for row in bot.lines if 'Execution: ' in row])


def cut_after_a_fill(bot, line, number):
    """Lose the reply to an amend after the next fill, cut all connections, and wait until the bot is back."""
    seen = fills(bot)
    assert wait_until(lambda: fills(bot) > seen, 90), bot.text
    line.lose_reply_to = b'PUT /api/v1/order'
    wait_until(lambda: line.lost == number, 20)
    line.cut()
    bot.wait_for('Got all market data', count=number + 1, timeout=40)


def stop(bot, venue, watcher):
    bot.interrupt()
    assert bot.wait(60) == 0, bot.text
    assert venue.open_orders() == []
    assert wait_until(lambda: watcher.resting == {'Buy': 0, 'Sell': 0})
    assert 'Traceback' not in bot.text, bot.text


def test_through_fills_and_amends_at_most_order_pairs_orders_a_side_rest(spawn, venue, watcher):
    bot = spawn(env=dict(NARROW, **venue.env))
    assert wait_until(lambda: fills(bot) >= 5, 90), bot.text
    assert 'Amending' in bot.text
    stop(bot, venue, watcher)
    assert watcher.most == {'Buy': 3, 'Sell': 3}


def test_after_a_cut_of_all_connections_it_is_back_with_the_same_orders(spawn, venue, watcher, line):
    bot = spawn(env=dict(WIDE, **dict(venue.env, MM_BASE_URL=line.url)))
    assert wait_until(lambda: watcher.resting == {'Buy': 6, 'Sell': 6})
    bot.wait_for('-----', count=2)
    assert line.cut() >= 1
    bot.wait_for('Got all market data', count=2)
    bot.wait_for('XBTUSD Ticker', count=len([row for row in bot.lines if 'XBTUSD Ticker' in row]) + 2)
    assert wait_until(lambda: watcher.resting == {'Buy': 6, 'Sell': 6}), bot.text
    stop(bot, venue, watcher)
    assert watcher.most == {'Buy': 6, 'Sell': 6}


def test_when_the_reply_to_the_placement_of_the_ladder_is_lost_no_order_is_placed_twice(spawn, venue, watcher, line):
    line.lose_reply_to = b'POST /api/v1/order/bulk'
    bot = spawn(env=dict(WIDE, **dict(venue.env, MM_BASE_URL=line.url)))
    assert wait_until(lambda: watcher.resting == {'Buy': 6, 'Sell': 6}), bot.text
    assert line.lost == 1
    bot.wait_for('-----', count=4)
    stop(bot, venue, watcher)
    assert watcher.most == {'Buy': 6, 'Sell': 6}


def test_cuts_in_the_middle_of_busy_trading_leave_no_order_too_many(spawn, venue, watcher, line):
    bot = spawn(env=dict(NARROW, **dict(venue.env, MM_BASE_URL=line.url)))
    bot.wait_for('Creating 6 orders:')
    cut_after_a_fill(bot, line, 1)
    cut_after_a_fill(bot, line, 2)
    stop(bot, venue, watcher)
    assert watcher.most['Buy'] <= 3 and watcher.most['Sell'] <= 3
