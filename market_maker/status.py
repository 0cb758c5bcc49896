"""Pure: what the bot says about itself, as lines of text. The promised ones are those of the original, word for word."""
from __future__ import absolute_import, division, print_function

from market_maker import contracts


def balance_line(units, code):
    return 'Current %s Balance: %.6f' % (contracts.currency(code).name, contracts.in_whole(units, code))


def position_lines(position, price_digits):
    """Average prices of a position that is not flat; what a sparse row does not say is left out."""
    if not position.get('currentQty'):
        return []
    cost, entry = position.get('avgCostPrice'), position.get('avgEntryPrice')
    cost, entry = cost or entry, entry or cost
    if not cost:
        return []
    return ['Avg Cost Price: %.*f' % (price_digits, float(cost)), 'Avg Entry Price: %.*f' % (price_digits, float(entry))]


def delta_lines(delta):
    lines = ['Total Contract Delta: %.4f %s' % (delta['spot'], delta['currency'])]
    return lines + ['Contract Delta in %s: %.4f %s' % (name, delta['others'][name], name) for name in sorted(delta['others'])]


def ticker_line(symbol, ticker, price_digits):
    return '%s Ticker: Buy: %.*f, Sell: %.*f' % (symbol, price_digits, ticker['buy'], price_digits, ticker['sell'])


def start_line(buy, sell, mid, price_digits):
    return 'Start Positions: Buy: %.*f, Sell: %.*f, Mid: %.*f' % (price_digits, buy, price_digits, sell, price_digits, mid)


def banner(dry_run, paper):
    """What this run does with money. `paper` has profile and market, or is None."""
    if dry_run:
        return 'Initializing dry run. Orders printed below represent what would be posted to BitMEX.'
    if paper is not None:
        return 'Order Manager initializing. Paper money on a venue on this machine: market %s, profile %s. No real trades.' % (
            paper.market, paper.profile)
    return 'Order Manager initializing, connecting to BitMEX. Live run: executing real trades.'


def fee_line(row, buy, sell):
    """The fees, and what buying and selling 100 contracts at the inner pair nets after them."""
    units, fraction = contracts.round_trip(row, buy, sell)
    code = contracts.settlement(row)
    name, digits = contracts.currency(code)
    return 'Fees: maker %s, taker %s. A round trip of the inner pair (%s / %s) nets %+.3f %% after fees: %+.*f %s per 100 contracts.' % (
        percent(row.get('makerFee') or 0), percent(row.get('takerFee') or 0), buy, sell, 100 * fraction,
        digits, contracts.in_whole(units, code), name)


def percent(fraction):
    return '%.4g %%' % (100 * fraction)


def rounding_line(row, sizes):
    """How prices and sizes are rounded, with the sizes that are not whole lots: pairs of wanted and sent."""
    changed = sorted(set(pair for pair in sizes if pair[0] != pair[1]))
    line = 'Prices go to the nearest tick (%s), half a tick away from the touch; sizes up to the next lot (%s)' % (
        row['tickSize'], contracts.lot_size(row))
    return line + (': %s.' % ', '.join('%s becomes %s' % pair for pair in changed) if changed else '.')


def request_line(budget, quotes, fills):
    """What was asked of the venue: `budget` in words, orders sent or moved, and fills."""
    ratio = ' (%.1f a fill)' % (quotes / fills) if fills else ''
    return 'Requests: %s; %d quotes sent, %d %s%s.' % (budget, quotes, fills, 'fill' if fills == 1 else 'fills', ratio)


def result_lines(code, start_units, end_units, deposits, totals):
    """What the run made and lost. `deposits`: net units paid in meanwhile, or None; `totals`: fills, contracts, fees, or None.

    Formula: marginBalance at the end, less that at the start, less deposits.
    """
    name, digits = contracts.currency(code)
    start, end = contracts.in_whole(start_units, code), contracts.in_whole(end_units, code)
    line = 'Result of this run: %+.*f %s (balance %.*f to %.*f' % (
        digits, contracts.in_whole(end_units - start_units - (deposits or 0), code), name, digits, start, digits, end)
    if deposits:
        line += ', of which %+.*f deposited' % (digits, contracts.in_whole(deposits, code))
    line += '; deposits are not known).' if deposits is None else ').'
    if totals is None:
        return [line]
    if not totals['fills'] and not totals['fees']:
        return [line, 'No fills.']
    return [line, 'Fills: %d, %d contracts, fees %s %.*f %s.' % (
        totals['fills'], totals['contracts'], 'received' if totals['fees'] < 0 else 'paid', digits,
        abs(contracts.in_whole(totals['fees'], code)), name)]
