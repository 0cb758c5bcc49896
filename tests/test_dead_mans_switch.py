"""The dead man's switch: when the venue is told that we live, and what is believed when it could not be."""
from __future__ import absolute_import, division, print_function

import pytest
from desk import Desk
from fakes import error

from market_maker.dead_mans_switch import DeadMansSwitch
from market_maker.utils import errors


def make(*failures):
    told, failing = [], list(failures)

    def tell(seconds):
        problem = failing.pop(0) if failing else None
        if problem is not None:
            raise problem
        told.append(seconds)
    return DeadMansSwitch(tell), told


def times(desk):
    return [(round(when - desk.start, 1), seconds) for when, seconds in desk.venue.armed]


def verbs(desk):
    return ['%s %s' % (verb, path) for verb, path, body in desk.venue.requests]


def test_it_is_off_by_default():
    desk = Desk()
    desk.run(60)
    assert desk.venue.armed == []
    assert make()[0].next_look(0, 5) == float('inf')


def test_it_is_armed_before_the_first_order_and_disarmed_last():
    desk = Desk(DEAD_MANS_SWITCH=60)
    desk.run(3)
    said = verbs(desk)
    arm = 'POST order/cancelAllAfter'
    assert said.index(arm) < said.index('POST order/bulk') and said[-1] == arm
    assert [seconds for _, seconds in desk.venue.armed] == [60, 0]
    assert said.index('DELETE order') < len(said) - 1


def test_it_is_told_at_a_quarter_of_its_time_also_while_we_wait():
    desk = Desk(DEAD_MANS_SWITCH=20, LOOP_INTERVAL=300)
    desk.at(7, desk.venue.instrument_row, state='Closed')
    desk.run(22)
    assert times(desk) == [(0.0, 20), (5.0, 20), (10.0, 20), (15.0, 20), (20.0, 20), (22.0, 0)]


def test_until_it_is_armed_nothing_is_placed():
    desk = Desk(DEAD_MANS_SWITCH=20)
    answer, seen = desk.venue.script['POST order/cancelAllAfter'], []

    def unreachable(request):
        raise errors.VenueUnreachable('no route')
    desk.venue.script['POST order/cancelAllAfter'] = unreachable
    desk.at(8, desk.venue.script.update, {'POST order/cancelAllAfter': answer})
    desk.at(4, lambda: seen.append(len(desk.venue.resting())))
    desk.at(14, lambda: seen.append(len(desk.venue.resting())))
    desk.run(15)
    assert seen == [0, 12] and desk.heard.count('Waiting: no route') == 1


def test_a_venue_without_it_is_said_to_have_none():
    desk = Desk(DEAD_MANS_SWITCH=20)
    desk.venue.once['POST order/cancelAllAfter'] = [error(404, 'Not Found')]
    with pytest.raises(errors.SettingsError) as raised:
        desk.run(5)
    assert 'DEAD_MANS_SWITCH = 0' in str(raised.value)


def test_a_failure_is_said_once_and_tried_again_after_an_eighth():
    desk = Desk(DEAD_MANS_SWITCH=40, LOOP_INTERVAL=300)
    desk.at(1, lambda: desk.venue.once.update({'POST order/cancelAllAfter': [error(503, 'The system is currently overloaded')] * 3}))
    desk.run(27)
    assert times(desk) == [(0.0, 40), (25.0, 40), (27.0, 0)]
    assert desk.heard.count('could not be told that we live') == 1 and desk.heard.count('hears us again') == 1


def test_when_its_time_is_over_the_orders_are_read_again():
    desk = Desk(DEAD_MANS_SWITCH=8)

    def break_down():
        desk.venue.once['POST order/cancelAllAfter'] = [error(503, 'The system is currently overloaded')] * 9
    desk.at(1, break_down)

    def cancelled_unseen():
        for row in desk.venue.resting():
            row.update(leavesQty=0, ordStatus='Canceled')
            desk.venue._touch(row)
    desk.at(8, cancelled_unseen)
    seen = []
    desk.at(16, lambda: seen.append(len(desk.venue.resting())))
    desk.run(17)
    assert desk.heard.count('our quotes are taken as gone') == 1 and seen == [12]


def test_a_process_that_was_stopped_for_longer_than_its_time_takes_its_quotes_as_gone():
    switch, told = make()
    switch.keep(20, 0.0)
    assert switch.keep(20, 5.0) is False
    assert switch.keep(20, 50.0) is True and told == [20, 20, 20]
    assert switch.keep(20, 55.0) is False and switch.keep(20, 56.0) is False


def test_credentials_refused_end_the_run():
    switch, told = make(None, errors.AuthenticationError('no'))
    assert switch.keep(60, 0) is False and told == [60]
    with pytest.raises(errors.AuthenticationError):
        switch.keep(60, 15)


def test_a_changed_setting_counts_at_once():
    switch, told = make()
    for seconds, now in ((60, 0), (60, 14), (20, 14), (0, 15), (0, 16)):
        switch.keep(seconds, now)
    assert told == [60, 20, 0] and not switch.armed


def test_a_last_word_that_does_not_arrive_is_no_error():
    switch, told = make(None, errors.VenueUnreachable('gone'))
    switch.keep(60, 0)
    switch.disarm()
    switch.disarm()
    assert told == [60] and not switch.armed


def test_orders_that_could_not_be_cancelled_are_left_to_it():
    desk = Desk(DEAD_MANS_SWITCH=60)
    desk.at(2, lambda: desk.venue.once.update({'DELETE order': [error(400, 'no')] * 9}))
    with pytest.raises(errors.Stopped):
        desk.run(3)
    assert desk.venue.armed[-1][1] == 60
    assert desk.heard.count('the venue cancels all orders of the account within 60 s') == 1
