"""How a table is declared: what it holds about a person, why, how long, and what erasing that person does to it.

The declarations themselves are the shop's (troth.shop.holdings). Erasure, retention and the pages read them, and
nothing starts while a field stands undeclared: what is held is what was said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from django.apps import apps
from django.db.models import Field, Model, QuerySet

from troth.pledge.vault.fields import SealedField


class Delete(msgspec.Struct, frozen=True):
    """The rows go."""


class Cut(msgspec.Struct, frozen=True):
    """The rows stay, and these fields in them are emptied. `spared`: paths; tax law keeps the row where one is set."""

    fields: tuple[str, ...]
    spared: tuple[str, ...] = ()


class Keep(msgspec.Struct, frozen=True):
    """The rows stay as they are. `reason` says why that is right when their person is forgotten."""

    reason: str


class Ends(msgspec.Struct, frozen=True):
    """Retention: what becomes of rows `days` (a number, or the name of one in [policy]) after the time in `since`."""

    since: str
    days: int | str
    does: Delete | Cut = Delete()
    where: Mapping[str, Any] = {}


class Holding(msgspec.Struct, frozen=True):
    """One table. Each of its fields stands in `about` (says something about a person), in `ours`, or is sealed."""

    table: str  # Django's label
    why: object  # for what it is held, in words for its person
    person: str = ""  # the path from a row to its person; "": rows are nobody's
    about: str = ""  # fields in clear that say something about the person
    ours: str = ""  # identifiers of ours, states, times, sums, goods
    erasing: Delete | Cut | Keep = Keep("nobody's")
    where: Mapping[str, Any] = {}  # erasing concerns these rows only
    ends: Ends | None = None

    @property
    def model(self) -> type[Model]:
        return apps.get_model(self.table)

    def rows(self, person_ref: str) -> QuerySet[Model]:
        """A person's rows."""
        return self.model._default_manager.filter(**{self.person: person_ref})

    def sealed(self) -> list[SealedField]:
        return [field for field in self.model._meta.local_fields if isinstance(field, SealedField)]


def empty(fields: Iterable[str], model: type[Model]) -> dict[str, Any]:
    """The values that cut these fields: nothing where nothing is allowed, else an empty text."""
    return {name: None if _field(model, name).null else "" for name in fields}


def undeclared(holdings: Iterable[Holding], models: Iterable[type[Model]]) -> Iterator[str]:
    """One sentence for each table or field that nobody declared, and for each declaration of what there is not."""
    known = {holding.table: holding for holding in holdings}
    for model in models:
        label = model._meta.label
        holding = known.pop(label, None)
        if holding is None:
            yield f"{label} is not declared: say in shop/holdings.py what it holds about a person."
        else:
            yield from _wrong_fields(holding, model)
    for label in known:
        yield f"{label} is declared in shop/holdings.py and does not exist: take it out there."


def _wrong_fields(holding: Holding, model: type[Model]) -> Iterator[str]:
    there = {field.name for field in model._meta.local_fields} | {
        field.name for field in model._meta.local_many_to_many
    }
    sealed = {field.name for field in holding.sealed()}
    said = [*holding.about.split(), *holding.ours.split(), *sealed]
    for name in sorted(there - set(said)):
        yield f"{holding.table}.{name} is not declared: say in shop/holdings.py whether it tells of a person."
    for name in sorted(name for name in set(said) if name not in there or said.count(name) > 1):
        yield f"{holding.table}.{name} is declared in shop/holdings.py, and is not there, or stands there twice."
    if (sealed or holding.about) and not holding.person and holding.ends is None:
        yield f"{holding.table} holds something about people: say in shop/holdings.py how its rows lead to them."
    if sealed and isinstance(holding.erasing, Keep):
        yield f"{holding.table} has sealed columns: say in shop/holdings.py what erasing does to them."


def _field(model: type[Model], name: str) -> Field[Any, Any]:
    field = model._meta.get_field(name)
    assert isinstance(field, Field)
    return field
