"""The position by the fills we know of."""
from __future__ import absolute_import, division, print_function

from market_maker.expected_position import ExpectedPosition


def settled(quantity):
    expected = ExpectedPosition()
    expected.settle(quantity)
    return expected


def test_without_fills_the_row_is_believed():
    assert ExpectedPosition().unaccounted(700, 0.0) == (0, 0)
    assert settled(700).unaccounted(200, 5.0) == (0, 0)


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


def test_once_the_venue_was_heard_well_after_the_last_fill_the_row_is_right():
    expected = settled(0)
    expected.note_fill('Buy', 100, 10.0)
    assert expected.unaccounted(0, 12.9) == (100, 0)
    assert expected.unaccounted(0, 13.0) == (0, 0)
    assert expected.unaccounted(50, 13.0) == (0, 0)
