"""Every setting there is: its name, its default, its unit and what it means. Nothing else in the bot knows a default.

The names up to DRY_RUN and friends are the original's and stay as they are; newer ones carry their unit in the name.
`FIXED` are the settings a running bot cannot change: an edit to one of them waits for the next start.
"""
from __future__ import absolute_import, division, print_function

import logging
import os
from collections import namedtuple
from difflib import get_close_matches

from market_maker.utils.compat import string_types
from market_maker.utils.kinds import Address, Credential, Flag, LogLevel, Number, OneOf, OrNone, Symbol, Text, TextList, Whole

PAPER = 'paper'
PAPER_MARKETS = ('lively', 'calm', 'empty')

# name; default; unit ('' for none); meaning, a sentence or two; kind (market_maker.utils.kinds); group in the example file
Setting = namedtuple('Setting', 'name default unit meaning kind group')

_GROUPS = (
    ('Venue and credentials', (
        ('BASE_URL', PAPER, '', Address(PAPER),
         'Where to trade: "paper" starts a venue on this machine, with paper money; otherwise the address of a venue\'s REST '
         'API, such as "http://127.0.0.1:8080/api/v1/".'),
        ('API_KEY', '', '', Credential(), 'API key. Not used on paper. BITMEX_API_KEY in the environment overrides it.'),
        ('API_SECRET', '', '', Credential(), 'API secret. Not used on paper. BITMEX_API_SECRET in the environment overrides it.'),
        ('LOGIN', '', '', Credential(is_key=False), 'E-mail address, to log in with a password instead of a key (classic profile).'),
        ('PASSWORD', '', '', Credential(is_key=False), 'Password that goes with LOGIN.'),
        ('OTPTOKEN', '', '', Credential(is_key=False), 'One-time token that goes with LOGIN, if the account asks for one.'),
    )),
    ('Instrument', (
        ('SYMBOL', 'XBTUSD', '', Symbol(), 'Instrument to quote. A symbol on the command line overrides it.'),
    )),
    ('Size and spread', (
        ('ORDER_PAIRS', 6, 'pairs', Whole(1, 100), 'How many pairs of buy and sell orders to keep on the book.'),
        ('ORDER_START_SIZE', 100, 'contracts', Whole(1), 'Size of the innermost order of each side.'),
        ('ORDER_STEP_SIZE', 100, 'contracts', Whole(0),
         'How much larger each order is than its inner neighbour. Sizes go up to the next lot.'),
        ('INTERVAL', 0.005, 'fraction of price', Number(0, 1, above=True),
         'Distance from one order to the next: 0.005 is half a percent.'),
        ('MIN_SPREAD', 0.01, 'fraction of price', Number(0, 1),
         'Smallest distance between our innermost buy and our innermost sell.'),
        ('MAINTAIN_SPREADS', True, '', Flag(),
         'True: start one tick inside the touch and work outwards. False: start at the middle, INTERVAL away from it.'),
        ('RELIST_INTERVAL', 0.01, 'fraction of price', Number(0, 1),
         'An order is amended only when its price is further than this from where it should be: saves requests, keeps its '
         'place in the queue.'),
        ('RANDOM_ORDER_SIZE', False, '', Flag(), 'True: sizes are drawn at random between the two limits below.'),
        ('MIN_ORDER_SIZE', 100, 'contracts', Whole(1), 'Smallest random size.'),
        ('MAX_ORDER_SIZE', 500, 'contracts', Whole(1), 'Largest random size.'),
        ('RANDOM_SEED', None, '', OrNone(Whole(0)), 'Seed of the random sizes; None takes a new one each run.'),
    )),
    ('Position and orders', (
        ('CHECK_POSITION_LIMITS', False, '', Flag(),
         'True: what is held, resting and in flight never passes the two limits below, whatever fills.'),
        ('MIN_POSITION', -10000, 'contracts', Whole(), 'Lowest position (negative is short).'),
        ('MAX_POSITION', 10000, 'contracts', Whole(), 'Highest position.'),
        ('POST_ONLY', False, '', Flag(),
         'True: send only orders that rest on the book; one that would trade at once is cancelled by the venue instead.'),
        ('ORDER_TRANSPORT', 'auto', '', OneOf('auto', 'bulk', 'single'),
         'How orders are sent: "bulk" in lists, "single" one by one, "auto" in lists until the venue says that it cannot.'),
        ('ORDERID_PREFIX', 'mm_bitmex_', '', Text(13, empty=False),
         'Start of the client order ids of this bot; only orders that carry it are ever touched. Two bots on one account '
         'need two prefixes. At most 13 characters.'),
    )),
    ('Safety', (
        ('MAX_DRAWDOWN', 0, 'percent', Number(0, 100),
         'Cancel everything, close the position and pause when the balance is this far below its highest of the run; 0 is off.'),
        ('MAX_LOSS', 0, 'settlement currency', Number(0),
         'The same when the run has lost this much, such as 0.05 (XBT); 0 is off. Deposits and withdrawals count for neither.'),
        ('DEAD_MANS_SWITCH', 0, 'seconds', Number(0),
         'The venue cancels ALL orders of the account, also those of others, when it has not heard from the bot for this '
         'long; 0 is off. 60 is a good value: it covers a crash, a power cut and a lost line. At least 4.'),
    )),
    ('Running', (
        ('DRY_RUN', False, '', Flag(), 'True: send nothing and need no keys; show the orders that would be placed.'),
        ('DRY_BTC', 50, 'XBT', Number(0), 'Balance that a dry run reckons with.'),
        ('LOOP_INTERVAL', 5, 'seconds', Number(0, above=True), 'Longest time between two looks at the market.'),
        ('EVENT_DRIVEN', True, '', Flag(),
         'True: a change of the best prices, a fill or a change of the account is looked at when it happens. False: only every '
         'LOOP_INTERVAL, as the original does.'),
        ('REQUOTE_MIN_S', 1, 'seconds', Number(0),
         'An order that was filled in part is filled up no sooner than this; what has to move or is filled wholly does not wait.'),
        ('EXCURSION_S', 5, 'seconds', Number(0),
         'Where jumps of the best prices came back so far, the next one is not followed for this long at most; what is at risk does '
         'not wait. 0 follows every move at once.'),
        ('RECENTRE_S', 300, 'seconds', Number(0),
         'Once in this time, while nothing else is to be done, orders further than half of RELIST_INTERVAL from their place are moved there '
         'too; 0 leaves them, as the original does.'),
        ('RUN_FOR_S', None, 'seconds', OrNone(Number(0, above=True)),
         'Stop this long after the first quote; None runs until told to stop.'),
        ('MAX_DATA_AGE_S', 15, 'seconds', Number(0, above=True),
         'Quote nothing while the newest message from the venue is older than this.'),
        ('START_TIMEOUT_S', 30, 'seconds', Number(0, above=True), 'How long to wait for the first market data.'),
        ('API_REST_INTERVAL', 1, 'seconds', Number(0), 'Accepted, and without effect: requests are paced by the budget that the venue grants.'),
        ('API_ERROR_INTERVAL', 10, 'seconds', Number(0), 'Pause before new orders are placed after the venue has refused some.'),
        ('TIMEOUT', 7, 'seconds', Number(0, above=True), 'How long to wait for an answer to one request.'),
        ('LOG_LEVEL', logging.INFO, '', LogLevel(), 'How much is logged: logging.DEBUG, INFO, WARN or ERROR.'),
        ('RUNS_DIR', 'runs', '', Text(),
         'Folder in which every run leaves its journal and its log, about 9 MB an hour in a lively market ("marketmaker runs" lists '
         'them); empty keeps none.'),
        ('RUNS_KEEP', 20, 'runs', Whole(1), 'How many of them to keep; the oldest are removed.'),
        ('WATCHED_FILES', ['settings.py'], '', TextList(),
         'Settings files that are read again, without a restart, when they change.'),
        ('CONTRACTS', ['XBTUSD'], '', TextList(),
         'Contracts that count in the delta of the portfolio. SYMBOL always does.'),
    )),
    ('The paper venue', (
        ('PAPER_MARKET', 'lively', '', Text(empty=False),
         'Who else trades there: "lively" (fills in the first minute), "calm" (an ordinary day), "empty", or a file of '
         'recorded data; several, such as quotes and trades, with commas (docs/data.md).'),
        ('PAPER_PROFILE', 'classic', '', OneOf('classic', 'modern'),
         'Which BitMEX it is: "classic" (2016 to 2021, bulk orders, maker rebate) or "modern" (2024 to 2026).'),
        ('PAPER_SEED', None, '', OrNone(Whole(0)), 'Seed of its market; None takes a new one each run.'),
        ('PAPER_BALANCE_XBT', 1, 'XBT', Number(0, above=True), 'Paper money to begin with.'),
    )),
)

