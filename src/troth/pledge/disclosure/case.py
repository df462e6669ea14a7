"""Cases in the keyring: a scope's hash, who filed it, who approved it, and the bundle once it is made."""

import hashlib
import secrets
from typing import Any, NamedTuple

from troth.pledge.disclosure import messages, rules
from troth.pledge.keeper.credentials import Credentials
from troth.pledge.keeper.messages import Refused, raw_ref, ref_name
from troth.pledge.keeper.room import Room
from troth.pledge.ledger.events import Event
from troth.pledge.office import policy
from troth.pledge.office.desk import Desk

SCHEMA = (
    """CREATE TABLE IF NOT EXISTS disclosure (id TEXT PRIMARY KEY, hash BLOB NOT NULL, filer BLOB NOT NULL,
    filed INT NOT NULL, earliest INT NOT NULL, bar INT NOT NULL, outside INT NOT NULL, handed INT NOT NULL,
    approvals INT NOT NULL, sealed BLOB NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS disclosure_yes (
    id TEXT, staff BLOB, at INT NOT NULL, epoch INT NOT NULL, PRIMARY KEY (id, staff)) WITHOUT ROWID""",
    "CREATE TABLE IF NOT EXISTS disclosure_outsider (key BLOB PRIMARY KEY, since INT NOT NULL) WITHOUT ROWID",
    # Entries of the ledger about people who may not be told of them yet: in the tree at once, in their list then.
    """CREATE TABLE IF NOT EXISTS disclosure_held (
    seq INTEGER PRIMARY KEY, ref BLOB NOT NULL, id TEXT NOT NULL, until INT NOT NULL)""",
)


class Case(NamedTuple):
    id: str
    hash: bytes
    filer: bytes
    filed: int
    earliest: int
    bar: int
    outside: int
    handed: int
    approvals: int
    sealed: bytes


