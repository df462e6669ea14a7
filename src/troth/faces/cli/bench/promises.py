"""What keeping the promises costs, for `troth bench`: the guard on a form, the search through files, the checks.

In a process of its own, with the settings of the measured shop: the bench itself loads no Django.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from troth.faces.cli.bench import processes
from troth.faces.cli.bench.shop import Shop
from troth.faces.cli.bench.table import Row

FORM = {
    "name": "Ada Bench",
    "email": "ada.lovelace@buyer.example",
    "street": "Fern Lane 12, back house, third floor",
    "billing_postcode": "10115",
    "city": "Upper Fern",
    "country": "DE",
    "billing_name": "Bench and Daughters Ltd, attn. Ada",
    "vat_number": "DE136695976",
    "provider": "paypal",
    "once": "q3Jm0x7d2kTfZ1aYb8Wc4g",
    "shown": "4760",
}
FORMS = 5_000
CHEAP = ("static", "runtime")  # the kinds of checks whose cost is held to a share of a core
CADENCE = 600.0  # seconds between their runs
REST, PATIENCE = 5.0, 120.0


def rows(shop: Shop, megabytes: int) -> list[Row]:
    """Every number, measured now, while the shop serves."""
    told = _measured(shop, "form", str(megabytes))
    at_rest = processes.spent(shop.roles, lambda: time.sleep(REST))
    checks = processes.spent(shop.roles, lambda: _measured(shop, "checks")).without(at_rest).total
    return [
        Row("the card guard on a usual form", "µs", told["form"], 50),
        Row("100 MB of files searched for what must not be there", "ms CPU", told["search"], 1000),
        Row("checks that run every ten minutes, all of them once", "ms CPU", checks),
        Row("  of a core, at their cadence", "%", 100 * checks / (CADENCE * 1000), 1),
    ]


def _measured(shop: Shop, *words: str) -> dict[str, float]:
    line = [sys.executable, "-P", "-m", "troth.faces.cli.bench.promises", *words]
    environ = {**shop.environ, "DJANGO_SETTINGS_MODULE": "troth.faces.settings"}  # its own database, whatever ours is
    done = subprocess.run(line, env=environ, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603 - our own
    told: dict[str, float] = json.loads(done.stdout)
    return told


def _form() -> float:
    """Microseconds for the values of one form: the middle one of many."""
    from troth.pledge.policy import cards

    took = []
    for number in range(FORMS):
        values = [*FORM.values(), f"more {number}"]  # none is known from the time before
        began = time.perf_counter()
        cards.held_by_any(values)
        took.append((time.perf_counter() - began) * 1e6)
    return sorted(took)[FORMS // 2]


def _search(megabytes: int) -> float:
    """Milliseconds of CPU for each 100 MB, over copies of what this shop wrote."""
    from django.conf import settings

    from troth.pledge.policy import needles

    with tempfile.TemporaryDirectory() as folder:
        size, number = 0, 0
        while size < megabytes << 20:
            for path in sorted(one for one in settings.TROTH.home.rglob("*") if one.is_file()):
                shutil.copyfile(path, copy := Path(folder) / f"{number}-{path.name}")
                size, number = size + copy.stat().st_size, number + 1
        began = time.process_time()
        found = needles.search_here([Path(folder)], ["zq7kx2mwq9zstem"])
        return (time.process_time() - began) * 1000 / (found.bytes / 1e8)


def _checks() -> None:
    """Have the worker run every cheap check now, and none of the others; end when each clause has its new verdict.

    What these checks found last is made older, and what the others found newer than it is.
    """
    from django.db.models import Max

    from troth.pledge import clock
    from troth.pledge.due import loop as due
    from troth.pledge.policy.models import Verdict
    from troth.shop.clauses import CLAUSES, duty

    cheap = {check.name for clause in CLAUSES for check in clause.checks if check.kind in CHEAP}
    ids, now = [clause.id for clause in CLAUSES], clock.now()
    last = Verdict.objects.aggregate(last=Max("pk"))["last"]
    for row in Verdict.objects.filter(pk__in=Verdict.objects.values("clause").annotate(n=Max("pk")).values("n")):
        for found in row.findings:
            at = now - timedelta(seconds=CADENCE if found.get("check") in cheap else 1)
            found["at"] = at.isoformat()
        row.save(update_fields=["findings"])
    due.hasten("check", duty.ALL)
    until = time.monotonic() + PATIENCE
    while Verdict.objects.filter(pk__gt=last).values("clause").distinct().count() < len(ids):
        if time.monotonic() > until:
            raise SystemExit("The worker did not run the checks.")
        time.sleep(0.1)


if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.faces.settings")
    django.setup()
    if sys.argv[1] == "checks":
        _checks()
        print("{}")
    else:
        print(json.dumps({"form": _form(), "search": _search(int(sys.argv[2]))}))
