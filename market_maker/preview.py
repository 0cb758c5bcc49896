"""Pure: what a ladder means, as figures: where each order stands, what it costs, what its fill would make of the position, what it earns.

Rules:

* A level's `filled` is the position after it and everything nearer to the touch on its side is filled, from the position held now. That
  is what happens to a ladder when the market runs through it.
* Of a pair, a buy and a sell of the same level, the smaller size goes round; both are reckoned as maker.
* What limits keep off the book is shown and not counted. Without CHECK_POSITION_LIMITS a level beyond a limit is counted, and marked.
* Whatever a trader should not find out with money is a sentence in `warnings`.

Money is in units of the settlement currency, distances and shares are fractions; `preview_table` makes text of it.
"""
from __future__ import absolute_import, division, print_function

from collections import namedtuple

from market_maker import contracts, convergence, forecast, holding, margin_scale
from market_maker.convergence import BUY

# held -- holding.Holding; balance -- units that stand behind it, None when not known; available -- units free for margin, None likewise
Account = namedtuple('Account', 'held balance available')


def look(settings, row, buys, sells, touch, account, limit=None):
    """The figures as a dict that is ready for JSON.

    buys, sells -- desired orders, outermost first; touch -- quoting.Touch; limit -- size of the venue's request bucket, None when unknown.
    """
    mid = (touch.buy + touch.sell) / 2
    levels = [_side(settings, row, orders, mid, account) for orders in (buys, sells)]
    pairs = [_pair(row, number, buy, sell) for number, (buy, sell) in enumerate(zip(reversed(levels[0]), reversed(levels[1])), 1)
             if buy['placed'] and sell['placed']]
    code = contracts.settlement(row)
    name, digits = contracts.currency(code)
    found = {
        'symbol': row.get('symbol'), 'bid': touch.buy, 'ask': touch.sell, 'mid': mid,
        'currency': {'unit': code, 'name': name, 'digits': digits}, 'maker_fee': row.get('makerFee') or 0, 'taker_fee': row.get('takerFee') or 0,
        'balance': account.balance, 'available': account.available, 'position': account.held.quantity, 'entry': holding.entry(row, account.held),
        'limits': {'lowest': settings.MIN_POSITION, 'highest': settings.MAX_POSITION, 'are_checked': bool(settings.CHECK_POSITION_LIMITS)},
        'spread': min(order['price'] for order in sells) - max(order['price'] for order in buys) if buys and sells else None,
        'buys': levels[0], 'sells': levels[1], 'pairs': pairs, 'all': _sums(row, levels, account),
        'requests': None if limit is None else forecast.before_any_order(settings, row, touch.buy, limit)}
    found['warnings'] = _warnings(found, row, account)
    return found


def _side(settings, row, orders, mid, account):
    """The levels of a side, outermost first."""
    held, levels = account.held, []
    for level, order, placed in reversed(_placed(settings, orders, held, row)):
        size = order['orderQty'] if order['side'] == BUY else -order['orderQty']
        one_way = [(order['orderQty'], order['price'])]
        filled = None
        if placed:
            held = holding.fill(row, held, placed if size > 0 else -placed, order['price'])
            filled = _filled(settings, row, held, order['price'], account.balance)
        levels.append({
            'level': -level if size > 0 else level, 'side': order['side'], 'price': order['price'], 'size': order['orderQty'],
            'placed': placed, 'distance': order['price'] / mid - 1, 'cost': contracts.cost(row, size, order['price']),
            'margin': contracts.order_margin(row, one_way if size > 0 else [], [] if size > 0 else one_way), 'filled': filled})
    return levels[::-1]


def _placed(settings, orders, held, row):
    """[(level, order, contracts of it that limits let onto the book)], outermost first."""
    placed = orders
    if settings.CHECK_POSITION_LIMITS and orders:
        is_buy = orders[0]['side'] == BUY
        room = settings.MAX_POSITION - held.quantity if is_buy else held.quantity - settings.MIN_POSITION
        placed = convergence.trim(orders, room, contracts.lot_size(row))
    sizes = [0] * (len(orders) - len(placed)) + [order['orderQty'] for order in placed]
    return [(len(orders) - place, order, sizes[place]) for place, order in enumerate(orders)]


