"""Contract maths against a second, plain implementation in decimals and fractions."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from engine_kit import specs
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import naive_order_margin, naive_value

from bitmex_venue.engine import contract_math as m

CONTRACTS = [s for era in ("classic", "modern") for s in specs(era) if not s.is_index]
contracts = st.sampled_from(CONTRACTS)
quantities = st.integers(0, 10**6)
PLAIN = settings(max_examples=300, deadline=None, derandomize=True)


@PLAIN
@given(contracts, st.integers(1, 2_000_000))
def test_the_value_of_a_lot_is_what_decimals_say(spec, ticks):
    price_e8 = ticks * spec.tick_e8
    price = Decimal(price_e8).scaleb(-8)
    assert m.lot_value(spec, price_e8) == naive_value(spec.kind, spec.multiplier, spec.lot_size, price)


@PLAIN
@given(contracts, st.integers(-(10**6), 10**6), st.lists(st.tuples(st.sampled_from((1, -1)), st.integers(1, 10**6), st.integers(1, 10**9))))
def test_order_margin_is_what_fractions_say(spec, position, orders):
    k = m.margin_factor_e16(spec.init_margin_e8, spec.taker_fee_e8)
    sums = [sum(o[n] for o in orders if o[0] == side) for side in (1, -1) for n in (1, 2)]
    plain = naive_order_margin(Fraction(spec.init_margin_e8, 10**8), Fraction(spec.taker_fee_e8, 10**8), position, orders)
    assert m.order_margin(k, position, *sums) == plain


@PLAIN
@given(st.integers(-(10**15), 10**15), st.integers(1, 10**9))
def test_divisions_round_as_their_names_say(n, d):
    exact = Fraction(n, d)
    assert m.ceil_div(n, d) == -(-n // d) and 0 <= m.ceil_div(n, d) - exact < 1
    assert abs(m.trunc_div(n, d)) <= abs(exact) < abs(m.trunc_div(n, d)) + 1
    near = m.div_half_away(n, d)
    assert abs(near - exact) <= Fraction(1, 2) and (abs(near - exact) != Fraction(1, 2) or abs(near) > abs(exact))


@PLAIN
@given(st.integers(-(10**12), 10**12), st.integers(1, 10**6), st.data())
def test_released_cost_never_passes_the_whole_and_all_of_it_goes_with_the_last_contract(pos_cost, total, data):
    closed = data.draw(st.integers(0, total))
    released = m.released_cost(pos_cost, closed, total)
    assert abs(released) <= abs(pos_cost) and released * pos_cost >= 0
    assert m.released_cost(pos_cost, total, total) == pos_cost


@PLAIN
@given(contracts, st.integers(100, 400_000), st.integers(1, 10**5), st.sampled_from((1, -1)))
def test_the_price_for_a_mark_value_is_where_the_position_has_it(spec, ticks, lots, sign):
    price_e8 = ticks * spec.tick_e8
    value = lots * m.lot_value(spec, price_e8)
    signed = -sign * value if spec.is_inverse else sign * value
    found = m.price_for_mark_value(spec, sign * lots, signed)
    assert m.lot_value(spec, found) == m.lot_value(spec, price_e8)
    assert m.price_for_mark_value(spec, sign * lots, -signed) is None


@PLAIN
@given(contracts, st.integers(100, 400_000), st.integers(1, 10**5))
def test_avg_px_of_an_order_filled_at_one_price_is_within_the_rounding_of_the_value(spec, ticks, lots):
    price_e8 = ticks * spec.tick_e8
    value = m.lot_value(spec, price_e8)
    got = m.avg_px_e8(spec, lots, lots * value)
    assert got % spec.tick_e8 == 0
    assert abs(got - price_e8) <= spec.tick_e8 + price_e8 // value
