"""`marketmaker preview`: one look at the ladder that the settings would make, in the terminal, as JSON, as a picture. Nothing is placed.

The touch comes from the paper venue, which is started for it; from a venue (BASE_URL, --base-url), by REST; or from --touch, without any
venue, and then the instrument's constants are those of PAPER_PROFILE. What is held and what it stands on comes from the account where there
is a key, and can be given (--position, --balance) to see another.
"""
from __future__ import absolute_import, division, print_function

import argparse
import logging
import sys
from collections import namedtuple
from difflib import get_close_matches

from market_maker import _settings_base as base
from market_maker import contracts, holding, known_instruments, paper, preview, preview_table, quoting, words
from market_maker import settings as settings_module
from market_maker.direct import Direct
from market_maker.utils import errors, log, terminal
from market_maker.utils.math import decimals

EXAMPLE = 'marketmaker preview XBTUSD --set MIN_SPREAD=0.002 --set INTERVAL=0.001 --picture ladder.png'
PICTURES = ('.png', '.svg')
SHOWN = ('ORDER_PAIRS', 'ORDER_START_SIZE', 'ORDER_STEP_SIZE', 'INTERVAL', 'MIN_SPREAD', 'MAINTAIN_SPREADS', 'RELIST_INTERVAL',
         'RANDOM_ORDER_SIZE', 'CHECK_POSITION_LIMITS', 'MIN_POSITION', 'MAX_POSITION', 'ORDER_TRANSPORT')

# row -- the instrument; touch -- quoting.Touch; account -- preview.Account; limit -- of requests, or None; what -- a sentence about the source
Market = namedtuple('Market', 'row touch account limit what')


def main(argv, out=None, connect=Direct):
    """Look once, print it; 0. Raises errors of utils.errors."""
    out = sys.stdout if out is None else out
    arguments = _parser().parse_args(argv)
    picture = _picture_module(arguments.picture)
    overrides = settings_module.from_text(arguments.set)
    if arguments.base_url:
        overrides['BASE_URL'] = arguments.base_url
    settings = settings_module.install(settings_module.load(
        symbol=arguments.symbol.upper() if arguments.symbol else None, path=arguments.settings, overrides=overrides))
    log.setup_custom_logger(log_level=logging.WARNING)
    market = _given(_market(settings, arguments.touch, connect), arguments)
    buys, sells = quoting.ladder(settings, market.row, market.touch)
    found = preview.look(settings, market.row, buys, sells, market.touch, market.account, market.limit)
    found.update(source=market.what, settings=dict((name, getattr(settings, name)) for name in SHOWN))
    if picture is not None:
        picture.save(found, market.row, arguments.picture)
    if arguments.json:
        words.print_json(found)
    else:
        _print(found, market.row, settings, out)
        if picture is not None:
            out.write('\nWrote %s.\n' % arguments.picture)
    return errors.EXIT_OK


def _parser():
    parser = words.Parser('preview', 'Show the ladder that the settings would make: where each order stands, what it costs, what its fill would '
                          'make\nof the position, what a round trip earns after fees, and what it needs of the request budget. Sends no order.',
                          EXAMPLE)
    add = parser.add_argument
    add('symbol', nargs='?', metavar='SYMBOL', help='instrument (default: that of the settings)')
    add('--touch', metavar='BID/ASK', type=_touch, help='look around this touch, without a venue; constants are those of PAPER_PROFILE')
    add('--base-url', metavar='URL', help='"paper", or the address of a venue')
    add('--settings', metavar='FILE', help='read this file instead of ./settings.py')
    add('--set', metavar='NAME=VALUE', action='append', default=[], help='another value for a setting; may be given again')
    add('--position', metavar='CONTRACTS[@PRICE]', type=_position, help='as if this were held, bought at PRICE (default: the middle)')
    add('--balance', metavar='AMOUNT', type=_amount, help='as if this stood behind it, in the settlement currency (such as 0.5)')
    add('--picture', metavar='FILE', help='draw it, too: FILE ends in .png or .svg (needs the lab)')
    add('--json', action='store_true', help='print one JSON document instead; money in its smallest unit')
    return parser


#
# Where the figures come from
#
def _market(settings, touch, connect):
    if touch is not None:
        return _offline(settings, touch)
    if settings.BASE_URL != base.PAPER:
        return _ask(settings, connect, settings.BASE_URL)
    venue = paper.start_for(settings)
    try:
        return _ask(settings, connect, 'a paper venue started for this look (market %s, profile %s)' % (venue.market, venue.profile))
    finally:
        venue.stop()


def _offline(settings, touch):
    symbol, profile = settings.SYMBOL, settings.PAPER_PROFILE
    row = known_instruments.row(symbol, profile)
    if row is None:
        raise errors.SettingsError('--touch: the constants of %s are not known without a venue; those of %s are.' % (
            symbol, ', '.join(known_instruments.SYMBOLS)))
    _check_touch(touch, row)
    code = contracts.settlement(row)
    units = _units(settings.PAPER_BALANCE_XBT if code == 'XBt' else settings.DRY_BTC, code)
    return Market(_with_digits(row), touch, preview.Account(holding.FLAT, units, units), known_instruments.LIMITS[profile],
                  'the touch given, no venue asked: tick, lot, fees and margins of the profile %s' % profile)


