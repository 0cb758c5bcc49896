"""The recorder: what it writes, what it survives. On a feed and a clock that the test moves."""
from __future__ import absolute_import, division, print_function

import gzip
import io
import json
import sys
import zlib

import pytest

from fakes import ScriptedFeed
from market_maker import record, replay
from market_maker.recorder import FLUSH_S, Recorder, RecordFile
from market_maker.utils import errors
from market_maker.utils.clock import ManualClock

TOPICS = ['quote:XBTUSD', 'trade:XBTUSD']
TRADE = {'table': 'trade', 'action': 'insert', 'data': [{'symbol': 'XBTUSD', 'price': 100.5, 'size': 1}]}


class SteppedFeed(ScriptedFeed):
    """Each read does the next step of a script; a step is a function, a text or a message. Time goes on by what the read may take."""

    def __init__(self, clock, *steps, **options):
        super(SteppedFeed, self).__init__(**options)
        self._clock, self._steps = clock, list(steps)

    def read(self, limit, listener):
        self._clock.advance(limit)
        if self._steps:
            step = self._steps.pop(0)
            if callable(step):
                step()
            else:
                listener.on_message(json.dumps(step) if isinstance(step, dict) else step)


def lines_of(path):
    with gzip.open(path, 'rb') as file:
        return [json.loads(line.decode('utf-8')) for line in file]


class Desk(object):
    """A recorder on a scripted feed, writing to a file in `folder`."""

    def __init__(self, folder, *steps, **options):
        self.path = str(folder / 'r.jsonl.gz')
        self.clock = ManualClock()
        self.feed = SteppedFeed(self.clock, *steps, **options)
        self.file = RecordFile(self.path)
        self.recorder = Recorder('http://127.0.0.1:1/api/v1/', TOPICS, self.file, self.clock, self.feed, jitter=lambda: 0.5)

    def run(self, seconds):
        try:
            self.recorder.run(self.clock.monotonic() + seconds)
        finally:
            self.file.close()
        return lines_of(self.path)


def test_messages_are_written_as_they_came_with_the_time_they_came_at(tmp_path):
    desk = Desk(tmp_path, TRADE, u'{"table": "trade", "action": "insert",\n "data": [{"note": "\u20bf"}]}', 'pong', 'nonsense {')
    lines = desk.run(2)
    assert [line['dir'] for line in lines] == ['open'] + ['in'] * 5
    assert lines[0]['url'] == 'ws://127.0.0.1:1/realtime?subscribe=quote:XBTUSD,trade:XBTUSD'
    assert lines[4]['msg'] == TRADE and lines[4]['t'] == pytest.approx(1500000000.25)
    assert lines[5]['msg']['data'] == [{'note': u'\u20bf'}]
    assert (desk.recorder.messages, desk.recorder.complaints) == (5, 1)
    assert desk.recorder.tables == {'quote': 1, 'trade': 3}


def test_a_connection_that_is_lost_is_replaced_and_the_stream_begins_anew(tmp_path):
    desk = Desk(tmp_path, TRADE)
    desk.feed._steps += [lambda: desk.feed.drop('cut'), TRADE]
    lines = desk.run(5)
    told = [line['dir'] if line['dir'] != 'in' else line['msg'].get('action', 'welcome') for line in lines]
    once = ['open', 'welcome', 'partial', 'partial', 'insert']
    assert told == once + ['close'] + once
    assert lines[5]['reason'] == 'cut' and desk.recorder.connections == 2 and desk.recorder.last_reason == ''


def test_a_silent_connection_is_pinged_and_then_replaced(tmp_path):
    desk = Desk(tmp_path)
    desk.run(13)
    assert desk.feed.sent[0] == 'ping' and desk.recorder.connections == 2


def test_tables_that_do_not_come_are_named(tmp_path):
    desk = Desk(tmp_path, partials={'quote': ([], [])})
    desk.feed._steps += [TRADE] * 1000
    lines = desk.run(31)
    assert [line['reason'] for line in lines if line['dir'] == 'close'] == ['no trade came']
    assert desk.feed.sent[:2] == ['{"op": "unsubscribe", "args": ["trade:XBTUSD"]}', '{"op": "subscribe", "args": ["trade:XBTUSD"]}']


