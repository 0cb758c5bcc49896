"""settings.py.example, made from the records of `_settings_base`: what `marketmaker setup` writes.

`make docs` writes the committed file; a test holds it to this.
"""
from __future__ import absolute_import, division, print_function

import os
import textwrap

from market_maker import _settings_base as base
from market_maker.utils.compat import to_bytes

HEAD = """\
# The settings of the market maker, all of them, at their defaults. This file is Python: a line that you delete goes back
# to its default. "marketmaker check" shows every value and where it came from.
#
# Files are read in this order, and later ones win: this one, settings-SYMBOL.py beside it (for one symbol), environment
# variables (MM_ORDER_PAIRS=3 sets ORDER_PAIRS), the command line. While the bot runs, saving this file is enough for most
# settings; the rest wait for the next start, and the bot says so.
#
# Once it holds a secret, keep the file to yourself: chmod 600 settings.py
import logging
"""
WIDTH = 116


def text():
    """The whole file."""
    parts = [HEAD]
    for group in base.GROUPS:
        parts.append('\n%s\n# %s\n%s' % ('#' * WIDTH, group, '#' * WIDTH))
        for setting in base.SETTINGS:
            if setting.group == group:
                parts.append('\n%s\n%s = %s' % (_comment(setting), setting.name, _default(setting)))
    return '\n'.join(parts) + '\n'


def write(path):
    """Write the file, readable by its owner alone; an OSError when there is one already."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, 'wb') as file:
        file.write(to_bytes(text()))


def _comment(setting):
    sentence = setting.meaning + (' Unit: %s.' % setting.unit if setting.unit else '')
    return '\n'.join('# ' + line for line in textwrap.wrap(sentence, WIDTH - 2, break_on_hyphens=False))


def _default(setting):
    return 'logging.INFO' if setting.name == 'LOG_LEVEL' else base.show(setting.default)
