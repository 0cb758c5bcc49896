"""A websocket server that does one thing: to the first client it sends the images, waits, and then everything else as fast as it is taken.

    python -m bench.replay_server FILE

Frames are made before anybody connects, so that the server is never the slower end. Prints its port, then, when everything was handed to
the system, the moment at which it began (seconds of the monotonic clock). Ends when the client leaves.
"""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import struct
import sys
import time

from bench import inputs

ACCEPT = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3
PAUSE_S = 2.0  # for clients that connect at leisure
CHUNK = 1 << 16
PATIENCE_S = 120
END = {"table": "trade", "action": "insert", "data": [{"symbol": inputs.SYMBOL, "side": "Buy", "size": 1, "price": 1, "trdMatchID": "the end"}]}


def frame(text: str) -> bytes:
    """An unmasked text frame."""
    data = text.encode("utf-8")
    size = len(data)
    if size < 126:
        return struct.pack("!BB", 0x81, size) + data
    if size < 65536:
        return struct.pack("!BBH", 0x81, 126, size) + data
    return struct.pack("!BBQ", 0x81, 127, size) + data


def upgrade(peer: socket.socket) -> None:
    request = b""
    while b"\r\n\r\n" not in request:
        request += peer.recv(4096)
    lines = [line.partition(b":") for line in request.split(b"\r\n")]
    key = next(value.strip() for name, _, value in lines if name.lower() == b"sec-websocket-key")
    accept = base64.b64encode(hashlib.sha1(key + ACCEPT).digest())
    peer.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )


def main(path: str) -> None:
    stream = inputs.load(path)
    images = b"".join(map(frame, stream.images))
    changes = b"".join(map(frame, stream.changes)) + frame(json.dumps(END))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        listener.settimeout(PATIENCE_S)
        peer, _ = listener.accept()
    with peer:
        peer.settimeout(PATIENCE_S)
        upgrade(peer)
        peer.sendall(images)
        time.sleep(PAUSE_S)
        began = time.monotonic()
        for start in range(0, len(changes), CHUNK):
            peer.sendall(changes[start : start + CHUNK])
        print(began, flush=True)
        try:
            while peer.recv(4096):
                pass
        except OSError:  # it left in a hurry
            pass


if __name__ == "__main__":
    main(sys.argv[1])
