"""Running the checks, keeping what they found, and saying what is known now. A verdict that is too old is unknown.

A verdict that differs from the one before it, and the first of each day, goes into the ledger as an everyday event:
what was known of a promise, and when, cannot be told otherwise afterwards. One that turns red makes a letter to the
owner due in the same transaction, and shuts the door that its check names.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec
from django.db import transaction

from troth.pledge.due import loop as due
from troth.pledge.policy import models, shutting
from troth.pledge.policy.clause import GREATEST_AGE, Clause, Finding, State, Verdict, judge
from troth.pledge.policy.probe import Probe
from troth.pledge.vault import outbox

KEPT = 30  # verdicts of a clause that are kept, and shown
BREACH = "breach"  # the errand that writes to the owner
NOTED = "verdict"  # how the ids of these events begin


def check(clause: Clause, probe: Probe, *, whole: bool = True) -> Verdict:
    """Judge one clause and keep the verdict. `whole`: run every check, whether or not its turn has come."""
    before = models.Verdict.objects.filter(clause=clause.id).order_by("-checked_at", "-pk").first()
    known = [] if whole or before is None else msgspec.convert(before.findings, list[Finding])
    began = time.monotonic()
    verdict = judge(clause, probe, known)
    oldest = min((finding.at for finding in verdict.findings if finding.at), default=probe.now)
    with transaction.atomic():
        row = models.Verdict.objects.create(
            clause=clause.id,
            state=verdict.state,
            findings=[msgspec.to_builtins(finding) for finding in verdict.findings],
            checked_at=probe.now,
            expires_at=oldest + GREATEST_AGE,
            took_ms=int((time.monotonic() - began) * 1000),
        )
        _tell(row, before)
        old = (
            models.Verdict.objects.filter(clause=clause.id).order_by("-checked_at", "-pk").values_list("pk", flat=True)
        )
        models.Verdict.objects.filter(pk__in=list(old[KEPT : KEPT + 100])).delete()
    _shut(clause, verdict)
    return verdict


def _tell(row: models.Verdict, before: models.Verdict | None) -> None:
    """Into the ledger what is news, and to the owner what has just broken."""
    if before is None or before.state != row.state or before.checked_at.date() != row.checked_at.date():
        event: dict[str, str | int] = {
            "type": "verdict",
            "clause": row.clause,
            "state": str(row.state),
            "checked": row.checked_at.isoformat(timespec="seconds"),
        }
        outbox.note(f"{NOTED}-{row.clause}-{row.pk}", event)
    if row.state == State.BROKEN and (before is None or before.state != State.BROKEN):
        due.add(BREACH, row.clause)


def _shut(clause: Clause, verdict: Verdict) -> None:
    for one in clause.checks:
        if one.shuts:
            found = [finding for finding in verdict.findings if finding.check == one.name]
            shutting.put(one.shuts, shut=any(finding.state == State.BROKEN for finding in found))


class Standing(msgspec.Struct, frozen=True):
    """What is known of a clause now."""

    state: State
    findings: list[Finding]
    checked_at: datetime | None


def standing(clauses: Iterable[Clause], now: datetime) -> dict[str, Standing]:
    """The latest verdicts that are not too old; unknown for every clause without one."""
    known = {clause.id: Standing(State.UNKNOWN, [], None) for clause in clauses}
    newest = {clause: seen[-1][0] for clause, seen in _rounds(known).items()}
    for row in models.Verdict.objects.filter(pk__in=newest.values()):
        findings = msgspec.convert(row.findings, list[Finding])
        state = State(row.state)
        if row.expires_at <= now or row.checked_at > now + timedelta(minutes=5):
            state, findings = State.UNKNOWN, [Finding(State.UNKNOWN, "the last check is too old to be believed")]
        known[row.clause] = Standing(state, findings, row.checked_at)
    return known


def history(clauses: Iterable[Clause]) -> dict[str, list[tuple[State, datetime]]]:
    """The last results of each clause that has some, the oldest first."""
    rounds = _rounds([clause.id for clause in clauses])
    return {clause: [(State(state), when) for _, state, when in seen] for clause, seen in rounds.items()}


def _rounds(clauses: Iterable[str]) -> dict[str, list[tuple[int, str, datetime]]]:
    rows = models.Verdict.objects.filter(clause__in=list(clauses)).order_by("checked_at", "pk")
    found: dict[str, list[tuple[int, str, datetime]]] = {}
    for clause, pk, state, when in rows.values_list("clause", "pk", "state", "checked_at"):
        found.setdefault(clause, []).append((pk, state, when))
    return found


def in_ledger() -> dict[str, int]:
    """Clause -> the number of the entry with its newest verdict that the ledger has."""
    return {str(event["clause"]): seq for seq, event in outbox.carried(NOTED)}
