"""The counts of /transparency: requests by half-year, basis, country and outcome; small numbers in bands of ten.

A half-year without a request is published as such. https://github.com/opentechinstitute/transparency-reporting-toolkit
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from datetime import datetime
from typing import Any

import msgspec
from django.db.models import Min
from django.utils.translation import gettext_lazy as _

from troth.pledge import clock
from troth.pledge.policy.models import Version
from troth.shop.disclosure.models import Case
from troth.shop.disclosure.told import period

SCHEMA = "legal-counts/1"
WIDTH = 10  # of a band
HEADS = ("period", "basis", "country", "outcome", "requests", "accounts", "fields", "approved_by_one")
BASES = {
    "a": _("a subpoena, court order or such legal process"),
    "b": _("an agency or attorney, in a named legal action"),
    "c": _("our own attorney, in a named legal matter"),
}
OUTCOMES = {
    "open": _("not decided yet"),
    Case.DISCLOSED: _("something was handed over"),
    Case.REFUSED: _("refused"),
    Case.WITHDRAWN: _("withdrawn by who asked"),
    Case.NOTHING: _("nothing was held"),
}


class Row(msgspec.Struct, frozen=True):
    """Numbers are bands: "0", "1-9", "10-19". Of a half-year without requests all texts but `period` are empty."""

    period: str
    basis: str = ""
    country: str = ""
    outcome: str = ""
    requests: str = "0"
    accounts: str = "0"
    fields: str = "0"
    approved_by_one: str = "0"


def band(count: int) -> str:
    """
    >>> [band(count) for count in (0, 1, 9, 10, 25)]
    ['0', '1-9', '1-9', '10-19', '20-29']
    """
    if count < WIDTH:
        return f"1-{WIDTH - 1}" if count else "0"
    least = count // WIDTH * WIDTH
    return f"{least}-{least + WIDTH - 1}"


def periods(since: datetime, until: datetime) -> list[str]:
    """Every half-year from one time to another, the oldest first.

    >>> periods(datetime(2025, 11, 2), datetime(2026, 12, 1))
    ['2025-H2', '2026-H1', '2026-H2']
    """
    found = [(year, half) for year in range(since.year, until.year + 1) for half in (1, 2)]
    names = [f"{year}-H{half}" for year, half in found]
    return names[names.index(period(since)) : names.index(period(until)) + 1]


def begun() -> datetime:
    """Since when this shop counts: its first policy, or its first case."""
    first = Version.objects.aggregate(at=Min("made_at"))["at"], Case.objects.aggregate(at=Min("came_at"))["at"]
    return min((at for at in first if at is not None), default=clock.now())


def table() -> list[Row]:
    """What is published, the newest half-year first."""
    sums: dict[tuple[str, str, str, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for case in Case.objects.only("came_at", "basis", "country", "outcome", "accounts", "fields", "approvals"):
        key = (period(case.came_at), case.basis, case.country, case.outcome or "open")
        alone = int(case.outcome == Case.DISCLOSED and case.approvals == 1)
        sums[key] = [a + b for a, b in zip(sums[key], (1, case.accounts, case.fields, alone), strict=True)]
    rows = [Row(*key, *(band(count) for count in counts)) for key, counts in sorted(sums.items())]
    zeros = [Row(one) for one in periods(begun(), clock.now()) if one not in {row.period for row in rows}]
    return sorted(rows + zeros, key=lambda row: row.period, reverse=True)


def as_json() -> dict[str, Any]:
    return {"schema": SCHEMA, "band": WIDTH, "rows": [msgspec.structs.asdict(row) for row in table()]}


def as_csv() -> str:
    """RFC 4180. No value begins with a sign that a spreadsheet takes for a formula."""
    made = io.StringIO()
    writer = csv.writer(made)
    writer.writerow(HEADS)
    writer.writerows(msgspec.structs.astuple(row) for row in table())
    return made.getvalue()
