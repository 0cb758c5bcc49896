"""A live run, its journal fed again to the same code, asks for the same orders, byte for byte; and a journal that was tampered with does not."""
from __future__ import absolute_import, division, print_function

import json
import os
import signal
import sqlite3
import zlib
from functools import partial

import pytest
import requests

import running
from market_maker import inputs, journal_inputs
from market_maker.auth import APIKeyAuthWithExpires
from market_maker.journal import Journal
from market_maker.journal_reading import Run, open_run, run_names
from market_maker.refeed import orders_among, refeed, requests_of
from outside import Line
from running import wait_until

pytestmark = pytest.mark.e2e

# A narrow ladder that is filled and moved all the time; the market has a fixed seed.
NARROW = {'MM_LOOP_INTERVAL': '0.5', 'MM_RELIST_INTERVAL': '0.0002', 'MM_INTERVAL': '0.0005', 'MM_MIN_SPREAD': '0.0005', 'MM_ORDER_PAIRS': '4',
          'MM_ORDER_START_SIZE': '900', 'MM_RANDOM_ORDER_SIZE': 'True', 'MM_MIN_ORDER_SIZE': '6000', 'MM_MAX_ORDER_SIZE': '9000',
          'MM_API_ERROR_INTERVAL': '1', 'MM_TIMEOUT': '2'}
# Faults of the venue, each armed when the one before has struck and has been told of by the bot (None: nothing is told).
TROUBLE = [({'fault': 'overloaded', 'verb': 'PUT', 'times': 3}, 'did not succeed'), ({'fault': 'unavailable', 'verb': 'POST', 'times': 1}, None),
           ({'fault': 'drop_socket'}, 'Got all market data again.'), ({'fault': 'lost_reply', 'verb': 'PUT', 'times': 1}, None),
           ({'fault': 'malformed_json', 'times': 3}, 'sent what is not JSON'), ({'fault': 'slow_reply', 'delay_ms': 700, 'times': 2}, None),
           ({'fault': 'rate_limited', 'verb': 'PUT', 'times': 1}, None), ({'fault': 'bad_gateway', 'times': 1}, None),
           ({'fault': 'duplicate_messages', 'for_s': 2}, None)]


@pytest.fixture
def open_venue(venue_python, tmp_path):
    """open_venue('modern') -> (a venue, a line to it that hears what is sent)."""
    opened = []

    def start(profile):
        venue = running.Venue(venue_python, '--market', 'lively', '--seed', '7', '--profile', profile)
        opened.append(venue)
        opened.append(Line(venue.port))
        return venue, opened[-1]
    yield start
    for one in reversed(opened):
        one.stop()


