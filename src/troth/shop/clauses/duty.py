"""Checking while the shop runs: a due row for a round of all clauses, worked off by the worker as all else that is due.

Each round runs the checks whose turn it is (policy/clause.py has the cadence). What several clauses need (the marker
customer, every column, the pages) is played and read once for all of them. `all_at_once` makes a round due in which
every check runs, for `troth check`; `at_once` has one clause look by itself, with nothing that was seen before.

`run/mutant` names a clause whose mutant the demo wants to see caught. Web and worker of a shop in test mode watch that
file; the worker then checks the clause at once.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection

from troth.pledge import clock
from troth.pledge.due import loop as due
from troth.pledge.due.models import Due
from troth.pledge.policy import models
from troth.pledge.policy.probe import Probe
from troth.pledge.policy.running import check as judge
from troth.pledge.policy.site import Served
from troth.shop.clauses import BY_ID, CLAUSES, marker, mending, versions

log = logging.getLogger("troth.clauses")
ALL = "all"  # the subject of a round of all clauses; else it is one clause's id
EVERY = 600  # seconds between rounds
WHOLE = " whole"  # ends the subject of a round in which every check runs
RENEW, RENEWALS = 30, 60  # seconds between renewals of a round's lease, and how often: half an hour in all
SOON_TRIES = 12  # looks, some seconds apart, at what could not be told
GLANCE = 0.3  # seconds between looks at run/mutant
LOOKS, SOME = 20, 10  # how often the worker looks for what a mutant did, and after how many glances again


def ensure() -> None:
    """The round has its row, with today's cadence. Safe to call by any number of workers."""
    versions.look()
    due.add("check", ALL, every=EVERY)
    rows = Due.objects.filter(kind="check", every__gt=0)
    rows.exclude(subject=ALL).delete()  # earlier releases had a row for each clause
    rows.exclude(every=EVERY).update(every=EVERY)


def at_once(clause_id: str) -> None:
    """Have every check of a clause run now."""
    due.hasten("check", f"{clause_id}{WHOLE}")


def all_at_once() -> None:
    """Have every check of every clause run now."""
    at_once(ALL)


def check(subject: str, claim: due.Claim) -> None:
    """The errand: one round against the running shop. due.Again while it cannot be told.

    Clauses of a round of all that are unknown are looked at again by themselves, soon.
    """
    whole, name = subject.endswith(WHOLE), subject.removesuffix(WHOLE)
    clauses = CLAUSES if name == ALL else tuple(filter(None, [BY_ID.get(name)]))
    site, unknown = Served(settings.TROTH), list[str]()
    probe = Probe(settings.TROTH, clock.now(), site, marker.play)
    try:
        with _held(claim):
            for clause in clauses:
                probe.now = clock.now()
                state = judge(clause, probe, whole=whole).state
                if state == "broken":
                    log.error("a promise is broken; `troth check` says which")
                if state == "unknown":
                    unknown.append(clause.id)
    finally:
        site.close()
    if unknown and not whole and name != ALL:
        # What could not be looked at now, perhaps soon; after some minutes the rounds of all clauses are often enough.
        soon = claim.attempts * due.FIRST_PAUSE if claim.attempts <= SOON_TRIES else None
        raise due.Again("unknown", soon, waits=True)
    if not whole:
        for one in unknown:
            due.add("check", one, after=due.FIRST_PAUSE)


@contextmanager
def _held(claim: due.Claim) -> Iterator[None]:
    """Renew the lease while a round runs, in a thread: in a large shop, on a busy machine, it may take longer."""
    over = threading.Event()

    def renew() -> None:
        try:
            for _ in range(RENEWALS):
                if over.wait(RENEW) or not claim.still_mine():
                    break
        except DatabaseError:
            log.error("database away")
        finally:
            connection.close()

    threading.Thread(target=renew, name="lease", daemon=True).start()
    try:
        yield
    finally:
        over.set()


def flag() -> Path:
    return Path(settings.TROTH.home / "run" / "mutant")


def watch(role: str) -> None:
    """Plant and mend mutants as the file says, in a thread of this process. Does nothing in a live shop."""
    if settings.TROTH.live:
        return
    threading.Thread(target=_watch, args=(role,), name="mutants", daemon=True).start()


def _watch(role: str) -> None:
    planted, about, stack, pause, glances = "", "", ExitStack(), threading.Event(), 0
    while True:
        wanted = _wanted()
        glances += 1
        if role == "worker" and about and glances % SOME == 0:
            about = _look_again(about, broken=bool(wanted)) if glances < LOOKS * SOME else ""
        if wanted != planted:
            stack.close()
            stack = ExitStack()
            for mutant in BY_ID[wanted].mutants[:1] if wanted in BY_ID else ():
                context: AbstractContextManager[None] = mutant.planted()
                stack.enter_context(context)
            if role == "worker":
                _look_at_once(wanted or planted, planted)
            planted, about, glances = wanted, wanted or planted, 0
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


def _look_again(clause_id: str, *, broken: bool) -> str:
    """Look once more where the last look told something else: the web process was not there yet, or a check could not
    tell. The clause, "" once it is told."""
    try:
        told = models.Verdict.objects.filter(clause=clause_id).order_by("-checked_at", "-pk").first()
        if told is not None and (told.state == "broken") == broken and told.state != "unknown":
            return ""
        if not broken:
            mending.after(clause_id)  # the web process may have been the last to hear of it, and have written till then
        at_once(clause_id)
    except DatabaseError:
        log.error("database away")
    return clause_id
