"""Draws docs/ladder.svg: the ladder that the default settings make around a recorded touch. `make docs` runs it.

The touch is that of a run of the original bot (16 August 2018, XBTUSD 6358.5 / 6359.0); the quotes are computed by
market_maker.quoting, so the picture cannot drift away from the code. A test holds the committed file to this script.
"""
from __future__ import absolute_import, division, print_function

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from market_maker import quoting  # noqa: E402
from market_maker._settings_base import defaults  # noqa: E402

TOUCH = quoting.Touch(6358.5, 6359.0)
TICK = 0.5
WIDTH, HEIGHT, MIDDLE, LEFT, RIGHT = 880, 220, 125, 40, 840
BUY, SELL, INK, FAINT = '#1f7a4d', '#b3402e', '#24292f', '#8c959f'


def ladder():
    """[(price, size, is a buy)] of the default settings around TOUCH."""
    values = defaults()
    rules = quoting.Rules(TICK, values['INTERVAL'], values['MIN_SPREAD'], values['MAINTAIN_SPREADS'])
    start = quoting.start_positions(TOUCH, None, None, rules)
    levels = range(1, values['ORDER_PAIRS'] + 1)
    return [(quoting.price(sign * level, start[0], start[1], rules, TOUCH),
             quoting.level_size(level, values['ORDER_START_SIZE'], values['ORDER_STEP_SIZE']), sign < 0)
            for sign in (-1, 1) for level in levels]


def svg():
    orders = ladder()
    low, high = min(order[0] for order in orders) - 12, max(order[0] for order in orders) + 12

    def x(price):
        return LEFT + (RIGHT - LEFT) * (price - low) / (high - low)

    parts = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" '
             'font-family="Helvetica, Arial, sans-serif" font-size="12">' % (WIDTH, HEIGHT),
             '<rect width="%d" height="%d" fill="#ffffff"/>' % (WIDTH, HEIGHT),
             _line(LEFT - 15, MIDDLE, RIGHT + 15, MIDDLE, INK)]
    for price, size, is_buy in orders:
        top = MIDDLE - 8 - size / 8.0
        color = BUY if is_buy else SELL
        parts.append('<rect x="%.1f" y="%.1f" width="16" height="%.1f" fill="%s"/>' % (x(price) - 8, top, size / 8.0, color))
        parts.append(_text(x(price), top - 6, size, color, 12))
        parts.append(_text(x(price), MIDDLE + 18, '%.1f' % price, INK, 11))
    middle = (TOUCH.buy + TOUCH.sell) / 2.0
    parts.append(_line(x(middle), MIDDLE - 46, x(middle), MIDDLE + 6, FAINT, ' stroke-dasharray="4 3"'))
    parts.append(_text(x(middle), MIDDLE - 68, 'the touch', INK, 12))
    parts.append(_text(x(middle), MIDDLE - 54, '%s / %s' % TOUCH, INK, 12))
    inner_buy, inner_sell = orders[0][0], orders[len(orders) // 2][0]
    parts += _span(x(inner_buy), x(inner_sell), MIDDLE + 42, 'MIN_SPREAD', '1 %')
    parts += _span(x(orders[len(orders) // 2 + 3][0]), x(orders[len(orders) // 2 + 4][0]), MIDDLE + 42, 'INTERVAL', '0.5 %')
    parts.append(_text(x(orders[3][0]), MIDDLE + 50, 'buys: ORDER_START_SIZE 100,', BUY, 12))
    parts.append(_text(x(orders[3][0]), MIDDLE + 66, 'then ORDER_STEP_SIZE 100 more each', BUY, 12))
    parts.append(_text(x(orders[-2][0]), MIDDLE - 108, 'sells: the same upwards', SELL, 12))
    parts.append(_text(x(orders[2][0]), MIDDLE - 108, 'sizes in contracts', FAINT, 12))
    return '\n'.join(parts + ['</svg>', ''])


def _line(x1, y1, x2, y2, color, more=''):
    return '<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s"%s/>' % (x1, y1, x2, y2, color, more)


def _text(x, y, text, color, size, anchor='middle'):
    return '<text x="%.1f" y="%.1f" fill="%s" font-size="%d" text-anchor="%s">%s</text>' % (x, y, color, size, anchor, text)


def _span(left, right, y, name, size):
    """A bracket below the axis with its name under it."""
    return [_line(left, y, right, y, INK), _line(left, y - 5, left, y + 5, INK), _line(right, y - 5, right, y + 5, INK),
            _text((left + right) / 2, y + 16, name, INK, 12), _text((left + right) / 2, y + 31, size, FAINT, 12)]


if __name__ == '__main__':
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'ladder.svg'), 'w') as file:
        file.write(svg())
