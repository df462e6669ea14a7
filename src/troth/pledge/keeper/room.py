"""What all verbs share: the keyring, the keeper's own keys, the persons, the ledger, and the time."""

from collections.abc import Callable
from datetime import datetime

from troth.pledge.keeper.keyring import Keyring
from troth.pledge.keeper.leaves import Leaves
from troth.pledge.keeper.own_keys import OwnKeys
from troth.pledge.keeper.persons import Persons
from troth.pledge.kms import RootKey
from troth.pledge.ledger.events import Event


class Room:
    def __init__(self, db: Keyring, root: RootKey, clock: Callable[[], datetime], origin: str) -> None:
        """`origin`: the ledger's name. What it was at first stays, whatever the shop's address becomes."""
        self.db, self.root, self.clock = db, root, clock
        self.keys = OwnKeys(db, root)
        self.persons = Persons(db, self.keys)
        db.execute("INSERT OR IGNORE INTO meta VALUES ('origin', ?)", (origin,))
        self.leaves = Leaves(db, db.value("SELECT value FROM meta WHERE name = 'origin'"), self.keys.ledger)

    def now(self) -> int:
        """Unix seconds."""
        return int(self.clock().timestamp())

    def note(self, raw: bytes, event: Event) -> int:
        """A leaf about a person, under their history key. Its number. Gone for an erased person."""
        history_key = self.persons.history_key(raw, self.persons.wraps(raw))
        return self.leaves.about(raw, history_key, event, self.clock())
