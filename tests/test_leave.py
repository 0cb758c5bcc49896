"""`marketmaker cancel` and `flatten`: by REST alone, only what is ours, and looked at again afterwards."""
from __future__ import absolute_import, division, print_function

import json

import pytest
import requests

from market_maker import leave
from market_maker.direct import Direct
from market_maker.settings import Settings
from market_maker.utils import errors
from market_maker.utils.clock import ManualClock
from market_maker.utils.compat import to_text
from replies import Replies


class Book(object):
    """Orders that rest, and a position; answers as the venue would."""

    def __init__(self, orders=(), position=0, stubborn=False, thin=0):
        self.orders = dict(orders)
        self.position = position
        self.stubborn = stubborn
        self.thin = thin  # how many contracts one market order closes at most; 0 for all
        self.replies = Replies({('GET', 'order'): self.open, ('DELETE', 'order'): self.cancel, ('POST', 'order'): self.trade,
                                ('GET', 'position'): lambda request: [{'symbol': 'XBTUSD', 'currentQty': self.position}]})

    def open(self, request):
        return [{'orderID': key, 'clOrdID': value} for key, value in sorted(self.orders.items())]

    def cancel(self, request):
        names = json.loads(to_text(request.body))['orderID']
        if not self.stubborn:
            for name in names:
                self.orders.pop(name, None)
        return [{'orderID': name} for name in names]

    def trade(self, request):
        order = json.loads(to_text(request.body))
        done = min(order['orderQty'], self.thin or order['orderQty'])
        self.position += done if order['side'] == 'Buy' else -done
        return {'orderID': 'x', 'ordStatus': 'Filled'}

    def venue(self, **values):
        settings = Settings(dict(values, API_KEY='k', API_SECRET='s', BASE_URL='http://127.0.0.1:1/api/v1/'))
        direct = Direct(settings, transport=self.replies, clock=ManualClock())
        direct.log_in()
        return settings, direct

    def sent(self, verb, path):
        return [body for asked, where, body in self.replies.asked if (asked, where) == (verb, path)]


def test_only_orders_that_carry_our_prefix_are_cancelled():
    book = Book({'a': 'mm_bitmex_1', 'b': 'another_1', 'c': 'mm_bitmex_2', 'd': ''})
    assert leave.cancel(*book.venue()) == 2
    assert sorted(book.orders) == ['b', 'd']
    assert book.sent('DELETE', 'order') == [{'orderID': ['a', 'c']}]


def test_a_longer_prefix_that_begins_like_ours_is_another():
    tail = 'x' * 22
    book = Book({'a': 'mm_bitmex_' + tail, 'b': 'mm_bitmex_b_' + tail, 'c': 'mm_bitmex_' + 'by hand'})
    assert leave.cancel(*book.venue()) == 2
    assert sorted(book.orders) == ['b']


def test_with_nothing_on_the_book_nothing_is_cancelled():
    book = Book({'b': 'another_1'})
    assert leave.cancel(*book.venue()) == 0
    assert book.sent('DELETE', 'order') == []


def test_orders_that_stay_on_the_book_are_an_error_and_not_a_success():
    with pytest.raises(errors.MarketMakerError) as caught:
        leave.cancel(*Book({'a': 'mm_bitmex_1'}, stubborn=True).venue())
    assert 'still on the book' in str(caught.value)


def test_a_dry_run_cancels_and_closes_nothing():
    book = Book({'a': 'mm_bitmex_1'}, position=100)
    leave.flatten(*book.venue(DRY_RUN=True))
    assert [verb for verb, _, _ in book.replies.asked if verb != 'GET'] == []


@pytest.mark.parametrize('position, side', [(250, 'Sell'), (-250, 'Buy')])
def test_flatten_cancels_first_and_then_closes_with_an_order_that_can_only_reduce(position, side):
    book = Book({'a': 'mm_bitmex_1'}, position=position)
    leave.flatten(*book.venue())
    order, = book.sent('POST', 'order')
    assert (order['side'], order['orderQty'], order['execInst'], order['ordType']) == (side, 250, 'ReduceOnly', 'Market')
    assert order['clOrdID'].startswith('mm_bitmex_') and len(order['clOrdID']) <= 36
    assert book.position == 0 and not book.orders
    assert [verb for verb, _, _ in book.replies.asked if verb != 'GET'] == ['DELETE', 'POST']


def test_flatten_goes_on_while_the_book_is_thin_and_says_so_when_it_was_not_enough():
    book = Book(position=250, thin=100)
    leave.flatten(*book.venue())
    assert book.position == 0 and len(book.sent('POST', 'order')) == 3
    with pytest.raises(errors.MarketMakerError) as caught:
        leave.flatten(*Book(position=1000, thin=100).venue())
    assert '500 contracts of XBTUSD are still held' in str(caught.value)


def test_a_lost_reply_is_followed_by_a_look_at_the_position_and_not_by_a_second_order():
    book = Book(position=250)

    def lost(request):
        book.trade(request)
        raise requests.exceptions.ReadTimeout('late')
    book.replies.answers['POST', 'order'] = lost
    leave.flatten(*book.venue())
    assert book.position == 0 and len(book.sent('POST', 'order')) == 1


def test_without_a_position_there_is_nothing_to_close():
    book = Book()
    leave.flatten(*book.venue())
    assert book.sent('POST', 'order') == []


@pytest.mark.parametrize('word', [leave.cancel, leave.flatten])
def test_on_paper_there_is_nothing_to_leave_and_one_line_says_why(word):
    with pytest.raises(errors.SettingsError) as caught:
        word(Settings())
    assert '--base-url' in str(caught.value) and '\n' not in str(caught.value)


def test_without_credentials_nothing_can_be_cancelled():
    with pytest.raises(errors.AuthenticationError):
        leave.cancel(Settings({'BASE_URL': 'http://127.0.0.1:1/api/v1/'}))


def test_a_login_is_exchanged_for_a_token_first():
    book = Book()
    book.replies.answers['POST', 'user/login'] = {'id': 'token-of-a-session'}
    settings = Settings({'LOGIN': 'a@b.c', 'PASSWORD': 'p', 'BASE_URL': 'http://127.0.0.1:1/api/v1/'})
    direct = Direct(settings, transport=book.replies, clock=ManualClock())
    direct.log_in()
    assert leave.cancel(settings, direct) == 0
    assert book.sent('POST', 'user/login') == [{'email': 'a@b.c', 'password': 'p'}]
