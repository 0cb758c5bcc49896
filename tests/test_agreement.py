"""A touch that stands still while the book goes on is an old one."""
from __future__ import absolute_import, division, print_function

from desk import Desk

from market_maker.ws.agreement import Agreement


def look(agreement, moments, quote, book):
    for now in moments:
        assert agreement.is_due(now)
        agreement.note(quote, lambda: book, now)


def test_quotes_that_stand_still_are_as_old_as_they_differ_from_the_book():
    agreement = Agreement()
    look(agreement, (0, 1, 2), (100, 101), (100, 101))
    assert not agreement.is_due(2.9) and agreement.seconds(2.9) == 0.0
    look(agreement, (3, 4, 7), (100, 101), (102, 103))
    assert agreement.seconds(8) == 5.0
    look(agreement, (9,), (100, 101), (100, 101))
    assert agreement.seconds(9) == 0.0


def test_quotes_that_move_are_alive_and_an_empty_side_says_nothing():
    agreement = Agreement()
    look(agreement, (0, 1), (100, 101), (100, 101))
    look(agreement, (2, 3), (100, 101), (102, 103))
    look(agreement, (4,), (104, 105), (102, 103))
    assert agreement.seconds(4) == 0.0
    look(agreement, (5, 6), (104, 105), (None, 105))
    assert agreement.seconds(6) == 0.0


def test_where_the_two_never_agreed_nothing_is_said():
    agreement = Agreement()
    look(agreement, range(60), (100, 101), (99, 102))
    assert agreement.seconds(60) == 0.0
    look(agreement, (60, 61), (100, 101), (100, 101))
    look(agreement, (62,), (100, 101), (99, 102))
    assert agreement.seconds(63) == 1.0
    agreement.reset()
    assert agreement.is_due(63) and agreement.seconds(63) == 0.0


def test_a_table_of_quotes_that_stalls_alone_is_noticed_and_asked_for_anew():
    desk = Desk(LOOP_INTERVAL=2)

    def book(action, bid, ask):
        desk.venue.feed.table('orderBookL2_25', action, {'symbol': 'XBTUSD', 'id': 3, 'side': 'Buy', 'size': 5, 'price': bid},
                              {'symbol': 'XBTUSD', 'id': 2, 'side': 'Sell', 'size': 5, 'price': ask})
    bid, ask = desk.venue.bid, desk.venue.ask
    desk.at(1, book, 'update', bid, ask)

    def stall():
        desk.venue.bid, desk.venue.ask = bid + 200, ask + 200  # and no row of quote says so
        book('update', bid + 200, ask + 200)
    desk.at(5, stall)
    seen = []
    for moment in (6, 18):
        desk.at(moment, lambda: seen.append(desk.venue.ladder('Buy')[0][0]))
    desk.run(20)
    assert round(seen[1] - seen[0], -1) == 200 and desk.heard.count('Got all market data again') == 1
    assert desk.heard.count('quotes and book contradict each other') == 1
