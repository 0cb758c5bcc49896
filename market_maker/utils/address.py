"""The address of a venue: what is one, and whether credentials may go there.

Rules:

* https goes anywhere. Plain http goes to this machine alone: localhost, ::1, and 127.x.y.z written out. Other ways to write loopback, and
  names that begin or end like it, are not believed.
* It holds no name and no password, which would stand in every log, and no character that two libraries may read in two ways.
"""
from __future__ import absolute_import, division, print_function

import re

from market_maker.utils.compat import urlsplit

_PLAIN = re.compile(r'^[A-Za-z0-9._~:/?#\[\]@!$&\'()*+,;=%-]+$')
_LOOPBACK = re.compile(r'^(?:localhost|::1|127(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3})$')
_USER = re.compile(r'//[^/?#]*@')


def problem_of(url, for_credentials=True):
    """Why this is no address, or none to which credentials may be sent, as words that follow on its name; None when all is well."""
    try:
        parts = urlsplit(url or '')
        usable = parts.scheme in ('http', 'https') and parts.hostname and (parts.port is None or parts.port > 0) and _PLAIN.match(url)
    except ValueError:
        usable = False
    if not usable:
        return 'is not an address such as https://host/api/v1/'
    if '@' in parts.netloc:
        return 'holds a name or a password: put credentials into API_KEY and API_SECRET'
    if for_credentials and parts.scheme == 'http' and not is_loopback(url):
        return 'is plain http and not this machine: credentials go to https or to loopback only. Use https'
    return None


def is_loopback(url):
    """Whether the address is one of this machine beyond doubt."""
    try:
        return bool(_LOOPBACK.match(urlsplit(url).hostname or ''))
    except ValueError:
        return False


def without_user(url):
    """The address as it may be shown: without a name and a password in it."""
    return _USER.sub('//', url)
