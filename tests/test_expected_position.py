"""The position by the fills we know of."""
from __future__ import absolute_import, division, print_function

from market_maker.expected_position import ExpectedPosition


def settled(quantity):
    expected = ExpectedPosition()
    expected.settle(quantity)
    return expected


def test_the_first_row_is_believed():
    assert ExpectedPosition().unaccounted(700, 0.0) == (0, 0)


def test_a_row_that_changes_without_fills_counts_both_ways_until_it_is_read():
    expected = settled(700)
    assert expected.unaccounted(200, 5.0) == (500, 0)
    assert not expected.in_doubt(200, 7.9) and expected.in_doubt(200, 8.0)
    expected.settle(200)
    assert expected.unaccounted(200, 8.0) == (0, 0) and not expected.in_doubt(200, 20.0)


def test_a_fill_that_the_row_does_not_show_yet_counts():
    expected = settled(700)
    expected.note_fill('Buy', 100, 10.0)
    assert expected.unaccounted(700, 11.0) == (100, 0)
    expected.note_fill('Sell', 300, 10.0)
    assert expected.unaccounted(700, 11.0) == (0, 200)
    assert expected.unaccounted(500, 11.0) == (0, 0)


def test_a_row_that_is_ahead_of_the_fills_counts_the_other_way():
    expected = settled(700)
    expected.note_fill('Buy', 100, 10.0)
    assert expected.unaccounted(900, 11.0) == (0, 100)


def test_time_alone_settles_nothing():
    expected = settled(0)
    expected.note_fill('Buy', 100, 10.0)
    assert expected.unaccounted(0, 10.5) == (100, 0)
    assert expected.unaccounted(0, 60.0) == (100, 0) and expected.in_doubt(0, 60.0)


def test_while_fills_go_on_nobody_asks():
    expected = settled(0)
    expected.note_fill('Buy', 100, 10.0)
    assert not expected.in_doubt(0, 10.0)
    expected.note_fill('Buy', 100, 12.0)
    assert not expected.in_doubt(0, 14.0) and expected.in_doubt(0, 15.0)


def test_a_late_row_after_the_position_was_read_is_not_believed():
    expected = settled(0)
    expected.note_fill('Sell', 500, 10.0)
    expected.settle(-500)
    assert expected.unaccounted(0, 14.0) == (0, 500)
    assert expected.unaccounted(-500, 14.5) == (0, 0)
