"""The words `runs` and `explain`: what they tell of journals, and what they say when they cannot."""
from __future__ import absolute_import, division, print_function

import io
import json

import pytest
from desk import Desk

from market_maker import explain, runs
from market_maker.cli import main
from market_maker.journal import Journal
from market_maker.journal_reading import Run, run_names
from market_maker.journal_schema import FILE_NAME
from market_maker.utils import errors


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A current folder with runs in it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path / 'runs'


def record(folder, name, seconds=6, plan=None, **facts):
    """A run at a desk, with its journal in a file."""
    (folder / name).mkdir(parents=True)
    journal = Journal(str(folder / name / FILE_NAME), dict({'kind': 'paper', 'symbol': 'XBTUSD', 'settings': {'ORDERID_PREFIX': 'mm_bitmex_'}}, **facts))
    desk = Desk(journal=journal)
    if plan:
        plan(desk)
    desk.run(seconds)
    journal.close(exit_code=0)
    return desk


def fill_and_move(desk):
    def execution(quantity):
        row = desk.venue.inner('Buy')
        desk.venue.feed.table('execution', 'insert', {
            'execID': 'e', 'execType': 'Trade', 'symbol': 'XBTUSD', 'side': 'Buy', 'lastQty': quantity, 'lastPx': row['price'], 'clOrdID': row['clOrdID'],
            'orderID': row['orderID'], 'lastLiquidityInd': 'AddedLiquidity', 'execCost': -1, 'execComm': -150})
        desk.venue.fill(row['orderID'], quantity=quantity)
    desk.at(1.5, lambda: setattr(desk.venue, 'balance', desk.venue.balance + 12000))
    desk.at(2, execution, 40)
    desk.at(4, desk.venue.quote, 6500.0, 6500.5)


def said(word, *argv):
    out = io.StringIO()

    class Text(object):
        def write(self, text):
            out.write(u'%s' % text)
    assert word.main(list(argv), Text()) == 0
    return out.getvalue()


def test_the_list_tells_kind_time_fills_and_result(folder):
    record(folder, '20260101-120000-XBTUSD', plan=fill_and_move)
    record(folder, '20260102-120000-XBTUSD', kind='dry-run')
    head, first, second = said(runs).splitlines()
    assert head.split() == list(runs.HEAD)
    assert first.split()[:3] == ['20260101-120000-XBTUSD', 'paper', 'XBTUSD'] and '6 s' in first and '+0.00012000 XBT' in first
    assert first.endswith('as asked') and first.split()[7] == '1'
    assert second.split()[1] == 'dry-run' and ' - ' in second


def test_the_list_is_json_for_scripts(folder, capsys):
    record(folder, '20260101-120000-XBTUSD', plan=fill_and_move)
    capsys.readouterr()
    assert main(['runs', '--json']) == 0
    answer = json.loads(capsys.readouterr().out)
    row, = answer['runs']
    assert (row['name'], row['fills'], row['result'], row['currency'], row['state'], row['exit_code']) == (
        '20260101-120000-XBTUSD', 1, 12000, 'XBt', 'over', 0)


def test_without_runs_the_list_says_where_it_looked(folder):
    assert said(runs) == 'No runs in %s.\n' % folder


def test_a_journal_that_cannot_be_read_is_named(folder):
    (folder / 'broken').mkdir(parents=True)
    (folder / 'broken' / FILE_NAME).write_bytes(b'this is no database')
    assert 'broken: its journal cannot be read.' in said(runs)


def test_the_story_tells_which_rule_made_it_filled_it_up_moved_it_and_ended_it(folder):
    record(folder, '20260101-120000-XBTUSD', plan=fill_and_move)
    lines = said(explain, 'mm_bitmex_6').splitlines()
    assert lines[0] == 'Order mm_bitmex_6 (orderID id-6), Buy XBTUSD, run 20260101-120000-XBTUSD'
    told = [line.split('  ', 1)[1] for line in lines[1:-1]]
    assert told[0].startswith('Asked to create: 100 at 6327, because level -1 was missing; decision') and '(start); touch 6358.5 / 6359.' in told[0]
    assert told[1:3] == ['The venue: rests, 100 at 6327.', 'Fill: 40 at 6327, maker, fee 0.00000150 XBT received; touch 6358.5 / 6359.']
    assert told[3] == 'The venue: partly filled, 40 of 100 done.'
    assert 'partly filled: from 60 up to 100' in told[4] and told[4].startswith('Asked to amend: 140 at 6327') and '(put off)' in told[4]
    assert told[5] == 'The venue: amended, 140 at 6327.'
    assert 'from its place (RELIST_INTERVAL 1 %)' in told[6] and '(market)' in told[6] and 'touch 6500 / 6500.5' in told[6]
    assert told[8].startswith('Asked to cancel, because shutdown: stop requested') and told[9].startswith('The venue: cancelled')
    assert lines[-1] == 'It ended: cancelled. 40 contracts of it were filled, fees 0.00000150 XBT received.'


