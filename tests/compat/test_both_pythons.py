"""What must be the same on Python 2 and 3: every file of the bot compiles on this one, and nothing needs newer syntax."""
from __future__ import absolute_import, division, print_function

import ast
import os

import pytest

from running import ROOT


def sources(*folders):
    found = []
    for folder in folders:
        for where, _, names in os.walk(os.path.join(ROOT, folder)):
            if 'backtest' not in where:
                found += [os.path.join(where, name) for name in names if name.endswith('.py')]
    return sorted(found)


BOT = sources('market_maker')


@pytest.mark.parametrize('path', BOT, ids=[os.path.relpath(path, ROOT) for path in BOT])
def test_a_file_of_the_bot_compiles_here_and_uses_no_syntax_of_python_3_alone(path):
    with open(path, 'rb') as source:
        tree = ast.parse(source.read(), path)
    newer = [name for name in ('JoinedStr', 'AnnAssign', 'NamedExpr', 'AsyncFunctionDef', 'Nonlocal', 'YieldFrom', 'Starred', 'Match')
             if hasattr(ast, name)]
    for node in ast.walk(tree):
        assert type(node).__name__ not in newer or type(node).__name__ == 'Starred', (path, getattr(node, 'lineno', 0))
        if isinstance(node, ast.FunctionDef):
            assert not getattr(node.args, 'kwonlyargs', []), (path, node.lineno)
            assert getattr(node, 'returns', None) is None, (path, node.lineno)


def test_text_files_of_the_bot_are_ascii_so_that_python_2_reads_them_without_a_coding_line():
    for path in BOT:
        with open(path, 'rb') as source:
            source.read().decode('ascii')
