"""Where settings come from: files, environment, command line, read in this order into one set of values, or a list of problems."""
from __future__ import absolute_import, division, print_function

import os
import re
from collections import namedtuple

from market_maker import _settings_base as base
from market_maker._settings_base import nearest, show, unknown
from market_maker._settings_files import readable_by_others, run_file
from market_maker.utils import address, errors
from market_maker.utils.compat import string_types, urlsplit
from market_maker.utils.kinds import Credential

CLOSED = ('BitMEX has closed (23 September 2026): %s answers no more. BASE_URL = "paper", or --base-url paper on the command line, '
          'trades paper money on a venue on this machine.')
FILE_NAME = 'settings.py'
DEFAULT, COMMAND_LINE = 'default', 'command line'
RAW, TEXT = 'raw', 'text'

# values, origins -- by name, without the defaults; notices -- sentences worth a warning; files -- to be watched, there or not
Found = namedtuple('Found', 'values origins notices files')


class Sources(object):
    """The places settings come from; `read` can be called again."""

    def __init__(self, symbol, path, environ, overrides, cwd):
        self.path = os.path.join(cwd, path or FILE_NAME)
        self.must_exist = path is not None
        self.environ = environ
        self.overrides = dict(overrides)
        if symbol:
            self.overrides['SYMBOL'] = symbol
        self.cwd = cwd
        self._were_there = set()  # files that were read before

    def read(self):
        """What is Found, or SettingsError with every problem there is; a file that was read before and is gone is one."""
        reading = _Reading()
        self._add(reading, self.path, self.must_exist)
        environment = reading.environment(self.environ)
        symbol = self.overrides.get('SYMBOL') or environment.get('SYMBOL', (None,))[0] or reading.latest('SYMBOL')
        files = [self.path]
        if isinstance(symbol, string_types) and _is_fine('SYMBOL', symbol):
            files.append(os.path.join(os.path.dirname(self.path), 'settings-%s.py' % symbol))
            self._add(reading, files[-1], False, symbol)
        for name, (text, variable) in environment.items():
            reading.put(name, text, 'environment (%s)' % variable, TEXT)
        for name, value in self.overrides.items():
            reading.put(name, value, COMMAND_LINE, RAW)
        return reading.result(files, self.cwd)

    def _add(self, reading, path, must_exist, symbol=None):
        if os.path.exists(path) or must_exist:
            reading.add_file(path, symbol)
            self._were_there.add(path)
        elif path in self._were_there:
            reading.problems.append('%s is gone: put it back, or start again without it.' % os.path.basename(path))


class _Reading(object):
    """One pass over the sources: what was found, and what is wrong with it."""

    def __init__(self):
        self.found = {}  # name -> (value, origin, RAW or TEXT)
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
            self.put(name, names[name], shown, RAW)
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

    def result(self, files, cwd):
        values, origins = {}, {}
        for name in sorted(self.found):
            value, origin, form = self.found[name]
            kind = base.BY_NAME[name].kind
            try:
                values[name] = kind.parse(value) if form == TEXT else kind.accept(value)
            except ValueError as error:
                what = name if isinstance(kind, Credential) else '%s = %s' % (name, address.without_user(show(value)))
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
        return Found(values, origins, self.notices, files)

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
        missing = [path for path in base.market_files(market, cwd) if not os.path.isfile(path)] if market else []
        if missing:
            found.append('%s: PAPER_MARKET = %s must be one of %s, or a file: there is none of that name%s.' % (
                origins.get('PAPER_MARKET', DEFAULT), show(market), ', '.join(base.PAPER_MARKETS), ' (%s)' % missing[0] if ',' in market else ''))
        return found


def _where(origins, sentence):
    """Where the two settings of a `crossed` sentence came from."""
    named = [name for name in origins if re.search(r'\b%s\b' % name, sentence)]
    return ' and '.join(sorted(set(origins[name] for name in named))) or DEFAULT


def _is_fine(name, value):
    try:
        base.BY_NAME[name].kind.accept(value)
    except ValueError:
        return False
    return True
