"""`troth invoices`: the books by month, for whoever does the taxes. No name and no address stands in them."""

from __future__ import annotations

import csv
import json
import os
import sys
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING

import click

from troth import config

if TYPE_CHECKING:
    from troth.shop.journeys.books import Entry


@click.command()
@click.option("--month", metavar="YYYY-MM", help="This month alone (UTC).")
@click.option("--csv", "as_csv", is_flag=True, help="Every invoice and credit note, one a line.")
@click.option("--json", "as_json", is_flag=True, help="The same as one JSON document.")
@click.option("--doubts", is_flag=True, help="Those whose payment came from another country than was taxed.")
def invoices(month: str | None, as_csv: bool, as_json: bool, doubts: bool) -> None:
    """Invoices and credit notes: sums by country and rate, or all of them.

    Exit code 1: the numbers have a gap, which the shop itself cannot make.
    """
    config.load()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.faces.settings")
    import django

    django.setup()
    from troth.shop.journeys import books

    try:
        span = books.month(month) if month else (None, None)
    except ValueError:
        raise click.UsageError("Write the month as YYYY-MM, such as 2026-11.") from None
    found = books.doubts() if doubts else books.entries(*span)
    if as_csv:
        _write(found)
    elif as_json:
        print(json.dumps([{name: getattr(one, name) for name in one.__struct_fields__} for one in found], indent=2))
    else:
        print(_table(found) or "None yet.")
    if gaps := books.gaps():
        print(f"The numbers of {', '.join(gaps)} have a gap; somebody was in the database.", file=sys.stderr)
        sys.exit(1)


def _write(found: Iterable[Entry]) -> None:
    from troth.shop.journeys.books import Entry, cell

    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(Entry.__struct_fields__)
    for one in found:
        out.writerow([cell(getattr(one, name)) for name in Entry.__struct_fields__])


def _table(found: Iterable[Entry]) -> str:
    sums: dict[tuple[str, ...], list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 4)
    for one in found:
        key = (one.country, one.treatment, f"{one.rate}%", one.currency)
        more = (Decimal(1), Decimal(one.net), Decimal(one.tax), Decimal(one.total))
        sums[key] = [had + new for had, new in zip(sums[key], more, strict=True)]
    head = f"{'':4}{'tax':10}{'rate':>7} {'':4}{'papers':>8}{'net':>14}{'tax':>12}{'total':>14}"
    lines = [
        f"{country:4}{kind:10}{rate:>7} {currency:4}{count:>8}{net:>14}{tax:>12}{total:>14}"
        for (country, kind, rate, currency), (count, net, tax, total) in sorted(sums.items())
    ]
    return "\n".join([head, *lines]) if lines else ""