def test_a_topic_that_is_refused_before_anything_came_is_an_error(tmp_path):
    desk = Desk(tmp_path, {'status': 400, 'error': 'Unknown or expired topic: trad:XBTUSD.'}, partials={})
    with pytest.raises(errors.SettingsError) as error:
        desk.run(5)
    assert 'Unknown or expired topic' in str(error.value)


def test_a_stop_ends_it_and_the_file_is_whole(tmp_path):
    desk = Desk(tmp_path, TRADE)
    desk.feed._steps.append(lambda: desk.recorder.request_stop('SIGINT'))
    lines = desk.run(1000)
    assert len(lines) == 5 and desk.recorder.stopped_by == 'SIGINT'


def test_what_was_written_can_be_read_a_second_later_without_the_end_of_the_file(tmp_path):
    desk = Desk(tmp_path)
    seen = []

    def look():
        with io.open(desk.path, 'rb') as file:
            seen.append(zlib.decompressobj(31).decompress(file.read()))
    desk.feed._steps += [TRADE] + [lambda: None] * int(FLUSH_S / 0.25 + 2) + [look]
    desk.run(4)
    assert seen[0].endswith(b'}\n') and b'"insert"' in seen[0]


def test_an_existing_file_is_not_touched_and_an_impossible_one_is_named(tmp_path):
    path = str(tmp_path / 'there')
    io.open(path, 'w').close()
    with pytest.raises(errors.SettingsError) as error:
        RecordFile(path)
    assert 'is there already' in str(error.value)
    with pytest.raises(errors.SettingsError) as error:
        RecordFile(str(tmp_path / 'no' / 'such'))
    assert 'No such file or directory' in str(error.value)


def test_a_time_is_given_in_hours_or_minutes_and_a_wrong_one_is_named():
    parser = record._parser()
    assert parser.parse_args(['--hours', '1.5']).seconds == 5400
    assert parser.parse_args(['ETHUSD', '--minutes', '2']).seconds == 120
    assert parser.parse_args([]).seconds is None
    for wrong, named in ((['--hours', '0'], "'0' is no number above 0"), (['--tables', 'trades'], 'did you mean trade'),
                         (['--hours', '1', '--minutes', '1'], 'not allowed')):
        with pytest.raises(errors.SettingsError) as error:
            parser.parse_args(wrong)
        assert named in str(error.value)


def test_the_name_of_a_recording_says_what_and_when():
    assert record.file_name('.BXBT', 1500000000.9) == 'BXBT-20170714T024000Z.jsonl.gz'
    assert record.topics(['trade', 'insurance'], 'ETHUSD') == ['trade:ETHUSD', 'insurance']


@pytest.mark.parametrize('word', [record, replay])
def test_the_examples_in_the_help_are_understood(word):
    parser = word._parser()
    examples = [line.split() for line in parser.epilog.splitlines()[1:]]
    assert len(examples) > 1
    for example in examples:
        assert example[:2] == parser.prog.split()
        parser.parse_args(example[2:])


@pytest.mark.parametrize('argv, named', [
    ([], 'required' if sys.version_info >= (3,) else 'too few'), (['x', '--speed', '-1'], 'no speed above 0'), (['x', '--port', '70000'], 'no port'),
    (['x', '--profile', 'baroque'], 'invalid choice')])
def test_wrong_options_of_replay_are_named(argv, named):
    with pytest.raises(errors.SettingsError) as error:
        replay._parser().parse_args(argv)
    assert named in str(error.value)


def test_where_few_connections_are_left_it_waits_longer_for_the_next(tmp_path):
    waits = []
    for left in (50, 1):
        folder = tmp_path / str(left)
        folder.mkdir()
        desk = Desk(folder, {'info': 'Welcome', 'version': '1', 'limit': {'remaining': left}})
        desk.feed.refuse = None
        desk.feed._steps += [lambda feed=desk.feed: setattr(feed, 'refuse', ('refused', None)), desk.feed.drop]
        desk.run(300)
        waits.append(len(desk.feed.urls))
    assert waits[0] > 2 * waits[1] > 2, waits
