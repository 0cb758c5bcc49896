"""The bot as a user runs it: spawned, watched from outside, stopped in every way there is."""
from __future__ import absolute_import, division, print_function

import fcntl
import json
import os
import pty
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

import running
from market_maker.utils.compat import to_text
from market_maker.utils.signals import AGAIN_AFTER_S
from running import wait_until
from test_settings import ORIGINAL

pytestmark = pytest.mark.e2e

QUICK = {'MM_LOOP_INTERVAL': '1', 'MM_PAPER_SEED': '7'}
SHUTTING_DOWN = 'Shutting down. All open orders will be cancelled.'


def clean(bot):
    """No traceback and no secret in what a bot printed."""
    assert 'Traceback' not in bot.text, bot.text


def gone(pid):
    try:
        os.kill(pid, 0)
    except OSError:
        return True
    return False


def children(pid):
    """Process ids of the children of a process (Linux)."""
    found = []
    for name in os.listdir('/proc'):
        if name.isdigit():
            try:
                with open('/proc/%s/stat' % name) as file:
                    if int(file.read().rpartition(')')[2].split()[1]) == pid:
                        found.append(int(name))
            except (IOError, OSError):
                continue
    return found


def test_without_settings_or_keys_it_quotes_on_paper_is_filled_and_cleans_up_after_ctrl_c(spawn):
    bot = spawn(env=QUICK)
    bot.wait_for('Paper money on a venue on this machine: market lively, profile classic')
    bot.wait_for('Fees: maker -0.025 %')
    bot.wait_for('Creating 12 orders:')
    bot.wait_for('Execution: ', timeout=90)
    bot.interrupt_all()
    assert bot.wait() == 0
    assert SHUTTING_DOWN in bot.text and 'No order of ours rests on the book.' in bot.text and 'Result of this run:' in bot.text
    clean(bot)


def test_run_for_ends_the_run_by_itself(spawn):
    bot = spawn('--run-for', '2', env=QUICK)
    assert bot.wait() == 0
    assert SHUTTING_DOWN in bot.text and 'Creating 12 orders:' in bot.text
    clean(bot)


@pytest.mark.parametrize('name', ['SIGINT', 'SIGTERM', 'SIGHUP'])
def test_after_a_signal_nothing_rests_and_the_code_is_0(spawn, venue, name):
    bot = spawn(env=dict(QUICK, **venue.env))
    bot.wait_for('Creating 12 orders:')
    assert wait_until(lambda: len(venue.open_orders()) == 12)
    bot.signal(getattr(signal, name))
    assert bot.wait() == 0, bot.text
    assert venue.open_orders() == [] and bot.text.count(SHUTTING_DOWN) == 1
    clean(bot)


def test_while_the_venue_hangs_a_second_ctrl_c_says_so_and_a_third_leaves(spawn, venue):
    bot = spawn(env=dict(QUICK, **venue.env))
    bot.wait_for('Creating 12 orders:')
    assert wait_until(lambda: len(venue.open_orders()) == 12)
    venue.process.send_signal(signal.SIGSTOP)
    try:
        bot.signal(signal.SIGINT)
        bot.wait_for(SHUTTING_DOWN)
        pressed = time.time()
        assert wait_until(lambda: time.time() - pressed > AGAIN_AFTER_S)
        bot.signal(signal.SIGINT)
        bot.wait_for('Ask once more to leave at once')
        pressed = time.time()
        assert wait_until(lambda: time.time() - pressed > AGAIN_AFTER_S)
        bot.signal(signal.SIGINT)
        assert bot.wait(20) == 130, bot.text
    finally:
        venue.process.send_signal(signal.SIGCONT)
    assert 'Orders may be left on the book: run "marketmaker cancel".' in bot.text
    clean(bot)


def test_when_the_terminal_is_lost_the_orders_are_cancelled(venue, tmp_path):
    environment = dict(os.environ, PYTHONUNBUFFERED='1', **dict(QUICK, **venue.env))
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(str(tmp_path))
        os.execve(sys.executable, [sys.executable, running.SCRIPT], environment)
    assert wait_until(lambda: len(venue.open_orders()) == 12)
    os.close(terminal)  # the kernel sends SIGHUP, and every write fails from now on
    codes = []

    def is_over():
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            codes.append(os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status))
        return found
    assert wait_until(is_over, 30)
    assert venue.open_orders() == [] and codes == [0]


