"""What a report shows of one run: its figures, and its series in the length that is drawn.

Rules:

* A run is read once. Whatever text comes from it has been through the log's redaction, and settings that hold credentials are left out.
* Of more than MOST_FILLS fills evenly spaced ones are drawn, and the page says so; figures always count them all.
* Series of money are in whole currency (XBT, not satoshi).
"""

import itertools

import numpy as np

from market_maker import _settings_base as base
from market_maker import contracts
from market_maker.backtest import presence, returns
from market_maker.backtest.figures import of
from market_maker.backtest.observed import Observed, at_moments
from market_maker.backtest.report import texts
from market_maker.backtest.report.thin import BUCKETS, kept
from market_maker.backtest.split import captured
from market_maker.utils import log

MOST_FILLS = 3000
MOST_IN_FULL = 4  # runs on a page
LEAST_BUCKETS = 150
MOST_NOTES = 50
NEVER_SHOWN = base.SECRETS | {"API_KEY", "LOGIN"}


class Material:
    """Everything about one run. name -- of it; path -- its folder or None; figures -- see backtest.figures; the rest is for drawing.

    beside -- how many runs there are on the page: where there are many, each is drawn in less detail, so that the page stays small.
    """

    def __init__(self, run, beside=1):
        detail = min(1.0, MOST_IN_FULL / beside)
        self._buckets, self._most_fills = max(LEAST_BUCKETS, int(BUCKETS * detail)), int(MOST_FILLS * detail)
        observed = Observed(run)
        orders = presence.Orders(run.order_events())
        self.name, self.path = run.name or "a run in memory", run.path
        self.about = run.about
        self.figures = of(observed, orders, run.state())
        self.code = observed.currency
        self.unit = contracts.currency(self.code).name
        self.tick = observed.instrument.get("tickSize") or 0.01
        self.quote_currency = observed.instrument.get("quoteCurrency") or "USD"
        self.settings = {name: shown(value) for name, value in (self.about.get("settings") or {}).items() if name not in NEVER_SHOWN}
        self.market, self.market_effect = shown(self.about.get("market")), shown(self.about.get("market_effect"))
        self.note_count = run.count("note")
        self.notes = [(row.at, row.level, log.redact(row.text)) for row in itertools.islice(run.notes(), MOST_NOTES)]
        self.span = (observed.start, observed.end)
        self.touch_count = len(observed.touch_at)
        self.profit = self._profit(observed)
        self.position = self._position(observed)
        self.quotes = self._quotes(observed, orders)
        self.fills = self._fills(observed)

    def changed_settings(self):
        """[(name, value, default)] of the settings that are not at their default."""
        defaults = {setting.name: setting.default for setting in base.SETTINGS}
        return [
            (name, value, defaults.get(name))
            for name, value in sorted(self.settings.items())
            if name in defaults and not _same(value, defaults[name])
        ]

    def whole(self, units):
        """Units -> currency; arrays too."""
        return np.asarray(units, dtype=float) / 10 ** contracts.currency(self.code).digits

    #
    # Series
    #
    def _profit(self, observed):
        """Profit since the start and what it is made of, and the fall below its highest, at the moments of the account rows."""
        at, equity = observed.equity()
        if not len(at):
            return None
        total = equity - equity[0]
        order = np.argsort(observed.fill_at, kind="stable")
        spread = _running(observed.fill_at[order], captured(observed)[order], at)
        fees = -_running(observed.fill_at[order], np.array(observed.fill_fees, dtype=float)[order], at)
        funding = -_running(observed.funding_at, np.array(observed.funding_fees, dtype=float), at)
        parts = {
            "profit": total,
            "spread": spread,
            "inventory": total - spread - fees - funding,
            "fees": fees,
            "funding": funding,
            "drawdown": -returns.below_peak(equity),
        }
        chosen = np.unique(np.concatenate([kept(at, parts[name], self._buckets) for name in ("profit", "inventory", "drawdown")]))
        return dict({name: self.whole(values[chosen]) for name, values in parts.items()}, at=at[chosen])

    def _position(self, observed):
        at = np.concatenate([[observed.start], observed.fill_at, [observed.end]])
        held = observed.start_position + np.concatenate([[0.0], np.cumsum(observed.fill_quantity), [observed.fill_quantity.sum()]])
        chosen = kept(at, held, self._buckets)
        return {"at": at[chosen], "held": held[chosen]}

    def _quotes(self, observed, orders):
        found = {}
        for name, at, values in (
            ("bid", observed.touch_at, observed.bid),
            ("ask", observed.touch_at, observed.ask),
            ("own_bid", orders.bid_at, orders.bid),
            ("own_ask", orders.ask_at, orders.ask),
        ):
            if len(at) and at[-1] < observed.end:
                at, values = np.append(at, observed.end), np.append(values, values[-1])
            chosen = kept(at, values, self._buckets)
            found[name] = (at[chosen], values[chosen])
        return found

    def _fills(self, observed):
        ours = np.flatnonzero(observed.fill_is_ours)
        if len(ours) > self._most_fills:
            ours = ours[np.unique(np.linspace(0, len(ours) - 1, self._most_fills).astype(int))]
        at, price, quantity = observed.fill_at[ours], observed.fill_price[ours], observed.fill_quantity[ours]
        side = np.sign(quantity)
        later = np.where(at + 10 <= observed.end, observed.mid_at(at + 10), np.nan)
        held = observed.start_position + np.cumsum(observed.fill_quantity)
        return {
            "at": at,
            "price": price,
            "quantity": quantity,
            "mid": observed.fill_mid[ours],
            "is_maker": observed.fill_is_maker[ours],
            "captured": side * (observed.fill_mid[ours] - price) / price * 1e4,
            "later": side * (later - price) / price * 1e4,
            "held": held[ours] if len(ours) else held[:0],
        }


def shown(value):
    """A fact of the journal, fit to be shown: text without secrets."""
    return log.redact(value) if isinstance(value, str) else value


def differing_settings(materials):
    """[(name, [value of each run])] of the settings in which runs differ; a run that does not have one: None."""
    names = sorted(set(name for material in materials for name in material.settings))
    rows = [(name, [material.settings.get(name) for material in materials]) for name in names]
    return [(name, values) for name, values in rows if any(not _same(value, values[0]) for value in values)]


def written(value):
    return texts.DASH if value is None else texts.value(value)


def _same(one, other):
    return list(one) == list(other) if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)) else one == other


def _running(at, amounts, moments):
    """The sum of the amounts until each moment."""
    return np.nan_to_num(at_moments(at, np.cumsum(amounts), moments)) if len(at) else np.zeros(len(moments))
