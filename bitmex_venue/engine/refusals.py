"""How the engine says no.

A command that is refused leaves the state exactly as it was. The message is the venue's own text (bitmex-api.md 3.8);
the wire room adds nothing to it but the envelope.
"""

from __future__ import annotations


class Refused(Exception):
    """The engine will not do what a command asks.

    `message` is the text a client reads, `name` the error class on the wire (`HTTPError` or `ValidationError`),
    `status` the HTTP status.
    """

    def __init__(self, message: str, status: int = 400, name: str = "HTTPError") -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.name = name
