"""`marketmaker replay`: play recorded market data as a venue on this machine, in the foreground, for the bot or for any other client.

The work is done by `python -m bitmex_venue --market FILE...` (see `paper`); this word starts it, says how to trade on it, hands on what it says about the
data, and ends it. Exit codes: 0 when it was stopped, 1 when the venue could not start or died, 2 wrong usage or a file that cannot be played.
"""
from __future__ import absolute_import, division, print_function

import argparse
import os
import sys

from market_maker import words
from market_maker.paper import PaperVenue
from market_maker.utils import errors
from market_maker.utils.clock import Wakeup
from market_maker.utils.compat import urlsplit
from market_maker.utils.signals import StopSignals

FASTEST = 100000
LOOK_S = 60.0


class _Stop(object):
    """Waits for a signal or for the end of the venue."""

    def __init__(self):
        self.wakeup = Wakeup()

    def request_stop(self, name):
        self.wakeup.set()

    def wait(self):
        while not self.wakeup.wait(LOOK_S):
            pass


def main(argv):
    """Play until Ctrl-C; the exit code."""
    arguments = _parser().parse_args(argv)
    missing = [path for path in arguments.files if not os.path.isfile(os.path.expanduser(path))]
    if missing:
        raise errors.SettingsError('%s: there is no such file.' % missing[0])
    stop = _Stop()
    with StopSignals() as signals:
        venue = PaperVenue.start(arguments.files, arguments.profile, symbol=arguments.symbol, tell=_say, more=_options(arguments))
        try:
            venue.on_death = stop.wakeup.set
            signals.tell(stop)
            _announce(arguments, venue)
            if venue.alive():
                stop.wait()
            if not venue.alive():
                raise errors.PaperVenueError(venue.obituary())
        finally:
            venue.stop()
    return errors.EXIT_OK


def _options(arguments):
    options = ['--port', str(arguments.port), '--speed', repr(arguments.speed)]
    return options + (['--strict'] if arguments.strict else [])


def _announce(arguments, venue):
    if arguments.json:
        words.print_json({'url': venue.base_url, 'key': venue.key, 'secret': venue.secret, 'profile': venue.profile, 'market': venue.about,
                          'symbol': arguments.symbol, 'speed': arguments.speed, 'pid': venue.pid})
    else:
        sys.stdout.write('\n'.join(announcement(arguments, venue)) + '\n')
    sys.stdout.flush()


def announcement(arguments, venue):
    """The lines for people: where the venue is, and how to trade on it."""
    return ['Playing %s' % venue.about,
            '  address  %s  (realtime: ws://%s/realtime)' % (venue.base_url, urlsplit(venue.base_url).netloc),
            '  key      %s' % venue.key,
            '  secret   %s' % venue.secret,
            '  profile  %s, speed %g' % (venue.profile, arguments.speed),
            'To trade on it, in another terminal:',
            '  BITMEX_API_KEY=%s BITMEX_API_SECRET=%s marketmaker %s --base-url %s' % (venue.key, venue.secret, arguments.symbol, venue.base_url),
            'Ctrl-C ends it.']


def _say(line):
    sys.stderr.write('marketmaker: %s\n' % line)
    sys.stderr.flush()


def _speed(text):
    try:
        speed = float(text)
    except ValueError:
        speed = 0
    if not 0 < speed <= FASTEST:
        raise argparse.ArgumentTypeError('%r is no speed above 0 (1 is real time, at most %d)' % (text, FASTEST))
    return speed


def _port(text):
    try:
        port = int(text)
    except ValueError:
        port = -1
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError('%r is no port (0 to 65535, 0 for any free one)' % text)
    return port


def _parser():
    parser = words.Parser('replay', 'Play recorded market data as a venue on this machine, until Ctrl-C. docs/data.md lists the formats.',
                          'marketmaker replay XBTUSD-20240115T000000Z.jsonl.gz\n'
                          '  marketmaker replay quote/20240115.csv.gz trade/20240115.csv.gz --speed 10 --profile modern')
    add = parser.add_argument
    add('files', nargs='+', metavar='FILE', help='recordings, archives of BitMEX, CSV files of Tardis, or one file of one-minute bars')
    add('--symbol', default='XBTUSD', type=lambda text: text.upper(), help='which instrument of CSV files, or of several files (default XBTUSD)')
    add('--port', type=_port, default=4040, metavar='N', help='where to listen on this machine; 0 for any free port (default 4040)')
    add('--speed', type=_speed, default=1.0, metavar='X', help='seconds of the data per second (default 1)')
    add('--profile', choices=('classic', 'modern'), default='classic',
        help='which BitMEX: ticks, lots, fees, rules (default classic; modern for 2024 and later)')
    add('--strict', action='store_true', help='refuse files with a bad row instead of leaving it out')
    add('--json', action='store_true', help='say address, key and secret as one JSON document')
    return parser
