"""The one way to read a person: for a purpose, for a job, noted first.

The ledger's leaf is in the same transaction as the answer's batch, and the answer leaves after its commit: no leaf,
no plaintext. The other way round cannot be had: an answer may die on its way, then the leaf says "asked and allowed".
"""

from __future__ import annotations

import re
import sqlite3
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime

import msgspec

from troth.pledge import fault
from troth.pledge.ids import to_bytes
from troth.pledge.keeper import capabilities, messages
from troth.pledge.keeper.credentials import Refused
from troth.pledge.keeper.leaves import Event, Leaves
from troth.pledge.keeper.own_keys import OwnKeys
from troth.pledge.keeper.persons import Gone, Persons
from troth.pledge.keeper.policy import BY_CAPABILITY, BY_DOOR, OPENS, REACHED_BY
from troth.pledge.keeper.seals import BadSeal, unseal

MOST = 50  # records in one question
JOB = re.compile(r"^[a-z]{3}_[a-z2-7]{26}$|^[a-z][a-z-]{2,30}$")  # an id of ours, or a journey's name
COVERED = 10_000  # capabilities remembered as noted; a forgotten one is noted again


class Reached(msgspec.Struct):
    """What is read of a contact here; its other fields are passed over."""

    email: str


class Opening:
    def __init__(
        self, db: sqlite3.Connection, keys: OwnKeys, persons: Persons, leaves: Leaves, daily: int,
        clock: Callable[[], datetime], signs_in: Callable[[bytes, str], bool],
    ) -> None:  # fmt: skip
        self._db, self._keys, self._persons, self._leaves = db, keys, persons, leaves
        self._daily, self._clock, self._signs_in = daily, clock, signs_in
        self._covered: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._noted: list[tuple[str, str]] = []  # in this batch; covered once it is on disk
        self.behind = False  # older than what the main side has seen: opens nothing

    def open(self, role: str, ask: messages.Open) -> messages.Opened:
        """Refused: "purpose", "capability", "job", "budget", "gone", "seal", "behind". All records or none."""
        if self.behind:
            raise Refused("behind")
        if not 0 < len(ask.records) <= MOST:
            raise Refused("shape")
        if not JOB.match(ask.job):
            raise Refused("job")
        owner = self._entitled(role, ask)
        values: list[bytes] = []
        classes: dict[bytes, list[str]] = {}
        for record in ask.records:
            raw = _raw(record.place.ref)
            if owner is not None and raw != owner:
                raise Refused("capability")
            values.append(self._unseal(raw, record, ask.purpose))
            classes.setdefault(raw, []).append(record.place.klass)
        if owner is not None and not any(map(self._is_theirs, ask.records, values)):
            raise Refused("capability")
        for raw, opened in classes.items():
            self._note(role, raw, sorted(set(opened)), ask)
        if ask.capability:
            self._noted += [(ask.capability, ",".join(sorted(set(opened)))) for opened in classes.values()]
        return messages.Opened(values)

    def ended(self, committed: bool) -> None:
        """The batch is on disk, or it never was: only what is noted for good covers later looks."""
        for key in self._noted if committed else ():
            self._covered[key] = None
            self._covered.move_to_end(key)
        self._noted.clear()
        while len(self._covered) > COVERED:
            self._covered.popitem(last=False)

    def _entitled(self, role: str, ask: messages.Open) -> bytes | None:
        """The person a capability is for; None where the door itself may open for this purpose."""
        if ask.purpose in BY_DOOR[role]:
            self._spend(role, len(ask.records))
            return None
        now = int(self._clock().timestamp())
        try:
            raw, epoch, scope = capabilities.read(self._keys.capability, ask.capability, now)
            current = self._persons.epoch(raw)
        except (capabilities.NoCapability, Gone):
            raise Refused("capability") from None
        if current != epoch:
            raise Refused("capability")
        if ask.purpose not in BY_CAPABILITY.get(scope, ()):
            raise Refused("purpose")
        return raw

    def _spend(self, role: str, records: int) -> None:
        day = self._clock().date().isoformat()
        sql = "INSERT INTO budget VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET used = used + ? RETURNING used"
        if self._db.execute(sql, (day, role, records, records)).fetchone()[0] > self._daily:
            raise Refused("budget")

    def _unseal(self, raw: bytes, record: messages.Record, purpose: str) -> bytes:
        fate = OPENS.get((record.place.klass, purpose))
        if fate is None:
            raise Refused("purpose")
        try:
            wraps = self._persons.wraps(raw)
            return unseal(self._persons.private(raw, wraps, record.place.klass, fate), record.place, record.sealed)
        except Gone:
            raise Refused("gone") from None
        except BadSeal:
            raise Refused("seal") from None

    def _is_theirs(self, record: messages.Record, value: bytes) -> bool:
        """Whether this is the contact of who signs in: with each look at themselves people show it.

        Blanks lie in the main database with what enrols them. Whoever read them there could give one a credential
        before a person takes it; it is for another mailbox than that person's, and so it opens nothing.
        """
        if record.place.klass != REACHED_BY:
            return False
        try:
            mailbox = msgspec.msgpack.decode(value, type=Reached).email
        except msgspec.MsgspecError:
            return False
        return self._signs_in(_raw(record.place.ref), mailbox)

    def _note(self, role: str, raw: bytes, classes: list[str], ask: messages.Open) -> None:
        """One entry for each opening; one for each capability and set of classes where people open their own."""
        key = (ask.capability, ",".join(classes))
        if ask.capability and key in self._covered:
            return
        event: Event = {"did": "open", "classes": classes, "purpose": ask.purpose, "role": role, "job": ask.job}
        history_key = self._persons.history_key(raw, self._persons.wraps(raw))
        self._leaves.about(raw, history_key, event, self._clock())
        fault.here("keeper.leaf")


def _raw(ref: str) -> bytes:
    try:
        return to_bytes(ref)
    except ValueError:
        raise Refused("shape") from None
