"""Pure: touch + own best + rules -> the ladder of quotes.

Rules:

* We start one tick inside the touch. When MAINTAIN_SPREADS is on and the touch is our own order, we start there: nobody
  outbids himself.
* Where the two starts are closer than MIN_SPREAD both back off by half of it.
* With MAINTAIN_SPREADS level 1 stands at the start and each further level INTERVAL beyond the one before; without it level 1 too
  is INTERVAL away from the start.
* Prices go to the nearest tick; half a tick goes away from the touch (buys down, sells up).
* The ladder stays on our own side: no buy reaches the best ask, no sell the best bid, and no buy of ours a sell of ours. Where the
  touch leaves no room between, both join it.
* Sizes go up to the next lot.

Levels are numbered -1, -2, ... for buys and 1, 2, ... for sells, 1 being the inner one. Prices are computed as Decimals, in
operations that are exactly rounded, so that every Python on every machine comes to the same ladder.
"""
from __future__ import absolute_import, division, print_function

import functools
import random
from collections import namedtuple
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_DOWN, ROUND_HALF_UP

from market_maker.utils.math import EXACT, to_decimal, to_multiple

REMEMBERED = 1000

# tick -- price step; interval, min_spread -- fractions of the price (0.005 is half a percent)
Rules = namedtuple('Rules', 'tick interval min_spread maintain_spreads')

# highest_buy, lowest_sell -- where the ladder must end towards the other side
Bounds = namedtuple('Bounds', 'highest_buy lowest_sell')


class Touch(namedtuple('Touch', 'buy sell')):
    """The best prices of both sides."""

    __slots__ = ()

    @property
    def middle(self):
        return (self.buy + self.sell) / 2


def _remembered(function):
    """The function, asked the same again, answers from memory: a decision asks for each price several times."""
    known = {}

    @functools.wraps(function)
    def answer(*question):
        if question not in known:
            if len(known) >= REMEMBERED:
                known.clear()
            known[question] = function(*question)
        return known[question]
    return answer


def rules_of(settings, instrument):
    """The Rules that the settings make for an instrument."""
    return Rules(instrument['tickSize'], settings.INTERVAL, settings.MIN_SPREAD, bool(settings.MAINTAIN_SPREADS))


@_remembered
def start_positions(touch, own_buy, own_sell, rules):
    """Where the ladder starts: (buy, sell) as floats, not yet rounded to ticks.

    own_buy, own_sell -- prices of our own best resting orders, or None.
    """
    tick = to_decimal(rules.tick)
    buy = to_decimal(touch.buy) + tick
    sell = to_decimal(touch.sell) - tick
    if rules.maintain_spreads:
        if touch.buy == own_buy:
            buy = to_decimal(touch.buy)
        if touch.sell == own_sell:
            sell = to_decimal(touch.sell)
    spread = to_decimal(rules.min_spread)
    if EXACT.multiply(buy, 1 + spread) > sell:
        buy = EXACT.multiply(buy, 1 - spread / 2)
        sell = EXACT.multiply(sell, 1 + spread / 2)
    return float(buy), float(sell)


@_remembered
def unbounded_price(index, start_buy, start_sell, rules):
    """The Decimal price of level `index`, to the nearest tick, before it is held on our own side."""
    start = to_decimal(start_buy if index < 0 else start_sell)
    steps = index
    if rules.maintain_spreads:
        steps = index + 1 if index < 0 else index - 1
    return to_tick(_beyond(start, to_decimal(rules.interval) + 1, steps), rules.tick, index < 0)


@_remembered
def price(index, start_buy, start_sell, rules, touch=None):
    """The price of level `index` as a float on a tick. Without a touch it is not held on our own side."""
    found = unbounded_price(index, start_buy, start_sell, rules)
    if touch is not None:
        limits = bounds(touch, start_buy, start_sell, rules)
        found = min(found, limits.highest_buy) if index < 0 else max(found, limits.lowest_sell)
    return float(found)


@_remembered
def bounds(touch, start_buy, start_sell, rules):
    """How far towards the other side the ladder may reach. The touch must not be locked or crossed."""
    tick = to_decimal(rules.tick)
    best_bid, best_ask = to_decimal(touch.buy), to_decimal(touch.sell)
    highest_buy, lowest_sell = best_ask - tick, best_bid + tick
    inner_buy = min(unbounded_price(-1, start_buy, start_sell, rules), highest_buy)
    inner_sell = max(unbounded_price(1, start_buy, start_sell, rules), lowest_sell)
    if inner_buy >= inner_sell:
        return Bounds(best_bid, best_ask)
    return Bounds(highest_buy, lowest_sell)


def ladder(settings, instrument, touch, sizes=None):
    """(buys, sells): the orders wanted around a touch while none of ours rests, outermost first.

    sizes -- level -> contracts, before they go up to the next lot (default: those of the settings; random ones count as the largest).
    """
    rules = rules_of(settings, instrument)
    start = start_positions(touch, None, None, rules)
    if sizes is None:
        sizes = functools.partial(_largest, settings)
    return tuple([{'price': price(sign * level, start[0], start[1], rules, touch), 'side': side,
                   'orderQty': lots_up(sizes(sign * level), instrument.get('lotSize'))}
                  for level in range(settings.ORDER_PAIRS, 0, -1)] for sign, side in ((-1, 'Buy'), (1, 'Sell')))


def _largest(settings, index):
    if settings.RANDOM_ORDER_SIZE:
        return settings.MAX_ORDER_SIZE
    return level_size(index, settings.ORDER_START_SIZE, settings.ORDER_STEP_SIZE)


def to_tick(number, tick, is_buy):
    """The nearest tick as a Decimal; half a tick goes away from the touch."""
    return to_multiple(number, tick, ROUND_HALF_DOWN if is_buy else ROUND_HALF_UP)


def level_size(index, start_size, step_size):
    """Contracts wanted at a level: ORDER_START_SIZE at the inner one, ORDER_STEP_SIZE more at each further one."""
    return start_size + (abs(index) - 1) * step_size


@_remembered
def lots_up(quantity, lot):
    """The smallest whole number of lots that is not less than `quantity` contracts, in contracts; at least one lot."""
    return int(max(to_multiple(quantity, lot or 1, ROUND_CEILING), to_decimal(lot or 1)))


def lots_down(quantity, lot):
    """The largest number of contracts in whole lots that is not more than `quantity`; 0 when there is none."""
    return max(0, int(to_multiple(quantity, lot or 1, ROUND_FLOOR)))


class SizeSource(object):
    """Random sizes that stay with their level until an order is filled, so that a resting order is not amended for nothing.

    The same seed gives the same sizes on every Python: only `random.Random.random` is the same on 2 and 3.
    """

    def __init__(self, seed=None):
        self._random = random.Random(seed)
        self._sizes = {}

    def size(self, index, low, high):
        """Contracts for a level, from `low` to `high`, both included."""
        known = self._sizes.get(index)
        if known is None or not low <= known <= high:
            known = self._sizes[index] = low + int(self._random.random() * (high - low + 1))
        return known

    def forget_inner(self, is_buy, count):
        """`count` orders of a side are gone: the inner levels, which will be placed anew, draw again."""
        for level in range(1, count + 1):
            self._sizes.pop(-level if is_buy else level, None)


def _beyond(start, ratio, steps):
    """start * ratio ** steps, by single exactly rounded operations."""
    operation = EXACT.multiply if steps > 0 else EXACT.divide
    for _ in range(abs(steps)):
        start = operation(start, ratio)
    return start
