"""`troth erase REF`: have somebody forgotten who asked the owner for it, by the journey that the pages use."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any

import click

from troth import config

if TYPE_CHECKING:
    from troth.pledge.rights.models import Erasure

PATIENCE = 60  # seconds until we say that nobody works
MOVING = ("waiting", "going")
NOBODY_WORKS = "under way; is the shop running? It goes on by itself with `troth serve`"


@click.command()
@click.argument("ref")
@click.option("--link", is_flag=True, help="Do not decide: send a link to the mailbox on file, which decides.")
@click.option("--yes", is_flag=True, help="Do not ask back.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def erase(ref: str, link: bool, yes: bool, as_json: bool) -> None:
    """Forget a person. REF is one of their orders (ord_...) or the person (per_...).

    The person gets a letter and may cancel for [policy] erase_window hours. Exit code 0: it is under way or done; 1:
    nothing moves.
    """
    settings = config.load()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.faces.settings")
    import django

    django.setup()
    from troth.shop.journeys import erase as journey

    person = _person(ref)
    if link:
        journey.ask_for(person)
        print("A letter with a link is on its way to the mailbox on file; whoever reads that decides.")
        return
    if not yes and not journey.under_way(person):
        click.confirm("Delete this person's keys? Nobody can undo it once the cancel window is over.", abort=True)
    erasure = journey.by_owner(person)
    _watch(erasure, quiet=as_json)
    told = _told(erasure, settings.web.public_url.rstrip("/") + journey.page_of(erasure))
    print(json.dumps(told, indent=2) if as_json else "\n".join(f"{name}: {value}" for name, value in told.items()))
    sys.exit(1 if erasure.state in MOVING and not _may_be_cancelled(erasure) else 0)


def _person(ref: str) -> str:
    from troth.pledge.vault.models import Person
    from troth.shop.orders.models import Order

    order = Order.found(ref) if ref.startswith("ord_") else None
    person = order.person_id if order else ref
    if not Person.objects.filter(pk=person, taken_at__isnull=False).exists():
        raise click.UsageError("There is no such order or person; copy the reference from an order's page or letter.")
    return str(person)


def _watch(erasure: Erasure, quiet: bool) -> None:
    """Wait until the worker has nothing left to do now."""
    if not quiet:
        print("Forgetting ...", file=sys.stderr)
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        erasure.refresh_from_db()
        if erasure.state not in MOVING or (erasure.state == "waiting" and _may_be_cancelled(erasure)):
            return
        time.sleep(0.2)


def _may_be_cancelled(erasure: Erasure) -> bool:
    from troth.pledge import clock

    return erasure.due_at is not None and erasure.due_at > clock.now()


def _told(erasure: Erasure, page: str) -> dict[str, Any]:
    words = {
        "waiting": NOBODY_WORKS
        if not _may_be_cancelled(erasure)
        else f"to be cancelled until {erasure.due_at:%Y-%m-%d %H:%M} UTC, then forgotten",
        "going": NOBODY_WORKS,
        "kept": f"forgotten; billing addresses open for tax alone until {erasure.kept_until}",
        "done": "forgotten; nothing is left",
    }
    return {"erasure": erasure.id, "state": words.get(erasure.state, erasure.state), "receipt": page}
