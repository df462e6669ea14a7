"""Logs to look at: entries, tree, keys, without a shop around them. And RFC 6962 word for word, to compare with."""

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from troth.pledge.ledger import checkpoint, table
from troth.pledge.ledger.export import export
from troth.pledge.ledger.notes import SignKey
from troth.pledge.ledger.tree import Tree

ORIGIN = "shop.example/ledger"
KEY = SignKey(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
LEAF_TABLE = "CREATE TABLE leaf (seq INTEGER PRIMARY KEY, leaf BLOB NOT NULL, sealed BLOB)"


class Log:
    """Entries and their tree in SQLite, as the keeper has them."""

    def __init__(self, path: Path | str = ":memory:") -> None:
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.execute(LEAF_TABLE)
        self.db.executescript(table.SCHEMA)
        self.tiles = table.Table(self.db)

    def add(self, leaves: Iterable[bytes]) -> None:
        size = self.db.execute("SELECT coalesce(max(seq) + 1, 0) FROM leaf").fetchone()[0]
        self.db.execute("BEGIN")
        rows = ((size + n, leaf) for n, leaf in enumerate(leaves))
        self.db.executemany("INSERT INTO leaf (seq, leaf) VALUES (?, ?)", rows)
        table.catch_up(self.db)
        self.db.execute("COMMIT")

    @property
    def tree(self) -> Tree:
        return Tree(self.tiles)

    @property
    def rows(self) -> Iterator[tuple[int, bytes]]:
        return table.leaves(self.db)

    def leaves(self, start: int, end: int) -> Iterator[tuple[int, bytes]]:
        return table.leaves(self.db, start, end)

    def signed(self) -> checkpoint.Checkpoint:
        """A checkpoint of the log as it is now, read back from its note."""
        return checkpoint.read(checkpoint.write(self.tree, KEY), KEY.verify_key)

    def export(self, folder: Path) -> str:
        """Static files of the log as it is now. Returns the note."""
        note = checkpoint.write(self.tree, KEY)
        export(folder, self.tiles, self.leaves, note, KEY.verify_key)
        return note


def entries(count: int, start: int = 0) -> list[bytes]:
    return [b'{"n":%d}' % n for n in range(start, start + count)]


def log_of(count: int) -> Log:
    log = Log()
    log.add(entries(count))
    return log


def mth(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1."""
    if len(leaves) < 2:
        return hashlib.sha256(b"\0" + leaves[0] if leaves else b"").digest()
    k = split(len(leaves))
    return hashlib.sha256(b"\1" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def path(m: int, leaves: list[bytes]) -> list[bytes]:
    """RFC 6962 section 2.1.1."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    return [*path(m, leaves[:k]), mth(leaves[k:])] if m < k else [*path(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m: int, leaves: list[bytes], whole: bool) -> list[bytes]:
    """RFC 6962 section 2.1.2."""
    if m == len(leaves):
        return [] if whole else [mth(leaves)]
    k = split(len(leaves))
    if m <= k:
        return [*subproof(m, leaves[:k], whole), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], False), mth(leaves[:k])]


def split(n: int) -> int:
    k = 1
    while 2 * k < n:
        k *= 2
    return k
