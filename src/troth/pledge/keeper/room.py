"""What all verbs share: the keyring, the keeper's own keys, the persons, the ledger, and the time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from troth.pledge.keeper.keyring import Keyring
from troth.pledge.keeper.leaves import Event, Leaves
from troth.pledge.keeper.own_keys import OwnKeys
from troth.pledge.keeper.persons import Persons
from troth.pledge.kms import RootKey


class Room:
    def __init__(self, db: Keyring, root: RootKey, clock: Callable[[], datetime]) -> None:
        self.db, self.root, self.clock = db, root, clock
        self.keys = OwnKeys(db, root)
        self.persons = Persons(db, self.keys)
        self.leaves = Leaves(db)

    def now(self) -> int:
        """Unix seconds."""
        return int(self.clock().timestamp())

    def note(self, raw: bytes, event: Event) -> int:
        """A leaf about a person, under their history key. Its number. Gone for an erased person."""
        history_key = self.persons.history_key(raw, self.persons.wraps(raw))
        return self.leaves.about(raw, history_key, event, self.clock())
