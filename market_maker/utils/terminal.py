"""What a terminal can show: how wide it is, whether it knows block characters, and whether it wants colours (NO_COLOR is respected)."""
from __future__ import absolute_import, division, print_function

import os
import shutil

WIDTH = 120                    # of a line that goes into a file or a pipe, and the longest anywhere
_NARROWEST = 60
_COLOURS = {'buy': '32', 'sell': '31', 'warning': '33', 'head': '1'}


def width(stream):
    """Columns to write to: those of the terminal, WIDTH at most; WIDTH where the stream is none."""
    measure = getattr(shutil, 'get_terminal_size', None)
    if not is_terminal(stream):
        return WIDTH
    columns = measure((80, 24)).columns if measure is not None else _number(os.environ.get('COLUMNS')) or 80
    return max(_NARROWEST, min(WIDTH, columns))


def is_terminal(stream):
    return bool(getattr(stream, 'isatty', lambda: False)())


def knows_blocks(stream):
    """Whether characters beyond ASCII come out as they are."""
    return (getattr(stream, 'encoding', None) or '').lower().replace('-', '').replace('_', '') == 'utf8'


def wants_colours(stream, environ=None):
    """Whether escape sequences are colours there, and wanted (https://no-color.org)."""
    environ = os.environ if environ is None else environ
    is_able = os.name == 'posix' or 'WT_SESSION' in environ
    return is_able and is_terminal(stream) and not environ.get('NO_COLOR') and environ.get('TERM') != 'dumb'


def painted(text, tone):
    """The text in the colour of a tone ('buy', 'sell', 'warning', 'head'); unchanged for any other."""
    return '\033[%sm%s\033[0m' % (_COLOURS[tone], text) if tone in _COLOURS and text.strip() else text


def _number(text):
    return int(text) if text and text.isdigit() else None
