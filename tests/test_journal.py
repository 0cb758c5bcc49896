"""The journal: what a run's rows become, in memory and in a file, and how it is read again."""
from __future__ import absolute_import, division, print_function

import json
import os
import sqlite3

import pytest

from fakes import INSTRUMENT
from market_maker import journal_store
from market_maker.journal import NO_JOURNAL, Journal, NoJournal
from market_maker.journal_reading import Run, list_runs, open_run
from market_maker.journal_schema import FILE_NAME
from market_maker.utils import errors
from running import wait_until


class Ticking(object):
    """A time that is moved by hand."""

    def __init__(self, now=1500000000.0):
        self.now = now

    def __call__(self):
        return self.now


@pytest.fixture
def time():
    return Ticking()


@pytest.fixture
def journal(time):
    made = Journal(':memory:', {'kind': 'backtest', 'seed': 7}, now=time)
    made.begin('XBTUSD', 'XBt', INSTRUMENT)
    return made


def quote(bid, ask, symbol='XBTUSD'):
    return {'symbol': symbol, 'bidPrice': bid, 'askPrice': ask, 'bidSize': 5, 'askSize': 6}


def trade(name, **more):
    return dict({'execID': name, 'execType': 'Trade', 'symbol': 'XBTUSD', 'side': 'Buy', 'lastQty': 100, 'lastPx': 100.5, 'clOrdID': 'mm_1',
                 'orderID': 'id-1', 'lastLiquidityInd': 'AddedLiquidity', 'execCost': -99502, 'execComm': -24}, **more)


def read(journal):
    return Run(journal.connection)


def test_facts_of_the_run_are_read_as_they_were_told_and_the_later_one_counts(journal):
    journal.about(seed=8, market='the moon')
    about = read(journal).about
    assert (about['kind'], about['seed'], about['market'], about['symbol']) == ('backtest', 8, 'the moon', 'XBTUSD')
    assert about['instrument'] == INSTRUMENT and about['started'] == 1500000000.0 and about['schema'] == 1


def test_of_the_touch_the_newest_of_each_quarter_of_a_second_is_kept(journal, time):
    for now, bid in ((0.0, 1.0), (0.1, 2.0), (0.2, 3.0), (0.3, 4.0), (0.55, 5.0)):
        time.now = 1500000000.0 + now
        journal.rows('quote', [quote(bid, 9.0)])
    journal.close()
    assert [row.bid for row in read(journal).touches()] == [3.0, 4.0, 5.0]
    assert [row.at - 1500000000.0 for row in read(journal).touches()] == pytest.approx([0.2, 0.3, 0.55], abs=1e-4)


def test_of_the_account_there_is_a_row_at_the_start_one_a_second_at_most_and_one_at_the_end(journal, time):
    for now, balance in ((0.0, 10), (0.2, 11), (0.4, 12), (1.1, 13), (1.5, 14)):
        time.now = 1500000000.0 + now
        journal.rows('margin', [{'currency': 'XBt', 'marginBalance': balance}, {'currency': 'USDt', 'marginBalance': 1}])
    journal.rows('position', [{'symbol': 'XBTUSD', 'currentQty': -5}, {'symbol': 'ETHUSD', 'currentQty': 8}])
    journal.close()
    assert [(row.margin_balance, row.position) for row in read(journal).accounts()] == [(10, None), (13, None), (14, -5)]


def test_a_fill_is_kept_once_with_the_touch_just_before_it_and_none_of_before_the_run(journal):
    journal.rows('execution', [trade('old')], True)
    journal.rows('quote', [quote(100.0, 100.5)])
    journal.rows('execution', [trade('new'), trade('other', symbol='ETHUSD'), {'execType': 'New', 'execID': 'x', 'symbol': 'XBTUSD'}])
    journal.rows('execution', [trade('old'), trade('new')], True)
    fill, = read(journal).fills()
    assert (fill.exec_id, fill.side, fill.price, fill.size, fill.liquidity, fill.cost, fill.fee, fill.bid, fill.ask) == (
        'new', 'Buy', 100.5, 100, 'maker', -99502, -24, 100.0, 100.5)


def test_the_touch_of_a_fill_is_the_one_before_the_trade_moved_it_in_whatever_order_the_two_are_told(journal):
    at = '2026-09-21T12:00:%s.000Z'
    journal.rows('execution', [], True)
    for second, bid, ask in (('01', 100.0, 100.5), ('01', 100.5, 101.0), ('02', 103.0, 103.5), ('02', 104.0, 104.5), ('03', 105.0, 105.5)):
        journal.rows('quote', [dict(quote(bid, ask), timestamp=at % second)])
    journal.rows('execution', [trade('now', timestamp=at % '04'), trade('swept', timestamp=at % '02', transactTime=at % '00'),
                               trade('long ago', timestamp=at % '00')])
    assert [(row.exec_id, row.bid, row.ask) for row in read(journal).fills()] == [
        ('now', 105.0, 105.5), ('swept', 100.5, 101.0), ('long ago', 100.5, 101.0)]


