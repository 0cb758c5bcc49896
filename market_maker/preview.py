"""Pure: the ladder as a table: where each order stands, and what it costs."""
from __future__ import absolute_import, division, print_function

from market_maker import contracts
from market_maker.convergence import BUY, SELL

_HEADINGS = ('Level', 'Side', 'Price', 'Size', 'From mid', 'Cost', 'Margin')
_WIDTHS = (5, 4, 12, 10, 9, 14, 14)


def table(buy_orders, sell_orders, mid, row, position=0):
    """The lines of the table, from the highest price down.

    buy_orders, sell_orders -- desired orders, outermost first; mid -- between the touch; row -- the instrument; position -- contracts
    held. Cost and margin are in the settlement currency; in all, a pair of a buy and a sell blocks margin once.
    """
    code = contracts.settlement(row)
    name, digits = contracts.currency(code)
    lines = ['  '.join(heading.rjust(width) for heading, width in zip(_HEADINGS, _WIDTHS))]
    lines += [_line(level, order, mid, row, code, digits) for level, order in _levels(sell_orders)]
    lines.append('%s mid %s, spread quoted: %s' % (' ' * 7, _price(mid, row, 1), _spread(buy_orders, sell_orders, mid, row)))
    lines += [_line(-level, order, mid, row, code, digits) for level, order in reversed(_levels(buy_orders))]
    buys, sells = _sizes(buy_orders), _sizes(sell_orders)
    cost = sum(contracts.cost(row, size, price) for size, price in buys + sells)
    blocked = contracts.order_margin(row, buys, sells, position)
    lines.append('In all: buy %d, sell %d contracts; cost %.*f %s, initial margin with fees %.*f %s.' % (
        sum(size for size, _ in buys), sum(size for size, _ in sells), digits, contracts.in_whole(cost, code), name,
        digits, contracts.in_whole(blocked, code), name))
    return lines


def _levels(orders):
    """(level, order), outermost first."""
    return [(len(orders) - place, order) for place, order in enumerate(orders)]


def _line(level, order, mid, row, code, digits):
    cost = contracts.cost(row, order['orderQty'], order['price'])
    one_way = [(order['orderQty'], order['price'])]
    is_buy = order['side'] == BUY
    margin = contracts.order_margin(row, one_way if is_buy else [], [] if is_buy else one_way)
    cells = ('%+d' % level, BUY if is_buy else SELL, _price(order['price'], row), '%d' % order['orderQty'],
             '%+.2f %%' % (100 * (order['price'] / mid - 1)), '%.*f' % (digits, contracts.in_whole(cost, code)),
             '%.*f' % (digits, contracts.in_whole(margin, code)))
    return '  '.join(cell.rjust(width) for cell, width in zip(cells, _WIDTHS))


def _price(price, row, more_digits=0):
    return '%.*f' % (row['tickLog'] + more_digits, price)


def _spread(buy_orders, sell_orders, mid, row):
    if not buy_orders or not sell_orders:
        return 'one side only'
    spread = min(order['price'] for order in sell_orders) - max(order['price'] for order in buy_orders)
    return '%s (%.2f %%)' % (_price(spread, row), 100 * spread / mid)


def _sizes(orders):
    return [(order['orderQty'], order['price']) for order in orders]
