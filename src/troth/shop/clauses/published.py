"""What the page /privacy shows: the words, and what is known of each clause now."""

from __future__ import annotations

from datetime import datetime

import msgspec

from troth.pledge import clock
from troth.pledge.policy.clause import State
from troth.pledge.policy.running import history, in_ledger, standing
from troth.shop.clauses import CLAUSES


class Row(msgspec.Struct, frozen=True):
    id: str
    title: object
    words: object
    stricter: object
    enforced: list[object]
    checks: list[str]
    state: str
    findings: list[str]
    seen: list[tuple[str, str]]  # the findings again, each with its own state
    checked_at: datetime | None
    choices: list[tuple[object, str]]
    by_people: object
    past: list[tuple[str, datetime]]  # the last results, the oldest first
    entry: int | None  # the ledger's entry with its newest noted verdict


def page() -> list[Row]:
    """Every clause in published order. A clause that was not checked of late is unknown."""
    known, past, entries = standing(CLAUSES, clock.now()), history(CLAUSES), in_ledger()
    return [
        Row(
            clause.id,
            clause.title,
            clause.words,
            clause.stricter,
            list(clause.enforced),
            [f"{check.name} ({check.kind})" for check in clause.checks],
            str(known[clause.id].state),
            [finding.sentence for finding in known[clause.id].findings],
            [(str(finding.state), finding.sentence) for finding in known[clause.id].findings],
            known[clause.id].checked_at,
            list(clause.choices),
            clause.by_people,
            [(str(state), when) for state, when in past.get(clause.id, ())],
            entries.get(clause.id),
        )
        for clause in CLAUSES
    ]


def banner() -> list[tuple[str, object]]:
    """Id and title of every promise that is broken now: for whoever works here, on every page."""
    known = standing(CLAUSES, clock.now())
    return [(clause.id, clause.title) for clause in CLAUSES if known[clause.id].state == State.BROKEN]


def counts() -> dict[str, int]:
    """How many promises stand how: "holds", "gap", "unknown", "broken"."""
    known = standing(CLAUSES, clock.now())
    return {str(state): sum(one.state == state for one in known.values()) for state in State}
