"""Rules 1 and 2 of the house: arrows between rooms point down, and importing does nothing."""
from __future__ import absolute_import, division, print_function

import ast
import os
import subprocess
import sys

import pytest

from running import ROOT

UTILS = ['market_maker.utils']
PURE = ['quoting', 'convergence', 'why', 'top_ups', 'excursions', 'recentring', 'afford', 'forecast', 'stops', 'margin_scale',
        'contracts', 'rest_policy', 'rate_limit', 'own_orders', 'waiting', 'status', 'refusals', 'rush', 'holding', 'preview', 'preview_table',
        'known_instruments', 'ws.agreement', 'ws.lag', 'ws.tables', 'ws.frames', 'auth']
# What knows the settings of the process; nothing else may.
KNOW_SETTINGS = ['market_maker', 'exchange_interface', 'cli', 'settings', '_settings_base', '_settings_files', '_settings_sources', '_settings_example',
                 'check', 'leave', 'runs', 'refeed', 'preview_word', 'record', 'custom_strategy', 'strategies', 'backtest', '__main__']
PROBE = r'''
import os, signal, socket, sys, threading, logging
argv, handlers = sys.argv[:], {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
def forbidden(*arguments, **options):
    raise AssertionError('a socket at import')
socket.socket.connect = forbidden
before = set(os.listdir('.'))
sys.dont_write_bytecode = True
for name in sys.argv[1].split(','):
    __import__(name)
assert threading.active_count() == 1, threading.enumerate()
assert argv == sys.argv and set(os.listdir('.')) == before
assert handlers == {number: signal.getsignal(number) for number in handlers}
assert not logging.getLogger().handlers, logging.getLogger().handlers
assert not logging.getLogger('root').handlers
print('quiet')
'''


def modules(package):
    """name -> path of every module of a package of the checkout."""
    found = {}
    for folder, _, names in os.walk(os.path.join(ROOT, package)):
        for name in names:
            if name.endswith('.py'):
                path = os.path.join(folder, name)
                dotted = os.path.relpath(path, ROOT)[:-3].replace(os.sep, '.')
                found[dotted[:-len('.__init__')] if dotted.endswith('.__init__') else dotted] = path
    return found


def imports(path, known):
    """The modules among `known` that a file imports, wherever in the file it does."""
    with open(path, 'rb') as source:
        tree = ast.parse(source.read(), path)
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.update('%s.%s' % (node.module, alias.name) for alias in node.names)
            found.add(node.module)
    return set(name for name in found if name and (name in known or name.split('.')[0] in ('market_maker', 'bitmex_venue')))


BOT = modules('market_maker')
if sys.version_info < (3, 11):  # the lab's sources are newer Python than can be parsed here
    BOT = dict((name, path) for name, path in BOT.items() if not name.startswith('market_maker.backtest'))


def bot_imports(name):
    return set(found for found in imports(BOT[name], BOT) if found in BOT and found != 'market_maker')


def short(name):
    return name[len('market_maker.'):]


def within(name, rooms):
    return any(name == 'market_maker.' + room or name.startswith('market_maker.%s.' % room) for room in rooms)


def test_the_bot_never_imports_the_venue_save_for_the_backtest():
    for name, path in BOT.items():
        if not within(name, ['backtest']):
            assert not [found for found in imports(path, BOT) if found.split('.')[0] == 'bitmex_venue'], name


@pytest.mark.skipif(sys.version_info < (3, 10), reason='the venue is written for Python 3.10+')
def test_the_venue_never_imports_the_bot():
    for name, path in modules('bitmex_venue').items():
        assert not [found for found in imports(path, {}) if found.split('.')[0] == 'market_maker'], name


def test_utils_import_nothing_of_ours_but_utils():
    for name in BOT:
        if within(name, ['utils']):
            assert all(within(found, ['utils']) for found in bot_imports(name)), (name, bot_imports(name))


def test_pure_rooms_import_only_utils_and_pure_rooms():
    for name in BOT:
        if within(name, PURE):
            assert all(within(found, PURE + ['utils']) for found in bot_imports(name)), (name, bot_imports(name))


def test_nothing_below_the_order_manager_knows_the_settings():
    for name in BOT:
        if not within(name, KNOW_SETTINGS):
            assert not [found for found in bot_imports(name) if within(found, ['settings', '_settings_files', '_settings_sources', '_settings_example'])], name


def test_nothing_imports_the_command_line_but_what_starts_the_program():
    for name in BOT:
        if name != 'market_maker' and not within(name, ['__main__']):
            assert 'market_maker.cli' not in bot_imports(name), name


def test_clients_do_not_import_the_order_manager():
    above = ['market_maker', 'exchange_interface', 'sending', 'running', 'check', 'leave', 'cli', 'paper']
    for name in BOT:
        if within(name, ['bitmex', 'ws', 'rest_session', 'rest_policy', 'own_orders', 'auth']):
            assert not [found for found in bot_imports(name) if within(found, above)], name


def test_no_module_imports_one_that_imports_it_back():
    graph = dict((name, bot_imports(name)) for name in BOT)

    def reach(name, seen):
        for found in graph.get(name, ()):
            if found not in seen:
                seen.add(found)
                reach(found, seen)
        return seen
    assert [name for name in graph if name in reach(name, set())] == []


def test_only_one_file_knows_which_python_this_is():
    for name, path in BOT.items():
        if name == 'market_maker.utils.compat' or within(name, ['backtest']):
            continue
        text = open(path, 'rb').read().decode('utf-8')
        assert 'sys.version_info' not in text or name == 'market_maker.paper', name  # paper looks for a Python for the venue
        assert 'from future' not in text.replace('from __future__', ''), name


def test_every_module_of_the_bot_is_written_for_both_pythons():
    for name, path in BOT.items():
        text = open(path, 'rb').read().decode('utf-8')
        if within(name, ['backtest']) or not [line for line in text.splitlines() if line.strip()]:
            continue
        first = [node for node in ast.parse(text.encode('utf-8')).body if not isinstance(node, ast.Expr)][:1]
        assert not first or (isinstance(first[0], ast.ImportFrom) and first[0].module == '__future__'), name


def test_importing_does_nothing(tmp_path):
    names = sorted(name for name in BOT if not name.endswith('__main__') and not within(name, ['backtest']))
    environment = dict(os.environ, PYTHONPATH=ROOT)
    output = subprocess.check_output([sys.executable, '-c', PROBE, ','.join(names)], cwd=str(tmp_path), env=environment,
                                     stderr=subprocess.STDOUT)
    assert output.decode().strip() == 'quiet'