def test_a_fill_that_the_line_lost_is_made_up_for_by_what_was_read_later(journal):
    journal.rows('execution', [], True)
    journal.rows('execution', [trade('one')])
    journal.trades([trade('one'), trade('two')])
    assert [(row.exec_id, row.bid) for row in read(journal).fills()] == [('one', None), ('two', None)]


def test_fills_of_somebody_else_on_the_account_are_told_apart_by_the_prefix(journal):
    journal.about(settings={'ORDERID_PREFIX': 'mm_'})
    journal.rows('execution', [], True)
    journal.rows('execution', [trade('ours'), trade('theirs', clOrdID='web')])
    run = read(journal)
    assert [row.exec_id for row in run.fills()] == ['ours'] and len(list(run.fills(ours=False))) == 2


def test_funding_is_kept_with_the_position_it_was_paid_on(journal):
    journal.rows('position', [{'symbol': 'XBTUSD', 'currentQty': -300}])
    journal.rows('execution', [], True)
    journal.rows('execution', [{'execID': 'f', 'execType': 'Funding', 'symbol': 'XBTUSD', 'lastQty': 300, 'commission': 0.0001,
                                'execCost': 5000, 'execComm': -50}])
    funding, = read(journal).fundings()
    assert (funding.rate, funding.position, funding.cost, funding.fee) == (0.0001, -300, 5000, -50)


def test_what_is_asked_has_the_reason_of_its_plan_or_of_the_moment(journal):
    journal.begin_decision('market')
    journal.plan({('Buy', 99.5): 'level -1 was missing', 'id-2': 'superfluous'})
    journal.asked('create', {'clOrdID': 'mm_1', 'side': 'Buy', 'price': 99.5, 'orderQty': 10})
    journal.asked('cancel', {'orderID': 'id-2'}, {'clOrdID': 'mm_2', 'side': 'Sell', 'price': 101.0, 'orderQty': 5, 'leavesQty': 5})
    with journal.because('shutdown'):
        journal.asked('cancel', {'orderID': 'id-3'})
    journal.asked('cancel', {'orderID': 'id-4'})
    journal.end_decision('sent: 1 create, 3 cancels')
    events = list(read(journal).order_events())
    assert [event.reason for event in events] == ['level -1 was missing', 'superfluous', 'shutdown', 'asked for by the strategy']
    decision, = read(journal).decisions()
    assert {event.decision for event in events} == {decision.seq} and decision.seq < events[0].seq
    assert (decision.cause, decision.outcome) == ('market', 'sent: 1 create, 3 cancels')
    assert (events[1].cl_ord_id, events[1].side, events[1].leaves) == ('mm_2', 'Sell', 5)


def test_a_row_that_no_table_can_hold_costs_no_other_row(journal):
    journal.told('rests', {'clOrdID': 'mm_1', 'price': ['what', 'is', 'this']})
    journal.told('rests', {'clOrdID': 'mm_2', 'orderQty': 2 ** 70})
    journal.told('rests', {'clOrdID': 'mm_3', 'price': 5.0})
    assert [event.cl_ord_id for event in read(journal).order_events()] == ['mm_3']


def test_a_connection_of_the_caller_takes_the_rows_as_well(time):
    connection = sqlite3.connect(':memory:')
    journal = Journal(connection, {'kind': 'backtest'}, now=time)
    journal.note('WARNING', 'hear, hear')
    journal.close(exit_code=0)
    run = Run(connection)
    assert [row.text for row in run.notes()] == ['hear, hear'] and run.about['exit_code'] == 0 and run.state() == 'over'


def test_the_null_journal_takes_every_call_of_the_real_one():
    names = [name for name in dir(Journal) if not name.startswith('_') and name != 'connection']
    assert [name for name in names if not hasattr(NoJournal, name)] == []
    NO_JOURNAL.now = None
    assert NO_JOURNAL.now() > 0
    with NO_JOURNAL.because('nothing'):
        NO_JOURNAL.asked('create', {})


#
# Files
#
def write_run(folder, name, **facts):
    path = folder / name
    path.mkdir()
    journal = Journal(str(path / FILE_NAME), dict({'symbol': 'XBTUSD'}, **facts))
    journal.note('WARNING', name)
    journal.close(exit_code=0)
    return journal


