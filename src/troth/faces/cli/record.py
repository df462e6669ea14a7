"""`troth record`: the record of processing activities, for whoever is asked for it by an authority."""

from __future__ import annotations

import os

import click

from troth import config


@click.command()
@click.option("--csv", "as_csv", is_flag=True, help="The activities as CSV, instead of all of it as JSON.")
def record(as_csv: bool) -> None:
    """Print the record that the GDPR wants kept (Article 30), from what the shop declares and runs by."""
    settings = config.load()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.faces.settings")
    import django

    django.setup()
    from troth.shop.clauses import record as records

    made = records.record(settings)
    click.echo(records.as_csv(made) if as_csv else records.as_json(made).decode(), nl=False)
