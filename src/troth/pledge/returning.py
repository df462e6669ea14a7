"""Statements that write and tell what stands there now, so that nobody has to ask a second time.

Both databases have RETURNING (SQLite since 3.35); Django uses it for new keys alone. What comes back was written by
this very statement: between writing and reading nobody else can come.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from django.db import connection, transaction
from django.db.models import AutoField, Field, Model, QuerySet
from django.db.models.constants import OnConflict
from django.db.models.sql import UpdateQuery

Row = TypeVar("Row", bound=Model)


def update(rows: QuerySet[Row], **values: object) -> list[Row]:
    """As `rows.update(**values)`, with the rows as they are now instead of their number. No joins, no limits."""
    query: Any = rows.query.chain(UpdateQuery)
    query.clear_ordering(force=True)
    query.add_update_values(values)
    compiler = query.get_compiler(connection=connection)
    sql, params = compiler.as_sql()
    fields = _fields(rows.model)
    wanted = ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
    with connection.cursor() as cursor:
        cursor.execute(f"{sql} RETURNING {wanted}", params)
        fetched = cursor.fetchall()
    converters = compiler.get_converters([field.get_col(rows.model._meta.db_table) for field in fields])
    return _models(rows.model, compiler.apply_converters(fetched, converters) if converters else fetched)


def insert(model: type[Row], rows: Sequence[Row]) -> set[Any]:
    """Insert rows but for those that are there, by any unique constraint. Returns the keys of those that were not."""
    fields = _fields(model)
    written = [field for field in fields if not isinstance(field, AutoField)]  # those are the database's to give
    manager: Any = model._base_manager.all()
    size = max(1, connection.ops.bulk_batch_size(written, list(rows)))
    found: set[Any] = set()
    with transaction.atomic(savepoint=False):
        for start in range(0, len(rows), size):
            told = manager._insert(
                rows[start : start + size],
                fields=written,
                returning_fields=[model._meta.pk],
                on_conflict=OnConflict.IGNORE,
            )
            found |= {row[0] for row in told if row}
    return found


def _fields(model: type[Model]) -> list[Field[Any, Any]]:
    return list(model._meta.concrete_fields)


def _models(model: type[Row], fetched: Iterable[Sequence[Any]]) -> list[Row]:
    names = [field.attname for field in _fields(model)]
    return [model.from_db(connection.alias, names, row) for row in fetched]
