"""Jobs: one customer, one purpose, for a time. Nobody who works here opens anything outside one."""

import re
from collections.abc import Generator
from typing import Any

from troth.pledge.ids import from_bytes
from troth.pledge.keeper import messages as keeper
from troth.pledge.keeper.credentials import Work, rest
from troth.pledge.keeper.messages import Refused, raw_ref
from troth.pledge.office import messages, policy
from troth.pledge.office.desk import Desk

JOB = re.compile(r"job_[a-z2-7]{26}")
DAY, KEPT = 86400, 90 * 86400  # how long a job that is over stays in the keyring


def me(desk: Desk, ask: messages.Me) -> messages.Seat:
    raw, who, roles = desk.seated(ask.capability)
    now = desk.room.now()
    sql = "SELECT id FROM job WHERE staff = ? AND closed = 0 AND until > ? ORDER BY until"
    mine = [_job(desk, row[0]) for row in desk.db.execute(sql, (raw, now)).fetchall()] if roles else []
    glass = desk.db.value("SELECT count(*) FROM job WHERE loud AND closed = 0 AND until > ?", now)
    return messages.Seat(who, list(roles), desk.is_fresh(raw, ask.fresh), mine, glass)


def take(desk: Desk, ask: messages.Take) -> Generator[Work, Any, messages.Taken]:
    """Refused "purpose" where no role of theirs has it, "unknown" where nobody is there, "fresh", "budget", "gone"."""
    raw, who, roles = desk.seated(ask.capability)
    now, longest = desk.room.now(), policy.LOUD_JOB if ask.loud else policy.LONGEST_JOB
    if who.kind != "employee" or not roles:
        raise Refused("power")
    if ask.loud and not desk.is_fresh(raw, ask.fresh):
        raise Refused("fresh")
    role = policy.role_for((policy.BREAK_GLASS,) if ask.loud else roles, ask.purpose, set())
    if not role:
        raise Refused("purpose")
    if not JOB.fullmatch(ask.job) or len(ask.reason) != 32 or not now < ask.until:
        raise Refused("shape")
    desk.room.spend(raw + b" jobs", 1, policy.JOBS_A_DAY, DAY)
    if ask.mailbox:
        desk.room.spend(raw + b" searches", 1, policy.SEARCHES_A_DAY, DAY)
        desk.tell("search", role=role)
    yield rest  # a search that finds nobody is counted and noted too
    persons = sorted(named(desk, ask.mailbox) if ask.mailbox else whole(desk, raw_ref(ask.ref)))
    if not persons:
        raise Refused("unknown")
    row = (ask.job, raw, ask.purpose, ask.reason, min(ask.until, now + longest), 0, ask.loud)
    if not desk.db.one("INSERT OR IGNORE INTO job VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING 1", *row):
        raise Refused("job")
    desk.db.executemany("INSERT INTO job_person VALUES (?, ?)", [(ask.job, person) for person in persons])
    for person in persons:
        desk.room.note(person, {"did": "job", "purpose": ask.purpose, "role": role, "job": ask.job})
    if ask.loud:
        desk.tell("break-glass")
    _tidy(desk, now)
    return messages.Taken(_job(desk, ask.job), _owners(desk) if ask.loud else [])


def close(desk: Desk, ask: messages.Close) -> messages.Done:
    """One's own. Closed again it is as closed as before."""
    raw, _, _ = desk.seated(ask.capability)
    sql = "UPDATE job SET closed = ? WHERE id = ? AND staff = ? AND closed = 0"
    desk.db.execute(sql, (desk.room.now(), ask.job, raw))
    return messages.Done()


def may_open(desk: Desk, ask: keeper.Open) -> str:
    """The role by which these records open in this job of theirs. Refused "job", "purpose", "budget"."""
    asked = {raw_ref(record.place.ref) for record in ask.records}
    raw, role = _in_job(desk, ask, asked, ask.purpose, {record.place.klass for record in ask.records})
    desk.room.spend(raw + b" opens", len(ask.records), policy.OPENINGS_A_DAY, DAY)
    return role


