"""How the roster stands, and a rehearsal: invented people try to open one another, and none of it stays.

So that "after closing nothing opens" is asked of the keeper that runs, in the functions that it opens by.
"""

from contextlib import suppress

from troth.pledge.keeper import messages as keeper
from troth.pledge.keeper.messages import Refused, raw_ref
from troth.pledge.office import jobs, messages, policy
from troth.pledge.office.desk import PERSON, Desk, colleague_of

LATER = 3600
# what somebody tries -> how it differs from an employee in support with a job on this customer, and whether it opens
TRIES: dict[str, tuple[dict[str, object], bool]] = {
    "an employee in their job": ({}, True),
    "after closing": ({"closed": 0}, False),
    "after its time": ({"ends": -1}, False),
    "in a colleague's job": ({"whose": "other"}, False),
    "another customer": ({"asked": "other"}, False),
    "another class": ({"klass": "billing"}, False),
    "for another purpose": ({"purpose": "legal"}, False),
    "without attestation": ({"state": "joined"}, False),
    "with one that has lapsed": ({"until": -1}, False),
    "from an agency": ({"kind": "agency"}, False),
    "without the role": ({"roles": "catalogue"}, False),
}


class _Over(Exception):
    """The rehearsal ends, and with it all that it wrote."""


def muster(desk: Desk, ask: messages.Muster) -> messages.Mustered:
    now = desk.room.now()
    all_of = [colleague_of(row) for row in desk.db.execute(PERSON)]
    strong = [one for one in all_of if policy.power(" ".join(one.roles), one.kind, one.state, one.until, now)]
    unfit = [one for one in strong if one.state != "active" or one.until <= now or not one.second_factor]
    rows = desk.db.execute("SELECT until, closed, loud FROM job").fetchall()
    running = [row for row in rows if policy.runs(row[0], row[1], now)]
    overdue = [row for row in running if row[1] or row[0] <= now]
    reviewed = min((one.reviewed for one in strong), default=0)
    found = [(what, may) for what, (_, may) in TRIES.items() if _opens(desk, what) != may]
    opened, shut = [what for what, may in found if not may], [what for what, may in found if may]
    glass = sum(row[2] for row in running)
    return messages.Mustered(len(strong), len(unfit), reviewed, len(running), len(overdue), glass, opened, shut)


def _opens(desk: Desk, what: str) -> bool:
    said: dict[str, object] = {"klass": "contact", "purpose": "support", **TRIES[what][0]}
    opens, now = False, desk.room.now()
    with suppress(_Over), desk.db.step():
        refs = {who: desk.room.persons.make().ref for who in ("employee", "customer", "other")}
        raws = {who: raw_ref(ref) for who, ref in refs.items()}
        row = (raws["employee"], said.get("roles", "support"), said.get("kind", "employee"))
        until = now + int(str(said.get("until", LATER)))
        desk.db.execute(
            "INSERT INTO staff VALUES (?, ?, ?, ?, ?, 0, NULL, 1)", (*row, said.get("state", "active"), until)
        )
        job, whose = "job_rehearsal", raws[str(said.get("whose", "employee"))]
        ends = now + int(str(said.get("ends", LATER)))
        desk.db.execute(
            "INSERT INTO job VALUES (?, ?, 'support', '', ?, ?, 0)", (job, whose, ends, now if "closed" in said else 0)
        )
        desk.db.execute("INSERT INTO job_person VALUES (?, ?)", (job, raws["customer"]))
        place = keeper.Place("", "", "", refs[str(said.get("asked", "customer"))], str(said["klass"]), 1)
        capability = desk.issue(raws["employee"], "staff", LATER)
        with suppress(Refused):
            opens = bool(
                jobs.may_open(desk, keeper.Open([keeper.Record(place, b"")], str(said["purpose"]), job, capability))
            )
        raise _Over
    return opens
