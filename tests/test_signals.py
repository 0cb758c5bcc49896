"""The signals that stop the bot: a handler leaves a note, and nothing else."""
from __future__ import absolute_import, division, print_function

import gc
import os
import signal

import pytest

from market_maker.utils.clock import Wakeup
from market_maker.utils.signals import StopSignals
from running import wait_until

pytestmark = pytest.mark.skipif(os.name != 'posix', reason='POSIX signals')


class Told(object):
    def __init__(self):
        self.names, self.again = [], []

    def request_stop(self, name):
        self.names.append(name)

    def stop_again(self, name):
        self.again.append(name)


def send(name):
    os.kill(os.getpid(), getattr(signal, name))


@pytest.mark.parametrize('name', ['SIGINT', 'SIGTERM', 'SIGHUP'])
def test_a_signal_is_passed_on_by_its_name(name):
    told = Told()
    with StopSignals() as signals:
        signals.tell(told)
        assert signals.exit_code() is None
        send(name)
        assert wait_until(lambda: told.names == [name], 5)
        assert signals.exit_code() == 128 + getattr(signal, name)


def test_before_anybody_is_named_a_signal_is_a_keyboard_interrupt_and_is_passed_on_later():
    told = Told()
    with StopSignals() as signals:
        with pytest.raises(KeyboardInterrupt):
            send('SIGTERM')
            wait_until(lambda: False, 5)
        signals.tell(told)
    assert told.names == ['SIGTERM']


def test_afterwards_the_handlers_of_before_are_back():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    with StopSignals():
        assert signal.getsignal(signal.SIGTERM) != before[1]
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before


def test_where_the_process_ends_afterwards_another_ctrl_c_disturbs_nothing():
    before = signal.getsignal(signal.SIGINT)
    try:
        with StopSignals(is_last=True):
            pass
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_under_nohup_a_lost_terminal_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with StopSignals():
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_flag_that_nobody_closed_gives_its_descriptors_back():
    flag = Wakeup()
    ends = [(descriptor, os.fstat(descriptor).st_ino) for descriptor in (flag._signal._reader, flag._signal._writer)]
    del flag
    gc.collect()
    assert [inode_of(descriptor) == inode for descriptor, inode in ends] == [False, False]


def inode_of(descriptor):
    """What a descriptor stands for now; a thread of another test may have been given the number anew."""
    try:
        return os.fstat(descriptor).st_ino
    except OSError:
        return None


def test_a_further_signal_is_passed_on_as_one_unless_it_is_the_echo_of_the_last_or_a_lost_terminal():
    told, now = Told(), [0.0]

    def send_at(moment, name, heard):
        now[0] = moment
        send(name)
        assert wait_until(lambda: len(told.names + told.again) == heard, 5)
    with StopSignals(now=lambda: now[0]) as signals:
        signals.tell(told)
        send_at(0, 'SIGTERM', 1)
        send_at(0.1, 'SIGTERM', 1)
        send_at(2, 'SIGINT', 2)
        send_at(4, 'SIGHUP', 3)
        send_at(6, 'SIGTERM', 4)
    assert (told.names, told.again) == (['SIGTERM', 'SIGHUP'], ['SIGINT', 'SIGTERM'])
