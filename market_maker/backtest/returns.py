"""What the equity did: drawdown, and the Sharpe ratio with all that has to be said of it.

Rules:

* Equity is marginBalance: open positions count at the mark price.
* Drawdown is the greatest fall below the highest equity before it, in money and as a share of that highest equity.
* Sharpe = mean / standard deviation of the changes of equity over equal intervals (the risk-free rate taken for zero), times the root
  of the intervals of a year. It is shown from 30 changes on. Its standard error, sqrt((1 + s^2 / 2) / n) with s per interval
  (Lo 2002, "The Statistics of Sharpe Ratios", for independent changes), is annualised alike, and is large for short runs.
"""

import numpy as np

YEAR_S = 365.25 * 86400
INTERVALS_S = (86400, 3600, 600, 60)  # the longest of which there are enough is used: short ones count the noise of marks
ENOUGH = 30


def drawdown(at, equity):
    """{'money', 'percent', 'peak_at', 'low_at'}: zero when it never fell, None where nothing is known. Pure."""
    if not len(equity):
        return {"money": None, "percent": None, "peak_at": None, "low_at": None}
    fall = below_peak(equity)
    low = int(np.argmax(fall))
    peak = int(np.argmax(equity[: low + 1]))
    money, highest = float(fall[low]), float(equity[peak])
    return {
        "money": int(money),
        "percent": 100 * money / highest if highest > 0 else None,
        "peak_at": float(at[peak]),
        "low_at": float(at[low]),
    }


def below_peak(equity):
    """How far the equity stands below the highest before it, at each moment."""
    return np.maximum.accumulate(equity) - equity if len(equity) else equity


def sharpe(at, equity):
    """{'value', 'error', 'per_interval', 'samples', 'interval_s', 'skew', 'kurtosis', 'reason'}.

    value and error are annual; where there is none `reason` says why, and value is None. kurtosis of normal changes is 3. Pure.
    """
    interval, changes = changes_of(at, equity)
    found = {
        "value": None,
        "error": None,
        "per_interval": None,
        "samples": len(changes),
        "interval_s": interval,
        "skew": None,
        "kurtosis": None,
    }
    if len(changes) < ENOUGH:
        return dict(found, reason="too few samples: %d of one minute, and %d are needed" % (len(changes), ENOUGH))
    deviation = changes.std(ddof=1)
    if not deviation > 0:
        return dict(found, reason="the equity never changed")
    one = float(changes.mean() / deviation)
    year = np.sqrt(YEAR_S / interval)
    standard = (changes - changes.mean()) / changes.std()
    return {
        "value": float(one * year),
        "error": float(np.sqrt((1 + one * one / 2) / len(changes)) * year),
        "per_interval": one,
        "samples": len(changes),
        "interval_s": interval,
        "skew": float((standard**3).mean()),
        "kurtosis": float((standard**4).mean()),
        "reason": None,
    }


def changes_of(at, equity):
    """(interval, changes): of the longest interval with ENOUGH changes, or else the shortest."""
    length = at[-1] - at[0] if len(at) else 0.0
    interval = next((seconds for seconds in INTERVALS_S if length / seconds >= ENOUGH), INTERVALS_S[-1])
    moments = at[0] + interval * np.arange(int(length // interval) + 1) if len(at) else np.empty(0)
    samples = equity[np.searchsorted(at, moments, side="right") - 1] if len(moments) else moments
    return interval, np.diff(samples)
