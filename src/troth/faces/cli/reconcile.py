"""`troth reconcile`: lay the providers' own books beside the shop's, now, and list what does not agree."""

from __future__ import annotations

import csv
import json
import os
import sys
from typing import Any

import click

from troth import config

COLUMNS = ("provider", "kind", "provider_ref", "payment", "ours", "theirs", "currency", "found_at")


@click.command()
@click.option("--days", default=3, type=click.IntRange(1, 1000), show_default=True, help="How far back to compare.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--csv", "as_csv", is_flag=True, help="Print a table for a spreadsheet.")
def reconcile(days: int, as_json: bool, as_csv: bool) -> None:
    """Compare the providers' books with ours. Exit code 0: they agree; 1: they do not; 2: some could not be had."""
    config.load()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.faces.settings")
    import django

    django.setup()
    from troth.shop.journeys import reconcile as journey
    from troth.shop.payments import gateways

    seen = [journey.compare(name, days, _progress(name)) for name in gateways.offered()]
    rows = [_row(one) for one in _open_differences()]
    if as_json:
        compared = [{"provider": one.provider, "entries": one.entries, "trouble": one.trouble} for one in seen]
        click.echo(json.dumps({"compared": compared, "differences": rows}, indent=2))
    elif as_csv:
        table = csv.DictWriter(sys.stdout, COLUMNS, lineterminator="\n")
        table.writeheader()
        table.writerows({name: _plain(value) for name, value in row.items()} for row in rows)
    else:
        _tell(seen, rows)
    sys.exit(2 if any(one.trouble for one in seen) else 1 if rows else 0)


def _open_differences() -> Any:
    from troth.shop.payments.models import Difference

    return Difference.objects.filter(gone_at=None).order_by("found_at", "pk")


def _row(one: Any) -> dict[str, Any]:
    return {
        "provider": one.provider,
        "kind": one.kind,
        "provider_ref": one.provider_ref,
        "payment": one.payment_id or "",
        "ours": _sum(one.ours_minor, one.currency),
        "theirs": _sum(one.theirs_minor, one.currency),
        "currency": one.currency,
        "found_at": one.found_at.isoformat(timespec="seconds"),
    }


def _sum(minor: int | None, currency: str) -> str:
    from troth.shop.money import Money

    return "" if minor is None else str(Money(minor, currency).decimal())


def _plain(value: str) -> str:
    """A cell that a spreadsheet does not take for a formula: what comes from a provider may begin with anything."""
    return f"'{value}" if value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def _progress(name: str) -> Any:
    def told(count: int) -> None:
        if sys.stderr.isatty():
            click.echo(f"\r  {name}: {count} entries ", nl=False, err=True)

    return told


def _tell(seen: list[Any], rows: list[dict[str, Any]]) -> None:
    from troth.shop.payments.compare import KINDS

    for one in seen:
        trouble = f"could not be had ({one.trouble})" if one.trouble else f"{one.entries} entries"
        click.echo(f"{one.provider}: {trouble}")
    for row in rows:
        sums = f"ours {row['ours'] or '-'}, theirs {row['theirs'] or '-'} {row['currency']}"
        click.echo(f"{row['provider']} {row['provider_ref']}: {KINDS[row['kind']]} ({sums}) {row['payment']}".rstrip())
    if not rows and not any(one.trouble for one in seen):
        click.echo("The books agree.")
