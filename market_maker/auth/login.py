"""Logging in as in 2016: e-mail, password and a one-time token buy an access token (bitmex-api.md 1.3).

BitMEX ended this in October 2017; the venue's classic profile still speaks it. The realtime socket took e-mail and password
as headers of the upgrade instead of the access token.
"""
from __future__ import absolute_import, division, print_function

from requests.auth import AuthBase


class AccessTokenAuth(AuthBase):
    """Attaches an access token to each request; without a token it attaches nothing."""

    def __init__(self, accessToken):
        self.token = accessToken

    def __call__(self, request):
        if self.token:
            request.headers['access-token'] = self.token
        return request


class LoginAuth(AccessTokenAuth):
    """Credentials that are exchanged for an access token when one is needed.

    `login_request()` is the body of POST /user/login; `accept(reply)` takes the token out of its reply.
    """

    def __init__(self, email, password, otp_token=''):
        super(LoginAuth, self).__init__(None)
        self.email = email
        self.password = password
        self.otp_token = otp_token

    def login_request(self):
        body = {'email': self.email, 'password': self.password}
        if self.otp_token:
            body['token'] = self.otp_token
        return body

    def accept(self, reply):
        """Keep the token of a login reply; raises KeyError when there is none."""
        self.token = reply['id']

    def socket_header(self):
        """The headers of the realtime upgrade, as websocket-client wants them."""
        return ['email: ' + self.email, 'password: ' + self.password]
