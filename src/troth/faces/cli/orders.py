"""`troth orders`: those that wait for a look (`held`, `release`, `refuse`), what to show in a dispute (`evidence`), and
daily work (`letter`, `extend`, `ask`, `cancel`, `stuck`): the verbs of the desk."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from troth import config

if TYPE_CHECKING:
    from troth.shop.orders.models import Order


@click.group()
def orders() -> None:
    """Look at orders that are held against fraud, and decide; write a dispute's evidence; daily work on orders."""
    config.load()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.faces.settings")
    import django

    django.setup()


@orders.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def held(as_json: bool) -> None:
    """List what waits for somebody's look, with the reasons."""
    from troth.shop.fraud.signs import to_us
    from troth.shop.journeys import suspend

    told = [
        {
            "order": hold.order_id,
            "points": hold.points,
            "signs": hold.signs,
            "reasons": [str(reason) for reason in to_us(hold.signs)],
            "until": hold.until.isoformat(timespec="seconds"),
        }
        for hold in suspend.waiting()
    ]
    if as_json:
        click.echo(json.dumps(told, indent=2))
        return
    for one in told:
        click.echo(f"{one['order']}  {one['points']} points, until {one['until']}: {'; '.join(one['reasons'])}")
    if not told:
        click.echo("No order is held.")


@orders.command()
@click.argument("order")
def release(order: str) -> None:
    """Let the buyer of ORDER pay; a letter tells them."""
    from troth.shop.journeys import suspend

    _act(lambda: suspend.release(order))
    click.echo(f"{order} can be paid now; a letter tells its buyer.")


@orders.command()
@click.argument("order")
def refuse(order: str) -> None:
    """End ORDER before anything was paid; a letter tells the buyer."""
    from troth.shop.journeys import suspend

    _act(lambda: suspend.refuse(order))
    click.echo(f"{order} has ended; a letter tells its buyer.")


@orders.command()
@click.argument("order")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write it there.")
def evidence(order: str, out: Path | None) -> None:
    """What shows that ORDER was delivered and used, as JSON without a person in it: to answer a dispute with."""
    from troth.shop.journeys import evidence as journey

    told: list[str] = []
    _act(lambda: told.append(journey.pack(order)))
    if out is None:
        click.echo(told[0])
        return
    out.write_text(told[0] + "\n", "utf-8")
    click.echo(f"Written to {out}.")


@orders.command()
@click.argument("order")
def letter(order: str) -> None:
    """Send the letter with the goods of ORDER once more."""
    from troth.shop.journeys import redeliver

    _act(lambda: redeliver.ask(_found(order)))
    click.echo("It is due; the running worker sends it.")


@orders.command()
@click.argument("order")
@click.option("--days", type=int, default=0, help="So many days longer.")
@click.option("--times", type=int, default=0, help="So many times more.")
def extend(order: str, days: int, times: int) -> None:
    """Let everything in ORDER be downloaded longer, or more often."""
    from troth.shop.delivery.models import Grant
    from troth.shop.journeys import extend as journey

    found = _found(order)
    for grant in Grant.objects.filter(line__order=found, line__ended="").order_by("pk"):
        before = journey.seen(grant)
        _act(partial(journey.extend, found, grant.pk, days=days, times=times, before=before))
    click.echo(f"{order} is extended.")


@orders.command()
@click.argument("order")
def ask(order: str) -> None:
    """Ask the providers of ORDER's payments where they stand, now."""
    from troth.shop.journeys import settle

    for payment in _found(order).payments.order_by("made_at"):
        click.echo(f"{payment.provider}: {settle.look(payment)}")


@orders.command()
@click.argument("order")
def cancel(order: str) -> None:
    """Let go of ORDER, which nobody has paid; the providers are asked first."""
    from troth.shop.journeys import cancel as journey

    _act(lambda: journey.cancel(_found(order)))
    click.echo(f"{order} is cancelled.")


@orders.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def stuck(as_json: bool) -> None:
    """List what does not end by itself: why, since when, and what happens next."""
    import msgspec

    from troth.shop.journeys import stuck as journey

    found = journey.found()
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found)).decode())
        return
    for one in found:
        next_at = f" Next: {one.next_at:%Y-%m-%d %H:%M}." if one.next_at else ""
        click.echo(f"{one.since:%Y-%m-%d %H:%M}  {one.order:30}  {one.what} ({one.why or 'not known'}).{next_at}")
    if not found:
        click.echo("Nothing is stuck.")


def _found(ref: str) -> Order:
    from troth.shop.orders.models import Order

    order = Order.found(ref)
    if order is None:
        raise click.UsageError("There is no such order; its reference looks like ord_…")
    return order


def _act(verb: Callable[[], object]) -> None:
    from troth.shop.refusal import Refused

    try:
        verb()
    except Refused as no:
        click.echo(f"troth: {no.sentence}", err=True)
        sys.exit(1)
