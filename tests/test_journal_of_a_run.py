"""What the bot writes into its journal: each decision with its cause, each order with the rule that made, moved and ended it."""
from __future__ import absolute_import, division, print_function

import pytest
from desk import Desk
from fakes import error

from market_maker.journal import Journal
from market_maker.journal_reading import Run


@pytest.fixture
def journal():
    return Journal(':memory:')


def events(journal, **wanted):
    found = Run(journal.connection).order_events()
    return [event for event in found if all(getattr(event, name) == value for name, value in wanted.items())]


def decisions(journal):
    return [(row.cause, row.outcome) for row in Run(journal.connection).decisions()]


def test_every_order_of_the_first_ladder_was_missing_and_rests(journal):
    Desk(journal=journal).run(1)
    assert sorted(event.reason for event in events(journal, what='create')) == sorted(
        'level %+d was missing' % level for level in list(range(-6, 0)) + list(range(1, 7)))
    assert len(events(journal, what='rests')) == 12
    inner, = [event for event in events(journal, what='create') if event.reason == 'level -1 was missing']
    assert (inner.side, inner.price, inner.size) == ('Buy', 6327.0, 100)


def test_the_first_decision_is_the_start_and_the_last_the_stop(journal):
    Desk(journal=journal).run(12)
    assert decisions(journal) == [('start', 'sent: 12 creates'), ('orders', 'nothing to do'), ('interval', 'nothing to do'),
                                  ('interval', 'nothing to do'), ('stop', 'everything is cancelled')]
    assert set(event.reason for event in events(journal, what='cancel')) == set(['shutdown: stop requested'])
    assert len(events(journal, what='cancelled')) == 12


def test_what_rested_when_it_started_is_cancelled_with_that_reason(journal):
    desk = Desk(journal=journal)
    desk.venue._place({'clOrdID': 'mm_bitmex_old', 'symbol': 'XBTUSD', 'side': 'Buy', 'price': 100.0, 'orderQty': 5})
    desk.run(1)
    story = events(journal, cl_ord_id='mm_bitmex_old')
    assert [(event.what, event.reason) for event in story] == [
        ('cancel', 'start: nothing of an earlier run may be left'), ('cancelled', 'Submitted via API.')]


def test_a_market_that_moves_far_moves_orders_and_the_decision_knows_the_touch(journal):
    desk = Desk(journal=journal)
    desk.at(2, desk.venue.quote, 6500.0, 6500.5)
    desk.run(4)
    moved = events(journal, what='amend')
    assert moved and all('from its place (RELIST_INTERVAL 1 %)' in event.reason for event in moved)
    assert len(events(journal, what='amended')) == len(moved)
    found = [row for row in Run(journal.connection).decisions() if row.seq == moved[0].decision]
    assert [(row.cause, row.bid, row.ask) for row in found] == [('market', 6500.0, 6500.5)]
    assert found[0].outcome == 'sent: %d amends' % len(moved)


def test_an_order_that_is_filled_in_part_is_filled_up_and_the_two_are_told(journal):
    desk = Desk(journal=journal)
    desk.at(2, desk.venue.fill, None, 'Buy', 40)
    desk.run(5)
    told = events(journal, what='partly filled')
    assert [(event.size, event.leaves, event.filled) for event in told] == [(100, 60, 40)]
    amend, = events(journal, what='amend', cl_ord_id=told[0].cl_ord_id)
    assert amend.reason == 'level -1: partly filled: from 60 up to 100' and amend.size == 140
    assert ('put off', 'sent: 1 amend') in decisions(journal)


def test_an_order_that_is_filled_is_told_once_and_its_level_was_missing(journal):
    desk = Desk(journal=journal)
    desk.at(2, desk.venue.fill, None, 'Sell')
    desk.run(3)
    assert [event.filled for event in events(journal, what='filled')] == [100]
    assert [event.reason for event in events(journal, what='create')][12:] == ['level +1 was missing']
    assert decisions(journal)[1][0] in ('account', 'orders')


def test_what_the_limit_cuts_off_says_so(journal):
    desk = Desk(journal=journal, CHECK_POSITION_LIMITS=True, MIN_POSITION=-250, MAX_POSITION=250)
    desk.run(1)
    assert sorted(event.reason for event in events(journal, what='create')) == [
        'level %+d was missing%s' % (level, '' if abs(level) == 1 else '; its size is what the position limit leaves') for level in (1, 2, -1, -2)]


def test_a_ladder_of_fewer_pairs_cancels_what_is_superfluous(journal):
    desk = Desk(journal=journal)
    desk.at(2, lambda: setattr(desk.settings, 'ORDER_PAIRS', 5))
    desk.run(9)
    ended = [event for event in events(journal, what='cancel') if not event.reason.startswith('shutdown')]
    assert [event.reason for event in ended] == ['superfluous: 6 of its side rest, 5 are wanted'] * 2


def test_stale_data_ends_orders_with_that_reason_and_the_decision_waits(journal):
    desk = Desk(journal=journal)
    desk.at(2, lambda: setattr(desk.venue.feed, 'mute', True))
    desk.at(2.1, lambda: setattr(desk.venue.feed, 'dead', True))
    desk.run(30)
    pulled = [event for event in events(journal, what='cancel') if event.reason.startswith('stale data: nothing fresh for 15 s')]
    assert len(pulled) == 12
    assert [outcome for cause, outcome in decisions(journal) if outcome.startswith('waiting: ')]


def test_a_refusal_is_told_with_the_venues_words(journal):
    desk = Desk(journal=journal)
    desk.venue.once['POST order/bulk'] = [error(400, 'Account has insufficient Available Balance')]
    desk.run(1)
    told = events(journal, what='refused')
    assert len(told) == 12 and 'insufficient Available Balance' in told[0].reason
    assert decisions(journal)[0][1].startswith('waiting: ')


def test_the_balance_at_the_start_and_at_the_end_are_facts_of_the_run(journal):
    desk = Desk(journal=journal)
    desk.at(2, lambda: setattr(desk.venue, 'balance', 136000000))
    desk.run(5)
    about = Run(journal.connection).about
    assert (about['start_balance'], about['end_balance'], about['deposits'], about['currency']) == (135739200, 136000000, 0, 'XBt')


def test_a_dry_run_has_decisions_and_no_order(journal):
    Desk(journal=journal, DRY_RUN=True).run(7)
    assert decisions(journal)[0] == ('start', 'shown: 12 orders') and events(journal) == []
