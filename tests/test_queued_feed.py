"""The socket that a thread reads and the loop hears: order, times of arrival, and a line that is kept alive while nobody listens."""
from __future__ import absolute_import, division, print_function

import threading
from collections import deque

import pytest

from market_maker.inputs import KeptInputs, ObservedWakeup
from market_maker.utils.clock import PolledClock, RealClock
from market_maker.ws.queued_feed import Line, QueuedFeed
from market_maker.ws.ws_thread import BitMEXWebsocket
from running import wait_until


class Wire(object):
    """A feed that a thread reads: what `say` is told comes at the next read."""

    def __init__(self):
        self.waiting, self.sent, self.closed = deque(), [], 0
        self.refuse = None
        self.listener = None
        self._some = threading.Event()

    def start(self, url, header, listener):
        self.listener = listener
        if self.refuse:
            listener.on_close(*self.refuse)
        else:
            listener.on_open()

    def say(self, what):
        self.waiting.append(what)
        self._some.set()

    def read(self, limit, listener):
        self._some.wait(0.01)
        self._some.clear()
        while self.waiting:
            what = self.waiting.popleft()
            if isinstance(what, Exception):
                raise what
            if what is None:
                listener.on_close('cut', None)
            else:
                listener.on_message(what)

    def send(self, text):
        self.sent.append(text)

    def close(self):
        self.closed += 1


class Listener(object):
    def __init__(self):
        self.heard = []

    def on_open(self):
        self.heard.append('open')

    def on_message(self, text, at):
        self.heard.append((text, at))

    def on_close(self, reason, status=None):
        self.heard.append((reason, status))

    def on_fault(self, reason):
        self.heard.append(('fault', reason))


class Room(object):
    """A queued feed on wires, with what it kept."""

    def __init__(self):
        self.now, self.kept, self.wires, self.listener = 100.0, [], [], Listener()
        self.inputs = KeptInputs(self.kept.append)
        self.wakeup = ObservedWakeup(self.inputs)
        self.refuse = None
        self.feed = QueuedFeed(self._line, self.inputs, self.wakeup)

    def _line(self, url, header):
        wire = Wire()
        wire.refuse = self.refuse
        self.wires.append(wire)
        return Line(wire, url, header, self.wakeup, lambda: self.now)

    def start(self):
        self.feed.start('ws://x', [], self.listener)
        assert self.hears(lambda: self.listener.heard == ['open'])
        del self.listener.heard[:]

    def hears(self, condition):
        def look():
            self.feed.deliver(self.listener)
            return condition()
        return wait_until(look)


@pytest.fixture
def room():
    made = Room()
    yield made
    made.feed.close()


def test_what_comes_is_heard_when_the_loop_listens_in_order_with_the_time_of_its_arrival(room):
    room.start()
    room.wires[0].say('one')
    assert wait_until(lambda: not room.wires[0].waiting and room.wakeup._is_nudged)
    room.now = 107.5  # it lay in the queue for a while
    assert room.listener.heard == []
    assert room.hears(lambda: room.listener.heard)
    assert room.listener.heard == [('one', 100.0)]
    for text in ('two', 'three'):
        room.wires[0].say(text)
    assert room.hears(lambda: len(room.listener.heard) == 3)
    assert room.listener.heard[1:] == [('two', 107.5), ('three', 107.5)]


def test_what_is_heard_is_kept_with_the_number_of_looks_since_the_last_time(room):
    room.start()
    del room.kept[:]
    for _ in range(3):
        room.feed.deliver(room.listener)
    room.feed._line._inbox.append(('text', 1.5, 'x'))
    room.feed.deliver(room.listener)
    assert room.kept == [('h', 4, [('text', 1.5, 'x')])]


def test_a_frame_wakes_who_waits_without_being_a_wake_up(room):
    room.start()
    timer = threading.Timer(0.05, lambda: room.wires[0].say('news'))
    timer.start()
    began = RealClock().monotonic()
    assert not RealClock().wait(room.wakeup, 10)
    assert RealClock().monotonic() - began < 5
    assert not room.wakeup.is_set()
    timer.join()


def test_while_nobody_listens_the_line_pings_by_itself(room):
    room.start()
    room.now += 5.5
    assert not wait_until(lambda: room.wires[0].sent, 0.2)
    room.now += 1
    assert wait_until(lambda: room.wires[0].sent == ['ping'])
    assert not wait_until(lambda: len(room.wires[0].sent) > 1, 0.2)  # once for each silence


def test_what_the_loop_says_goes_out_by_the_line_s_own_thread(room):
    room.start()
    room.feed.send('subscribe')
    assert wait_until(lambda: room.wires[0].sent == ['subscribe'])


def test_a_connection_that_was_given_up_is_heard_no_more(room):
    room.start()
    room.wires[0].say('late')
    assert wait_until(lambda: not room.wires[0].waiting and room.wakeup._is_nudged)
    room.feed.close()
    room.feed.close()
    room.feed.send('nobody hears this')
    room.feed.deliver(room.listener)
    assert room.listener.heard == [] and wait_until(lambda: room.wires[0].closed >= 1)
    room.start()
    assert len(room.wires) == 2


@pytest.mark.parametrize('what, expected', [(None, ('cut', None)), (KeyError('oops'), ('fault', repr(KeyError('oops'))))])
def test_the_end_of_a_connection_is_heard_once(room, what, expected):
    room.start()
    room.wires[0].say(what)
    assert room.hears(lambda: room.listener.heard)
    assert room.listener.heard == [expected]


def test_a_refusal_comes_with_its_status(room):
    room.refuse = ('the venue refused the socket with HTTP 403', 403)
    room.feed.start('ws://x', [], room.listener)
    assert room.hears(lambda: room.listener.heard)
    assert room.listener.heard == [('the venue refused the socket with HTTP 403', 403)]


#
# Behind the realtime client
#
def client_of(room):
    """The realtime client on the room's feed, all tables there."""
    clock = RealClock()
    feed = QueuedFeed(lambda url, header: _noted(room, Line(Wire(), url, header, room.wakeup)), room.inputs, room.wakeup)
    client = BitMEXWebsocket(clock, room.wakeup, feed, jitter=lambda: 0.0)
    client.connect('http://127.0.0.1:1/api/v1/', 'XBTUSD')
    return client, PolledClock(clock, client)


def _noted(room, line):
    room.wires.append(line._feed)
    return line


def waited(clock, room):
    room.wakeup.clear()
    clock.wait(room.wakeup, 0.05)
    return True


def give_tables(client, wire):
    for topic in client.topics():
        table, _, symbol = topic.partition(':')
        wire.say('{"table":"%s","action":"partial","keys":[],"filter":{"symbol":"%s"},"data":[]}' % (table, symbol))


def test_the_client_connects_once_and_is_ready_when_the_tables_have_come(room):
    client, clock = client_of(room)
    for _ in range(5):
        client.poll()
    assert len(room.wires) == 1
    give_tables(client, room.wires[0])
    assert wait_until(lambda: waited(clock, room) and client.ready)
    assert client.age() < 5
    client.exit()


def test_the_client_survives_what_cannot_be_handled_and_connects_again(room, caplog):
    client, clock = client_of(room)
    give_tables(client, room.wires[0])
    assert wait_until(lambda: waited(clock, room) and client.ready)
    client._on_rows = lambda table, rows, is_image: 1 / 0
    room.wires[0].say('{"table":"trade","action":"insert","data":[{"symbol":"XBTUSD"}]}')
    assert wait_until(lambda: waited(clock, room) and len(room.wires) == 2)
    assert 'could not be handled' in caplog.text and client.fatal is None
    client.exit()
