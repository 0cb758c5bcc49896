"""Where the profit came from: spread, inventory, fees and funding, in whole units, adding up exactly.

    profit    = end balance - start balance - deposits                                    marginBalance, so open positions count
    fees      = - sum of execComm of the fills
    funding   = - sum of execComm of the fundings
    spread    = sum over the fills of  worth(dq, mid) - worth(dq, price)                  what a fill got against the mid just before it
    inventory = profit - spread - fees - funding                                          what holding a position brought

Inventory is also worked out on its own, and what it is made of is told (`inventory_parts`):

    moves       = sum between the fills of  worth(q, next mid) - worth(q, mid)            what the mid's moves did to the position
    mark        = [worth(q, mark) - worth(q, mid)] at the end - the same at the start     balances count at the mark, moves at the mid
    rounding    = what the venue rounds: costs per lot, values of positions per lot; and each item above to a whole unit
    unexplained = what the journal cannot account for: 0 when it holds everything that happened to the account

Rules:

* The four add up to the profit exactly, whatever the journal misses: `unexplained` shows what it missed, and is part of inventory.
* Rounding is at most half a unit per lot traded, half a unit per lot held at start and end, and one unit per fill and two more.
* All trades of the account in the symbol count, ours or not: the balance does not tell them apart.
"""

import numpy as np


def split(observed):
    """{'profit', 'split': {...}, 'inventory_parts': {...}}, in whole units; profit and split None where no balance is known.

    observed -- an Observed. Pure.
    """
    if observed.start_balance is None:
        return {"profit": None, "split": None, "inventory_parts": None}
    profit = observed.end_balance - observed.start_balance - observed.deposits
    fees, funding = -sum(observed.fill_fees), -sum(observed.funding_fees)
    spread = int(captured(observed).sum())
    parts = _parts(observed, spread)
    parts["unexplained"] = profit - spread - sum(parts.values()) - fees - funding
    return {
        "profit": profit,
        "split": {"spread": spread, "inventory": profit - spread - fees - funding, "fees": fees, "funding": funding},
        "inventory_parts": parts,
    }


def captured(observed):
    """Per fill: what it got against the mid just before it, whole units (as floats)."""
    quantity = observed.fill_quantity
    return np.rint(observed.worth(quantity, observed.fill_mid) - observed.worth(quantity, observed.fill_price))


def _parts(observed, spread):
    mids = np.concatenate([[_or_one(observed.start_mid)], observed.fill_mid, [_or_one(observed.end_mid)]])
    held = observed.start_position + np.concatenate([[0.0], np.cumsum(observed.fill_quantity)])
    moves = int(np.rint(observed.worth(held, mids[1:]) - observed.worth(held, mids[:-1])).sum())
    mark = _gap(observed, observed.end_position, observed.end_mark, mids[-1]) - _gap(
        observed, observed.start_position, observed.start_mark, mids[0]
    )
    gross = observed.end_value - observed.start_value - sum(observed.fill_costs)
    return {"moves": moves, "mark": mark, "rounding": gross - spread - moves - mark}


def _gap(observed, position, mark, mid):
    return int(np.rint(observed.worth(position, mark) - observed.worth(position, mid))) if position else 0


def _or_one(price):
    return 1.0 if price is None else price  # nothing was held and no price was ever seen
