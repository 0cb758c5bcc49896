"""Pure: how many requests a minute the settings will need, before they have needed them.

Formula: a price that wanders by `deviation` (standard deviation of a minute, as a fraction) has moved by a step for the first time after
(step / deviation) ** 2 minutes on average; the step is the first whole tick beyond RELIST_INTERVAL. Then it takes until the next look that
it is seen: half a LOOP_INTERVAL, where events drive the bot half a second. And then the whole ladder is amended. An
event-driven bot also takes home what has drifted by half of RELIST_INTERVAL, after (RELIST_INTERVAL / 2 / deviation) ** 2 minutes on average and
at most once in RECENTRE_S. To that comes the dead man's switch. Fills come on top, a request each, and pay for themselves.
"""
from __future__ import absolute_import, division, print_function

import math

from market_maker import rate_limit

ORDINARY, WILD = 0.001, 0.005      # one-minute deviations: a median day, and a day like 12 March 2020
EVENTS_S = 1.0                     # an event-driven bot looks about as often as one that polls at this interval


def per_minute(deviation, orders, relist_interval, tick_fraction, is_single, interval, switch, recentre=0):
    """Tokens a minute. orders -- of the whole ladder; interval -- seconds between two looks, None when events are waited for;
    switch -- seconds of the dead man's switch, recentre -- RECENTRE_S; 0 without."""
    step = tick_fraction * (math.floor(relist_interval / tick_fraction + 1e-9) + 1)
    minutes = (step / deviation) ** 2 + (interval or EVENTS_S) / 60.0 / 2
    drifts = min((2 * deviation / relist_interval) ** 2, 60.0 / recentre) if recentre and relist_interval else 0.0
    move = orders if is_single else (orders + 1) // 2
    return move * (drifts + 1 / max(minutes, (interval or 0) / 60.0)) + (60.0 / (switch / 4.0) if switch else 0.0)


def needs(settings, row, price, is_single):
    """(tokens a minute on an ordinary day, on a wild one) that the settings need at a price of the instrument."""
    return tuple(per_minute(
        deviation, 2 * settings.ORDER_PAIRS, settings.RELIST_INTERVAL, row['tickSize'] / price, is_single,
        None if settings.EVENT_DRIVEN else settings.LOOP_INTERVAL, settings.DEAD_MANS_SWITCH,
        settings.RECENTRE_S if settings.EVENT_DRIVEN else 0) for deviation in (ORDINARY, WILD))


def before_any_order(settings, row, price, limit):
    """{'ordinary', 'wild', 'allowed', 'is_single'} before it is known how orders travel: 'auto' goes by the venue's era.

    limit -- size of the bucket that the venue told, with or without a key. Tokens a minute.
    """
    limit = rate_limit.WITH_KEY.get(limit, limit)
    transport = settings.ORDER_TRANSPORT
    is_single = limit < rate_limit.CLASSIC_LIMIT if transport == 'auto' else transport == 'single'
    ordinary, wild = needs(settings, row, price, is_single)
    return {'ordinary': ordinary, 'wild': wild, 'allowed': rate_limit.per_minute(limit), 'is_single': is_single}


def line(ordinary, wild, allowed):
    """(text, whether it is a warning)."""
    text = 'Forecast: %s requests a minute on an ordinary day (%g %% a minute), %s on a wild one (%g %%), and one for each fill; the venue allows %s.' % (
        _number(ordinary), 100 * ORDINARY, _number(wild), 100 * WILD, _number(allowed))
    if ordinary <= allowed:
        return text, False
    return text + ' That is more than there is: the orders furthest out will lag. Widen RELIST_INTERVAL, or quote fewer ORDER_PAIRS.', True


def _number(number):
    return '%d' % round(number) if number >= 10 else '%.1f' % number
