"""The words of the command line that have options of their own: where each lives, and what they share.

Rules:

* A word is a module with `main(argv)`, given what follows the word, which returns the exit code. It is imported when it is asked for.
* `--set NAME=VALUE` may be given again, or with several NAME=VALUE after it; `--vary` too.
* Each has `--help` with an example, and `--json` where a script can use its answer: one JSON document on standard output, nothing else there.
* Exit codes are those of the bot: 0 done, 1 an error, 2 wrong usage or data.
* Words of the lab need packages that the bot does not: without them one line says what to install.
"""
from __future__ import absolute_import, division, print_function

import argparse
import importlib
import json
import sys
from collections import namedtuple

from market_maker.utils import compat, errors

# what -- for --help; module -- has main(argv); is_lab -- whether it needs the packages of the extra [lab]
Word = namedtuple('Word', 'what module is_lab')
WORDS = {
    'backtest': Word('let the bot trade a recorded or synthetic market in simulated time', 'market_maker.backtest.word', True),
    'explain': Word('tell the story of an order: which rule made it, moved it, ended it', 'market_maker.explain', False),
    'preview': Word('show the ladder, what its fills would do, and what it would earn', 'market_maker.preview_word', False),
    'record': Word('store the public stream of a venue, to be replayed and back-tested later', 'market_maker.record', False),
    'replay': Word('play recorded market data as a venue', 'market_maker.replay', False),
    'report': Word('show what runs did: profit and where it came from, as text, page and pictures', 'market_maker.backtest.report.command', True),
    'runs': Word('list the runs that have left a journal, and what they made', 'market_maker.runs', False),
    'tune': Word('search settings, and judge what is found on data it was not chosen on', 'market_maker.backtest.tune', True),
}
LAB = 'market_maker.backtest'  # written for Python 3.11: older ones cannot even read it
LAB_PACKAGES = ('numpy', 'polars', 'hftbacktest', 'plotly', 'matplotlib', 'optuna', 'distributed', 'tqdm')


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaints are one line and exit code 2. `example` ends its help."""

    def __init__(self, word, what, example):
        super(Parser, self).__init__(prog='marketmaker ' + word, description=what, epilog='example:\n  ' + example,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
        self._word = word

    def parse_args(self, args=None, namespace=None):
        return super(Parser, self).parse_args(None if args is None else one_each(args), namespace)

    def error(self, message):
        raise errors.SettingsError('%s. See marketmaker %s --help.' % (message.rstrip('.'), self._word))


def one_each(argv, options=('--set', '--vary')):
    """Arguments in which each NAME=VALUE has its option: `--set A=1 B=2` -> `--set A=1 --set B=2`."""
    spread, option = [], None
    for word in argv:
        if option is not None and '=' in word and not word.startswith('-') and spread[-1] != option:
            spread.append(option)
        elif word.startswith('-') or '=' not in word:
            option = word if word in options else None
        spread.append(word)
    return spread


def run(word, argv):
    """Do a word; its exit code. Raises SettingsError where a word of the lab misses its packages."""
    chosen = WORDS[word]
    module = lab_module(chosen.module, 'marketmaker ' + word) if chosen.is_lab else importlib.import_module(chosen.module)
    return module.main(argv)


def lab_module(name, wanted):
    """Import a module that needs the lab's packages. Raises SettingsError, which says what `wanted` needs, where it cannot be had."""
    if name.startswith(LAB) and not compat.RUNS_THE_LAB:
        raise errors.SettingsError('%s needs Python 3.11 or newer, and this is an older one: install the bot there, with the lab: '
                                   'pip install \'.[lab]\'.' % wanted)
    try:
        return importlib.import_module(name)
    except ImportError as error:
        if not _is_missing_package(error):
            raise
        raise errors.SettingsError('%s needs the lab, and this Python has no %s: pip install \'.[lab]\' (Python 3.11 or newer).' % (
            wanted, getattr(error, 'name', None) or 'package for it'))


def print_json(answer):
    """Write one JSON document to standard output."""
    json.dump(answer, sys.stdout, indent=2, sort_keys=True)
    sys.stdout.write('\n')


def overview():
    """The lines that --help shows of these words."""
    return ''.join('  %-11s %s\n' % (name, WORDS[name].what) for name in sorted(WORDS))


def _is_missing_package(error):
    name = (getattr(error, 'name', None) or str(error).rpartition(' ')[2].strip('\'"')).split('.')[0]
    return name in LAB_PACKAGES or name == 'bitmex_venue'