def test_when_nobody_reads_its_output_any_more_the_orders_are_cancelled(venue, tmp_path):
    reader, writer = os.pipe()
    process = subprocess.Popen([sys.executable, running.SCRIPT], cwd=str(tmp_path), stdout=writer, stderr=writer, close_fds=True,
                               env=dict(os.environ, PYTHONUNBUFFERED='1', **dict(QUICK, **venue.env)))
    os.close(writer)
    assert wait_until(lambda: len(venue.open_orders()) == 12)
    os.close(reader)
    assert wait_until(lambda: process.poll() is not None, 30)
    assert venue.open_orders() == [] and process.returncode == 0


@pytest.mark.parametrize('closed', ['<&-', '>&-', '2>&-', '<&- >&- 2>&-'])
def test_with_standard_streams_closed_it_runs_and_writes_to_nobody_elses_file(spawn, venue, tmp_path, closed):
    (tmp_path / 'start.sh').write_text(u'exec %s %s --run-for 2 %s\n' % (sys.executable, running.SCRIPT, closed))
    environment = dict(os.environ, MM_LOG_LEVEL='DEBUG', **dict(QUICK, **venue.env))
    assert subprocess.call(['sh', 'start.sh'], cwd=str(tmp_path), env=environment) == 0
    assert venue.open_orders() == []
    run, = tmp_path.glob('runs/*')
    assert sqlite3.connect(str(run / 'journal.sqlite')).execute('PRAGMA integrity_check').fetchall() == [('ok',)]
    assert 'No order of ours rests on the book.' in (run / 'run.log').read_text() and not list(tmp_path.glob('*error*'))


@pytest.mark.skipif(not sys.platform.startswith('linux'), reason='makes a small pipe')
def test_when_its_output_is_not_read_it_trades_on_and_ends_as_asked(venue, tmp_path):
    reader, writer = os.pipe()
    fcntl.fcntl(writer, 1031, 4096)  # F_SETPIPE_SZ: as full as a terminal that was stopped by Ctrl-S, or a pager at the end of its page
    process = subprocess.Popen([sys.executable, running.SCRIPT], cwd=str(tmp_path), stdout=writer, stderr=writer, close_fds=True,
                               env=dict(os.environ, PYTHONUNBUFFERED='1', **dict(QUICK, MM_LOOP_INTERVAL='0.2', **venue.env)))
    os.close(writer)
    logs = []

    def lines():
        logs[:] = tmp_path.glob('runs/*/run.log')
        return logs[0].read_text().splitlines() if logs else []
    try:
        assert wait_until(lambda: len([line for line in lines() if 'Current XBT Balance' in line]) >= 20)  # far more than the pipe holds
        assert len(venue.open_orders()) == 12 and process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert wait_until(lambda: process.poll() is not None, 30)
    finally:
        if process.poll() is None:
            process.kill()
        os.close(reader)
    assert process.returncode == 0 and venue.open_orders() == []
    assert 'No order of ours rests on the book.' in '\n'.join(lines())


def test_a_signal_before_anything_is_placed_ends_it_quietly(spawn, venue):
    bot = spawn(env=dict(QUICK, **venue.env))
    bot.wait_for('BitMEX Market Maker Version')
    bot.interrupt()
    assert bot.wait() == 0, bot.text
    assert venue.open_orders() == []
    clean(bot)


def test_orders_that_an_earlier_run_left_are_cancelled_first_and_other_peoples_are_not(spawn, venue):
    others = ['mine_left-over', 'mm_bitmex_2_' + 'x' * 22]
    for name in ['mm_bitmex_left-over'] + others:
        venue.ask('POST', 'order', json={'symbol': 'XBTUSD', 'side': 'Buy', 'orderQty': 10, 'price': 1000, 'clOrdID': name})
    bot = spawn('--run-for', '1', env=dict(QUICK, **venue.env))
    assert bot.wait() == 0
    assert sorted(row['clOrdID'] for row in venue.open_orders()) == others


