"""The folder of a run: RUNS_DIR/<time>-<symbol>/ with its journal and its log, readable by its owner alone.

Rules:

* No secret goes into it: settings without credentials, the log as it is shown.
* Where it cannot be made or written that is said once, and the bot trades on without it.
* Only the newest RUNS_KEEP stay. Removed is only what this module has made: a folder that is named as it names them and holds a journal;
  one that a bot is writing stays.
"""
from __future__ import absolute_import, division, print_function

import os
import re
import shutil
import sys
import time

from market_maker import _settings_base as base
from market_maker.journal import NO_JOURNAL, Journal, NoteHandler
from market_maker.journal_reading import is_fresh, open_run, run_names
from market_maker.journal_schema import FILE_NAME
from market_maker.utils import address, errors, log

LOG_NAME = 'run.log'
NAMED = re.compile(r'^\d{8}-\d{6}-[\w.]+(-\d+)?$')
HIDDEN = base.SECRETS | frozenset(['API_KEY', 'LOGIN'])

logger = log.get_logger()


class RunFolder(object):
    """A run that is under way: `path` of its folder and its `journal`. Made by `begin`."""

    def __init__(self, path, about):
        self.path = path
        self.log_file = log.add_file(os.path.join(path, LOG_NAME))
        self._handlers = [self.log_file]
        self.journal = Journal(os.path.join(path, FILE_NAME), about, also=self.log_file.write_out)
        self._handlers.append(NoteHandler(self.journal))
        logger.addHandler(self._handlers[-1])

    def close(self, exit_code):
        """The run is over. Calling again is harmless."""
        for handler in self._handlers:
            log.remove(handler)
        self._handlers = []
        self.journal.close(exit_code=exit_code)


class _NoFolder(object):
    path = None
    journal = NO_JOURNAL

    def close(self, exit_code):
        pass


NO_FOLDER = _NoFolder()


def begin(settings, symbol, is_dry_run, paper=None):
    """The folder of a run that begins now; one that keeps nothing where RUNS_DIR is empty or cannot be written.

    paper -- the venue on this machine, when it is traded on.
    """
    if not settings.RUNS_DIR:
        return NO_FOLDER
    try:
        folder = RunFolder(new_folder(settings.RUNS_DIR, symbol), facts(settings, symbol, is_dry_run, paper))
    except (IOError, OSError) as error:
        logger.warning('This run leaves no journal: RUNS_DIR %s cannot be written (%s).', settings.RUNS_DIR, error.strerror or error)
        return NO_FOLDER
    logger.info('Journal of this run: %s', folder.path)
    remove_old(settings.RUNS_DIR, settings.RUNS_KEEP)
    return folder


def facts(settings, symbol, is_dry_run, paper=None):
    """What is known of a run before it begins, for its journal's `about`."""
    where = 'paper venue: market %s, profile %s' % (paper.market, paper.profile) if paper else address.without_user(settings.BASE_URL)
    effect = 'none: nothing is sent' if is_dry_run else 'ours stand in the book and are matched there'
    return {'kind': 'dry-run' if is_dry_run else 'paper' if paper else 'venue', 'symbol': symbol, 'market': where, 'market_effect': effect,
            'settings': shown_settings(settings), 'seed': {'market': settings.PAPER_SEED if paper else None, 'sizes': settings.RANDOM_SEED},
            'started': time.time(), 'auth': _auth(settings, is_dry_run), 'python': sys.version.split()[0]}


def _auth(settings, is_dry_run):
    """How the run proves who it is: None, 'key' or 'password'."""
    return None if is_dry_run else 'key' if settings.API_KEY and settings.API_SECRET else 'password'


def shown_settings(settings):
    """The settings in use without credentials, name -> value."""
    values = dict((setting.name, getattr(settings, setting.name)) for setting in base.SETTINGS if setting.name not in HIDDEN)
    return dict(values, BASE_URL=address.without_user(settings.BASE_URL))


def new_folder(runs_dir, symbol):
    """Make the folder, with a number at its end where two runs begin in one second; its path."""
    name = time.strftime('%Y%m%d-%H%M%S-') + re.sub(r'[^\w.]', '_', symbol)
    if not os.path.isdir(runs_dir):
        os.makedirs(runs_dir, 0o700)
    for number in range(1, 100):
        path = os.path.join(runs_dir, name if number == 1 else '%s-%d' % (name, number))
        try:
            os.mkdir(path, 0o700)
            return path
        except OSError:
            if number == 99 or not os.path.isdir(path):
                raise


def remove_old(runs_dir, keep):
    """Remove the oldest runs until `keep` are left."""
    for name in [name for name in run_names(runs_dir) if NAMED.match(name)][:-keep]:
        path = os.path.join(runs_dir, name)
        if not os.path.islink(path) and not _is_under_way(path):
            shutil.rmtree(path, ignore_errors=True)


def _is_under_way(path):
    try:
        run = open_run(path)
    except errors.SettingsError:
        return is_fresh(os.path.join(path, FILE_NAME))  # perhaps one that begins this very moment
    try:
        return run.state() == 'under way'
    finally:
        run.close()
