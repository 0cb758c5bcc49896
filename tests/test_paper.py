"""The paper venue as a child process. A small script stands in for it: what is tested is how we treat a child."""
from __future__ import absolute_import, division, print_function

import os
import stat
import sys
import threading

import pytest

from market_maker import paper
from market_maker.paper import PaperVenue
from market_maker.settings import Settings
from market_maker.utils import errors, log
from running import wait_until

pytestmark = pytest.mark.skipif(os.name != 'posix', reason='the stand-in is a script')

READY = '''
import json, sys
print(json.dumps({'url': 'http://127.0.0.1:1/api/v1/', 'key': 'k', 'secret': 'sssss', 'profile': 'classic', 'market': 'lively'}))
sys.stdout.flush()
'''
UNTIL_STDIN_CLOSES = READY + '''
import os
open(os.path.join(os.path.dirname(__file__), 'seen'), 'w').write(repr((os.getpid(), os.getsid(0), sys.argv[1:], sorted(os.environ))))
sys.stdin.read()
'''


@pytest.fixture
def stand_in(tmp_path):
    """stand_in(code) -> path of a program that is run instead of a Python with the venue in it."""
    def make(code):
        path = str(tmp_path / 'python')
        with open(path, 'w') as file:
            file.write('#!%s\n%s' % (sys.executable, code))
        os.chmod(path, stat.S_IRWXU)
        return path
    return make


def refusal(python, **options):
    with pytest.raises(errors.PaperVenueError) as caught:
        PaperVenue.start(python=python, **options)
    text = str(caught.value)
    assert '\n' not in text
    return text


def gone(pid):
    try:
        os.kill(pid, 0)
    except OSError:
        return True
    return False


def seen(path):
    wait_until(lambda: os.path.exists(path) and open(path).read())
    return eval(open(path).read())


def test_a_venue_hands_over_its_address_and_key_runs_in_a_session_of_its_own_and_ends_when_stopped(stand_in, tmp_path, monkeypatch):
    monkeypatch.setenv('BITMEX_API_SECRET', 'mine')
    venue = PaperVenue.start('calm', 'modern', 7, 2.5, python=stand_in(UNTIL_STDIN_CLOSES))
    assert (venue.base_url, venue.key, venue.secret, venue.profile, venue.market) == (
        'http://127.0.0.1:1/api/v1/', 'k', 'sssss', 'classic', 'lively')
    pid, session, arguments, environment = seen(str(tmp_path / 'seen'))
    assert session == pid != os.getsid(0)
    assert arguments == ['-m', 'bitmex_venue', '--port', '0', '--ready-json', '--profile', 'modern', '--market', 'calm',
                         '--balance-xbt', '2.5', '--seed', '7']
    assert 'BITMEX_API_SECRET' not in environment
    assert venue.alive()
    venue.stop()
    assert not venue.alive() and gone(pid)
    venue.stop()


def test_the_file_of_a_market_is_handed_over_with_its_whole_path(stand_in, tmp_path, monkeypatch):
    monkeypatch.chdir(str(tmp_path))
    venue = PaperVenue.start('bars.csv', python=stand_in(UNTIL_STDIN_CLOSES))
    assert os.path.join(os.getcwd(), 'bars.csv') in seen(str(tmp_path / 'seen'))[2]
    venue.stop()


def test_several_files_are_handed_over_each_with_the_symbol_to_play(stand_in, tmp_path, monkeypatch):
    monkeypatch.chdir(str(tmp_path))
    venue = PaperVenue.start('quotes.csv, trades.csv', python=stand_in(UNTIL_STDIN_CLOSES), symbol='ETHUSD', more=['--speed', '2.0'])
    paths = [os.path.join(os.getcwd(), name) for name in ('quotes.csv', 'trades.csv')]
    arguments = seen(str(tmp_path / 'seen'))[2]
    assert arguments[arguments.index('--market'):] == ['--market', paths[0], '--market', paths[1], '--balance-xbt', '1', '--market-symbol', 'ETHUSD',
                                                       '--speed', '2.0']
    venue.stop()


@pytest.mark.parametrize('market, wanted', [('x.csv', ['The recording is over']), ('lively', [])])
def test_what_the_venue_warns_about_its_files_is_told_and_nothing_else_is(stand_in, market, wanted):
    told = []
    says = 'sys.stderr.write("one\\n2026-01-01 00:00:00,000 WARNING The recording is over\\ntwo\\n")\nsys.stderr.flush()\nsys.stdin.read()'
    venue = PaperVenue.start(market, python=stand_in(READY + says), tell=told.append)
    assert wait_until(lambda: 'two\n' in list(venue._last_words))
    assert told == wanted
    venue.stop()


