"""What no program can see and people keep: when the owner last confirmed it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Max

from troth.pledge import clock
from troth.pledge.policy.models import Confirmation


def confirmed(clause: str) -> dict[str, datetime]:
    """Item -> when it was last confirmed."""
    rows = Confirmation.objects.filter(clause=clause).values_list("item").annotate(Max("confirmed_at"))
    return dict(rows)


def confirm(clause: str, items: Iterable[str]) -> None:
    now = clock.now()
    Confirmation.objects.bulk_create(Confirmation(clause=clause, item=item, confirmed_at=now) for item in items)
