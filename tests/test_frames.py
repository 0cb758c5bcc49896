"""Rules of the frame reader, one test each."""
from __future__ import absolute_import, division, print_function

import struct

import pytest

from market_maker.ws.frames import BINARY, CLOSE, MAX_MESSAGE, PING, TEXT, BadFrame, FrameReader


def frame(payload, opcode=TEXT, final=True, flags=0):
    size = len(payload)
    first = (0x80 if final else 0) | flags | opcode
    if size < 126:
        return struct.pack('!BB', first, size) + payload
    return (struct.pack('!BBH', first, 126, size) if size < 65536 else struct.pack('!BBQ', first, 127, size)) + payload


@pytest.mark.parametrize('size', [0, 1, 125, 126, 127, 65535, 65536, 200000])
def test_a_frame_of_any_length_is_read(size):
    assert FrameReader().feed(frame(b'x' * size)) == [(TEXT, b'x' * size)]


def test_one_read_does_for_many_frames():
    assert FrameReader().feed(frame(b'a') + frame(b'', PING) + frame(b'b' * 300)) == [(TEXT, b'a'), (PING, b''), (TEXT, b'b' * 300)]


@pytest.mark.parametrize('step', [1, 2, 3, 7, 1000])
def test_frames_may_be_cut_anywhere(step):
    sent = frame(b'a' * 5) + frame(b'b' * 130) + frame(b'c' * 66000) + frame(b'd')
    reader, found = FrameReader(), []
    for start in range(0, len(sent), step):
        found += reader.feed(sent[start:start + step])
    assert found == [(TEXT, b'a' * 5), (TEXT, b'b' * 130), (TEXT, b'c' * 66000), (TEXT, b'd')]


def test_a_text_may_come_in_pieces_with_control_frames_between():
    reader = FrameReader()
    sent = frame(b'one ', final=False) + frame(b'?', PING) + frame(b'two ', 0, final=False) + frame(b'three', 0) + frame(b'\x01', BINARY)
    assert reader.feed(sent) == [(PING, b'?'), (TEXT, b'one two three'), (BINARY, b'\x01')]


def test_a_close_is_told():
    assert FrameReader().feed(frame(b'\x03\xe8', CLOSE)) == [(CLOSE, b'\x03\xe8')]


@pytest.mark.parametrize('sent', [
    struct.pack('!BB', 0x81, 0x81) + b'mask!',
    frame(b'compressed', flags=0x40),
    frame(b'continues nothing', 0),
    frame(b'a', final=False) + frame(b'another'),
    frame(b'in pieces', PING, final=False),
    frame(b'x' * 126, PING),
    frame(b'', 0xB),
    frame(b'', 0x3),
    struct.pack('!BBQ', 0x81, 127, MAX_MESSAGE + 1),
])
def test_what_a_server_must_not_send_is_a_bad_frame(sent):
    with pytest.raises(BadFrame):
        FrameReader().feed(sent)


def test_a_message_in_pieces_that_grows_too_long_is_refused(monkeypatch):
    monkeypatch.setattr('market_maker.ws.frames.MAX_MESSAGE', 10)
    reader = FrameReader()
    reader.feed(frame(b'x' * 8, final=False))
    with pytest.raises(BadFrame):
        reader.feed(frame(b'x' * 8, opcode=0))
