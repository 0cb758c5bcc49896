"""Recorded data played as a venue, watched from outside: the same book and trades again, and a bot that trades on them."""
from __future__ import absolute_import, division, print_function

import gzip
import io
import json
import os

import pytest

from market_maker.utils.compat import timestamp_of
from running import venue_python as find_venue_python
from running import wait_until

pytestmark = pytest.mark.e2e

# On a touch of one tick: a buy and a sell at the best prices, moved with them.
NARROW = {'MM_INTERVAL': '0.00002', 'MM_MIN_SPREAD': '0', 'MM_RELIST_INTERVAL': '0.000005', 'MM_ORDER_PAIRS': '1', 'MM_LOOP_INTERVAL': '1'}


def messages(path):
    with gzip.open(path, 'rb') as file:
        lines = [json.loads(line.decode('utf-8')) for line in file]
    return [line['msg'] for line in lines if line['dir'] == 'in' and 'table' in line['msg']]


def book_and_trades(path):
    """{(side, price): size} at the end, and the trades that were told after the subscription, without their time."""
    levels, trades = {}, []
    for message in messages(path):
        if message['table'] == 'orderBookL2':
            if message['action'] == 'partial':
                levels = {}
            for row in message['data']:
                if message['action'] == 'delete':
                    del levels[row['id']]
                else:
                    levels.setdefault(row['id'], {}).update(row)
        elif message['table'] == 'trade' and message['action'] == 'insert':
            trades += [(row['side'], row['size'], row['price']) for row in message['data']]
    return dict(((row['side'], row['price']), row['size']) for row in levels.values()), trades


def start_replay(spawn, *arguments):
    """A replay on a free port, and what it said of itself."""
    replay = spawn('replay', '--port', '0', '--json', *arguments)
    assert wait_until(lambda: '}' in replay.lines or not replay.running(), 60), replay.text
    return replay, json.loads(replay.text[replay.text.index('{'):replay.text.rindex('}') + 1])


def test_a_recording_of_a_venue_played_again_gives_the_same_book_and_the_same_trades(spawn, venue, tmp_path):
    first = spawn('record', '--base-url', venue.url, '--out', 'first.jsonl.gz', '--minutes', '0.14')
    assert first.wait(60) == 0, first.text
    replay, told = start_replay(spawn, 'first.jsonl.gz', '--speed', '1.5')
    second = spawn('record', '--base-url', told['url'], '--out', 'second.jsonl.gz')
    replay.wait_for('The recording is over', 60)
    size = os.path.getsize(str(tmp_path / 'second.jsonl.gz'))
    assert wait_until(lambda: os.path.getsize(str(tmp_path / 'second.jsonl.gz')) > size, 10)  # the last rows have come
    second.interrupt()
    assert second.wait(30) == 0, second.text
    replay.interrupt_all()
    assert replay.wait(30) == 0 and 'Traceback' not in replay.text, replay.text
    book, trades = book_and_trades(str(tmp_path / 'first.jsonl.gz'))
    again, trades_again = book_and_trades(str(tmp_path / 'second.jsonl.gz'))
    assert again == book and len(book) > 50
    assert trades_again and trades_again == trades[-len(trades_again):]


def write_archive(folder, seconds):
    """Quotes five times a second that walk by a tick, and between them trades through both best prices."""
    quotes = ['timestamp,symbol,bidSize,bidPrice,askPrice,askSize']
    trades = ['timestamp,symbol,side,size,price,tickDirection,trdMatchID,grossValue,homeNotional,foreignNotional']
    begin, bid = 1705276800, 42000.0
    for number in range(seconds * 5):
        bid += (0.5, 0, -0.5, 0)[number // 10 % 4] if number % 10 == 0 else 0
        moment = timestamp_of(begin + number * 0.2)[:-1].replace('T', 'D') + '000000'
        quotes.append('%s,XBTUSD,200,%s,%s,300' % (moment, bid, bid + 0.5))
        side, price = (('Sell', bid), ('Buy', bid + 0.5))[number % 2]
        trades.append('%s,XBTUSD,%s,600,%s,PlusTick,00000000-006d-1000-0000-000c2a3b7d21,1,1,1' % (moment[:-1] + '9', side, price))
    for name, lines in (('quote.csv.gz', quotes), ('trade.csv.gz', trades)):
        with gzip.open(str(folder / name), 'wb') as file:
            file.write(('\n'.join(lines) + '\n').encode('ascii'))


@pytest.fixture
def archive(tmp_path):
    """quote.csv.gz and trade.csv.gz of 300 seconds; needs the lab in the venue's interpreter."""
    import subprocess
    with io.open(os.devnull, 'wb') as nowhere:
        if subprocess.call([find_venue_python(), '-c', 'import numpy, polars'], stdout=nowhere, stderr=nowhere):
            pytest.skip("the venue's Python has no numpy and polars")
    write_archive(tmp_path, 300)


def test_the_bot_trades_on_a_replayed_archive(spawn, archive):
    replay, told = start_replay(spawn, 'quote.csv.gz', 'trade.csv.gz')
    assert 'the best prices and trades as recorded' in told['market']
    bot = spawn('--base-url', told['url'], '--run-for', '5',
                env=dict(NARROW, BITMEX_API_KEY=told['key'], BITMEX_API_SECRET=told['secret']))
    assert bot.wait(60) == 0, bot.text
    assert 'Execution: ' in bot.text and 'Traceback' not in bot.text, bot.text
    replay.terminate()
    assert replay.wait(30) == 0, replay.text


def test_the_paper_venue_plays_an_archive_and_tells_the_bot_when_it_is_over(spawn, archive, tmp_path):
    write_archive(tmp_path, 5)
    bot = spawn('--run-for', '7', env=dict(NARROW, MM_PAPER_MARKET='quote.csv.gz, trade.csv.gz'))
    assert bot.wait(60) == 0, bot.text
    assert 'Execution: ' in bot.text, bot.text
    assert len([line for line in bot.lines if 'The recording is over' in line]) == 1, bot.text


def test_what_cannot_be_played_is_one_line_and_code_2(spawn, venue_python, tmp_path):
    (tmp_path / 'x.csv').write_text(u'a,b\n1,2\n')
    (tmp_path / 'bad.jsonl').write_text(
        u'{"table":"quote","action":"insert","data":[{"symbol":"XBTUSD","bidPrice":1,"bidSize":1,"askPrice":2,"askSize":1}]}\n[]\n{}\n')
    for arguments, said in ((('nowhere',), 'no such file'), (('x.csv',), 'x.csv:1: neither'), (('bad.jsonl', '--strict'), 'bad.jsonl:2: not a JSON object'),
                            (('x.csv', '--speed', '0'), 'no speed above 0')):
        replay = spawn('replay', '--port', '0', *arguments)
        assert replay.wait(30) == 2 and len(replay.lines) == 1 and said in replay.text, replay.text


def test_bad_rows_are_counted_and_named_at_the_end(spawn, venue_python, tmp_path):
    rows = [u'{"table":"quote","action":"insert","data":[{"symbol":"XBTUSD","bidPrice":1,"bidSize":1,"askPrice":2,"askSize":1}]}', u'[]', u'[]', u'{}']
    (tmp_path / 'bad.jsonl').write_text(u'\n'.join(rows) + u'\n')
    replay, told = start_replay(spawn, 'bad.jsonl')
    assert told['url'].startswith('http://127.0.0.1:')
    replay.wait_for('bad.jsonl:2: not a JSON object (and 1 more)', 30)
    replay.interrupt_all()
    assert replay.wait(30) == 0
