"""The one way to read a person: for a purpose, for a job, noted first.

The ledger's leaf is in the same transaction as the answer's batch, and the answer leaves after its commit: no leaf,
no plaintext. The other way round cannot be had: an answer may die on its way, then the leaf says "asked and allowed".
"""

import hashlib
import re
from importlib import import_module

from troth.pledge import fault
from troth.pledge.keeper import capabilities, messages
from troth.pledge.keeper.credentials import Credentials, Steps, read_mailbox, rest
from troth.pledge.keeper.policy import BY_CAPABILITY, BY_DOOR, OPENS, OPTIONAL, REACHED_BY, SINCE
from troth.pledge.keeper.room import Room
from troth.pledge.keeper.seals import BadSeal
from troth.pledge.ledger.events import Event

MOST, SLICE = 50, 5  # records in one question; so many are unsealed before other questions pass
OWN_A_MINUTE, OF_ONE_A_DAY = 600, 500  # records of one person: by themselves, by the worker
JOB = re.compile(r"^[a-z]{3}_[a-z2-7]{26}$|^[a-z][a-z-]{2,30}$")  # an id of ours, or a journey's name


class Opening:
    def __init__(self, room: Room, credentials: Credentials, daily: int) -> None:
        self._room, self._credentials, self._daily = room, credentials, daily
        self.behind = ""  # why it opens nothing: older than what the main side has seen

    def open(self, role: str, ask: messages.Open) -> Steps:
        """Refused: "purpose", "capability", "job", "budget", "gone", "seal", "behind", "restricted", "objected". All or
        none.

        A long list is unsealed in slices, so that other questions pass between. What it uses up and its leaves are
        written with the answer, in the last step, and nobody is told who was forgotten or restricted meanwhile.
        """
        if self.behind:
            raise messages.Refused("behind")
        if not 0 < len(ask.records) <= MOST:
            raise messages.Refused("shape")
        if not JOB.match(ask.job):
            raise messages.Refused("job")
        owner, role = self._entitled(role, ask)
        mine = self._credentials.own(owner) if owner else set()
        values, classes = list[bytes](), dict[bytes, list[str]]()
        for record in ask.records:
            if values and len(values) % SLICE == 0:
                yield rest
            raw = messages.raw_ref(record.place.ref)
            if owner is not None and raw not in mine:
                raise messages.Refused("capability")
            self._must_be_open(raw, ask.job)
            values.append(self._unseal(record, ask.purpose))
            classes.setdefault(raw, []).append(record.place.klass)
        if owner is not None and not self._is_theirs(owner, ask.records, values):
            raise messages.Refused("capability")
        day = role + ask.purpose if ask.purpose in OPTIONAL else role  # uses up nothing of buyers'
        who, most, span = (day.encode(), self._daily, 86400) if owner is None else (owner + b" own", OWN_A_MINUTE, 60)
        self._room.spend(who, len(values), most, span)
        for raw, opened in classes.items():
            self._must_be_open(raw, ask.job)
            if owner is None:
                self._room.spend(raw + role.encode(), len(opened), OF_ONE_A_DAY, 86400)
            self._note(role, raw, sorted(set(opened)), ask)
        return messages.Opened(values)

    def _entitled(self, role: str, ask: messages.Open) -> tuple[bytes | None, str]:
        """The person a capability is for; None where the door, or a job of who works here, opens. And in what role."""
        if ask.purpose in BY_DOOR[role]:
            return None, role
        raw, scope = self._credentials.holder(ask.capability)
        if scope == "staff":
            return None, import_module("troth.pledge.office.office").may_open(self._room, self._credentials, ask)
        if ask.purpose not in BY_CAPABILITY.get(scope, ()):
            raise messages.Refused("purpose")
        return raw, role

    def _must_be_open(self, raw: bytes, job: str) -> None:
        """Unless they, or the owner who claimed them, are restricted to another job."""
        sql = """SELECT ifnull(max(job = ?2), 1), max(job = ?3) FROM restricted
            WHERE ref IN (?1, (SELECT owner FROM link WHERE ref = ?1))"""
        may, tripwire = self._room.db.one(sql, raw, job, messages.NOBODY)
        if not may:
            tripped = "somebody was opened whom nobody has reason to open" if tripwire else ""
            raise messages.Refused("gone" if tripped else "restricted", incident=tripped)

    def _unseal(self, record: messages.Record, purpose: str) -> bytes:
        fate = OPENS.get((record.place.klass, purpose))
        if fate is None:
            raise messages.Refused("purpose")
        if record.place.schema < SINCE.get((record.place.klass, purpose), 0):
            raise messages.Refused("given-before")
        value = self._room.unseal(record, fate)
        if purpose in OPTIONAL and self._credentials.objects(read_mailbox(value)):
            raise messages.Refused("objected")
        return value

    def _is_theirs(self, owner: bytes, records: list[messages.Record], values: list[bytes]) -> bool:
        """Whether a contact of who signs in is shown, as with each look at oneself, and none of anybody else.

        Blanks lie in the main database with what enrols them. Whoever read them there could give one a credential
        before a person takes it; it is for another mailbox than that person's, and so it opens nothing.
        """
        contacts = [value for one, value in zip(records, values, strict=True) if one.place.klass == REACHED_BY]
        try:
            return bool(contacts) and all(self._credentials.signs_in(owner, read_mailbox(one)) for one in contacts)
        except BadSeal:
            return False

    def _note(self, role: str, raw: bytes, classes: list[str], ask: messages.Open) -> None:
        """One entry for each opening; one for each capability and set of classes where people open their own."""
        if ask.capability and role in BY_DOOR:
            look = hashlib.sha256(f"{ask.capability} {classes}".encode()).digest()
            sql = "INSERT OR IGNORE INTO covered VALUES (?, ?) RETURNING 1"
            if not self._room.db.one(sql, look, self._room.now() + capabilities.LIFETIME):
                return
        event: Event = {"did": "open", "classes": classes, "purpose": ask.purpose, "role": role, "job": ask.job}
        self._room.note(raw, event)
        fault.here("keeper.leaf")
