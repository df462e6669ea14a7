"""Queries and changes that many requests ask for, with SQL that is made once a thread.

Django makes the SQL of each query anew, which costs several times what the database needs to answer a simple one
(`docs/numbers.md`). A prepared query is an ordinary one with gaps in its conditions: for strings as they are, for
times and numbers by `moment` and `number`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar, cast

from django.db import connection
from django.db.models import BigIntegerField, DateTimeField, Model, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.query import ModelIterable
from django.db.models.sql import DeleteQuery, UpdateQuery

Row = TypeVar("Row")
Given = str | int | datetime
Change = tuple[QuerySet[Any, Any], Mapping[str, object] | None]


class Gap(str):
    """Stands in a condition for a string that is not known yet; Django passes it on untouched."""

    __slots__ = ("number",)
    number: int


def moment(gap: str) -> RawSQL:
    """This gap takes a time."""
    return RawSQL("%s", [gap], DateTimeField())


def number(gap: str) -> RawSQL:
    """This gap takes a whole number."""
    return RawSQL("%s", [gap], BigIntegerField())


class Prepared(Generic[Row]):
    """`Prepared(make, gaps=2)` is called with two values, and returns the rows of the query that `make` makes.

    `make` is called with gaps instead: the query must not depend on their values otherwise than by its conditions.
    It is a `values_list()`, or the rows of one model without `select_related()`.
    """

    def __init__(self, make: Callable[..., QuerySet[Any, Row]], gaps: int) -> None:
        self._make, self._gaps = make, gaps
        self._of_thread = threading.local()

    def __call__(self, *values: Given) -> list[Row]:
        return self._made().rows(self.raw(*values))

    def raw(self, *values: Given) -> list[tuple[Any, ...]]:
        """The same rows as the database gives them, to compare with earlier ones: equal rows say the same."""
        made = self._made()
        with connection.cursor() as cursor:
            cursor.execute(made.sql, _filled(made.params, values, self._gaps))
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows

    def first(self, *values: Given) -> Row | None:
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


class PreparedChange:
    """The same for a change: `make` returns the rows, without joins, and what they become; None deletes them.

    What refers to deleted rows is left to the database. Called with the values, it tells how many rows changed.
    """

    def __init__(self, make: Callable[..., Change], gaps: int) -> None:
        self._make, self._gaps = make, gaps
        self._of_thread = threading.local()

    def __call__(self, *values: Given) -> int:
        made: tuple[str, Sequence[Any]] | None = getattr(self._of_thread, "made", None)
        if made is None:
            made = self._of_thread.made = _changing(*self._make(*_gaps(self._gaps)))
        with connection.cursor() as cursor:
            cursor.execute(made[0], _filled(made[1], values, self._gaps))
            return int(cursor.rowcount)


def _changing(rows: QuerySet[Any, Any], become: Mapping[str, object] | None) -> tuple[str, Sequence[Any]]:
    query: Any = rows.query.chain(DeleteQuery if become is None else UpdateQuery)
    query.clear_ordering(force=True)
    if become is not None:
        query.add_update_values(become)
    sql, params = query.get_compiler(connection=connection).as_sql()
    return str(sql), params


def _filled(params: Sequence[Any], values: Sequence[Given], gaps: int) -> list[Any]:
    if len(values) != gaps:
        raise TypeError(f"this query takes {gaps} values, not {len(values)}")
    return [_adapted(values[one.number]) if isinstance(one, Gap) else one for one in params]


def _adapted(value: Given) -> Any:
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value


def _gaps(count: int) -> list[Gap]:
    gaps = [Gap(f"gap {number}") for number in range(count)]
    for number, gap in enumerate(gaps):
        gap.number = number
    return gaps
