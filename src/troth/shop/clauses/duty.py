"""Checking while the shop runs: one due row for each clause, worked off by the worker as all else that is due.

Each round runs the checks whose turn it is (policy/clause.py has the cadence). `at_once` makes a round due in which
all of them run: for `troth check`, and for the demo.

`run/mutant` names a clause whose mutant the demo wants to see caught. Web and worker of a shop in test mode watch that
file; the worker then checks the clause at once.
"""

from __future__ import annotations

import logging
import threading
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError

from troth.pledge import clock
from troth.pledge.due import loop as due
from troth.pledge.due.models import Due
from troth.pledge.policy.probe import Probe
from troth.pledge.policy.running import check as judge
from troth.pledge.policy.site import Served
from troth.shop.clauses import BY_ID, CLAUSES, marker, mending, versions

log = logging.getLogger("troth.clauses")
EVERY = 600  # seconds between rounds of a clause
WHOLE = " whole"  # ends the subject of a round in which every check runs
GLANCE = 0.3  # seconds between looks at run/mutant


def ensure() -> None:
    """Each clause has its row, with today's cadence. Safe to call by any number of workers."""
    versions.look()
    for clause in CLAUSES:
        due.add("check", clause.id, every=EVERY)
    Due.objects.filter(kind="check", every__gt=0).exclude(every=EVERY).update(every=EVERY)


def at_once(clause_id: str) -> None:
    """Have every check of a clause run now."""
    due.hasten("check", f"{clause_id}{WHOLE}")


def check(subject: str, claim: due.Claim) -> None:
    """The errand: one round of a clause against the running shop. due.Again while that cannot be told."""
    whole = subject.endswith(WHOLE)
    clause = BY_ID.get(subject.removesuffix(WHOLE))
    if clause is None:
        return
    site = Served(settings.TROTH)
    try:
        verdict = judge(clause, Probe(settings.TROTH, clock.now(), site, marker.play), whole=whole)
    finally:
        site.close()
    if verdict.state == "broken":
        log.error("a promise is broken")
    if verdict.state == "unknown" and not whole:
        raise due.Again("unknown")  # what could not be looked at now, perhaps soon


def flag() -> Path:
    return Path(settings.TROTH.home / "run" / "mutant")


def watch(role: str) -> None:
    """Plant and mend mutants as the file says, in a thread of this process. Does nothing in a live shop."""
    if settings.TROTH.live:
        return
    threading.Thread(target=_watch, args=(role,), name="mutants", daemon=True).start()


def _watch(role: str) -> None:
    planted, stack, pause = "", ExitStack(), threading.Event()
    while True:
        wanted = _wanted()
        if wanted != planted:
            stack.close()
            stack = ExitStack()
            for mutant in BY_ID[wanted].mutants[:1] if wanted in BY_ID else ():
                context: AbstractContextManager[None] = mutant.planted()
                stack.enter_context(context)
            if role == "worker":
                _look_at_once(wanted or planted, planted)
            planted = wanted
        pause.wait(GLANCE)


def _wanted() -> str:
    try:
        return flag().read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _look_at_once(clause_id: str, mended: str) -> None:
    # The web process glances at the file as often as we do: let it be first.
    threading.Event().wait(GLANCE * 1.5)
    try:
        mending.after(mended)
        at_once(clause_id)
    except DatabaseError:
        log.error("database away")
