"""Pure: the figures of a preview as lines of text: the ladder with what its fills would do, the round trips, sums and warnings.

Rules:

* No line is longer than `width`: where columns do not fit the least important are left out, the bars of depth first.
* Bars are drawn in eighths of a block where `blocks` says the terminal can show them, otherwise in '#'.
* A line is text and a tone ('buy', 'sell', 'warning', 'head' or ''); whoever prints it makes a colour of that, or nothing.
"""
from __future__ import absolute_import, division, print_function

from collections import namedtuple

from market_maker import contracts, forecast, holding, preview, status

WIDTH = 120
_LONGEST_BAR, _SHORTEST_BAR = 20, 6
_BLOCKS = u'\u258f\u258e\u258d\u258c\u258b\u258a\u2589\u2588'
_LEFT_OUT_FIRST = ('Cost', 'Liquidation', 'Used', 'Margin', 'From mid', 'Avg entry')
_GROUP = 'if the market fills up to here:'

# text -- a line without its end; tone -- what it is about
Line = namedtuple('Line', 'text tone')


def lines(found, row, width=WIDTH, blocks=False):
    """The whole preview. `row` is the instrument, with tickLog; `width` is that of the terminal."""
    parts = [_ladder(found, row, width, blocks), _sums(found, width), _pairs(found, row, width), _requests(found, width),
             [line for sentence in found['warnings'] for line in wrapped('Warning: ' + sentence, width, 'warning')]]
    made = []
    for part in parts:
        made += ([Line('', '')] if made and part else []) + part
    return made


def texts(found, row, width=WIDTH):
    """The same without tones, in ASCII: for a log."""
    return [line.text for line in lines(found, row, width)]


def of_dry_run(settings, row, buys, sells, touch, margin, limit):
    """What a dry run logs about its orders: it holds nothing, and has the account of the `margin` row."""
    account = preview.Account(holding.FLAT, margin['marginBalance'], margin['availableMargin'])
    return texts(preview.look(settings, row, buys, sells, touch, account, limit), row)


#
# The ladder
#
def _ladder(found, row, width, blocks):
    headings, before = ['Level', 'Side', 'Price', 'Size', 'From mid', 'Cost', 'Margin'], 7
    headings += ['Position', 'Avg entry', 'Used', 'Liquidation']
    sells, buys = [[_cells(level, row, found) for level in side] for side in (found['sells'], list(reversed(found['buys'])))]
    kept, widths = _fitting(headings, sells + buys, width)
    room = width - sum(widths) - 2 * len(widths)
    bar = min(_LONGEST_BAR, room) if room >= _SHORTEST_BAR else 0
    largest = max([level['size'] for level in found['sells'] + found['buys']] or [1])

    def line(cells, level=None):
        text = '  '.join(cells[place].rjust(size) for place, size in zip(kept, widths))
        drawn = _bar(level['size'], largest, bar, blocks) if bar and level is not None else ''
        return (text + '  ' + drawn).rstrip()
    left = sum(size + 2 for place, size in zip(kept, widths) if place < before)
    made = [Line(' ' * left + _GROUP, 'head')] if left + len(_GROUP) <= width else []
    made.append(Line(line(headings), 'head'))
    made += [Line(line(cells, level), 'sell') for cells, level in zip(sells, found['sells'])]
    made += wrapped(_middle(found, row), width, 'head', 9)
    return made + [Line(line(cells, level), 'buy') for cells, level in zip(buys, reversed(found['buys']))]


def _cells(level, row, found):
    filled = level['filled']
    size = '%d' % level['size'] if level['placed'] == level['size'] else '%d of %d' % (level['placed'], level['size'])
    cells = ['%+d' % level['level'], level['side'], _price(level['price'], row), size, '%+.2f %%' % (100 * level['distance']),
             _money(level['cost'], found), _money(level['margin'], found)]
    if filled is None:
        return cells + ['limit', '-', '-', '-']
    return cells + ['%+d%s' % (filled['position'], '!' if filled['is_beyond_limit'] else ''),
                    '-' if filled['entry'] is None else _price(filled['entry'], row, 1),
                    '-' if filled['share'] is None else '%.1f %%' % (100 * filled['share']),
                    'none' if filled['liquidation'] is None else _price(filled['liquidation'], row)]


def _fitting(headings, rows, width):
    """(places of the columns that fit, their widths)."""
    sizes = [max([len(heading)] + [len(row[place]) for row in rows]) for place, heading in enumerate(headings)]
    kept = list(range(len(headings)))
    for name in _LEFT_OUT_FIRST:
        if sum(sizes[place] + 2 for place in kept) - 2 <= width:
            break
        kept.remove(headings.index(name))
    return kept, [sizes[place] for place in kept]


