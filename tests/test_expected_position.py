"""The position by the fills we know of."""
from __future__ import absolute_import, division, print_function

from market_maker.expected_position import ExpectedPosition


def settled(quantity):
    expected = ExpectedPosition()
    expected.settle(quantity, -10.0)
    expected.unaccounted(quantity, 0.0)
    return expected


def test_the_first_row_is_believed():
    assert ExpectedPosition().unaccounted(700, 0.0) == (0, 0)


def test_a_row_that_changes_without_fills_counts_both_ways_until_it_is_read():
    expected = settled(700)
    assert expected.unaccounted(200, 5.0) == (500, 0)
    assert not expected.in_doubt(200, 7.9) and expected.in_doubt(200, 8.0)
    expected.settle(200, 8.0)
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
    expected.settle(-500, 13.0)
    assert expected.unaccounted(0, 14.0) == (0, 500)
    assert expected.unaccounted(-500, 14.5) == (0, 0)


def test_soon_after_a_reading_agreement_may_be_chance_and_fills_of_both_sides_count():
    expected = ExpectedPosition()
    expected.settle(33, 10.0)
    expected.note_fill('Buy', 100, 10.5)  # 33 of these had been read already
    expected.note_fill('Sell', 33, 10.6)  # and this one the row does not show yet
    assert expected.unaccounted(100, 10.6) == (100, 33 + 67)  # between 33 - 33 and 100 + 100
    assert expected.unaccounted(67, 10.7) == (100, 33 + 34)
    assert expected.unaccounted(67, 13.6) == (100, 33 + 34) and expected.in_doubt(67, 13.7)
    expected.settle(67, 13.7)
    assert expected.unaccounted(67, 13.7) == (0, 0)


def test_a_fill_that_the_reading_held_already_takes_nothing_from_what_a_late_row_hides():
    expected = ExpectedPosition()
    expected.settle(150, 6.0)
    expected.note_fill('Sell', 100, 6.0)  # its row comes after the reading that held it
    assert expected.unaccounted(0, 6.0) == (150, 100)  # and the position's row is older than both: 150 are held, not 50
    assert expected.unaccounted(150, 6.0) == (0, 100)
    assert expected.unaccounted(200, 6.0) == (0, 100 + 50)


def test_when_fills_come_soon_after_a_reading_it_is_read_again_although_all_agrees():
    expected = ExpectedPosition()
    expected.settle(0, 10.0)
    expected.note_fill('Buy', 100, 11.0)
    assert expected.unaccounted(100, 11.0) == (100, 100)
    assert not expected.in_doubt(100, 13.9) and expected.in_doubt(100, 14.0)
    expected.settle(100, 14.0)
    assert expected.unaccounted(100, 17.0) == (0, 0) and not expected.in_doubt(100, 30.0)
