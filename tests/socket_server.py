"""A WebSocket server of a few lines, for tests on every Python: one connection at a time, doing what a script says."""
from __future__ import absolute_import, division, print_function

import base64
import hashlib
import socket
import struct
import threading

MAGIC = b'258EAFA5-E914-47DA-95CA-C5AB0DC85B11'


class SocketServer(object):
    """Accepts connections on a free port of loopback; each is handled by the next function of `scripts`.

    A script is called with a Peer after the upgrade; one that is a number refuses the upgrade with that HTTP status, one that is a text
    sends the client there.
    """

    def __init__(self, *scripts):
        self._scripts = list(scripts)
        self._listener = socket.socket()
        self._listener.bind(('127.0.0.1', 0))
        self._listener.listen(5)
        self.port = self._listener.getsockname()[1]
        self.requests = []
        self._thread = threading.Thread(target=self._serve)
        self._thread.daemon = True
        self._thread.start()

    @property
    def url(self):
        return 'ws://127.0.0.1:%d/realtime' % self.port

    def close(self):
        self._listener.close()

    def _serve(self):
        for script in self._scripts:
            try:
                connection, _ = self._listener.accept()
            except (socket.error, OSError):
                return
            try:
                self._handle(connection, script)
            except (socket.error, OSError):
                pass
            finally:
                connection.close()

    def _handle(self, connection, script):
        request = b''
        while b'\r\n\r\n' not in request:
            request += connection.recv(4096)
        self.requests.append(request.decode('latin-1'))
        if isinstance(script, int):
            connection.sendall(('HTTP/1.1 %d Refused\r\nContent-Length: 0\r\n\r\n' % script).encode('ascii'))
            return
        if isinstance(script, str):
            connection.sendall(('HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n' % script).encode('ascii'))
            return
        lines = dict(line.split(b': ', 1) for line in request.split(b'\r\n')[1:] if b': ' in line)
        key = [value for name, value in lines.items() if name.lower() == b'sec-websocket-key'][0]
        accept = base64.b64encode(hashlib.sha1(key + MAGIC).digest()).decode('ascii')
        connection.sendall(('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
                            'Sec-WebSocket-Accept: %s\r\n\r\n' % accept).encode('ascii'))
        script(Peer(connection))


class Peer(object):
    """The server's end of one socket."""

    def __init__(self, connection):
        self._connection = connection

    def send(self, text, opcode=1):
        data = text if isinstance(text, bytes) else text.encode('utf-8')
        length = struct.pack('!B', len(data)) if len(data) < 126 else struct.pack('!BH', 126, len(data))
        self._connection.sendall(struct.pack('!B', 0x80 | opcode) + length + data)

    def receive(self):
        """(opcode, text) of the next frame of the client."""
        head = self._exactly(2)
        first, second = struct.unpack('!BB', head)
        length = second & 0x7f
        if length == 126:
            length = struct.unpack('!H', self._exactly(2))[0]
        mask = bytearray(self._exactly(4))
        data = bytearray(self._exactly(length))
        return first & 0x0f, bytes(bytearray(byte ^ mask[index % 4] for index, byte in enumerate(data))).decode('utf-8', 'replace')

    def cut(self):
        """Break the connection without a close frame."""
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        self._connection.close()

    def _exactly(self, count):
        data = b''
        while len(data) < count:
            more = self._connection.recv(count - len(data))
            if not more:
                raise socket.error('gone')
            data += more
        return data
