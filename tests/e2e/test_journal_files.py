"""What a run leaves on the disk: no secret in any byte of it, and a disk that is full does not stop it."""
from __future__ import absolute_import, division, print_function

import os
import re

import pytest

import running
from market_maker import inputs, journal_inputs
from market_maker.journal_reading import open_run
from market_maker.refeed import refeed

pytestmark = pytest.mark.e2e

SMALL_DISK = '''
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (%d, %d))
sys.path.insert(0, %r)
from market_maker.cli import main
sys.exit(main())
'''
EMAIL, PASSWORD, OTP = 'somebody@example.org', 'correct-horse-battery', '918273'


def everything(folder):
    """Every byte that is in a folder, and the inputs of its journals as they are before they are compressed."""
    found = []
    for place, _, names in os.walk(str(folder)):
        for name in names:
            with open(os.path.join(place, name), 'rb') as file:
                found.append(file.read())
    run = open_run('last', os.path.join(str(folder), 'runs'))
    found += [journal_inputs.encode([record]) for record in journal_inputs.records(run)]
    run.close()
    return b'\n'.join(found)


def assert_nothing_secret(folder, *secrets):
    found = everything(folder)
    assert b'XBTUSD' in found
    for secret in secrets:
        assert secret.encode('ascii') not in found
    assert not re.search(br'\b[0-9a-f]{64}\b', found) and b'api-signature' not in found and b'access-token' not in found


def test_no_key_and_no_signature_is_in_any_byte_of_a_run(spawn, venue, tmp_path):
    bot = spawn('--run-for', '3', env=dict(venue.env, MM_LOG_LEVEL='DEBUG'))
    assert bot.wait() == 0
    assert_nothing_secret(tmp_path, venue.secret, venue.key)


def test_no_password_and_no_token_is_either_and_the_run_is_computed_again_without_them(spawn, venue_python, tmp_path):
    venue = running.Venue(venue_python, '--market', 'lively', '--seed', '7', '--email', EMAIL, '--password', PASSWORD, '--otp', OTP)
    try:
        bot = spawn('--run-for', '3', env={'MM_BASE_URL': venue.url, 'MM_LOGIN': EMAIL, 'MM_PASSWORD': PASSWORD, 'MM_OTPTOKEN': OTP})
        assert bot.wait() == 0, bot.text
    finally:
        venue.stop()
    assert_nothing_secret(tmp_path, EMAIL, PASSWORD, OTP)
    run = open_run('last', str(tmp_path / 'runs'))
    records = list(journal_inputs.records(run))
    login = next(number for number, record in enumerate(records) if isinstance(record, list) and record[:3] == [inputs.REQUEST, 'POST',
                                                                                                                '/api/v1/user/login'])
    assert records[login][3] == '' and records[login + 1][3] == inputs.HIDDEN_LOGIN
    fed = refeed(run)
    assert fed.parted is None and fed.is_whole and fed.orders
    run.close()


def test_a_full_disk_is_said_once_for_each_file_and_the_run_goes_on(spawn, venue, tmp_path):
    pytest.importorskip('resource')
    script = tmp_path / 'small_disk.py'
    script.write_bytes((SMALL_DISK % (24000, 24000, running.ROOT)).encode('ascii'))
    bot = spawn('--run-for', '5', env=dict(venue.env, MM_LOOP_INTERVAL='1'), script=str(script))
    bot.wait_for('Creating 12 orders')
    bot.wait_for('Trading goes on without it')
    assert bot.wait() == 0, bot.text
    assert bot.text.count('Trading goes on without it') == 1 and 'Traceback' not in bot.text
    assert 'No order of ours rests on the book.' in bot.text and venue.open_orders() == []
