"""The root key in force, and the move from one place to another while the keeper runs.

Which place is in force stands in the keyring itself (`meta`), so that it changes in the same transaction as the keys
that are wrapped there: whatever dies on the way, the two fit. The settings say where a new keyring begins.
"""

from __future__ import annotations

import sqlite3

from troth.pledge.kms import RootKey, RootKeyError, Where, find


class Chosen:
    """A RootKey: the one in force. Each place is looked up once; RootKeyError where that fails."""

    def __init__(self, db: sqlite3.Connection, places: dict[str, Where], kind: str) -> None:
        self._db, self._places, self._first = db, places, kind
        self._found: dict[str, RootKey] = {}

    @property
    def kind(self) -> str:
        row = self._db.execute("SELECT value FROM meta WHERE name = 'kms'").fetchone()
        return str(row[0]) if row else self._first

    def of(self, kind: str, *, make: bool = False) -> RootKey:
        if make or kind not in self._found:
            if kind not in self._places:
                raise RootKeyError(f"there is no key by {kind}; fill in [keys]")
            self._found[kind] = find(self._places[kind], make=make)
        return self._found[kind]

    def move(self, kind: str) -> None:
        """From here on another one is in force, in the caller's transaction; it is made unless it is there."""
        self.of(kind, make=True)
        self._db.execute("INSERT OR REPLACE INTO meta VALUES ('kms', ?)", (kind,))

    def wrap(self, context: bytes, key: bytes) -> bytes:
        return self.of(self.kind).wrap(context, key)

    def unwrap(self, context: bytes, wrapped: bytes) -> bytes:
        return self.of(self.kind).unwrap(context, wrapped)

    def rotate(self) -> None:
        self.of(self.kind).rotate()

    def retire(self) -> None:
        self.of(self.kind).retire()

    def destroy(self) -> None:
        self.of(self.kind).destroy()