GROUPS = tuple(group for group, _ in _GROUPS)
SETTINGS = tuple(Setting(name, default, unit, meaning, kind, group)
                 for group, rows in _GROUPS for name, default, unit, kind, meaning in rows)
BY_NAME = dict((setting.name, setting) for setting in SETTINGS)
SECRETS = frozenset(['API_SECRET', 'PASSWORD', 'OTPTOKEN'])
FIXED = frozenset(['BASE_URL', 'API_KEY', 'API_SECRET', 'LOGIN', 'PASSWORD', 'OTPTOKEN', 'SYMBOL', 'ORDER_TRANSPORT', 'ORDERID_PREFIX',
                   'DRY_RUN', 'DRY_BTC', 'RANDOM_SEED', 'CONTRACTS', 'POST_ONLY', 'START_TIMEOUT_S', 'TIMEOUT', 'API_REST_INTERVAL',
                   'RUNS_DIR', 'RUNS_KEEP', 'PAPER_MARKET', 'PAPER_PROFILE', 'PAPER_SEED', 'PAPER_BALANCE_XBT', 'RUN_FOR_S'])
ENVIRONMENT = {'BITMEX_API_KEY': 'API_KEY', 'BITMEX_API_SECRET': 'API_SECRET'}
ENVIRONMENT_PREFIX = 'MM_'
NOT_SETTINGS = frozenset(['MM_VENUE_PYTHON'])  # read by market_maker.paper


