"""A real socket, read by whoever calls `read`.

The low-level API of websocket-client is used instead of its callbacks: it is the same in all releases from 0.57 to 1.x, it
needs no second thread for pings, and a read with a time limit lets the one thread do everything in turn. It makes the connection and
sends; what comes is read straight from its socket (`frames`), since it asks the system three times for every frame. Its handshake
reads byte by byte and never beyond the end, so that nothing is missed.

Rules:

* The certificate is always looked at, against certifi's list. A redirect is not followed: our signed headers would go along.
* What goes to this machine passes no proxy.
"""
from __future__ import absolute_import, division, print_function

import errno
import socket
import ssl

import requests.certs
import websocket

from market_maker.utils import address
from market_maker.utils.compat import to_text, urlsplit
from market_maker.utils.reasons import reason_of
from market_maker.ws import frames
from market_maker.ws.liveness import NOT_REACHED

CONNECT_LIMIT_S = 10.0
READ_SIZE = 1 << 16            # bytes
ELSEWHERE = 'the venue sends us elsewhere, which is not followed'
# What a socket that ends may raise, by any release of websocket-client and any Python.
BROKEN = (websocket.WebSocketException, socket.error, ssl.SSLError, ValueError, AttributeError)
NOBODY = (errno.ECONNREFUSED, getattr(errno, 'WSAECONNREFUSED', errno.ECONNREFUSED), errno.ENETUNREACH, errno.EHOSTUNREACH)
PAUSES = (errno.EINTR, errno.EAGAIN, errno.EWOULDBLOCK)


class SocketFeed(object):
    """One connection after another to the same place; `threaded` tells that it must be read by a thread."""

    threaded = True

    def __init__(self, connect=websocket.create_connection):
        self._connect = connect
        self._socket = None
        self._frames = frames.FrameReader()

    @property
    def is_open(self):
        return self._socket is not None

    def start(self, url, header, listener):
        """Connect; tells the listener `on_open()`, or `on_close(reason, status)` with the HTTP status of a refusal, NOT_REACHED, or None."""
        try:
            self._frames = frames.FrameReader()
            self._socket = self._connect(url, timeout=CONNECT_LIMIT_S, header=header, skip_utf8_validation=True, redirect_limit=0,
                                         **_options(url))
        except websocket.WebSocketBadStatusException as error:
            listener.on_close('the venue refused the socket with HTTP %s' % error.status_code, error.status_code)
            return
        except BROKEN as error:
            listener.on_close(_reason(error), NOT_REACHED if _found_nobody(error) else None)
            return
        if getattr(self._socket, 'status', 101) != 101:  # releases before 1.0 take a redirect that is not followed for a connection
            self._forget(self._socket)
            listener.on_close(ELSEWHERE, None)
            return
        listener.on_open()

    def read(self, limit, listener):
        """Hand messages to the listener: all that one read brought. Returns after that, or after `limit` seconds without any."""
        sock = self._socket
        if sock is None:
            return
        try:
            sock.settimeout(limit)
            data = sock.sock.recv(READ_SIZE)
            messages = self._frames.feed(data)
        except (websocket.WebSocketTimeoutException, socket.timeout):
            return
        except BROKEN as error:
            if not _is_pause(error):
                self._end(sock, _reason(error), listener)
            return
        if not data:
            self._end(sock, 'the connection was cut', listener)
        for code, payload in messages:
            if self._socket is not sock:
                return
            if code == frames.TEXT:
                listener.on_message(to_text(payload))
            elif code == frames.PING:
                self._try(sock.pong, payload)
            elif code == frames.CLOSE:
                self._try(sock.send_close)
                self._end(sock, 'the venue closed the socket', listener)

    def send(self, text):
        """Send one text; a socket that is broken is noticed by the next read."""
        sock = self._socket
        if sock is not None:
            self._try(sock.send, text)

    def close(self):
        """Cut the connection, from any thread; a read that is under way returns. Calling again is harmless."""
        sock = self._socket
        if sock is not None:
            try:
                sock.sock.shutdown(socket.SHUT_RDWR)
            except BROKEN:
                pass
            self._forget(sock)

    def _end(self, sock, reason, listener):
        self._forget(sock)
        listener.on_close(reason, None)

    def _forget(self, sock):
        self._socket = None
        self._try(sock.shutdown)

    @staticmethod
    def _try(act, *arguments):
        """A socket that is broken is noticed by the next read."""
        try:
            act(*arguments)
        except BROKEN:
            pass


def _options(url):
    options = {'sslopt': {'ca_certs': requests.certs.where()}} if url.startswith('wss:') else {}
    if address.is_loopback(url):  # the list of exceptions counts only beside a proxy, and then before any of the environment
        options.update(http_proxy_host='unused.invalid', http_proxy_port=1, http_no_proxy=[urlsplit(url).hostname])
    return options


def _is_pause(error):
    """Whether a read merely brought nothing: a signal came between, or, as Python 2 puts it, TLS timed out."""
    return getattr(error, 'errno', None) in PAUSES or (isinstance(error, ssl.SSLError) and 'timed out' in str(error))


def _found_nobody(error):
    """Whether an attempt to connect ended before anybody there heard of it."""
    return isinstance(error, (socket.gaierror, getattr(websocket, 'WebSocketAddressException', socket.gaierror))) or (
        getattr(error, 'errno', None) in NOBODY)


def _reason(error):
    if isinstance(error, AttributeError):
        return 'the socket was closed'
    if 'redirect' in str(error).lower():
        return ELSEWHERE
    return reason_of(error)
