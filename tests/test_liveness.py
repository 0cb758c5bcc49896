"""When to ping, when to call a socket dead, when to connect again; time is handed in."""
from __future__ import absolute_import, division, print_function

import pytest

from market_maker.ws.liveness import (ALLOWANCE, ASK, ASK_AGAIN_S, CONNECT, DROP, FEW, HOUR_S, LONGEST_BACKOFF_S, MODERN_ALLOWANCE, NOT_REACHED,
                                      NOTHING, PING, QUICK_BACKOFF_S, STABLE_AFTER_S, Liveness, asking)


@pytest.fixture
def live():
    return Liveness(lambda: 1.0, image_limit=20.0)


def complete(live, now):
    live.opened(now)
    live.ready()


def test_the_first_attempt_is_at_once(live):
    assert live.decide(0) == CONNECT and live.age(0) == float('inf') and live.next_look(0) == 0


def test_silence_is_pinged_once_and_then_taken_for_death(live):
    complete(live, 0)
    assert live.decide(4.9) == NOTHING and live.next_look(4) == 1
    assert live.decide(5) == PING and live.decide(6) == NOTHING
    assert live.next_look(6) == 4
    assert live.decide(10) == DROP


def test_any_message_is_a_sign_of_life(live):
    complete(live, 0)
    assert live.decide(5) == PING
    live.last_message = 6
    assert live.age(8) == 2
    assert live.decide(10.5) == NOTHING and live.decide(11) == PING


def test_however_much_the_venue_says_we_say_something_every_minute(live):
    complete(live, 0)
    pings = []
    for now in range(1, 200):
        live.last_message = now - 0.5
        if live.decide(now) == PING:
            pings.append(now)
    assert pings == [60, 120, 180]
    live.last_message = 230
    assert live.next_look(235.0 - 1) == 1 and live.next_look(239.5) == 0


def test_a_socket_without_its_tables_is_given_up_after_the_time_limit(live):
    live.opened(0)
    for now in range(1, 20):
        live.last_message = now
        assert live.decide(now) in (NOTHING, ASK)
    assert live.age(19) == float('inf') and live.next_look(19) == 1
    assert live.decide(20) == DROP


def test_tables_that_do_not_come_are_asked_for_again_and_then_later_again():
    live = Liveness(lambda: 1.0, image_limit=60.0)
    live.opened(0)
    asked = []
    for now in range(1, 50):
        live.last_message = now - 0.5
        asked += [now] if live.decide(now) == ASK else []
    assert asked == [ASK_AGAIN_S, 3 * ASK_AGAIN_S, 9 * ASK_AGAIN_S]
    assert asking(['order:XBTUSD', 'margin']) == ['{"op": "unsubscribe", "args": ["order:XBTUSD", "margin"]}',
                                                 '{"op": "subscribe", "args": ["order:XBTUSD", "margin"]}']


def test_a_new_socket_that_says_nothing_at_all_is_asked_pinged_and_dropped(live):
    live.opened(0)
    assert live.next_look(1) == 4 and [live.decide(5), live.decide(5)] == [ASK, PING]
    assert live.decide(10) == DROP


def back_off(live, count, now=100, status=None):
    waits = []
    for _ in range(count):
        live.closed(now, status)
        waits.append(live.next_look(now))
        assert live.decide(now) == NOTHING and live.decide(now + waits[-1]) == CONNECT
    return waits


def test_attempts_are_spaced_by_a_back_off_that_doubles_up_to_a_limit(live):
    waits = back_off(live, 9)
    assert waits[:4] == [0.5, 1.0, 2.0, 4.0] and waits[-1] == QUICK_BACKOFF_S


def test_when_few_of_the_hour_s_connections_are_left_the_back_off_goes_on_to_half_a_minute(live):
    waits = back_off(live, ALLOWANCE)
    assert waits.index(LONGEST_BACKOFF_S) == ALLOWANCE - FEW - 1
    assert back_off(live, 1, 100 + HOUR_S) == [QUICK_BACKOFF_S]


def test_the_venues_own_count_of_connections_left_is_believed(live):
    live.welcomed({'limit': {'remaining': FEW + 3}})
    assert back_off(live, 5)[2:] == [2.0, 4.0, 8.0]
    live.welcomed({'limit': {'remaining': 700}})
    assert back_off(live, 2 * ALLOWANCE)[-1] == QUICK_BACKOFF_S


def test_a_venue_that_has_a_limit_and_does_not_name_it_is_one_that_grants_sixty(live):
    live.welcomed({'limit': {}})
    assert back_off(live, MODERN_ALLOWANCE).index(LONGEST_BACKOFF_S) == MODERN_ALLOWANCE - FEW - 1
    assert LONGEST_BACKOFF_S not in back_off(live, 1, 100 + HOUR_S)
    live.welcomed({'limit': {'remaining': 'many'}})
    assert back_off(live, ALLOWANCE, 100 + 3 * HOUR_S).index(LONGEST_BACKOFF_S) == ALLOWANCE - FEW - 1


def test_attempts_that_reached_nobody_do_not_count(live):
    live.welcomed({'limit': {'remaining': FEW + 1}})
    assert back_off(live, 5 * ALLOWANCE, status=NOT_REACHED)[-1] == QUICK_BACKOFF_S
    assert back_off(Liveness(lambda: 1.0), 5 * ALLOWANCE, status=NOT_REACHED)[-1] == QUICK_BACKOFF_S
    assert back_off(live, 2)[-1] == LONGEST_BACKOFF_S


def test_jitter_spreads_the_attempts():
    live = Liveness(lambda: 0.0)
    live.closed(0)
    assert live.next_look(0) == 0.25


def test_the_venues_wish_to_wait_is_respected(live):
    live.closed(0, 429)
    assert live.next_look(0) == 30


def test_while_the_address_is_banned_attempts_become_ever_rarer(live):
    live.welcomed({'limit': {'remaining': 700}})
    assert back_off(live, 9, status=403) == [QUICK_BACKOFF_S] * 4 + [8.0, 16.0] + [LONGEST_BACKOFF_S] * 3


def test_the_back_off_starts_over_only_after_a_connection_that_lasted(live):
    for _ in range(4):
        complete(live, 0)
        live.closed(1)
    assert live.next_look(1) == 4.0
    complete(live, 10)
    live.closed(10 + STABLE_AFTER_S)
    assert live.next_look(10 + STABLE_AFTER_S) == 0.5
