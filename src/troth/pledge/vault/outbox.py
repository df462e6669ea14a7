"""Everyday events on their way into the ledger: written with their cause, carried to the keeper once each.

Nothing in them is about a person: they stand in clear in a public log. `note` in the transaction of what happened;
the worker's errand `carry` brings the event to the keeper, which knows each event id once however often it comes.
"""

from __future__ import annotations

from troth.pledge.due import loop as due
from troth.pledge.vault.door import KeeperAway, door
from troth.pledge.vault.models import LedgerEvent

ERRAND = "note"


def note(event_id: str, event: dict[str, str | int]) -> None:
    """Bring this event into the ledger soon, in the caller's transaction. The same id again changes nothing.

    ValueError for an event without a type of its own.
    """
    if event.get("type", "person") == "person":
        raise ValueError("an everyday event has a type, and not that of events about people")
    LedgerEvent.objects.bulk_create([LedgerEvent(event_id=event_id, event=event)], ignore_conflicts=True)
    due.add(ERRAND, event_id)


def carry(event_id: str, claim: due.Claim) -> None:
    """The errand: the keeper's number of the entry is remembered beside the event."""
    row = LedgerEvent.objects.get(pk=event_id)
    try:
        seq = door().note(row.event_id, row.event)
    except KeeperAway:
        seq = None
    if seq is None:
        raise due.Again("keeper-away", 5, waits=True)
    LedgerEvent.objects.filter(pk=event_id).update(seq=seq)


def carried(kind: str, most: int = 400) -> list[tuple[int, dict[str, str | int]]]:
    """The newest events whose ids begin with `kind` and that the ledger has, as (number, event), the oldest first."""
    rows = LedgerEvent.objects.filter(event_id__startswith=f"{kind}-", seq__isnull=False).order_by("-seq")
    return [(seq, event) for seq, event in rows.values_list("seq", "event")[:most] if seq is not None][::-1]
