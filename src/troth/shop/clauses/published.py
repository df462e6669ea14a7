"""What the page /privacy shows: the words, and what is known of each clause now."""

from __future__ import annotations

from datetime import datetime

import msgspec

from troth.pledge import clock
from troth.pledge.policy.running import standing
from troth.shop import policy_version
from troth.shop.clauses import CLAUSES

VERSION = policy_version.VERSION


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


def page() -> list[Row]:
    """Every clause in published order. A clause that was not checked of late is unknown."""
    known = standing(CLAUSES, clock.now())
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
        )
        for clause in CLAUSES
    ]
