"""`troth backup`: sealed copies now, by the running shop; `--verify` brings the newest back in memory and looks."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import click
import pyrage

from troth import config
from troth.config import Config

PATIENCE = 120  # seconds without any news until we say that nobody works
MEMORY = Path("/dev/shm")  # noqa: S108 - the scratch place is made in it with a random name, for its owner alone
SAYS = {
    "main database not copied": "the main database could not be copied; the shop's output says why",
    "keeper-copy": "the keyring could not be copied; the shop's output says why",
    "keeper-backup": "the running keeper makes no copies: start the shop again after setting [backup] recipients",
    "keeper-away": "the keeper does not answer",
}


@click.command()
@click.option("--verify", is_flag=True, help="Bring the newest copies back in a scratch place, and look at them.")
@click.option(
    "--identity",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The file with your age identity, for --verify.",
)
@click.option(
    "--make-identity",
    "fresh",
    type=click.Path(path_type=Path),
    help="Make an age identity in a new file, as age-keygen does, and say its recipient.",
)
def backup(verify: bool, identity: Path | None, fresh: Path | None) -> None:
    """Make sealed copies of the main database and of the keyring now."""
    if fresh is not None:
        _make_identity(fresh)
        return
    told = config.load()
    if not told.backup.recipients:
        raise click.ClickException(
            "no backups are made: [backup] recipients is empty; `troth backup --make-identity FILE` makes one."
        )
    if verify:
        if identity is None:
            raise click.UsageError("--verify needs --identity FILE")
        sys.exit(_verify(told, identity))
    name = _make()
    for folder in (told.main_copies, told.keyring_copies):
        for path in sorted(folder.glob(f"*-{name}.*")):
            print(f"{path}  {path.stat().st_size:,} bytes")


def _make_identity(path: Path) -> None:
    made = pyrage.x25519.Identity.generate()
    text = f"# created: {datetime.now(UTC).isoformat(timespec='seconds')}\n# public key: {made.to_public()}\n{made}\n"
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
    except FileExistsError:
        raise click.ClickException(f"{path} is there already and was not touched.") from None
    except OSError as error:
        raise click.ClickException(f"{path} cannot be made: {error.strerror}.") from None
    print(f"Keep {path} away from this machine: whoever has it reads your backups, and without it nobody does.")
    print(f'Then set [backup] recipients = ["{made.to_public()}"] in troth.toml.')


def _make() -> str:
    """Ask the running worker for a backup, and wait for it."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.faces.settings")
    import django

    django.setup()
    from troth.pledge.due.models import Due
    from troth.shop.journeys import backup as journey

    name = journey.begin()
    until, last = time.monotonic() + PATIENCE, None
    while row := Due.objects.filter(kind="backup", subject=name).first():
        if row.gave_up_at or row.last_code in ("keeper-copy", "main database not copied", "keeper-backup"):
            raise click.ClickException(f"{SAYS.get(row.last_code, row.last_code)}.")
        if (news := (row.attempts, row.lease_until)) != last:
            until, last = time.monotonic() + PATIENCE, news
        if time.monotonic() > until:
            raise click.ClickException("nothing moves: is the shop running? `troth serve` goes on with it by itself.")
        time.sleep(0.1)
    return name


def _verify(told: Config, identity: Path) -> int:
    """0 if all is well with the newest copies, else 1. One line for each thing looked at."""
    from troth.pledge.copies.sealing import SealingError
    from troth.pledge.kms import RootKeyError

    try:
        main = _newest(told.main_copies, "main-*.age")
        keyring = _newest(told.keyring_copies, "keyring-*.age")
        bad = 0
        for found in _examined(told, identity, main, keyring):
            print(f"{'+' if found[0] else '!'} {found[1]}")
            bad += not found[0]
    except (SealingError, RootKeyError) as error:
        print(f"! {error}")
        return 1
    print(f"{main.name} and {keyring.name}: " + ("they can be brought back" if not bad else f"{bad} things are wrong"))
    return 1 if bad else 0


def _newest(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if not found:
        raise click.ClickException(f"there is no {pattern} in {folder}.")
    return found[-1]


def _examined(told: Config, identity: Path, main: Path, keyring: Path) -> Iterator[tuple[bool, str]]:
    from troth.faces.cli.bring_back import django_of, place_database, root_of, unpack
    from troth.faces.cli.invariants import examine
    from troth.faces.cli.places import places
    from troth.pledge.copies.reading import read_keyring
    from troth.pledge.copies.sealing import identities
    from troth.pledge.keeper.keeper import Keeper

    owner = identities(identity)
    with _scratch(told) as (home, more):
        os.environ.update(more)
        brought, packed = unpack(main, owner, home)
        yield True, f"{main.name}: opens, is whole"
        place_database(brought, packed)
        db = read_keyring(keyring, owner, places(told))
        yield True, f"{keyring.name}: opens, is whole"
        with django_of(home):
            yield from examine(Keeper(db, root_of(told, db), journal=told.journal, origin=brought.ledger_origin))
        db.close()


@contextmanager
def _scratch(told: Config) -> Iterator[tuple[Path, dict[str, str]]]:
    """A folder in memory where there is one, and for PostgreSQL a database of its own; both gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="troth-verify-", dir=MEMORY if MEMORY.is_dir() else None))
    more = {"TROTH_KEEPER_ROOT_KEY_FILE": str(told.root_key)}
    parts, name = urlsplit(told.database.url), f"troth_verify_{uuid4().hex[:12]}"
    try:
        if parts.scheme == "sqlite":
            yield folder / "home", {**more, "TROTH_DATABASE_URL": "sqlite:///data/main.sqlite3"}
            return
        import psycopg

        with psycopg.connect(told.database.url, autocommit=True) as db:
            db.execute(f'CREATE DATABASE "{name}"'.encode())
            try:
                yield folder / "home", {**more, "TROTH_DATABASE_URL": urlunsplit(parts._replace(path=f"/{name}"))}
            finally:
                db.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())
    finally:
        shutil.rmtree(folder, ignore_errors=True)
