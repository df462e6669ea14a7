"""`troth staff invite --owner`: whoever may write where the keyring lies makes an owner, and nobody else can."""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path

import click

from troth import config

FIRST = "first-owner"  # as in pledge/office/roster.py, which reads it


@click.group()
def staff() -> None:
    """People who work here. All but the first owner are invited at the desk."""


@staff.command()
@click.option("--owner", is_flag=True, required=True, help="An owner; every other role is invited at the desk.")
def invite(owner: bool) -> None:
    """Print a link, good once and for a day, by which an account becomes an owner's.

    Run it as the keeper's user, or as root. For the first owner, and for one who lost telephone and recovery codes.
    """
    settings = config.load()
    folder = settings.keyring.parent
    secret = secrets.token_urlsafe(24)
    try:
        _leave(folder, hashlib.sha256(secret.encode()).hexdigest())
    except OSError:
        raise click.ClickException(
            f"cannot write into {folder}: start the shop once, and run this as the user of the keeper, or as root."
        ) from None
    click.echo(f"{settings.web.public_url.rstrip('/')}/desk/join/{secret}")
    click.echo("Open it within a day, with the account here that is to be the owner's.", err=True)


def _leave(folder: Path, token: str) -> None:
    """Beside the keyring, readable by the keeper alone: its hash, so that who finds it cannot use it."""
    path = folder / FIRST
    path.unlink(missing_ok=True)
    with open(path, "x", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(token + "\n")
    if os.geteuid() == 0:
        there = folder.stat()
        os.chown(path, there.st_uid, there.st_gid)
