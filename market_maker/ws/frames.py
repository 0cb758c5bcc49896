"""Pure: bytes of a websocket -> what they say. A protocol without I/O (RFC 6455, section 5), the client's side of it.

Rules:

* Whatever a read brought is taken at once, so that one read does for many frames.
* A text may come in several frames, with control frames in between.
* What a server must not send raises BadFrame: a mask, an extension that nobody asked for, a continuation of nothing, a new text
  within another, a control frame that is long or in pieces. So does a message of more than MAX_MESSAGE bytes.
* Text is not decoded here.
"""
from __future__ import absolute_import, division, print_function

import struct

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
MAX_MESSAGE = 64 << 20         # the largest image of the real venue had less than one million bytes

_FINAL, _EXTENSIONS, _MASK, _CONTROL = 0x80, 0x70, 0x80, 0x8
_WHOLE_TEXT = _FINAL | TEXT
_head = struct.Struct('!BB').unpack_from
_length_16 = struct.Struct('!H').unpack_from
_length_64 = struct.Struct('!Q').unpack_from


class BadFrame(ValueError):
    """The peer does not keep to the protocol; the connection is of no more use."""


class FrameReader(object):
    """One connection. Not thread-safe: one thread reads."""

    def __init__(self):
        self._rest = b''           # the beginning of a frame
        self._kind = None          # of the message that comes in pieces
        self._pieces = []

    def feed(self, data):
        """Take what was read; return what is now complete as [(opcode, bytes), ...], in order. Raises BadFrame."""
        if self._rest:
            data = self._rest + data
        found, start, size = [], 0, len(data)
        while size - start >= 2:
            first, length = _head(data, start)
            body = start + 2
            if length >= 126:
                if length & _MASK:
                    raise BadFrame('a masked frame')
                body += 2 if length == 126 else 8
                if body > size:
                    break
                length = _length_16(data, start + 2)[0] if length == 126 else _length_64(data, start + 2)[0]
                if length > MAX_MESSAGE:
                    raise BadFrame('a frame of %d bytes' % length)
            end = body + length
            if end > size:
                break
            payload = data[body:end]
            start = end
            if first == _WHOLE_TEXT and self._kind is None:
                found.append((TEXT, payload))
            else:
                self._take(first, payload, found)
        self._rest = data[start:]
        return found

    def _take(self, first, payload, found):
        """All but the usual frame."""
        opcode, is_final = first & 0x0f, first & _FINAL
        if first & _EXTENSIONS:
            raise BadFrame('an extension that was not asked for')
        if opcode & _CONTROL:
            if opcode not in (CLOSE, PING, PONG) or not is_final or len(payload) > 125:
                raise BadFrame('a control frame that makes no sense')
            found.append((opcode, payload))
            return
        if opcode not in (CONTINUATION, TEXT, BINARY) or (opcode == CONTINUATION) != (self._kind is not None):
            raise BadFrame('a frame out of order')
        self._kind = self._kind or opcode
        self._pieces.append(payload)
        if sum(len(piece) for piece in self._pieces) > MAX_MESSAGE:
            raise BadFrame('a message that is too long')
        if is_final:
            found.append((self._kind, b''.join(self._pieces)))
            self._kind, self._pieces = None, []
