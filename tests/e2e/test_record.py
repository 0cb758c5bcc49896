"""`marketmaker record` as a user starts it, watched from outside."""
from __future__ import absolute_import, division, print_function

import gzip
import io
import json
import os
import signal
import zlib

import pytest

from outside import Line
from running import wait_until

pytestmark = pytest.mark.e2e


def messages(path):
    """The recorded lines, of a file that may have been cut off."""
    with io.open(path, 'rb') as file:
        text = zlib.decompressobj(31).decompress(file.read())
    return [json.loads(line.decode('utf-8')) for line in text.split(b'\n')[:-1]]


def tables(path):
    return set(line['msg'].get('table') for line in messages(path) if line['dir'] == 'in')


def test_a_recording_of_the_paper_venue_needs_no_keys_and_ends_with_a_summary(spawn, tmp_path):
    bot = spawn('record', 'XBTUSD', '--minutes', '0.08', '--json')
    assert bot.wait(60) == 0, bot.text
    answer = json.loads(bot.text[bot.text.index('{'):])
    assert answer['messages'] > 10 and answer['stopped_by'] is None and answer['connections'] == 1
    with gzip.open(answer['file'], 'rb') as file:
        assert len(file.read().splitlines()) == answer['messages'] + 1
    assert tables(answer['file']) >= set(['orderBookL2', 'quote', 'trade', 'instrument', 'funding'])
    assert os.path.getsize(answer['file']) == answer['bytes']


def test_ctrl_c_ends_it_cleanly_and_a_second_recording_overwrites_nothing(spawn, venue, tmp_path):
    arguments = ('record', '--base-url', venue.url, '--out', 'x.jsonl.gz', '--tables', 'trade,quote')
    bot = spawn(*arguments)
    path = str(tmp_path / 'x.jsonl.gz')
    assert wait_until(lambda: os.path.exists(path) and os.path.getsize(path) > 500, 30), bot.text
    bot.interrupt_all()
    assert bot.wait(30) == 0, bot.text
    assert 'Recorded ' in bot.text and 'Traceback' not in bot.text
    assert tables(path) == set([None, 'trade', 'quote'])
    again = spawn(*arguments)
    assert again.wait(30) == 2 and 'is there already' in again.text, again.text


def test_a_lost_line_is_said_and_recorded_and_the_stream_begins_anew(spawn, venue, tmp_path):
    line = Line(venue.port)
    try:
        bot = spawn('record', '--base-url', line.url, '--out', 'x.gz')
        path = str(tmp_path / 'x.gz')
        assert wait_until(lambda: os.path.exists(path) and os.path.getsize(path) > 500, 30), bot.text
        line.cut()
        bot.wait_for('The connection is there again')
        assert wait_until(lambda: [row['dir'] for row in messages(path)].count('open') == 2
                          and len([row for row in messages(path) if row.get('msg', {}).get('action') == 'partial']) == 10, 30)
        bot.interrupt()
        assert bot.wait(30) == 0 and 'in 2 connections' in bot.text, bot.text
    finally:
        line.stop()


def test_a_kill_9_loses_no_more_than_a_second_or_so(spawn, venue, tmp_path):
    bot = spawn('record', '--base-url', venue.url, '--out', 'x.gz')
    path = str(tmp_path / 'x.gz')
    assert wait_until(lambda: os.path.exists(path) and os.path.getsize(path) > 500, 30), bot.text
    size = os.path.getsize(path)
    assert wait_until(lambda: os.path.getsize(path) > size, 30)
    bot.kill()
    last = messages(path)[-1]
    assert os.path.getmtime(path) - last['t'] < 5


def test_no_venue_a_wrong_symbol_and_a_full_disk_are_one_line_each(spawn, venue, tmp_path):
    nobody = spawn('record', '--base-url', 'http://127.0.0.1:9/api/v1/')
    unknown = spawn('record', 'XBTUSE', '--base-url', venue.url)
    assert nobody.wait(30) == 4 and len(nobody.lines) == 1 and 'does the venue run' in nobody.text, nobody.text
    assert unknown.wait(30) == 2 and len(unknown.lines) == 1 and 'Nearest: XBTUSD' in unknown.text, unknown.text
    assert os.listdir(str(tmp_path)) == []


@pytest.mark.skipif(os.name != 'posix', reason='a limit for files is set with POSIX')
def test_a_disk_that_is_full_is_said_and_what_was_written_stays(spawn, venue, tmp_path):
    import resource
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # as Python itself sets it
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, before[1]))
    try:
        bot = spawn('record', '--base-url', venue.url, '--out', 'x.gz')
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert bot.wait(60) == 1, bot.text
    assert 'the disk is full' in bot.lines[-1] and 'Traceback' not in bot.text, bot.text
    assert len(messages(str(tmp_path / 'x.gz'))) > 2
