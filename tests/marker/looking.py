"""Look for a text in every byte that a shop wrote, and in every column of its databases."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
from psycopg import sql

from troth.pledge.policy import needles

# What is passed over, each with its reason. The sandbox's mailbox and books are in the memory of the test's process
# and written nowhere; nothing that is written is passed over.
EXCLUDED: dict[str, str] = {}


class Looked:
    """`hits`: "place (spelling)"; `files` and `values`: how much was looked at."""

    def __init__(self) -> None:
        self.hits: set[str] = set()
        self.files = self.values = 0
        self.unread: list[Path] = []


def look(folder: Path, text: str, database_url: str = "") -> Looked:
    """Everything in `folder`; with a PostgreSQL database its server's data and log besides."""
    looked, places, sieve = Looked(), [folder], needles.Sieve([text])
    if database_url:
        places += _server(database_url)
    found = needles.search(places, [text])
    looked.files, looked.unread = found.files, found.unread
    looked.hits |= {f"{_short(hit.path, folder)} ({hit.spelling})" for hit in found.hits}
    for place, value in _columns(folder, database_url):
        looked.values += 1
        if needles.Scan(sieve).feed(value + b"\n"):
            looked.hits.add(place)
    return looked


def _short(path: Path, folder: Path) -> str:
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else f"server/{path.name}"


def _server(database_url: str) -> list[Path]:
    """The server's folder holds data (with its WAL) and log. A checkpoint first: what lies in its memory is written."""
    with psycopg.connect(database_url, autocommit=True) as db:
        db.execute("CHECKPOINT")
    folder = Path(parse_qs(urlsplit(database_url).query)["host"][0])
    return [folder / "data", folder / "log"]


def _columns(folder: Path, database_url: str) -> Iterator[tuple[str, bytes]]:
    """Place and bytes of every value of every column, the keyring's too."""
    for path in sorted(folder.rglob("*.sqlite3")):
        with tempfile.TemporaryDirectory() as copies, closing(_copy(path, Path(copies))) as db:
            tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            for table in tables:
                yield from _rows(f"{path.stem}.{table}", db.execute(f'SELECT * FROM "{table}"'))
    if database_url:
        with psycopg.connect(database_url) as db:
            names = db.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
            for (table,) in names.fetchall():
                yield from _rows(table, db.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(table))))


def _copy(path: Path, folder: Path) -> sqlite3.Connection:
    """A copy with its journal: the keeper keeps its own for itself alone while it runs."""
    for part in (path, path.with_name(f"{path.name}-wal")):
        if part.exists():
            shutil.copy(part, folder / part.name)
    return sqlite3.connect(folder / path.name)


def _rows(table: str, cursor: object) -> Iterator[tuple[str, bytes]]:
    names = [column[0] for column in cursor.description]  # type: ignore[attr-defined]
    for row in cursor.fetchall():  # type: ignore[attr-defined]
        for name, value in zip(names, row, strict=True):
            if value is not None:
                raw = (
                    bytes(value)
                    if isinstance(value, bytes | memoryview)
                    else str(value).encode("utf-8", "surrogatepass")
                )
                yield f"{table}.{name}", raw
