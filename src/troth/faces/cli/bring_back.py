"""Bring a shop back from sealed copies: the main database and files into an empty folder, the keyring through memory.

The order is what keeps the promises: the keyring is opened in memory, who was erased since is erased again there, and
only what is left is written. No door opens before that: all this happens while nothing runs.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from troth import config
from troth.config import Config
from troth.faces.cli.places import places
from troth.pledge.copies.sealing import SealingError, open_sealed, poured
from troth.pledge.keeper.keeper import Keeper
from troth.pledge.kms.chosen import Chosen
from troth.shop.journeys import main_copy

TO_BE_MADE = ("data", "uploads", "keeper", "run", "run/tmp")


def unpack(copy: Path, owner: list[Any], home: Path) -> tuple[Config, Path]:
    """The shop's folder from a copy of the main database: its settings, and the database still packed.

    `home` must be empty or missing. SealingError or ClickException; then it is empty again.
    """
    if home.exists() and any(home.iterdir()):
        raise click.ClickException(f"{home} is not empty; a shop is brought back into an empty folder (TROTH_HOME).")
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        for name in TO_BE_MADE:
            (home / name).mkdir(mode=0o700)
        manifest, packed = _untar(copy, owner, home)
        told = config.load(home)
        scheme = urlsplit(told.database.url).scheme
        if (manifest["database"] == "sqlite") != (scheme == "sqlite"):
            raise click.ClickException(
                f"the copy is of a database by {manifest['database']} and [database] url speaks of {scheme}; "
                "set TROTH_DATABASE_URL to one of the copy's kind."
            )
        return told, packed
    except BaseException:
        for path in home.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        raise


def _untar(copy: Path, owner: list[Any], home: Path) -> tuple[dict[str, Any], Path]:
    manifest: dict[str, Any] = {}
    packed = home / "run" / "tmp" / "database"
    try:
        with (
            copy.open("rb") as sealed,
            poured(lambda pipe: open_sealed(sealed, pipe, owner)) as opened,
            tarfile.open(fileobj=opened, mode="r|") as tar,
        ):
            for member in tar:
                if member.name == "manifest.json":
                    file = tar.extractfile(member)
                    manifest = json.loads(file.read()) if file else {}
                    if manifest.get("format") != main_copy.FORMAT:
                        raise SealingError("the copy has another format than this version of Troth knows")
                else:
                    tar.extract(member, packed.parent if member.name == "database" else home, filter="data")
    except tarfile.TarError:
        raise SealingError("what was sealed is no copy of a shop, or was damaged before") from None
    except OSError:
        raise SealingError(f"{copy} cannot be read, or {home} cannot be written") from None
    if not manifest or not packed.exists():
        raise SealingError(f"{copy} is not a whole copy of a shop")
    return manifest, packed


def place_database(told: Config, packed: Path) -> None:
    """The database where the settings want it. A PostgreSQL database must be there, and empty."""
    if urlsplit(told.database.url).scheme == "sqlite":
        target = main_copy.sqlite_file(told)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        packed.replace(target)
        return
    if not _is_empty(told):
        raise click.ClickException("the database at [database] url is not empty; make a new one and name that.")
    command = [str(main_copy.postgres_program("pg_restore")), "--no-owner", "--no-privileges", "--exit-on-error"]
    environment = main_copy.postgres_environment(told)
    done = subprocess.run(  # noqa: S603 - our own command
        [*command, "--single-transaction", f"--dbname={environment['PGDATABASE']}", str(packed)],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    packed.unlink()
    if done.returncode:
        raise click.ClickException(
            "pg_restore could not fill the database; is it older than the server that was copied?"
        )


def empty_again(told: Config) -> None:
    """Undo unpack and place_database, both of which found nothing where they wrote."""
    if urlsplit(told.database.url).scheme != "sqlite":
        import psycopg

        with psycopg.connect(told.database.url, autocommit=True) as db:
            db.execute("DROP SCHEMA public CASCADE")
            db.execute("CREATE SCHEMA public")
    shutil.rmtree(told.home)
    told.home.mkdir(mode=0o700)


def _is_empty(told: Config) -> bool:
    import psycopg

    try:
        with psycopg.connect(told.database.url) as db:
            row = db.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    except psycopg.OperationalError:
        raise click.ClickException("the database at [database] url does not answer.") from None
    return row == (0,)


@contextmanager
def django_of(home: Path, **more: str) -> Iterator[None]:
    """Django with the settings of the shop in `home`, its tables as this version wants them. Once a process."""
    os.environ.update(TROTH_HOME=str(home), DJANGO_SETTINGS_MODULE="troth.faces.settings", **more)
    import django
    from django.core.management import call_command
    from django.db import connections

    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    try:
        yield
    finally:
        connections.close_all()


def ask(keeper: Keeper, question: Any) -> Any:
    """What a keeper in this process answers to the worker."""
    return keeper.work_off([lambda: keeper.begin("worker", question)])[0]


def root_of(told: Config, db: Any) -> Chosen:
    """The root key that is in force for this keyring. RootKeyError where it is not to be had."""
    return Chosen(db, places(told), told.keys.kms)
