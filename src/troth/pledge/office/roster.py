"""Who works here: invited, joined with an account of their own, attested by the owner, reviewed, suspended, gone.

The first owner is made by who may write where the keyring lies: `troth staff invite` leaves the invitation's hash
there, out of reach of web and worker. Nobody who writes the main database makes an owner.
"""

from pathlib import Path

from troth.pledge.keeper.messages import Refused, raw_ref
from troth.pledge.office import messages, policy
from troth.pledge.office.desk import PERSON, Desk, colleague_of, digest

FIRST = "first-owner"  # the file beside the keyring, good for a day
DAY, YEAR = 86400, 365 * 86400


def invite(desk: Desk, ask: messages.Invite) -> messages.Done:
    desk.owner(ask.capability, ask.fresh)
    roles = _roles(ask.roles, ask.kind)
    row = (ask.token, roles, ask.kind, desk.room.now() + policy.INVITED)
    desk.db.execute("INSERT OR REPLACE INTO invitation VALUES (?, ?, ?, ?)", row)
    desk.tell("invite", roles=roles, kind=ask.kind)
    return messages.Done()


def join(desk: Desk, ask: messages.Join) -> messages.Done:
    """Take an invitation up with one's own account. Who had a second factor sets a new one. Refused "ticket"."""
    raw, now, token = desk.credentials.owner(ask.capability), desk.room.now(), digest(ask.secret)
    sql = "DELETE FROM invitation WHERE token = ? AND ends > ? RETURNING roles, kind"
    invited = desk.db.one(sql, token, now)
    first = invited is None and _is_first(desk, token)
    if not first and invited is None:
        raise Refused("ticket")
    roles, kind = invited or ("owner", "employee")
    state, until = ("active", now + YEAR) if first else ("joined", 0)
    row = (raw, roles, kind, state, until, now)
    desk.db.execute("INSERT OR REPLACE INTO staff VALUES (?, ?, ?, ?, ?, ?, NULL, 0)", row)
    desk.db.execute("DELETE FROM recovery WHERE ref = ?", (raw,))
    desk.db.execute("DELETE FROM counts WHERE ref = ?", (raw,))
    desk.tell("first owner" if first else "join", roles=roles, kind=kind)
    return messages.Done()


def colleagues(desk: Desk, ask: messages.Roster) -> messages.Colleagues:
    if not policy.ROSTER & set(desk.seated(ask.capability)[2]):
        raise Refused("power")
    return messages.Colleagues([colleague_of(row) for row in desk.db.execute(f"{PERSON} ORDER BY ref")])


def attest(desk: Desk, ask: messages.Attest) -> messages.Done:
    """Refused "unready" for who has not joined with a second factor, "shape" for a time that is past or too far."""
    desk.owner(ask.capability, ask.fresh)
    now, roles = desk.room.now(), _roles(ask.roles, ask.kind)
    if not now < ask.until <= now + policy.LONGEST_OFFICE:
        raise Refused("shape")
    sql = """UPDATE staff SET roles = ?, kind = ?, until = ?, reviewed = ?, state = 'active'
        WHERE ref = ? AND state IN ('joined', 'active') AND step > 0 RETURNING 1"""
    if not desk.db.one(sql, roles, ask.kind, ask.until, now, raw_ref(ask.ref)):
        raise Refused("unready")
    desk.tell("attest", roles=roles, kind=ask.kind)
    return messages.Done()


def put(desk: Desk, ask: messages.Put) -> messages.Done:
    """Suspended or ended, every capability of theirs is over, and does not come back. Refused "unknown"."""
    desk.owner(ask.capability, ask.fresh)
    raw = raw_ref(ask.ref)
    before = {"suspended": "active", "active": "suspended", "ended": "joined active suspended", "reviewed": "active"}
    state = desk.db.value("SELECT state FROM staff WHERE ref = ?", raw)
    if ask.state not in before or state not in before[ask.state].split():
        raise Refused("unknown")
    if ask.state == "reviewed":
        desk.db.execute("UPDATE staff SET reviewed = ? WHERE ref = ?", (desk.room.now(), raw))
    else:
        desk.db.execute("UPDATE staff SET state = ? WHERE ref = ?", (ask.state, raw))
        desk.room.persons.raise_epoch(raw)
    desk.tell(ask.state)
    return messages.Done()


def _roles(roles: list[str], kind: str) -> str:
    if not roles or not set(roles) <= set(policy.ROLES) or kind not in policy.KINDS:
        raise Refused("shape")
    return " ".join(role for role in policy.ROLES if role in roles)


def _is_first(desk: Desk, token: bytes) -> bool:
    """Whether this is the invitation that lies beside the keyring. It is used up by this."""
    keyring = desk.db.one("PRAGMA database_list")[2]
    path = Path(keyring).with_name(FIRST) if keyring else None
    if path is None or not path.exists() or path.stat().st_mtime < desk.room.now() - DAY:
        return False
    if path.read_text("ascii").strip() != token.hex():
        return False
    path.unlink()
    return True