class Cases:
    def __init__(self, room: Room, credentials: Credentials) -> None:
        self.desk = Desk(room, credentials)
        self.db, self.now = room.db, room.now
        for statement in SCHEMA:
            self.db.execute(statement)

    def approver(self, capability: str, fresh: str) -> bytes:
        """Who may work on disclosures, with a second factor of just now. Refused "power", "fresh"."""
        raw, who, roles = self.desk.seated(capability)
        if who.kind != "employee" or not rules.MAY_APPROVE & set(roles):
            raise Refused("power")
        if not self.desk.is_fresh(raw, fresh):
            raise Refused("fresh")
        return raw

    def find(self, case: str) -> Case | None:
        row = self.db.one("SELECT * FROM disclosure WHERE id = ?", case)
        return None if row is None else Case(*row)

    def found(self, case: str, hashed: bytes = b"", *, handed: bool = False) -> Case:
        """Refused "scope" where it is not filed, or with another scope; "done" where it was handed over."""
        known = self.find(case)
        if known is None or (hashed and known.hash != hashed):
            raise Refused("scope")
        if hashed and known.handed and not handed:
            raise Refused("done")
        return known

    def file(self, scope: messages.Scope, hashed: bytes, filer: bytes) -> None:
        self.db.execute("DELETE FROM disclosure_yes WHERE id = ?", (scope.case,))
        now = self.now()
        earliest = now if scope.bar_until else now + scope.notice_days * rules.DAY
        row = (scope.case, hashed, filer, now, earliest, scope.bar_until, 0, 0, 0, b"")
        self.db.execute("INSERT OR REPLACE INTO disclosure VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        self.tell("filed", scope=hashed.hex())

    def approve(self, case: Case, raw: bytes) -> None:
        sql = "INSERT OR REPLACE INTO disclosure_yes VALUES (?, ?, ?, ?)"
        self.db.execute(sql, (case.id, raw, self.now(), self.desk.room.persons.epoch(raw)))
        self.tell("approved", scope=case.hash.hex())

    def drop(self, case: str) -> None:
        for table in ("disclosure", "disclosure_yes"):
            self.db.execute(f"DELETE FROM {table} WHERE id = ?", (case,))  # noqa: S608 - our own tables

    def handed(self, case: Case, scope: messages.Scope, sealed: bytes, by: int) -> None:
        """The entries first, in the transaction that the answer waits for; and each record this once."""
        for ref in sorted({place.ref for place in scope.places}):
            self._note(scope, ref)
        digest = hashlib.sha256(sealed).hexdigest()
        self.tell("handed over", scope=case.hash.hex(), bundle=digest, approvals=by)
        sql = "UPDATE disclosure SET handed = ?, approvals = ?, sealed = ? WHERE id = ?"
        self.db.execute(sql, (self.now(), by, sealed, case.id))

    def _note(self, scope: messages.Scope, ref: str) -> None:
        raw, mine = raw_ref(ref), sorted({place.klass for place in scope.places if place.ref == ref})
        event: Event = {"did": "open", "classes": mine, "purpose": "legal", "role": "disclosure", "job": scope.case}
        seq = self.desk.room.note(raw, event)
        if scope.bar_until:
            self.db.execute("DELETE FROM about WHERE ref = ? AND seq = ?", (raw, seq))
            self.db.execute("INSERT INTO disclosure_held VALUES (?, ?, ?, ?)", (seq, raw, scope.case, scope.bar_until))

    def end_holds(self) -> None:
        """What could not be told until a day is in its person's list from that day on."""
        over = self.db.execute("SELECT ref, seq FROM disclosure_held WHERE until <= ?", (self.now(),)).fetchall()
        self.db.executemany("INSERT INTO about VALUES (?, ?)", over)
        self.db.execute("DELETE FROM disclosure_held WHERE until <= ?", (self.now(),))

    def prolong(self, case: Case, document: bytes, until: int) -> None:
        self.db.execute("UPDATE disclosure SET bar = ? WHERE id = ?", (until, case.id))
        self.db.execute("UPDATE disclosure_held SET until = ? WHERE id = ?", (until, case.id))
        self.tell("bar prolonged", scope=case.hash.hex(), document=hashlib.sha256(case.hash + document).hexdigest())

    def needed(self) -> int:
        """As the shop's policy has it, and two at least: the keeper's start wrote it down."""
        said = self.db.value("SELECT value FROM meta WHERE name = 'disclosure approvals'")
        return max(rules.LEAST, int(said or 0))

    def able(self) -> set[bytes]:
        """Who here could approve: attested in time as an employee, in a role for it, with a second factor."""
        return {raw for raw, (roles, _) in self._staff().items() if rules.MAY_APPROVE & set(roles)}

    def _staff(self) -> dict[bytes, tuple[tuple[str, ...], int]]:
        rows = self.db.execute("SELECT ref, roles, kind, state, until, reviewed FROM staff WHERE step > 0")
        now = self.now()
        return {
            raw: (policy.power(roles, kind, state, until, now) if kind == "employee" else (), reviewed)
            for raw, roles, kind, state, until, reviewed in rows
        }

    def approved(self, case: Case) -> set[bytes]:
        """Whose approvals count at this second."""
        staff, able, now = self._staff(), self.able(), self.now()
        rows = self.db.execute("SELECT staff, at, epoch FROM disclosure_yes WHERE id = ?", (case.id,)).fetchall()
        counting = set[bytes]()
        for raw, at, epoch in rows:
            roles, reviewed = staff.get(raw, ((), now))
            if rules.still_counts(at, now, self.desk.room.persons.epoch(raw) == epoch, roles, reviewed):
                counting.add(raw)
        return counting if rules.filer_counts(case.filer, able, self.needed()) else counting - {case.filer}

    def approvals(self, case: Case) -> int:
        """By how many it is approved now; 0: it is not."""
        outside = bool(case.outside) and self.now() < case.outside + rules.GOOD_FOR
        return rules.enough(self.approved(case), self.able(), self.needed(), outside, self.now() - case.filed)

    def standing(self, case: Case, raw: bytes) -> messages.Standing:
        approved, able, now = self.approved(case), self.able(), self.now()
        may = raw in able - approved and (raw != case.filer or rules.filer_counts(raw, able, self.needed()))
        told = case.earliest <= now and (not case.bar or now < case.bar)
        alone = len(able) < self.needed() and not case.outside and len(approved) < self.needed()
        return messages.Standing(
            case.hash, ref_name(case.filer), case.filed, [ref_name(one) for one in sorted(approved)], may,
            self.needed(), len(able), bool(case.outside), told and self.approvals(case) > 0 and not case.handed,
            max(case.earliest, case.filed + rules.WAIT if alone else 0), case.handed,
        )  # fmt: skip

    def tell(self, did: str, **more: Any) -> None:
        """An entry of the public ledger: a step of some case, known by a hash that confirms no guess."""
        event = {"type": "disclosure", "did": did, **more}
        self.desk.room.leaves.everyday(f"disclosure {secrets.token_hex(8)}", event, self.desk.room.clock())
