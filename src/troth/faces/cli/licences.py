"""`troth licences`: keys from elsewhere into the stock; an order's licences shown, replaced, revoked."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from troth.shop.catalogue.models import Edition


@click.group()
def licences() -> None:
    """Import keys to sell; show, replace or revoke licences."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.faces.settings")
    import django

    django.setup()


@licences.command("import")
@click.argument("edition")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_(edition: str, file: Path) -> None:
    """Put the keys in FILE, one a line, into the stock of EDITION (product/edition). Doing it twice adds nothing.

    From then on this edition sells these keys, and hears "sold out" when they are gone.
    """
    from troth.shop.journeys import licence
    from troth.shop.licences.stock import BadKeys

    found = _edition(edition)
    try:
        lines = file.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        raise click.ClickException(f"{file} cannot be read as UTF-8 text, one key a line.") from None
    hidden = not sys.stderr.isatty()
    try:
        with click.progressbar(length=len(lines), label="Keys", file=sys.stderr, hidden=hidden) as bar:
            imported = licence.fill(found, lines, lambda done: bar.update(done - bar.pos))
    except BadKeys as bad:
        for line in bad.lines[:20]:
            print(f"troth: {file}, {line}", file=sys.stderr)
        raise click.ClickException("Nothing was imported; mend these lines first.") from None
    click.echo(f"{imported.added} keys added, {imported.known} were known before; {imported.free} can be sold now.")


@licences.command()
@click.argument("order")
def show(order: str) -> None:
    """The licences of ORDER, by their ids and without their keys."""
    from troth.shop.journeys import licence
    from troth.shop.licences.standing import ended

    rows = list(licence.every(order))
    if not rows:
        raise click.ClickException("There is no such order, or it has no licences.")
    for one in rows:
        state = ended(one.line.order.state, one.line.ended, one.revoked_at) or "in force"
        until = f"updates until {one.updates_until}" if one.updates_until else "all updates"
        sites = f"{one.active} of {one.sites} sites" if one.sites else f"{one.active} sites, no limit"
        click.echo(f"{one.id}  {one.line.name}  {state}  {sites}  {until}")


@licences.command()
@click.argument("licence_id", metavar="LICENCE")
def rotate(licence_id: str) -> None:
    """Give LICENCE a new key; the old one stops at once. The buyer finds the new one on the order's page."""
    from troth.shop.journeys import licence
    from troth.shop.licences.models import Licence
    from troth.shop.refusal import Refused

    try:
        licence.rotate(licence_id)
    except Licence.DoesNotExist:
        raise click.ClickException("There is no such licence.") from None
    except Refused as no:
        raise click.ClickException(str(no.sentence)) from None
    click.echo("The key was replaced; the new one stands on the order's page.")


@licences.command()
@click.argument("licence_id", metavar="LICENCE")
def revoke(licence_id: str) -> None:
    """End LICENCE for good. Activation, updates and downloads by its key stop at once."""
    from troth.shop.journeys import licence
    from troth.shop.licences.models import Licence

    try:
        first = licence.revoke(licence_id)
    except Licence.DoesNotExist:
        raise click.ClickException("There is no such licence.") from None
    click.echo("The licence is revoked." if first else "It was revoked before.")


def _edition(name: str) -> Edition:
    from troth.shop.catalogue.models import Edition

    slug, _, code = name.partition("/")
    found = Edition.objects.filter(product=slug, code=code).select_related("product").first()
    if found is None:
        known = [f"{one.product_id}/{one.code}" for one in Edition.objects.filter(product=slug).order_by("position")]
        hint = (
            f"This product has {', '.join(known)}." if known else "Write product/edition, such as order-notes/single."
        )
        raise click.ClickException(f"There is no edition {name}. {hint}")
    return found
