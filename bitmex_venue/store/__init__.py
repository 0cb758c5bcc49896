"""State that outlives the process: `--data DIR`.

Theory of operation. Everything that ever happens to an exchange is a command at a time (engine/commands.py), so a journal of commands is
its whole history. `Store` writes that journal into DIR/journal.sqlite as the commands are carried out, the house's own
included: then a restart needs nothing of the market that made them. At the start, at the end and every `every` commands it
also writes a snapshot, an image of the whole exchange; a restart loads the newest snapshot and carries out what the journal
has after it. Keys, logins and access tokens are in a file of their own, DIR/credentials.sqlite.

Rules
* Nothing is told to anybody, by reply or by realtime, before it is in the journal: one transaction a request, or an act of the market.
* After kill -9, also in the middle of a write, the venue is what it was after the last whole transaction: SQLite's write-ahead log
  drops a torn one. `synchronous` is NORMAL: a crash of this machine (not of the process) may lose the last moments, never
  the file.
* A snapshot and the removal of what it replaces are one transaction; the one before it, and all commands since, stay.
* A refused command is not written: it changed nothing.
* Secrets of keys are kept as they are, since signatures cannot be checked with less: both files are readable by their owner only
  (0600), the directory is made 0700, and no secret is in the journal.
* One venue at a time: the files are locked while it runs.
* A disk that takes nothing is told once in the log; the venue goes on, and writes what is missing when it can.

Kept: accounts, wallets, positions, orders, books, timers, ids, contracts with their fees and funding, ledgers, funding and
settlements, bins, the last executions and public trades and quotes, keys, logins, access tokens. Not kept: realtime sessions, rate
limits, refusals. The market begins anew around the prices that were (see `Market.resume`). What fell due meanwhile
(funding, dead man's switches, the end of the day, settlement) is done at its own time, at the restart.
"""

from .database import StoreError
from .image import State
from .store import Store, catch_up

__all__ = ["State", "Store", "StoreError", "catch_up"]
