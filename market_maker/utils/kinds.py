"""What a setting's value may be: each kind says what it expects, checks a value, and reads one from text.

A kind has `expects` (words that end the sentence "NAME must be ..."), `accept(value)`, which returns the value in its
one form or raises ValueError, and `parse(text)`, which does the same for text from the environment or the command line.
"""
from __future__ import absolute_import, division, print_function

import logging
import re

from market_maker.utils import address
from market_maker.utils.compat import string_types, urlsplit

_YES, _NO = ('true', 'yes', 'on', '1'), ('false', 'no', 'off', '0')
_LEVELS = ('DEBUG', 'INFO', 'WARN', 'WARNING', 'ERROR', 'CRITICAL')


class Text(object):
    """Any text; `longest` characters at most, never empty when `empty` is False."""

    def __init__(self, longest=None, empty=True):
        self.longest = longest
        self.empty = empty
        self.expects = 'text' + ('' if longest is None else ' of at most %d characters' % longest)
        if not empty:
            self.expects += ', not empty'

    def accept(self, value):
        if not isinstance(value, string_types) or (not value and not self.empty):
            raise ValueError(self.expects)
        if self.longest is not None and len(value) > self.longest:
            raise ValueError('%s (it has %d)' % (self.expects, len(value)))
        return value

    parse = accept


class Symbol(Text):
    """The name of an instrument, such as XBTUSD or .BXBT: it becomes part of a file's name, so nothing else goes in."""

    def __init__(self):
        super(Symbol, self).__init__()
        self.expects = 'the name of an instrument, such as "XBTUSD"'

    def accept(self, value):
        if not isinstance(value, string_types) or not re.match(r'^\.?[A-Za-z0-9][A-Za-z0-9_.:-]*$', value):
            raise ValueError(self.expects)
        return value

    parse = accept


class Credential(object):
    """Text that travels in a header: `is_key` for one of ASCII letters, digits and signs; otherwise anything but control characters."""

    def __init__(self, is_key=True):
        self.expects = 'a key without white space' if is_key else 'text without control characters'
        self._fits = re.compile(u'^[!-~]*$' if is_key else u'^[^\\x00-\\x1f\\x7f]*$').match

    def accept(self, value):
        if not isinstance(value, string_types) or not self._fits(value) or value.endswith('\n'):  # which $ lets pass
            raise ValueError(self.expects)
        return value

    parse = accept


class Address(object):
    """One of a few `words`, or the http(s) address of a REST API; a missing path becomes /api/v1/."""

    def __init__(self, *words):
        self.words = words
        self.expects = ' or '.join(['"%s"' % word for word in words] + ['an address such as "http://127.0.0.1:8080/api/v1/"'])

    def accept(self, value):
        if not isinstance(value, string_types):
            raise ValueError(self.expects)
        if value.strip().lower() in self.words:
            return value.strip().lower()
        problem = address.problem_of(value, for_credentials=False)
        if problem:
            raise ValueError('%s (this one %s)' % (self.expects, problem))
        if not urlsplit(value).path.strip('/'):
            return value.rstrip('/') + '/api/v1/'
        return value if value.endswith('/') else value + '/'

    parse = accept


class OneOf(object):
    """One of a few words, compared as written."""

    def __init__(self, *words):
        self.words = words
        self.expects = 'one of ' + ', '.join('"%s"' % word for word in words)

    def accept(self, value):
        if value not in self.words:
            raise ValueError(self.expects)
        return value

    parse = accept


class Number(object):
    """A number from `low` to `high`; the ends belong to it unless `above` (then `low` itself does not)."""

    noun = 'a number'

    def __init__(self, low=None, high=None, above=False):
        self.low = low
        self.high = high
        self.above = above
        self.expects = self.noun + self._range()

    def _range(self):
        if self.low is None:
            return ''
        if self.high is None:
            return ' above %s' % self.low if self.above else ' of at least %s' % self.low
        return (' above %s and up to %s' if self.above else ' from %s to %s') % (self.low, self.high)

    def accept(self, value):
        if isinstance(value, bool) or isinstance(value, string_types):
            raise ValueError(self.expects)
        try:
            inside = self._inside(value)
        except TypeError:
            inside = False
        if not inside:
            raise ValueError(self.expects)
        return self.form(value)

    def _inside(self, value):
        if value != value or value in (float('inf'), float('-inf')) or not value - value == 0:
            return False
        if self.low is not None and (value < self.low or (self.above and value == self.low)):
            return False
        return self.high is None or value <= self.high

    def form(self, value):
        return value

    def parse(self, text):
        for read in (int, float):
            try:
                return self.accept(read(text.strip()))
            except ValueError:
                continue
        raise ValueError(self.expects)


class Whole(Number):
    """A whole number; 100.0 is one and becomes 100."""

    noun = 'a whole number'

    def form(self, value):
        if int(value) != value:
            raise ValueError(self.expects)
        return int(value)


class Flag(object):
    """True or False; 1 and 0 as well."""

    expects = 'True or False'

    def accept(self, value):
        if isinstance(value, bool) or (isinstance(value, int) and value in (0, 1)):
            return bool(value)
        raise ValueError(self.expects)

    def parse(self, text):
        word = text.strip().lower()
        if word in _YES or word in _NO:
            return word in _YES
        raise ValueError('true or false')


class LogLevel(object):
    """A level of `logging`: its number or its name."""

    expects = 'logging.DEBUG, logging.INFO, logging.WARN, logging.ERROR or the name of one of them'

    def accept(self, value):
        if isinstance(value, string_types) and value.upper() in _LEVELS:
            return getattr(logging, value.upper())
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise ValueError(self.expects)
        return value

    def parse(self, text):
        return self.accept(int(text) if text.strip().isdigit() else text.strip())


class TextList(object):
    """A list (or tuple) of texts; as text: separated by commas."""

    expects = 'a list of texts'

    def accept(self, value):
        if not isinstance(value, (list, tuple)) or not all(isinstance(item, string_types) for item in value):
            raise ValueError(self.expects)
        return list(value)

    def parse(self, text):
        return [item.strip() for item in text.split(',') if item.strip()]


class OrNone(object):
    """None, or a value of another kind; as text: empty or "none"."""

    def __init__(self, kind):
        self.kind = kind
        self.expects = 'None or ' + kind.expects

    def accept(self, value):
        return None if value is None else self._or_us(self.kind.accept, value)

    def parse(self, text):
        return None if text.strip().lower() in ('', 'none') else self._or_us(self.kind.parse, text)

    def _or_us(self, read, value):
        try:
            return read(value)
        except ValueError:
            raise ValueError(self.expects)
