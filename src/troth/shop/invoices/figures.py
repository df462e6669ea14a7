"""Figures: sums of what was issued, kept beside the invoices by one statement of the same transaction.

Invoices are never altered, so a figure only grows; whoever issues holds the row of the numbers (issue.py), so that no
two add to the same figures in different orders.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import NamedTuple, Protocol

from django.db import connection

from troth.shop.invoices.models import Figure, Invoice
from troth.shop.invoices.snapshot import Line


class Paper(Protocol):
    """What an invoice says of itself; a row of it, or of a migration's."""

    kind: str
    currency: str
    tax_country: str
    treatment: str
    rate: int
    net_minor: int
    tax_minor: int


class Key(NamedTuple):
    """What a figure is of; the columns in which it is the only one."""

    of: str
    begins: date
    kind: str
    currency: str
    country: str = ""
    treatment: str = ""
    rate: int = 0
    product: str = ""


Sums = tuple[int, int, int, int]  # of SUMS
SUMS = ("papers", "pieces", "net_minor", "tax_minor")


def of(paper: Paper, day: date, lines: Iterable[Line], products: Mapping[int, str]) -> Iterator[tuple[Key, Sums]]:
    """What one paper adds. `products`: of each line's number, its product."""
    month, lines = day.replace(day=1), list(lines)
    whole = (1, sum(line.quantity for line in lines), paper.net_minor, paper.tax_minor)
    yield Key(Figure.DAY, day, paper.kind, paper.currency), whole
    yield Key(Figure.TAX, month, paper.kind, paper.currency, paper.tax_country, paper.treatment, paper.rate), whole
    for line in lines:
        key = Key(Figure.PRODUCT, month, paper.kind, paper.currency, product=products[line.line])
        yield key, (1, line.quantity, line.net, line.tax)


def together(all_of: Iterable[tuple[Key, Sums]]) -> dict[Key, Sums]:
    """A figure for each key, in an order that is everybody's."""
    found: dict[Key, Sums] = {}
    for key, new in all_of:
        had = found.get(key, (0, 0, 0, 0))
        found[key] = (had[0] + new[0], had[1] + new[1], had[2] + new[2], had[3] + new[3])
    return dict(sorted(found.items()))


def count(made: Invoice, lines: Iterable[Line], products: Mapping[int, str]) -> None:
    """Add a paper to its figures: in the transaction that issues it."""
    rows = together(of(made, made.issued_at.date(), lines, products))
    quote = connection.ops.quote_name
    columns = [quote(name) for name in (*Key._fields, *SUMS)]
    values = [str(one) if isinstance(one, date) else one for key, sums in rows.items() for one in (*key, *sums)]
    places = ", ".join([f"({', '.join(['%s'] * len(columns))})"] * len(rows))
    table, grow = quote(Figure._meta.db_table), [quote(name) for name in SUMS]
    grown = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in grow)
    sql = (  # every name in it is ours
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES {places} "  # noqa: S608
        f"ON CONFLICT ({', '.join(columns[: len(Key._fields)])}) DO UPDATE SET {grown}"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
