"""A database column that holds a sealed value, and can hold nothing else.

`seal(row, "contact", Contact(...))` is the only way to fill one. It needs the row's primary key and person, because
both are bound into the seal. Whatever else is written to the column, by save(), update(), bulk_update() or an
expression, is refused with TypeError: Django's field methods that would let plaintext pass are closed here.
"""

from __future__ import annotations

from typing import Any, NoReturn

import msgspec
from django.core import checks
from django.db import models

from troth.pledge.keeper.messages import Place, Record
from troth.pledge.policy import cards
from troth.pledge.vault.classes import Personal
from troth.pledge.vault.keysets import keys_of
from troth.pledge.vault.sealing import seal as seal_bytes


class Sealed:
    """A value that this process cannot read. Shows as <sealed contact>; refuses str, format, JSON and pickle.

    `==` is identity: two sealed values cannot be compared, and a form's or Django's own checks must not fail on them.
    """

    __slots__ = ("ciphertext", "personal", "place")

    def __init__(self, ciphertext: bytes, place: Place, personal: type[Personal]) -> None:
        self.ciphertext, self.place, self.personal = ciphertext, place, personal

    @property
    def record(self) -> Record:
        return Record(self.place, self.ciphertext)

    def __repr__(self) -> str:
        return f"<sealed {self.place.klass}>"

    def __str__(self) -> NoReturn:
        raise TypeError("a sealed value has no text; open it for a purpose")

    def __format__(self, spec: str) -> NoReturn:
        raise TypeError("a sealed value has no text; open it for a purpose")

    def __reduce__(self) -> NoReturn:
        raise TypeError("a sealed value does not leave its row")


class Ciphertext(bytes):
    """Bytes as they came from the column, so that saving an untouched row is not taken for plaintext.

    They stay with their row: no pickle carries a copy to a cache, where forgetting the person would not find it.
    """

    def __repr__(self) -> str:
        return "<sealed>"

    __str__ = __repr__

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a sealed value does not leave its row")


class SealedAttribute:
    """Gives Sealed where the column has ciphertext: only the row knows the place that is bound into it."""

    def __init__(self, field: SealedField) -> None:
        self.field = field

    def __get__(self, row: models.Model | None, owner: type[models.Model]) -> Any:
        if row is None:
            return self
        try:
            value = row.__dict__[self.field.attname]
        except KeyError:  # deferred
            row.refresh_from_db(fields=[self.field.attname])
            value = row.__dict__[self.field.attname]
        if isinstance(value, Ciphertext):
            return Sealed(bytes(value), self.field.place(row), self.field.personal)
        return value

    def __set__(self, row: models.Model, value: Any) -> None:
        if value is not None and not isinstance(value, Sealed | Ciphertext):
            raise TypeError(f"{self.field.name} takes a sealed value only: use seal()")
        row.__dict__[self.field.attname] = value


class SealedField(models.Field):  # type: ignore[type-arg]
    """One column for one class of personal data. The model has a `person` and a primary key known before saving."""

    descriptor_class = SealedAttribute
    empty_strings_allowed = False

    def __init__(self, *args: Any, personal: type[Personal] | None = None, **kwargs: Any) -> None:
        self.personal = personal or Personal
        kwargs["editable"] = False
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("editable", None)
        return name, path, args, kwargs  # the class of data is no part of the column

    def check(self, **kwargs: Any) -> list[checks.CheckMessage]:
        wrong = super().check(**kwargs)
        if not any(field.name == "person" for field in self.model._meta.get_fields()):
            wrong.append(checks.Error("a model with a sealed column needs a person", obj=self, id="troth.E001"))
        return wrong

    def get_internal_type(self) -> str:
        return "BinaryField"

    def place(self, row: models.Model) -> Place:
        table = self.model._meta.db_table
        person = row.person_id  # type: ignore[attr-defined]
        return Place(
            table, self.column or self.name, str(row.pk), str(person), self.personal.klass, self.personal.schema
        )

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Ciphertext | None:
        return None if value is None else Ciphertext(value)

    def pre_save(self, row: models.Model, add: bool) -> Any:
        value = self._only_sealed(getattr(row, self.attname))
        if value is None and add:
            raise TypeError(f"{self.name} is unset: use seal()")  # a nullable one is cut later, never born empty
        if isinstance(value, Sealed) and value.place != self.place(row):
            raise TypeError("sealed for another row: sealed values are replaced, never moved")
        return value

    def get_prep_value(self, value: Any) -> Any:
        return self._only_sealed(value)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        value = self._only_sealed(value)
        return None if value is None else connection.Database.Binary(_bytes_of(value))

    def get_placeholder(self, value: Any, compiler: Any, connection: Any) -> str:
        """Django asks for it whenever it writes the column, for expressions too, which no prep method ever sees."""
        if hasattr(value, "resolve_expression"):
            raise TypeError(f"{self.name} takes a sealed value only, never an expression: use seal()")
        return "%s"

    def get_lookup(self, name: str) -> Any:
        return super().get_lookup(name) if name == "isnull" else None  # ciphertext is not searched

    def to_python(self, value: Any) -> Any:
        return self._only_sealed(value)

    def value_to_string(self, obj: Any) -> NoReturn:
        raise TypeError("sealed values are not serialised; use `troth backup`")

    def formfield(self, *args: Any, **kwargs: Any) -> None:
        return None

    def _only_sealed(self, value: Any) -> Any:
        if value is None:
            if not self.null:
                raise TypeError(f"{self.name} is unset: use seal()")
            return None
        if isinstance(value, Sealed | Ciphertext):
            return value
        raise TypeError(f"{self.name} takes a sealed value only: use seal()")


def _bytes_of(value: Sealed | Ciphertext) -> bytes:
    return value.ciphertext if isinstance(value, Sealed) else bytes(value)


def seal(row: Any, column: str, value: Personal) -> None:
    """Put `value` into the sealed column of `row`, readable by the keeper alone.

    `row` has its primary key and its person. BadSeal if the person's key set is not one the keeper signed; TypeError
    for a value of another class; CardNumber for a text in it that holds one, as nobody could see it there afterwards.
    """
    field = row._meta.get_field(column)
    if not isinstance(field, SealedField) or type(value) is not field.personal:
        raise TypeError(f"{column} does not take this class of data")
    for name in value.__struct_fields__:
        cards.refuse(getattr(value, name))
    place = field.place(row)
    ciphertext = seal_bytes(keys_of(row.person), place, msgspec.msgpack.encode(value))
    setattr(row, column, Sealed(ciphertext, place, field.personal))
