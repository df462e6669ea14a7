"""The tree inside the keyring: tiles as rows beside the leaves, grown in the same transaction.

Works on any SQLite connection that has `leaf (seq INTEGER PRIMARY KEY, leaf BLOB, …)`, numbered from 0 without a gap.
"""

import sqlite3
from collections.abc import Iterator

from troth.pledge.ledger import checkpoint, notes
from troth.pledge.ledger.tree import HASH, WIDTH, BrokenTree, Tree, grow, leaf_hash

SCHEMA = """
CREATE TABLE IF NOT EXISTS tile (
    level INTEGER NOT NULL, n INTEGER NOT NULL, hashes BLOB NOT NULL, PRIMARY KEY (level, n));
CREATE TABLE IF NOT EXISTS checkpoint (size INTEGER PRIMARY KEY, note TEXT NOT NULL);
"""
AT_ONCE = 4096  # leaves in memory while the tree catches up


class Table:
    """The shelf of tree.py."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    @property
    def size(self) -> int:
        sql = "SELECT n, length(hashes) FROM tile WHERE level = 0 ORDER BY n DESC LIMIT 1"
        n, length = self._db.execute(sql).fetchone() or (0, 0)
        return int(n) * WIDTH + int(length) // HASH

    def get(self, level: int, n: int) -> bytes:
        sql = "SELECT CAST(hashes AS BLOB) FROM tile WHERE level = ? AND n = ?"
        row = self._db.execute(sql, (level, n)).fetchone()
        return row[0] if row else b""

    def put(self, level: int, n: int, hashes: bytes) -> None:
        sql = "INSERT INTO tile VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET hashes = ?3"
        self._db.execute(sql, (level, n, hashes))


def leaves(db: sqlite3.Connection, start: int = 0, end: int = 1 << 62) -> Iterator[tuple[int, bytes]]:
    """Number and bytes of the leaves numbered from start to before end, in order."""
    # The cast: whoever altered a row may have left text in it.
    sql = "SELECT seq, CAST(leaf AS BLOB) FROM leaf WHERE seq >= ? AND seq < ? ORDER BY seq"
    return db.execute(sql, (start, end))


def catch_up(db: sqlite3.Connection) -> Tree:
    """Carry every leaf that is not yet in the tree into it, within the caller's transaction. Call before its COMMIT.

    BrokenTree if a leaf is missing or the leaves end before the tree does; then nothing may be committed.
    """
    table = Table(db)
    size = table.size
    while rows := list(leaves(db, size, size + AT_ONCE)):
        if rows[0][0] != size or rows[-1][0] != size + len(rows) - 1:
            raise BrokenTree(f"an entry is missing between {size} and {rows[-1][0]}")
        size = grow(table, [leaf_hash(leaf) for _, leaf in rows])
    last = db.execute("SELECT max(seq) FROM leaf").fetchone()[0]
    if size != (0 if last is None else last + 1):
        raise BrokenTree(f"the tree has {size} entries, and the last one on record is {last}: entries are missing")
    return Tree(table)


def issue(db: sqlite3.Connection, *keys: notes.SignKey) -> str:
    """The signed checkpoint of the tree as it is, recorded in the caller's transaction; the same again for one size.

    Behind or Fork if the tree does not extend what was signed last, BadNote if that was not signed by `keys`.
    """
    last = db.execute("SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1").fetchone()
    tree = Tree(Table(db))
    note = checkpoint.sign_next(tree, last[0] if last else None, *keys)
    db.execute("INSERT OR IGNORE INTO checkpoint VALUES (?, ?)", (tree.size, note))
    return note
