"""The command line: arguments -> settings -> logging -> one of five things to do -> an exit code. Words with options of their own: words.py.

- The only place that ends the process, and it does so by returning a number to `market_maker.run`, which calls it.
- No traceback reaches a user: an unexpected error is one line here, and the rest in a file that the line names.
- Exit codes: 0 as asked, 1 stopped by an error, 2 usage or settings, 3 credentials refused, 4 venue not reached;
  128 + signal only where a signal stopped the bot and the orders could not be cancelled.
"""
from __future__ import absolute_import, division, print_function

import argparse
import errno
import io
import os
import sys
import tempfile
import time
import traceback
from difflib import get_close_matches

import market_maker
from market_maker import _settings_example, words
from market_maker import settings as settings_module
from market_maker.utils import compat, errors, log
from market_maker.utils.signals import StopSignals

LOST_OUTPUT = (errno.EPIPE, errno.ENOSPC)
WORDS = ('setup', 'check', 'cancel', 'flatten')
USAGE = '%(prog)s [WORD] [SYMBOL] [options]'
DESCRIPTION = """\
A market maker for the BitMEX API. Without a word it runs until Ctrl-C, then cancels its orders.

words:
  setup       write settings.py into this folder; an existing one is left alone
  check       show every setting and where it came from, then try the venue, the key, the symbol and the margin
  cancel      cancel the orders this bot has left on the book, and leave
  flatten     cancel them, then close the position with reduce-only orders
"""
EXAMPLES = """\
examples:
  marketmaker                                  quote XBTUSD with paper money, on a venue on this machine
  marketmaker ETHUSD --run-for 60              another instrument; stop a minute after the first quote
  marketmaker check                            what would be used, and would it work?
  marketmaker --dry-run                        send nothing, show the orders that would be placed
  marketmaker --base-url http://127.0.0.1:8080/api/v1/    a venue that runs elsewhere (keys: BITMEX_API_KEY, BITMEX_API_SECRET)
  marketmaker --strategy my_strategy:MyOrderManager       a strategy of your own, from this folder

exit codes: 0 as asked, 1 stopped by an error, 2 wrong usage or settings, 3 the venue refused the credentials,
4 the venue could not be reached, 130 / 143 stopped by Ctrl-C / SIGTERM and orders may be left.
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        raise errors.SettingsError('%s. See marketmaker --help.' % message.rstrip('.'))


def main(argv=None):
    """Do what the command line asks; the exit code. `argv` is without the program's name (default: sys.argv)."""
    try:
        return _guarded(sys.argv[1:] if argv is None else argv)
    finally:
        _let_go_of_a_lost_terminal()


def _guarded(argv):
    try:
        return _main(argv)
    except errors.ThreadFailed as error:
        _say('%s. Details: %s' % (error, write_crash_report(error.details)))
        return error.exit_code
    except errors.MarketMakerError as error:
        _say(error)
        return error.exit_code
    except KeyboardInterrupt:
        _say('Stopped; nothing had been placed.')
        return errors.EXIT_OK
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else errors.EXIT_OK if stop.code is None else errors.EXIT_ERROR
    except BaseException as error:  # noqa: B902 - whatever it is, its traceback is for the file
        if getattr(error, 'errno', None) in LOST_OUTPUT:
            return _output_lost(error)
        _say('%s: %s. Details: %s' % (type(error).__name__, error, write_crash_report()))
        return errors.EXIT_ERROR


def _output_lost(error):
    """Nobody reads any more (`marketmaker check | head`), which is no news to anybody, or the disk is full."""
    if error.errno != errno.EPIPE:
        _say('The output cannot be written: %s.' % error.strerror)
    return errors.EXIT_ERROR


def parse(argv):
    """Arguments as a namespace with `word` (None means run) and `symbol`; raises SettingsError on wrong usage."""
    known = WORDS + tuple(words.WORDS)
    arguments, rest = _parser().parse_known_args(argv)
    options = [word for word in rest if word.startswith('-')]
    if options:
        raise errors.SettingsError('%s is not an option. See marketmaker --help.' % options[0])
    left = arguments.words + rest
    arguments.word = left.pop(0).lower() if left and left[0].lower() in WORDS else None
    arguments.symbol = left.pop(0).upper() if left else None
    meant = get_close_matches(arguments.symbol.lower(), known, 1, 0.75) if arguments.symbol else []
    if left or (meant and arguments.word is None):
        wrong = left[0] if left and not meant else (arguments.symbol or '').lower()
        raise errors.SettingsError('%s is not understood%s See marketmaker --help.' % (
            wrong, '; did you mean %s?' % meant[0] if meant else '.'))
    return arguments


