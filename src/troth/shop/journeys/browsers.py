"""Where somebody is signed in: their sessions, each to be ended by itself or all but one.

Of a browser nothing is kept that would tell it from others but when it signed in (P11).
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from troth.pledge import clock
from troth.shop.accounts.models import Session


class Browser(msgspec.Struct, frozen=True):
    id: str
    since: datetime
    until: datetime
    here: bool  # the browser that asks


def of(person_ref: str, current: str) -> list[Browser]:
    """The newest first. `current`: the id of the session that asks."""
    rows = Session.objects.filter(account=person_ref, expire_date__gt=clock.now()).order_by("-made_at", "pk")
    return [Browser(row.session_key, row.made_at, row.expire_date, row.session_key == current) for row in rows]


def end(person_ref: str, which: str) -> bool:
    """End one. False if it is none of theirs, or was ended before."""
    return Session.objects.filter(account=person_ref, pk=which).delete()[0] > 0


def end_others(person_ref: str, current: str) -> int:
    """End all but the one that asks; how many those were."""
    return Session.objects.filter(account=person_ref).exclude(pk=current).delete()[0]
