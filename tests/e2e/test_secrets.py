"""A secret is nowhere: not in what a run prints or writes, not in the list of processes, not in a crash report."""
from __future__ import absolute_import, division, print_function

import io
import os
import re

import pytest

from running import wait_until

pytestmark = pytest.mark.e2e
needs_proc = pytest.mark.skipif(not os.path.isdir('/proc/self'), reason='needs /proc')
FAILING = '''
from market_maker.market_maker import OrderManager
class Failing(OrderManager):
    def place_orders(self):
        raise ValueError('what is this: %s' % self.settings.API_SECRET)
'''


def command_line(pid):
    with open('/proc/%s/cmdline' % pid, 'rb') as file:
        return file.read().decode('utf-8', 'replace')


def children(pid):
    found = []
    for name in os.listdir('/proc'):
        if name.isdigit():
            try:
                with open('/proc/%s/stat' % name) as file:
                    parent = file.read().rpartition(')')[2].split()[1]
            except (IOError, OSError):
                continue
            if parent == str(pid):
                found.append(name)
    return found


def written(folder):
    texts = []
    for place, _, names in os.walk(str(folder)):
        for name in names:
            with io.open(os.path.join(place, name), encoding='utf-8', errors='replace') as file:
                texts.append(file.read())
    return '\n'.join(texts)


@needs_proc
def test_neither_the_output_nor_the_files_nor_the_process_list_hold_the_secret(spawn, venue, tmp_path):
    bot = spawn('--run-for', '3', env=dict(venue.env, MM_LOG_LEVEL='DEBUG'))
    bot.wait_for('Creating 12 orders')
    shown = command_line(bot.pid)
    assert bot.wait() == 0
    for text in (bot.text, shown, written(tmp_path)):
        assert venue.secret not in text
        assert not re.search(r'\b[0-9a-f]{64}\b', text)  # a signature


@needs_proc
def test_the_paper_venue_hands_its_secret_over_where_nobody_else_reads_it(spawn):
    bot = spawn()
    bot.wait_for('Creating 12 orders')
    assert wait_until(lambda: len(children(bot.pid)) == 1)
    shown = command_line(children(bot.pid)[0])
    assert 'bitmex_venue' in shown and 'secret' not in shown.lower() and '--api-key' not in shown
    bot.terminate()
    assert bot.wait() == 0


def test_a_crash_report_does_not_hold_the_secret_either(spawn, venue, tmp_path):
    (tmp_path / 'failing.py').write_bytes(FAILING.encode('ascii'))
    bot = spawn('--strategy', 'failing.py:Failing', env=venue.env)
    assert bot.wait() == 1
    said = bot.text + written(tmp_path)
    assert 'what is this: (hidden)' in said and venue.secret not in said
    assert venue.open_orders(prefix='mm_bitmex_') == []
