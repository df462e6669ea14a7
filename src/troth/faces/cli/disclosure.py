"""`troth disclosure`: cases and their counts; and what somebody outside needs who approves by a key of their own.

Filing, approving and handing over want a session at the desk and a second factor of just now: they are at /desk/.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from troth import config

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from troth.shop.disclosure.models import Case


@click.group()
def disclosure() -> None:
    """Lawful disclosures (P12): who asked, and what came of it. They are worked on at the desk."""


@disclosure.command("list")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def listing(as_json: bool) -> None:
    """Every case, the newest first: nobody is named."""
    _django()
    import msgspec

    from troth.shop.disclosure.models import Case

    rows = [_told(one) for one in Case.objects.order_by("-came_at")]
    if as_json:
        click.echo(msgspec.json.encode(rows).decode())
        return
    for row in rows:
        click.echo("  ".join(str(value) for value in row.values()))
    if not rows:
        click.echo("Nobody has asked so far.")


@disclosure.command()
@click.option("--json", "form", flag_value="json", help="As /transparency.json has it.")
@click.option("--csv", "form", flag_value="csv", default=True, help="As /transparency.csv has it.")
def counts(form: str) -> None:
    """What /transparency shows."""
    _django()
    import msgspec

    from troth.shop.disclosure import counts as counting

    click.echo(msgspec.json.encode(counting.as_json()).decode() if form == "json" else counting.as_csv(), nl=False)


@disclosure.command()
@click.argument("cases", nargs=-1)
def openings(cases: tuple[str, ...]) -> None:
    """What the ledger's entries about these cases (or all) open to, as JSON: with it anybody counts again.

    An entry's "c" is SHA-256 of the salt, then "says" as JSON with sorted keys and no spaces. It names no customer, but
    tells single cases: give it to an auditor, and do not publish it.
    """
    _django()
    import msgspec

    from troth.shop.disclosure import told
    from troth.shop.disclosure.models import Case

    rows = Case.objects.filter(pk__in=cases) if cases else Case.objects.all()
    click.echo(msgspec.json.encode(list(told.openings(list(rows)))).decode())


@disclosure.command()
@click.argument("file", type=click.Path(path_type=Path))
def key(file: Path) -> None:
    """For an approver outside: make a key in FILE, and print its public half, which the owner registers."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    made = Ed25519PrivateKey.generate()
    try:
        with open(file, "x", opener=lambda name, flags: os.open(name, flags, 0o600)) as out:
            out.write(made.private_bytes_raw().hex() + "\n")
    except FileExistsError:
        raise click.ClickException(f"{file} is there already: choose another name, a key is not overwritten.") from None
    except OSError as error:
        raise click.ClickException(f"cannot write {file}: {error.strerror}.") from None
    click.echo(made.public_key().public_bytes_raw().hex())


@disclosure.command()
@click.argument("scope")
@click.option("--key", "file", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=True)
def sign(scope: str, file: Path) -> None:
    """For an approver outside: sign the SCOPE (64 hexadecimal characters on the case's page) that you approve."""
    from troth.pledge.disclosure.rules import SIGNED_AS

    if not re.fullmatch(r"[0-9a-f]{64}", scope):
        raise click.UsageError("SCOPE has 64 hexadecimal characters, as on the page of the case.")
    click.echo(_private(file).sign(SIGNED_AS + bytes.fromhex(scope)).hex())


def _private(file: Path) -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    try:
        return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(file.read_text("ascii").strip()))
    except ValueError:
        click.echo(f"troth: {file} holds no such key: it is the file that `troth disclosure key` made.", err=True)
        sys.exit(1)


def _told(case: Case) -> dict[str, str]:
    return {
        "case": case.ref, "came": case.came_at.date().isoformat(), "basis": case.basis, "country": case.country,
        "state": case.state, "outcome": case.outcome,
    }  # fmt: skip


def _django() -> None:
    config.load()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.faces.settings")
    import django

    django.setup()
