"""Long series made short enough to draw, without hiding what matters.

Time is cut into equal buckets, and of each bucket the first, the lowest and the highest value are kept, and where values begin or cease
to be known: no spike and no gap is lost, whatever the zoom it is first looked at with.
"""

import numpy as np

BUCKETS = 900


def kept(at, values, buckets=BUCKETS):
    """Indices (ascending) of the values to draw. at -- ascending; values may hold NaN. All of them where there are few."""
    if len(at) <= 3 * buckets:
        return np.arange(len(at))
    edges = np.searchsorted(at, np.linspace(at[0], at[-1], buckets + 1)[1:-1], side="left")
    edges = np.unique(np.concatenate([[0], edges, [len(at)]]))
    known = ~np.isnan(values)
    low, high = np.where(known, values, np.inf), np.where(known, values, -np.inf)
    found = [np.array([0, len(at) - 1])]
    for begin, end in zip(edges[:-1], edges[1:], strict=True):
        found.append(np.array([begin, begin + int(low[begin:end].argmin()), begin + int(high[begin:end].argmax())]))
        changes = np.flatnonzero(known[begin + 1 : end] != known[begin : end - 1])
        if len(changes):
            found.append(begin + np.array([changes[0], changes[0] + 1, changes[-1], changes[-1] + 1]))
    return np.unique(np.concatenate(found))
