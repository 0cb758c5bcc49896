"""The ladder: from a touch and some rules to prices and sizes."""
from __future__ import absolute_import, division, print_function

import io
import json
import os

import pytest

from market_maker import quoting
from market_maker.utils.math import to_decimal, toNearest

RULES = quoting.Rules(0.5, 0.005, 0.01, True)
TOUCH = quoting.Touch(6358.5, 6359.0)
LEVELS = (-6, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6)

with io.open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'ladders.json')) as stored:
    LADDERS = json.load(stored)


def ladder(touch, rules, own_buy=None, own_sell=None):
    buy, sell = quoting.start_positions(touch, own_buy, own_sell, rules)
    return [quoting.price(level, buy, sell, rules, touch) for level in LEVELS]


def test_the_twelve_quotes_of_the_recorded_run():
    assert ladder(TOUCH, RULES) == [6171.5, 6202.0, 6233.0, 6264.5, 6295.5, 6327.0, 6390.5, 6422.0, 6454.5, 6486.5, 6519.0, 6551.5]


@pytest.mark.parametrize('case', LADDERS, ids=lambda case: '-'.join(str(part) for part in case[:7]))
def test_the_same_ladder_byte_for_byte_on_every_python(case):
    tick, buy, sell, interval, min_spread, maintain, own_touch, start_buy, start_sell, prices = case
    rules, touch = quoting.Rules(tick, interval, min_spread, maintain), quoting.Touch(buy, sell)
    own = (buy, sell) if own_touch else (None, None)
    assert [repr(start) for start in quoting.start_positions(touch, own[0], own[1], rules)] == [start_buy, start_sell]
    assert ' '.join(repr(price) for price in ladder(touch, rules, *own)) == prices


def test_the_ladder_starts_one_tick_inside_the_touch():
    assert quoting.start_positions(quoting.Touch(100.0, 110.0), None, None, RULES) == (100.5, 109.5)


def test_with_maintain_spreads_a_touch_of_our_own_is_where_we_start():
    wide = quoting.Touch(100.0, 110.0)
    assert quoting.start_positions(wide, 100.0, 105.0, RULES) == (100.0, 109.5)
    assert quoting.start_positions(wide, 99.0, 110.0, RULES) == (100.5, 110.0)


def test_without_maintain_spreads_we_outbid_even_ourselves():
    assert quoting.start_positions(quoting.Touch(100.0, 110.0), 100.0, 110.0, RULES._replace(maintain_spreads=False)) == (100.5, 109.5)


def test_both_sides_back_off_by_half_of_min_spread_when_the_spread_is_smaller():
    assert quoting.start_positions(TOUCH, None, None, RULES) == (6327.205, 6390.2925)


def test_with_maintain_spreads_level_one_stands_at_the_start():
    assert quoting.price(-1, 100.0, 110.0, RULES) == 100.0
    assert quoting.price(1, 100.0, 110.0, RULES) == 110.0


def test_without_maintain_spreads_level_one_is_an_interval_away():
    rules = quoting.Rules(0.5, 0.1, 0.0, False)
    assert quoting.price(-1, 110.0, 110.0, rules) == 100.0
    assert quoting.price(1, 100.0, 110.0, rules) == 121.0


def test_half_a_tick_goes_away_from_the_touch():
    assert float(quoting.to_tick(100.25, 0.5, True)) == 100.0
    assert float(quoting.to_tick(100.25, 0.5, False)) == 100.5
    assert float(quoting.to_tick(100.26, 0.5, True)) == 100.5
    assert float(quoting.to_tick(100.24, 0.5, False)) == 100.0


def test_in_a_spread_of_one_tick_both_sides_join_the_touch():
    rules = RULES._replace(min_spread=0.0)
    prices = ladder(quoting.Touch(100.0, 100.5), rules)
    assert prices[5:7] == [100.0, 100.5]


def test_in_a_spread_of_two_ticks_we_do_not_trade_with_ourselves():
    prices = ladder(quoting.Touch(100.0, 101.0), RULES._replace(min_spread=0.0))
    assert prices[5:7] == [100.0, 101.0]


def test_no_level_reaches_the_other_side_of_the_touch():
    far_up = quoting.price(-1, 200.0, 210.0, RULES, quoting.Touch(100.0, 110.0))
    far_down = quoting.price(1, 50.0, 60.0, RULES, quoting.Touch(100.0, 110.0))
    assert (far_up, far_down) == (109.5, 100.5)


def test_a_level_of_zero_lies_inside_the_start_as_in_the_original():
    assert quoting.price(0, 100.0, 110.0, quoting.Rules(0.5, 0.1, 0.0, True)) == 100.0


@pytest.mark.parametrize('wanted, lot, sent', [(100, 1, 100), (150, 100, 200), (200, 100, 200), (1, 1000, 1000), (7, None, 7), (100.0, 1,
    100)])
def test_sizes_go_up_to_the_next_lot(wanted, lot, sent):
    assert quoting.lots_up(wanted, lot) == sent


@pytest.mark.parametrize('room, lot, fits', [(250, 100, 200), (99, 100, 0), (5, 1, 5), (-5, 1, 0)])
def test_what_fits_is_counted_in_whole_lots(room, lot, fits):
    assert quoting.lots_down(room, lot) == fits


def test_sizes_grow_by_a_step_per_level():
    assert [quoting.level_size(level, 100, 50) for level in (-1, 1, -3, 3)] == [100, 100, 200, 200]


def test_the_same_seed_gives_the_same_sizes_on_every_python():
    source = quoting.SizeSource(7)
    assert [source.size(level, 100, 500) for level in (-3, 3, -2, 2, -1, 1)] == [229, 160, 361, 129, 314, 246]


def test_a_level_keeps_its_random_size_until_an_order_of_its_side_is_filled():
    source = quoting.SizeSource(7)
    before = [source.size(level, 100, 500) for level in (-2, -1, 1)]
    assert [source.size(level, 100, 500) for level in (-2, -1, 1)] == before
    source.forget_inner(True, 1)
    after = [source.size(level, 100, 500) for level in (-2, -1, 1)]
    assert after[0] == before[0] and after[1] != before[1] and after[2] == before[2]
    source.forget_inner(False, 1)
    assert source.size(1, 100, 500) != before[2]


def test_random_sizes_reach_both_limits_and_follow_them_when_they_change():
    source = quoting.SizeSource(1)
    assert set(source.size(level, 1, 3) for level in range(1, 60)) == set([1, 2, 3])
    assert 10 <= source.size(1, 10, 20) <= 20


def test_to_nearest_takes_the_noise_out_and_half_a_tick_to_the_even_multiple():
    assert toNearest(401.46000000000004, 0.01) == 401.46
    assert [toNearest(number, 0.5) for number in (100.25, 100.75, 6358.75)] == [100.0, 101.0, 6359.0]
    assert toNearest(3, 1) == 3.0


def test_a_decimal_is_the_number_as_it_is_written():
    assert str(to_decimal(0.1)) == '0.1' and to_decimal(to_decimal('2')) == 2
