"""Rules of the bench's generated streams."""
from __future__ import absolute_import, division, print_function

import json
import sys

import pytest

from running import ROOT

if sys.version_info < (3, 10):
    pytest.skip('the bench is written for Python 3.10+', allow_module_level=True)
sys.path.insert(0, ROOT)
inputs = pytest.importorskip('bench.inputs')
STREAM = inputs.generated(50, 2000)


def rows_of(text):
    return json.loads(text)['data']


def test_the_same_arguments_make_the_same_texts():
    assert inputs.generated(50, 2000) == STREAM
    assert inputs.generated(50, 2000, seed=2).changes != STREAM.changes


def test_rows_of_the_image_run_from_the_highest_sell_to_the_lowest_buy_as_the_real_one_does():
    book = rows_of(STREAM.images[0])
    assert [row['side'] for row in book] == ['Sell'] * 50 + ['Buy'] * 50
    assert [row['price'] for row in book] == sorted((row['price'] for row in book), reverse=True)
    assert [row['id'] for row in book] == sorted(row['id'] for row in book)


def test_every_change_fits_the_book_that_it_finds_and_the_book_is_never_crossed():
    book = dict((row['id'], row) for row in rows_of(STREAM.images[0]))
    for text in STREAM.changes:
        message = json.loads(text)
        if message['table'] != 'orderBookL2':
            continue
        for row in message['data']:
            if message['action'] == 'insert':
                assert row['id'] not in book
                book[row['id']] = row
            elif message['action'] == 'delete':
                assert book.pop(row['id'])['side'] == row['side']
            else:
                assert book[row['id']]['side'] == row['side']
        best = dict((side, [row['price'] for row in book.values() if row['side'] == side]) for side in ('Buy', 'Sell'))
        assert max(best['Buy']) < min(best['Sell'])
    assert 90 <= len(book) <= 110


def test_a_stream_without_a_book_has_quotes_trades_and_the_instrument():
    stream = inputs.generated(50, 500, with_book=False)
    assert set(json.loads(text)['table'] for text in stream.images + stream.changes) == {'quote', 'trade', 'instrument'}


def test_a_stream_is_read_as_it_was_written(tmp_path):
    inputs.save(STREAM, str(tmp_path / 'stream'))
    assert inputs.load(str(tmp_path / 'stream')) == STREAM


def test_without_a_recording_there_is_none(tmp_path):
    assert inputs.recorded(str(tmp_path)) is None