def _bar(size, largest, room, blocks):
    if not blocks:
        return '#' * max(1, int(round(room * size / float(largest))))
    eighths = max(1, int(round(8 * room * size / float(largest))))
    return _BLOCKS[7] * (eighths // 8) + (_BLOCKS[eighths % 8 - 1] if eighths % 8 else u'')


def _middle(found, row):
    spread = 'one side only'
    if found['spread'] is not None:
        spread = '%s (%.2f %%)' % (_price(found['spread'], row), 100 * found['spread'] / found['mid'])
    return 'mid %s of the touch %s / %s, spread quoted: %s' % (
        _price(found['mid'], row, 1), _price(found['bid'], row), _price(found['ask'], row), spread)


#
# Below it
#
def _sums(found, width):
    name, digits = found['currency']['name'], found['currency']['digits']
    sums, unit = found['all'], found['currency']['unit']
    text = 'In all: buy %d, sell %d contracts; cost %.*f %s, initial margin with fees %.*f %s' % (
        sums['buys'], sums['sells'], digits, contracts.in_whole(sums['cost'], unit), name, digits, contracts.in_whole(sums['margin'], unit), name)
    if sums['share'] is not None:
        text += ' (%.1f %% of a balance of %s)' % (100 * sums['share'], _named(found['balance'], found))
    made = wrapped(text + '.', width)
    if found['position']:
        made += wrapped('Held now: %+d contracts at %s.' % (found['position'], found['entry']), width)
    if found['balance'] is not None:
        made += wrapped('Used: initial margin of the position and the fee to leave, of the balance. Liquidation: of this position alone, '
                         'with cross margin and without funding, as the venue of 2018 reckons; roughly the same later.', width)
    if any((level['filled'] or {}).get('is_beyond_limit') for level in found['buys'] + found['sells']):
        made += wrapped('!: beyond MIN_POSITION %d or MAX_POSITION %d.' % (found['limits']['lowest'], found['limits']['highest']), width)
    return made


def _pairs(found, row, width):
    if not found['pairs']:
        return []
    headings = ['Pair', 'Buy', 'Sell', 'Size', 'Spread', 'Fees', 'Net, ' + found['currency']['name'], 'Net']
    rows = [['%d' % pair['pair'], _price(pair['buy'], row), _price(pair['sell'], row), '%d' % pair['size'], _signed(pair['gross'], found),
             _signed(-pair['fees'], found), _signed(pair['net'], found), '%+.3f %%' % (100 * pair['fraction'])] for pair in found['pairs']]
    sizes = [max(len(line[place]) for line in [headings] + rows) for place in range(len(headings))]
    kept = [place for place in range(len(headings)) if sum(sizes) + 2 * len(sizes) <= width or headings[place] not in ('Spread', 'Fees')]

    def line(cells):
        return '  '.join(cells[place].rjust(sizes[place]) for place in kept)
    fees = 'Round trips, both orders filled as maker (fee %s; taker %s):' % (
        status.percent(found['maker_fee']), status.percent(found['taker_fee']))
    made = wrapped(fees, width, 'head') + [Line(line(headings), 'head')]
    return made + [Line(line(cells), 'warning' if pair['net'] <= 0 else '') for cells, pair in zip(rows, found['pairs'])]


def _requests(found, width):
    needed = found['requests']
    if needed is None:
        return []
    text, is_warning = forecast.line(needed['ordinary'], needed['wild'], needed['allowed'])
    return [] if is_warning else wrapped('%s Orders go %s.' % (text, 'one by one' if needed['is_single'] else 'in lists'), width)


def wrapped(text, width, tone='', indent=0):
    """The text on as many lines as it needs; the first begins after `indent` spaces, the others after two."""
    made, line = [], ' ' * indent
    for word in text.split():
        if line.strip() and len(line) + 1 + len(word) > width:
            made.append(Line(line, tone))
            line = '  '
        line += (' ' if line.strip() else '') + word
    return made + [Line(line, tone)]


def _price(price, row, more_digits=0):
    return '%.*f' % (row['tickLog'] + more_digits, price)


def _money(units, found):
    return '%.*f' % (found['currency']['digits'], contracts.in_whole(units, found['currency']['unit']))


def _signed(units, found):
    return '%+.*f' % (found['currency']['digits'], contracts.in_whole(units, found['currency']['unit']))


def _named(units, found):
    return '%.*f %s' % (min(4, found['currency']['digits']), contracts.in_whole(units, found['currency']['unit']), found['currency']['name'])