def redirect(desk: Desk, ask: messages.Redirect) -> messages.Done:
    """Letters with links for this guest go to another mailbox from now on; links that went to the former are over.

    Refused "taken" for who has an account, "astray" where `former` is not the mailbox known, "restricted", "power" for
    who broke the glass (that is to see), "job", "purpose", "budget", "gone".
    """
    guest = raw_ref(ask.ref)
    raw, role = _in_job(desk, ask, {guest}, "support", {"contact"})
    if role == policy.BREAK_GLASS:
        raise Refused("power")
    sql = """SELECT 'taken' FROM credential WHERE ref = ?1 UNION SELECT 'taken' FROM link WHERE ref = ?1
        UNION SELECT 'restricted' FROM restricted WHERE ref = ?1"""
    if no := desk.db.value(sql, guest):
        raise Refused(no)
    desk.room.spend(raw + b" redirects", 1, policy.REDIRECTS_A_DAY, DAY)
    former, index = desk.credentials.index(ask.former), desk.credentials.index(ask.mailbox)
    sql = "UPDATE reached SET mailbox = ?1 WHERE ref = ?2 AND mailbox IN (?1, ?3) RETURNING 1"
    if not desk.db.one(sql, index, guest, former):
        raise Refused("astray")
    desk.db.execute("DELETE FROM ticket WHERE ref = ? AND kind <> 'proved'", (guest,))
    desk.room.note(guest, {"did": "mailbox", "purpose": "support", "role": role, "job": ask.job})
    return messages.Done()


def _in_job(
    desk: Desk, ask: keeper.Open | messages.Redirect, persons: set[bytes], purpose: str, classes: set[str]
) -> tuple[bytes, str]:
    """Who asks, and the role by which their open job on these persons allows it. Refused "job", "purpose"."""
    raw, who, roles = desk.seated(ask.capability)
    sql = "SELECT purpose, until, closed, loud FROM job WHERE id = ? AND staff = ?"
    of, until, closed, loud = desk.db.one(sql, ask.job, raw) or ("", 0, 1, 0)
    theirs = {row[0] for row in desk.db.execute("SELECT ref FROM job_person WHERE job = ?", (ask.job,))}
    if not policy.runs(until, closed, desk.room.now()) or not persons <= theirs:
        raise Refused("job")
    roles = (policy.BREAK_GLASS,) if loud and roles and who.kind == "employee" else roles
    role = policy.role_for(roles, purpose, classes)
    if not role or of != purpose:
        raise Refused("purpose")
    return raw, role


def whole(desk: Desk, raw: bytes) -> set[bytes]:
    """An account and the guests it claimed, whichever of them is named."""
    return desk.credentials.own(desk.db.value("SELECT owner FROM link WHERE ref = ?", raw) or raw)


def named(desk: Desk, mailbox: str) -> set[bytes]:
    index = desk.credentials.index(mailbox)
    sql = """SELECT ref FROM credential WHERE mailbox = ?1 AND standing > 0
        UNION SELECT ref FROM reached WHERE mailbox = ?1"""
    rows = desk.db.execute(sql, (index,)).fetchall()
    return set[bytes]().union(*(whole(desk, row[0]) for row in rows))


def _job(desk: Desk, job: str) -> messages.Job:
    purpose, until, loud = desk.db.one("SELECT purpose, until, loud FROM job WHERE id = ?", job)
    persons = desk.db.execute("SELECT ref FROM job_person WHERE job = ? ORDER BY ref", (job,))
    return messages.Job(job, [from_bytes("per", row[0]) for row in persons], purpose, until, bool(loud))


def _owners(desk: Desk) -> list[str]:
    sql = "SELECT ref FROM staff WHERE state = 'active' AND ' ' || roles || ' ' LIKE '% owner %'"
    return [from_bytes("per", row[0]) for row in desk.db.execute(sql)]


def _tidy(desk: Desk, now: int) -> None:
    desk.db.execute("DELETE FROM job WHERE until < ?", (now - KEPT,))
    desk.db.execute("DELETE FROM job_person WHERE job NOT IN (SELECT id FROM job)")
