"""`troth stock FOLDER`: goods on the shelf, from a folder with a catalogue.toml and the files that it names."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def stock(folder: Path) -> None:
    """Make the shelf say what FOLDER/catalogue.toml says. Doing it twice changes nothing."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.faces.settings")
    import django

    django.setup()
    from troth.shop.catalogue import stock as shelves

    try:
        loaded = shelves.load(folder)
    except shelves.StockError as error:
        for line in error.lines:
            print(f"troth: {line}", file=sys.stderr)
        sys.exit(1)
    click.echo(
        f"{loaded.products} products, {loaded.releases} releases and {loaded.pictures} pictures are on the shelf."
    )
