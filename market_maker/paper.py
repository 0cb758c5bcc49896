"""The venue as a child process: start it, hand over its address and key, notice its death, stop it last.

- It runs in a session of its own: the Ctrl-C that stops the bot must not stop the venue before the orders are cancelled.
- It ends when its standard input closes, so a bot that is killed leaves no orphan behind.
- On a market of files it also tells, by `tell`, what it warns about: that a recording is over, and what was wrong with it.
- It needs Python 3.10 or newer and the packages of the extra [paper]; where this interpreter is older, the environment
  variable MM_VENUE_PYTHON names one that will do.
"""
from __future__ import absolute_import, division, print_function

import collections
import json
import os
import subprocess
import sys
import threading

import market_maker
from market_maker import _settings_base as base
from market_maker.utils import compat, errors, log, threads

START_LIMIT_S = 20
FILES_LIMIT_S = 300            # files are looked through first
STOP_LIMIT_S = 5
OLDEST = (3, 10)
COMPLAINS = 'bitmex_venue: '   # how it begins a line about a wrong option or file
PYTHON_VARIABLE = 'MM_VENUE_PYTHON'

logger = log.get_logger()


class PaperVenue(object):
    """A running venue: base_url, key, secret, profile, market, about (the market, in a line), pid. Made by `start`."""

    def __init__(self, process, limit=START_LIMIT_S, tell=None):
        self._process = process
        self._tell = tell
        self._announced = threading.Event()
        self._first_line = None
        self._stopping = False
        self._last_words = collections.deque(maxlen=20)
        self.on_death = None  # called once, from another thread, when the venue ends by itself
        self._readers = [threads.start(self._read_stdout, 'paper-stdout'), threads.start(self._read_stderr, 'paper-stderr')]
        try:
            ready = self._ready_line(limit)
            self.base_url, self.key, self.secret = ready['url'], ready['key'], ready['secret']
        except (KeyError, TypeError):
            self.stop()
            raise errors.PaperVenueError('The paper venue answered its start with something that is not understood.')
        except BaseException:
            self.stop()
            raise
        self.profile, self.market, self.pid = ready.get('profile'), ready.get('market'), process.pid
        self.about = ready.get('about') or self.market

    @classmethod
    def start(cls, market='lively', profile='classic', seed=None, balance_xbt=1, python=None, limit=None, symbol=None, tell=None, more=()):
        """Start a venue and wait until it says that it is ready.

        market -- lively, calm, empty, the path of a file, several paths with commas or as a list; balance_xbt -- paper money in XBT; python -- an interpreter;
        limit -- seconds; symbol -- what is played of files; tell -- called with each warning of a market of files; more -- further options of the
        venue. Raises PaperVenueError, one line that says what to do, or SettingsError for a file that is no market.
        """
        python = find_python(python)
        files = market if isinstance(market, list) else base.market_files(market, os.getcwd())
        command = [python, '-m', 'bitmex_venue', '--port', '0', '--ready-json', '--profile', profile]
        for one in [os.path.abspath(os.path.expanduser(path)) for path in files] or [market]:
            command += ['--market', one]
        command += ['--balance-xbt', str(balance_xbt)]
        if seed is not None:
            command += ['--seed', str(seed)]
        if files and symbol is not None:
            command += ['--market-symbol', symbol]
        command += more
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, close_fds=True,
                cwd=os.path.abspath(os.sep), env=_environment(), **compat.own_session())
        except (OSError, IOError) as error:
            raise errors.PaperVenueError('The paper venue cannot be started with %s: %s.' % (python, error.strerror or error))
        return cls(process, limit or (FILES_LIMIT_S if files else START_LIMIT_S), tell if files else None)

    def alive(self):
        """Whether the venue still runs."""
        return self._process.poll() is None

    def stop(self):
        """Let the venue end, and see to it that it has. Calling again is harmless."""
        self._stopping = True
        process = self._process
        for end in (self._close_stdin, process.terminate, process.kill):
            try:
                end()
            except (OSError, IOError):  # it is gone already
                pass
            self._readers[0].join(STOP_LIMIT_S)  # its output ends when it does
            if not self._readers[0].is_alive():
                break
        process.wait()
        for reader in self._readers:
            reader.join(1)
        for stream in (process.stdout, process.stderr):
            stream.close()

    def obituary(self):
        """One line about how it ended."""
        code = self._process.poll()
        words = self._said()
        return 'The paper venue ended by itself (%s)%s' % (
            'exit code %s' % code if code is None or code >= 0 else 'signal %d' % -code, ': %s' % words if words else '.')

    def _ready_line(self, limit):
        if not self._announced.wait(limit):
            raise errors.PaperVenueError('The paper venue was not ready within %g s%s' % (limit, self._because()))
        if not self._first_line:
            self._readers[1].join(1)
            raise self._did_not_start()
        try:
            return json.loads(compat.to_text(self._first_line))
        except ValueError:
            return None

    def _did_not_start(self):
        said = self._said()
        end = compat.monotonic() + 1
        while self.alive() and compat.monotonic() < end:  # its output ends a moment before it does
            threading.Event().wait(0.01)
        if self._process.poll() == errors.EXIT_USAGE and said.startswith(COMPLAINS):
            return errors.SettingsError(said[len(COMPLAINS):])
        return errors.PaperVenueError(_remedy(said) or 'The paper venue did not start%s' % self._because())

    def _because(self):
        return ': %s' % self._said() if self._said() else '.'

    def _said(self):
        lines = [line for line in list(self._last_words) if line.strip()]
        return log.redact(lines[-1].strip()) if lines else ''

    def _close_stdin(self):
        self._process.stdin.close()

    def _read_stdout(self):
        stream = self._process.stdout
        self._first_line = stream.readline()
        self._announced.set()
        while stream.readline():
            pass
        if not self._stopping and self.on_death is not None:
            self.on_death()

    def _read_stderr(self):
        for line in iter(self._process.stderr.readline, b''):
            text = line.decode('utf-8', 'replace')
            self._last_words.append(text)
            for level in (' WARNING ', ' ERROR '):
                if self._tell is not None and level in text:
                    self._tell(text.partition(level)[2].rstrip())


