"""`marketmaker preview`: where its figures come from, how they are shown, what it says when they cannot be had."""
from __future__ import absolute_import, division, print_function

import io
import json
import os
import sys

import pytest
from replies import Replies

from market_maker import cli, known_instruments, preview_word
from market_maker import settings as settings_module
from market_maker.direct import Direct
from market_maker.utils import log, terminal
from market_maker.utils.clock import ManualClock
from market_maker.utils.compat import to_text

ROW = dict(known_instruments.row('XBTUSD', 'classic'), bidPrice=6358.5, askPrice=6359.0)
OFFLINE = ['--touch', '6358.5/6359']


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Each test runs in an empty folder of its own, and leaves the process as it was."""
    monkeypatch.chdir(str(tmp_path))
    monkeypatch.setattr(log, 'setup_custom_logger', lambda **options: log.get_logger())
    yield tmp_path
    settings_module.install(None)
    log._hidden.clear()


class Screen(io.StringIO):
    """A terminal of so many columns."""

    encoding = 'utf-8'

    def isatty(self):
        return True

    def write(self, text):
        return super(Screen, self).write(to_text(text))


def shown(argv, out=None, connect=Direct):
    out = out or Screen()
    assert preview_word.main(argv, out, connect) == 0
    return out.getvalue()


def figures(argv, capsys):
    assert cli.main(['preview'] + argv + ['--json']) == 0
    return json.loads(capsys.readouterr()[0])


def asking(answers=None, **more):
    """A `connect` that asks prepared answers, and the Replies they come from."""
    prepared = {('GET', 'instrument'): [ROW], ('GET', 'instrument/active'): [ROW, dict(ROW, symbol='XBTUSDT')],
                ('GET', 'position'): [{'symbol': 'XBTUSD', 'currentQty': -1000, 'avgEntryPrice': 6400.0}],
                ('GET', 'user/margin'): {'walletBalance': 5000000, 'marginBalance': 5100000, 'availableMargin': 4000000}}
    prepared.update(answers or {})
    replies = Replies(prepared, **more)
    return (lambda settings: Direct(settings, replies, ManualClock(1500000000))), replies


def test_without_a_venue_the_constants_of_the_profile_are_used_and_it_says_so(capsys):
    found = figures(OFFLINE, capsys)
    assert found['source'] == 'the touch given, no venue asked: tick, lot, fees and margins of the profile classic'
    assert (found['bid'], found['maker_fee'], found['balance'], found['position']) == (6358.5, -0.00025, 100000000, 0)
    assert found['requests']['allowed'] == 60.0 and len(found['buys']) == 6
    modern = figures(OFFLINE + ['--set', 'PAPER_PROFILE=modern', '--set', 'ORDER_PAIRS=2'], capsys)
    assert (modern['maker_fee'], modern['requests']['is_single'], len(modern['sells'])) == (0.0005, True, 2)


def test_a_venue_is_asked_for_touch_and_account_by_rest_and_sent_no_order(capsys, monkeypatch):
    connect, replies = asking()
    monkeypatch.setenv('BITMEX_API_SECRET', 'tell-nobody')
    text = shown(['--base-url', 'http://127.0.0.1:1/'] + ['--set', 'API_KEY=abcdefgh'], connect=connect)
    assert 'Held now: -1000 contracts at 6400.0.' in text and 'balance of 0.0500 XBT' in text and 'tell-nobody' not in text
    assert set(verb for verb, path, body in replies.asked) == {'GET'}


def test_without_a_key_the_account_is_one_of_dry_btc_that_holds_nothing():
    connect, replies = asking()
    text = shown(['--base-url', 'http://127.0.0.1:1/'], connect=connect)
    assert 'no key, so an account of DRY_BTC' in text and 'balance of 50.0000 XBT' in text
    assert [path for verb, path, body in replies.asked] == ['instrument']


def test_another_position_and_balance_can_be_looked_at(capsys):
    found = figures(OFFLINE + ['--position=-1000@6400', '--balance', '0.05'], capsys)
    assert (found['position'], found['entry'], found['balance']) == (-1000, 6400.0, 5000000)
    assert found['buys'][-1]['filled']['position'] == -900
    assert figures(OFFLINE + ['--position', '1000'], capsys)['entry'] == pytest.approx(6358.75, abs=0.3)


def test_settings_come_from_the_file_and_the_command_line(capsys, folder):
    (folder / 'mine.py').write_text(u'ORDER_PAIRS = 2\nINTERVAL = 0.01\n')
    found = figures(OFFLINE + ['--settings', 'mine.py', '--set', 'INTERVAL=0.02'], capsys)
    assert (found['settings']['ORDER_PAIRS'], found['settings']['INTERVAL']) == (2, 0.02)


def test_random_sizes_are_reckoned_as_the_largest(capsys):
    assert figures(OFFLINE + ['--set', 'RANDOM_ORDER_SIZE=yes'], capsys)['buys'][0]['size'] == 500
    assert '100 to 500 contracts at random, reckoned as the largest' in shown(OFFLINE + ['--set', 'RANDOM_ORDER_SIZE=yes'])


def test_colours_are_for_terminals_and_no_color_is_respected(monkeypatch):
    monkeypatch.setenv('TERM', 'xterm')
    monkeypatch.delenv('NO_COLOR', raising=False)
    if os.name == 'posix':
        assert u'\033[31m' in shown(OFFLINE)
    monkeypatch.setenv('NO_COLOR', '1')
    assert u'\033' not in shown(OFFLINE)
    monkeypatch.delenv('NO_COLOR')
    monkeypatch.setattr(Screen, 'isatty', lambda self: False)
    assert u'\033' not in shown(OFFLINE)
    monkeypatch.setattr(Screen, 'isatty', lambda self: True)
    monkeypatch.setenv('TERM', 'dumb')
    assert u'\033' not in shown(OFFLINE)


def test_blocks_are_for_who_knows_them(monkeypatch):
    monkeypatch.setattr(Screen, 'isatty', lambda self: False)
    assert u'\u2588' in shown(OFFLINE) and u'#' not in shown(OFFLINE)
    monkeypatch.setattr(Screen, 'encoding', 'latin-1')
    assert u'##' in shown(OFFLINE)
    shown(OFFLINE).encode('ascii')


def test_the_width_is_that_of_the_terminal_and_120_elsewhere(monkeypatch):
    monkeypatch.setenv('COLUMNS', '80')
    assert terminal.width(Screen()) == 80
    monkeypatch.setenv('COLUMNS', '300')
    assert terminal.width(Screen()) == 120
    monkeypatch.setenv('COLUMNS', '20')
    assert terminal.width(Screen()) == 60 and terminal.width(io.StringIO()) == 120


@pytest.mark.parametrize('argv, said', [
    (['--touch', '6359/6358.5'], 'crossed'), (['--touch', '6358.7/6359'], 'not on ticks of 0.5'), (['--touch', '6358'], 'a touch such as'),
    (OFFLINE + ['--set', 'INTERVALL=1'], 'did you mean INTERVAL?'), (OFFLINE + ['--set', 'INTERVAL=2'], 'INTERVAL=2 must be a number above 0'),
    (OFFLINE + ['--set', 'INTERVAL'], 'write NAME=VALUE'), (OFFLINE + ['--position', 'much'], 'a position such as'),
    (OFFLINE + ['--balance', '0'], 'an amount above 0'), (OFFLINE + ['--picture', 'ladder.jpg'], 'must end in .png or .svg'),
    (['XBTZ26'] + OFFLINE, 'the constants of XBTZ26 are not known'), (OFFLINE + ['--loud'], 'See marketmaker preview --help.')])
def test_wrong_usage_is_one_line_and_code_2(argv, said, capsys):
    assert cli.main(['preview'] + argv) == 2
    out, error = capsys.readouterr()
    assert said in error and error.count('\n') == 1 and out == ''


def test_a_secret_on_the_command_line_is_refused_and_not_repeated(capsys):
    assert cli.main(['preview', '--set', 'ORDERID_PREFIX=', '--set', 'API_SECRET=tell-nobody', '--set', 'PASSWORD']) == 2
    said = capsys.readouterr()[1]
    assert 'tell-nobody' not in said and 'everybody on this machine can read API_SECRET' in said


@pytest.mark.parametrize('answers, said', [
    ({('GET', 'instrument'): []}, 'Nearest: XBTUSD'), ({('GET', 'instrument'): [dict(ROW, bidPrice=None)]}, '--touch BID/ASK looks without them'),
    ({('GET', 'instrument'): [dict(ROW, bidPrice=6360.0)]}, 'crossed')])
def test_a_venue_that_cannot_say_where_the_market_is_is_explained(answers, said):
    connect, _ = asking(answers)
    with pytest.raises(Exception) as caught:
        preview_word.main(['XBTUSD', '--base-url', 'http://127.0.0.1:1/'], Screen(), connect)
    assert said in str(caught.value)


def test_a_picture_without_the_lab_says_what_to_install_before_anything_else(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, 'matplotlib', None)
    monkeypatch.setitem(sys.modules, 'matplotlib.figure', None)
    monkeypatch.delitem(sys.modules, 'market_maker.backtest.ladder_picture', raising=False)
    assert cli.main(['preview'] + OFFLINE + ['--picture', 'ladder.png']) == 2
    out, error = capsys.readouterr()
    assert '--picture needs ' in error and "pip install '.[lab]'" in error and error.count('\n') == 1 and out == ''


def test_help_has_an_example(capsys):
    assert cli.main(['preview', '--help']) == 0
    assert preview_word.EXAMPLE in capsys.readouterr()[0]
