"""Threads of our own: what fails in one is told, nothing is printed, and the run ends with cancelled orders."""
from __future__ import absolute_import, division, print_function

import io
import os
import subprocess
import sys
import threading

import pytest
from desk import Desk

import running
from market_maker import cli
from market_maker.journal import Journal
from market_maker.journal_schema import FILE_NAME
from market_maker.utils import errors, threads
from market_maker.utils.parallel import run_all
from running import wait_until

# When the interpreter is taken down, the last object lets the thread run once more, among names that Python 2 has set to None.
AT_THE_END = '''
import os, select, sys, types
from market_maker.utils import threads
reader, writer = os.pipe()

class Last(object):
    def __del__(self, select=select.select, write=os.write, writer=writer):
        write(writer, b'.')
        select([], [], [], 0.2)

def work():
    select.select([reader], [], [])
    os.read(reader, 1)

last = sys.modules['last'] = types.ModuleType('last')
last.one = Last()
threads.start(work, 'journal')
'''
# The work is done and told, and a thread of ours hangs.
HANGING = '''
import atexit, os, sys, threading
from market_maker import cli
from market_maker.utils import threads
import market_maker

def hang():
    ready.set()
    threading.Event().wait()

def main():
    threads.start(hang, 'journal')
    ready.wait()
    sys.stdout.write('all is told')
    return 3

ready, cli.main = threading.Event(), main
atexit.register(os.write, 2, b'taken down')
market_maker.run()
'''


def fail(error):
    raise error


@pytest.mark.parametrize('error', [ValueError('a bug'), SystemExit(0), KeyboardInterrupt(), GeneratorExit()])
def test_an_error_that_leaves_a_thread_is_told_to_who_watches_and_not_printed(error, capfd):
    watch, woken = threads.Watch(), []
    watch.on_failure = lambda: woken.append(True)
    threads.start(fail, 'one', error).join(10)
    threads.start(fail, 'two', ValueError('later')).join(10)
    assert 'the thread one has failed' in str(watch.failure) and woken == [True, True]
    assert type(error).__name__ in watch.failure.details and 'in fail' in watch.failure.details
    assert threads.Watch().failure is None
    assert capfd.readouterr() == ('', '')


def test_those_that_still_run_are_known():
    end = threading.Event()
    thread = threads.start(end.wait, 'waits')
    assert 'waits' in threads.linger()
    end.set()
    thread.join(10)
    assert 'waits' not in threads.linger()


def run_alone(code):
    process = subprocess.Popen([sys.executable, '-c', code], env=dict(os.environ, PYTHONPATH=running.ROOT), stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    out, err = process.communicate()
    return process.returncode, out, err


def test_a_thread_that_wakes_while_the_interpreter_ends_says_nothing():
    assert run_alone(AT_THE_END) == (0, b'', b'')


def test_an_interpreter_is_not_taken_down_beneath_a_thread_of_ours():
    assert run_alone(HANGING) == (3, b'all is told', b'')


def test_where_the_system_allows_no_more_threads_all_calls_are_made_all_the_same(monkeypatch):
    def start(target, name, *arguments):
        raise threading.ThreadError('no more')
    monkeypatch.setattr(threads, 'start', start)
    assert run_all([lambda: 1, lambda: 2, lambda: 3], 3) == [(1, None), (2, None), (3, None)]


#
# A crash anywhere ends in cancelled orders and an exit code that is not 0
#
def test_a_thread_that_fails_ends_the_run_at_once_with_cancelled_orders():
    desk = Desk(LOOP_INTERVAL=300)
    desk.at(2, lambda: threads.start(fail, 'one', ValueError('a bug')).join(10))
    with pytest.raises(errors.ThreadFailed):
        desk.run(200)
    assert desk.venue.resting() == [] and desk.manager.cancelled
    assert desk.clock.now - desk.start < 4


def test_a_journal_that_fails_in_a_way_nobody_foresaw_is_such_a_crash_and_one_without_a_disk_is_not(tmp_path):
    watch = threads.Watch()
    journal = Journal(str(tmp_path / FILE_NAME), also=lambda: fail(ValueError('a bug')))
    assert wait_until(lambda: watch.failure is not None)
    assert 'the thread journal has failed' in str(watch.failure)
    journal._store._also = lambda: None
    journal.close()


def test_the_traceback_of_a_thread_goes_into_the_file_and_not_to_the_user(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(str(tmp_path))
    monkeypatch.setattr(cli, '_main', lambda argv: fail(errors.ThreadFailed('one', 'Traceback\n  in fail\nValueError: a bug\n')))
    assert cli.main([]) == 1
    said = capsys.readouterr()[1]
    name, = os.listdir(str(tmp_path))
    assert name in said and 'ValueError: a bug' in said and 'in fail' not in said
    assert 'in fail' in (tmp_path / name).read_text() and os.stat(str(tmp_path / name)).st_mode & 0o077 == 0


def test_not_even_an_error_that_is_no_exception_shows_its_traceback(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(str(tmp_path))
    monkeypatch.setattr(cli, '_main', lambda argv: fail(GeneratorExit('odd')))
    assert cli.main([]) == 1
    assert 'GeneratorExit: odd. Details: ' in capsys.readouterr()[1]


def test_the_bot_makes_its_threads_nowhere_else():
    found = []
    for folder, _, names in os.walk(os.path.join(running.ROOT, 'market_maker')):
        for path in [os.path.join(folder, name) for name in names if name.endswith('.py') and 'backtest' not in folder]:
            with io.open(path, encoding='utf-8') as source:
                if 'threading.Thread(' in source.read():
                    found.append(os.path.relpath(path, running.ROOT))
    assert found == [os.path.join('market_maker', 'utils', 'threads.py')]
