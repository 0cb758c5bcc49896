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
        self.names = []

    def request_stop(self, name):
        self.names.append(name)


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


def test_under_nohup_a_lost_terminal_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with StopSignals():
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_flag_that_nobody_closed_gives_its_descriptors_back():
    flag = Wakeup()
    ends = flag._signal._reader, flag._signal._writer
    del flag
    gc.collect()
    for descriptor in ends:
        with pytest.raises(OSError):
            os.fstat(descriptor)
