"""The documentation is tested like code: commands that are shown work, tables are those of the code, links lead somewhere."""
from __future__ import absolute_import, division, print_function

import io
import os
import re
import shlex
import subprocess
import sys

import pytest

from market_maker import _settings_base as base
from market_maker import cli
from market_maker import words as words_module
from market_maker.market_maker import OrderManager
from market_maker.utils import errors
from market_maker.utils.load import load_class
from running import ROOT

sys.path.insert(0, os.path.join(ROOT, 'docs'))

import update  # noqa: E402  (docs/update.py)

PAGES = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md'] + sorted(
    'docs/' + name for name in os.listdir(os.path.join(ROOT, 'docs')) if name.endswith('.md'))


def read(*path):
    with io.open(os.path.join(ROOT, *path), encoding='utf-8') as file:
        return file.read()


def blocks(page, language):
    return re.findall(r'```%s\n(.*?)```' % language, read(page), re.S)


def commands():
    """Every command that a page shows, without its comment."""
    return sorted(set(line[2:].partition('  #')[0].strip() for page in PAGES for block in blocks(page, 'console')
                      for line in block.splitlines() if line.startswith('$ ')))


def targets():
    return set(re.findall(r'^([a-z-]+):', read('Makefile'), re.M))


class Understood(Exception):
    """The arguments were parsed; nothing shall be done about them."""


def check_arguments(word, argv, monkeypatch):
    """Let a word with options of its own parse its arguments, and do nothing else."""
    parse = words_module.Parser.parse_args

    def stop(self, *arguments, **options):
        parse(self, *arguments, **options)
        raise Understood()
    monkeypatch.setattr(words_module.Parser, 'parse_args', stop)
    try:
        with pytest.raises(Understood):
            words_module.run(word, argv)
    except errors.SettingsError as error:
        assert words_module.WORDS[word].is_lab and 'the lab' in str(error), error


@pytest.mark.parametrize('command', commands())
def test_a_command_that_is_shown_is_one_that_works(command, monkeypatch):
    words = shlex.split(str(command))
    if words[0] == 'make':
        assert words[1] in targets()
        passed = [word[len('ARGS='):] for word in words[2:] if word.startswith('ARGS=')]
        assert len(passed) == len(words) - 2
        for arguments in passed:
            cli.parse(shlex.split(arguments))
    elif words[0] == 'marketmaker' and words[1:2] and words[1] in words_module.WORDS:
        check_arguments(words[1], words[2:], monkeypatch)
    elif words[0] == 'marketmaker':
        try:
            arguments = cli.parse(words[1:])
            assert arguments.word is None or arguments.word in cli.WORDS
        except SystemExit as stop:  # --help
            assert stop.code == 0
    elif words[:2] == ['pip', 'install']:
        extra = re.match(r'^\.\[(\w+)\]$', words[2])
        assert extra and "'%s': [" % extra.group(1) in read('setup.py')
    elif words[0] == 'export':
        assert set(word.partition('=')[0] for word in words[1:]) <= set(base.ENVIRONMENT)
    elif words[:3] == ['python', '-m', 'bitmex_venue']:
        source = read('bitmex_venue', '__main__.py')
        assert all('"%s"' % word in source or "'%s'" % word in source for word in words[3:] if word.startswith('--'))
    elif words[0] == 'bash':
        assert os.path.isfile(os.path.join(ROOT, words[1]))
    else:
        pytest.fail('a command that no test knows: %s' % command)


@pytest.mark.parametrize('path', ['README.md', 'settings.py.example', os.path.join('docs', 'ladder.svg')])
def test_what_the_documentation_takes_from_the_code_is_up_to_date(path):
    assert read(path) == update.files()[path], 'run: make docs'


def test_the_table_lists_each_setting_with_its_unit():
    table = read('README.md').partition(update.BEGIN)[2].partition(update.END)[0]
    rows = dict((row.split('|')[1].strip(' `'), row.split('|')[3].strip()) for row in table.splitlines() if row.startswith('| `'))
    assert rows == dict((setting.name, setting.unit) for setting in base.SETTINGS)


def test_every_name_that_looks_like_a_setting_is_one():
    others = {'ARGS', 'BITMEX_API_KEY', 'BITMEX_API_SECRET', 'MM_VENUE_PYTHON', 'MM_ORDER_PAIRS', 'MM_NAME', 'WORD', 'SYMBOL', 'FILE', 'URL',
              'SECONDS', 'TMPDIR', 'REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE', 'HTTPS_PROXY'}
    for name in re.findall(r'`([A-Z][A-Z_]{3,})(?: = [^`]*)?`', read('README.md')):
        assert name in base.BY_NAME or name in others, name


def test_the_strategy_that_is_shown_can_be_loaded(tmp_path):
    block, = blocks('README.md', 'python')
    (tmp_path / 'my_strategy.py').write_text(block)
    assert issubclass(load_class('%s:MyOrderManager' % (tmp_path / 'my_strategy.py'), OrderManager), OrderManager)
    sys.modules.pop('my_strategy', None)


@pytest.mark.parametrize('spec', re.findall(r'`(market_maker\.[\w.]+:\w+)`', read('README.md')))
def test_the_strategies_that_are_named_can_be_loaded(spec):
    assert issubclass(load_class(str(spec), OrderManager), OrderManager)


def test_links_to_files_lead_to_files():
    for page in PAGES:
        for target in re.findall(r'\]\((?!https?:)([^)#]+)\)', read(page)):
            assert os.path.exists(os.path.join(ROOT, os.path.dirname(page), target)), (page, target)


def test_the_second_paragraph_says_that_bitmex_has_closed():
    assert '**BitMEX closed on 23 September 2026**' in read('README.md').split('\n\n')[2]


def test_the_changelog_lists_the_differences_from_the_original():
    section = read('CHANGELOG.md').partition('### Differences from the original')[2]
    assert section.count('\n- ') > 30


def test_the_exit_codes_are_those_of_the_code():
    rows = dict(re.findall(r'^\| (\d) \| (.*) \|$', read('README.md'), re.M))
    codes = (errors.EXIT_OK, errors.EXIT_ERROR, errors.EXIT_USAGE, errors.EXIT_CREDENTIALS, errors.EXIT_UNREACHABLE)
    assert sorted(rows) == [str(code) for code in codes]


def test_the_version_is_the_same_everywhere():
    import market_maker
    assert '## %s' % market_maker.__version__.lstrip('v') in read('CHANGELOG.md')


def test_no_output_that_is_shown_was_left_to_be_filled_in():
    assert not re.findall(r'<!-- (?!settings|end of)', read('README.md'))


@pytest.mark.skipif(not os.path.exists('/usr/bin/make'), reason='needs make')
def test_make_help_explains_every_target():
    said = subprocess.check_output(['make', 'help'], cwd=ROOT).decode('utf-8')
    phony = re.search(r'^\.PHONY: (.*)$', read('Makefile'), re.M).group(1).split()
    for target in phony:
        assert re.search(r'^\s+%s\s+\S' % target, said, re.M), target