def test_a_file_that_cannot_be_played_is_wrong_usage(stand_in):
    with pytest.raises(errors.SettingsError) as caught:
        PaperVenue.start('x.csv', python=stand_in('import sys\nsys.stderr.write("bitmex_venue: x.csv:1: neither\\n")\nsys.exit(2)'))
    assert str(caught.value) == 'x.csv:1: neither'


def test_a_venue_that_ignores_the_end_of_its_input_is_ended(stand_in, monkeypatch):
    monkeypatch.setattr(paper, 'STOP_LIMIT_S', 0.2)
    stubborn = READY + 'import signal, threading\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nthreading.Event().wait(60)'
    venue = PaperVenue.start(python=stand_in(stubborn))
    venue.stop()
    assert not venue.alive()


def test_the_death_of_a_venue_is_noticed_and_told_with_its_last_words(stand_in):
    died = threading.Event()
    python = stand_in(READY + 'sys.stdin.readline()\nsys.stderr.write("first\\nno room left\\n")\nsys.exit(3)')
    venue = PaperVenue.start(python=python)
    venue.on_death = died.set
    venue._process.stdin.write(b'\n')
    venue._process.stdin.flush()
    assert wait_until(lambda: died.is_set() and not venue.alive())
    assert wait_until(lambda: 'no room left' in venue.obituary())
    assert 'exit code 3' in venue.obituary() and '\n' not in venue.obituary()
    venue.stop()


def test_a_venue_that_is_stopped_has_not_died(stand_in):
    died = threading.Event()
    venue = PaperVenue.start(python=stand_in(UNTIL_STDIN_CLOSES))
    venue.on_death = died.set
    venue.stop()
    assert not died.is_set()


def test_a_venue_that_does_not_start_says_why_in_one_line(stand_in):
    assert 'the port is taken' in refusal(stand_in('import sys\nsys.exit("some line\\nthe port is taken")'))


def test_a_venue_that_is_not_ready_in_time_is_ended(stand_in):
    text = refusal(stand_in('import sys\nsys.stderr.write("thinking\\n")\nsys.stderr.flush()\nsys.stdin.read()'), limit=0.5)
    assert 'not ready within 0.5 s' in text


@pytest.mark.parametrize('line', ['{}', '[]', 'hello'])
def test_a_first_line_that_is_no_announcement_is_refused(stand_in, line):
    assert 'not understood' in refusal(stand_in('print(%r)' % line))


@pytest.mark.parametrize('module, remedy', [
    ('aiohttp', "pip install '.[paper]'"), ('sortedcontainers', "pip install '.[paper]'"), ('bitmex_venue', 'marketmaker-desk[paper]')])
def test_a_missing_package_is_named_with_what_installs_it(stand_in, module, remedy):
    text = refusal(stand_in("import sys\nsys.exit('ModuleNotFoundError: No module named %s')" % module))
    assert remedy in text


def test_an_interpreter_that_is_not_there_is_named():
    assert '/no/such/python' in refusal('/no/such/python')


def test_on_an_old_python_one_line_says_how_to_start_a_venue_with_a_newer_one(monkeypatch):
    monkeypatch.delenv('MM_VENUE_PYTHON', raising=False)
    monkeypatch.setattr(paper, 'OLDEST', (99, 0))
    text = refusal(None)
    assert 'MM_VENUE_PYTHON' in text and '--base-url' in text and 'python3 -m bitmex_venue' in text


def test_the_interpreter_is_the_one_given_then_the_one_of_the_environment_then_this_one(monkeypatch):
    monkeypatch.setattr(paper, 'OLDEST', (2, 7))
    monkeypatch.delenv('MM_VENUE_PYTHON', raising=False)
    assert paper.find_python() == sys.executable
    monkeypatch.setenv('MM_VENUE_PYTHON', 'other')
    assert (paper.find_python(), paper.find_python('given')) == ('other', 'given')


def test_a_users_own_credentials_are_not_used_on_paper(stand_in, monkeypatch):
    monkeypatch.setenv('MM_VENUE_PYTHON', stand_in(UNTIL_STDIN_CLOSES))
    settings = Settings({'API_KEY': 'mine', 'API_SECRET': 'also mine', 'LOGIN': 'a@b.c', 'PASSWORD': 'p'})
    venue = paper.start_for(settings)
    assert (settings.BASE_URL, settings.API_KEY, settings.API_SECRET) == (venue.base_url, 'k', 'sssss')
    assert settings.LOGIN == settings.PASSWORD == settings.OTPTOKEN == ''
    assert venue.secret not in log.redact('the secret is %s' % venue.secret)
    venue.stop()
    log._hidden.clear()
