"""Texts that begin as one before are read from their rows on; what they do to the tables must be what reading all of them does."""
from __future__ import absolute_import, division, print_function

import json
import logging

import pytest

from market_maker.utils.clock import ManualClock, Wakeup
from market_maker.ws.tables import MAX_TABLE_LEN, Tables
from market_maker.ws.ws_thread import HEADS_LIMIT, BitMEXWebsocket

BOOK = 'orderBookL2'


class NoFeed(object):
    threaded = False

    def start(self, url, header, listener):
        listener.on_open()

    def send(self, text):
        """Nobody listens."""

    def close(self):
        """Nothing is open."""


@pytest.fixture
def heard():
    """What `on_rows` was told."""
    return []


@pytest.fixture
def reader(heard):
    found = BitMEXWebsocket(ManualClock(), Wakeup(), NoFeed(), on_rows=lambda table, rows, is_image: heard.append((table, rows, is_image)))
    found.connect('http://127.0.0.1:1/api/v1/', 'XBTUSD')
    return found


def text(action, rows, table=BOOK, **more):
    return json.dumps(dict({'table': table, 'action': action, 'data': rows}, **more), separators=(',', ':'), sort_keys=False)


def plain(action, rows, table=BOOK):
    """As the venue writes it: the rows come last."""
    return '{"table":"%s","action":"%s","data":%s}' % (table, action, json.dumps(rows, separators=(',', ':')))


def image(*numbers, **more):
    return text('partial', [level(number) for number in numbers], keys=more.get('keys', ['symbol', 'id', 'side']), filter={'symbol': 'XBTUSD'})


def level(number, size=1, side='Buy'):
    return {'symbol': 'XBTUSD', 'id': number, 'side': side, 'size': size}


def sizes(reader):
    return {row['id']: row['size'] for row in reader.tables.rows(BOOK)}


STREAM = [
    image(1, 2, 3),
    plain('update', [level(1, 10)]),
    plain('update', [level(1, 11), level(2, 12)]),
    plain('delete', [{'symbol': 'XBTUSD', 'id': 3, 'side': 'Buy'}]),
    plain('insert', [level(4, 5)]),
    plain('insert', [level(5, 6), level(6, 7)]),
    plain('update', [level(99, 1), 'nonsense', level(4, 50)]),
    plain('update', []),
    plain('update', [level(5, 60)]).replace('"data":[', '"data": ['),
    plain('update', [level(5, 61)]).replace(',"data"', ', "data"'),
    '{"data":%s,"action":"update","table":"%s"}' % (json.dumps([level(6, 70)]), BOOK),
    '{"data":%s,"action":"update","table":"%s"}' % (json.dumps([level(6, 71)]), BOOK),
    plain('insert', [{'symbol': 'XBTUSD', 'price': 5}], 'trade'),
    plain('update', [level(2, 20)])[:-1] + ',"more":[1,2]}',
    plain('update', [level(2, 21)]),
    image(7, 8, keys=['id']),
    plain('update', [{'id': 7, 'size': 80}]),
    plain('delete', [{'id': 8}]),
    plain('update', [{'id': 7, 'size': 81}]),
]


def test_a_stream_does_to_the_tables_what_reading_every_text_does(reader, heard):
    tables, told = Tables(), []
    for line in STREAM:
        message = json.loads(line)
        rows, _ = tables.apply(json.loads(line))
        if rows:
            told.append((message['table'], rows, message['action'] == 'partial'))
        reader.on_message(line)
        assert reader.tables.rows(BOOK) == tables.rows(BOOK), line
    assert heard == told


def test_another_image_brings_other_keys_to_texts_that_begin_the_same(reader):
    for line in (image(1), plain('update', [level(1, 2)]), plain('update', [level(1, 3)]), image(1, keys=['id'])):
        reader.on_message(line)
    reader.on_message(plain('update', [{'id': 1, 'size': 4}]))
    assert sizes(reader) == {1: 4}


def test_nothing_is_applied_or_told_after_a_lost_line_until_the_image_came_again(reader, heard):
    for line in (image(1), plain('update', [level(1, 2)]), plain('update', [level(1, 3)])):
        reader.on_message(line)
    reader.resubscribe()
    reader.poll()
    reader._clock.advance(120)
    reader.poll()
    del heard[:]
    reader.on_message(plain('update', [level(1, 9)]))
    assert sizes(reader) == {} and heard == []
    reader.on_message(image(1))
    reader.on_message(plain('update', [level(1, 4)]))
    assert sizes(reader) == {1: 4}


@pytest.mark.parametrize('spoilt', [
    plain('update', [level(1, 9)])[:-1],
    plain('update', [level(1, 9)])[:-2],
    plain('update', [level(1, 9)])[:-1] + ']',
    plain('update', [level(1, 9)])[:-1] + ',',
    plain('update', [level(1, 9)])[:40],
    '',
    '[',
    '{"table":[',
])
def test_a_text_that_is_cut_off_or_spoilt_changes_nothing_and_is_said(reader, spoilt, caplog):
    for line in (image(1), plain('update', [level(1, 2)]), plain('update', [level(1, 3)])):
        reader.on_message(line)
    caplog.set_level(logging.WARNING)
    reader.on_message(spoilt)
    assert sizes(reader) == {1: 3} and len(caplog.records) == 1
    reader.on_message(plain('update', [level(1, 4)]))
    assert sizes(reader) == {1: 4}


def test_a_row_that_makes_no_sense_costs_neither_the_others_nor_the_line(reader):
    rows = [{'orderID': 'a', 'symbol': 'XBTUSD', 'leavesQty': 5}, {'orderID': 'b', 'symbol': 'XBTUSD', 'leavesQty': 5}]
    reader.on_message(text('partial', rows, 'order', keys=['orderID'], filter={'symbol': 'XBTUSD'}))
    for left in (4, 3):
        reader.on_message(plain('update', [{'orderID': 'a', 'leavesQty': 'many'}, None, {'orderID': 'b', 'leavesQty': left}], 'order'))
    assert reader.tables.row('order', orderID='b')['leavesQty'] == 3
    assert reader._is_open


def test_a_venue_that_never_begins_a_text_the_same_way_fills_no_memory(reader):
    reader.on_message(image(1))
    for number in range(3 * HEADS_LIMIT):
        reader.on_message(plain('update', [level(1, number)]).replace('{"table"', '{%s"table"' % (' ' * number)))
    assert sizes(reader) == {1: 3 * HEADS_LIMIT - 1}
    assert len(reader._heads) <= HEADS_LIMIT


def test_the_newest_rows_of_a_table_without_keys_stay(reader):
    reader.on_message(text('partial', [{'symbol': 'XBTUSD', 'price': -1}], 'trade', filter={'symbol': 'XBTUSD'}))
    for number in range(0, 3 * MAX_TABLE_LEN, 3):
        reader.on_message(plain('insert', [{'symbol': 'XBTUSD', 'price': number + step} for step in range(3)], 'trade'))
        if number == MAX_TABLE_LEN // 3 * 3:
            reader.on_message(text('partial', [{'symbol': 'XBTUSD', 'price': -2}], 'trade', filter={'symbol': 'XBTUSD'}))
    assert [row['price'] for row in reader.recent_trades()] == list(range(2 * MAX_TABLE_LEN, 3 * MAX_TABLE_LEN))
