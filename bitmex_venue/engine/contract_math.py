"""What contracts are worth and what margin they need: pure functions over integers.

Rules (numbers are sections of bitmex-api.md; golden tests hold the recorded rows):

* the value of one lot is rounded half away from zero, and a cost is a whole number of lots times that value (4.3);
* the cost of a bought inverse contract is negative, of a sold one positive; linear and quanto are the other way (4.3);
* commission is truncated towards zero and has the sign of the rate (4.3);
* the average entry comes from the ceiling of the signed cost per lot (4.4);
* avgPx comes from the rounded value and is then rounded to the tick (3.7);
* order margin is charged on the opening part of both sides, paired, at initial margin plus both fees (4.5);
* position margin is maintenance plus funding (2024 on), or init + commission + cross - loss (2018) (4.5).

Money is in the settlement currency's smallest unit; rates and prices named `*_e8` are integers of 1e-8. Nothing here
raises for valid input, and nothing keeps state, so calling again is always safe.
"""

from __future__ import annotations

from typing import NamedTuple

E8 = 100_000_000
E16 = E8 * E8


def div_half_away(n: int, d: int) -> int:
    """n / d rounded to the nearest integer, an exact half away from zero. d > 0."""
    if n >= 0:
        return (2 * n + d) // (2 * d)
    return -((2 * -n + d) // (2 * d))


def ceil_div(n: int, d: int) -> int:
    """The ceiling of n / d. d > 0."""
    return -(-n // d)


def trunc_div(n: int, d: int) -> int:
    """n / d truncated towards zero. d > 0."""
    return n // d if n >= 0 else -(-n // d)


def lot_value(spec, price_e8: int) -> int:
    """Value of one lot at a price, in settlement units, always positive (4.3)."""
    if spec.is_inverse:
        return (2 * spec.value_numerator + price_e8) // (2 * price_e8)
    return (2 * spec.value_numerator * price_e8 + E8) // (2 * E8)


def cost(spec, qty: int, price_e8: int) -> int:
    """Unsigned value of `qty` contracts (a multiple of the lot) at a price (4.3)."""
    return abs(qty) // spec.lot_size * lot_value(spec, price_e8)


def commission(exec_cost: int, rate_e8: int) -> int:
    """trunc(|execCost| * rate), negative for a rebate (4.3)."""
    amount = abs(exec_cost) * abs(rate_e8) // E8
    return amount if rate_e8 >= 0 else -amount


def released_cost(pos_cost: int, closed: int, total: int) -> int:
    """The part of a position's signed cost that goes when `closed` of `total` contracts are closed (4.4)."""
    return div_half_away(pos_cost * closed, total)


def average_price_e8(spec, lots: int, pos_cost: int) -> int:
    """avgEntryPrice of a position with signed cost `pos_cost`, at four decimals (4.4); where every lot cost the same, the price on
    the tick at which it does (rows of 2019-02 and 2021-12). 0 when there is none."""
    per_lot = abs(ceil_div(pos_cost, lots)) if lots else 0
    if not per_lot:
        return 0
    if per_lot * lots == abs(pos_cost):
        on_tick = avg_px_e8(spec, 1, per_lot)
        if on_tick and lot_value(spec, on_tick) == per_lot:
            return on_tick
    return div_half_away(price_of_lot_value(spec, per_lot, 1), 10_000) * 10_000


def price_of_lot_value(spec, total: int, lots: int) -> int:
    """The price (e8) at which `lots` lots are worth `total` settlement units; total > 0."""
    if spec.is_inverse:
        return div_half_away(spec.value_numerator * lots, total)
    return div_half_away(total * E8, spec.value_numerator * lots)


def avg_px_e8(spec, lots: int, total_cost: int) -> int:
    """avgPx of an order filled for `total_cost` (unsigned) over `lots`, rounded to the tick (3.7)."""
    if spec.is_inverse:
        ticks = div_half_away(spec.value_numerator * lots, total_cost * spec.tick_e8)
    else:
        ticks = div_half_away(total_cost * E8, spec.value_numerator * lots * spec.tick_e8)
    return ticks * spec.tick_e8


def margin_factor_e16(init_e8: int, taker_fee_e8: int) -> int:
    """k of 4.5: initial margin, the fee to enter, and the fee to leave at the bankruptcy price."""
    return (init_e8 + taker_fee_e8) * E8 + taker_fee_e8 * (E8 + init_e8)


class OrderMargin(NamedTuple):
    gross_open_cost: int
    init_margin: int


NO_ORDER_MARGIN = OrderMargin(0, 0)


def order_margin(k_e16: int, position: int, buy_qty: int, buy_cost: int, sell_qty: int, sell_cost: int) -> OrderMargin:
    """What resting orders lock (4.5). Quantities and costs are unsigned sums of one (account, symbol)."""
    ob = buy_qty + position if position < 0 else buy_qty
    os = sell_qty - position if position > 0 else sell_qty
    if ob < 0:
        ob = 0
    if os < 0:
        os = 0
    pair = ob if ob < os else os
    part1 = 0
    if pair:
        if buy_cost * sell_qty >= sell_cost * buy_qty:
            part1 = -(-pair * buy_cost // buy_qty)
        else:
            part1 = -(-pair * sell_cost // sell_qty)
    part2 = 0
    if ob > pair:
        part2 = -(-(ob - pair) * buy_cost // buy_qty)
    elif os > pair:
        part2 = -(-(os - pair) * sell_cost // sell_qty)
    return OrderMargin(part1 + part2, -(-part1 * k_e16 // E16) - (-part2 * k_e16 // E16))


class PositionMargin(NamedTuple):
    """Columns posInit, posComm, posCross, posMaint, posMargin and maintMargin of a position row."""

    init: int = 0
    comm: int = 0
    cross: int = 0
    maint: int = 0
    margin: int = 0
    maint_margin: int = 0


FLAT = PositionMargin()


def shared_position_margin(pos_cost: int, maint_e8: int, funding_e8: int) -> PositionMargin:
    """Cross margin since 2024: only maintenance, with the funding the position would pay (0 when it receives) (4.5)."""
    amount = ceil_div(abs(pos_cost) * (maint_e8 + funding_e8), E8)
    return PositionMargin(maint=amount, margin=amount, maint_margin=amount)


def held_position_margin(
    pos_cost: int, init_e8: int, maint_e8: int, taker_fee_e8: int, unrealised: int, transferred: int | None = None, rate_e8: int = 0
) -> PositionMargin:
    """Cross margin of 2018 (transferred None: posCross covers the loss), and isolated margin of any year (4.5).

    [V] on the rows of 2018-08-19 and 2019-11-12. For isolated margin `transferred` is what was moved in by hand. `rate_e8` is the
    funding rate that the position would pay, which counts as maintenance: found in rows of 2019-02-20 (0.00375, isolated) and
    2021-12-18 (0.0001, cross).
    """
    size = abs(pos_cost)
    init = ceil_div(size * init_e8, E8)
    cross = max(0, -unrealised) if transferred is None else transferred
    comm = ceil_div((size + init + cross) * taker_fee_e8, E8)
    maint = ceil_div(size * (maint_e8 + rate_e8), E8) + comm
    margin = init + comm + cross
    return PositionMargin(init, comm, cross, maint, margin, margin + unrealised)


def price_for_mark_value(spec, lots: int, mark_value: int) -> int | None:
    """The price (e8) at which a signed position of `lots` has this signed markValue; None when no price gives it."""
    wanted = -mark_value if (lots > 0) == spec.is_inverse else mark_value
    if wanted <= 0 or not lots:
        return None
    return price_of_lot_value(spec, wanted, abs(lots))