def _filled(settings, row, held, price, balance):
    """What the account looks like when the market stands at the level that was filled last."""
    used = holding.margin(row, held)
    made = held.realised + holding.unrealised(row, held, price)
    return {'position': held.quantity, 'entry': holding.entry(row, held), 'margin': used, 'result': made,
            'share': used / float(balance) if balance else None,
            'liquidation': None if balance is None else holding.liquidation(row, held, balance),
            'is_beyond_limit': not settings.MIN_POSITION <= held.quantity <= settings.MAX_POSITION}


def _pair(row, number, buy, sell):
    size = min(buy['placed'], sell['placed'])
    net, fraction = contracts.round_trip(row, buy['price'], sell['price'], size)
    gross = contracts.profit(row, size, buy['price'], sell['price'])
    return {'pair': number, 'buy': buy['price'], 'sell': sell['price'], 'size': size, 'gross': gross, 'fees': gross - net, 'net': net,
            'fraction': fraction}


def _sums(row, levels, account):
    buys, sells = [[(level['placed'], level['price']) for level in side if level['placed']] for side in levels]
    blocked = contracts.order_margin(row, buys, sells, account.held.quantity)
    return {'buys': sum(size for size, _ in buys), 'sells': sum(size for size, _ in sells), 'margin': blocked,
            'cost': sum(contracts.cost(row, size, price) for size, price in buys + sells),
            'share': blocked / float(account.balance) if account.balance else None}


#
# Warnings
#
def _warnings(found, row, account):
    return [sentence for sentence in (
        _losing_pairs(found), _margin_short(found, row, account), _limit_crossed(found, 'buys', 'highest', 'MAX_POSITION'),
        _limit_crossed(found, 'sells', 'lowest', 'MIN_POSITION'), _liquidated(found, 'buys'), _liquidated(found, 'sells'),
        _requests_short(found)) if sentence]


def _losing_pairs(found):
    losing = [pair for pair in found['pairs'] if pair['net'] <= 0]
    if not losing:
        return None
    which = 'pair %d' % losing[0]['pair'] if len(losing) == 1 else 'pairs %d to %d' % (losing[0]['pair'], losing[-1]['pair'])
    return 'The fees exceed the spread: a round trip of %s earns nothing. It must be wider than %.4g %% (MIN_SPREAD, INTERVAL).' % (
        which, 200 * found['maker_fee'])


def _margin_short(found, row, account):
    if account.available is None or found['all']['margin'] <= account.available:
        return None
    sides = [[(level['placed'], level['price']) for level in found[side] if level['placed']] for side in ('buys', 'sells')]
    count = margin_scale.levels(row, sides[0], sides[1], account.held.quantity, account.available)
    return 'The margin pays for %d of %d levels: the outer ones will be left out.' % (count, max(len(side) for side in sides))


def _limit_crossed(found, side, limit, name):
    bound = found['limits'][limit]
    short = [level for level in found[side] if level['placed'] < level['size']]
    if short:
        return '%s %d keeps %d of the %d %s off the book, wholly or in part.' % (name, bound, len(short), len(found[side]), side)
    beyond = [level for level in found[side] if level['filled']['is_beyond_limit'] and (level['filled']['position'] > 0) == (side == 'buys')]
    if beyond and not found['limits']['are_checked']:
        return '%s %d is passed when level %+d fills: CHECK_POSITION_LIMITS is off, so that nothing stops it.' % (
            name, bound, min((level['level'] for level in beyond), key=abs))
    return None


def _liquidated(found, side):
    """Said of the innermost level that the market cannot reach before the position is liquidated."""
    before = None
    for level in reversed([level for level in found[side] if level['filled']]):
        for filled in (before, level['filled']):
            price = filled and filled['liquidation']
            if price is not None and (price >= level['price'] if filled['position'] > 0 else price <= level['price']):
                return 'The account would be liquidated at %s, with a position of %d, by the time level %+d fills.' % (
                    price, filled['position'], level['level'])
        before = level['filled']
    return None


def _requests_short(found):
    needed = found['requests']
    if needed is None:
        return None
    text, is_warning = forecast.line(needed['ordinary'], needed['wild'], needed['allowed'])
    return text if is_warning else None
