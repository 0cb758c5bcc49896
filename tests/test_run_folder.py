"""The folder of a run: what is in it, who may read it, which are removed, and what happens when it cannot be written."""
from __future__ import absolute_import, division, print_function

import os
import stat

import pytest

from market_maker import run_folder
from market_maker.journal import NO_JOURNAL
from market_maker.journal_reading import open_run, run_names
from market_maker.settings import Settings
from market_maker.utils import log

OLD = ['2020010%d-120000-XBTUSD' % day for day in range(1, 6)]


@pytest.fixture
def settings(tmp_path):
    return Settings({'RUNS_DIR': str(tmp_path / 'runs'), 'API_KEY': 'KEYKEYKEY', 'API_SECRET': 'SECRETSECRET', 'LOGIN': 'me@example.org',
                     'PASSWORD': 'PASSWORDPASSWORD', 'OTPTOKEN': 'OTPOTPOTP', 'BASE_URL': 'https://somebody:pass-in-url@example.org/api/v1/'})


def begin(settings, is_dry_run=False):
    log.setup_custom_logger()
    return run_folder.begin(settings, 'XBTUSD', is_dry_run)


def everything(folder):
    return b''.join(open(os.path.join(place, name), 'rb').read() for place, _, names in os.walk(str(folder)) for name in names)


def make_old(tmp_path, names):
    for name in names:
        (tmp_path / 'runs' / name).mkdir(parents=True)
        run_folder.RunFolder(str(tmp_path / 'runs' / name), {}).close(0)


def test_it_holds_a_journal_and_the_log_and_only_its_owner_may_look(settings):
    folder = begin(settings)
    log.get_logger().warning('The sky is falling.')
    folder.close(0)
    folder.close(0)
    assert sorted(os.listdir(folder.path)) == ['journal.sqlite', 'run.log']
    for place in [folder.path] + [os.path.join(folder.path, name) for name in os.listdir(folder.path)]:
        assert stat.S_IMODE(os.stat(place).st_mode) & 0o077 == 0
    with open(os.path.join(folder.path, 'run.log')) as lines:
        assert lines.read().count('The sky is falling.') == 1
    run = open_run(folder.path)
    assert [row.text for row in run.notes()] == ['The sky is falling.'] and run.about['exit_code'] == 0 and run.about['kind'] == 'venue'


def test_after_the_end_nothing_is_added_to_its_log(settings):
    folder = begin(settings)
    folder.close(0)
    log.get_logger().warning('Too late.')
    assert b'Too late' not in everything(folder.path)


def test_no_credential_is_in_any_byte_of_it(settings):
    folder = begin(settings)
    log.hide('SECRETSECRET')
    log.get_logger().warning('the secret is SECRETSECRET')
    folder.close(0)
    found = everything(folder.path)
    for secret in (b'KEYKEYKEY', b'SECRETSECRET', b'me@example.org', b'PASSWORDPASSWORD', b'OTPOTPOTP', b'pass-in-url'):
        assert secret not in found
    assert open_run(folder.path).about['settings']['ORDER_PAIRS'] == 6


def test_two_runs_of_one_second_have_two_folders(settings):
    folders = [begin(settings) for _ in range(3)]
    assert len(set(folder.path for folder in folders)) == 3
    for folder in folders:
        folder.close(0)


def test_only_the_newest_are_kept(settings, tmp_path):
    make_old(tmp_path, OLD)
    settings.RUNS_KEEP = 3
    for name in OLD:
        for file in (tmp_path / 'runs' / name).iterdir():
            os.utime(str(file), (1500000000, 1500000000))
    folder = begin(settings)
    folder.close(0)
    assert run_names(settings.RUNS_DIR) == OLD[-2:] + [os.path.basename(folder.path)]


def test_what_is_not_ours_is_never_removed(settings, tmp_path):
    make_old(tmp_path, OLD[:2])
    runs = tmp_path / 'runs'
    for name in ('notes', '20200101-120000-XBTUSD-of-mine', '20190101-000000-ETHUSD'):
        (runs / name).mkdir()
        (runs / name / 'precious.txt').write_bytes(b'keep')
    (runs / 'mine').mkdir()
    (runs / 'mine' / 'journal.sqlite').write_bytes(b'keep')
    settings.RUNS_KEEP = 1
    begin(settings).close(0)
    assert sorted(str(path.parent.name) for path in runs.glob('*/precious.txt')) == [
        '20190101-000000-ETHUSD', '20200101-120000-XBTUSD-of-mine', 'notes']
    assert (runs / 'mine' / 'journal.sqlite').exists() and not (runs / OLD[0]).exists()


def test_a_run_that_another_bot_is_writing_is_not_removed(settings, tmp_path):
    other = tmp_path / 'runs' / OLD[0]
    other.mkdir(parents=True)
    running = run_folder.RunFolder(str(other), {})
    running.journal.note('WARNING', 'still here')
    assert os.path.exists(str(other))
    settings.RUNS_KEEP = 1
    folder = begin(settings)
    folder.close(0)
    running.close(0)
    assert OLD[0] in run_names(settings.RUNS_DIR)


def test_without_runs_dir_there_is_no_folder(settings, tmp_path):
    settings.RUNS_DIR = ''
    folder = begin(settings)
    folder.close(0)
    assert folder.journal is NO_JOURNAL and list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_said_once_and_the_run_goes_on(settings, tmp_path, caplog):
    (tmp_path / 'runs').write_bytes(b'a file where a folder should be')
    folder = begin(settings)
    folder.close(0)
    assert folder.journal is NO_JOURNAL and caplog.text.count('This run leaves no journal') == 1


def test_a_log_file_that_cannot_be_written_is_said_once_and_ends(settings, caplog):
    folder = begin(settings)
    os.remove(os.path.join(folder.path, 'run.log'))
    os.mkdir(os.path.join(folder.path, 'run.log'))
    for _ in range(3):
        log.get_logger().warning('more')
        folder.log_file.write_out()
    folder.close(0)
    assert caplog.text.count('The log file ends here') == 1


def test_the_kind_of_run_is_told(settings):
    dry = begin(settings, is_dry_run=True)
    dry.close(0)
    about = open_run(dry.path).about
    assert about['kind'] == 'dry-run' and about['market_effect'] == 'none: nothing is sent' and about['market'] == 'https://example.org/api/v1/'
