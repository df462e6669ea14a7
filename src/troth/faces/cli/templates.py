"""`troth templates`: whether the owner's own templates can be used. The web process asks it before it starts."""

from __future__ import annotations

import os
import sys

import click

from troth import config
from troth.faces.storefront import overrides


@click.command()
def templates() -> None:
    """Look at templates/ in the shop's folder. Exit code 1, with a sentence for each fault."""
    settings = config.load()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.faces.settings")
    import django

    django.setup()
    from django.template import engines

    from troth.shop.delivery import letters

    pages = engines["jinja2"].env  # type: ignore[attr-defined]
    wrong = list(overrides.unusable(settings.home, pages, letters.TEMPLATES, letters.OURS))
    for line in wrong:
        click.echo(f"troth: {line}", err=True)
    if not wrong:
        click.echo(f"{len(overrides.files(settings.home))} templates of your own can be used.")
    sys.exit(1 if wrong else 0)