def start_for(settings):
    """A venue as the PAPER_ settings want it. Its address and key then stand in the settings instead of the user's own."""
    venue = PaperVenue.start(settings.PAPER_MARKET, settings.PAPER_PROFILE, settings.PAPER_SEED, settings.PAPER_BALANCE_XBT,
                             symbol=settings.SYMBOL, tell=lambda line: logger.warning('The paper venue: %s', line))
    log.hide(venue.secret)
    settings.BASE_URL, settings.API_KEY, settings.API_SECRET = venue.base_url, venue.key, venue.secret
    settings.LOGIN = settings.PASSWORD = settings.OTPTOKEN = ''
    return venue


def find_python(python=None):
    """The interpreter for the venue: the one given, MM_VENUE_PYTHON, or this one. Raises PaperVenueError if none will do."""
    python = python or os.environ.get(PYTHON_VARIABLE)
    if python:
        return python
    if sys.version_info[:2] >= OLDEST and sys.executable:
        return sys.executable
    raise errors.PaperVenueError(
        'The paper venue needs Python %d.%d or newer and this is %d.%d: set %s to a newer interpreter, or start '
        '"python3 -m bitmex_venue" with one and give its address and key (--base-url URL, BITMEX_API_KEY, BITMEX_API_SECRET).'
        % (OLDEST + sys.version_info[:2] + (PYTHON_VARIABLE,)))


def _remedy(words):
    """What to do about a module that is missing, or None."""
    for module in ('aiohttp', 'sortedcontainers'):
        if 'No module named' in words and module in words:
            return ("The paper venue lacks the package %s: pip install '.[paper]' in a checkout, "
                    "or pip install 'marketmaker-desk[paper]'." % module)
    if 'No module named' in words and 'bitmex_venue' in words:
        return ('The package bitmex_venue is not installed for the interpreter of the paper venue: '
                'install marketmaker-desk[paper] there with Python 3.10 or newer.')
    return None


def _environment():
    """The environment of the child: in a checkout the two packages stand side by side, and the child must find the other."""
    environment = dict(os.environ)
    for name in list(environment):
        if name.startswith(('BITMEX_', 'MM_')):  # the user's own credentials are none of the venue's business
            del environment[name]
    home = os.path.dirname(os.path.dirname(os.path.abspath(market_maker.__file__)))
    if os.path.isdir(os.path.join(home, 'bitmex_venue')) and os.path.basename(home) not in ('site-packages', 'dist-packages'):
        paths = [home] + [path for path in environment.get('PYTHONPATH', '').split(os.pathsep) if os.path.isabs(path)]
        environment['PYTHONPATH'] = os.pathsep.join(paths)
    return environment
