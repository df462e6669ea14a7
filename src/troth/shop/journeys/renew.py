"""Renew persons' own keys: whatever is sealed to them is sealed anew by the keeper, then the former keys are destroyed.

Two rounds. In the first each person gets a new key set, and the keeper seals every value of theirs to it; both key
sets open meanwhile. In the second, some minutes later, so that nobody who read the former key set is still about to
write, what came meanwhile is sealed anew as well and the former private keys are destroyed. Every step may be done
again. What the ledger holds about a person is sealed under another key of theirs, which stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.apps import apps
from django.db import models, transaction

from troth.pledge import clock
from troth.pledge.due import loop as due
from troth.pledge.vault.door import KeeperRefused, door
from troth.pledge.vault.fields import Sealed, SealedField
from troth.pledge.vault.keysets import keys_of
from troth.pledge.vault.models import Person, Rotation

EVERYBODY = "person"
GRACE = timedelta(minutes=10)  # more than any request or transaction takes
AT_ONCE = 100  # persons before other errands get their turn
VALUES = 50  # in one question to the keeper


def step(row: Rotation) -> None:
    """Some persons more of the round that is under way. Raises due.Again until all is done. KeeperAway."""
    if row.rests_until and row.rests_until > clock.now():
        raise due.Again("the former keys rest", int((row.rests_until - clock.now()).total_seconds()) + 1)
    ending = row.rests_until is not None
    refs = _next(row)
    for ref in refs:
        _renew(ref, ending=ending)
        row.cursor = ref
    row.done += len(refs)
    left = _all(row).filter(pk__gt=row.cursor).count()
    if not left and not ending:
        row.cursor, row.rests_until = "", clock.now() + GRACE
    row.left = left if ending else left + _all(row).count()
    row.save()
    if row.left:
        raise due.Again("under way", 0 if left or ending else int(GRACE.total_seconds()))


def _all(row: Rotation) -> models.QuerySet[Person]:
    """Who was there when it began: whoever came since has keys of today."""
    return Person.objects.filter(made_at__lt=row.begun_at, **({} if row.what == EVERYBODY else {"pk": row.what}))


def _next(row: Rotation) -> list[str]:
    return list(_all(row).filter(pk__gt=row.cursor).order_by("pk").values_list("pk", flat=True)[:AT_ONCE])


def _renew(ref: str, *, ending: bool) -> None:
    """One person. Nothing is left to do for one who was forgotten."""
    try:
        if not ending:
            Person.objects.filter(pk=ref).update(key_set=door().renew(ref).key_set)
        person = Person.objects.filter(pk=ref).first()
        for rows in _sealed(person) if person else ():
            _seal_anew(ref, rows)
        if ending:
            door().renew(ref, last=True)
    except KeeperRefused as refused:
        if refused.code != "gone":
            raise


def _sealed(person: Person) -> Iterator[list[tuple[models.Model, SealedField]]]:
    """What is sealed to an older key set than the one they have, some at a time."""
    version = keys_of(person).version
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if not isinstance(field, SealedField):
                continue
            held = model._default_manager.filter(person=person, **{f"{field.name}__isnull": False})
            older = [row for row in held.order_by("pk") if getattr(row, field.name).record.version < version]
            for at in range(0, len(older), VALUES):
                yield [(row, field) for row in older[at : at + VALUES]]


def _seal_anew(ref: str, rows: list[tuple[models.Model, SealedField]]) -> None:
    values: list[Sealed] = [getattr(row, field.name) for row, field in rows]
    try:
        again = door().renew(ref, values).sealed
    except KeeperRefused as refused:
        if refused.code != "seal":
            raise
        if len(rows) > 1:  # one of them was altered or moved: it is an incident, and opens as little as before
            for one in rows:
                _seal_anew(ref, [one])
        return
    for (row, field), value, sealed in zip(rows, values, again, strict=True):
        _replace(row, field, value.ciphertext, sealed)


def _replace(row: models.Model, field: SealedField, former: bytes, sealed: bytes) -> None:
    """Unless somebody wrote another value meanwhile: that one was sealed by them."""
    with transaction.atomic():
        now = type(row)._default_manager.select_for_update().filter(pk=row.pk).first()
        value: Sealed | None = getattr(now, field.name, None)
        if now is not None and value is not None and value.ciphertext == former:
            setattr(now, field.name, Sealed(sealed, value.place, field.personal))
            now.save(update_fields=[field.name])
