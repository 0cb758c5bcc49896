"""Looking at a run from outside: the orders that rest, as the venue tells them, and a line that can be cut."""
from __future__ import absolute_import, division, print_function

import json
import select
import socket
import threading

import websocket

from market_maker.auth import generate_expires, generate_signature
from market_maker.utils.compat import to_text

ENDED = ('Filled', 'Canceled', 'Rejected', 'Expired')


class Watcher(object):
    """Follows the order table of the account: `resting` by side now, and `most`, the largest number there ever was."""

    def __init__(self, venue):
        expires = generate_expires()
        headers = ['api-key: ' + venue.key, 'api-expires: %d' % expires,
                   'api-signature: ' + generate_signature(venue.secret, 'GET', '/realtime', expires, '')]
        self._orders = {}
        self.most = {'Buy': 0, 'Sell': 0}
        self.messages = 0
        self._socket = websocket.create_connection(venue.url.replace('http', 'ws', 1).replace('/api/v1/', '/realtime'), header=headers, timeout=10)
        self._socket.send(json.dumps({'op': 'subscribe', 'args': ['order']}))
        self._socket.settimeout(None)
        self._thread = threading.Thread(target=self._read)
        self._thread.daemon = True
        self._thread.start()

    @property
    def resting(self):
        return dict((side, len([row for row in list(self._orders.values()) if row == side])) for side in ('Buy', 'Sell'))

    def stop(self):
        try:
            self._socket.sock.shutdown(socket.SHUT_RDWR)
        except (OSError, IOError, AttributeError):
            pass
        self._thread.join(5)

    def _read(self):
        try:
            while True:
                text = self._socket.recv()
                if not text:
                    return
                message = json.loads(to_text(text))
                if message.get('table') == 'order':
                    self._apply(message)
        except (OSError, IOError, ValueError, websocket.WebSocketException):
            return

    def _apply(self, message):
        """One message is one moment: all its rows, then the count."""
        for row in message['data']:
            name = row['orderID']
            if row.get('ordStatus') in ENDED or message['action'] == 'delete':
                self._orders.pop(name, None)
            elif message['action'] in ('partial', 'insert'):
                self._orders[name] = row['side']
        self.messages += 1
        for side, count in self.resting.items():
            self.most[side] = max(self.most[side], count)


class Line(object):
    """A stretch of wire between the bot and the venue, on a port of its own. `cut` breaks all connections at once.

    `lose_reply_to` names the beginning of a request: the next such request reaches the venue, and its reply is lost. `sent` is what
    clients said, piece by piece.
    """

    def __init__(self, port):
        self._target = ('127.0.0.1', port)
        self._listener = socket.socket()
        self._listener.bind(('127.0.0.1', 0))
        self._listener.listen(20)
        self.url = 'http://127.0.0.1:%d/api/v1/' % self._listener.getsockname()[1]
        self._pairs = []
        self._stopped = False
        self.lose_reply_to = None
        self.lost = 0
        self.sent = []
        self._spawn(self._accept)

    def cut(self):
        """Break every connection; how many there were."""
        pairs, self._pairs = self._pairs, []
        for pair in pairs:
            _close(*pair)
        return len(pairs)

    def stop(self):
        self._stopped = True
        self.cut()
        _close(self._listener)

    def _spawn(self, target, *arguments):
        thread = threading.Thread(target=target, args=arguments)
        thread.daemon = True
        thread.start()

    def _accept(self):
        while not self._stopped:
            try:
                client = self._listener.accept()[0]
                venue = socket.create_connection(self._target, 5)
            except (OSError, IOError):
                continue
            self._pairs.append((client, venue))
            self._spawn(self._carry, client, venue)

    def _carry(self, client, venue):
        is_reply_lost = False
        try:
            while True:
                for source in select.select([client, venue], [], [])[0]:
                    data = source.recv(65536)
                    if not data:
                        return
                    if source is client:
                        self.sent.append(data)
                    if source is client and self.lose_reply_to and data.startswith(self.lose_reply_to):
                        self.lose_reply_to, is_reply_lost = None, True
                        self.lost += 1
                    elif source is venue and is_reply_lost:
                        return
                    (venue if source is client else client).sendall(data)
        except (OSError, IOError, ValueError, select.error):
            return
        finally:
            _close(client, venue)


def _close(*sockets):
    for one in sockets:
        try:
            one.shutdown(socket.SHUT_RDWR)
        except (OSError, IOError):
            pass
        one.close()