def at_the_door(venue, method, path, body=None):
    """What the venue's control door answers."""
    door = venue.ready['control']
    answer = requests.request(method, '%s/%s' % (door['url'].rstrip('/'), path), json=body, headers={'x-paper-token': door['token']}, timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.json()


def get_into_trouble(venue, bot):
    """One fault after the other, until each has struck and been told of."""
    def has_struck(fault):
        return [row['count'] for row in at_the_door(venue, 'GET', 'faults') if row['fault'] == fault['fault']] > [0]
    for fault, sign in TROUBLE:
        at_the_door(venue, 'POST', 'faults', fault)
        assert wait_until(partial(has_struck, fault), 90), fault
        if sign:
            bot.wait_for(sign, timeout=90)


def fill_in_part(venue, bot):
    """Somebody else sells a little to our best buy, until a part of it is filled."""
    def post(path, **body):
        return at_the_door(venue, 'POST', path, body)
    rival = post('accounts', name='rival', balance={'XBt': 10 ** 9})
    auth = APIKeyAuthWithExpires(rival['key'], rival['secret'])

    def is_filled():
        post('market/empty', symbol='XBTUSD', side='Buy')
        requests.post(venue.url + 'order', json={'symbol': 'XBTUSD', 'side': 'Sell', 'orderQty': 300, 'ordType': 'Market'}, auth=auth, timeout=10)
        return wait_until(lambda: 'Execution: Buy' in bot.text, 0.5)
    bot.wait_for('Creating 8 orders')
    assert wait_until(is_filled)


def kind_of(record):
    return record[0] if isinstance(record, list) else 'clock'


def journal_of(tmp_path):
    name, = run_names(str(tmp_path / 'runs'))
    return open_run(name, str(tmp_path / 'runs'))


def said_orders(line):
    """How many order requests went over the line."""
    heard = b''.join(line.sent)
    return sum(heard.count(verb + b' /api/v1/order') for verb in (b'POST', b'PUT', b'DELETE'))


def assert_same(run, line):
    """Fed again, the run asks for what it asked for then, and that is what went over the wire."""
    fed, kept = refeed(run), requests_of(run)
    assert fed.parted is None and fed.is_whole, fed.parted
    assert fed.requests == kept and fed.orders == orders_among(kept)
    heard = b''.join(line.sent)
    assert said_orders(line) == len(fed.orders)
    assert [request for request in fed.orders if request.body not in heard] == []
    return fed


@pytest.mark.parametrize('profile', ['classic', 'modern'])
def test_a_run_with_fills_faults_and_a_dropped_socket_is_computed_again_byte_for_byte(spawn, open_venue, tmp_path, profile):
    venue, line = open_venue(profile)
    bot = spawn(env=dict(NARROW, **dict(venue.env, MM_BASE_URL=line.url)))
    fill_in_part(venue, bot)
    bot.wait_for('Amending', timeout=90)
    get_into_trouble(venue, bot)
    bot.interrupt()
    assert bot.wait(60) == 0, bot.text
    run = journal_of(tmp_path)
    told = [event.what for event in run.order_events()]
    kinds = set(kind_of(record) for record in journal_inputs.records(run))
    assert set(['partly filled', 'amended', 'unknown']) <= set(told)
    assert inputs.FAILURE in kinds and (inputs.TURN in kinds) == (profile == 'modern')
    fed = assert_same(run, line)
    assert len(fed.orders) >= 5
    run.close()


def test_what_the_journal_tells_of_orders_comes_out_again_too(spawn, open_venue, tmp_path):
    venue, _ = open_venue('classic')
    assert spawn('--run-for', '5', env=dict(NARROW, MM_LOG_LEVEL='WARN', **venue.env)).wait() == 0
    run, again = journal_of(tmp_path), Journal(':memory:')
    refeed(run, journal=again)
    for then, now in zip(run.order_events(), Run(again.connection).order_events()):
        assert then[3:] == now[3:]
    assert [row[2:] for row in run.decisions()] == [row[2:] for row in Run(again.connection).decisions()]
    run.close()


@pytest.mark.parametrize('name', ['SIGINT', 'SIGTERM'])
def test_a_stop_by_signal_at_any_moment_is_an_input_like_others(spawn, open_venue, tmp_path, name):
    venue, line = open_venue('modern')
    bot = spawn(env=dict(NARROW, **dict(venue.env, MM_BASE_URL=line.url)))
    bot.wait_for('Amending')
    bot.signal(getattr(signal, name))
    assert bot.wait() == 0
    assert_same(journal_of(tmp_path), line)


def test_an_edit_of_the_settings_while_it_runs_is_one_too(spawn, open_venue, tmp_path):
    venue, line = open_venue('classic')
    (tmp_path / 'settings.py').write_bytes(b'ORDER_PAIRS = 4\nLOOP_INTERVAL = 0.5\n')
    bot = spawn(env=dict(venue.env, MM_BASE_URL=line.url))
    bot.wait_for('Creating 8 orders')
    (tmp_path / 'settings.py').write_bytes(b'ORDER_PAIRS = 2\nLOOP_INTERVAL = 0.5\n#\n')
    bot.wait_for('Canceling 4 orders')
    bot.interrupt()
    assert bot.wait() == 0
    assert_same(journal_of(tmp_path), line)


def test_a_dry_run_asks_for_nothing_the_second_time_either(spawn, open_venue, tmp_path):
    venue, line = open_venue('classic')
    assert spawn('--dry-run', '--run-for', '2', env={'MM_BASE_URL': line.url}).wait() == 0
    assert assert_same(journal_of(tmp_path), line).orders == []


def test_a_run_that_was_killed_is_readable_and_computed_again_up_to_its_last_second(spawn, open_venue, tmp_path):
    venue, line = open_venue('modern')
    bot = spawn(env=dict(NARROW, **dict(venue.env, MM_BASE_URL=line.url)))
    bot.wait_for('Amending', count=20)
    heard = []

    def is_committed():
        run = journal_of(tmp_path)
        heard[:] = requests_of(run)
        run.close()
        return len(orders_among(heard)) >= 20
    assert wait_until(is_committed)
    os.kill(bot.pid, signal.SIGKILL)
    bot.wait()
    run = journal_of(tmp_path)
    fed, kept = refeed(run), requests_of(run)
    assert fed.parted is None and fed.requests == kept and kept[:len(heard)] == heard
    assert said_orders(line) - len(fed.orders) <= 60  # at most what a second asks for
    assert 'exit_code' not in run.about and list(run.decisions())
    run.close()


def tamper(path, change):
    """Write the inputs of a journal anew, after change(records)."""
    run = open_run(path)
    records = list(journal_inputs.records(run))
    run.close()
    change(records)
    connection = sqlite3.connect(path)
    connection.execute('DELETE FROM input')
    connection.execute("INSERT INTO input VALUES (1, NULL, 'zlib', ?)", (sqlite3.Binary(zlib.compress(journal_inputs.encode(records))),))
    connection.commit()
    connection.close()


def move_the_quotes(records):
    """The bid and ask of all quotes from the middle of the run on, three percent further down. (One alone may be overtaken before anybody looks.)"""
    frames = [event for record in records if kind_of(record) == inputs.HEARD for event in record[2]
              if event[0] == 'text' and '"table":"quote"' in event[2]]
    for frame in frames[len(frames) // 2:]:
        message = json.loads(frame[2])
        for row in message['data']:
            row.update(bidPrice=row['bidPrice'] - 200, askPrice=row['askPrice'] - 200)
        frame[2] = json.dumps(message)


def lose_an_answer(records):
    """The first ladder's answer, which is lost."""
    asked = next(number for number, record in enumerate(records) if kind_of(record) == inputs.REQUEST and record[1] == 'POST')
    answer = next(number for number in range(asked, len(records)) if kind_of(records[number]) == inputs.ANSWER)
    records[answer] = [inputs.FAILURE, 'no answer', 'so it goes']


def rename_an_order(records):
    place = [number for number, record in enumerate(records) if kind_of(record) == inputs.CHANCE and record[1] == 'clOrdID'][3]
    records[place] = [inputs.CHANCE, 'clOrdID', 'another-name']


@pytest.mark.parametrize('change', [move_the_quotes, lose_an_answer, rename_an_order])
def test_inputs_that_are_tampered_with_change_what_is_asked_for(spawn, open_venue, tmp_path, change):
    venue, _ = open_venue('classic')
    assert spawn('--run-for', '6', env=dict(NARROW, **venue.env)).wait() == 0
    run = journal_of(tmp_path)
    path, kept = os.path.join(run.path, 'journal.sqlite'), requests_of(run)
    assert refeed(run).requests == kept
    run.close()
    tamper(path, change)
    run = open_run(path)
    fed = refeed(run)
    assert fed.parted is not None and not fed.is_whole and fed.requests != kept
    run.close()