def test_the_death_of_the_paper_venue_is_said_and_the_code_is_not_0(spawn):
    bot = spawn(env=QUICK)
    bot.wait_for('Creating 12 orders:')
    child, = children(bot.pid)
    os.kill(child, signal.SIGKILL)
    assert bot.wait() == 1
    assert 'The paper venue ended by itself' in bot.text
    clean(bot)


def test_a_bot_that_is_killed_leaves_no_venue_behind(spawn):
    bot = spawn(env=QUICK)
    bot.wait_for('Creating 12 orders:')
    child, = children(bot.pid)
    bot.signal(signal.SIGKILL)
    bot.wait()
    assert wait_until(lambda: gone(child))


def test_a_dry_run_shows_the_ladder_and_sends_nothing(spawn, venue):
    bot = spawn('--dry-run', '--run-for', '2', '--base-url', venue.url, env=QUICK)
    assert bot.wait() == 0
    assert 'These orders would rest on the book:' in bot.text
    assert venue.open_orders() == [] and 'Creating' not in bot.text
    clean(bot)


def test_a_preview_looks_at_a_paper_venue_once_and_leaves_none_behind(spawn):
    bot = spawn('preview', 'ETHUSD', '--json', env={'MM_PAPER_SEED': '5'})
    assert bot.wait() == 0
    found = json.loads(bot.text)
    assert found['symbol'] == 'ETHUSD' and len(found['pairs']) == 6 and found['balance'] == 10 ** 8 and 'the account of the key' in found['source']
    assert found['requests']['allowed'] == 60.0 and children(bot.pid) == []


def test_on_the_modern_profile_orders_go_one_by_one(spawn, venue_python):
    bot = spawn('--run-for', '3', env=dict(QUICK, MM_PAPER_PROFILE='modern'))
    assert bot.wait() == 0
    assert 'profile modern' in bot.text and 'Creating 12 orders:' in bot.text and 'Fees: maker 0.05 %' in bot.text
    clean(bot)


def test_a_wrong_key_is_code_3(spawn, venue):
    bot = spawn(env=dict(venue.env, BITMEX_API_SECRET='wrong-secret'))
    assert bot.wait() == 3
    clean(bot)


def test_no_key_at_all_is_code_3(spawn, venue):
    bot = spawn('--base-url', venue.url)
    assert bot.wait() == 3
    clean(bot)


def test_a_venue_that_cannot_be_reached_is_code_4(spawn):
    bot = spawn('--base-url', 'http://127.0.0.1:9/api/v1/', env={'BITMEX_API_KEY': 'k', 'BITMEX_API_SECRET': 's', 'MM_START_TIMEOUT_S': '3'})
    assert bot.wait(60) == 4
    clean(bot)


def test_an_unknown_symbol_is_said_and_ends_it(spawn, venue):
    bot = spawn('XBTUDS', env=venue.env)
    assert bot.wait(60) == 2
    assert 'XBTUDS' in bot.text
    clean(bot)


def test_broken_settings_end_it_before_a_venue_is_started(spawn, tmp_path):
    (tmp_path / 'settings.py').write_text(u'ORDER_PAIR = 3\nINTERVAL = "wide"\n')
    bot = spawn()
    assert bot.wait() == 2
    assert 'did you mean ORDER_PAIRS?' in bot.text and 'INTERVAL' in bot.text
    clean(bot)


def test_a_settings_file_of_the_original_says_that_bitmex_has_closed_and_runs_on_paper_when_asked(spawn, tmp_path):
    (tmp_path / 'settings.py').write_text(to_text(ORIGINAL.replace('logging.WARN', 'logging.INFO')))
    bot = spawn()
    assert bot.wait() == 2
    assert 'BitMEX has closed' in bot.text and len(bot.lines) == 1
    bot = spawn('--base-url', 'paper', '--run-for', '1')
    assert bot.wait() == 0, bot.text
    assert 'Creating 8 orders:' in bot.text and 'market_maker.py is not watched' in bot.text
    clean(bot)


