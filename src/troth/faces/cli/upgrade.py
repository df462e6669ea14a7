"""`troth upgrade`: what a new version of the program does to a shop's data. Safe to run again, wherever it stopped."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import get_type_hints

import click

import troth
from troth import config
from troth.config import Config
from troth.faces.cli import served

PATIENCE = 120.0  # seconds until a shop that begins anew must answer


@click.command()
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
def upgrade(dry_run: bool) -> None:
    """Bring a shop's data to this version: say what changes, back up, migrate, and have the shop begin anew."""
    settings = config.load()
    waiting = _waiting()
    for line in _foreseen(settings, waiting):
        click.echo(line)
    if dry_run:
        return
    pid = served.by_whom(settings.home)
    if waiting:
        click.echo(f"Backup: {back_up(settings)}")
    if pid is not None:
        _begin_anew(settings, pid)
        click.echo("The shop began anew and answers.")
        return
    if waiting:
        from troth.faces.cli.supervisor import command

        done = subprocess.run(command("migrate"), check=False)  # noqa: S603 - our own command
        if done.returncode:
            raise click.ClickException("the database was not brought up to date; run this again, or bring the backup.")
    click.echo(f"The data is that of Troth {troth.__version__}. Start the shop: it was not running by `troth serve`.")


def _foreseen(settings: Config, waiting: list[str]) -> Iterator[str]:
    yield f"Troth {troth.__version__}, shop in {settings.home}."
    if waiting:
        yield f"The database: {len(waiting)} migration{'s' * (len(waiting) > 1)} to apply."
        yield from (f"  {name}" for name in waiting)
    else:
        yield "The database is up to date."
    fresh = list(new_settings(settings))
    if fresh:
        yield "Settings that your troth.toml does not mention, with what they are now (docs/operate/settings.md):"
        yield from (f"  {line}" for line in fresh)
    for name, mend in _missing_secrets(settings):
        yield f"{name} is not there yet; {mend}"


def _waiting() -> list[str]:
    """Names of the migrations to apply, in order. ClickException where the database does not answer."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.faces.settings")
    import django
    from django.db import DatabaseError, connection
    from django.db.migrations.executor import MigrationExecutor

    from troth.faces.cli.migrating import plan_of

    django.setup()
    try:
        return [f"{one.app_label} {one.name}" for one, _ in plan_of(MigrationExecutor(connection))]
    except (DatabaseError, OSError):
        raise click.ClickException("the database does not answer; start it, or mend [database] url.") from None
    finally:
        connection.close()


def new_settings(settings: Config) -> Iterator[str]:
    """Each key that troth.toml names neither as a setting nor in a note, with its default."""
    text = (settings.home / "troth.toml").read_text("utf-8")
    written = tomllib.loads(text)
    for section, kind in config.SECTIONS.items():
        usual, noted = kind(), _noted(text, section)
        for key in get_type_hints(kind):
            given = written.get(section, {})
            if key not in given and f"{key}_file" not in given and key not in noted:
                yield f"[{section}] {key} = {_toml(getattr(usual, key))}"


def _noted(text: str, section: str) -> set[str]:
    """Keys that stand in a section as notes: `# port = 8000`."""
    found = re.search(rf"^\[{section}\]\s*$(.*?)(?=^\[|\Z)", text, re.MULTILINE | re.DOTALL)
    return set(re.findall(r"^#\s*(\w+?)(?:_file)?\s*=", found[1], re.MULTILINE)) if found else set()


def _toml(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)


def _missing_secrets(settings: Config) -> Iterator[tuple[str, str]]:
    for name in ("licence.key", "worker.key"):
        if not (settings.home / name).exists():
            yield name, "it is made now; copy it with your other secrets."


def back_up(settings: Config) -> Path:
    """A copy of the main database as it is: sealed where there are recipients, else a plain file for its owner alone.

    The keyring is never copied in clear; a new keeper changes the form of entries only, each in one transaction.
    """
    from troth.pledge.copies.sealing import SealingError
    from troth.shop.journeys import main_copy

    name = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    try:
        if settings.backup.recipients:
            return main_copy.make(settings, name)
        settings.main_copies.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = settings.main_copies / f"before-upgrade-{name}"
        main_copy.dump(settings, path)
        return path
    except (main_copy.CopyError, SealingError) as error:
        raise click.ClickException(f"no backup was made, so nothing was changed: {error}") from None
    except OSError as error:
        raise click.ClickException(f"no backup was made, so nothing was changed: {error.strerror}.") from None


def _begin_anew(settings: Config, pid: int) -> None:
    """Tell who serves the shop; it stops all, migrates and starts with the program that lies there now."""
    from troth.faces.cli.serve import answers

    os.kill(pid, served.ANEW)
    deadline, ended = time.monotonic() + PATIENCE, False
    while time.monotonic() < deadline:
        ended = ended or not answers(settings)
        if ended and answers(settings):
            return
        time.sleep(0.05)
    print("troth: the shop does not answer again; its own output says why.", file=sys.stderr)
    sys.exit(1)