def defaults():
    """A fresh dict name -> default; lists in it are the caller's."""
    return dict((setting.name, list(setting.default) if isinstance(setting.default, list) else setting.default)
                for setting in SETTINGS)


def market_files(market, folder):
    """The paths that a PAPER_MARKET names, seen from `folder`: one, or several with commas between them; none where it is a market with a name."""
    if market in PAPER_MARKETS:
        return []
    whole = os.path.join(folder, os.path.expanduser(market))
    if ',' not in market or os.path.exists(whole):
        return [whole]
    return [os.path.join(folder, os.path.expanduser(part.strip())) for part in market.split(',') if part.strip()]


def crossed(values):
    """Sentences about settings that contradict each other. A name that is missing from `values` is not looked at."""
    pairs = (('MIN_POSITION', 'MAX_POSITION', False), ('MIN_ORDER_SIZE', 'MAX_ORDER_SIZE', True))
    found = []
    for low, high, equal_is_fine in pairs:
        if low not in values or high not in values or values[low] < values[high]:
            continue
        if not (equal_is_fine and values[low] == values[high]):
            found.append('%s = %r must be below %s = %r.' % (low, values[low], high, values[high]))
    if 0 < values.get('DEAD_MANS_SWITCH', 0) < 4:
        found.append('DEAD_MANS_SWITCH = %r must be 0 (off) or at least 4: the venue is told at a quarter of it.' % values['DEAD_MANS_SWITCH'])
    return found


def nearest(name):
    """The known setting most like `name`, or None."""
    return (get_close_matches(name.upper(), sorted(BY_NAME), 1, 0.7) or [None])[0]


def unknown(name):
    """A sentence about a name that is no setting."""
    return '%s is not a setting%s' % (name, '; did you mean %s?' % nearest(name) if nearest(name) else '.')


def show(value):
    """A value as a settings file would spell it, the same on Python 2 and 3."""
    if isinstance(value, string_types):
        return '"%s"' % value
    if isinstance(value, (list, tuple)):
        return '[%s]' % ', '.join(show(item) for item in value)
    return repr(value)
