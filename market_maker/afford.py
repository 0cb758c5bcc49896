"""Pure: which part of a plan is sent when the request budget does not pay for all of it.

Rules:

* Cancels are always sent. The rest is cut off at the end of this order of value: amends that make an order smaller, amends that take
  one away from the other side (it stands where it may be hit at a price we do not want any more), amends that move one towards the
  touch, the longest way first, amends that only fill one up, and creates; of equals the one nearest to the touch first.
* Creates, and amends that only fill up, leave in the bucket what it costs to amend all that rests, a quarter of the bucket at most: who fills
  the ladder up with the last tokens cannot move it with the market, and the amends of the next plans would wait for the creates of this one.
* What relied on an amend that is left out (see convergence) is left out with it. Nothing is kept for later: the next plan is made anew.
* A bulk request costs half a token per order, rounded up, a single order one; `second` counts requests, `tokens` what they cost.
"""
from __future__ import absolute_import, division, print_function

from market_maker import convergence

SINGLE = 'single'
KEPT_FOR_AMENDS = 0.25         # of the bucket, at most


def cost(plan, transport):
    """(tokens, order requests) that a plan takes."""
    lists = [batch for batch in plan.batches if batch] + ([plan.create] if plan.create else [])
    sizes = [len(orders) for orders in lists]
    cancels = 1 if plan.cancel else 0
    if transport == SINGLE:
        return sum(sizes) + cancels, sum(sizes) + cancels
    return sum((size + 1) // 2 for size in sizes) + cancels, len(sizes) + cancels


def kept_for_amends(count, transport, limit):
    """Tokens that creates leave while `count` orders rest; `limit` -- size of the bucket, None where nobody counts."""
    return min(count if transport == SINGLE else (count + 1) // 2, int(KEPT_FOR_AMENDS * (limit or 0)))


def trim(existing, plan, transport, tokens, second, middle, limit=None):
    """(the part of the plan that can be paid, how many amends and creates were left out).

    tokens, second -- what there is in the two layers, infinite where nobody counts; middle -- between the best prices; limit -- size of
    the bucket, None where nobody counts.
    """
    kept = kept_for_amends(len(existing), transport, limit)
    if _fits(plan, transport, tokens, second, kept):
        return plan, 0
    amends, creates = list(plan.amend), list(plan.create)
    by_value = sorted(amends, key=lambda amend: _value(amend, middle)) + sorted(
        creates, key=lambda order: abs(order['price'] - middle))
    count = len(by_value)
    while True:  # cancels alone are always sent
        count -= 1
        chosen = [id(item) for item in by_value[:count]]
        part = convergence.in_order(existing, [amend for amend in amends if id(amend) in chosen],
                                    [order for order in creates if id(order) in chosen], plan.cancel, plan.put_off, plan.reasons)
        if _fits(part, transport, tokens, second, kept):
            return part, len(by_value) - len(part.amend) - len(part.create)


def names_left_out(plan, part):
    """The orders of a plan that are not in a part of it, by names that stay the same from one look to the next while they wait."""
    sent = set(id(item) for item in list(part.amend) + list(part.create))
    names, counts = set(), {}
    for item in list(plan.amend) + list(plan.create):
        if id(item) not in sent:
            kind = item.order['orderID'] if isinstance(item, convergence.Amend) else item['side']
            counts[kind] = counts.get(kind, 0) + 1
            names.add((kind, counts[kind]))
    return frozenset(names)


def _fits(plan, transport, tokens, second, kept):
    needed, requests = cost(plan, transport)
    if plan.create or any(_only_fills_up(amend) for amend in plan.amend):
        needed += kept
    return not (plan.amend or plan.create) or (needed <= tokens and requests <= second)


def _only_fills_up(amend):
    return amend.price == amend.order['price'] and amend.quantity >= amend.order['leavesQty']


def _value(amend, middle):
    old = amend.order['price']
    way = round(abs(amend.price / old - 1), 4)
    if amend.quantity < amend.order['leavesQty']:
        kind = 0
    elif _only_fills_up(amend):
        kind = 3
    else:
        kind = 2 if amend.advances else 1
    return kind, -way, abs(amend.price - middle)
