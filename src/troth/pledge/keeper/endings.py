"""What ends: an optional purpose that is withdrawn, and a person who is forgotten. Deleting wraps is the ending itself.

An erasure is first written to a journal outside both databases, then done: a keyring that is put back from an older
backup has the erasure applied again before any door opens. Without the journal nobody can vouch for that, and the
main side's count of erasures shows it: a keeper that is behind opens nothing.
"""

import logging
import os
import secrets
from pathlib import Path

from troth.pledge.ids import SHAPE, to_bytes
from troth.pledge.keeper import messages
from troth.pledge.keeper.credentials import Credentials, read_mailbox
from troth.pledge.keeper.persons import Gone
from troth.pledge.keeper.policy import OPTIONAL, REACHED_BY
from troth.pledge.keeper.room import Room

log = logging.getLogger("troth.keeper")


class Endings:
    def __init__(self, room: Room, credentials: Credentials, journal: Path | None, elsewhere: Path | None) -> None:
        self._room, self._db, self._persons = room, room.db, room.persons
        self._credentials, self._owner, self._own = credentials, credentials.owner, credentials.own
        self._journal, self._elsewhere = journal, elsewhere
        self.forgot = False  # something was deleted that must not stay in the journal of changes

    @property
    def erased(self) -> int:
        return int(self._db.value("SELECT count(*) FROM erased"))

    def consent(self, role: str, ask: messages.Consent) -> messages.Done:
        """Refused "purpose" for one that nobody may allow, "capability" unless it is the person's own.

        The worker carries what people chose without signing in; to allow a purpose it shows the person's contact.
        """
        if ask.purpose not in OPTIONAL:
            raise messages.Refused("purpose")
        raw = messages.raw_ref(ask.ref) if role == "worker" else self._owner(ask.capability)
        if role == "worker" and (ask.allow or ask.contact):
            self._mind(raw, ask)
        (self._persons.add_wrap if ask.allow else self._persons.delete_wrap)(raw, *OPTIONAL[ask.purpose])
        self.forgot |= not ask.allow
        return messages.Done(
            self._room.note(raw, {"did": "grant" if ask.allow else "withdraw", "purpose": ask.purpose})
        )

    def _mind(self, raw: bytes, ask: messages.Consent) -> None:
        """A mailbox that objected is remembered, whoever comes with it, until one who is reached by it allows it anew.

        Refused "objected", "astray" for a mailbox that is none of the person's, "shape" for what is no contact.
        """
        at = ask.contact.place if ask.contact else None
        if ask.contact is None or at is None or (at.klass, at.ref) != (REACHED_BY, ask.ref):
            raise messages.Refused("shape")
        mailbox = read_mailbox(self._room.unseal(ask.contact, "standing"))
        if not self._credentials.is_reached_by(raw, mailbox):
            raise messages.Refused("astray")
        if ask.anew or not ask.allow:
            sql = "DELETE FROM objected WHERE mailbox = ?" if ask.allow else "INSERT OR IGNORE INTO objected VALUES (?)"
            self._db.execute(sql, (self._credentials.objection(mailbox),))
        elif self._credentials.objects(mailbox):
            raise messages.Refused("objected")

    def restrict(self, role: str, ask: messages.Restrict) -> messages.Done:
        """Open a person for one job alone, or for all again (""). Done again, and of a tripwire, it changes nothing."""
        raw = messages.raw_ref(ask.ref)
        if (self._db.value("SELECT job FROM restricted WHERE ref = ?", raw) or "") not in (ask.job, messages.NOBODY):
            self._db.execute("DELETE FROM restricted WHERE ref = ?", (raw,))
            if ask.job:
                self._db.execute("INSERT INTO restricted VALUES (?, ?)", (raw, ask.job))
            self._room.note(raw, {"did": "restrict" if ask.job else "lift"})
        return messages.Done()

    def shred(self, role: str, ask: messages.Shred) -> messages.Done:
        """Forget a person. Done again it changes nothing, so that a lost answer can be asked for again."""
        keep = frozenset(ask.keep)
        if not keep <= {"tax"}:
            raise messages.Refused("keep")
        for raw in self._own(messages.raw_ref(ask.ref)):  # with the guests whom they claimed
            self._write_down(messages.ref_name(raw), keep)
            if not self._forget(raw, keep):
                continue
            event = {"type": "erasure", "kept": "tax" if keep else "nothing"}
            self._room.leaves.everyday(f"erasure:{secrets.token_hex(8)}", event, self._room.clock())
        return messages.Done(self.erased)

    def apply_journal(self) -> int:
        """Erase again whoever the journal says was erased; for a keyring that comes from a backup. How many it had."""
        # also where less was kept the second time
        return sum(self._forget(to_bytes(ref), keep) for ref, keep in self._read_journal())

    def _forget(self, raw: bytes, keep: frozenset[str]) -> bool:
        """False if there was nothing left to forget."""
        try:
            changed = self._persons.shred(raw, keep)
        except Gone:
            changed = False  # a keyring from before they came; remembered all the same
        for table in ("credential", "reached", "ticket", "about", "restricted", "link", "passkey"):
            self._db.execute(f"DELETE FROM {table} WHERE ref = ?", (raw,))  # noqa: S608 - our own tables
        self._db.execute("INSERT OR IGNORE INTO erased VALUES (?)", (raw,))
        self.forgot = True
        return changed

    def _write_down(self, ref: str, keep: frozenset[str]) -> None:
        """On disk before anything is deleted."""
        if self._journal is None:
            return
        line = f"{ref} {self._room.clock().isoformat(timespec='seconds')} {','.join(sorted(keep)) or '-'}\n"
        _append(self._journal, line)
        if self._elsewhere is not None:
            try:
                _append(self._elsewhere, line)
            except OSError:
                log.warning("the copy of the journal of erasures cannot be written; the next backup makes it anew")

    def _read_journal(self) -> list[tuple[str, frozenset[str]]]:
        if self._journal is None or not self._journal.exists():
            return []
        rows = [line.split() for line in self._journal.read_text("ascii").splitlines()]
        return [(row[0], frozenset(row[2].split(",")) - {"-"}) for row in rows if len(row) == 3 and SHAPE.match(row[0])]


def _append(path: Path, line: str) -> None:
    with open(path, "ab", buffering=0, opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(line.encode())
        os.fsync(file)
