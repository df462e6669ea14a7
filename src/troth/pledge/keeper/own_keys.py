"""The keeper's own keys: made once, wrapped by the root key, held in memory while it runs."""

from __future__ import annotations

import secrets
import sqlite3

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from troth.pledge.keeper.policy import FATES
from troth.pledge.kms import RootKey


class OwnKeys:
    """`sign` (Ed25519, key sets), `mailbox` (HMAC, look-up), `capability` (HMAC), and the wrapping keys by fate."""

    def __init__(self, db: sqlite3.Connection, root: RootKey) -> None:
        self._db, self._root = db, root
        self.sign = Ed25519PrivateKey.from_private_bytes(self._own("sign"))
        self.mailbox = self._own("mailbox")
        self.capability = self._own("capability")
        self._wrapping = {fate: self._wrapping_keys(fate) for fate in FATES}

    @property
    def verify_key(self) -> bytes:
        return self.sign.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def current(self, fate: str) -> tuple[int, AESGCM]:
        version = max(self._wrapping[fate])
        return version, self._wrapping[fate][version]

    def of_version(self, fate: str, version: int) -> AESGCM:
        """KeyError where that version was destroyed."""
        return self._wrapping[fate][version]

    def _own(self, name: str) -> bytes:
        context = b"own " + name.encode()
        row = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        if row:
            return self._root.unwrap(context, row[0])
        key = secrets.token_bytes(32)
        self._db.execute("INSERT INTO meta VALUES (?, ?)", (name, self._root.wrap(context, key)))
        return key

    def _wrapping_keys(self, fate: str) -> dict[int, AESGCM]:
        rows = self._db.execute("SELECT version, wrapped FROM wrapping_key WHERE fate = ?", (fate,)).fetchall()
        if not rows:
            key = secrets.token_bytes(32)
            row = (fate, 1, self._root.wrap(_context(fate, 1), key))
            self._db.execute("INSERT INTO wrapping_key VALUES (?, ?, ?)", row)
            return {1: AESGCM(key)}
        return {version: AESGCM(self._root.unwrap(_context(fate, version), wrapped)) for version, wrapped in rows}


def _context(fate: str, version: int) -> bytes:
    return f"wrapping {fate} {version}".encode()