def test_a_file_is_readable_while_it_is_written_and_only_by_its_owner(tmp_path):
    (tmp_path / 'one').mkdir()
    path = str(tmp_path / 'one' / FILE_NAME)
    journal = Journal(path, {'symbol': 'XBTUSD'})
    journal.note('WARNING', 'so far')

    def is_there():
        try:
            run = open_run('one', str(tmp_path))
        except errors.SettingsError:
            return False
        notes, state = [row.text for row in run.notes()], run.state()
        run.close()
        return notes == ['so far'] and state == 'under way'
    assert wait_until(is_there)
    assert [oct(os.stat(str(file)).st_mode & 0o077) for file in (tmp_path / 'one').iterdir()] == [oct(0)] * len(list((tmp_path / 'one').iterdir()))
    journal.close(exit_code=0)
    journal.close()
    run = open_run(path)
    assert run.state() == 'over' and run.name == 'one' and run.about['exit_code'] == 0


def test_a_run_is_found_by_last_by_name_by_its_beginning_or_end_and_by_its_path(tmp_path):
    for name in ('20260101-120000-XBTUSD', '20260101-130000-ETHUSD'):
        write_run(tmp_path, name)
    for asked, found in (('last', '130000-ETHUSD'), ('20260101-120000-XBTUSD', '120000-XBTUSD'), ('20260101-12', '120000-XBTUSD'),
                         ('ETHUSD', '130000-ETHUSD'), (str(tmp_path / '20260101-120000-XBTUSD'), '120000-XBTUSD')):
        run = open_run(asked, str(tmp_path))
        assert run.name == '20260101-' + found
        run.close()


@pytest.mark.parametrize('asked', ['2026', 'nothing-like-it'])
def test_a_run_that_is_not_one_is_said_in_one_line_with_what_there_is(tmp_path, asked):
    for name in ('20260101-120000-XBTUSD', '20260101-130000-ETHUSD'):
        write_run(tmp_path, name)
    with pytest.raises(errors.SettingsError) as caught:
        open_run(asked, str(tmp_path))
    assert '20260101-130000-ETHUSD' in str(caught.value) and '\n' not in str(caught.value)


def test_without_any_run_the_line_says_so(tmp_path):
    with pytest.raises(errors.SettingsError, match='no runs in'):
        open_run('last', str(tmp_path / 'runs'))


def test_what_is_no_journal_and_what_is_of_another_version_is_left_out_and_said(tmp_path):
    write_run(tmp_path, 'good')
    for name, text in (('bad', b'no database at all, whatever it is called'), ('newer', None)):
        (tmp_path / name).mkdir()
        if text:
            (tmp_path / name / FILE_NAME).write_bytes(text)
        else:
            connection = sqlite3.connect(str(tmp_path / name / FILE_NAME))
            connection.executescript("CREATE TABLE about (name, value); INSERT INTO about VALUES ('schema', '99');")
            connection.close()
    runs, bad = list_runs(str(tmp_path))
    assert [run.name for run in runs] == ['good'] and bad == ['bad', 'newer']
    for name in bad:
        with pytest.raises(errors.SettingsError):
            open_run(name, str(tmp_path))


def test_a_disk_that_fails_is_said_once_and_the_run_goes_on(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(journal_store, 'COMMIT_EVERY_S', 0.01)

    class Full(object):
        def __init__(self, connection):
            self._connection = connection

        def execute(self, statement):
            raise sqlite3.OperationalError('database or disk is full')

        def close(self):
            self._connection.close()
    opened = journal_store.FileStore._open
    monkeypatch.setattr(journal_store.FileStore, '_open', lambda self: Full(opened(self)))
    journal = Journal(str(tmp_path / FILE_NAME))
    assert wait_until(lambda: 'Trading goes on without it' in caplog.text)
    for _ in range(1000):
        journal.note('WARNING', 'still here')
    journal.close()
    assert caplog.text.count('Trading goes on') == 1 and 'disk is full' in caplog.text


def test_a_writer_that_falls_far_behind_gives_up_instead_of_filling_the_memory(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(journal_store, 'MOST_ROWS', 50)
    monkeypatch.setattr(journal_store, 'COMMIT_EVERY_S', 0.2)
    journal = Journal(str(tmp_path / FILE_NAME))
    for number in range(500):
        journal.note('WARNING', 'line %d' % number)
    assert wait_until(lambda: 'too slow' in caplog.text)
    journal.close()


def test_a_file_that_cannot_be_made_is_an_error_at_once(tmp_path):
    with pytest.raises((OSError, IOError)):
        Journal(str(tmp_path / 'not there' / FILE_NAME))


def test_facts_that_json_cannot_say_become_text(journal):
    journal.about(odd=set([1]))
    assert json.dumps(read(journal).about['odd'])
