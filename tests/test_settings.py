"""Settings: every layer, every problem at once, files as they were written for the original, reloading."""
from __future__ import absolute_import, division, print_function

import logging
import os

import pytest

from market_maker import _settings_base as base
from market_maker import _settings_example
from market_maker import settings as settings_module
from market_maker.settings import Settings, install, load, settings
from market_maker.utils import errors, log
from running import ROOT

ORIGINAL = '''
from os.path import join
import logging
BASE_URL = "https://testnet.bitmex.com/api/v1/"
API_KEY = "key"
API_SECRET = ""
SYMBOL = "XBTUSD"
ORDER_PAIRS = 4
ORDER_START_SIZE = 100
ORDER_STEP_SIZE = 100
INTERVAL = 0.004
MIN_SPREAD = 0.01
MAINTAIN_SPREADS = True
RELIST_INTERVAL = 0.01
CHECK_POSITION_LIMITS = False
MIN_POSITION = -10000
MAX_POSITION = 10000
POST_ONLY = False
DRY_RUN = False
LOOP_INTERVAL = 5
API_REST_INTERVAL = 1
API_ERROR_INTERVAL = 10
TIMEOUT = 7
DRY_BTC = 50
LOG_LEVEL = logging.WARN
ORDERID_PREFIX = "mm_bitmex_"
my_own_helper = 3
WATCHED_FILES = [join('market_maker', 'market_maker.py'), join('market_maker', 'bitmex.py'), 'settings.py']
CONTRACTS = ['XBTUSD']
'''
# Frozen: somebody's settings.py uses these names.
NAMES = '''API_ERROR_INTERVAL API_KEY API_REST_INTERVAL API_SECRET BASE_URL CHECK_POSITION_LIMITS CONTRACTS DEAD_MANS_SWITCH DRY_BTC DRY_RUN
    EVENT_DRIVEN INTERVAL
    LOGIN LOG_LEVEL LOOP_INTERVAL MAINTAIN_SPREADS MAX_DATA_AGE_S MAX_DRAWDOWN MAX_LOSS MAX_ORDER_SIZE MAX_POSITION MIN_ORDER_SIZE MIN_POSITION MIN_SPREAD
    ORDERID_PREFIX ORDER_PAIRS ORDER_START_SIZE ORDER_STEP_SIZE ORDER_TRANSPORT OTPTOKEN PAPER_BALANCE_XBT PAPER_MARKET PAPER_PROFILE
    PAPER_SEED PASSWORD POST_ONLY RANDOM_ORDER_SIZE RANDOM_SEED RELIST_INTERVAL REQUOTE_MIN_S RUN_FOR_S RUNS_DIR RUNS_KEEP START_TIMEOUT_S SYMBOL TIMEOUT
    EXCURSION_S RECENTRE_S WATCHED_FILES'''.split()


@pytest.fixture
def folder(tmp_path):
    """A folder to keep settings in: folder(name, text) writes a file, folder.read(...) loads."""
    class Folder(object):
        path = str(tmp_path)

        def __call__(self, text, name='settings.py'):
            with open(os.path.join(self.path, name), 'w') as file:
                file.write(text)

        def read(self, environ=None, **options):
            return load(environ=environ or {}, cwd=self.path, **options)

        def problems(self, environ=None, **options):
            with pytest.raises(errors.SettingsError) as caught:
                self.read(environ, **options)
            return caught.value.problems
    return Folder()


@pytest.fixture(autouse=True)
def nothing_installed():
    yield
    install(None)
    log._hidden.clear()


def test_the_environment_may_hold_nonsense_and_each_is_a_problem(folder):
    problems = folder.problems({'MM_LOG_LEVEL': 'loud', 'MM_RANDOM_SEED': 'x', 'MM_ORDER_PAIRS': 'six', 'MM_POST_ONLY': ''})
    assert len(problems) == 4


def test_a_value_that_cannot_be_compared_is_a_problem(folder):
    folder('INTERVAL = {}\nTIMEOUT = 1j')
    assert len(folder.problems()) == 2


