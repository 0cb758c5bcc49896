"""Connections for the next orders: open again before they are needed, without a request."""
from __future__ import absolute_import, division, print_function

import select
import socket
import ssl
import threading

import certificates
import pytest
import requests
from desk import Desk

from market_maker import warmth
from market_maker.rate_limit import RequestBudget
from market_maker.rest_session import RestSession
from market_maker.utils.clock import ManualClock
from market_maker.utils.parallel import run_all
from market_maker.warmth import EVERY_S, PAUSE_S, Warmth
from running import wait_until

ANSWER = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n[]'


class Server(object):
    """Answers every request with an empty list, over connections that stay open until `hang_up`."""

    def __init__(self):
        self._listener = socket.socket()
        self._listener.bind(('127.0.0.1', 0))
        self._listener.listen(20)
        self.port = self._listener.getsockname()[1]
        self.open, self.accepted, self.requests = [], 0, 0
        self.crowd = 1                     # answers are given when so many requests are under way
        self._together = threading.Condition()
        self._under_way = 0
        self._start(self._accept)

    def _start(self, target, *arguments):
        thread = threading.Thread(target=target, args=arguments)
        thread.daemon = True
        thread.start()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except (socket.error, OSError):
                return
            self.open.append(connection)
            self.accepted += 1
            self._start(self._serve, connection)

    def _serve(self, connection):
        try:
            while connection.recv(65536):
                with self._together:
                    self.requests += 1
                    self._under_way += 1
                    self._together.notify_all()
                    while self._under_way < self.crowd:
                        self._together.wait(5)
                connection.sendall(ANSWER)
        except (socket.error, OSError):
            pass

    def hang_up(self):
        """Close what is open, as a venue does after a minute without a request."""
        for connection in self.open:
            connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        self.open, self._under_way = [], 0

    def close(self):
        """Calling again is harmless."""
        self.hang_up()
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except (socket.error, OSError):
            pass
        self._listener.close()


@pytest.fixture
def server():
    made = Server()
    yield made
    made.close()


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def session(server, clock):
    made = RestSession('http://127.0.0.1:%d/api/v1/' % server.port, clock, RequestBudget())
    yield made
    made.close()


def looked(session, clock, times=1, wanted=1):
    for _ in range(times):
        clock.advance(EVERY_S)
        session.keep_warm(wanted)


def test_what_the_venue_has_closed_is_open_again_before_the_next_request(session, server, clock):
    session.request('GET', 'order')
    looked(session, clock)
    assert server.accepted == 1
    server.hang_up()
    assert wait_until(lambda: looked(session, clock) or server.accepted == 2)
    session.request('GET', 'order')
    assert (server.accepted, server.requests) == (2, 2) and session.budget.skipped == 0


def test_of_those_used_side_by_side_as_many_are_kept_one_at_each_look(session, server, clock):
    server.crowd = 4
    run_all([lambda: session.request('GET', 'order')] * 4, 4)
    assert server.accepted == 4
    server.hang_up()
    server.crowd = 4
    assert wait_until(lambda: looked(session, clock) or server.accepted == 5)
    looked(session, clock, 5)
    assert server.accepted == 5            # one was asked for
    looked(session, clock, 8, wanted=3)
    assert wait_until(lambda: server.accepted == 7)
    run_all([lambda: session.request('GET', 'order')] * 4, 4)
    assert server.accepted == 8 and server.requests == 8


def test_nothing_is_opened_that_was_never_used(session, server, clock):
    looked(session, clock, 5, wanted=8)
    session.request('GET', 'order')
    looked(session, clock, 5, wanted=8)
    assert server.accepted == 1


def test_after_a_failure_there_is_a_pause_and_nothing_is_raised(session, server, clock):
    session.request('GET', 'order')
    server.close()
    keeper, looks = session._warmth, []
    pool = keeper._pool
    keeper._pool = lambda: looks.append(clock.now) or pool()
    assert wait_until(lambda: looked(session, clock) or clock.now - looks[-1] > EVERY_S)  # the end of the line may be on its way still
    failed_at = looks[-1]
    looked(session, clock, int(PAUSE_S / EVERY_S))
    assert looks[-1] - failed_at == PAUSE_S and keeper.opened == 0


def test_the_pool_is_the_one_that_requests_take_their_connections_from(session, clock):
    https = requests.Session()
    keeper = Warmth(https, 'https://127.0.0.1:9/api/v1/', clock)
    verify = requests.certs.where()
    request = https.prepare_request(requests.Request('GET', 'https://127.0.0.1:9/api/v1/order'))
    adapter = https.get_adapter(request.url)
    if hasattr(adapter, 'get_connection_with_tls_context'):
        pool = adapter.get_connection_with_tls_context(request, verify)
    else:
        pool = adapter.get_connection(request.url)
    assert keeper._pool() is pool


def test_through_a_proxy_and_within_the_process_there_is_nothing_to_keep(monkeypatch, clock):
    monkeypatch.setenv('HTTPS_PROXY', 'http://127.0.0.1:9')
    monkeypatch.delenv('NO_PROXY', raising=False)
    monkeypatch.delenv('no_proxy', raising=False)
    assert Warmth(requests.Session(), 'https://venue.example/api/v1/', clock)._pool() is None
    desk = Desk()
    desk.bitmex.keep_warm()
    assert desk.bitmex._rest._warmth._pool() is None


@pytest.mark.parametrize('is_dry', [False, True])
def test_the_loop_keeps_warm_while_it_has_nothing_to_do_and_not_in_a_dry_run(is_dry):
    desk, kept = Desk(DRY_RUN=is_dry), []
    desk.bitmex.keep_warm = lambda: kept.append(desk.clock.now)
    desk.run(12)
    assert bool(kept) != is_dry


class Connection(object):
    def __init__(self, sock):
        self.sock = sock


def test_the_tickets_that_follow_a_handshake_are_no_end_of_the_line(tmp_path):
    _, context = certificates.made_in(tmp_path)
    listener = socket.socket()
    listener.bind(('127.0.0.1', 0))
    listener.listen(1)
    ours, theirs = socket.create_connection(listener.getsockname()), listener.accept()[0]
    listener.close()
    servers = []
    thread = threading.Thread(target=lambda: servers.append(context.wrap_socket(theirs, server_side=True)))
    thread.start()
    trusting = ssl.SSLContext(getattr(ssl, 'PROTOCOL_TLS_CLIENT', ssl.PROTOCOL_SSLv23))
    if hasattr(trusting, 'check_hostname'):
        trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    client = trusting.wrap_socket(ours)
    thread.join()
    if client.version() == 'TLSv1.3':
        assert wait_until(lambda: select.select([client], [], [], 0)[0])
    assert not warmth.is_closed(Connection(client))
    assert not select.select([client], [], [], 0)[0] and client.gettimeout() is None
    servers[0].shutdown(socket.SHUT_RDWR)
    assert wait_until(lambda: warmth.is_closed(Connection(client)))
    client.close()
