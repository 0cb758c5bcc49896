"""What is measured, from the venue's side alone, the same way for every bot.

Rules:

* Looked at after everything that happens; times are those between looks, in seconds, from the first order on.
* Without quotes: no order of the bot rests. While nobody could quote (`outage`: the venue is away, its market closed or empty, the limits
  narrower than a lot) nothing is held against it.
* Wrong: an order rests further than RELIST_INTERVAL (and a tick) from where the rules want it by the venue's true touch. The rules are
  written again here, in floats, so that bot and measure do not share a mistake. Orders are matched with the levels from the
  inside out and from the outside in, and the better way counts.
* Overshoot: contracts by which position plus everything that rests on a side passes the limit, whatever fills first.
* Duplicates: orders of a side beyond ORDER_PAIRS.
"""

from __future__ import annotations

from typing import NamedTuple


class Rules(NamedTuple):
    """The settings that say where quotes belong; `lowest` and `highest` are the position limits, or None."""

    pairs: int
    interval: float
    min_spread: float
    maintain_spreads: bool
    relist_interval: float
    lowest: int | None = None
    highest: int | None = None


def rules_of(settings):
    limits = (settings.MIN_POSITION, settings.MAX_POSITION) if settings.CHECK_POSITION_LIMITS else (None, None)
    return Rules(settings.ORDER_PAIRS, settings.INTERVAL, settings.MIN_SPREAD, bool(settings.MAINTAIN_SPREADS), settings.RELIST_INTERVAL, *limits)


class Streak:
    """How long something has been so, and how long at most."""

    def __init__(self):
        self.longest = self.total = 0.0
        self._since = None

    def note(self, now, is_so):
        """The state from `now` on."""
        if self._since is not None:
            self.longest = max(self.longest, now - self._since[0])
            self.total += now - self._since[1]
        self._since = None if not is_so else (now if self._since is None else self._since[0], now)

    def forgive(self, now):
        """What has been so until now does not count."""
        self._since = None


class Score:
    """Fed with looks. `overshoot`, `duplicates` are the worst seen; `bare`, `wrong` are Streaks."""

    def __init__(self, rules):
        self.rules = rules
        self.bare, self.wrong = Streak(), Streak()
        self.overshoot = self.duplicates = self.looks = 0
        self.has_quoted = False
        self.worst = None
        self._verdicts = {}

    def look(self, now, orders, held, touch, tick, outage=False):
        """`orders`: (side 1 or -1, price, contracts left) of what rests; `touch`: (bid, ask), None where a side is empty."""
        self.looks += 1
        buys = [order for order in orders if order[0] > 0]
        sells = [order for order in orders if order[0] < 0]
        self.duplicates = max(self.duplicates, len(buys) - self.rules.pairs, len(sells) - self.rules.pairs)
        if self.rules.highest is not None:
            over = held + sum(order[2] for order in buys) - self.rules.highest if buys else 0
            under = self.rules.lowest - held + sum(order[2] for order in sells) if sells else 0
            self.overshoot = max(self.overshoot, over, under)
        self.has_quoted = self.has_quoted or bool(orders)
        if outage or None in touch:
            self.bare.forgive(now)
            self.wrong.forgive(now)
            return
        self.bare.note(now, self.has_quoted and not orders)
        self.wrong.note(now, bool(orders) and self._is_wrong(buys, sells, touch, tick))

    def end(self, now):
        self.bare.note(now, False)
        self.wrong.note(now, False)

    def _is_wrong(self, buys, sells, touch, tick):
        key = (tuple(order[1] for order in buys), tuple(order[1] for order in sells), touch)
        if self._verdicts.get("key") != key:
            self._verdicts = {"key": key, "wrong": is_wrong(key[0], key[1], touch, tick, self.rules)}
        return self._verdicts["wrong"]


def is_wrong(buys, sells, touch, tick, rules):
    """Whether a price of the ladder is too far from its place."""
    bid, ask = touch
    start_buy, start_sell = bid + tick, ask - tick
    if rules.maintain_spreads:
        if buys and max(buys) == bid:
            start_buy = bid
        if sells and min(sells) == ask:
            start_sell = ask
    if start_buy * (1 + rules.min_spread) > start_sell:
        start_buy, start_sell = start_buy * (1 - rules.min_spread / 2), start_sell * (1 + rules.min_spread / 2)
    first = 0 if rules.maintain_spreads else 1
    wanted_buys = [min(start_buy / (1 + rules.interval) ** (level + first), ask - tick) for level in range(rules.pairs)]
    wanted_sells = [max(start_sell * (1 + rules.interval) ** (level + first), bid + tick) for level in range(rules.pairs)]
    return _is_off(sorted(buys, reverse=True), wanted_buys, tick, rules) or _is_off(sorted(sells), wanted_sells, tick, rules)


def _is_off(prices, wanted, tick, rules):
    count = min(len(prices), len(wanted))
    ways = (zip(prices, wanted), zip(reversed(prices), reversed(wanted)))
    return count > 0 and all(any(abs(price - place) > place * rules.relist_interval + tick for price, place in way) for way in ways)
