"""A real socket, read by whoever calls `read`.

The low-level API of websocket-client is used instead of its callbacks: it is the same in all releases from 0.57 to 1.x, it
needs no second thread for pings, and a read with a time limit lets the one thread do everything in turn.
"""
from __future__ import absolute_import, division, print_function

import socket
import ssl

import requests.certs
import websocket

from market_maker.utils.compat import to_text

CONNECT_LIMIT_S = 10.0
# What a socket that ends may raise, by any release of websocket-client and any Python.
BROKEN = (websocket.WebSocketException, socket.error, ssl.SSLError, ValueError, AttributeError)


class SocketFeed(object):
    """One connection after another to the same place; `threaded` tells that it must be read by a thread."""

    threaded = True

    def __init__(self, connect=websocket.create_connection):
        self._connect = connect
        self._socket = None

    @property
    def is_open(self):
        return self._socket is not None

    def start(self, url, header, listener):
        """Connect; tells the listener `on_open()`, or `on_close(reason, status)` with the HTTP status of a refusal or None."""
        options = {'ca_certs': requests.certs.where()} if url.startswith('wss:') else None
        try:
            self._socket = self._connect(url, timeout=CONNECT_LIMIT_S, header=header, sslopt=options, skip_utf8_validation=True)
        except websocket.WebSocketBadStatusException as error:
            listener.on_close('the venue refused the socket with HTTP %s' % error.status_code, error.status_code)
            return
        except BROKEN as error:
            listener.on_close(_reason(error), None)
            return
        listener.on_open()

    def read(self, limit, listener):
        """Hand messages to the listener; return after one message, or after `limit` seconds without any."""
        sock = self._socket
        if sock is None:
            return
        try:
            sock.settimeout(limit)
            code, data = sock.recv_data()
        except (websocket.WebSocketTimeoutException, socket.timeout):
            return
        except BROKEN as error:
            self._forget(sock)
            listener.on_close(_reason(error), None)
            return
        if code == websocket.ABNF.OPCODE_CLOSE:
            self._forget(sock)
            listener.on_close('the venue closed the socket', None)
        elif code == websocket.ABNF.OPCODE_TEXT:
            listener.on_message(to_text(data))

    def send(self, text):
        """Send one text; a socket that is broken is noticed by the next read."""
        sock = self._socket
        if sock is not None:
            try:
                sock.send(text)
            except BROKEN:
                pass

    def close(self):
        """Cut the connection, from any thread; a read that is under way returns. Calling again is harmless."""
        sock = self._socket
        if sock is not None:
            try:
                sock.sock.shutdown(socket.SHUT_RDWR)
            except BROKEN:
                pass
            self._forget(sock)

    def _forget(self, sock):
        self._socket = None
        try:
            sock.shutdown()
        except BROKEN:
            pass


def _reason(error):
    if isinstance(error, AttributeError):
        return 'the socket was closed'
    return '%s: %s' % (type(error).__name__, error)
