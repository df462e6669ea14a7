"""`troth keys rotate`: have the running worker rotate a key, and show how far it is."""

from __future__ import annotations

import os
import time

import click

from troth import config

PATIENCE = 60  # seconds without any progress until we say that nobody works


@click.group()
def keys() -> None:
    """The keeper's keys."""


@keys.command()
@click.argument("what", type=click.Choice(["root", "wrapping", "lookup"]))
def rotate(what: str) -> None:
    """Make new keys and destroy the old: the root key, the wrapping keys of all persons, or the look-up key."""
    settings = config.load()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.faces.settings")
    import django

    django.setup()
    from troth.pledge.vault.models import Rotation
    from troth.shop.journeys.rotate import begin

    begin(what)
    moved, seen = time.monotonic(), (-1, -1)
    with click.progressbar(length=1, label=f"Rotating {what}") as bar:
        while True:
            row = Rotation.objects.get(pk=what)
            bar.length, bar.pos = max(1, row.done + row.left), row.done
            bar.update(0)
            if row.left == 0:
                break
            if (row.done, row.left) != seen:
                moved, seen = time.monotonic(), (row.done, row.left)
            if time.monotonic() - moved > PATIENCE:
                raise click.ClickException(
                    "Nothing moves: is the shop running? It goes on by itself with `troth serve`."
                )
            time.sleep(0.2)
    print(f"Done: {row.done} rewrapped, the old key is destroyed.")
    if what == "root":
        print(f"Copy the new root key to where you keep the old copy, and destroy that: {settings.root_key}")
