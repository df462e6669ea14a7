"""Queries of the public pages, with SQL that is made once a thread.

Django makes the SQL of each query anew, which costs seven times what SQLite needs to answer it: two thirds of a product
page (`docs/numbers.md`). A prepared query is an ordinary `values_list()` with gaps for strings in its conditions.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.db.models import QuerySet


class Gap(str):
    """Stands in a condition for a string that is not known yet; Django passes it on untouched."""

    __slots__ = ("number",)
    number: int


class Prepared:
    """`Prepared(make)` is called with as many strings as `make` has parameters, and returns the rows of its query.

    `make` is called with gaps instead: the query must not depend on their values otherwise than by its conditions.
    """

    def __init__(self, make: Callable[..., QuerySet[Any, Any]], gaps: int) -> None:
        self._make, self._gaps = make, gaps
        self._of_thread = threading.local()

    def __call__(self, *values: str) -> list[tuple[Any, ...]]:
        if len(values) != self._gaps:
            raise TypeError(f"this query takes {self._gaps} values, not {len(values)}")
        compiler, sql, params = self._compiled()
        filled = [values[one.number] if isinstance(one, Gap) else one for one in params]
        with connection.cursor() as cursor:
            cursor.execute(sql, filled)
            return list(compiler.results_iter([cursor.fetchall()]))

    def _compiled(self) -> tuple[Any, str, tuple[Any, ...]]:
        """Compiler (it knows how columns are converted), SQL and parameters. Connections belong to a thread as well."""
        made: tuple[Any, str, tuple[Any, ...]] | None = getattr(self._of_thread, "made", None)
        if made is None:
            compiler = self._make(*_gaps(self._gaps)).query.get_compiler(connection=connection)
            made = self._of_thread.made = (compiler, *compiler.as_sql())
        return made


def _gaps(count: int) -> list[Gap]:
    gaps = [Gap(f"gap {number}") for number in range(count)]
    for number, gap in enumerate(gaps):
        gap.number = number
    return gaps
