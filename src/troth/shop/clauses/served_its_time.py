"""Whether what has served its time ends, table by table, as the declarations and `[policy]` say (holdings.py)."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

import msgspec
from django.conf import settings
from django.db import transaction
from django.db.models import Model, QuerySet

from troth.pledge.policy.clause import Finding, broken, holds
from troth.pledge.policy.probe import Probe
from troth.pledge.rights.holding import Cut, Ends, Holding
from troth.shop.clauses import mutations
from troth.shop.holdings import HOLDINGS
from troth.shop.journeys import retain
from troth.shop.orders.models import Basket

LATE = timedelta(days=2)  # the errand comes round each day


def ends_on_its_date(probe: Probe) -> Iterator[Finding]:
    """Looks for rows that should be gone. In test mode it also makes one of each kind as old as its time, has the
    errand's own step end it, and takes all of that back."""
    tried = 0
    for holding in HOLDINGS:
        if holding.ends is None:
            continue
        days = _days(holding.ends)
        if late := _still_there(holding, holding.ends, probe.now - timedelta(days=days) - LATE).count():
            yield broken(f"{holding.table}: {late} rows are kept longer than {days} days")
        if not probe.config.live and (ended := _tried(holding, holding.ends, days, probe.now)) is not None:
            tried += 1
            if not ended:
                yield broken(f"{holding.table}: a row whose {days} days are over is not ended")
    yield holds(f"nothing is kept beyond its date; {tried} kinds of rows were made old and ended")


def _days(ends: Ends) -> int:
    return ends.days if isinstance(ends.days, int) else int(getattr(settings.TROTH.policy, ends.days))


def _still_there(holding: Holding, ends: Ends, before: datetime) -> QuerySet[Model]:
    rows = holding.model._default_manager.filter(**{f"{ends.since}__lt": before}, **ends.where)
    for name in ends.does.fields if isinstance(ends.does, Cut) else ():
        rows = rows.exclude(**{f"{name}__isnull": True}).exclude(
            **{name: ""} if _is_text(holding, name) else {"pk": None}
        )
    return rows


def _is_text(holding: Holding, name: str) -> bool:
    return holding.model._meta.get_field(name).get_internal_type() in ("CharField", "TextField")


def _tried(holding: Holding, ends: Ends, days: int, now: datetime) -> bool | None:
    """Whether one row was ended; None where there is none to try it on."""
    if "__" in ends.since:
        return None
    with transaction.atomic():
        row = _still_there(holding, ends, now + timedelta(days=9999)).order_by("-pk").first()
        if row is None and holding.model is Basket:  # so that in an empty shop one kind is tried at least
            row = Basket.objects.create(key_hash=secrets.token_hex(32), touched_at=now)
        if row is None:
            transaction.set_rollback(True)
            return None
        one = holding.model._default_manager.filter(pk=row.pk)
        one.update(**{ends.since: now - timedelta(days=days, hours=1)})
        retain.end_rows(holding, ends)
        left = _still_there(holding, ends, now).filter(pk=row.pk).exists()
        transaction.set_rollback(True)
    return not left


def kept_a_little_longer() -> AbstractContextManager[None]:
    """Mutant: customers often come back a little late."""
    before = retain.end_rows

    def later(holding: Holding, ends: Ends) -> bool:
        return before(holding, msgspec.structs.replace(ends, days=_days(ends) + 30))

    return mutations.replaced(retain, "end_rows", later)
