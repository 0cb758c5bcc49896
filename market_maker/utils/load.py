"""Finding the class that `--strategy` names: "module:Class" or "path/to/file.py:Class"."""
from __future__ import absolute_import, division, print_function

import importlib
import os
import sys
import traceback
import types

from market_maker.utils import errors


def load_class(spec, base):
    """The class, which must be a subclass of `base`. Raises SettingsError with one sentence that says what is wrong."""
    where, colon, name = spec.rpartition(':')
    if not colon or not where or not name:
        raise errors.SettingsError('--strategy %s: write it as module:Class or file.py:Class.' % spec)
    module = _from_file(spec, where) if where.endswith('.py') else _from_module(spec, where)
    try:
        found = getattr(module, name)
    except AttributeError:
        ours = sorted(key for key, value in vars(module).items() if _is_one(value, base) and value is not base)
        raise errors.SettingsError('--strategy %s: %s has no %s%s' % (
            spec, where, name, '; it has %s.' % ', '.join(ours) if ours else '.'))
    if not _is_one(found, base):
        raise errors.SettingsError('--strategy %s: %s is not a subclass of %s.' % (spec, name, base.__name__))
    return found


def _is_one(value, base):
    return isinstance(value, type) and issubclass(value, base)


def _from_module(spec, name):
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        return importlib.import_module(name)
    except Exception as error:
        raise errors.SettingsError(_sentence(spec, error))


def _from_file(spec, path):
    """Run the file as a module of its own; what it imports from its folder is found, nothing is written beside it."""
    module = types.ModuleType(os.path.splitext(os.path.basename(path))[0])
    module.__file__ = path
    try:
        with open(path, 'rb') as source:
            code = compile(source.read(), path, 'exec', 0, True)
        sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
        sys.modules.setdefault(module.__name__, module)
        exec(code, vars(module))
    except (IOError, OSError) as error:
        raise errors.SettingsError('--strategy %s: the file cannot be read: %s.' % (spec, error.strerror or error))
    except Exception as error:
        raise errors.SettingsError(_sentence(spec, error))
    return module


def _sentence(spec, error):
    frames = traceback.extract_tb(sys.exc_info()[2])
    place = '' if isinstance(error, (SyntaxError, ImportError)) else ' (%s, line %s)' % (os.path.basename(frames[-1][0]), frames[-1][1])
    return '--strategy %s: %s: %s%s.' % (spec, type(error).__name__, error, place)
