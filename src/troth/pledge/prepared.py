"""Queries that many requests ask, with SQL that is made once a thread.

Django makes the SQL of each query anew, which costs several times what the database needs to answer a simple one
(`docs/numbers.md`). A prepared query is an ordinary one with gaps for strings in its conditions.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast

from django.db import connection
from django.db.models import Model, QuerySet
from django.db.models.query import ModelIterable

Row = TypeVar("Row")


class Gap(str):
    """Stands in a condition for a string that is not known yet; Django passes it on untouched."""

    __slots__ = ("number",)
    number: int


class Prepared(Generic[Row]):
    """`Prepared(make, gaps=2)` is called with two strings, and returns the rows of the query that `make` makes.

    `make` is called with gaps instead: the query must not depend on their values otherwise than by its conditions.
    It is a `values_list()`, or the rows of one model without `select_related()`.
    """

    def __init__(self, make: Callable[..., QuerySet[Any, Row]], gaps: int) -> None:
        self._make, self._gaps = make, gaps
        self._of_thread = threading.local()

    def __call__(self, *values: str) -> list[Row]:
        return self._made().rows(self.raw(*values))

    def raw(self, *values: str) -> list[tuple[Any, ...]]:
        """The same rows as the database gives them, to compare with earlier ones: equal rows say the same."""
        if len(values) != self._gaps:
            raise TypeError(f"this query takes {self._gaps} values, not {len(values)}")
        made = self._made()
        filled = [values[one.number] if isinstance(one, Gap) else one for one in made.params]
        with connection.cursor() as cursor:
            cursor.execute(made.sql, filled)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows

    def first(self, *values: str) -> Row | None:
        """The first of the rows, or None. The query itself says that there is at most one, or which comes first."""
        rows = self(*values)
        return rows[0] if rows else None

    def _made(self) -> _Made[Row]:
        made: _Made[Row] | None = getattr(self._of_thread, "made", None)
        if made is None:
            made = self._of_thread.made = _Made(self._make(*_gaps(self._gaps)))
        return made


class _Made(Generic[Row]):
    """SQL, its parameters, and how columns become values. Of one thread, as the connection is."""

    def __init__(self, query: QuerySet[Any, Row]) -> None:
        self._compiler = query.query.get_compiler(connection=connection)
        self.sql, self.params = self._compiler.as_sql()
        self._model: type[Model] | None = query.model if query._iterable_class is ModelIterable else None
        self._names = [column.target.attname for column, _, _ in self._compiler.select] if self._model else []

    def rows(self, fetched: list[Any]) -> list[Row]:
        rows = self._compiler.results_iter([fetched])
        if self._model is None:
            return list(rows)
        model, names = self._model, self._names
        return [cast(Row, model.from_db(connection.alias, names, row)) for row in rows]


def _gaps(count: int) -> list[Gap]:
    gaps = [Gap(f"gap {number}") for number in range(count)]
    for number, gap in enumerate(gaps):
        gap.number = number
    return gaps