def test_the_names_of_the_settings_are_frozen():
    assert sorted(base.BY_NAME) == sorted(NAMES)


def test_without_any_file_everything_is_at_its_default(folder):
    assert folder.read().as_dict() == base.defaults()
    assert folder.read().origin('ORDER_PAIRS') == 'default'


def test_every_default_is_accepted_by_its_own_kind():
    for setting in base.SETTINGS:
        assert setting.kind.accept(setting.default) == setting.default, setting.name


def test_later_layers_win_and_each_value_knows_where_it_came_from(folder):
    folder('ORDER_PAIRS = 2\nINTERVAL = 0.002\nTIMEOUT = 2\nDRY_BTC = 2')
    folder('INTERVAL = 0.003\nTIMEOUT = 3\nDRY_BTC = 3', 'settings-ETHUSD.py')
    read = folder.read({'MM_TIMEOUT': '4', 'MM_DRY_BTC': '4'}, symbol='ETHUSD', overrides={'DRY_BTC': 5})
    assert [read.ORDER_PAIRS, read.INTERVAL, read.TIMEOUT, read.DRY_BTC, read.SYMBOL] == [2, 0.003, 4, 5, 'ETHUSD']
    assert [read.origin(name) for name in ('MIN_SPREAD', 'ORDER_PAIRS', 'INTERVAL', 'TIMEOUT', 'DRY_BTC', 'SYMBOL')] == [
        'default', 'settings.py', 'settings-ETHUSD.py', 'environment (MM_TIMEOUT)', 'command line', 'command line']


def test_the_file_of_the_symbol_is_found_by_the_symbol_of_the_settings_file_too(folder):
    folder('SYMBOL = "ETHUSD"')
    folder('ORDER_PAIRS = 3', 'settings-ETHUSD.py')
    assert folder.read().ORDER_PAIRS == 3


def test_a_symbol_file_that_names_another_symbol_is_read_for_its_own(folder):
    folder('SYMBOL = "XBTUSD"\nORDER_PAIRS = 3', 'settings-ETHUSD.py')
    read = folder.read(symbol='ETHUSD')
    assert (read.SYMBOL, read.ORDER_PAIRS) == ('ETHUSD', 3)
    assert 'ETHUSD' in read.notices[0]


def test_the_two_old_variables_of_the_environment_override_the_file(folder):
    folder('API_KEY = "a"\nAPI_SECRET = "b"')
    read = folder.read({'BITMEX_API_KEY': 'c', 'BITMEX_API_SECRET': 'd'})
    assert (read.API_KEY, read.API_SECRET) == ('c', 'd')


def test_empty_key_variables_do_not_hide_the_file(folder):
    folder('API_KEY = "a"')
    assert folder.read({'BITMEX_API_KEY': ''}).API_KEY == 'a'


@pytest.mark.parametrize('name, text, value', [
    ('ORDER_PAIRS', '3', 3), ('INTERVAL', '0.25', 0.25), ('POST_ONLY', 'true', True), ('POST_ONLY', '0', False),
    ('LOG_LEVEL', 'debug', logging.DEBUG), ('LOG_LEVEL', '30', 30), ('WATCHED_FILES', 'a.py, b.py', ['a.py', 'b.py']),
    ('RANDOM_SEED', 'none', None), ('RANDOM_SEED', '7', 7), ('PAPER_PROFILE', 'modern', 'modern')])
def test_the_environment_is_text_and_is_read_by_the_kind_of_the_setting(folder, name, text, value):
    assert getattr(folder.read({'MM_' + name: text}), name) == value


def test_a_variable_of_another_program_is_left_alone_and_one_nearly_right_is_mentioned(folder):
    read = folder.read({'MM_SERVICESETTINGS_SITEURL': 'x', 'MM_ORDER_PAIR': '3', 'MM_VENUE_PYTHON': 'x'})
    assert read.notices == ['environment: MM_ORDER_PAIR is ignored; did you mean MM_ORDER_PAIRS?']


