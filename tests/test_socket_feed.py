"""Real sockets: what a feed makes of them, with whichever websocket-client is installed."""
from __future__ import absolute_import, division, print_function

import errno
import json
import socket
import threading

import pytest
import websocket

from fakes import PARTIALS
from market_maker.utils import errors
from market_maker.utils.clock import RealClock, Wakeup
from market_maker.ws.liveness import NOT_REACHED
from market_maker.ws.socket_feed import SocketFeed
from market_maker.ws.ws_thread import BitMEXWebsocket, KeyCredentials
from socket_server import SocketServer


class Listener(object):
    def __init__(self):
        self.events = []

    def on_open(self):
        self.events.append('open')

    def on_message(self, text):
        self.events.append(text)

    def on_close(self, reason, status=None):
        self.events.append(('closed', status))


@pytest.fixture
def serve():
    servers = []

    def start(*scripts):
        servers.append(SocketServer(*scripts))
        return servers[-1]
    yield start
    for server in servers:
        server.close()


def read_until_closed(feed, listener):
    while not isinstance(listener.events[-1], tuple):
        feed.read(1.0, listener)
    return listener.events


def test_text_is_handed_on_whether_the_library_gives_bytes_or_text(serve):
    def script(peer):
        peer.send(u'{"price":"\u20bf"}')
        peer.send('pong')
        peer.send(b'\x01\x02', opcode=2)
        peer.send(b'', opcode=8)
        peer.receive()
    feed, listener = SocketFeed(), Listener()
    feed.start(serve(script).url, ['api-key: abc'], listener)
    assert read_until_closed(feed, listener) == ['open', u'{"price":"\u20bf"}', 'pong', ('closed', None)]
    feed.read(0.01, listener)
    feed.send('nobody reads this')
    feed.close()
    assert len(listener.events) == 4


def test_a_refused_upgrade_tells_its_status(serve):
    listener = Listener()
    SocketFeed().start(serve(401).url, [], listener)
    assert listener.events == [('closed', 401)]


def test_nobody_listening_is_told_as_a_close():
    free = socket.socket()
    free.bind(('127.0.0.1', 0))
    listener = Listener()
    SocketFeed().start('ws://127.0.0.1:%d/realtime' % free.getsockname()[1], [], listener)
    free.close()
    assert listener.events == [('closed', NOT_REACHED)]


@pytest.mark.parametrize('error', [socket.gaierror(-2, 'Name or service not known'), socket.error(errno.EHOSTUNREACH, 'No route to host'),
                                   websocket.WebSocketAddressException('no such host')])
def test_where_nobody_was_reached_the_status_says_so(error):
    def connect(*arguments, **options):
        raise error
    listener = Listener()
    SocketFeed(connect).start('ws://venue.example/realtime', [], listener)
    assert listener.events == [('closed', NOT_REACHED)]


def test_a_handshake_without_an_answer_may_have_been_heard():
    def connect(*arguments, **options):
        raise websocket.WebSocketTimeoutException('timed out')
    listener = Listener()
    SocketFeed(connect).start('ws://venue.example/realtime', [], listener)
    assert listener.events == [('closed', None)]


def test_a_cut_connection_is_noticed(serve):
    feed, listener = SocketFeed(), Listener()
    feed.start(serve(lambda peer: peer.cut()).url, [], listener)
    assert read_until_closed(feed, listener)[-1] == ('closed', None)


def test_a_ping_frame_is_answered_and_silence_is_no_error(serve):
    answers = []

    def script(peer):
        peer.send(b'hello', opcode=9)
        answers.append(peer.receive())
        answers.append(peer.receive())
    feed, listener = SocketFeed(), Listener()
    feed.start(serve(script).url, [], listener)
    feed.read(1.0, listener)
    feed.send('ping')
    while len(answers) < 2:
        feed.read(0.05, listener)
    assert answers == [(10, 'hello'), (1, 'ping')]
    feed.close()


def test_closing_from_another_thread_ends_a_read(serve):
    release = threading.Event()
    feed, listener = SocketFeed(), Listener()
    feed.start(serve(lambda peer: release.wait(10)).url, [], listener)

    def read_while_open():
        while feed.is_open:
            feed.read(60.0, listener)
    reader = threading.Thread(target=read_while_open)
    reader.start()
    feed.close()
    reader.join(5)
    release.set()
    assert not reader.is_alive()


def test_the_certificates_are_those_of_requests():
    seen = {}

    def connect(url, **options):
        seen.update(options)
        raise websocket.WebSocketException('enough')
    SocketFeed(connect).start('wss://localhost/realtime', [], Listener())
    assert seen['sslopt']['ca_certs'].endswith('.pem')


def say_partials(peer, tables=PARTIALS):
    peer.send(json.dumps({'info': 'Welcome', 'timestamp': '2026-01-01T00:00:00.000Z', 'limit': {}}))
    for table, (rows, keys) in sorted(tables.items()):
        within = {'symbol': 'XBTUSD'} if table not in ('margin', 'position') else {}
        peer.send(json.dumps({'table': table, 'action': 'partial', 'keys': keys, 'filter': within, 'data': rows}))


def wait_for(condition, wakeup, seconds=10):
    end = RealClock().monotonic() + seconds
    while not condition():
        assert RealClock().monotonic() < end, 'it did not come'
        wakeup.clear()
        wakeup.wait(0.05)


@pytest.fixture
def realtime():
    wakeup = Wakeup()
    made = BitMEXWebsocket(RealClock(), wakeup, jitter=lambda: 0.0)
    made.wakeup = wakeup
    yield made
    made.exit()


def test_the_thread_comes_back_after_a_cut_and_is_joined_at_the_end(serve, realtime):
    done = threading.Event()

    def first(peer):
        say_partials(peer)
        peer.cut()

    def second(peer):
        say_partials(peer)
        done.wait(10)
    server = serve(first, second)
    realtime.connect('http://127.0.0.1:%d/api/v1/' % server.port, 'XBTUSD', credentials=KeyCredentials('KEY', 'SECRET'))
    wait_for(lambda: realtime.connections == 2 and realtime.ready, realtime.wakeup)
    assert 'api-key: KEY' in server.requests[1] and realtime.threaded
    thread = realtime._thread
    done.set()
    realtime.exit()
    assert not thread.is_alive()


def test_a_refused_key_ends_the_attempts(serve, realtime):
    server = serve(401, 401)
    realtime.connect('http://127.0.0.1:%d/api/v1/' % server.port, 'XBTUSD', credentials=KeyCredentials('KEY', 'SECRET'))
    wait_for(lambda: realtime.fatal is not None, realtime.wakeup)
    assert isinstance(realtime.fatal, errors.AuthenticationError) and len(server.requests) == 1


def test_a_listener_that_fails_does_not_end_the_thread(serve, realtime):
    fail = [RuntimeError('in a handler')]

    def on_orders(rows):
        if fail:
            raise fail.pop()
    realtime._on_orders = on_orders
    done = threading.Event()

    tables = dict(PARTIALS, order=([{'orderID': 'a', 'symbol': 'XBTUSD', 'leavesQty': 1}], ['orderID']))

    def second(peer):
        say_partials(peer, tables)
        done.wait(10)
    server = serve(lambda peer: say_partials(peer, tables), second)
    realtime.connect('http://127.0.0.1:%d/api/v1/' % server.port, 'XBTUSD', credentials=KeyCredentials('KEY', 'SECRET'))
    wait_for(lambda: not fail and realtime.ready, realtime.wakeup)
    done.set()
