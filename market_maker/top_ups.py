"""Pure: when an order that was filled in part is filled up again.

A sweep fills an order in a dozen pieces within a second; an amend after each of them would cost a request every time, and the
place in the queue as well.

Rules:

* An order that only lacks contracts waits until `least` seconds after its shortage was first seen; one amend then makes up for all of it.
* An order that has to move is not held back, and one that has to shrink is not either.

Times are handed in, in seconds of a clock that is never set back.
"""
from __future__ import absolute_import, division, print_function

from market_maker import convergence


class TopUps(object):
    """Which orders lack contracts, and since when."""

    def __init__(self):
        self._since = {}           # orderID -> when the shortage was first seen

    def hold_back(self, existing, plan, relist_interval, least, now):
        """(the plan without the amends that can wait, seconds until the first of them is due or None)."""
        short = [amend for amend in plan.amend if _only_lacks_contracts(amend, relist_interval)]
        self._since = dict((amend.order['orderID'], self._since.get(amend.order['orderID'], now)) for amend in short)
        waits = [(amend, self._since[amend.order['orderID']] + least - now) for amend in short]
        held = [amend for amend, wait in waits if wait > 0]
        if not held:
            return plan, None
        kept = [amend for amend in plan.amend if amend not in held]
        plan = convergence.in_order(existing, kept, plan.create, plan.cancel, plan.put_off + held, plan.reasons)
        return plan, min(wait for _, wait in waits if wait > 0)


def _only_lacks_contracts(amend, relist_interval):
    row = amend.order
    return amend.quantity > row['leavesQty'] and not convergence.is_far(row['price'], amend.price, relist_interval)
