"""Signing requests, and logging in with e-mail, password and a one-time token."""
from __future__ import absolute_import

from market_maker.auth.api_key import APIKeyAuth, APIKeyAuthWithExpires, generate_expires, generate_signature
from market_maker.auth.login import AccessTokenAuth, LoginAuth

__all__ = ['APIKeyAuth', 'APIKeyAuthWithExpires', 'AccessTokenAuth', 'LoginAuth', 'generate_expires', 'generate_signature']
