"""`troth orders held|release|refuse|evidence`: orders that wait for a look, and what to show in a dispute."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import click

from troth import config


@click.group()
def orders() -> None:
    """Look at orders that are held against fraud, and decide; write a dispute's evidence."""
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


def _act(verb: Callable[[], object]) -> None:
    from troth.shop.refusal import Refused

    try:
        verb()
    except Refused as no:
        click.echo(f"troth: {no.sentence}", err=True)
        sys.exit(1)
