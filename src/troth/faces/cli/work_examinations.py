"""What `troth doctor` looks at inside the shop: whether its work is done, and what it runs on."""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import troth
from troth.config import Config
from troth.faces.cli.examinations import Seen

LATE = timedelta(minutes=15)  # a due row that nobody took: no worker works
WAITED = timedelta(hours=1)  # an everyday event on its way to the ledger
OFTEN = 5  # attempts
ORDERS = 5  # in a row, and all of them without an address
PINS = Path(troth.__file__).resolve().parents[2] / "requirements.txt"


def work(config: Config) -> Iterator[Seen]:
    """Whether what is due is done: nobody's to see until a customer waits. Needs Django."""
    from django.db import DatabaseError, connection

    try:
        found = [*_due(), *_outbox(), *_stock(), *(_addresses() if config.live else ())]
    except DatabaseError:
        return  # said by the examination of the database
    finally:
        if not connection.in_atomic_block:
            connection.close()
    yield from found or [Seen("ok", "Nothing that is due waits for longer than it should.")]


def _due() -> Iterator[Seen]:
    from django.db.models import Q

    from troth.pledge import clock
    from troth.pledge.due.models import Due

    now, rows = clock.now(), Due.objects.filter(gave_up_at__isnull=True)
    late = rows.filter(Q(lease_until__isnull=True) | Q(lease_until__lt=now), run_after__lt=now - LATE)
    if oldest := late.order_by("run_after").first():
        told = (
            f"{late.count()} things are due and nobody does them, the oldest since {oldest.run_after:%d %B, %H:%M} UTC."
        )
        mend = "Start the worker (`troth serve`, or systemctl start troth-worker); its output says why it ended."
        yield Seen("wrong", told, mend)
    given_up = sorted(set(Due.objects.filter(gave_up_at__isnull=False).values_list("kind", flat=True)))
    if given_up:
        yield Seen("wrong", f"The worker gave up on: {', '.join(given_up)}.", "`troth order` says what waits for you.")
    failing = rows.filter(attempts__gte=OFTEN).exclude(last_code="").order_by("-attempts").first()
    if failing:
        mend = "Its code says why; the other findings here say most causes, and the worker's output the rest."
        told = f"{failing.kind} fails again and again ({failing.last_code}, {failing.attempts} times)."
        yield Seen("wrong", told, mend)


def _outbox() -> Iterator[Seen]:
    from troth.pledge import clock
    from troth.pledge.vault.models import LedgerEvent

    waiting = LedgerEvent.objects.filter(seq__isnull=True, made_at__lt=clock.now() - WAITED).count()
    if waiting:
        mend = "Start the keeper; if it runs, `troth check --clause P16` says why it notes nothing."
        yield Seen("wrong", f"{waiting} events have waited for the ledger for more than an hour.", mend)


def _stock() -> Iterator[Seen]:
    from troth.pledge.due.models import Due
    from troth.pledge.vault.models import Person

    if Due.objects.exists() and not Person.objects.filter(taken_at__isnull=True).exists():
        mend = "Start keeper and worker, which make them."
        yield Seen("wrong", "No keys are in stock: nobody can register or buy.", mend)


def _addresses() -> Iterator[Seen]:
    """Whether it is known where customers come from. Where it is not, the doors count all of them as one."""
    from troth.pledge import clock
    from troth.shop.fraud.models import Trace
    from troth.shop.orders.models import Order

    today = Order.objects.filter(made_at__gt=clock.now() - timedelta(days=1))
    last = list(today.order_by("-made_at").values_list("pk", flat=True)[:ORDERS])
    if len(last) == ORDERS and not Trace.objects.filter(order__in=last).exists():
        told = (
            f"The last {ORDERS} orders came from nowhere: no address is known, no order is weighed by it, and one "
            "visitor who knocks too often shuts out all."
        )
        mend = "Have the proxy send X-Forwarded-For with the visitor's address, and name it in [web] trusted_proxies."
        yield Seen("wrong", told, mend)


def versions(config: Config, pins: Path = PINS) -> Iterator[Seen]:
    """Whether the libraries are those that this version was tested with, by its list of pins."""
    if not pins.exists():
        yield Seen("not asked", "The versions of libraries: this installation has no list of pins.")
        return
    pinned = re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==([^\s;\\]+)\s*(;?)", pins.read_text("utf-8"), re.MULTILINE)
    other = []
    for name, wanted, only_elsewhere in pinned:
        try:
            here = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            here = "" if only_elsewhere else "missing"
        if here and here != wanted:
            other.append(f"{name} {here} for {wanted}")
    if other:
        told = (
            f"{len(other)} libraries are not those that Troth {troth.__version__} was tested with: {', '.join(other)}."
        )
        yield Seen("wrong", told, f"make -C {PINS.parent} run")
    else:
        yield Seen("ok", f"The libraries are those that Troth {troth.__version__} was tested with.")
