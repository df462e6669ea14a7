"""After a restore: what was erased since the copy was made goes through the rest of being erased once more.

The keyring has no keys of theirs any more (pledge/keeper/endings.py); what is left are rows of the main database, which
the worker deletes and cuts as ever.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction

from troth.pledge import clock
from troth.pledge.due import loop as due
from troth.pledge.rights.models import Erasure
from troth.pledge.vault.models import Person
from troth.shop.journeys import erase, forget


def erase_again(kept: Mapping[str, bool]) -> int:
    """`kept`: reference -> whether tax law kept something of theirs. How many this database did not know as erased."""
    again = 0
    for ref in Person.objects.filter(ref__in=list(kept)).values_list("ref", flat=True):
        with transaction.atomic():
            erasure = erase.opened(ref)
            unknown = Erasure.objects.filter(pk=erasure.pk).exclude(state__in=Erasure.ERASED)
            again += unknown.update(
                state=Erasure.GOING,
                due_at=clock.now(),
                lettered_at=clock.now(),  # they had their letter then
                kept_until=forget.tax_day(ref) if kept[ref] else None,
                backups_end=forget.backups_end(clock.now()),
            )
            due.hasten("erase", erasure.pk)
    return again
