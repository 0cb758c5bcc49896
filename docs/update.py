"""Writes what the documentation takes from the code: settings.py.example, the settings table of the README, the ladder's picture.

`make docs` runs it; tests hold the committed files to it.
"""
from __future__ import absolute_import, division, print_function

import io
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
sys.path[:0] = [ROOT, HERE]

import draw_ladder  # noqa: E402
from market_maker import _settings_base as base  # noqa: E402
from market_maker import _settings_example  # noqa: E402
from market_maker.utils.compat import to_text  # noqa: E402

BEGIN, END = '<!-- settings: made by "make docs" -->', '<!-- end of settings -->'


def table():
    """The settings as a table in Markdown."""
    lines = []
    for group in base.GROUPS:
        lines += ['', '**%s**' % group, '', '| setting | default | unit | meaning |', '|---|---|---|---|']
        for setting in base.SETTINGS:
            if setting.group == group:
                default = 'logging.INFO' if setting.name == 'LOG_LEVEL' else base.show(setting.default)
                lines.append('| `%s` | `%s` | %s | %s |' % (setting.name, default, setting.unit, setting.meaning))
    return '\n'.join(lines[1:]) + '\n'


def between(text, new):
    """`text` with what stands between BEGIN and END replaced."""
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return head + BEGIN + '\n\n' + new + '\n' + END + tail


def files():
    """path below the checkout -> what it must contain."""
    with io.open(os.path.join(ROOT, 'README.md'), encoding='utf-8') as file:
        readme = file.read()
    return {'README.md': between(readme, to_text(table())), 'settings.py.example': to_text(_settings_example.text()),
            os.path.join('docs', 'ladder.svg'): to_text(draw_ladder.svg())}


if __name__ == '__main__':
    for path, text in files().items():
        with io.open(os.path.join(ROOT, path), 'w', encoding='utf-8', newline='\n') as file:
            file.write(text)
