"""`troth migrate`: the database's tables as this version of Troth wants them."""

from __future__ import annotations

import importlib.util
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import click

import troth
from troth.config import Config


@click.command()
def migrate() -> None:
    """Bring the database up to date, and say so where there was something to do."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.faces.settings")
    django.setup()
    from django.conf import settings
    from django.db import connection

    from troth import licence_secret
    from troth.faces.cli.migrating import Whole, plan_of
    from troth.shop.holdings import refuse_undeclared
    from troth.shop.invoices import worker_key

    refuse_undeclared()
    executor = Whole(connection)
    plan = plan_of(executor)
    if ("licences", "0001_initial") in {(step.app_label, step.name) for step, _ in plan}:
        worker_key.make(settings.TROTH.home)
        licence_secret.make(settings.TROTH.home)  # a shop from before there were licences
    if plan:
        executor.all()
        click.echo(f"The database is up to date now: {len(plan)} migration{'s' * (len(plan) > 1)} applied.", err=True)


def may_be_behind(config: Config) -> bool:
    """Whether `troth migrate` may have something to do, told without loading Django.

    False is sure; True is said whenever it cannot be told quickly (any database but SQLite).
    """
    address = urlsplit(config.database.url)
    path = config.home / address.path.removeprefix("/")
    if address.scheme != "sqlite" or not path.exists():
        return True
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        applied = set(connection.execute("SELECT app, name FROM django_migrations"))
    except sqlite3.OperationalError:  # not yet a database of ours, or busy
        return True
    finally:
        connection.close()
    return not set(_known()) <= applied


def _known() -> Iterator[tuple[str, str]]:
    """App and name of every migration that belongs to this version."""
    folders = list(Path(troth.__file__).parent.glob("*/*/migrations"))
    spec = importlib.util.find_spec("django")
    assert spec is not None and spec.origin is not None
    folders.append(Path(spec.origin).parent / "contrib" / "sessions" / "migrations")
    for folder in folders:
        for file in folder.glob("[0-9]*.py"):
            yield folder.parent.name, file.stem
