"""The settings of this process: defaults < settings.py < settings-SYMBOL.py < environment < command line.

- Every problem is found before any connection is made, and all are reported at once.
- A later layer wins; a value that is overridden is not judged.
- A settings.py written for the original works; what it imports or keeps in lower-case names is its own affair.
- `settings` is filled by the command line, or from the current folder when it is first read.
- `reload` never leaves half an edit behind: a file with a problem changes nothing.
- A secret never appears in a repr, in a problem or in `shown`.
"""
from __future__ import absolute_import, division, print_function

import os
import re
import sys
from collections import namedtuple
from difflib import get_close_matches

from market_maker import _settings_base as base
from market_maker._settings_files import readable_by_others, run_file
from market_maker.utils import errors
from market_maker.utils.compat import string_types, urlsplit

CLOSED = ('BitMEX has closed (23 September 2026): %s answers no more. BASE_URL = "paper", or --base-url paper on the command line, '
          'trades paper money on a venue on this machine.')
FILE_NAME = 'settings.py'
_DEFAULT, _PROGRAM, _COMMAND_LINE = 'default', 'set by the program', 'command line'
_RAW, _TEXT = 'raw', 'text'

# changed -- names whose value is new; problems -- why nothing was changed; later -- names that wait for the next start
Reload = namedtuple('Reload', 'changed problems later')


class Settings(object):
    """Values by name, each with the place it came from. Reading an unknown name, or setting one, is an AttributeError."""

    def __init__(self, values=None, origins=None, notices=(), files=(), sources=None):
        merged = base.defaults()
        merged.update(values or {})
        fields = {'_values': merged, '_origins': dict(origins or {}), '_sources': sources, 'notices': list(notices),
                  'files': list(files)}
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
        self._values[name] = value
        self._origins[name] = _PROGRAM

    def __repr__(self):
        return 'Settings(%s)' % ', '.join('%s=%s' % (setting.name, self.shown(setting.name)) for setting in base.SETTINGS)

    def origin(self, name):
        """Where the value came from, in words: a file's name, 'environment (VARIABLE)', 'command line', 'default'."""
        return self._origins.get(name, _DEFAULT)

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
        return show(value)

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
        differing = [setting.name for setting in base.SETTINGS if self.origin(setting.name) != _PROGRAM
                     and fresh._values[setting.name] != self._values[setting.name]]
        changed = [name for name in differing if name not in base.FIXED]
        for name in changed:
            self._values[name] = fresh._values[name]
        for name in base.BY_NAME:
            if name not in base.FIXED and self.origin(name) != _PROGRAM:
                self._origins[name] = fresh.origin(name)
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


class _Sources(object):
    """The places settings come from; `read` can be called again."""

    def __init__(self, symbol, path, environ, overrides, cwd):
        self.path = os.path.join(cwd, path or FILE_NAME)
        self.must_exist = path is not None
        self.environ = environ
        self.overrides = dict(overrides)
        if symbol:
            self.overrides['SYMBOL'] = symbol
        self.cwd = cwd

    def read(self):
        """Settings, or SettingsError with every problem there is."""
        reading = _Reading()
        if self.must_exist or os.path.exists(self.path):
            reading.add_file(self.path)
        environment = reading.environment(self.environ)
        symbol = self.overrides.get('SYMBOL') or environment.get('SYMBOL', (None,))[0] or reading.latest('SYMBOL')
        files = [self.path]
        if isinstance(symbol, string_types) and _is_fine('SYMBOL', symbol):
            files.append(os.path.join(os.path.dirname(self.path), 'settings-%s.py' % symbol))
            if os.path.exists(files[-1]):
                reading.add_file(files[-1], symbol)
        for name, (text, variable) in environment.items():
            reading.put(name, text, 'environment (%s)' % variable, _TEXT)
        for name, value in self.overrides.items():
            reading.put(name, value, _COMMAND_LINE, _RAW)
        return reading.result(self, files, self.cwd)


