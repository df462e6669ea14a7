"""A shop and its keeper that may die between their two databases, be put back from copies, and go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from django.db import transaction

from tests.driving import drive
from tests.faults.shopping import Died
from tests.house import House
from troth.pledge import clock
from troth.pledge.ids import to_bytes
from troth.pledge.keeper.keeper import Keeper
from troth.pledge.keeper.keyring import connect
from troth.pledge.kms.file import FileKey
from troth.pledge.vault import door as doors
from troth.pledge.vault.door import Door, KeeperRefused
from troth.pledge.vault.fields import Sealed

LEASE_OVER = timedelta(minutes=3)


class Copy(NamedTuple):
    """Both databases as they were: a savepoint of the main one, the keyring's bytes."""

    main: str
    keyring: bytes


class World:
    """`dies`: at which question to the keeper from now on the asking process ends, and on which side of it."""

    def __init__(self, house: House, keyring: bytes, root: bytes, folder: Path) -> None:
        self.house, self.root_key, self.journal = house, folder / "root.key", folder / "erasures"
        self.root_key.write_bytes(root)
        self.root_key.chmod(0o600)
        self.journal.unlink(missing_ok=True)
        self._dies: tuple[int, str] | None = None
        self.keeper = self._keeper(keyring)
        house.web, house.worker = (
            Door(lambda body: self._say("web", body)),
            Door(lambda body: self._say("worker", body)),
        )
        doors.use(house.web)
        self._beginning = transaction.savepoint()

    def _keeper(self, keyring: bytes) -> Keeper:
        db = connect(None)
        db.deserialize(keyring)
        return Keeper(db, FileKey(self.root_key), journal=self.journal)

    def _say(self, role: str, body: bytes) -> bytes:
        count, side = self._dies or (-1, "")
        self._dies = (count - 1, side) if count > 0 else None
        if (count, side) == (0, "before"):
            raise Died
        answer = drive(self.keeper, role, body)
        if (count, side) == (0, "after"):
            raise Died
        return answer

    @contextmanager
    def dying(self, at: int, side: str) -> Iterator[None]:
        """Whoever asks the keeper for the `at`-th time in here ends there; "": nobody does."""
        self._dies = (at, side) if side else None
        try:
            yield
        except Died:
            pass
        finally:
            self._dies = None

    def works(self, *, at: int = 0, side: str = "") -> None:
        """The worker does what is due, dying once; then another one does the rest, when the lease is over."""
        with self.dying(at, side):
            self.house.works()
        if side:
            self.house.works(later=LEASE_OVER)

    def copy(self) -> Copy:
        with self.keeper.batch():
            pass
        return Copy(transaction.savepoint(), self.keeper.db.serialize())

    def put_back(self, copy: Copy) -> None:
        """Both databases as they were; the journal of erasures and the root key's file are what they are."""
        transaction.savepoint_rollback(copy.main)
        self.keeper.db.close()
        self.keeper = self._keeper(copy.keyring)

    @contextmanager
    def older_keyring(self, copy: Copy) -> Iterator[None]:
        """The keyring alone is an older one for a while."""
        today, self.keeper = self.keeper, self._keeper(copy.keyring)
        try:
            yield
        finally:
            self.keeper.db.close()
            self.keeper = today

    def opens(self, sealed: Sealed | None, purpose: str = "notice") -> str:
        if sealed is None:
            return "cut"
        try:
            self.house.worker.open([sealed], purpose=purpose, job="look")
        except KeeperRefused as refused:
            return refused.code
        except doors.KeeperAway:
            return "away"
        return "opened"

    def fates(self, ref: str, klass: str) -> set[str]:
        return set(self.keeper.room.persons.wraps(to_bytes(ref)).get(klass, {}))

    def refs(self, sql: str) -> set[bytes]:
        return {row[0] for row in self.keeper.db.execute(sql)}

    def end(self) -> None:
        transaction.savepoint_rollback(self._beginning)
        self.keeper.db.close()
        clock.travel(timedelta())


def quick_hash(memory: int = 64) -> Callable[[str], str]:
    """Argon2id as the keeper's, with less memory and one pass: what is tried here is not what a hash costs."""
    import secrets

    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    def hashed(password: str) -> str:
        salt = secrets.token_bytes(16)
        argon = Argon2id(salt=salt, length=32, iterations=1, lanes=1, memory_cost=memory)
        return argon.derive_phc_encoded(password.encode())

    return hashed
