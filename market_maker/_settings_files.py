"""One settings file, read by running it: what it sets, or in one sentence why it cannot be read.

The file is run in a namespace of its own and never imported, so nothing is kept in sys.modules and nothing is written
beside it; what it imports from its own folder is found, as it was when the original imported it.
"""
from __future__ import absolute_import, division, print_function

import os
import stat
import sys
import traceback
from types import ModuleType

from market_maker import _settings_base as base


def run_file(path):
    """(names the file sets, sentence about what is wrong with it or None). Lower-case names are the file's own affair."""
    shown = os.path.basename(path)
    try:
        with open(path, 'rb') as source:
            code = compile(source.read(), path, 'exec', 0, True)
        namespace = {'__name__': 'settings', '__file__': path, '__builtins__': __builtins__}
        _run(code, namespace, os.path.dirname(os.path.abspath(path)))
    except (IOError, OSError) as error:
        return {}, '%s cannot be read: %s.' % (shown, error.strerror or error)
    except SyntaxError as error:
        return {}, '%s, line %s: %s.' % (shown, error.lineno or '?', error.msg)
    except Exception as error:  # whatever the user's own code raises
        line = _line(path)
        return {}, '%s, line %s: %s%s.' % (shown, line, type(error).__name__, '' if _is_about_a_secret(path, line) else ': %s' % error)
    except SystemExit:
        return {}, '%s, line %s: it calls exit().' % (shown, _line(path))
    return dict((name, value) for name, value in namespace.items() if _is_setting(name, value)), None


def readable_by_others(path):
    """Whether users of this machine other than the owner may read the file (never so on Windows)."""
    try:
        return os.name == 'posix' and bool(os.stat(path).st_mode & (stat.S_IRGRP | stat.S_IROTH))
    except OSError:
        return False


def _run(code, namespace, folder):
    wrote_bytecode = sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    sys.path.insert(0, folder)
    try:
        exec(code, namespace)
    finally:
        sys.path.remove(folder)
        sys.dont_write_bytecode = wrote_bytecode


def _is_setting(name, value):
    """Upper-case names are meant as settings, but for modules, functions and classes that happen to be so named."""
    return name.isupper() and not name.startswith('_') and (
        name in base.BY_NAME or not (isinstance(value, (ModuleType, type)) or callable(value)))


def _line(path):
    lines = [entry[1] for entry in traceback.extract_tb(sys.exc_info()[2]) if entry[0] == path]
    return lines[-1] if lines else '?'


def _is_about_a_secret(path, number):
    """Whether a line of the file names a secret: then the words of its error may hold it."""
    with open(path, 'rb') as source:
        line = source.read().splitlines()[number - 1:number] if isinstance(number, int) else []
    return any(name.encode('ascii') in line[0] for name in base.SECRETS) if line else True