def test_every_problem_is_listed_at_once(folder):
    folder('ORDER_PAIR = 3\nINTERVAL = "wide"\nTIMEOUT = -1\nMIN_POSITION = 5\nMAX_POSITION = 5\nMIN_ORDER_SIZE = 9\nMAX_ORDER_SIZE = 8\n'
           'ORDERID_PREFIX = "fourteen_chars"\nPAPER_MARKET = "nowhere.csv"')
    problems = '\n'.join(folder.problems({'MM_POST_ONLY': 'perhaps'}))
    for words in ('ORDER_PAIR is not a setting; did you mean ORDER_PAIRS?', 'INTERVAL = "wide" must be a number', 'TIMEOUT = -1 must be',
                  'MIN_POSITION = 5 must be below MAX_POSITION = 5', 'MIN_ORDER_SIZE = 9 must be below MAX_ORDER_SIZE = 8',
                  'ORDERID_PREFIX = "fourteen_chars" must be text of at most 13 characters', 'nowhere.csv',
                  'environment (MM_POST_ONLY): POST_ONLY = "perhaps"'):
        assert words in problems


@pytest.mark.parametrize('line', [
    'ORDER_PAIRS = 0', 'ORDER_PAIRS = 2.5', 'ORDER_PAIRS = True', 'ORDER_PAIRS = "6"', 'ORDER_PAIRS = None', 'ORDER_PAIRS = [6]',
    'INTERVAL = 0', 'INTERVAL = 1.5', 'INTERVAL = float("nan")', 'DRY_BTC = float("inf")', 'MIN_SPREAD = -0.1', 'POST_ONLY = "yes"', 'POST_ONLY = 2',
    'SYMBOL = ""', 'SYMBOL = "../etc"', 'SYMBOL = 5', 'LOG_LEVEL = "LOUD"', 'LOG_LEVEL = True', 'WATCHED_FILES = "settings.py"',
    'CONTRACTS = [1]', 'ORDER_TRANSPORT = "carrier pigeon"', 'PAPER_PROFILE = "antique"', 'PAPER_SEED = -1', 'PAPER_BALANCE_XBT = 0',
    'ORDERID_PREFIX = ""', 'ORDERID_PREFIX = 5', 'BASE_URL = "www.example.com"', 'BASE_URL = "ftp://example.com/"', 'BASE_URL = 1',
    'BASE_URL = "http://host:port/"', 'RUN_FOR_S = 0'])
def test_a_value_of_the_wrong_type_or_out_of_range_is_one_problem(folder, line):
    folder(line)
    assert len(folder.problems()) == 1


@pytest.mark.parametrize('line, name, value', [
    ('ORDER_PAIRS = 3.0', 'ORDER_PAIRS', 3), ('POST_ONLY = 1', 'POST_ONLY', True), ('LOG_LEVEL = "debug"', 'LOG_LEVEL', logging.DEBUG),
    ('WATCHED_FILES = ()', 'WATCHED_FILES', []), ('BASE_URL = "Paper"', 'BASE_URL', 'paper'),
    ('BASE_URL = "http://localhost:80"', 'BASE_URL', 'http://localhost:80/api/v1/'),
    ('BASE_URL = "http://localhost:80/api/v1"', 'BASE_URL', 'http://localhost:80/api/v1/')])
def test_a_value_that_means_the_same_is_brought_into_its_one_form(folder, line, name, value):
    folder(line)
    assert getattr(folder.read(), name) == value


def test_equal_order_sizes_are_a_fixed_size(folder):
    folder('MIN_ORDER_SIZE = 200\nMAX_ORDER_SIZE = 200')
    assert folder.read().MAX_ORDER_SIZE == 200


def test_a_value_that_is_overridden_is_not_judged(folder):
    folder('TIMEOUT = -1')
    assert folder.read({'MM_TIMEOUT': '3'}).TIMEOUT == 3


