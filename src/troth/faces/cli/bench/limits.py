"""What it costs to count a request at its door, for `troth bench`: the middleware alone, on requests of many callers.

In a process of its own, with the settings of the measured shop: the bench itself loads no Django.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

from troth.faces.cli.bench.shop import Shop
from troth.faces.cli.bench.table import Row
from troth.faces.cli.serve import environment

CALLERS, CALLS = 2000, 20_000


def rows(shop: Shop) -> list[Row]:
    """How long one count takes, of 20,000."""
    line = [sys.executable, "-P", "-m", "troth.faces.cli.bench.limits"]
    environ = {**environment(), "TROTH_HOME": str(shop.home), "DJANGO_SETTINGS_MODULE": "troth.faces.settings"}
    done = subprocess.run(line, env=environ, capture_output=True, text=True, check=True)  # noqa: S603 - our own command
    told = json.loads(done.stdout)
    return [
        Row("a request counted at its door", "ms", told["middle"], 0.2),
        Row("  99 in 100 of them", "ms", told["late"]),
    ]


def measure() -> dict[str, float]:
    """Milliseconds of one count: the middle one, and that which 99 in 100 stay below."""
    from django.test import RequestFactory

    from troth.faces.storefront import limits

    make, took = RequestFactory(), []
    asked = [
        make.post("/sign-in", REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_FOR=f"2001:db8:{n:x}::1")
        for n in range(CALLERS)
    ]
    for number in range(CALLS):
        began = time.perf_counter()
        limits.wanted(asked[number % CALLERS])
        took.append((time.perf_counter() - began) * 1000)
    took.sort()
    return {"middle": took[CALLS // 2], "late": took[CALLS * 99 // 100]}


if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.faces.settings")
    django.setup()
    print(json.dumps(measure()))
