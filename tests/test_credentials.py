"""Where credentials go: to https with a certificate that was looked at, or to this machine, and nowhere else."""
from __future__ import absolute_import, division, print_function

import threading

import certificates
import pytest
import requests.certs
from fakes import ScriptedTransport, connect, response
from socket_server import SocketServer

from market_maker.auth import APIKeyAuthWithExpires
from market_maker.direct import Direct
from market_maker.rate_limit import RequestBudget
from market_maker.rest_session import RestSession
from market_maker.settings import Settings, load
from market_maker.utils import address, errors
from market_maker.utils.clock import ManualClock, RealClock
from market_maker.ws.socket_feed import SocketFeed

HOME = ['http://127.0.0.1/api/v1/', 'http://127.255.0.7:80/', 'http://localhost:1/api/v1/', 'http://LOCALHOST/', 'http://[::1]:8080/api/v1/']
FAR = ['http://127.0.0.1.evil.example/api/v1/', 'http://127.evil.example/', 'http://localhost.evil.example/', 'http://localhost./', 'http://evil-localhost/',
       'http://2130706433/', 'http://0x7f000001/', 'http://127.1/', 'http://0177.0.0.1/', 'http://127.0.0.256/', 'http://[::ffff:127.0.0.1]/',
       'http://0.0.0.0/', 'http://[::]/', 'http://evil.example/127.0.0.1/', 'http://evil.example#127.0.0.1/', 'http://evil.example?127.0.0.1']
TRICKS = ['http://evil.example\\@127.0.0.1/', 'http://127.0.0.1 .evil.example/', 'http://127.0.0.1\t/', 'http://127.0.0.1\n.evil.example/', u'http://127.0.0.\u2460/',
          'http://[::1', 'http://:80/', 'https://', 'https://host:0/', 'nonsense', 'ftp://127.0.0.1/', '', None]
USERS = ['https://somebody:pass-in-url@venue.example/api/v1/', 'http://somebody:pass-in-url@127.0.0.1/', 'http://127.0.0.1:pass-in-url@evil.example/',
         'https://somebody@venue.example/']


def refusals(url):
    """What each way to a venue says of an address."""
    said, settings = [], Settings({'BASE_URL': url or '', 'API_KEY': 'k', 'API_SECRET': 's'})
    for way in (lambda: connect(base_url=url), lambda: Direct(settings).log_in()):
        with pytest.raises(errors.SettingsError) as caught:
            way()
        said.append(str(caught.value))
    return said


@pytest.mark.parametrize('url', HOME)
def test_plain_http_to_this_machine_is_let_through(url):
    assert address.problem_of(url) is None and address.is_loopback(url)


@pytest.mark.parametrize('url', FAR)
def test_plain_http_to_anything_else_is_refused_whatever_its_name_looks_like(url):
    assert not address.is_loopback(url)
    assert all('plain http' in said for said in refusals(url))
    assert address.problem_of(url.replace('http:', 'https:')) is None


@pytest.mark.parametrize('url', TRICKS)
def test_what_two_libraries_may_read_in_two_ways_is_no_address(url):
    assert all('is not an address' in said for said in refusals(url))


@pytest.mark.parametrize('url', USERS)
def test_an_address_with_a_name_or_password_is_refused_without_telling_it(url, tmp_path):
    for said in refusals(url):
        assert 'pass-in-url' not in said and 'somebody' not in said
    with pytest.raises(errors.SettingsError) as caught:
        load(overrides={'BASE_URL': url}, cwd=str(tmp_path), environ={})
    assert 'API_KEY and API_SECRET' in str(caught.value) and 'pass-in-url' not in str(caught.value)
    assert 'pass-in-url' not in repr(Settings({'BASE_URL': url}))


#
# A redirect takes nothing along
#
@pytest.mark.parametrize('verb', ['GET', 'POST', 'DELETE'])
def test_a_redirect_of_a_request_is_not_followed(verb):
    def away(request):
        return response(302, '', {'Location': 'http://127.0.0.1:2/api/v1/instrument'})
    transport = ScriptedTransport(dict(('%s order' % one, away) for one in ('GET', 'POST', 'DELETE')))
    session = RestSession('http://127.0.0.1:1/api/v1/', ManualClock(), RequestBudget(), APIKeyAuthWithExpires('k', 's'), transport=transport)
    with pytest.raises(errors.MarketMakerError):
        session.request(verb, 'order', body=None if verb == 'GET' else {})
    assert set(request.url for request in transport.prepared) == set(['http://127.0.0.1:1/api/v1/order'])