def test_a_syntax_error_is_told_with_its_line(folder):
    folder('ORDER_PAIRS = 3\nINTERVAL = = 2\n')
    assert folder.problems()[0].startswith('settings.py, line 2: ')


def test_an_error_in_the_file_is_told_with_its_line(folder):
    folder('ORDER_PAIRS = 3\n\nINTERVAL = 1 / 0\n')
    assert folder.problems()[0].startswith('settings.py, line 3: ZeroDivisionError')


def test_an_error_in_the_line_of_a_secret_does_not_tell_it(folder):
    folder('ORDER_PAIRS = 3\nAPI_SECRET = int("tell-nobody")')
    assert folder.problems() == ['settings.py, line 2: ValueError.']


def test_a_file_that_calls_exit_is_a_problem_and_not_the_end(folder):
    folder('import sys\nsys.exit(0)\n')
    assert folder.problems() == ['settings.py, line 2: it calls exit().']


def test_a_file_given_by_name_must_exist(folder):
    assert 'mine.py cannot be read' in folder.problems(path='mine.py')[0]


def test_a_file_given_by_name_is_read_instead_and_its_folder_holds_that_of_the_symbol(folder):
    os.mkdir(os.path.join(folder.path, 'sub'))
    folder('ORDER_PAIRS = 2')
    folder('ORDER_STEP_SIZE = 7', os.path.join('sub', 'mine.py'))
    folder('ORDER_START_SIZE = 8', os.path.join('sub', 'settings-XBTUSD.py'))
    read = folder.read(path=os.path.join('sub', 'mine.py'))
    assert (read.ORDER_PAIRS, read.ORDER_STEP_SIZE, read.ORDER_START_SIZE) == (6, 7, 8)


def test_a_file_may_import_from_its_own_folder_and_nothing_is_written_beside_it(folder):
    folder('PAIRS = 2', 'shared_numbers.py')
    folder('from shared_numbers import PAIRS as pairs\nORDER_PAIRS = pairs')
    assert folder.read().ORDER_PAIRS == 2
    assert sorted(os.listdir(folder.path)) == ['settings.py', 'shared_numbers.py']


def test_a_settings_file_of_the_original_works_unchanged(folder):
    folder(ORIGINAL)
    read = folder.read(overrides={'BASE_URL': 'paper'})
    assert (read.ORDER_PAIRS, read.INTERVAL, read.LOG_LEVEL) == (4, 0.004, logging.WARN)
    files, others = read.watched_files()
    assert [os.path.basename(path) for path in files] == ['settings.py', 'settings-XBTUSD.py']
    assert others == [os.path.join('market_maker', 'market_maker.py'), os.path.join('market_maker', 'bitmex.py')]


@pytest.mark.parametrize('host', ['testnet.bitmex.com', 'www.bitmex.com', 'bitmex.com', 'WWW.BITMEX.COM'])
def test_a_bitmex_host_gets_one_line_that_says_it_has_closed_and_what_works(folder, host):
    folder('BASE_URL = "https://%s/api/v1/"' % host)
    problem, = folder.problems()
    assert 'closed' in problem and 'BASE_URL = "paper"' in problem and '\n' not in problem


def test_a_host_that_only_looks_like_bitmex_is_another(folder):
    folder('BASE_URL = "https://notbitmex.com/api/v1/"')
    assert folder.read().BASE_URL == 'https://notbitmex.com/api/v1/'


def test_the_symbol_always_counts_in_the_portfolio(folder):
    assert folder.read(symbol='ETHUSD').CONTRACTS == ['ETHUSD']
    folder('CONTRACTS = ["XBTUSD"]')
    assert folder.read(symbol='ETHUSD').CONTRACTS == ['XBTUSD', 'ETHUSD']


def test_a_recorded_file_is_a_market(folder):
    folder('', 'bars.csv')
    folder('PAPER_MARKET = "bars.csv"')
    assert folder.read().PAPER_MARKET == 'bars.csv'


