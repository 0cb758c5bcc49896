"""How figures are written for people: with their unit, a sign where it matters, and a dash where nothing is known.

Money is shown with all digits of its unit, so that sums can be checked by eye. Times are UTC.
"""

from datetime import UTC, datetime

from market_maker import contracts

DASH = "–"
MINUS = "−"


def money(units, code, is_signed=True):
    """123456, 'XBt' -> '+0.00123456 XBT'."""
    if units is None:
        return DASH
    name, digits = contracts.currency(code)
    return f"{number(contracts.in_whole(units, code), digits, is_signed)} {name}"


def number(value, digits=0, is_signed=False):
    """A number with thousands separated; a real minus; a plus where asked for."""
    if value is None:
        return DASH
    text = f"{abs(value):,.{digits}f}"
    is_zero = not text.strip("0.,")
    return ("" if is_zero else MINUS if value < 0 else "+" if is_signed else "") + text


def share(value, digits=1):
    """0.421 -> '42.1 %'."""
    return DASH if value is None else f"{number(100 * value, digits)} %"


def percent(value, digits=2, is_signed=True):
    return DASH if value is None else f"{number(value, digits, is_signed)} %"


def bps(value, error=None):
    """Basis points, with one standard error where there is one."""
    if value is None:
        return DASH
    return f"{number(value, 2, True)}{'' if error is None else f' ± {number(error, 2)}'} bp"


def length(seconds):
    """4210 -> '1 h 10 min'."""
    if seconds is None:
        return DASH
    for size, name, smaller, small_name in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if seconds >= size:
            whole, rest = int(seconds // size), int(seconds % size // smaller)
            return f"{whole} {name}" + (f" {rest} {small_name}" if rest else "")
    return f"{seconds:.0f} s"


def moment(seconds, form="%Y-%m-%d %H:%M:%S"):
    return DASH if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime(form)


def period(start, end):
    """'2026-09-21 14:13:30 to 15:13:30 UTC'; the second day only where it is another one."""
    same_day = moment(start, "%Y-%m-%d") == moment(end, "%Y-%m-%d")
    return f"{moment(start)} to {moment(end, '%H:%M:%S' if same_day else '%Y-%m-%d %H:%M:%S')} UTC"


def price(value, tick):
    """A price with the digits of its tick."""
    return number(value, decimals(tick))


def decimals(tick):
    """How many decimals a tick has: 0.5 -> 1."""
    text = f"{tick or 1:.10f}".rstrip("0")
    return len(text.partition(".")[2])


def plural(count, one, many=None):
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def value(setting):
    """A setting's value as one writes it in settings.py."""
    return repr(setting) if isinstance(setting, (str, list, dict)) else str(setting)