def test_a_settings_file_that_changes_is_read_again_and_a_broken_edit_keeps_the_old_values(spawn, venue, tmp_path):
    settings = tmp_path / 'settings.py'
    settings.write_text(u'ORDER_PAIRS = 6\n')
    bot = spawn(env=dict(QUICK, **venue.env))
    bot.wait_for('Creating 12 orders:')
    assert wait_until(lambda: len(venue.open_orders()) == 12)
    kept = set(row['orderID'] for row in venue.open_orders())
    settings.write_text(u'ORDER_PAIRS = 2 # fewer\n')
    bot.wait_for('Settings read again; new: ORDER_PAIRS = 2')
    assert wait_until(lambda: len(venue.open_orders()) == 4), bot.text
    assert set(row['orderID'] for row in venue.open_orders()) & kept
    settings.write_text(u'ORDER_PAIRS = = 3\n')
    bot.wait_for('The settings stay as they were: settings.py, line 1')
    bot.interrupt()
    assert bot.wait() == 0
    clean(bot)


def test_a_second_copy_with_the_same_prefix_is_noticed_by_the_first(spawn, venue):
    first = spawn(env=dict(QUICK, **venue.env))
    first.wait_for('Creating 12 orders:')
    second = spawn('--run-for', '20', env=dict(QUICK, **venue.env))
    assert wait_until(lambda: not (first.running() and second.running()), 30), first.text + second.text
    stopped = second if first.running() else first
    assert stopped.wait() == 1
    assert 'prefix' in stopped.text.lower() or 'second copy' in stopped.text.lower(), stopped.text
    for bot in (first, second):
        if bot.running():
            bot.interrupt()
            bot.wait(40)
        clean(bot)


def test_a_venue_that_comes_back_is_quoted_on_again(spawn, venue_python):
    arguments = ['--market', 'lively', '--seed', '7', '--api-key', 'the-same-key', '--api-secret', 'the-same-secret']
    venue = running.Venue(venue_python, *arguments)
    port = str(venue.port)
    bot = spawn(env=dict(QUICK, **venue.env))
    bot.wait_for('Creating 12 orders:')
    venue.kill()
    again = running.Venue(venue_python, '--port', port, *arguments)
    try:
        assert wait_until(lambda: len(again.open_orders()) == 12, 40), bot.text
        bot.interrupt()
        assert bot.wait() == 0, bot.text
        assert again.open_orders() == []
    finally:
        again.stop()
        venue.stop()
    clean(bot)


def test_what_a_killed_bot_leaves_is_taken_off_by_its_dead_mans_switch_and_of_two_bots_only_by_the_next_start_of_its_own(spawn, venue):
    bot = spawn(env=dict(QUICK, MM_DEAD_MANS_SWITCH='4', **venue.env))
    assert wait_until(lambda: len(venue.open_orders()) == 12)
    bot.signal(signal.SIGKILL)
    assert wait_until(lambda: venue.open_orders() == [], 15)
    bots = [spawn(env=dict(QUICK, MM_ORDERID_PREFIX=prefix, **venue.env)) for prefix in ('mm_', 'mm_2_')]
    assert wait_until(lambda: len(venue.open_orders(prefix='mm_2_')) == 12 and len(venue.open_orders()) == 24)
    of_the_other = set(row['orderID'] for row in venue.open_orders(prefix='mm_2_'))
    bots[0].signal(signal.SIGKILL)
    bots[0].wait()
    assert spawn('--run-for', '1', env=dict(QUICK, MM_ORDERID_PREFIX='mm_', **venue.env)).wait() == 0
    assert len(venue.open_orders()) == 12 and len(of_the_other & set(row['orderID'] for row in venue.open_orders())) >= 10  # but for what was filled
    bots[1].interrupt()
    assert bots[1].wait() == 0 and venue.open_orders() == []


