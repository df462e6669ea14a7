"""The keeper's own database: SQLite, one process at a time, every commit on disk before it is answered.

Nothing here is readable without the root key: private keys and the keeper's own keys are wrapped, mailboxes are
keyed hashes, passwords Argon2id, events about a person sealed under that person's history key.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from troth.pledge import fault
from troth.pledge.ledger import table

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS own_key (name TEXT, version INTEGER, wrapped BLOB NOT NULL, PRIMARY KEY (name, version));
CREATE TABLE IF NOT EXISTS person (
    ref BLOB PRIMARY KEY, epoch INTEGER NOT NULL DEFAULT 0, secret BLOB, wraps BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS person_counted ON person (epoch);  -- small: counting persons reads no wraps
CREATE TABLE IF NOT EXISTS renewed (ref BLOB PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS credential (
    ref BLOB PRIMARY KEY REFERENCES person, mailbox BLOB NOT NULL, phc TEXT NOT NULL,
    standing INTEGER NOT NULL, lookup INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS reached (ref BLOB PRIMARY KEY, mailbox BLOB NOT NULL) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS may_sign_in ON credential (mailbox) WHERE standing > 0;
CREATE TABLE IF NOT EXISTS ticket (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, ref BLOB, mailbox BLOB, secret BLOB, ends INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS ticket_ends ON ticket (ends);
CREATE TABLE IF NOT EXISTS head (one INTEGER PRIMARY KEY CHECK (one = 1), size INTEGER NOT NULL);
INSERT OR IGNORE INTO head VALUES (1, 0);
CREATE TABLE IF NOT EXISTS leaf (seq INTEGER PRIMARY KEY, leaf BLOB NOT NULL, sealed BLOB);
CREATE TABLE IF NOT EXISTS noted (event_id TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS about (ref BLOB, seq INTEGER, PRIMARY KEY (ref, seq)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS covered (look BLOB PRIMARY KEY, ends INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS objected (mailbox BLOB PRIMARY KEY) WITHOUT ROWID;  -- stays when its person is forgotten
CREATE TABLE IF NOT EXISTS restricted (ref BLOB PRIMARY KEY, job TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS erased (ref BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS spent (who BLOB, ends INTEGER, used INTEGER NOT NULL, PRIMARY KEY (who, ends)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS failure (who BLOB PRIMARY KEY, fails INTEGER NOT NULL, ends INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS link (ref BLOB UNIQUE, owner BLOB, PRIMARY KEY (owner, ref)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS passkey (id TEXT PRIMARY KEY, ref BLOB, key BLOB, counter INT, made INT, epoch INT);
CREATE TABLE IF NOT EXISTS incident (what TEXT PRIMARY KEY, times INTEGER NOT NULL, known INTEGER NOT NULL);
"""


class KeyringError(Exception):
    """The keyring cannot be used; the text says why."""


class Keyring(sqlite3.Connection):
    """The database of one keeper. sqlite3.Error from any of these: the batch is lost, and nothing of it happened."""

    def one(self, sql: str, *values: object) -> Any:
        """The first row, or None."""
        return self.execute(sql, values).fetchone()

    def value(self, sql: str, *values: object) -> Any:
        """The first column of the first row, or None."""
        row = self.one(sql, *values)
        return row[0] if row else None

    @contextmanager
    def batch(self) -> Iterator[None]:
        """One durable transaction for everything inside. If it raises, nothing of it happened."""
        with self._whole("BEGIN IMMEDIATE", "COMMIT", "ROLLBACK"):
            fault.here("keeper.begun")
            yield
            fault.here("keeper.stepped")
        fault.here("keeper.committed")

    def step(self) -> AbstractContextManager[None]:
        """A part of a batch that can fail alone. One that did is at its beginning again; the COMMIT ends them all."""
        return self._whole("SAVEPOINT step", "RELEASE step", "ROLLBACK TO step")

    @contextmanager
    def _whole(self, begin: str, end: str, undo: str) -> Iterator[None]:
        self.execute(begin)
        try:
            yield
            self.execute(end)
        except BaseException:
            # SQLite has rolled back by itself where the disk was full; a second ROLLBACK would raise.
            if self.in_transaction:
                self.execute(undo)
            raise

    def purge(self) -> None:
        """Leave nothing of what was deleted: the journal of changes (WAL) is written back and cut to nothing.

        Deleted content in the database itself is overwritten in deleting (secure_delete).
        """
        self.one("PRAGMA wal_checkpoint(TRUNCATE)")


def connect(path: Path | None) -> Keyring:
    """Open the keyring for this process alone. None: in memory, for tests. KeyringError if another keeper has it."""
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    db = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False, timeout=1, factory=Keyring)
    try:
        for setting in ("locking_mode = EXCLUSIVE", "journal_mode = WAL", "synchronous = FULL", "secure_delete = ON"):
            db.execute(f"PRAGMA {setting}")
        db.executescript("BEGIN EXCLUSIVE; COMMIT;" + SCHEMA + table.SCHEMA)
    except sqlite3.OperationalError:
        db.close()
        raise KeyringError(f"the keyring {path} is in use by another keeper, or cannot be written") from None
    return db
