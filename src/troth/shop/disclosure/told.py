"""What the ledger is told of a case: commitments. Each opens by the case's salt, which whoever may know it is given.

The counts of /transparency are made from cases, and every case from these entries: `openings` says which entry opens
to what, so that whoever gets it counts again by themselves.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec

from troth.pledge.ledger.events import canonical
from troth.pledge.vault import outbox
from troth.pledge.vault.models import LedgerEvent
from troth.shop.disclosure.models import Bar, Case

KIND = "disclosure"


class Opening(msgspec.Struct, frozen=True):
    """`seq`: the entry's number; `event`: what it is to hold; `says`: what it commits to, before `salt` and hashing."""

    seq: int | None
    event: dict[str, str | int]
    says: dict[str, Any]
    salt: str


def period(at: datetime) -> str:
    """The half-year, such as 2026-H2."""
    return f"{at.year}-H{1 if at.month < 7 else 2}"


def received(case: Case) -> dict[str, Any]:
    return {
        "did": "received", "period": period(case.came_at), "basis": case.basis, "country": case.country,
        "document": case.document,
    }  # fmt: skip


def ended(case: Case) -> dict[str, Any]:
    return {
        "did": "ended", "period": period(case.came_at), "basis": case.basis, "country": case.country,
        "outcome": case.outcome, "accounts": case.accounts, "fields": case.fields, "approvals": case.approvals,
    }  # fmt: skip


def barred(case: Case, bar: Bar) -> dict[str, Any]:
    return {"did": "barred", "until": bar.until.isoformat(), "document": bar.document}


def event(case: Case, says: dict[str, Any]) -> dict[str, str | int]:
    commitment = hashlib.sha256(bytes(case.salt) + canonical(says)).hexdigest()
    return {"type": KIND, "did": str(says["did"]), "c": commitment}


def note(case: Case, says: dict[str, Any], name: str = "") -> None:
    """Bring it into the ledger, in the caller's transaction."""
    outbox.note(event_id(case, says, name), event(case, says))


def event_id(case: Case, says: dict[str, Any], name: str = "") -> str:
    return f"{KIND}-{case.ref}-{name or says['did']}"


def openings(cases: list[Case]) -> Iterator[Opening]:
    """For each case what the ledger is to have of it."""
    for case in cases:
        said = [(received(case), "")]
        said += [(ended(case), "")] if case.outcome else []
        said += [(barred(case, bar), f"bar-{bar.pk}") for bar in case.bars.order_by("pk")]
        for says, name in said:
            row = LedgerEvent.objects.filter(pk=event_id(case, says, name)).first()
            yield Opening(row.seq if row else None, event(case, says), says, bytes(case.salt).hex())
