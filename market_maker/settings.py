"""The settings of this process: defaults < settings.py < settings-SYMBOL.py < environment < command line.

- Every problem is found before any connection is made, and all are reported at once.
- A later layer wins; a value that is overridden is not judged.
- A settings.py written for the original works; what it imports or keeps in lower-case names is its own affair.
- `settings` is filled by the command line, or from the current folder when it is first read.
- `reload` never leaves half an edit behind: a file with a problem changes nothing.
- A secret never appears in a repr, in a problem or in `shown`.
"""
from __future__ import absolute_import, division, print_function

import logging
import os
import re
import sys
from collections import namedtuple

from market_maker import _settings_base as base
from market_maker._settings_base import show, unknown
from market_maker._settings_sources import DEFAULT, FILE_NAME, Sources
from market_maker.utils import address, errors, log

PROGRAM = 'set by the program'
LEVELS = (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL)

# changed -- names whose value is new; problems -- why nothing was changed; later -- names that wait for the next start
Reload = namedtuple('Reload', 'changed problems later')


class Settings(object):
    """Values by name, each with the place it came from. Reading an unknown name, or setting one, is an AttributeError."""

    def __init__(self, values=None, origins=None, notices=(), files=(), sources=None):
        merged = base.defaults()
        merged.update(values or {})
        fields = {'_values': merged, '_origins': dict(origins or {}), '_sources': sources, 'notices': list(notices),
                  'files': list(files)}
        self.__dict__.update(merged)  # where reading looks first: a decision reads a hundred settings
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def __getattr__(self, name):
        try:
            return self._values[name]
        except KeyError:
            raise AttributeError(unknown(name))

    def __setattr__(self, name, value):
        if name not in base.BY_NAME:
            raise AttributeError(unknown(name))
        self._values[name] = self.__dict__[name] = value
        self._origins[name] = PROGRAM

    def __repr__(self):
        return 'Settings(%s)' % ', '.join('%s=%s' % (setting.name, self.shown(setting.name)) for setting in base.SETTINGS)

    def origin(self, name):
        """Where the value came from, in words: a file's name, 'environment (VARIABLE)', 'command line', 'default'."""
        return self._origins.get(name, DEFAULT)

    def as_dict(self):
        """A copy, name -> value, secrets included."""
        return dict(self._values)

    def shown(self, name):
        """The value as text that may be shown to anybody: secrets are replaced, keys shortened."""
        value = self._values[name]
        if value and name in base.SECRETS:
            return '(hidden)'
        if value and name == 'API_KEY':
            return '"%s..."' % value[:4]
        if name == 'LOG_LEVEL' and value in LEVELS:
            return 'logging.%s' % logging.getLevelName(value)
        return address.without_user(show(value)) if name == 'BASE_URL' else show(value)

    def secrets(self):
        """The secret values in use, for the log to leave out."""
        return [self._values[name] for name in sorted(base.SECRETS) if self._values[name]]

    def watched_files(self):
        """(files to watch, entries of WATCHED_FILES that are accepted but not reloaded).

        An entry that names the settings file stands for all settings files in use; that of the symbol may appear later.
        """
        names = set(os.path.basename(path) for path in self.files) | set([FILE_NAME])
        ours = [entry for entry in self.WATCHED_FILES if os.path.basename(entry) in names]
        others = [entry for entry in self.WATCHED_FILES if entry not in ours]
        return (list(self.files) if ours else []), others

    def reload(self):
        """Read the same places again. Values set by the program stay; so do FIXED ones, which are named in `later`.

        Returns a Reload and raises nothing: calling again is safe.
        """
        if self._sources is None:
            return Reload([], [], [])
        try:
            fresh = self._sources.read()
        except errors.SettingsError as error:
            return Reload([], error.problems, [])
        values = base.defaults()
        values.update(fresh.values)
        differing = [setting.name for setting in base.SETTINGS if self.origin(setting.name) != PROGRAM
                     and values[setting.name] != self._values[setting.name]]
        changed = [name for name in differing if name not in base.FIXED]
        for name in changed:
            self._values[name] = self.__dict__[name] = values[name]
        for name in base.BY_NAME:
            if name not in base.FIXED and self.origin(name) != PROGRAM:
                self._origins[name] = fresh.origins.get(name, DEFAULT)
        return Reload(changed, [], [name for name in differing if name in base.FIXED])


class _Proxy(object):
    """What `from market_maker.settings import settings` gives: the installed Settings, loaded on first use."""

    def __init__(self):
        object.__setattr__(self, '_settings', None)

    def _get(self):
        if self._settings is None:
            install(load(symbol=_symbol_of_an_old_script(sys.argv)))
        return self._settings

    def __getattr__(self, name):
        if name.startswith('__'):
            raise AttributeError(name)
        return getattr(self._get(), name)

    def __setattr__(self, name, value):
        setattr(self._get(), name, value)

    def __repr__(self):
        return repr(self._settings) if self._settings is not None else 'Settings(not read yet)'


def load(symbol=None, path=None, environ=None, overrides=None, cwd=None):
    """Read the settings. Raises errors.SettingsError, which lists every problem; nothing is installed.

    symbol -- as on the command line; path -- a settings file that must exist (default: settings.py, if there is one);
    environ -- a dict (default: os.environ); overrides -- name -> value, as from the command line; cwd -- a folder.
    """
    sources = Sources(symbol, path, os.environ if environ is None else environ, overrides or {}, cwd or os.getcwd())
    found = sources.read()
    return Settings(found.values, found.origins, found.notices, found.files, sources)


def from_text(assignments):
    """{name: value} of texts such as 'ORDER_PAIRS=3', as on the command line. Raises errors.SettingsError, which lists every problem."""
    values, problems = {}, []
    for assignment in assignments:
        name, equals, text = assignment.partition('=')
        name = name.strip().upper()
        if not equals:
            problems.append('--set %s: write NAME=VALUE.' % assignment)
        elif name not in base.BY_NAME:
            problems.append('--set: %s' % unknown(name))
        elif name in base.SECRETS:
            problems.append('--set: everybody on this machine can read %s on a command line: put it into settings.py or into the environment.' % name)
        else:
            try:
                values[name] = base.BY_NAME[name].kind.parse(text)
            except ValueError as error:
                problems.append('--set: %s must be %s.' % (address.without_user(assignment), error))
    if problems:
        raise errors.SettingsError(problems)
    return values


def install(new):
    """Make `new` what the process-wide `settings` shows; its secrets never appear in a log from now on. Returns it."""
    log.hide(*(new.secrets() if new is not None else ()))
    object.__setattr__(settings, '_settings', new)
    return new


def _symbol_of_an_old_script(argv):
    """Scripts written for the original take the symbol as their first argument without saying so."""
    return argv[1] if len(argv) > 1 and re.match(r'^\.?[A-Z][A-Z0-9_]{2,24}$', argv[1]) else None


settings = _Proxy()
