"""`marketmaker check`: what would be used, and would it work?

First every setting with the place it came from, secrets hidden. Then, one line each with what to do about a problem: does
the venue answer, does the clock agree, does the symbol exist and trade, is the key accepted, does the margin cover the ladder.
Nothing is placed, nothing is changed. The exit code is that of the first problem.
"""
from __future__ import absolute_import, division, print_function

import email.utils
import sys
from difflib import get_close_matches

from market_maker import _settings_base as base
from market_maker import contracts, paper, quoting
from market_maker.direct import Direct
from market_maker.utils import errors
from market_maker.utils.clock import RealClock

CLOCK_TOLERANCE_S = 2.5  # the Date header has whole seconds


def run(settings, out=None, clock=None, connect=Direct):
    """Print the report to `out`; the exit code. On paper a venue is started, checked and stopped."""
    out = out or sys.stdout
    print_settings(settings, out)
    report = _Report(out)
    venue = None
    try:
        if settings.BASE_URL == base.PAPER:
            out.write('\nA paper venue, started for this check:\n')
            venue = paper.start_for(settings)
            report.ok('paper venue', 'market %s, profile %s' % (venue.market, venue.profile))
        else:
            out.write('\n%s:\n' % settings.BASE_URL)
        _Checks(settings, report, clock or RealClock(), connect).all()
    except errors.MarketMakerError as error:
        report.problem('paper venue' if venue is None and settings.BASE_URL == base.PAPER else 'venue', error, error.exit_code)
    finally:
        if venue is not None:
            venue.stop()
    out.write('\n%s\n' % ('All is well.' if report.code == errors.EXIT_OK else 'There are problems; see above.'))
    return report.code


def print_settings(settings, out):
    """Each value and where it came from."""
    rows = [(setting.name, settings.shown(setting.name), settings.origin(setting.name)) for setting in base.SETTINGS]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    for row in rows:
        out.write('%-*s  %-*s  %s\n' % (widths[0], row[0], widths[1], row[1], row[2]))


class _Report(object):
    """Lines of ok and problem; remembers the exit code of the first problem."""

    def __init__(self, out):
        self.code = errors.EXIT_OK
        self._out = out

    def ok(self, what, detail):
        self._out.write('  ok       %-12s %s\n' % (what, detail))

    def problem(self, what, detail, code):
        self._out.write('  problem  %-12s %s\n' % (what, detail))
        self.code = self.code or code


class _Checks(object):
    def __init__(self, settings, report, clock, connect):
        self.settings = settings
        self.report = report
        self.clock = clock
        self.venue = connect(settings, clock=clock)

    def all(self):
        """One after the other; what cannot be asked because of an earlier problem is left out."""
        try:
            rows = self._answers()
            row = self._symbol(rows) if rows is not None else None
            if rows is not None and self._key():
                if row is not None:
                    self._margin(row)
        finally:
            self.venue.close()

    def _answers(self):
        before = self.clock.time()
        try:
            rows = self.venue.instruments()
        except (errors.VenueUnreachable, errors.VenueError) as error:
            self.report.problem('venue', '%s Is BASE_URL right, and does the venue run?' % _sentence(error), errors.EXIT_UNREACHABLE)
            return None
        after = self.clock.time()
        self.report.ok('venue', 'answers in %d ms; %d instruments trade' % (1000 * (after - before), len(rows)))
        self._clock((before + after) / 2)
        return rows

    def _clock(self, ours):
        date = email.utils.parsedate_tz(self.venue.headers.date or '')
        if date is None:
            self.report.ok('clock', 'the venue does not tell its time')
            return
        offset = email.utils.mktime_tz(date) + 0.5 - ours
        if abs(offset) <= CLOCK_TOLERANCE_S:
            self.report.ok('clock', 'agrees with the venue\'s')
        else:
            self.report.problem('clock', 'is %.0f s %s the venue\'s. The bot corrects for it; better set the clock (NTP).' % (
                abs(offset), 'behind' if offset > 0 else 'ahead of'), errors.EXIT_ERROR)

    def _symbol(self, rows):
        symbol = self.settings.SYMBOL
        row = next((row for row in rows if row.get('symbol') == symbol), None) or self.venue.instrument(symbol)
        if row is None:
            names = sorted(row['symbol'] for row in rows if not row['symbol'].startswith('.'))
            near = get_close_matches(symbol, names, 3, 0.5) or names[:5]
            self.report.problem('symbol', '%s is not known here. Nearest: %s.' % (symbol, ', '.join(near)), errors.EXIT_USAGE)
            return None
        if row.get('state') not in (None, 'Open'):
            self.report.problem('symbol', '%s does not trade now (%s).' % (symbol, row['state']), errors.EXIT_ERROR)
            return None
        self.report.ok('symbol', '%s trades; tick %s, lot %s, maker fee %s %%, taker fee %s %%' % (
            symbol, row.get('tickSize'), row.get('lotSize'), _percent(row.get('makerFee')), _percent(row.get('takerFee'))))
        return row

    def _key(self):
        if self.settings.DRY_RUN and not self.venue.has_credentials():
            self.report.ok('key', 'none, and a dry run needs none')
            return False
        try:
            self.venue.log_in()
            self.venue.position()
        except errors.AuthenticationError as error:
            hint = ' Is it a key of this venue, enabled, and its secret complete?' if self.venue.has_credentials() else ''
            self.report.problem('key', _sentence(error) + hint, error.exit_code)
            return False
        except errors.MarketMakerError as error:
            self.report.problem('key', error, error.exit_code)
            return False
        self.report.ok('key', 'accepted')
        return True

    def _margin(self, row):
        code = contracts.settlement(row)
        available = self.venue.margin(code).get('availableMargin') or 0
        needed = ladder_margin(self.settings, row)
        if needed is None:
            self.report.ok('margin', '%s free; the book is empty, so the ladder has no price yet' % _money(available, code))
        elif needed > available:
            self.report.problem('margin', 'The ladder needs %s and %s is free: fewer ORDER_PAIRS, smaller sizes, or a deposit.' % (
                _money(needed, code), _money(available, code)), errors.EXIT_ERROR)
        else:
            self.report.ok('margin', 'the ladder needs %s of %s' % (_money(needed, code), _money(available, code)))


def ladder_margin(settings, row):
    """Units of the settlement currency that the whole ladder blocks; None where the book has only one side."""
    if not row.get('bidPrice') or not row.get('askPrice') or row['bidPrice'] >= row['askPrice']:
        return None
    sides = [[(order['orderQty'], order['price']) for order in side]
             for side in quoting.ladder(settings, row, quoting.Touch(row['bidPrice'], row['askPrice']))]
    return contracts.order_margin(row, sides[0], sides[1])


def _money(units, code):
    named = contracts.currency(code)
    return '%.*f %s' % (min(named.digits, 6), contracts.in_whole(units, code), named.name)


def _percent(rate):
    return '%g' % round(100 * (rate or 0), 6)


def _sentence(error):
    return str(error).rstrip('. ') + '.'
