"""Rotation of keys: online, step by step, and going on where it was after a crash.

Each step is one question of the worker and one transaction; how far it got stands in the keyring itself.

    root      a new root key; the keeper's own keys are wrapped by it; the old one is destroyed
    wrapping  new wrapping keys for every fate; every person's wraps are made anew; the old ones are destroyed
    to file, to openbao
              the root key moves to another place: the keeper's own keys are wrapped there, the old one is destroyed
    lookup    a new look-up key; each mailbox is found under both until its hash is made anew from the sealed contact
              that the worker hands in (opened here, told to nobody); then the old key is destroyed
"""

from troth.pledge.keeper import messages
from troth.pledge.keeper.credentials import Credentials, read_mailbox
from troth.pledge.keeper.policy import FATES
from troth.pledge.keeper.room import Room
from troth.pledge.keeper.seals import unseal
from troth.pledge.kms.chosen import Chosen

MOST = 2000  # persons in one step: some tens of milliseconds, so that openings pass between

LEFT = 8  # bytes of how many persons are left, kept before the reference of the last one


class Rotation:
    def __init__(self, room: Room, credentials: Credentials) -> None:
        self._db, self._root, self._keys, self._persons = room.db, room.root, room.keys, room.persons
        self._credentials = credentials
        self.touched = False  # the keys in memory must be read again when the batch has ended

    def step(self, role: str, ask: messages.Rotate) -> messages.Rotated:
        """Begin, or go on. Refused "what" for a key that is not known."""
        steps = {
            "root": self._root_step, "wrapping": self._wrapping_step, "lookup": self._lookup_step,
            "to file": self._move_step, "to openbao": self._move_step,
        }  # fmt: skip
        if ask.what not in steps or not 0 <= ask.limit <= MOST:
            raise messages.Refused("what")
        answer = steps[ask.what](ask)
        # Persons' wraps are not the keeper's own keys, and reading those anew may ask a key service.
        self.touched = ask.what != "wrapping" or not answer.done
        return answer

    def _root_step(self, ask: messages.Rotate) -> messages.Rotated:
        if self._state("root") is None:
            done = self._keys.rewrap(self._root.rotate)
            self._begin("root", b"")
            return messages.Rotated(done, 1)
        # The keyring with the new wraps is on disk: nothing needs the old root key any more.
        self._root.retire()
        self._end("root")
        return messages.Rotated(1, 0)

    def _move_step(self, ask: messages.Rotate) -> messages.Rotated:
        chosen, kind, left = self._root, ask.what.removeprefix("to "), self._state("move")
        if not isinstance(chosen, Chosen):
            raise messages.Refused("what")
        if left is None and chosen.kind == kind:
            return messages.Rotated(0, 0)
        if left is None:
            self._begin("move", chosen.kind.encode())
            return messages.Rotated(self._keys.rewrap(lambda: chosen.move(kind)), 1)
        # The keyring that is wrapped at the new place is on disk: nothing needs the key at the old one any more.
        chosen.of(left.decode(), make=True).destroy()
        self._end("move")
        return messages.Rotated(1, int(chosen.kind != kind))

    def _wrapping_step(self, ask: messages.Rotate) -> messages.Rotated:
        state = self._state("wrapping")
        if state is None:
            for fate in FATES:
                self._keys.add_version(f"wrapping {fate}")
            left = self._persons.count()
            self._begin("wrapping", left.to_bytes(LEFT, "big"))
            return messages.Rotated(0, left + 1)
        left, cursor = int.from_bytes(state[:LEFT], "big"), state[LEFT:]
        refs = self._persons.after(cursor, ask.limit)
        for raw in refs:
            self._persons.rewrap(raw)
        if refs:
            left = max(0, left - len(refs))  # who came meanwhile is not counted: that would read everybody each time
            self._begin("wrapping", left.to_bytes(LEFT, "big") + refs[-1])
            return messages.Rotated(len(refs), left + 1)
        for fate in FATES:
            self._keys.drop_older(f"wrapping {fate}")
        self._end("wrapping")
        return messages.Rotated(0, 0)

    def _lookup_step(self, ask: messages.Rotate) -> messages.Rotated:
        if len(self._keys.mailbox) == 1:
            self._keys.add_version("mailbox")
            return messages.Rotated(0, self._credentials.outdated() + 1)
        done = sum(self._refresh(record) for record in ask.records)
        left = self._credentials.outdated()
        if left or not ask.last:
            return messages.Rotated(done, left + 1)
        self._keys.drop_older("mailbox")
        return messages.Rotated(done, 0)

    def _refresh(self, record: messages.Record) -> bool:
        """Make a mailbox's hash anew. False for one that is not (or no longer) anybody's to sign in with."""
        raw = messages.raw_ref(record.place.ref)
        if record.place.klass != "contact":
            raise messages.Refused("shape")
        try:
            private = self._persons.private(raw, "contact", "standing")
            self._credentials.index(read_mailbox(unseal(private, record.place, record.sealed)))
        except messages.Refused:
            return False
        return True

    def _state(self, what: str) -> bytes | None:
        value: bytes | None = self._db.value("SELECT value FROM meta WHERE name = ?", f"rotating {what}")
        return value

    def _begin(self, what: str, cursor: bytes) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (f"rotating {what}", cursor))

    def _end(self, what: str) -> None:
        self._db.execute("DELETE FROM meta WHERE name = ?", (f"rotating {what}",))
