"""The journal of commands with its snapshots, and the way back from them. See the package for the rules."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any

from .. import __version__
from ..engine.commands import Advance
from ..engine.refusals import Refused
from . import image
from .credentials import Credentials
from .database import StoreError, open_database
from .image import State
from .records import decode, encode

FILE = "journal.sqlite"
FORMAT = "2"  # of the snapshots: counts up when what is pickled changes
EVERY = 100_000
KEPT_SNAPSHOTS = 2
SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT);
CREATE TABLE IF NOT EXISTS commands (seq INTEGER PRIMARY KEY, at INTEGER, command TEXT);
CREATE TABLE IF NOT EXISTS snapshots (seq INTEGER PRIMARY KEY, at INTEGER, sha256 TEXT, image BLOB)
"""
log = logging.getLogger("bitmex_venue")


class Store:
    """The state of one venue in a directory. `every` is how many commands there are between two snapshots.

    Use: `recover`; then give `log` to the exchange, call `commit` after each command or act and `snapshot` whenever `due`;
    at last `close`. Opening, recovering and closing raise StoreError with one line.
    """

    def __init__(self, directory: str, every: int = EVERY) -> None:
        self.every = every
        self.seq = 0  # commands written, ever
        self.replayed = 0
        self._snapshot_seq = 0
        self._pending: list[tuple[int, int, str]] = []
        self._failing = False
        try:
            os.makedirs(directory, mode=0o700, exist_ok=True)
        except OSError as problem:
            raise StoreError(f"{directory}: {problem.strerror or problem}") from None
        self.path = os.path.join(directory, FILE)
        self._database = open_database(self.path, SCHEMA)
        try:
            self.credentials = Credentials(directory)
        except StoreError:
            self._database.close()
            raise

    # ---- the way back

    def recover(self, facts: Mapping[str, Any]) -> State | None:
        """The state after the last whole transaction; None where there is none yet. `facts` must be those of the venue that
        wrote it, as far as both name them."""
        newest = None
        rows = self._read("SELECT seq, sha256, image FROM snapshots ORDER BY seq DESC")
        for seq, digest, data in rows:
            newest = newest or seq
            if hashlib.sha256(data).hexdigest() == digest:
                break
            log.warning("%s: the snapshot at command %d is damaged: trying the one before", self.path, seq)
        else:
            if newest is not None:
                raise StoreError(f"{self.path}: no snapshot in it can be read")
            self._begin_again()
            return None
        self._check(facts)
        try:
            state = image.read(data)
            self.seq = self._snapshot_seq = seq
            for at, text in self._commands(seq):
                replay(state, at, decode(text))
                self.replayed += 1
        except ValueError as problem:
            raise StoreError(f"{self.path}: {problem}") from None
        return state

    def _begin_again(self) -> None:
        """What a venue that died before its first snapshot has left is not the state of anything."""
        with self._transaction() as database:
            database.execute("DELETE FROM commands")
            database.execute("DELETE FROM facts")

    def _check(self, facts: Mapping[str, Any]) -> None:
        kept = self.facts()
        if kept.get("format") != FORMAT or kept.get("version") != __version__:
            theirs = f"{kept.get('version', 'another version')} (format {kept.get('format', '?')})"
            ours = f"{__version__} (format {FORMAT})"
            raise StoreError(f"{self.path}: written by bitmex_venue {theirs}, this is {ours}: start with an empty --data")
        for name, value in facts.items():
            if name in kept and kept[name] != value:
                raise StoreError(f"{self.path}: its {name} is {kept[name]}, not {value}")

    def facts(self) -> dict[str, Any]:
        """What was remembered about the venue."""
        return {name: json.loads(value) for name, value in self._read("SELECT name, value FROM facts")}

    def remember(self, facts: Mapping[str, Any]) -> None:
        """Write facts about the venue."""
        everything = {"format": FORMAT, "version": __version__, **facts}
        with self._transaction() as database:
            rows = [(name, json.dumps(value)) for name, value in everything.items()]
            database.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", rows)

    def _commands(self, after: int) -> Iterator[tuple[int, str]]:
        query = "SELECT seq, at, command FROM commands WHERE seq > ? ORDER BY seq"
        for seq, at, text in self._read(query, (after,)):
            if seq != self.seq + 1:
                raise StoreError(f"{self.path}: command {self.seq + 1} is missing")
            self.seq = seq
            yield at, text

    def _read(self, query: str, arguments: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
        try:
            yield from self._database.execute(query, arguments)
        except sqlite3.Error as problem:
            raise StoreError(f"{self.path}: {problem}") from None

    # ---- writing

    def log(self, now: int, command: Any) -> None:
        """Remember a command that was carried out, for the next `commit`."""
        self.seq += 1
        self._pending.append((self.seq, now, encode(command)))

    def commit(self) -> None:
        """Write what was logged. Never raises: what cannot be written now is written next time."""
        if not self._pending:
            return
        try:
            with self._transaction() as database:
                database.executemany("INSERT INTO commands VALUES (?, ?, ?)", self._pending)
        except sqlite3.Error as problem:
            self._fails(problem)
            return
        self._failing = False
        self._pending.clear()

    @property
    def due(self) -> bool:
        """Whether it is time for a snapshot."""
        return self.seq - self._snapshot_seq >= self.every and not self._failing

    def snapshot(self, state: State) -> None:
        """Write the state, which is the one after the last command logged, and drop what is no longer needed."""
        self.commit()
        data = image.write(state)
        row = (self.seq, state.exchange.now, hashlib.sha256(data).hexdigest(), data)
        try:
            with self._transaction() as database:
                database.execute("INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?, ?)", row)
                kept = "SELECT seq FROM snapshots ORDER BY seq DESC LIMIT ?"
                database.execute(f"DELETE FROM snapshots WHERE seq NOT IN ({kept})", (KEPT_SNAPSHOTS,))
                database.execute("DELETE FROM commands WHERE seq <= (SELECT min(seq) FROM snapshots)")
        except sqlite3.Error as problem:
            self._fails(problem)
            return
        self._snapshot_seq = self.seq

    def close(self) -> None:
        """Write what is left and let the files go; calling again is safe."""
        self.commit()
        self.credentials.close()
        self._database.close()

    def _transaction(self) -> _Transaction:
        return _Transaction(self._database)

    def _fails(self, problem: Exception) -> None:
        if not self._failing:
            log.error("%s: %s: what happens now would not survive a crash", self.path, problem)
        self._failing = True


class _Transaction:
    """All of it or nothing."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def __enter__(self) -> sqlite3.Connection:
        self._database.execute("BEGIN IMMEDIATE")
        return self._database

    def __exit__(self, kind: type[BaseException] | None, *rest: Any) -> None:
        if kind is None:
            self._database.execute("COMMIT")
        elif self._database.in_transaction:
            self._database.execute("ROLLBACK")


def replay(state: State, at: int, command: Any) -> None:
    """Carry out a command of the journal. Raises ValueError when it does not do what it did."""
    exchange, bins, history = state
    bins.close(at - 1)
    try:
        exchange.execute(at, command)
    except Refused as refused:
        raise ValueError(f"a command that was carried out is refused now: {command!r}: {refused}") from None
    history.record(exchange.take_events())


def catch_up(state: State, now: int) -> None:
    """Do what fell due by itself until `now`, each thing at its own time."""
    exchange, bins, history = state
    while exchange.next_timer() <= now or bins.next_time <= now:
        due = min(exchange.next_timer(), bins.next_time)
        exchange.execute(max(due, exchange.now), Advance())
        history.record(exchange.take_events())
        bins.close(due)
    exchange.execute(max(now, exchange.now), Advance())
    history.record(exchange.take_events())
