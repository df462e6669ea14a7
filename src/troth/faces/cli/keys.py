"""`troth keys`: have the running worker rotate a key, or move the root key, and show how far it is."""

from __future__ import annotations

import os
import time

import click

from troth import config
from troth.faces.cli.places import places

PATIENCE = 60  # seconds without any progress until we say that nobody works
OLD_COPIES = "Copies of the keyring from before need the former root key; where backups are set up one is made now."


@click.group()
def keys() -> None:
    """The keeper's keys."""


@keys.command()
@click.argument("what", type=click.Choice(["root", "wrapping", "lookup", "person", "capabilities"]))
@click.option("--ref", default="", help="One person's reference (per_…); without it everybody's keys.")
def rotate(what: str, ref: str) -> None:
    """Make new keys and destroy the old: the root key, the wrapping keys of all persons, the look-up key, persons' own
    keys, or the key of capabilities: with that everybody is signed out at once."""
    settings = config.load()
    if ref and what != "person":
        raise click.UsageError("--ref is for `troth keys rotate person`")
    done = _until_done(ref or what, f"Rotating {what}")
    if what == "person":
        return
    if what == "capabilities":
        print("Done: everybody is signed out; who comes back signs in anew.")
        return
    print(f"Done: {done} rewrapped, the old key is destroyed.")
    if what == "root":
        print(f"Copy the new root key to where you keep the old copy, and destroy that: {settings.root_key}")
        print(OLD_COPIES)


@keys.command()
@click.option("--to", "kind", type=click.Choice(["file", "openbao"]), required=True, help="Where it is to lie.")
def move(kind: str) -> None:
    """Move the root key to a file or to OpenBao while the shop runs, and destroy it where it was."""
    settings = config.load()
    if kind not in places(settings):
        raise click.ClickException("there is no OpenBao to move it to: set [keys] url and token_file, start anew.")
    done = _until_done(f"to {kind}", f"Moving the root key to {kind}")
    if not done:
        print("The root key lies there already.")
        return
    print(f"Done: the keeper's keys are wrapped by the root key at {kind}; the former root key is destroyed.")
    print(f'Set [keys] kms = "{kind}" in troth.toml, so that `troth doctor` and a restore look there first.')
    print(OLD_COPIES)
    if kind == "file":
        print(f"Copy it now to a place that neither burns nor is stolen with this machine: {settings.root_key}")


def _until_done(what: str, label: str) -> int:
    """Make it due, and wait for the worker to end it. How many keys were wrapped anew."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.faces.settings")
    import django

    django.setup()
    from troth.pledge.due.models import Due
    from troth.pledge.vault.models import Rotation
    from troth.shop.journeys.rotate import begin

    try:
        begin(what)
    except ValueError:
        raise click.ClickException("there is no person with this reference; it begins with per_.") from None
    moved, seen = time.monotonic(), (-1, -1)
    with click.progressbar(length=1, label=label) as bar:
        while True:
            row = Rotation.objects.get(pk=what)
            bar.length, bar.pos = max(1, row.done + row.left), row.done
            bar.update(0)
            if row.left == 0:
                return int(row.done)
            if row.rests_until and not row.cursor:
                click.echo(f"\nAll is sealed anew; the former keys are destroyed after {row.rests_until:%H:%M} UTC.")
                return int(row.done)
            if (row.done, row.left) != seen:
                moved, seen = time.monotonic(), (row.done, row.left)
            code = Due.objects.filter(kind="rotate", subject=what).values_list("last_code", flat=True).first()
            if code == "keeper-fault":
                raise click.ClickException("the keeper could not do it, and goes on trying; its output says why.")
            if time.monotonic() - moved > PATIENCE:
                raise click.ClickException(
                    "Nothing moves: is the shop running? It goes on by itself with `troth serve`."
                )
            time.sleep(0.2)
