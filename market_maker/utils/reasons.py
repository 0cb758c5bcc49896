"""Why a request or a connection failed, for a person to read.

The libraries below wrap one exception into another, and print classes, object addresses and error numbers with them. The
innermost one knows what happened; only its words are kept, on every Python and with every release of urllib3.
"""
from __future__ import absolute_import, division, print_function

import re

# "HTTPConnection(host='..', port=..): ", "<urllib3.connection.HTTPConnection object at 0x..>: ", "[Errno 111] ", "(_ssl.c:1006)"
NOISE = re.compile(r"(?:HTTPS?Connection(?:Pool)?\([^)]*\)|<[^>]*>): |Failed to establish a new connection: |"
                   r"\[(?:Errno -?\d+|SSL[^\]]*)\] ?| ?\(_ssl\.c:\d+\)|Max retries exceeded with url: \S+ ?")
DEEPEST = 8
CLOSED = 'the connection was closed without an answer'


def reason_of(error):
    """The words of the innermost exception in `error`; for an exception without any, the name of its class."""
    inner = _innermost(error)
    if type(inner).__name__ in ('BadStatusLine', 'RemoteDisconnected', 'IncompleteRead'):
        return CLOSED
    words = getattr(inner, 'strerror', None) or (inner.args[0] if len(inner.args) == 1 else inner)
    text = NOISE.sub('', '%s' % (words,)).strip()
    if 'wrong version number' in text.lower() or 'unknown protocol' in text.lower():
        return 'no https is spoken there (%s)' % text
    return text or type(inner).__name__


def _innermost(error):
    for _ in range(DEEPEST):
        within = [getattr(error, 'reason', None)] + list(reversed(error.args))
        error = next((one for one in within if isinstance(one, Exception)), error)
    return error