def test_an_order_is_found_by_its_order_id_and_by_a_part_and_an_older_run_by_name(folder):
    record(folder, '20260101-120000-XBTUSD')
    record(folder, '20260102-120000-XBTUSD', seconds=1)
    assert said(explain, 'id-12').startswith('Order mm_bitmex_12 ')
    assert said(explain, 'ex_12', '--run', '20260101').splitlines()[0].endswith('run 20260101-120000-XBTUSD')
    assert said(explain, 'mm_bitmex_1').startswith('Order mm_bitmex_1 ')  # exact, though others begin so


def test_an_order_that_is_none_or_several_is_said_in_one_line_with_exit_code_2(folder, capsys):
    record(folder, '20260101-120000-XBTUSD', seconds=1)
    for asked, expected in (('nothing', 'No order in the run 20260101-120000-XBTUSD is called nothing; it has 12 orders'),
                            ('mm_bitmex', 'More than one order in the run 20260101-120000-XBTUSD is called mm_bitmex: mm_bitmex_1, ')):
        assert main(['explain', asked]) == 2
        heard = capsys.readouterr().err
        assert expected in heard and heard.count('\n') == 1


def test_the_story_is_json_for_scripts(folder, capsys):
    record(folder, '20260101-120000-XBTUSD', plan=fill_and_move)
    capsys.readouterr()
    assert main(['explain', 'mm_bitmex_6', '--json']) == 0
    found = json.loads(capsys.readouterr().out)
    assert found['end'] == 'cancelled' and found['events'][0]['reason'] == 'level -1 was missing' and found['events'][0]['cause'] == 'start'


def test_wrong_usage_is_one_line_and_exit_code_2(folder, capsys):
    for argv in (['explain'], ['runs', '--nonsense'], ['explain', 'x', '--run', 'none']):
        assert main(argv) == 2
        assert capsys.readouterr().err.count('\n') == 1


def test_a_run_that_was_cut_off_has_no_end_and_says_so(folder):
    record(folder, '20260101-120000-XBTUSD', seconds=1)
    journal = Journal(':memory:', {'symbol': 'XBTUSD'})
    journal.asked('create', {'clOrdID': 'a', 'side': 'Buy', 'price': 5.0, 'orderQty': 1})
    journal.told('unknown', {'clOrdID': 'a', 'side': 'Buy', 'price': 5.0, 'orderQty': 1}, 'no answer')
    told = list(explain.lines(explain.story(Run(journal.connection), 'a')))
    assert told[-1] == 'The journal does not tell how it ended. Nothing of it was filled.'
    assert 'The venue: unknown (no answer).' in told[2]


@pytest.mark.parametrize('seconds, text', [(0.4, '0 s'), (59.4, '59 s'), (723, '12 min 3 s'), (12000, '3 h 20 min')])
def test_a_length_of_time_is_for_people(seconds, text):
    assert runs.lasting(seconds) == text


def test_a_run_of_now_has_a_result_so_far():
    journal = Journal(':memory:', {'start_balance': 100})
    journal.begin('XBTUSD', 'XBt', {})
    journal.rows('margin', [{'currency': 'XBt', 'marginBalance': 130}])
    assert runs.result(Run(journal.connection)) == 30


def test_the_folder_is_that_of_the_settings(folder):
    (folder.parent / 'settings.py').write_bytes(b'RUNS_DIR = "elsewhere"\n')
    record(folder.parent / 'elsewhere', '20260101-120000-XBTUSD', seconds=1)
    assert runs.folder_of_runs() == 'elsewhere' and '20260101-120000-XBTUSD' in said(runs)
    assert run_names(str(folder)) == []


def test_bad_settings_are_said_as_everywhere(folder, capsys):
    (folder.parent / 'settings.py').write_bytes(b'RUNS_KEEP = 0\n')
    with pytest.raises(errors.SettingsError):
        runs.folder_of_runs()
    assert main(['runs']) == 2 and 'RUNS_KEEP' in capsys.readouterr().err
