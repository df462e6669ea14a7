"""What is held of people, as far as it can be handed over: every sealed column of the shop, by class and date.

Of a file that came with a message the sealed row holds its name and a key: it is offered as one field, the file, and
the keeper puts its content into the bundle.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from django.apps import apps
from django.db import models

from troth.pledge.disclosure.messages import FILE, KEY
from troth.pledge.keeper.policy import OPENS
from troth.pledge.vault.fields import Sealed, SealedField

NEVER = {"salt"}  # ours, and says nothing of anybody
STANDING = {"contact", "locality"}  # what we know someone by: as it is held, from before the last day asked for
DATES = ("made_at", "seen_at", "came_at", "at")


def offered() -> dict[str, list[str]]:
    """Class -> the names of its fields, in the order of the classes."""
    found: dict[str, list[str]] = {}
    for _, field in columns():
        names = found.setdefault(field.personal.klass, [])
        new = [FILE] if _is_file(field) else field.personal.__struct_fields__
        names += [name for name in new if name not in (*names, *NEVER)]
    return found


def columns() -> Iterator[tuple[type[models.Model], SealedField]]:
    for model in apps.get_models():
        for field in model._meta.local_fields:
            if isinstance(field, SealedField) and _can_be_told(model, field):
                yield model, field


def held(refs: Sequence[str], fields: Mapping[str, Sequence[str]], since: datetime, until: datetime) -> list[Sealed]:
    """The sealed values of these persons and dates which have some of these fields (class -> names)."""
    found: list[Sealed] = []
    for model, field in columns():
        wanted = set(fields.get(field.personal.klass, ()))
        if FILE in wanted if _is_file(field) else wanted - {FILE}:
            rows = model._default_manager.filter(person__in=refs, **{f"{field.name}__isnull": False}).order_by("pk")
            found += [getattr(row, field.name) for row in _dated(rows, field.personal.klass, since, until)]
    return found


def _dated(rows: models.QuerySet[models.Model], klass: str, since: datetime, until: datetime) -> Iterator[models.Model]:
    names = {field.name for field in rows.model._meta.local_fields}
    date = next((name for name in DATES if name in names), "")
    if date:
        rows = rows.filter(**{f"{date}__lt": until})
    if klass not in STANDING:
        rows = rows.filter(**{f"{date}__gte": since}) if date else rows.none()
    return rows.iterator()


def _can_be_told(model: type[models.Model], field: SealedField) -> bool:
    ours = model._meta.app_label == "disclosure"
    return not ours and (field.personal.klass, "legal") in OPENS


def _is_file(field: SealedField) -> bool:
    return KEY in field.personal.__struct_fields__
