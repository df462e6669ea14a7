"""`troth mailings`: write to customers about news, as they allow it."""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from troth import config

if TYPE_CHECKING:
    from troth.shop.mailings.models import Mailing

DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def mailings() -> None:
    """Write to customers about news. Who may be written to, the customers decide; no mailing knows what they read."""


def _begin() -> config.Config:
    settings = config.load()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.faces.settings")
    import django

    django.setup()
    return settings


@mailings.command()
@click.argument("text", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--title", required=True, help="The subject, one line.")
@click.option("--product", default="", help="Only to who bought this product (its slug).")
@click.option("--edition", default="", help="... this edition of it.")
@click.option("--bought-since", type=DAY, help="... on this day or later.")
@click.option("--bought-before", type=DAY, help="... before this day.")
@click.option("--updates-end-from", type=DAY, help="Only to whose updates end on this day or later.")
@click.option("--updates-end-to", type=DAY, help="... on this day or earlier.")
def write(text: Path, title: str, product: str, edition: str, **days: datetime | None) -> None:
    """Make a draft of the Markdown in TEXT. Prints its id, and how many it would reach now."""
    _begin()
    from troth.shop.journeys import mailing
    from troth.shop.mailings.segments import Segment

    segment = Segment(product, edition, **{name: day.date() if day else None for name, day in days.items()})
    made = _do(lambda: mailing.compose(title, text.read_text("utf-8"), segment))
    click.echo(f"{made.id}: a draft, for {mailing.reach(made)} customers as things stand.")


@mailings.command()
@click.argument("ref")
@click.option("--html", is_flag=True, help="The HTML part instead of the text part.")
def preview(ref: str, html: bool) -> None:
    """Show a mailing as it will leave."""
    _begin()
    from troth.shop.journeys import mailing

    shown = mailing.preview(_found(ref))
    head = f"Subject: {shown.subject}\nReaches: {shown.reach}\n\n"
    click.echo(shown.html if html else head + shown.text)


@mailings.command()
@click.argument("ref")
def test(ref: str) -> None:
    """Have the running shop send one copy to [shop] contact_email, marked as a test."""
    _begin()
    from troth.shop.journeys import mailing

    found = _found(ref)
    _do(lambda: mailing.test(found))
    click.echo("The running shop sends it to your own address; if none comes, `troth doctor` tries the relay.")


@mailings.command()
@click.argument("ref")
@click.option("--at", type=click.DateTime(["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"]), help="Begin then (UTC), not now.")
@click.option("--yes", is_flag=True, help="Do not ask back.")
def send(ref: str, at: datetime | None, yes: bool) -> None:
    """Let a mailing begin. The running shop sends it, and looks at objections before every copy."""
    _begin()
    from troth.shop.journeys import mailing

    found = _found(ref)
    if not yes:
        click.confirm(f"Write to {mailing.reach(found)} customers?", abort=True)
    _do(lambda: mailing.send(found, at.replace(tzinfo=UTC) if at else None))
    click.echo("It is due; `troth mailings list` tells how far it is.")


@mailings.command()
@click.argument("ref")
def stop(ref: str) -> None:
    """Let no further copy leave. `send` goes on where it stopped."""
    _begin()
    from troth.shop.journeys import mailing

    found = _found(ref)
    _do(lambda: mailing.stop(found))
    click.echo("Stopped.")


@mailings.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def list_(as_json: bool) -> None:
    """Every mailing, and how far its copies got."""
    _begin()
    from troth.shop.journeys import mailing

    sheets = mailing.sheets()
    if as_json:
        click.echo(json.dumps([msgspec.to_builtins(sheet) for sheet in sheets], indent=2, ensure_ascii=False))
        return
    for sheet in sheets:
        told = [f"{number} {state}" for state, number in sorted(sheet.counts.items())]
        told += [f"would reach {sheet.reach}"] if sheet.reach is not None else []
        click.echo(f"{sheet.id}  {sheet.state:9}  {sheet.title}{': ' if told else ''}{', '.join(told)}")
    if not sheets:
        click.echo("No mailing so far: make one with `troth mailings write`.")


@mailings.command()
def dkim() -> None:
    """Make the key that signs letters, unless there is one, and print what belongs into DNS."""
    settings = _begin()
    from troth.shop.delivery import signature
    from troth.shop.delivery.letters import sender

    path = settings.home / "dkim.pem"
    if not settings.mail.dkim_key and not path.exists():
        with open(path, "x", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(signature.make_key())
    pem = settings.mail.dkim_key or path.read_text("ascii")
    name, text = signature.record(pem, settings.mail.dkim_selector, sender().domain)
    click.echo(f"{name}  TXT  {text}")
    if not settings.mail.dkim_key:
        click.echo('Once DNS has it, write dkim_key_file = "dkim.pem" under [mail] and start the shop anew.', err=True)


def _found(ref: str) -> Mailing:
    from troth.shop.journeys import mailing

    found: Mailing = _do(lambda: mailing.found(ref))
    return found


def _do(act: Any) -> Any:
    """What the journey gives; its no is one line, and exit code 1."""
    from troth.shop.refusal import Refused

    try:
        return act()
    except Refused as no:
        click.echo(f"troth: {no.sentence}", err=True)
        sys.exit(1)