def test_several_files_are_a_market_and_one_that_is_missing_is_named(folder):
    folder('', 'quote.csv')
    folder('', 'trade.csv')
    folder('PAPER_MARKET = "quote.csv, trade.csv"')
    assert folder.read().PAPER_MARKET == 'quote.csv, trade.csv'
    folder('PAPER_MARKET = "quote.csv,other.csv"')
    with pytest.raises(errors.SettingsError) as error:
        folder.read()
    assert 'there is none of that name (' in str(error.value) and 'other.csv)' in str(error.value)


@pytest.mark.skipif(os.name != 'posix', reason='file modes')
def test_a_secret_in_a_file_that_others_may_read_is_warned_about(folder):
    folder('API_SECRET = "abc"')
    path = os.path.join(folder.path, 'settings.py')
    os.chmod(path, 0o644)
    assert 'chmod 600' in folder.read().notices[0]
    os.chmod(path, 0o600)
    assert folder.read().notices == []


def test_secrets_are_hidden_wherever_settings_are_shown(folder):
    folder('API_KEY = "abcdefgh"\nAPI_SECRET = "tell-nobody"\nPASSWORD = "swordfish"\nOTPTOKEN = "123456"')
    read = install(folder.read())
    for text in (repr(read), repr(settings), read.shown('API_SECRET')):
        assert not any(secret in text for secret in ('tell-nobody', 'swordfish', '123456', 'abcdefgh'))
    assert sorted(read.secrets()) == ['123456', 'swordfish', 'tell-nobody']


def test_secrets_of_the_settings_in_use_are_left_out_of_the_log(folder):
    folder('API_SECRET = "tell-nobody"')
    install(folder.read())
    assert log.redact('it is tell-nobody') == 'it is (hidden)'


@pytest.mark.parametrize('name, value', [
    ('BITMEX_API_KEY', 'tell-nobody\n'), ('BITMEX_API_KEY', ' tell-nobody'), ('BITMEX_API_KEY', 'tell-nobody\xe9'), ('BITMEX_API_SECRET', 'tell-nobody\r\n'),
    ('BITMEX_API_SECRET', 'tell nobody'), ('MM_PASSWORD', 'tell-nobody\nX-Header: 1'), ('MM_LOGIN', 'tell-nobody\x00')])
def test_a_credential_that_fits_into_no_header_is_a_problem_that_does_not_tell_it(folder, name, value):
    with pytest.raises(errors.SettingsError) as caught:
        load(environ={name: value}, cwd=str(folder))
    assert name in str(caught.value) and 'nobody' not in str(caught.value)


def test_a_secret_of_the_wrong_type_is_a_problem_that_does_not_tell_it(folder):
    folder('API_SECRET = 424242')
    assert '424242' not in folder.problems()[0]


def test_a_reload_takes_over_what_has_changed(folder):
    folder('ORDER_PAIRS = 2')
    read = folder.read()
    folder('ORDER_PAIRS = 3\nINTERVAL = 0.01')
    assert sorted(read.reload().changed) == ['INTERVAL', 'ORDER_PAIRS']
    assert (read.ORDER_PAIRS, read.INTERVAL, read.origin('INTERVAL')) == (3, 0.01, 'settings.py')


def test_a_line_that_is_gone_goes_back_to_the_default(folder):
    folder('ORDER_PAIRS = 2')
    read = folder.read()
    folder('')
    assert read.reload().changed == ['ORDER_PAIRS']
    assert (read.ORDER_PAIRS, read.origin('ORDER_PAIRS')) == (6, 'default')


def test_a_broken_edit_is_reported_and_the_old_values_stay(folder):
    folder('ORDER_PAIRS = 2')
    read = folder.read()
    folder('ORDER_PAIRS = 3\nINTERVAL = -1')
    reload = read.reload()
    assert (reload.changed, len(reload.problems), read.ORDER_PAIRS) == ([], 1, 2)


