"""`marketmaker explain ORDER`: the story of one order, line by line: which rule made it, moved it, ended it.

Everything comes from the journal of the run; nothing is guessed. An order is named by its clOrdID, its orderID, or a part of one of
them that no other order of the run has.
"""
from __future__ import absolute_import, division, print_function

import sys
import time

from market_maker import journal_reading, words
from market_maker.journal_schema import ASKED
from market_maker.runs import folder_of_runs, money
from market_maker.utils import errors

ENDS = ('filled', 'cancelled', 'refused')
SHOWN_NAMES = 6


def main(argv, out=None):
    """Tell the story; the exit code."""
    parser = words.Parser('explain', 'Tell the story of an order: which rule made it, moved it, ended it.',
                          'marketmaker explain mm_bitmex_x1 --run last')
    parser.add_argument('order', metavar='ORDER', help='its clOrdID or orderID, or a part that no other order has')
    parser.add_argument('--run', metavar='NAME', default=journal_reading.LAST, help='a run (default: the last one; see marketmaker runs)')
    parser.add_argument('--runs-dir', metavar='FOLDER', help='where the runs are (default: RUNS_DIR of the settings)')
    parser.add_argument('--json', action='store_true', help='one JSON document')
    arguments = parser.parse_args(argv)
    run = journal_reading.open_run(arguments.run, folder_of_runs(arguments.runs_dir))
    try:
        found = story(run, arguments.order)
    finally:
        run.close()
    if arguments.json:
        words.print_json(found)
    else:
        (out or sys.stdout).write('\n'.join(lines(found)) + '\n')
    return errors.EXIT_OK


def story(run, asked):
    """What happened to an order, as a dict; `events` are in the order in which they happened. Raises SettingsError for no such order."""
    events = list(run.order_events())
    name, order_id = _find(events, asked, run.name)
    decisions = dict((row.seq, row) for row in run.decisions())
    told = [_of_event(row, decisions.get(row.decision)) for row in events if _is_about(row, name, order_id)]
    told += [_of_fill(row) for row in run.fills(ours=False) if _is_about(row, name, order_id)]
    told.sort(key=lambda event: event['seq'])
    sides = [event['side'] for event in told if event.get('side')]
    ends = [event for event in told if event['what'] in ENDS]
    return {'run': run.name, 'state': run.state(), 'symbol': run.about.get('symbol'), 'currency': run.about.get('currency') or 'XBt',
            'cl_ord_id': name, 'order_id': order_id, 'side': sides[0] if sides else None, 'events': told,
            'end': ends[-1]['what'] if ends else None}


def _find(events, asked, run_name):
    """(clOrdID, orderID) of the one order that `asked` names; either may be None."""
    orders = {}
    for row in events:
        pair = orders.setdefault(row.cl_ord_id or row.order_id, [row.cl_ord_id, None])
        pair[1] = row.order_id or pair[1]
    exact = [pair for pair in orders.values() if asked in pair]
    found = exact or [pair for pair in orders.values() if any(asked in (text or '') for text in pair)]
    if len(found) == 1:
        return tuple(found[0])
    names = sorted(pair[0] or pair[1] or '' for pair in found or orders.values())
    raise errors.SettingsError('%s in the run %s is called %s%s' % (
        'More than one order' if found else 'No order', run_name, asked, ': %s%s.' % (
            ', '.join(names[:SHOWN_NAMES]), ' and %d more' % (len(names) - SHOWN_NAMES) if len(names) > SHOWN_NAMES else '')
        if found else '; it has %d orders%s' % (len(names), ', such as %s.' % names[-1] if names else '.')))


def _is_about(row, name, order_id):
    return (row.cl_ord_id is not None and row.cl_ord_id == name) or (row.order_id is not None and row.order_id == order_id)


def _of_event(row, decision):
    event = {'seq': row.seq, 'at': row.at, 'what': row.what, 'side': row.side, 'price': row.price, 'size': row.size, 'leaves': row.leaves,
             'filled': row.filled, 'reason': row.reason, 'decision': row.decision}
    if decision is not None:
        event.update(cause=decision.cause, bid=decision.bid, ask=decision.ask, position=decision.position)
    return event


def _of_fill(row):
    return {'seq': row.seq, 'at': row.at, 'what': 'fill', 'side': row.side, 'price': row.price, 'size': row.size, 'liquidity': row.liquidity,
            'fee': row.fee, 'bid': row.bid, 'ask': row.ask, 'exec_id': row.exec_id}


#
# For people
#
def lines(found):
    """The story as lines of text."""
    yield 'Order %s%s, %s %s, run %s' % (found['cl_ord_id'] or '(no clOrdID)', ' (orderID %s)' % found['order_id'] if found['order_id'] else '',
                                        found['side'] or 'side unknown', found['symbol'], found['run'])
    for event in found['events']:
        stamp = time.strftime('%H:%M:%S', time.localtime(event['at'])) + '.%03d' % (event['at'] % 1 * 1000)
        yield '%s  %s' % (stamp, _sentence(event, found['currency']))
    yield _ending(found)


def _sentence(event, currency):
    what = event['what']
    if what == 'fill':
        return 'Fill: %s at %s%s%s%s.' % (event['size'], _number(event['price']), ', ' + event['liquidity'] if event['liquidity'] else '',
                                          '' if event['fee'] is None else ', fee ' + _fee(event['fee'], currency), _touch(event))
    if what in ASKED:
        return 'Asked to %s%s, because %s%s%s.' % (what, '' if what == 'cancel' else ': %s at %s' % (event['size'], _number(event['price'])),
                                                  event['reason'], _decided(event), _touch(event))
    if what in ('partly filled', 'filled'):
        return 'The venue: %s, %s of %s done.' % (what, event['filled'], event['size'])
    return 'The venue: %s%s%s.' % (what, ', %s at %s' % (event['size'], _number(event['price'])) if what in ('rests', 'amended') else '',
                                  ' (%s)' % event['reason'].splitlines()[0].rstrip('.') if event['reason'] else '')


def _decided(event):
    return '; decision %s (%s)' % (event['decision'], event['cause']) if event.get('cause') else ''


def _touch(event):
    return '; touch %s / %s' % (_number(event['bid']), _number(event['ask'])) if event.get('bid') and event.get('ask') else ''


def _fee(units, currency):
    return money(units, currency)[1:] + (' paid' if units > 0 else ' received' if units < 0 else '')


def _number(value):
    return '?' if value is None else '%d' % value if value == int(value) else repr(value)


def _ending(found):
    filled = sum(event['size'] for event in found['events'] if event['what'] == 'fill')
    fees = sum(event['fee'] or 0 for event in found['events'] if event['what'] == 'fill')
    done = '%d contracts of it were filled%s.' % (filled, ', fees %s' % _fee(fees, found['currency']) if fees else '') if filled else (
        'Nothing of it was filled.')
    if found['end'] is None:
        return '%s %s' % ('It still rests, as far as is known.' if found['state'] == 'under way' else
                          'The journal does not tell how it ended.', done)
    return 'It ended: %s. %s' % (found['end'], done)
