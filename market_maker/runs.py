"""`marketmaker runs`: which runs have left a journal, how long they went on, what they made."""
from __future__ import absolute_import, division, print_function

import os
import sys
import time

from market_maker import contracts, journal_reading, words
from market_maker import settings as settings_module
from market_maker.utils import errors

HEAD = ('run', 'kind', 'symbol', 'began', 'lasted', 'fills', 'result', 'end')


def main(argv, out=None):
    """List the runs; the exit code."""
    out = out or sys.stdout
    parser = words.Parser('runs', 'List the runs that have left a journal, the oldest first.', 'marketmaker runs --json')
    parser.add_argument('--runs-dir', metavar='FOLDER', help='where they are (default: RUNS_DIR of the settings)')
    parser.add_argument('--json', action='store_true', help='one JSON document')
    arguments = parser.parse_args(argv)
    folder = folder_of_runs(arguments.runs_dir)
    runs, unread = journal_reading.list_runs(folder)
    try:
        found = [summary(run) for run in runs]
    finally:
        for run in runs:
            run.close()
    if arguments.json:
        words.print_json({'folder': os.path.abspath(folder), 'runs': found, 'unread': unread})
        return errors.EXIT_OK
    if not found and not unread:
        out.write('No runs in %s.\n' % os.path.abspath(folder))
        return errors.EXIT_OK
    out.write('\n'.join(table([HEAD] + [_cells(row) for row in found])) + '\n')
    for name in unread:
        out.write('%s: its journal cannot be read.\n' % name)
    return errors.EXIT_OK


def folder_of_runs(given=None):
    """The folder that a word shall look into: the one given, or RUNS_DIR of the settings of the current folder."""
    return given or settings_module.load().RUNS_DIR or 'runs'


def summary(run):
    """What the list tells of a Run, as a dict: times in Unix seconds, result in the settlement currency's smallest unit or None."""
    about = run.about
    began, last = about.get('started'), run.last_at()
    return {'name': run.name, 'kind': about.get('kind'), 'symbol': about.get('symbol'), 'began': began,
            'seconds': None if began is None or last is None else last - began, 'fills': sum(1 for _ in run.fills()),
            'result': result(run), 'currency': about.get('currency'), 'state': run.state(), 'exit_code': about.get('exit_code')}


def result(run):
    """What a run made: the balance at its end, or the newest that is known, less that at its start, less deposits; None where unknown."""
    about = run.about
    balances = [row.margin_balance for row in run.accounts() if row.margin_balance is not None]
    end = about.get('end_balance', balances[-1] if balances else None)
    if end is None or about.get('start_balance') is None or about.get('kind') == 'dry-run':
        return None
    return end - about['start_balance'] - (about.get('deposits') or 0)


def table(rows):
    """Lines of a table of texts; the first row is its head."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ['  '.join('%-*s' % (width, cell) for width, cell in zip(widths, row)).rstrip() for row in rows]


def lasting(seconds):
    """A length of time for people: 42 s, 12 min 3 s, 3 h 20 min."""
    seconds = int(round(seconds))
    if seconds < 60:
        return '%d s' % seconds
    if seconds < 3600:
        return '%d min %d s' % divmod(seconds, 60)
    return '%d h %d min' % (seconds // 3600, seconds % 3600 // 60)


def money(units, code):
    """An amount with its sign and its currency: +0.00012000 XBT."""
    name, digits = contracts.currency(code)
    return '%+.*f %s' % (digits, contracts.in_whole(units, code), name)


def _cells(row):
    end = row['state'] if row['state'] != 'over' else 'as asked' if row['exit_code'] == 0 else 'exit code %s' % row['exit_code']
    return (row['name'], row['kind'] or '?', row['symbol'] or '?',
            '?' if row['began'] is None else time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(row['began'])),
            '?' if row['seconds'] is None else lasting(row['seconds']), '%d' % row['fills'],
            '-' if row['result'] is None else money(row['result'], row['currency'] or 'XBt'), end)