class Listener(object):
    def __init__(self):
        self.opened, self.reason = False, None

    def on_open(self):
        self.opened = True

    def on_close(self, reason, status=None):
        self.reason = reason


def test_a_redirect_of_the_socket_is_not_followed():
    elsewhere = SocketServer(lambda peer: None)
    first, listener = SocketServer(elsewhere.url), Listener()
    SocketFeed().start(first.url, ['api-key: abc', 'api-signature: def'], listener)
    first.close()
    elsewhere.close()
    assert not listener.opened and 'elsewhere' in listener.reason and len(first.requests) == 1 and elsewhere.requests == []


#
# Proxies and .netrc
#
def test_a_socket_to_this_machine_passes_no_proxy_whatever_the_environment_says(monkeypatch):
    proxy, venue, listener = SocketServer(407), SocketServer(lambda peer: None), Listener()
    for name in ('http_proxy', 'https_proxy', 'HTTP_PROXY'):
        monkeypatch.setenv(name, 'http://127.0.0.1:%d' % proxy.port)
    monkeypatch.setenv('no_proxy', '.corp.example')
    SocketFeed().start(venue.url.replace('127.0.0.1', 'localhost'), ['api-key: abc'], listener)
    proxy.close()
    venue.close()
    assert listener.opened and proxy.requests == []


def test_no_name_and_password_are_taken_from_a_netrc(monkeypatch, tmp_path):
    (tmp_path / 'netrc').write_text(u'machine venue.example login somebody password of-a-netrc\n')
    monkeypatch.setenv('NETRC', str(tmp_path / 'netrc'))
    transport = ScriptedTransport()
    session = RestSession('https://venue.example/api/v1/', ManualClock(), RequestBudget(), transport=transport)
    for query in (None, {'count': 1}):
        session.request('GET', 'instrument', query)
    assert not any('authorization' in request.headers for request in transport.prepared) and len(transport.prepared) == 2


#
# TLS
#
@pytest.mark.parametrize('variables', [{}, {'REQUESTS_CA_BUNDLE': '/other.pem'}, {'CURL_CA_BUNDLE': '/other.pem'}, {'CURL_CA_BUNDLE': ''}])
def test_certificates_are_held_against_certifi_whatever_the_environment_or_a_program_says(variables, monkeypatch):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    seen = []

    class Transport(ScriptedTransport):
        def send(self, request, **options):
            seen.append(options['verify'])
            return super(Transport, self).send(request, **options)
    session = RestSession('https://venue.example/api/v1/', ManualClock(), RequestBudget(), transport=Transport())
    session._session.verify = False
    session.request('GET', 'instrument')
    assert seen == [requests.certs.where()]


@pytest.fixture
def unknown_authority(tmp_path):
    """A TLS server whose certificate for localhost nobody but itself vouches for; yields (port, path of the certificate, what it was sent)."""
    certificate, context = certificates.made_in(tmp_path)
    server, heard = SocketServer(), []

    def serve():
        while True:
            try:
                connection = server._listener.accept()[0]
            except (OSError, IOError):
                return
            try:
                heard.append(context.wrap_socket(connection, server_side=True).recv(4096))
            except (OSError, IOError):
                connection.close()
    thread = threading.Thread(target=serve)
    thread.daemon = True
    thread.start()
    yield server.port, certificate, heard
    server.close()


def test_a_certificate_that_certifi_does_not_know_is_refused_by_both_lines_before_anything_is_said(unknown_authority, monkeypatch):
    port, certificate, heard = unknown_authority
    for name in ('REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE', 'WEBSOCKET_CLIENT_CA_BUNDLE', 'SSL_CERT_FILE'):
        monkeypatch.setenv(name, certificate)
    session, listener = RestSession('https://localhost:%d/api/v1/' % port, RealClock(), RequestBudget(), APIKeyAuthWithExpires('k', 's')), Listener()
    with pytest.raises(errors.VenueUnreachable) as caught:
        session.request('GET', 'instrument')
    SocketFeed().start('wss://localhost:%d/realtime' % port, ['api-key: abc'], listener)
    assert 'certificate' in str(caught.value).lower() and not listener.opened and 'certificate' in listener.reason.lower()
    assert heard == []
