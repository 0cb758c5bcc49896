"""The figures of a run: one dict, worked out of its journal alone, for the report, for comparisons and for tuning.

    figures(run)["profit"], ["split"]["spread"], ["drawdown"]["percent"], ["sharpe"]["value"], ["markouts"][10]["bps"], ...

Money is in whole units of the settlement currency (satoshi for XBt), times in Unix seconds, shares between 0 and 1. What is not known is
None.
Formulas: split, markouts, presence and returns of this package; docs/report.md explains each.

=================  ==========================================================================================================
symbol, kind       as in the journal (`kind`: paper, venue, dry-run, backtest)
state              'over', 'under way' or 'cut off'
currency           unit of the money, such as XBt
started, ended     of what is known of the run; seconds = between them
start_balance      marginBalance then; also end_balance; deposits during the run
profit             end_balance - start_balance - deposits; profit_percent of the start balance
split              {'spread', 'inventory', 'fees', 'funding'}: add up to the profit exactly; each positive is earned
inventory_parts    {'moves', 'mark', 'rounding', 'unexplained'}: add up to the inventory
equity             {'at', 'balance'}: numpy arrays
drawdown           {'money', 'percent', 'peak_at', 'low_at'}
sharpe             {'value', 'error', 'per_interval', 'samples', 'interval_s', 'skew', 'kurtosis', 'reason'}
fills              trades of ours; foreign_fills: the account's others; contracts, turnover (units) and maker_share (of contracts) of ours
orders             {'offered', 'hit', 'refused'}; fill_ratio: hit / offered
time_at_touch      share of time with an order at the touch, on either side; touch: per side (see presence.at_touch)
requests           {'creates', 'amends', 'cancels', 'total', 'per_minute', 'peak_per_minute'}
markouts           {0, 1, 10, 60 seconds: {'count', 'bps', 'bps_error', 'money', ..., 'buy', 'sell'}}
position           {'start', 'end', 'lowest', 'highest', 'mean', 'mean_size', 'told'}: means over time; told: by the venue at the end
end_price          {'mark', 'mid', 'is_told'}: the prices at which the end's position is valued
fills_without_mid  fills for whose moment no mid is known; their spread counts as 0
=================  ==========================================================================================================
"""

import numpy as np

from market_maker.backtest import presence, returns
from market_maker.backtest.markouts import markouts
from market_maker.backtest.observed import Observed
from market_maker.backtest.split import split


def figures(run):
    """The dict above. run -- a journal_reading.Run, on disk or in memory. Calling again is safe: nothing is changed."""
    return of(Observed(run), presence.Orders(run.order_events()), run.state())


def of(observed, orders, state):
    """The figures of what was read already: an Observed and its presence.Orders."""
    about = observed.about
    at, equity = observed.equity()
    seconds = observed.end - observed.start
    found = {
        "symbol": about.get("symbol"),
        "kind": about.get("kind"),
        "state": state,
        "currency": observed.currency,
        "started": observed.start,
        "ended": observed.end,
        "seconds": seconds,
        "start_balance": observed.start_balance,
        "end_balance": observed.end_balance,
        "deposits": observed.deposits,
        "equity": {"at": at, "balance": equity},
        "drawdown": returns.drawdown(at, equity),
        "sharpe": returns.sharpe(at, equity),
        "markouts": markouts(observed),
        "requests": presence.requests(orders, seconds),
        "touch": presence.at_touch(observed, orders),
        "position": _position(observed),
        "end_price": {"mark": observed.end_mark, "mid": observed.end_mid, "is_told": observed.mark_is_told},
        "fills_without_mid": observed.fills_without_mid,
    }
    found.update(split(observed))
    found.update(_trading(observed, orders))
    found["time_at_touch"] = found["touch"]["either"]
    found["profit_percent"] = (
        100.0 * found["profit"] / observed.start_balance if observed.start_balance and found["profit"] is not None else None
    )
    return found


def _trading(observed, orders):
    ours = observed.fill_is_ours
    size = np.abs(observed.fill_quantity)
    contracts = float(size[ours].sum())
    return {
        "fills": int(ours.sum()),
        "foreign_fills": int((~ours).sum()),
        "contracts": int(contracts),
        "turnover": sum(abs(cost) for cost, is_ours in zip(observed.fill_costs, ours.tolist(), strict=True) if is_ours),
        "maker_share": float(size[ours & observed.fill_is_maker].sum()) / contracts if contracts else None,
        "orders": {"offered": orders.offered, "hit": orders.hit, "refused": orders.refused},
        "fill_ratio": orders.hit / orders.offered if orders.offered else None,
    }


def _position(observed):
    held = observed.start_position + np.concatenate([[0.0], np.cumsum(observed.fill_quantity)])
    lengths = np.diff(np.concatenate([[observed.start], np.clip(observed.fill_at, observed.start, observed.end), [observed.end]]))
    total = lengths.sum()
    return {
        "start": observed.start_position,
        "end": observed.end_position,
        "lowest": int(held.min()),
        "highest": int(held.max()),
        "mean": float((held * lengths).sum() / total) if total > 0 else None,
        "mean_size": float((np.abs(held) * lengths).sum() / total) if total > 0 else None,
        "told": observed.told_position,
    }
