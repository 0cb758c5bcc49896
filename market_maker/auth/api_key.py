"""Signing a request with a permanent API key (bitmex-api.md 1.2).

The signature is HMAC-SHA256 over verb + path with query + expires + body, in hex. What is signed are the very bytes that
are sent: nothing is parsed and written out again.
"""
from __future__ import absolute_import, division, print_function

import hashlib
import hmac
import time

from requests.auth import AuthBase

from market_maker.utils.compat import to_bytes, urlsplit

# How long a REST request stays valid, in seconds of the venue's time. It also bounds how long an order whose reply was
# lost can still come alive: after that the venue refuses the request.
REST_EXPIRES_S = 5

# The socket's signature is checked once, at the upgrade, before we know how far our clock is off.
SOCKET_EXPIRES_S = 3600


def generate_expires(now=None, seconds=SOCKET_EXPIRES_S):
    """Unix seconds until which a signature holds; `now` is the venue's time as far as we know it."""
    return int(round((time.time() if now is None else now) + seconds))


def generate_signature(secret, verb, url, nonce, data):
    """Return the signature of a request: 64 hexadecimal digits.

    secret, url -- text; verb -- any case; nonce -- `api-expires` in unix seconds; data -- the body as bytes or text, or
    None. A whole URL may be given: the host is not signed, the query is, exactly as it stands.
    """
    parts = urlsplit(url)
    path = parts.path + ('?' + parts.query if parts.query else '')
    message = to_bytes(verb.upper() + path + str(nonce)) + to_bytes(data or b'')
    return hmac.new(to_bytes(secret), message, digestmod=hashlib.sha256).hexdigest()


class APIKeyAuthWithExpires(AuthBase):
    """Signs each request as it leaves; `now()` gives the venue's time in unix seconds."""

    valid_for_s = REST_EXPIRES_S

    def __init__(self, apiKey, apiSecret, now=time.time):
        self.apiKey = apiKey
        self.apiSecret = apiSecret
        self._now = now

    def __call__(self, request):
        expires = generate_expires(self._now(), self.valid_for_s)
        request.headers['api-expires'] = str(expires)
        request.headers['api-key'] = self.apiKey
        request.headers['api-signature'] = generate_signature(
            self.apiSecret, request.method, request.path_url, expires, request.body)
        return request


class APIKeyAuth(APIKeyAuthWithExpires):
    """The original's other name for it; its signatures hold for an hour instead of seconds."""

    valid_for_s = SOCKET_EXPIRES_S
