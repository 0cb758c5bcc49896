"""Keys, logins and access tokens in a file of their own, apart from the journal.

Rules: what changes is written at once; secrets and passwords are kept as they are (a signature cannot be checked with less), in a
file that only its owner can read.
"""

from __future__ import annotations

import json
import os
from typing import Any

from ..wire.auth import Authenticator, Key, Login, Token
from .database import open_database

SCHEMA = """
CREATE TABLE IF NOT EXISTS credentials (kind TEXT, id TEXT, data TEXT, PRIMARY KEY (kind, id))
"""
FILE = "credentials.sqlite"


class Credentials:
    """The file. An authenticator that has it as `keeper` tells it every change."""

    def __init__(self, directory: str) -> None:
        self._database = open_database(os.path.join(directory, FILE), SCHEMA)

    def fill(self, authenticator: Authenticator) -> None:
        """Give an authenticator everything that was kept, oldest first."""
        for kind, data in self._database.execute("SELECT kind, data FROM credentials ORDER BY rowid").fetchall():
            fields = json.loads(data)
            if kind == "key":
                last_nonce, enabled = fields.pop("last_nonce"), fields.pop("enabled")
                key = authenticator.keys[fields["id"]] = Key(**fields)
                key.last_nonce, key.enabled = last_nonce, enabled
            elif kind == "login":
                authenticator.logins[fields["email"].lower()] = Login(**fields)
            else:
                authenticator.tokens[fields["id"]] = Token(**fields)

    def keep(self, thing: Key | Login | Token) -> None:
        """Write a credential, new or changed."""
        kind, name, fields = _described(thing)
        self._database.execute(
            "INSERT INTO credentials VALUES (?, ?, ?) ON CONFLICT (kind, id) DO UPDATE SET data = excluded.data",
            (kind, name, json.dumps(fields)),
        )

    def drop(self, token_id: str) -> None:
        """Forget an access token."""
        self._database.execute("DELETE FROM credentials WHERE kind = 'token' AND id = ?", (token_id,))

    def close(self) -> None:
        self._database.close()


def _described(thing: Any) -> tuple[str, str, dict[str, Any]]:
    if isinstance(thing, Key):
        return "key", thing.id, {name: getattr(thing, name) for name in Key.__slots__}
    if isinstance(thing, Login):
        return "login", thing.email.lower(), thing._asdict()
    return "token", thing.id, thing._asdict()
