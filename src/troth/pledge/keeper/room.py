"""What all verbs share: the keyring, the keeper's own keys, the persons, the ledger, and the time."""

from collections.abc import Callable
from datetime import datetime

from troth.pledge.keeper.keyring import Keyring
from troth.pledge.keeper.leaves import Leaves
from troth.pledge.keeper.messages import Record, Refused, raw_ref
from troth.pledge.keeper.own_keys import OwnKeys
from troth.pledge.keeper.persons import Persons
from troth.pledge.keeper.seals import unseal
from troth.pledge.kms import RootKey
from troth.pledge.ledger.events import Event


class Room:
    def __init__(self, db: Keyring, root: RootKey, clock: Callable[[], datetime], origin: str, site: str) -> None:
        """`origin`: the ledger's name. What it was at first stays, whatever the shop's address (`site`) becomes."""
        self.db, self.root, self.clock, self.site = db, root, clock, site
        self.keys = OwnKeys(db, root)
        self.persons = Persons(db, self.keys)
        db.execute("INSERT OR IGNORE INTO meta VALUES ('origin', ?)", (origin,))
        self.leaves = Leaves(db, db.value("SELECT value FROM meta WHERE name = 'origin'"), self.keys.ledger)

    def now(self) -> int:
        """Unix seconds."""
        return int(self.clock().timestamp())

    def unseal(self, record: Record, fate: str) -> bytes:
        """What a record says, by the key that is wrapped for this fate. BadSeal; Gone where there is no such wrap."""
        place = record.place
        return unseal(self.persons.private(raw_ref(place.ref), place.klass, fate, record.version), place, record.sealed)

    def spend(self, who: bytes, amount: int, most: int, seconds: int) -> None:
        """Refused "budget" where more than `most` would be used in this span of so many seconds."""
        ends = (self.now() // seconds + 1) * seconds
        sql = "INSERT INTO spent VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET used = used + ?3 RETURNING used"
        if self.db.value(sql, who, ends, amount) > most:
            raise Refused("budget", ends - self.now())

    def tidy(self) -> None:
        """Forget what is over."""
        for table in ("ticket", "covered", "spent", "failure"):
            self.db.execute(f"DELETE FROM {table} WHERE ends < ?", (self.now(),))  # noqa: S608 - our own tables

    def note(self, raw: bytes, event: Event) -> int:
        """A leaf about a person, under their history key. Its number. Gone for an erased person."""
        return self.leaves.about(raw, self.persons.history_key(raw), event, self.clock())