def test_a_setting_that_cannot_change_in_a_run_waits_for_the_next_start(folder):
    read = folder.read()
    folder('ORDERID_PREFIX = "other_"\nORDER_PAIRS = 2')
    reload = read.reload()
    assert (reload.changed, reload.later, read.ORDERID_PREFIX) == (['ORDER_PAIRS'], ['ORDERID_PREFIX'], 'mm_bitmex_')


def test_a_settings_file_that_is_gone_is_reported_and_the_old_values_stay(folder):
    folder('ORDER_PAIRS = 2')
    read = folder.read()
    os.remove(os.path.join(folder.path, 'settings.py'))
    reload = read.reload()
    assert 'settings.py is gone' in reload.problems[0] and (reload.changed, read.ORDER_PAIRS) == ([], 2)


def test_what_the_program_or_the_command_line_set_survives_a_reload(folder):
    read = folder.read(overrides={'TIMEOUT': 3})
    read.ORDER_PAIRS = 5
    folder('ORDER_PAIRS = 2\nTIMEOUT = 9')
    assert read.reload() == ([], [], [])
    assert (read.ORDER_PAIRS, read.TIMEOUT, read.origin('ORDER_PAIRS')) == (5, 3, 'set by the program')


def test_settings_made_by_hand_have_nothing_to_reload():
    assert Settings({'ORDER_PAIRS': 2}).reload() == ([], [], [])


def test_an_unknown_name_is_an_attribute_error_with_the_nearest_known_one():
    read = Settings()
    with pytest.raises(AttributeError) as caught:
        read.ORDER_PAIR
    assert 'ORDER_PAIRS' in str(caught.value)
    with pytest.raises(AttributeError):
        read.ORDER_PAIR = 3


def test_the_process_wide_settings_are_read_from_the_folder_on_first_use(folder, monkeypatch):
    folder('ORDER_PAIRS = 2')
    monkeypatch.chdir(folder.path)
    monkeypatch.setattr('sys.argv', ['my_strategy.py', 'ETHUSD'])
    assert repr(settings) == 'Settings(not read yet)'
    assert (settings.ORDER_PAIRS, settings.SYMBOL) == (2, 'ETHUSD')
    settings.ORDER_PAIRS = 4
    assert settings.ORDER_PAIRS == 4


def test_an_argument_that_is_no_symbol_is_not_taken_for_one(folder, monkeypatch):
    monkeypatch.chdir(folder.path)
    monkeypatch.setattr('sys.argv', ['pytest', 'tests/test_settings.py'])
    assert settings.SYMBOL == 'XBTUSD'


def test_the_example_lists_exactly_the_settings_and_loads_to_the_defaults():
    path = os.path.join(ROOT, 'settings.py.example')
    names = [line.split(' = ')[0] for line in open(path).read().splitlines() if ' = ' in line and not line.startswith('#')]
    assert names == [setting.name for setting in base.SETTINGS]
    assert load(path=path, environ={}).as_dict() == base.defaults()


def test_the_example_is_what_the_records_say():
    assert open(os.path.join(ROOT, 'settings.py.example')).read() == _settings_example.text(), 'run: make docs'


def test_the_example_gives_each_unit_and_meaning():
    text = ' '.join(_settings_example.text().replace('\n# ', ' ').split())
    for setting in base.SETTINGS:
        assert ' '.join(setting.meaning.split()) in text
        assert not setting.unit or 'Unit: %s. %s = ' % (setting.unit, setting.name) in text


def test_lists_in_the_defaults_are_not_shared():
    Settings().WATCHED_FILES.append('x')
    assert Settings().WATCHED_FILES == ['settings.py'] and settings_module.load(environ={}).CONTRACTS == ['XBTUSD']


def test_the_level_of_the_log_is_shown_by_its_name(folder):
    folder('import logging\nLOG_LEVEL = logging.DEBUG')
    assert folder.read().shown('LOG_LEVEL') == 'logging.DEBUG'
