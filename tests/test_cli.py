"""The command line: words and options, exit codes, and no traceback for a user."""
from __future__ import absolute_import, division, print_function

import errno
import os
import signal
import stat
import subprocess
import sys

import pytest

import market_maker
import running
from market_maker import _settings_example, check, cli, leave, words
from market_maker import market_maker as bot
from market_maker import settings as settings_module
from market_maker.utils import compat, errors, log, threads
from market_maker.utils.load import load_class


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Each test runs in an empty folder of its own, and leaves the process as it was."""
    monkeypatch.chdir(str(tmp_path))
    monkeypatch.setattr(log, 'setup_custom_logger', lambda **options: log.get_logger())
    monkeypatch.setattr(sys, 'path', list(sys.path))
    monkeypatch.setattr(threads, 'linger', list)  # other tests' threads must not make `run` end this process
    interrupt = signal.getsignal(signal.SIGINT)
    yield tmp_path
    signal.signal(signal.SIGINT, interrupt)
    settings_module.install(None)
    log._hidden.clear()


@pytest.fixture
def runs(monkeypatch):
    """What would have been run: a list of (class, settings)."""
    seen = []

    def run(chosen, settings, signals):
        seen.append((chosen, settings))
        return 0
    monkeypatch.setattr(bot, 'run_until_stopped', run)
    return seen


def write(name, text):
    with open(name, 'w') as file:
        file.write(text)


def test_without_anything_the_bot_runs_with_the_defaults(runs):
    assert cli.main([]) == 0
    (chosen, settings), = runs
    assert chosen is bot.OrderManager and settings.SYMBOL == 'XBTUSD' and settings.RUN_FOR_S is None and settings.DRY_RUN is False


def test_the_package_has_the_original_s_entry_point(runs, monkeypatch):
    monkeypatch.setattr(sys, 'argv', ['marketmaker', 'ETHUSD'])
    with pytest.raises(SystemExit) as stop:
        market_maker.run()
    assert stop.value.code == 0 and runs[0][1].SYMBOL == 'ETHUSD'


def test_when_all_is_done_and_told_another_ctrl_c_changes_nothing(runs, monkeypatch):
    monkeypatch.setattr(sys, 'argv', ['marketmaker'])
    with pytest.raises(SystemExit):
        market_maker.run()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_from_the_end_of_a_run_on_a_ctrl_c_is_not_taken_for_one_before_anything_was_placed(runs):
    assert cli.main([]) == 0 and signal.getsignal(signal.SIGINT) is signal.SIG_IGN


@pytest.mark.skipif(os.name != 'posix', reason='POSIX signals')
@pytest.mark.parametrize('command', [[running.SCRIPT], ['-m', 'market_maker']])
def test_ctrl_c_while_the_program_is_being_loaded_leaves_at_once_and_says_so(command):
    write('requests.py', 'import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\nos.getpid()\nraise ValueError("too late")\n')
    path = os.pathsep.join(['.', os.path.dirname(running.SCRIPT)])
    process = subprocess.Popen([sys.executable] + command, env=dict(os.environ, PYTHONPATH=path), stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = process.communicate()[0].decode('ascii')
    assert (process.returncode, said.strip()) == (0, 'marketmaker: Stopped; nothing had been placed.')


def test_options_are_the_last_word(runs):
    write('mine.py', 'DRY_RUN = False\nBASE_URL = "https://example.com/api/v1/"\nSYMBOL = "XBTUSD"\nORDER_PAIRS = 2')
    assert cli.main(['ETHUSD', '--dry-run', '--settings', 'mine.py', '--base-url', 'paper', '--run-for', '60']) == 0
    settings = runs[0][1]
    assert [settings.SYMBOL, settings.DRY_RUN, settings.BASE_URL, settings.RUN_FOR_S, settings.ORDER_PAIRS] == ['ETHUSD', True, 'paper', 60, 2]
    assert settings.origin('DRY_RUN') == 'command line'


@pytest.mark.parametrize('argv', [['--dry-run', 'ETHUSD'], ['ETHUSD', '--dry-run'], ['ethusd', '--dry-run']])
def test_the_symbol_may_stand_before_or_after_the_options(argv, runs):
    assert cli.main(argv) == 0
    assert (runs[0][1].SYMBOL, runs[0][1].DRY_RUN) == ('ETHUSD', True)


@pytest.mark.parametrize('argv', [['check', 'XBTUSD'], ['check', '--dry-run', 'XBTUSD'], ['--dry-run', 'check', 'XBTUSD'], ['CHECK', 'XBTUSD']])
def test_a_word_may_be_followed_by_a_symbol(argv):
    arguments = cli.parse(argv)
    assert (arguments.word, arguments.symbol) == ('check', 'XBTUSD')


@pytest.mark.parametrize('argv, words', [
    (['chek'], 'did you mean check?'), (['XBTUSD', 'ETHUSD'], 'ETHUSD is not understood'), (['--dryy'], '--help'),
    (['--no-such'], '--no-such is not an option'),
    (['--run-for', 'soon'], 'soon is no number of seconds above 0'), (['--run-for', '0'], '0 is no number of seconds above 0'),
    (['--run-for', '-5'], '-5 is no'), (['--run-for', 'nan'], 'nan is no'), (['--run-for', 'inf'], 'inf is no'),
    (['--base-url', 'nowhere'], 'BASE_URL = "nowhere"'),
    (['--settings', 'nowhere.py'], 'nowhere.py cannot be read'), (['--settings'], '--settings'), (['X/Y'], 'SYMBOL')])
def test_wrong_usage_is_one_line_and_code_2(argv, words, capsys):
    assert cli.main(argv) == 2
    said = capsys.readouterr()
    assert words in said.err and 'Traceback' not in said.err and said.out == ''


def test_every_problem_of_the_settings_is_said_before_anything_is_started(runs, capsys):
    write('settings.py', 'ORDER_PAIR = 3\nINTERVAL = 0\n')
    assert cli.main([]) == 2
    said = capsys.readouterr().err
    assert 'ORDER_PAIRS?' in said and 'INTERVAL' in said and runs == []


def test_help_shows_words_options_examples_and_exit_codes(capsys):
    assert cli.main(['--help']) == 0
    said = capsys.readouterr().out
    for word in cli.WORDS + ('--dry-run', '--settings', '--base-url', '--run-for', '--strategy', '--version', 'examples:', 'exit codes:'):
        assert word in said


def test_version_is_that_of_the_package(capsys):
    assert cli.main(['--version']) == 0
    said = capsys.readouterr()
    assert market_maker.__version__ in said.out + said.err  # Python 2 prints it to standard error


def test_setup_writes_settings_that_load_and_only_their_owner_can_read(capsys):
    assert cli.main(['setup']) == 0
    assert open('settings.py').read() == _settings_example.text()
    assert settings_module.load(environ={}).ORDER_PAIRS == 6
    assert os.name != 'posix' or stat.S_IMODE(os.stat('settings.py').st_mode) == 0o600
    assert 'check' in capsys.readouterr().out


def test_setup_never_overwrites(capsys):
    write('settings.py', 'mine = 1')
    assert cli.main(['setup']) == 1
    assert open('settings.py').read() == 'mine = 1' and 'left as it is' in capsys.readouterr().err


def test_cancel_on_paper_explains_itself_in_one_line(capsys):
    assert cli.main(['cancel']) == 2
    assert capsys.readouterr().err.count('\n') == 1


@pytest.mark.parametrize('word', ['cancel', 'flatten'])
def test_cancel_and_flatten_are_done_with_the_settings_given(word, monkeypatch):
    seen = []
    monkeypatch.setattr(leave, word, seen.append)
    assert cli.main([word, 'ETHUSD', '--base-url', 'http://127.0.0.1:1/']) == 0
    assert (seen[0].SYMBOL, seen[0].BASE_URL) == ('ETHUSD', 'http://127.0.0.1:1/api/v1/')


@pytest.mark.parametrize('error, code', [
    (errors.AuthenticationError('no'), 3), (errors.VenueUnreachable('no'), 4), (errors.PaperVenueError('no'), 1),
    (errors.SecondCopyRunning('no'), 1), (errors.Stopped(130), 130), (errors.Stopped(0), 0), (errors.Stopped(), 0), (SystemExit('no'), 1),
    (KeyboardInterrupt(), 0)])
def test_each_way_to_end_has_its_code(error, code, monkeypatch):
    def fail(*arguments):
        raise error
    monkeypatch.setattr(bot, 'run_until_stopped', fail)
    assert cli.main([]) == code


def test_an_unexpected_error_is_one_line_and_the_rest_goes_to_a_file_without_secrets(monkeypatch, capsys, folder):
    monkeypatch.setenv('BITMEX_API_SECRET', 'tell-nobody')

    def fail(*arguments):
        raise RuntimeError('wrong with tell-nobody')
    monkeypatch.setattr(bot, 'run_until_stopped', fail)
    assert cli.main([]) == 1
    said = capsys.readouterr().err
    assert said.count('\n') == 1 and 'RuntimeError' in said and 'tell-nobody' not in said
    name, = [name for name in os.listdir('.') if name.startswith('marketmaker-error-')]
    assert name in said
    report = open(name).read()
    assert 'Traceback' in report and 'in fail' in report and 'tell-nobody' not in report


def test_where_no_file_can_be_written_the_last_line_of_the_traceback_is_said(monkeypatch):
    monkeypatch.setattr(cli.os, 'getcwd', lambda: os.path.join('no', 'such', 'folder'))
    monkeypatch.setattr(cli.tempfile, 'gettempdir', lambda: os.path.join('no', 'such', 'folder'))
    try:
        raise ValueError('the reason')
    except ValueError:
        assert 'the reason' in cli.write_crash_report()


STRATEGY = 'from market_maker.market_maker import OrderManager\nclass Mine(OrderManager):\n    pass\nclass Other(object):\n    pass\n'


@pytest.mark.parametrize('spec', ['my_strategy_module:Mine', 'my_strategy_module.py:Mine', os.path.join('.', 'my_strategy_module.py') + ':Mine'])
def test_a_strategy_is_found_in_this_folder_by_module_or_by_file(spec, runs, monkeypatch):
    write('my_strategy_module.py', STRATEGY)
    monkeypatch.delitem(sys.modules, 'my_strategy_module', raising=False)
    assert cli.main(['--strategy', spec]) == 0
    assert runs[0][0].__name__ == 'Mine' and issubclass(runs[0][0], bot.OrderManager)
    sys.modules.pop('my_strategy_module', None)


@pytest.mark.parametrize('spec, words', [
    ('strategy_a', 'module:Class'), (':Mine', 'module:Class'), ('strategy_a.py:Nobody', 'it has Mine.'),
    ('strategy_a.py:Other', 'not a subclass of OrderManager'),
    ('no_such_module_at_all:Mine', 'no_such_module_at_all'), ('nothing.py:Mine', 'cannot be read'), ('broken.py:Mine', 'SyntaxError'),
    ('failing.py:Mine', 'ZeroDivisionError'), ('failing:Mine', 'failing.py, line 3')])
def test_a_strategy_that_cannot_be_loaded_is_one_line_and_code_2(spec, words, capsys, runs):
    write('strategy_a.py', STRATEGY)
    write('broken.py', 'class = 3')
    write('failing.py', '\n\n1 / 0\n')
    assert cli.main(['--strategy', spec]) == 2
    said = capsys.readouterr().err
    assert words in said and said.count('\n') == 1 and runs == []
    for name in ('strategy_a', 'broken', 'failing'):
        sys.modules.pop(name, None)


@pytest.mark.parametrize('number, said', [(errno.EPIPE, ''), (errno.ENOSPC, 'marketmaker: The output cannot be written: gone.\n')])
def test_output_that_nobody_reads_or_that_does_not_fit_is_no_error_nobody_foresaw(number, said, monkeypatch, capsys, folder):
    def fail(settings):
        raise IOError(number, 'gone')
    monkeypatch.setattr(check, 'run', fail)
    assert cli.main(['check']) == 1
    assert capsys.readouterr().err == said and os.listdir(str(folder)) == []


def test_the_base_class_itself_is_a_strategy():
    assert load_class('market_maker.market_maker:OrderManager', bot.OrderManager) is bot.OrderManager


#
# Words with options of their own
#
@pytest.fixture
def a_word(monkeypatch, tmp_path):
    """A word `hello` whose module lies in the folder; yields a function that writes it."""
    monkeypatch.setattr(sys, 'path', [str(tmp_path)] + sys.path)

    def make(source, is_lab=True):
        write('hello_word.py', source)
        monkeypatch.delitem(sys.modules, 'hello_word', raising=False)
        monkeypatch.setitem(words.WORDS, 'hello', words.Word('say hello', 'hello_word', is_lab))
    yield make
    sys.modules.pop('hello_word', None)


def test_a_word_is_given_what_follows_it_and_returns_the_exit_code(a_word, capsys):
    a_word('def main(argv):\n    print(argv)\n    return 7\n')
    assert cli.main(['hello', '--json', 'x']) == 7
    assert capsys.readouterr()[0] == "['--json', 'x']\n"


def test_a_word_is_told_in_the_help_and_a_misspelt_one_is_understood(a_word, capsys):
    a_word('def main(argv):\n    return 0\n')
    assert cli.main(['--help']) == 0 and '  hello       say hello\n' in capsys.readouterr()[0]
    assert cli.main(['helo']) == 2 and 'did you mean hello?' in capsys.readouterr()[1]


def test_wrong_usage_of_a_word_is_one_line_and_exit_code_2(a_word, capsys):
    a_word('from market_maker import words\n'
           'def main(argv):\n    words.Parser("hello", "say hello", "marketmaker hello").parse_args(argv)\n    return 0\n')
    assert cli.main(['hello', '--loud']) == 2
    assert capsys.readouterr()[1] == 'marketmaker: unrecognized arguments: --loud. See marketmaker hello --help.\n'
    assert cli.main(['hello', '--help']) == 0 and 'example:\n  marketmaker hello' in capsys.readouterr()[0]


def test_several_values_after_one_option_are_as_good_as_one_each():
    assert words.one_each(['XBTUSD', '--set', 'A=1', 'B=2', '--json']) == ['XBTUSD', '--set', 'A=1', '--set', 'B=2', '--json']
    assert words.one_each(['--vary', 'A=1,2', 'B=3', '--set', 'C=4', 'ETHUSD']) == ['--vary', 'A=1,2', '--vary', 'B=3', '--set', 'C=4', 'ETHUSD']
    assert words.one_each(['--touch', '1/2', '--data', 'a=b.csv', '--set']) == ['--touch', '1/2', '--data', 'a=b.csv', '--set']


def test_a_word_of_the_lab_without_its_packages_says_what_to_install(a_word, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, 'polars', None)
    a_word('import polars\n')
    assert cli.main(['hello']) == 2
    assert "marketmaker hello needs the lab" in capsys.readouterr()[1]


def test_a_word_of_the_lab_on_an_older_python_says_which_one_it_needs(capsys, monkeypatch):
    monkeypatch.setattr(compat, 'RUNS_THE_LAB', False)
    assert cli.main(['report']) == 2
    assert 'marketmaker report needs Python 3.11 or newer' in capsys.readouterr()[1]


def test_a_mistake_in_a_word_is_not_taken_for_a_missing_package(a_word, capsys):
    a_word('import no_such_module_of_ours\n')
    assert cli.main(['hello']) == 1
    error = capsys.readouterr()[1]
    assert 'no_such_module_of_ours' in error and 'lab' not in error
