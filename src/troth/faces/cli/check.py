"""`troth check`: have the running worker check the promises now, and say what it found."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

import click

from troth import config

PATIENCE = 90  # seconds without any verdict, until clauses that nobody judged are unknown


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--clause", "wanted", metavar="P7", help="Check this clause alone.")
@click.option("--strict", is_flag=True, help="Count a declared gap as unknown; a live shop always does.")
def check(as_json: bool, wanted: str | None, strict: bool) -> None:
    """Check the promises. Exit code 0: all hold; 1: one is broken; 2: one is unknown."""
    settings = config.load()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.faces.settings")
    import django

    django.setup()
    from troth.shop.clauses import BY_ID

    ids = [wanted.upper()] if wanted else list(BY_ID)
    if any(one not in BY_ID for one in ids):
        raise click.UsageError(f"There is no clause {wanted}; known are {', '.join(BY_ID)}.")
    verdicts = _ask_worker(ids)
    code = _exit_code({verdict["state"] for verdict in verdicts}, strict or settings.live)
    print(json.dumps({"exit": code, "clauses": verdicts}, indent=2) if as_json else _table(verdicts))
    sys.exit(code)


def _exit_code(states: set[str], strict: bool) -> int:
    if "broken" in states:
        return 1
    return 2 if "unknown" in states or (strict and "gap" in states) else 0


def _ask_worker(ids: list[str]) -> list[dict[str, Any]]:
    """Make the checks due now and wait for their verdicts. A clause that nobody judged in time is unknown."""
    from django.db.models import Max

    from troth.pledge.policy.models import Verdict
    from troth.shop.clauses import BY_ID, duty

    last = Verdict.objects.aggregate(Max("pk"))["pk__max"] or 0
    if len(ids) == len(BY_ID):
        duty.all_at_once()
    for one in ids if len(ids) < len(BY_ID) else ():
        duty.at_once(one)
    until = time.monotonic() + PATIENCE
    rows: dict[str, Any] = {}
    while len(rows) < len(ids) and time.monotonic() < until:
        seen = {row.clause: row for row in Verdict.objects.filter(pk__gt=last, clause__in=ids).order_by("pk")}
        until = time.monotonic() + PATIENCE if len(seen) > len(rows) else until
        rows = seen
        time.sleep(0.2)
    return [_told(one, rows.get(one)) for one in ids]


def _told(clause: str, row: Any) -> dict[str, Any]:
    if row is None:
        sentence = "no worker judged it in time; is the shop running? Start it with `troth serve`"
        return {"clause": clause, "state": "unknown", "findings": [{"state": "unknown", "sentence": sentence}]}
    return {
        "clause": clause,
        "state": row.state,
        "findings": row.findings,
        "checked_at": row.checked_at.isoformat(),
        "took_ms": row.took_ms,
    }


def _table(verdicts: list[dict[str, Any]]) -> str:
    lines = []
    for verdict in verdicts:
        lines.append(f"{verdict['clause']:4} {verdict['state'].upper()}")
        lines += [f"       {_MARKS[finding['state']]} {finding['sentence']}" for finding in verdict["findings"]]
    return "\n".join(lines)


_MARKS = {"holds": "+", "gap": "~", "unknown": "?", "broken": "!"}
