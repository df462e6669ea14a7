"""`troth incidents`: what happened in the keeper that never should; and the owner's word that it was looked into."""

from __future__ import annotations

import json
import os
import sys

import click

from troth import config


@click.command()
@click.option("--acknowledge", is_flag=True, help="I have looked into all of these; note that in the ledger.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def incidents(acknowledge: bool, as_json: bool) -> None:
    """List incidents that nobody has acknowledged. Exit code 0: there are none; 1: there are."""
    config.load()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.faces.settings")
    import django

    django.setup()
    from troth.pledge.due import loop as due
    from troth.pledge.vault import seen

    found = seen.incidents()
    if as_json:
        click.echo(json.dumps(found, indent=2))
    else:
        for what, times in sorted(found.items()):
            click.echo(f"{times} times: {what}.")
        if not found:
            click.echo("No incident is open.")
    if acknowledge and found:
        due.hasten("acknowledge", str(sum(found.values())))
        click.echo("Acknowledged: the worker notes it in the ledger.", err=as_json)
        return
    sys.exit(1 if found else 0)
