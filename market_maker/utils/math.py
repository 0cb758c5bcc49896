"""Numbers as a trader writes them: exact decimals, and rounding that is the same on every Python."""
from __future__ import absolute_import, division, print_function

from decimal import ROUND_HALF_EVEN, Context, Decimal

# A context of our own: what a strategy does to the thread's context changes no price.
EXACT = Context(prec=28)
MOST_KEPT = 4096

_kept = {}  # float -> Decimal: prices and steps come again and again
_nearest = {}  # (float, step) -> what toNearest makes of it


def to_decimal(number):
    """The decimal that the number is written as: 0.1 is one tenth, not the binary fraction nearest to it."""
    if type(number) is float:
        found = _kept.get(number)
        if found is None:
            if len(_kept) >= MOST_KEPT:
                _kept.clear()
            found = _kept[number] = Decimal(repr(number))
        return found
    if isinstance(number, Decimal):
        return number
    return Decimal(repr(number) if isinstance(number, float) else str(number))


def to_multiple(number, step, rounding):
    """`number` as a Decimal multiple of `step`, rounded as one of decimal's ROUND_ constants says."""
    step = to_decimal(step)
    count = EXACT.divide(to_decimal(number), step).to_integral_value(rounding)
    return EXACT.multiply(count, step)


def decimals(step):
    """How many decimals a multiple of `step` needs: 0.5 -> 1, 100 -> 0."""
    return max(0, -to_decimal(step).normalize().as_tuple().exponent)


def toNearest(num, tickSize):
    """The multiple of `tickSize` nearest to `num`, as a float without noise: toNearest(401.46000000000004, 0.01) -> 401.46.

    Half a tick goes to the even multiple, as the original did on Python 3.
    """
    question = num, tickSize
    found = _nearest.get(question)
    if found is None:
        if len(_nearest) >= MOST_KEPT:
            _nearest.clear()
        found = _nearest[question] = float(to_multiple(num, tickSize, ROUND_HALF_EVEN))
    return found
