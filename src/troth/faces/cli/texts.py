"""`troth texts`: the texts of law of this shop, what is still a draft of them, and drafts of those that are missing."""

from __future__ import annotations

import sys

import click

from troth import config
from troth.config import ConfigError
from troth.law_texts import files, read, unfinished
from troth.shop.texts import drafts


@click.command()
@click.option("--write", is_flag=True, help="Put drafts of the usual ones that are missing into texts/ first.")
def texts(write: bool) -> None:
    """List the texts of law in this shop's folder. Exit code 1 where one is missing, broken or still a draft."""
    settings = config.load()
    if write:
        for path in drafts.write(settings.home, settings.shop):
            click.echo(f"made     {path}")
    for path in files(settings.home):
        try:
            text = read(path)
        except ConfigError:
            continue  # told below
        click.echo(f"{'draft' if text.draft else 'complete':8} {text.name}: {text.title}, version {text.version}")
    lines = list(unfinished(settings))
    for line in lines:
        click.echo(f"troth: {line}", err=True)
    sys.exit(1 if lines else 0)
