"""What a person reads when a connection fails: the reason, and nothing of the libraries that report it."""
from __future__ import absolute_import, division, print_function

import socket

import pytest
import requests

from market_maker.utils.reasons import CLOSED, reason_of


class NewConnectionError(Exception):
    """As urllib3 1.x and 2.x word it, by turns."""


class MaxRetryError(Exception):
    def __init__(self, text, reason):
        Exception.__init__(self, text)
        self.reason = reason


class RemoteDisconnected(Exception):
    pass


def wrapped(inner):
    return requests.exceptions.ConnectionError(MaxRetryError('Max retries exceeded with url: /api/v1/order', inner))


@pytest.mark.parametrize('error, words', [
    (wrapped(NewConnectionError("<urllib3.connection.HTTPConnection object at 0x7f1>: Failed to establish a new connection: "
                                "[Errno 111] Connection refused")), 'Connection refused'),
    (wrapped(NewConnectionError("HTTPConnection(host='127.0.0.1', port=1): Failed to establish a new connection: "
                                "[Errno 111] Connection refused")), 'Connection refused'),
    (wrapped(NewConnectionError("HTTPSConnection(host='a.b', port=443): Failed to resolve 'a.b' ([Errno -2] Name or service not known)")),
     "Failed to resolve 'a.b' (Name or service not known)"),
    (requests.exceptions.ReadTimeout("HTTPConnectionPool(host='127.0.0.1', port=1): Read timed out. (read timeout=7)"),
     'Read timed out. (read timeout=7)'),
    (requests.exceptions.ConnectionError(Exception('Connection aborted.', socket.error(104, 'Connection reset by peer'))),
     'Connection reset by peer'),
    (requests.exceptions.ConnectionError(Exception('Connection aborted.', RemoteDisconnected('Remote end closed'))), CLOSED),
    (requests.exceptions.SSLError(MaxRetryError('x', OSError(1, '[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)'))),
     'no https is spoken there (wrong version number)'),
    (ValueError(), 'ValueError'),
])
def test_of_nested_errors_the_innermost_words_are_kept(error, words):
    assert reason_of(error) == words


def test_a_refused_connection_is_told_without_classes_and_numbers():
    server = socket.socket()
    server.bind(('127.0.0.1', 0))
    port = server.getsockname()[1]
    server.close()
    session = requests.Session()
    with pytest.raises(requests.exceptions.ConnectionError) as caught:
        session.get('http://127.0.0.1:%d/' % port)
    assert reason_of(caught.value) == 'Connection refused'
