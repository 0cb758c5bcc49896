"""What became of the fills: their mark-outs, the field's measure of adverse selection.

    mark-out after h seconds = side * (mid then - price of the fill) / price                in basis points; side +1 bought, -1 sold
                             = worth(dq, mid then) - worth(dq, price)                        in money

Rules:

* Positive is good for us. At 0 s it is the spread captured; what it loses from there to h seconds is adverse selection.
* Only fills of ours; those whose h seconds were not over when the run was, or for which no mid is known, are left out and not counted.
* The mean weighs every fill alike. Its standard error takes fills for independent of each other: of those that come together it is too
  small.
"""

import numpy as np

HORIZONS_S = (0, 1, 10, 60)
SIDES = (("buy", 1), ("sell", -1))


def markouts(observed, horizons=HORIZONS_S):
    """{seconds: {'count', 'bps', 'bps_error', 'money', 'money_per_fill', 'money_error', 'buy': {the same}, 'sell': {the same}}}.

    Means are None without a fill, errors (one standard error of the mean) with fewer than two. Money in units; 'money' is the sum. Pure.
    """
    ours = observed.fill_is_ours
    at, quantity, price = observed.fill_at[ours], observed.fill_quantity[ours], observed.fill_price[ours]
    found = {}
    for seconds in horizons:
        later = observed.mid_at(at + seconds) if seconds else observed.fill_mid[ours]
        counts = ~np.isnan(later) & (at + seconds <= observed.end)
        bps = np.sign(quantity) * (later - price) / price * 1e4
        money = observed.worth(quantity, later) - observed.worth(quantity, price)
        found[seconds] = _summary(bps[counts], money[counts])
        for name, sign in SIDES:
            chosen = counts & (np.sign(quantity) == sign)
            found[seconds][name] = _summary(bps[chosen], money[chosen])
    return found


def _summary(bps, money):
    return {
        "count": len(bps),
        "bps": mean(bps),
        "bps_error": standard_error(bps),
        "money": int(np.rint(money.sum())),
        "money_per_fill": mean(money),
        "money_error": standard_error(money),
    }


def mean(values):
    return float(values.mean()) if len(values) else None


def standard_error(values):
    """Of the mean of independent values; None with fewer than two."""
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else None