def test_cancel_takes_off_the_book_what_a_killed_bot_left(spawn, venue):
    bot = spawn(env=dict(QUICK, **venue.env))
    bot.wait_for('Creating 12 orders:')
    assert wait_until(lambda: len(venue.open_orders()) == 12)
    bot.signal(signal.SIGKILL)
    bot.wait()
    assert len(venue.open_orders()) == 12
    word = spawn('cancel', env=venue.env)
    assert word.wait() == 0, word.text
    assert 'Canceled 12 orders of XBTUSD.' in word.text and venue.open_orders() == []


def test_flatten_closes_the_position_with_an_order_that_only_reduces(spawn, venue):
    venue.ask('POST', 'order', json={'symbol': 'XBTUSD', 'side': 'Buy', 'orderQty': 300, 'ordType': 'Market'})
    assert venue.ask('GET', 'position')[0]['currentQty'] == 300
    word = spawn('flatten', env=venue.env)
    assert word.wait() == 0, word.text
    assert venue.ask('GET', 'position')[0]['currentQty'] == 0


def test_check_on_paper_starts_a_venue_says_that_all_is_well_and_stops_it(spawn):
    word = spawn('check')
    assert word.wait(60) == 0, word.text
    for what in ('paper venue', 'venue', 'clock', 'symbol', 'key', 'margin'):
        assert [line for line in word.lines if line.startswith('  ok') and what in line], what
    assert 'All is well.' in word.text


def test_check_of_a_venue_with_a_wrong_key_is_code_3(spawn, venue):
    word = spawn('check', env=dict(venue.env, BITMEX_API_SECRET='wrong-secret'))
    assert word.wait(60) == 3
    assert 'wrong-secret' not in word.text


def test_a_strategy_of_ones_own_is_run(spawn, tmp_path):
    (tmp_path / 'mine.py').write_text(u'''
from market_maker.market_maker import OrderManager


class Mine(OrderManager):
    def place_orders(self):
        price = self.get_price_offset(-3)
        self.converge_orders([{'price': price, 'orderQty': 100, 'side': 'Buy'}], [])
''')
    bot = spawn('--strategy', 'mine:Mine', '--run-for', '1', env=QUICK)
    assert bot.wait() == 0
    assert 'Creating 1 orders:' in bot.text
    clean(bot)


def test_a_strategy_file_of_the_original_runs_by_itself(spawn, venue, tmp_path):
    (tmp_path / 'old.py').write_text(u'''
import sys
import time

from market_maker.market_maker import OrderManager


class CustomOrderManager(OrderManager):
    def place_orders(self):
        self.converge_orders([{'price': 1000.0, 'orderQty': 100, 'side': "Buy"}], [{'price': 99000.0, 'orderQty': 100, 'side': "Sell"}])


def run():
    order_manager = CustomOrderManager()
    try:
        order_manager.run_loop()
    except (KeyboardInterrupt, SystemExit):
        sys.exit()


run()
''')
    bot = running.Bot(None, str(tmp_path), [], env=dict(QUICK, PYTHONPATH=running.ROOT, **venue.env), script=str(tmp_path / 'old.py'))
    try:
        assert wait_until(lambda: len(venue.open_orders()) == 2), bot.text
        bot.interrupt()
        assert bot.wait() == 0, bot.text
        assert venue.open_orders() == []
        clean(bot)
    finally:
        bot.end()


def test_secrets_appear_nowhere_in_what_is_printed_even_at_debug(spawn, venue):
    bot = spawn('--run-for', '1', env=dict(QUICK, MM_LOG_LEVEL='DEBUG', **venue.env))
    assert bot.wait() == 0
    assert venue.secret not in bot.text
    clean(bot)


@pytest.mark.skipif(not running.runs_the_lab(), reason='needs the lab')
def test_processes_that_work_for_the_script_do_not_run_it_again(spawn, tmp_path):
    (tmp_path / 'space.toml').write_text(u'INTERVAL = [0.001, 0.002]\nMIN_SPREAD = [0.001]\n')
    bot = spawn('tune', '--space', 'space.toml', '--trials', '2', '--folds', '2', '--minutes', '1', '--objective', 'profit', '--processes', '2', '--json')
    assert bot.wait(120) == 0
    found = json.loads(bot.text)
    assert found['states'] == {'complete': 2} and found['winner']['test']['fills'] > 0
