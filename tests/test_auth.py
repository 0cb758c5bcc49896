"""The signatures are those that BitMEX published (bitmex-api.md 1.2)."""
from __future__ import absolute_import, division, print_function

import pytest
import requests

from market_maker.auth import AccessTokenAuth, APIKeyAuth, APIKeyAuthWithExpires, LoginAuth, generate_expires, generate_signature

SECRET = 'chNOOS4KvNXR_Xq4k4c9qsfoKWvnDecLATCRlcBwyKDYnWgO'
KEY = 'LAqUlngMIQkIUjXMUreyu3qn'


@pytest.mark.parametrize('verb, path, expires, body, signature', [
    ('GET', '/api/v1/instrument', 1518064236, '', 'c7682d435d0cfe87c16098df34ef2eb5a549d4c5a3c2b1f0f77b8af73423bf00'),
    ('get', '/api/v1/instrument?filter=%7B%22symbol%22%3A+%22XBTM15%22%7D', 1518064237, None,
     'e2f422547eecb5b3cb29ade2127e21b858b235b386bfa45e1c1756eb3383919f'),
    ('POST', '/api/v1/order', 1518064238,
     b'{"symbol":"XBTM15","price":219.0,"clOrdID":"mm_bitmex_1a/oemUeQ4CAJZgP3fjHsA","orderQty":98}',
     '1749cd2ccae4aa49048ae09f0b95110cee706e0944e6a14ad0b3a8cb45bd336b'),
])
def test_the_published_examples_have_the_published_signatures(verb, path, expires, body, signature):
    assert generate_signature(SECRET, verb, path, expires, body) == signature
    assert generate_signature(SECRET, verb, 'https://www.bitmex.com' + path, expires, body) == signature


def prepare(auth, **arguments):
    session = requests.Session()
    return session.prepare_request(requests.Request(auth=auth, **arguments))


def test_the_bytes_signed_are_the_bytes_sent():
    body = u'{"text":"Gr\u00fc\u00dfe"}'.encode('utf-8')
    request = prepare(APIKeyAuthWithExpires(KEY, SECRET, now=lambda: 1518064233.2), method='POST',
                      url='https://localhost/api/v1/order', params={'a': '1,2 {}'}, data=body)
    assert request.headers['api-expires'] == '1518064238'
    assert request.headers['api-key'] == KEY
    assert request.headers['api-signature'] == generate_signature(SECRET, 'POST', request.path_url, 1518064238, request.body)
    assert request.body == body


def test_an_old_style_key_auth_signs_for_an_hour():
    request = prepare(APIKeyAuth(KEY, SECRET, now=lambda: 1000.0), method='GET', url='https://localhost/api/v1/order')
    assert request.headers['api-expires'] == '4600'


def test_expires_is_whole_seconds_from_now():
    assert generate_expires(10.4, 5) == 15
    assert generate_expires() > 1500000000


def test_an_access_token_goes_into_its_header_and_no_token_into_none():
    assert prepare(AccessTokenAuth('abc'), method='GET', url='https://localhost/').headers['access-token'] == 'abc'
    assert 'access-token' not in prepare(AccessTokenAuth(None), method='GET', url='https://localhost/').headers


def test_a_login_sends_the_one_time_token_only_when_there_is_one():
    assert LoginAuth('a@b', 'pw').login_request() == {'email': 'a@b', 'password': 'pw'}
    login = LoginAuth('a@b', 'pw', '123456')
    assert login.login_request()['token'] == '123456'
    login.accept({'id': 'tok', 'ttl': 86400})
    assert login.token == 'tok'
    assert login.socket_header() == ['email: a@b', 'password: pw']