def _ask(settings, connect, where):
    """Read the instrument, and the account where there is a key, by REST."""
    venue = connect(settings)
    try:
        row = venue.instrument(settings.SYMBOL)
        if row is None:
            names = sorted(row['symbol'] for row in venue.instruments() if not row['symbol'].startswith('.'))
            raise errors.SettingsError('%s is not known here. Nearest: %s.' % (
                settings.SYMBOL, ', '.join(get_close_matches(settings.SYMBOL, names, 3, 0.5) or names[:5])))
        if not row.get('bidPrice') or not row.get('askPrice'):
            raise errors.MarketEmptyError('%s has no bid and ask now: nothing to quote around. --touch BID/ASK looks without them.' % settings.SYMBOL)
        touch = quoting.Touch(row['bidPrice'], row['askPrice'])
        _check_touch(touch, row)
        account, whose = _account(settings, venue, contracts.settlement(row))
        return Market(_with_digits(row), touch, account, venue.headers.limit, '%s; %s' % (where, whose))
    finally:
        venue.close()


def _account(settings, venue, code):
    if not venue.has_credentials():
        units = _units(settings.DRY_BTC, code)
        return preview.Account(holding.FLAT, units, units), 'no key, so an account of DRY_BTC that holds nothing'
    venue.log_in()
    margin, (quantity, price) = venue.margin(code), venue.held()
    balance = margin.get('walletBalance', margin.get('marginBalance'))
    return preview.Account((quantity, price), balance, margin.get('availableMargin')), 'the account of the key'


def _given(market, arguments):
    """The market with the position and balance that were asked for; prices of a position become what it cost."""
    row, account = market.row, market.account
    code = contracts.settlement(row)
    if arguments.balance is not None:
        account = account._replace(balance=_units(arguments.balance, code), available=_units(arguments.balance, code))
    if arguments.position is not None or not isinstance(account.held, holding.Holding):
        quantity, price = arguments.position or account.held
        account = account._replace(held=holding.at(row, quantity, price or (market.touch.buy + market.touch.sell) / 2))
    return market._replace(account=account)


def _check_touch(touch, row):
    if touch.buy >= touch.sell:
        raise errors.SettingsError('The touch %s / %s is crossed: the bid must be below the ask.' % touch)
    if any(float(quoting.to_tick(price, row['tickSize'], True)) != price for price in touch):
        raise errors.SettingsError('The touch %s / %s is not on ticks of %s.' % (touch.buy, touch.sell, row['tickSize']))


def _with_digits(row):
    return dict(row, tickLog=decimals(row['tickSize']))


def _units(amount, code):
    return int(round(float(amount) * 10 ** contracts.currency(code).digits))


#
# What is shown
#
def _print(found, row, settings, out):
    size = '%d to %d contracts at random, reckoned as the largest' % (settings.MIN_ORDER_SIZE, settings.MAX_ORDER_SIZE)
    if not settings.RANDOM_ORDER_SIZE:
        size = '%d contracts and %d more each' % (settings.ORDER_START_SIZE, settings.ORDER_STEP_SIZE)
    text = '%s: %d pairs, %s; INTERVAL %.4g %%, MIN_SPREAD %.4g %%. Source: %s.' % (
        found['symbol'], settings.ORDER_PAIRS, size, 100 * settings.INTERVAL, 100 * settings.MIN_SPREAD, found['source'].rstrip('.'))
    width, is_coloured = terminal.width(out), terminal.wants_colours(out)
    lines = preview_table.wrapped(text, width) + [preview_table.Line('', '')]
    for line in lines + preview_table.lines(found, row, width, terminal.knows_blocks(out)):
        out.write((terminal.painted(line.text, line.tone) if is_coloured else line.text) + '\n')


def _picture_module(path):
    """What draws; None when no picture is wanted. Asked for before anything is started."""
    if path is None:
        return None
    if not path.lower().endswith(PICTURES):
        raise errors.SettingsError('--picture %s: the name must end in %s.' % (path, ' or '.join(PICTURES)))
    return words.lab_module('market_maker.backtest.ladder_picture', '--picture')


#
# Arguments
#
def _touch(text):
    bid, _, ask = text.partition('/')
    return quoting.Touch(_number(bid, text, 'a touch such as 6358.5/6359'), _number(ask, text, 'a touch such as 6358.5/6359'))


def _position(text):
    quantity, at, price = text.partition('@')
    expects = 'a position such as 2000@6300.5 (one that is short: --position=-2000)'
    try:
        return int(quantity), _number(price, text, expects) if at else None
    except ValueError:
        raise argparse.ArgumentTypeError('%s is not %s' % (text, expects))


def _amount(text):
    return _number(text, text, 'an amount above 0')


def _number(part, text, expects):
    try:
        number = float(part)
    except ValueError:
        number = 0
    if not 0 < number < float('inf'):
        raise argparse.ArgumentTypeError('%s is not %s' % (text, expects))
    return number

