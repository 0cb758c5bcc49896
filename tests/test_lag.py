"""How far behind the venue its feed is."""
from __future__ import absolute_import, division, print_function

import pytest
from desk import Desk
from fakes import QUOTE, ScriptedFeed, connect, error

from market_maker.utils import compat, errors
from market_maker.ws.lag import Lag
from market_maker.ws.ws_thread import BitMEXWebsocket

START = 1500000000.0


def stamp(seconds):
    return compat.timestamp_of(START + seconds)


def test_a_message_is_late_by_how_much_longer_it_took_than_the_fastest():
    lag = Lag()
    lag.welcome(START, 1000.1)  # our clock is another one
    for sent, came in ((1, 1001.2), (2, 1002.1)):
        lag.note(stamp(sent), came)
        assert lag.seconds() < 0.11
    lag.note(stamp(3), 1063.1)
    assert round(lag.seconds()) == 60
    lag.note(stamp(100), 1100.1)
    assert lag.seconds() < 0.01


def test_what_is_not_newer_says_nothing():
    lag = Lag()
    lag.note(stamp(1), 1001.0)
    lag.seconds()
    for nothing in (stamp(1), stamp(0), None, ''):
        lag.note(nothing, 2000.0)
    assert lag.seconds() == 0.0
    lag.note('z is no time stamp', 2000.0)
    assert lag.seconds() == 0.0
    lag.note(stamp(2), 2061.0)
    assert lag.seconds() > 1000


def test_a_feed_that_is_alive_and_late_is_stale_and_is_replaced_when_it_stays_so():
    bitmex, _, feed, clock = connect()
    clock.advance(20)
    feed.table('quote', 'insert', dict(QUOTE, timestamp=stamp(1)))
    assert 18.9 < bitmex.data_age() < 19.1
    clock.advance(3)
    feed.table('quote', 'insert', dict(QUOTE, timestamp=stamp(22.9)))
    assert bitmex.data_age() < 0.2
    clock.advance(60)
    feed.table('quote', 'insert', dict(QUOTE, timestamp=stamp(30)))
    bitmex.ws.poll()
    assert 'late' in bitmex.ws.last_reason and bitmex.data_age() == float('inf')


def test_data_that_turns_out_to_be_too_old_pulls_the_quotes_at_once_each_said_once():
    desk, seen = Desk(LOOP_INTERVAL=5), []

    def quote(sent):
        desk.venue.feed.table('quote', 'insert', dict(desk.venue.quote_row(), timestamp=stamp(sent)))
    desk.at(1, quote, 1)
    for moment, sent in ((22, 2), (23, 3), (30, 30), (60, 40), (61, 41), (62, 62)):  # twenty seconds late, and on time again; twice
        desk.at(moment, quote, sent)
        desk.at(moment + 0.5, lambda: seen.append(len(desk.venue.resting())))
    desk.run(64)
    assert seen == [0, 0, 12] * 2
    assert [desk.heard.count(text) for text in ('Waiting: ', 'our quotes are pulled', 'Resumed after')] == [2, 2, 2]


def test_errors_again_and_again_in_the_realtime_thread_end_the_run():
    desk = Desk()
    desk.at(2, lambda: [desk.bitmex.ws._note_error(ValueError('a bug')) for _ in range(5)])
    with pytest.raises(errors.MarketMakerError):
        desk.run(20)
    assert desk.venue.resting() == [] and desk.manager.cancelled


def test_connections_that_end_again_and_again_by_errors_nobody_foresaw_end_the_run():
    desk = Desk()
    for moment in range(2, 12, 2):
        desk.at(moment, lambda: desk.bitmex.ws.on_fault("KeyError('a bug')"))
    with pytest.raises(errors.MarketMakerError):
        desk.run(60)
    assert desk.heard.count('Got all market data again') >= 3 and desk.venue.resting() == [] and desk.manager.cancelled


class Threaded(ScriptedFeed):
    threaded = True

    def __init__(self, failure):
        super(Threaded, self).__init__()
        self.failure = failure

    def start(self, url, header, listener):
        raise self.failure


@pytest.mark.parametrize('failure', [SystemExit(1), KeyboardInterrupt()])
@pytest.mark.filterwarnings('ignore')
def test_a_realtime_thread_that_ends_tells_the_loop(failure):
    from market_maker.utils.clock import ManualClock, Wakeup
    websocket = BitMEXWebsocket(ManualClock(), Wakeup(), Threaded(failure))
    websocket.connect('http://127.0.0.1:1/api/v1/', 'XBTUSD')
    websocket._thread.join(10)
    assert isinstance(websocket.fatal, errors.MarketMakerError)
    websocket.exit()


#
# States instead of exits
#
@pytest.mark.parametrize('refusal', [
    error(403, 'Access Denied'),
    error(400, 'Order price is below the liquidation price of current long position')])
def test_what_is_forbidden_now_is_waited_for(refusal):
    desk = Desk(LOOP_INTERVAL=2)
    desk.venue.once['POST order/bulk'] = [refusal]
    seen = []
    for moment in (5, 25):
        desk.at(moment, lambda: seen.append(len(desk.venue.resting())))
    desk.run(26)
    assert seen == [0, 12] and desk.heard.count('Waiting: ') == 1 and desk.heard.count('Resumed after') == 1
