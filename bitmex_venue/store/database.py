"""A SQLite file that only its owner can read, that one process has open, and that survives the death of that process."""

from __future__ import annotations

import os
import sqlite3


class StoreError(Exception):
    """The data cannot be used; the message is one line that says why."""


def open_database(path: str, schema: str) -> sqlite3.Connection:
    """Open or make the file, locked until it is closed. Raises StoreError."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        os.chmod(path, 0o600)
        database = sqlite3.connect(path, timeout=0, isolation_level=None)
    except (OSError, sqlite3.Error) as problem:
        raise StoreError(f"{path}: {getattr(problem, 'strerror', None) or problem}") from None
    try:
        database.execute("PRAGMA locking_mode=EXCLUSIVE")
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=NORMAL")
        database.execute("BEGIN EXCLUSIVE")
        for statement in schema.split(";"):
            database.execute(statement)
        database.execute("COMMIT")
    except sqlite3.Error as problem:
        database.close()
        reason = "another venue has it open" if "locked" in str(problem) else str(problem)
        raise StoreError(f"{path}: {reason}") from None
    return database
