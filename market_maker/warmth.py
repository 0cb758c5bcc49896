"""Keeping HTTP connections warm: what the venue has closed for want of requests is opened again before an order has to wait for that.

A venue closes a connection over which nothing was asked for a minute or so. The next request would pay for another one, and on https that is three
round trips before an order leaves. To open a connection takes no request, and costs nothing of the budget.

Rules:

* A look opens one connection at most, the looks of EVERY_S count as one, and after a failure there is none for PAUSE_S.
* Only what was open before is opened again; what is in use is left alone.
* Where a proxy stands between, or a transport without connections (within the process), there is nothing to keep.
"""
from __future__ import absolute_import, division, print_function

import select
import socket
import ssl

import requests
import requests.utils

EVERY_S = 1.0
PAUSE_S = 30.0
CONNECT_S = 2.0                # longest time that a look takes


class Warmth(object):
    """Of the connections of one `requests` session to one address; `clock` tells when. For one thread."""

    def __init__(self, session, address, clock):
        self._session = session
        self._address = address
        self._clock = clock
        self._not_before = 0.0
        self.opened = 0                    # connections that were opened again

    def keep(self, wanted):
        """Have so many connections open, as far as so many were used before; called again and again, whenever there is nothing else to do.

        Raises nothing: what cannot be opened now is a matter for the next request.
        """
        now = self._clock.monotonic()
        if now < self._not_before:
            return
        self._not_before = now + EVERY_S
        try:
            pool = self._pool()
            if pool is not None:
                self._open_one(pool, wanted)
        except Exception:  # noqa: B902 - whatever a library of connections raises
            self._not_before = self._clock.monotonic() + PAUSE_S

    def _pool(self):
        """Where the session takes its connections to the address from, or None."""
        adapter = self._session.get_adapter(self._address)
        settings = self._session.merge_environment_settings(self._address, {}, False, None, None)
        if not hasattr(adapter, 'poolmanager') or requests.utils.select_proxy(self._address, settings['proxies']):
            return None
        verify = requests.certs.where()
        if hasattr(adapter, 'get_connection_with_tls_context'):  # requests 2.32
            request = self._session.prepare_request(requests.Request('GET', self._address))
            return adapter.get_connection_with_tls_context(request, verify)
        pool = adapter.get_connection(self._address)
        adapter.cert_verify(pool, self._address, verify, None)
        return pool

    def _open_one(self, pool, wanted):
        taken = []
        try:
            while len(taken) < wanted and pool.pool.qsize():
                kept = pool.pool.get(block=False)
                taken.append(kept)
                if kept is None:           # no further one was ever used
                    return
                if is_closed(kept):
                    kept.close()
                    kept.timeout = CONNECT_S
                    kept.connect()
                    self.opened += 1
                    return
        finally:
            for kept in reversed(taken):
                pool._put_conn(kept)


def is_closed(connection):
    """Whether the other side has closed it: there is something to read although nothing was asked."""
    sock = getattr(connection, 'sock', None)
    if sock is None:
        return True
    return bool(select.select([sock], [], [], 0)[0]) and not _is_about_tls(sock)


def _is_about_tls(sock):
    """Whether what there is to read was a word between two ends of TLS, such as the tickets that follow a handshake. It has been read then:
    who takes the connection next would mistake it for the end, too."""
    timeout = sock.gettimeout()
    sock.settimeout(0)
    try:
        sock.recv(1)
    except ssl.SSLWantReadError:
        return True
    except (ssl.SSLError, socket.error):
        pass
    finally:
        sock.settimeout(timeout)
    return False
