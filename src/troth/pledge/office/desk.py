"""What the office's verbs share: their tables in the keyring, and who asks."""

import hashlib
import secrets

from troth.pledge.ids import from_bytes
from troth.pledge.keeper import capabilities
from troth.pledge.keeper.credentials import Credentials
from troth.pledge.keeper.messages import Refused
from troth.pledge.keeper.room import Room
from troth.pledge.office import policy
from troth.pledge.office.messages import Colleague

SCHEMA = (
    """CREATE TABLE IF NOT EXISTS staff (ref BLOB PRIMARY KEY, roles TEXT NOT NULL, kind TEXT NOT NULL,
    state TEXT NOT NULL, until INT NOT NULL, reviewed INT NOT NULL, totp BLOB, step INT NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS invitation (
    token BLOB PRIMARY KEY, roles TEXT NOT NULL, kind TEXT NOT NULL, ends INT NOT NULL) WITHOUT ROWID""",
    "CREATE TABLE IF NOT EXISTS recovery (code BLOB PRIMARY KEY, ref BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS gone_home (capability BLOB PRIMARY KEY, ends INT NOT NULL) WITHOUT ROWID",
    """CREATE TABLE IF NOT EXISTS job (id TEXT PRIMARY KEY, staff BLOB NOT NULL, purpose TEXT NOT NULL,
    reason BLOB NOT NULL, until INT NOT NULL, closed INT NOT NULL, loud INT NOT NULL) WITHOUT ROWID""",
    "CREATE TABLE IF NOT EXISTS job_person (job TEXT, ref BLOB, PRIMARY KEY (job, ref)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS counts (passkey BLOB PRIMARY KEY, ref BLOB NOT NULL) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS reached_by ON reached (mailbox)",
)
PERSON = "SELECT ref, roles, kind, state, until, reviewed, step > 0 FROM staff"


class Desk:
    def __init__(self, room: Room, credentials: Credentials) -> None:
        self.room, self.credentials, self.db = room, credentials, room.db
        for statement in SCHEMA:
            self.db.execute(statement)

    def colleague(self, raw: bytes) -> Colleague:
        """Refused "capability" for who does not work here, or no longer."""
        row = self.db.one(f"{PERSON} WHERE ref = ? AND state IN ('joined', 'active')", raw)
        if row is None:
            raise Refused("capability")
        return colleague_of(row)

    def seated(self, capability: str) -> tuple[bytes, Colleague, tuple[str, ...]]:
        """Who sits at the desk with this, and the roles they have now. Refused "capability"."""
        raw, scope = self.credentials.holder(capability)
        left = self.db.one("SELECT 1 FROM gone_home WHERE capability = ?", digest(capability))
        if scope != "staff" or left:
            raise Refused("capability")
        who = self.colleague(raw)
        now = self.room.now()
        return raw, who, policy.power(" ".join(who.roles), who.kind, who.state, who.until, now)

    def owner(self, capability: str, fresh: str) -> bytes:
        """Refused "power" for who is no owner, "fresh" without a second factor of just now."""
        raw, _, roles = self.seated(capability)
        if "owner" not in roles:
            raise Refused("power")
        if not self.is_fresh(raw, fresh):
            raise Refused("fresh")
        return raw

    def is_fresh(self, raw: bytes, fresh: str) -> bool:
        try:
            return self.credentials.holder(fresh) == (raw, "fresh")
        except Refused:
            return False

    def issue(self, raw: bytes, scope: str, seconds: int) -> str:
        key, epoch = self.room.keys.capability, self.room.persons.epoch(raw)
        return capabilities.issue(key, raw, epoch, self.room.now(), scope, seconds)

    def tell(self, did: str, **more: str) -> None:
        """An everyday entry in the public ledger: what happened at the desk, and nothing about whom."""
        event: dict[str, str | int] = {"type": "desk", "did": did, **more}
        self.room.leaves.everyday(f"desk {secrets.token_hex(8)}", event, self.room.clock())


def colleague_of(row: tuple[bytes, str, str, str, int, int, int]) -> Colleague:
    raw, roles, kind, state, until, reviewed, factor = row
    return Colleague(from_bytes("per", raw), roles.split(), kind, state, until, reviewed, bool(factor))


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
