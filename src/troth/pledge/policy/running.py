"""Running the checks, keeping what they found, and saying what is known now. A verdict that is too old is unknown."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from troth.pledge.policy import models
from troth.pledge.policy.clause import Clause, Finding, State, Verdict, judge
from troth.pledge.policy.probe import Probe

GREATEST_AGE = timedelta(hours=26)
KEPT = 30  # verdicts of a clause that are kept


def check(clause: Clause, probe: Probe) -> Verdict:
    """Judge one clause and keep the verdict."""
    began = time.monotonic()
    verdict = judge(clause, probe)
    models.Verdict.objects.create(
        clause=clause.id,
        state=verdict.state,
        findings=[msgspec.to_builtins(finding) for finding in verdict.findings],
        checked_at=probe.now,
        expires_at=probe.now + GREATEST_AGE,
        took_ms=int((time.monotonic() - began) * 1000),
    )
    old = models.Verdict.objects.filter(clause=clause.id).order_by("-checked_at", "-pk").values_list("pk", flat=True)
    models.Verdict.objects.filter(pk__in=list(old[KEPT : KEPT + 100])).delete()
    return verdict


class Standing(msgspec.Struct, frozen=True):
    """What is known of a clause now."""

    state: State
    findings: list[Finding]
    checked_at: datetime | None


def standing(clauses: Iterable[Clause], now: datetime) -> dict[str, Standing]:
    """The latest verdicts that are not too old; unknown for every clause without one."""
    known = {clause.id: Standing(State.UNKNOWN, [], None) for clause in clauses}
    latest: dict[str, models.Verdict] = {}
    for row in models.Verdict.objects.filter(clause__in=list(known)).order_by("checked_at", "pk"):
        latest[row.clause] = row
    for clause, row in latest.items():
        findings = msgspec.convert(row.findings, list[Finding])
        state = State(row.state)
        if row.expires_at <= now or row.checked_at > now + timedelta(minutes=5):
            state, findings = State.UNKNOWN, [Finding(State.UNKNOWN, "the last check is too old to be believed")]
        known[clause] = Standing(state, findings, row.checked_at)
    return known
