"""The ledger's leaves: final bytes, a gapless sequence from one head row, in the tree before an answer leaves.

A leaf about a person is {"c", "day", "type": "person", "v"}, where c commits to an event that is sealed to that person
(ledger/events.py). Everyday events stand in clear.
"""

import base64
import hashlib
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from troth.pledge.keeper.keyring import Keyring
from troth.pledge.keeper.messages import Checkpoint, Checkpointed, Entry, Piece, Refused, Tile
from troth.pledge.ledger import checkpoint, notes, table
from troth.pledge.ledger.events import Event, canonical, salt, seal, unseal
from troth.pledge.ledger.tree import WIDTH, LedgerError, Tree

LONGEST = 4000  # bytes of a leaf: a bundle of 256 fits one answer (the format allows 65,535)
ENTRIES, LEVELS = -1, 8  # the level that stands for bundles of entries; how many levels of tiles the format has


class Leaves:
    def __init__(self, db: Keyring, origin: str, private: Ed25519PrivateKey) -> None:
        self._db, self._key = db, notes.SignKey(origin, private)
        self.verify_key = self._key.verify_key
        self.added = False  # there are leaves that the tree lacks

    @property
    def size(self) -> int:
        return int(self._db.value("SELECT size FROM head"))

    def about(self, raw: bytes, history_key: bytes, event: Event, now: datetime) -> int:
        """A leaf about a person. Returns its number, counted from 0."""
        body, seq = canonical({**event, "at": now.isoformat(timespec="milliseconds")}), self.size
        commitment = base64.b64encode(hashlib.sha256(salt(history_key, seq) + body).digest()).decode()
        self._append({"type": "person", "c": commitment}, seal(history_key, seq, body), now)
        self._db.execute("INSERT INTO about VALUES (?, ?)", (raw, seq))
        return seq

    def everyday(self, event_id: str, event: Event, now: datetime) -> int:
        """A leaf in clear; the same event id again returns the number it has."""
        known = self._db.value("SELECT seq FROM noted WHERE event_id = ?", event_id)
        if known is not None:
            return int(known)
        seq = self._append(event, None, now)
        self._db.execute("INSERT INTO noted VALUES (?, ?)", (event_id, seq))
        return seq

    def grow(self) -> None:
        """Carry new leaves into the tree: the last thing in a batch. LedgerError: nothing of it may be committed."""
        if self.added:
            table.catch_up(self._db)
            self.added = False

    def checkpoint(self, role: str, ask: Checkpoint) -> Checkpointed:
        """The tree as it is, signed. LedgerError if it does not continue what was signed before."""
        self.grow()
        return Checkpointed(table.issue(self._db, self._key), str(self.verify_key))

    def contradicts(self, note: str) -> str:
        """What is wrong, in a sentence, if this ledger does not continue the one whose checkpoint this is; else ""."""
        try:
            checkpoint.must_extend(Tree(table.Table(self._db)), checkpoint.read(note, self.verify_key))
        except LedgerError as error:
            return str(error)
        return ""

    def tile(self, role: str, ask: Tile) -> Piece:
        """The hashes of a tile, or (level ENTRIES) a bundle of leaves, each after its length (C2SP tlog-tiles)."""
        if not ENTRIES <= ask.level < LEVELS or not 0 <= ask.n < 1 << 55:
            raise Refused("shape")
        if ask.level != ENTRIES:
            return Piece(table.Table(self._db).get(ask.level, ask.n))
        leaves = [leaf for _, leaf in table.leaves(self._db, ask.n * WIDTH, (ask.n + 1) * WIDTH)]
        return Piece(b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in leaves))

    def history(self, raw: bytes, history_key: bytes, before: int, most: int) -> list[Entry]:
        """The newest leaves about a person before a number, each with what its commitment needs."""
        sql = """SELECT seq, leaf, sealed FROM leaf WHERE seq IN
            (SELECT seq FROM about WHERE ref = ? AND seq < ? ORDER BY seq DESC LIMIT ?) ORDER BY seq DESC"""
        rows = self._db.execute(sql, (raw, before, most))
        return [Entry(n, leaf, unseal(history_key, n, sealed), salt(history_key, n)) for n, leaf, sealed in rows]

    def _append(self, event: Event, sealed: bytes | None, now: datetime) -> int:
        leaf = canonical({**event, "v": 1, "day": now.astimezone(UTC).date().isoformat()})
        if len(leaf) > LONGEST:
            raise Refused("shape")
        seq = int(self._db.value("UPDATE head SET size = size + 1 RETURNING size - 1"))
        self._db.execute("INSERT INTO leaf VALUES (?, ?, ?)", (seq, leaf, sealed))
        self.added = True
        return seq