class _Reading(object):
    """One pass over the sources: what was found, and what is wrong with it."""

    def __init__(self):
        self.found = {}  # name -> (value, origin, _RAW or _TEXT)
        self.problems = []
        self.notices = []

    def latest(self, name):
        return self.found[name][0] if name in self.found else base.BY_NAME[name].default

    def put(self, name, value, origin, form):
        if name in base.BY_NAME:
            self.found[name] = (value, origin, form)
        else:
            self.problems.append('%s: %s' % (origin, unknown(name)))

    def add_file(self, path, symbol=None):
        names, problem = run_file(path)
        shown = os.path.basename(path)
        if problem:
            self.problems.append(problem)
        if symbol is not None and names.get('SYMBOL', symbol) != symbol:
            self.notices.append('%s sets SYMBOL = %s; it is read for %s, and that stays.' % (shown, show(names.pop('SYMBOL')), symbol))
        for name in sorted(names):
            self.put(name, names[name], shown, _RAW)
        if any(isinstance(names.get(name), string_types) and names[name] for name in base.SECRETS) and readable_by_others(path):
            self.notices.append('%s holds a secret and other users of this machine can read it: chmod 600 %s' % (shown, path))

    def environment(self, environ):
        """name -> (text, variable). An MM_ variable that is nearly a setting is worth a word; others are not ours."""
        found = {}
        for variable in sorted(environ):
            name = base.ENVIRONMENT.get(variable)
            if name is None and variable.startswith(base.ENVIRONMENT_PREFIX) and variable not in base.NOT_SETTINGS:
                name = variable[len(base.ENVIRONMENT_PREFIX):]
                if name not in base.BY_NAME:
                    if nearest(name):
                        self.notices.append('environment: %s is ignored; did you mean MM_%s?' % (variable, nearest(name)))
                    continue
            if name is not None and (environ[variable] or variable not in base.ENVIRONMENT):
                found[name] = (environ[variable], variable)
        return found

    def result(self, sources, files, cwd):
        values, origins = {}, {}
        for name in sorted(self.found):
            value, origin, form = self.found[name]
            kind = base.BY_NAME[name].kind
            try:
                values[name] = kind.parse(value) if form == _TEXT else kind.accept(value)
            except ValueError as error:
                what = name if name in base.SECRETS else '%s = %s' % (name, show(value))
                self.problems.append('%s: %s must be %s.' % (origin, what, error))
            origins[name] = origin
        self.problems += self._between(values, origins, cwd)
        if self.problems:
            raise errors.SettingsError(self.problems)
        symbol = values.get('SYMBOL', base.BY_NAME['SYMBOL'].default)
        if 'CONTRACTS' not in values:
            values['CONTRACTS'] = [symbol]
        elif symbol not in values['CONTRACTS']:
            values['CONTRACTS'] = values['CONTRACTS'] + [symbol]
        return Settings(values, origins, self.notices, files, sources)

    def _between(self, values, origins, cwd):
        """Problems of values that are each of the right kind."""
        known = dict((name, value) for name, value in base.defaults().items() if name not in origins)
        known.update(values)
        found = ['%s: %s' % (_where(origins, sentence), sentence) for sentence in base.crossed(known)]
        address = values.get('BASE_URL')
        host = urlsplit(address).hostname if address and address != base.PAPER else None
        if host and (host == 'bitmex.com' or host.endswith('.bitmex.com')):
            found.append('%s: %s' % (origins['BASE_URL'], CLOSED % host))
        market = known.get('PAPER_MARKET')
        if market and market not in base.PAPER_MARKETS and not os.path.isfile(os.path.join(cwd, os.path.expanduser(market))):
            found.append('%s: PAPER_MARKET = %s must be one of %s, or a file: there is none of that name.' % (
                origins.get('PAPER_MARKET', _DEFAULT), show(market), ', '.join(base.PAPER_MARKETS)))
        return found


def load(symbol=None, path=None, environ=None, overrides=None, cwd=None):
    """Read the settings. Raises errors.SettingsError, which lists every problem; nothing is installed.

    symbol -- as on the command line; path -- a settings file that must exist (default: settings.py, if there is one);
    environ -- a dict (default: os.environ); overrides -- name -> value, as from the command line; cwd -- a folder.
    """
    return _Sources(symbol, path, os.environ if environ is None else environ, overrides or {}, cwd or os.getcwd()).read()


def install(new):
    """Make `new` what the process-wide `settings` shows. Returns it."""
    object.__setattr__(settings, '_settings', new)
    return new


def nearest(name):
    """The known setting most like `name`, or None."""
    return (get_close_matches(name.upper(), sorted(base.BY_NAME), 1, 0.7) or [None])[0]


def unknown(name):
    """A sentence about a name that is no setting."""
    return '%s is not a setting%s' % (name, '; did you mean %s?' % nearest(name) if nearest(name) else '.')


def show(value):
    """A value as a settings file would spell it, the same on Python 2 and 3."""
    if isinstance(value, string_types):
        return '"%s"' % value
    if isinstance(value, (list, tuple)):
        return '[%s]' % ', '.join(show(item) for item in value)
    return repr(value)


def _where(origins, sentence):
    """Where the two settings of a `crossed` sentence came from."""
    named = [name for name in origins if re.search(r'\b%s\b' % name, sentence)]
    return ' and '.join(sorted(set(origins[name] for name in named))) or _DEFAULT


def _is_fine(name, value):
    try:
        base.BY_NAME[name].kind.accept(value)
    except ValueError:
        return False
    return True


def _symbol_of_an_old_script(argv):
    """Scripts written for the original take the symbol as their first argument without saying so."""
    return argv[1] if len(argv) > 1 and re.match(r'^\.?[A-Z][A-Z0-9_]{2,24}$', argv[1]) else None


settings = _Proxy()