def write_crash_report(details=None):
    """Write a traceback (by default that of the error being handled), without secrets, to a file that only its owner may read; its path."""
    name = time.strftime('marketmaker-error-%Y%m%d-%H%M%S.log')
    report = log.redact(details or traceback.format_exc())
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, 'O_NOFOLLOW', 0)  # somebody else may write into the second folder
    for folder in (os.getcwd(), tempfile.gettempdir()):
        try:
            with io.open(os.open(os.path.join(folder, name), flags, 0o600), 'a', encoding='utf-8') as file:
                file.write(u'%s %s, Python %s\n%s\n' % (market_maker.__name__, market_maker.__version__, sys.version.split()[0], report))
            return os.path.join(folder, name)
        except (IOError, OSError):
            continue
    return '(no file could be written) ' + report.splitlines()[-1]


def _main(argv):
    if argv and argv[0].lower() in words.WORDS:
        return words.run(argv[0].lower(), argv[1:])
    arguments = parse(argv)
    if arguments.word == 'setup':
        return _setup()
    settings = settings_module.install(settings_module.load(
        symbol=arguments.symbol, path=arguments.settings, overrides=_overrides(arguments)))
    logger = log.setup_custom_logger(log_level=settings.LOG_LEVEL)
    for notice in settings.notices:
        logger.warning(notice)
    if arguments.word == 'check':
        from market_maker import check
        return check.run(settings)
    if arguments.word in ('cancel', 'flatten'):
        from market_maker import leave
        getattr(leave, arguments.word)(settings)
        return errors.EXIT_OK
    return _run(settings, arguments.strategy)


def _run(settings, strategy):
    from market_maker import market_maker as bot
    from market_maker.utils.load import load_class
    chosen = load_class(strategy, bot.OrderManager) if strategy else bot.OrderManager
    with StopSignals(is_last=True) as signals:
        return bot.run_until_stopped(chosen, settings, signals)


def _setup():
    path = os.path.join(os.getcwd(), settings_module.FILE_NAME)
    try:
        _settings_example.write(path)
    except (IOError, OSError) as error:
        if os.path.exists(path):
            raise errors.MarketMakerError('%s is there already and was left as it is.' % path)
        raise errors.MarketMakerError('%s could not be written: %s.' % (path, error.strerror))
    print('Wrote %s.\nIt trades paper money on a venue on this machine. Next: edit it, run "marketmaker check", then "marketmaker".' % path)
    return errors.EXIT_OK


def _overrides(arguments):
    """Settings that were given as options; text, where it needs reading, was read by the parser."""
    given = {'BASE_URL': arguments.base_url, 'RUN_FOR_S': arguments.run_for, 'DRY_RUN': True if arguments.dry_run else None}
    return dict((name, value) for name, value in given.items() if value is not None)


def _seconds(text):
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not 0 < seconds < float('inf'):
        raise argparse.ArgumentTypeError('%s is no number of seconds above 0' % text)
    return seconds


def _parser():
    parser = _Parser(prog='marketmaker', usage=USAGE, description=DESCRIPTION + words.overview(), epilog=EXAMPLES, add_help=False,
                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('words', nargs='*', metavar='WORD, SYMBOL', help=argparse.SUPPRESS)
    add = parser.add_argument_group('options').add_argument
    add('--dry-run', action='store_true', help='send nothing, need no keys; show the orders that would be placed')
    add('--settings', metavar='FILE', help='read this file instead of ./settings.py')
    add('--base-url', metavar='URL', help='"paper", or the address of a venue')
    add('--run-for', metavar='SECONDS', type=_seconds, help='stop this long after the first quote')
    add('--strategy', metavar='MODULE:CLASS', help='a subclass of OrderManager, from a module or a file (my.py:MyClass)')
    add('--version', action='version', version='marketmaker %s' % market_maker.__version__, help='print the version and leave')
    add('--help', '-h', action='help', help='print this and leave')
    return parser


def _say(what):
    text = log.redact(u'marketmaker: %s\n' % u'\nmarketmaker: '.join(compat.said(what).splitlines()))
    try:
        if not compat.would_block(sys.stderr):
            sys.stderr.write(compat.native(text))
    except (IOError, OSError, ValueError):  # the terminal is gone; the exit code still tells
        pass


def _let_go_of_a_lost_terminal():
    """What cannot be written any more shall not fail once again while the interpreter ends."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (IOError, OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
