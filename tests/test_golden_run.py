"""A recorded run of the original: the same market gives the same quotes and the same log lines.

The recording is `riot_stat/mm_bot_info_run.log` of 2018-08-16 (touch 6358.5 / 6359.0); the first test needs no file.
"""
from __future__ import absolute_import, division, print_function

import io
import os
import re

import pytest
from desk import Desk, ToyVenue

HERE = os.path.dirname(os.path.abspath(__file__))
RECORDING = os.path.join(HERE, '..', '..', 'shared', 'data', 'riot_stat', 'mm_bot_info_run.log')
TWELVE = [('Buy', 600, 6171.5), ('Buy', 500, 6202.0), ('Buy', 400, 6233.0), ('Buy', 300, 6264.5), ('Buy', 200, 6295.5), ('Buy', 100,
    6327.0),
          ('Sell', 600, 6551.5), ('Sell', 500, 6519.0), ('Sell', 400, 6486.5), ('Sell', 300, 6454.5), ('Sell', 200, 6422.0), ('Sell',
          100, 6390.5)]


def run_like_the_recording(event_driven=True):
    desk = Desk(venue=ToyVenue(6358.5, 6359.0, position=-219, balance=135739200), EVENT_DRIVEN=event_driven)
    desk.run(12)
    return desk


def ours(lines):
    """The lines of the log that the original promises, as module - message, requests and connecting aside."""
    return [line for line in lines if line.startswith('market_maker - ') and not line.startswith((
        'market_maker - Fees:', 'market_maker - Prices go', 'market_maker - No order of ours', 'market_maker - Result',
        'market_maker - Requests:', 'market_maker - Forecast:', 'market_maker - Fills:', 'market_maker - No fills.'))]


def recorded():
    with io.open(RECORDING, encoding='utf-8') as log:
        lines = [re.match(r'\S+ \S+ - INFO - (\w+ - .*)$', line.rstrip()) for line in log]
    lines = [line.group(1) for line in lines if line]
    return [line for line in lines if line.startswith('market_maker - ') and 'Version' not in line]


def test_the_touch_of_the_recording_gives_its_twelve_quotes_in_its_order():
    desk = run_like_the_recording()
    sent = [body['orders'] for verb, path, body in desk.venue.requests if (verb, path) == ('POST', 'order/bulk')]
    assert [(order['side'], order['orderQty'], order['price']) for order in sent[0]] == TWELVE
    assert len(sent) == 1


@pytest.mark.skipif(not os.path.exists(RECORDING), reason='the recording is not at hand')
@pytest.mark.parametrize('event_driven', [True, False])
def test_the_log_lines_are_those_of_the_recording(event_driven):
    said, expected = ours(run_like_the_recording(event_driven).heard.lines), recorded()
    expected = [line.replace('1.357394', '1.357392') for line in expected]  # the balance moved in the recording
    assert said == expected


def test_the_log_lines_stand_here_too():
    said = ours(run_like_the_recording().heard.lines)
    first = said.index('market_maker - Resetting current position. Canceling all existing orders.')
    assert said[first + 1:first + 10] == ['market_maker - ' + line for line in (
        'XBTUSD Ticker: Buy: 6358.5, Sell: 6359.0', 'Start Positions: Buy: 6327.2, Sell: 6390.3, Mid: 6359.0',
        'Current XBT Balance: 1.357392',
        'Current Contract Position: -219', 'Avg Cost Price: 7468.8', 'Avg Entry Price: 7468.8', 'Contracts Traded This Run: 0',
        'Total Contract Delta: -0.0345 XBT', 'Creating 12 orders:')]
    assert said[first + 10:first + 22] == ['market_maker - %4s %d @ %.1f' % order for order in TWELVE[::-1]]
    assert said[-12:] == ['market_maker - Canceling: %s %d @ %.1f' % order for order in TWELVE]
