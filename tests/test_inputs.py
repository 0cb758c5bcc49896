"""What a run is told, as it is kept and as it is played back: each hook gives the second time what it gave the first."""
from __future__ import absolute_import, division, print_function

import json

import pytest
import requests
from fakes import response

from market_maker import inputs, journal_inputs
from market_maker.inputs import PASSED_ON, KeptInputs, bytes_of, text_of
from market_maker.refeed import Player, _Over
from market_maker.rest_session import KnownFailure, failure_of
from market_maker.utils import compat
from market_maker.utils.clock import ManualClock, Wakeup

URL = 'http://127.0.0.1:1/api/v1/'


@pytest.fixture
def kept():
    return []


@pytest.fixture
def keeping(kept):
    return KeptInputs(kept.append)


def played(kept):
    """A player of what was kept, after a journey through the file's format."""
    return Player(json.loads(compat.to_text(journal_inputs.encode(kept))))


def prepared(verb='POST', path='order', body=b'{"price": 1}'):
    return requests.Request(verb, URL + path, data=body).prepare()


def test_without_a_journal_everything_is_handed_through():
    clock, feed = ManualClock(), object()
    assert PASSED_ON.clock(clock) is clock and PASSED_ON.feed(feed, None) is feed and type(PASSED_ON.wakeup()) is Wakeup
    assert PASSED_ON.observe('x', 5) == 5 and PASSED_ON.draw('x', lambda: 6) == 6 and PASSED_ON.settings(lambda: 7, None) == 7
    assert PASSED_ON.send(lambda request, timeout: (request, timeout), 'r', None, timeout=3) == ('r', 3)
    assert PASSED_ON.run_all([lambda: 1, lambda: 2], 2) == [(1, None), (2, None)]


def test_a_reading_of_the_clock_is_the_same_to_the_last_digit(keeping, kept):
    clock = keeping.clock(ManualClock(1500000000.0 + 1.0 / 3))
    first = [clock.time(), clock.monotonic(), clock.time()]
    again = played(kept).clock(None)
    assert [again.time(), again.monotonic(), again.time()] == first


def test_a_value_is_seen_to_change_at_the_same_reading(keeping, kept):
    values = [None, None, 'SIGINT', 'SIGINT', None, None]
    assert [keeping.observe('stop', value) for value in values] == values
    assert len(kept) == 2
    player = played(kept)
    assert [player.observe('stop', 'what it is now') for _ in values] == values


def test_what_two_names_observe_is_kept_apart(keeping, kept):
    for number in range(4):
        keeping.observe('a', number > 2)
        keeping.observe('b', number > 1)
    player = played(kept)
    assert [(player.observe('a', None), player.observe('b', None)) for _ in range(4)] == [
        (False, False), (False, False), (False, True), (True, True)]


def test_chance_and_settings_are_drawn_again_as_they_were(keeping, kept):
    class Chosen(object):
        ORDER_PAIRS, INTERVAL = 3, 0.005
    assert keeping.draw('jitter', lambda: 0.25) == 0.25
    keeping.settings(lambda: (['ORDER_PAIRS'], ['a problem']), Chosen)
    player, target = played(kept), Chosen()
    target.ORDER_PAIRS = 6
    assert player.draw('jitter', lambda: 0.99) == 0.25
    assert player.settings(None, target) == (['ORDER_PAIRS'], ['a problem'], []) and target.ORDER_PAIRS == 3


def test_an_answer_comes_again_with_the_headers_that_are_read_and_any_bytes(keeping, kept):
    made = response(200, u'[{"x": "\u20ac"}]', {'Date': 'today', 'X-RateLimit-Remaining': '7', 'Set-Cookie': 'secret=1'})
    made.raw = None
    made._content = bytes(bytearray(range(256)))
    keeping.send(lambda request, **options: made, prepared(), failure_of)
    again = played(kept).send(None, prepared(), failure_of)
    assert (again.status_code, again.content) == (200, made.content)
    assert again.headers['date'] == 'today' and again.headers['x-ratelimit-remaining'] == '7' and 'set-cookie' not in again.headers
    assert b'secret' not in journal_inputs.encode(kept)


def test_a_failure_comes_again_as_the_same_kind_with_the_same_words(keeping, kept):
    def fail(request, **options):
        raise requests.exceptions.ConnectTimeout('so it goes')
    with pytest.raises(requests.exceptions.ConnectTimeout):
        keeping.send(fail, prepared(), failure_of)
    with pytest.raises(KnownFailure) as caught:
        played(kept).send(None, prepared(), failure_of)
    assert failure_of(caught.value) == failure_of(requests.exceptions.ConnectTimeout('so it goes'))


def test_a_login_is_kept_without_its_secrets(keeping, kept):
    login = prepared('POST', 'user/login', b'{"password": "hush"}')
    keeping.send(lambda request, **options: response(200, '{"id": "a-token"}'), login, failure_of)
    assert b'hush' not in journal_inputs.encode(kept) and b'a-token' not in journal_inputs.encode(kept)
    assert played(kept).send(None, prepared('POST', 'user/login', b'{"password": "other"}'), failure_of).json() == {'id': '(hidden)'}


def test_calls_side_by_side_take_turns_and_take_them_again_in_the_same_order(keeping, kept):
    def calls(hooks, told):
        def call(number):
            def act():
                told.append(('began', number))
                hooks.send(lambda request, **options: response(200, '%d' % number), prepared(body=('%d' % number).encode('ascii')), failure_of)
                told.append(('ended', number))
                return number
            return act
        return [call(number) for number in range(6)]
    first, again = [], []
    assert keeping.run_all(calls(keeping, first), 4) == [(number, None) for number in range(6)]
    player = played(kept)
    assert player.run_all(calls(player, again), 4) == [(number, None) for number in range(6)]
    assert again == first and player.result().is_whole


def test_one_call_alone_takes_no_turns(keeping, kept):
    assert keeping.run_all([lambda: 5], 8) == [(5, None)] and kept == []


@pytest.mark.parametrize('ask', [lambda player: player.clock(None).time(), lambda player: player.draw('x', None), lambda player: player.reading(-1),
                                 lambda player: player.run_all([lambda: 1, lambda: 2], 2)])
def test_who_asks_for_what_the_journal_does_not_hold_is_stopped_and_told_where(ask):
    player = Player([[inputs.SETTINGS, {}, [], []]])
    with pytest.raises(_Over):
        ask(player)
    found = player.result()
    assert found.parted.startswith('at input 1: ') and not found.is_whole
    with pytest.raises(_Over):
        player.observe('anything', None)  # from then on nothing goes on


def test_another_request_than_the_run_s_is_told_and_is_in_the_list(keeping, kept):
    keeping.send(lambda request, **options: response(200, '[]'), prepared(), failure_of)
    for other, expected in ((prepared(body=b'{"price": 2}'), 'says something else'), (prepared('PUT'), 'PUT /api/v1/order was asked for')):
        player = played(kept)
        with pytest.raises(_Over):
            player.send(None, other, failure_of)
        found = player.result()
        assert expected in found.parted and found.requests[0].body == other.body and found.orders == found.requests


def test_a_journal_that_ends_is_no_parting():
    player = Player([1.5])
    assert player.clock(None).monotonic() == 1.5
    with pytest.raises(_Over):
        player.clock(None).monotonic()
    assert player.result().parted is None and player.result().is_whole


@pytest.mark.parametrize('body', [b'', None, u'text', b'\xff\x00\x80', u'\u20ac'])
def test_any_body_becomes_text_and_the_same_bytes_again(body):
    assert bytes_of(text_of(body)) == compat.to_bytes(body or b'')
