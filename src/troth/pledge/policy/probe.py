"""What a check may look through: the shop's own pages by HTTP, its tables column by column, its files byte by byte."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar

from django.apps import apps
from django.db import connection, models

from troth.config import Config
from troth.pledge.policy import columns as reading
from troth.pledge.policy import digests, needles
from troth.pledge.policy.spellings import Pattern
from troth.pledge.policy.visitor import Page, Stuck, Visitor
from troth.pledge.vault.fields import SealedField

T = TypeVar("T")


class Site(Protocol):
    """The way to the shop's pages: by HTTP where it is served, else by its WSGI door."""

    def get(self, path: str) -> Page: ...

    def submit(self, path: str, values: dict[str, str], form: str = "") -> Page:
        """Fill the form on the page at `path` as a person would, and send it."""
        ...

    def newcomer(self, at: str = "") -> Visitor:
        """Another visitor, without cookies. `at`: the address of this machine from which they come, if they can."""
        ...


class Probe:
    """One round of checks: of one clause, or of all. What several of them need is played, fetched and read once.

    Nothing of it is kept for the next round, so that no check judges by what was seen before a breach.
    """

    def __init__(self, config: Config, now: datetime, site: Site, marker: Callable[[Probe], Any] | None = None) -> None:
        self.config, self.now, self.site = config, now, site
        self._play = marker
        self._once: dict[object, Any] = {}
        self._pages: dict[str, Page] = {}
        self._sought: set[str] = set()
        self._hashes: set[Pattern] = set()
        self._read: tuple[reading.Reading, Future[needles.Found]] | None = None

    def page(self, path: str) -> Page:
        """A page, fetched once in a round."""
        if path not in self._pages:
            self._pages[path] = self.site.get(path)
        return self._pages[path]

    def marker(self) -> Any:
        """What the marker customer's run left; None where it must not be played (a live shop)."""
        return self.once(self._play) if self._play is not None else None

    def once(self, make: Callable[[Probe], T]) -> T:
        """What `make` returns, made once in a round. Stuck once, it is stuck for the whole round."""
        if make not in self._once:
            try:
                self._once[make] = make(self)
            except Stuck as stuck:
                self._once[make] = stuck
        if isinstance(self._once[make], Stuck):
            raise self._once[make]
        made: T = self._once[make]
        return made

    def seek(self, *words: str) -> None:
        """What every search of columns and files in this round looks for, besides card numbers in the columns."""
        self._sought.update(words)

    def seek_hashes(self, needle: str, values: Iterable[str]) -> None:
        """Besides, in the columns: plain hashes of these values, each of which counts as that needle."""
        self._hashes.update(digests.patterns(values, needle))

    def columns(self) -> reading.Reading:
        """Every column, read once in a round, and again where something is sought since."""
        return self._looked()[0]

    def files(self) -> needles.Found:
        """Every file that the shop writes, searched with the columns. SearchFailed where that came to no end."""
        return self._looked()[1].result()

    def _looked(self) -> tuple[reading.Reading, Future[needles.Found]]:
        """Both at the same time: the files are searched by a process of their own, which may have the other core."""
        read = self._read and self._read[0]
        if read is None or not (self._sought <= read.needles and self._hashes <= read.hashes):
            wanted = sorted(self._sought)
            with ThreadPoolExecutor(1, "files") as beside:
                found = beside.submit(needles.search, self.written() if wanted else [], wanted)
                self._read = (reading.read(wanted, hashes=frozenset(self._hashes)), found)
        assert self._read is not None
        return self._read

    def written(self) -> list[Path]:
        """Everything that the shop writes on disk. Named exclusions only: NOT_WRITTEN_BY_PEOPLE."""
        home = self.config.home
        return sorted(path for path in home.rglob("*") if path.is_file() and not _excluded(path.relative_to(home)))


# Exclusions from byte searches, each with its reason. Nothing else is passed over.
NOT_WRITTEN_BY_PEOPLE = {
    "troth.toml": "the owner's own settings",
    "web.key": "a random key",
    "licence.key": "a random key",
    "worker.key": "a random key",
    "worker.pub": "a public key",
    "keeper.pub": "a public key",
}


def _excluded(path: Path) -> bool:
    return str(path) in NOT_WRITTEN_BY_PEOPLE


def sealed_columns() -> Iterator[tuple[type[models.Model], SealedField]]:
    for model in apps.get_models():
        for field in model._meta.local_fields:
            if isinstance(field, SealedField):
                yield model, field


def values() -> Iterator[tuple[str, str]]:
    """Every value of every column of the main database, as text with its place: "orders_order.state".

    Read column by column, so that a text which lies across two pages of a file is seen whole. Includes tables that no
    model declares: a column that a colleague added by hand is read as well.
    """
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            yield from _rows(table)


def _rows(table: str) -> Iterator[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608 - our own tables' names
        names = [column[0] for column in cursor.description or ()]
        while rows := cursor.fetchmany(500):
            for row in rows:
                yield from ((f"{table}.{name}", _text(value)) for name, value in zip(names, row, strict=True) if value)


def _text(value: object) -> str:
    if isinstance(value, bytes | memoryview):
        return bytes(value).decode("latin-1")
    return str(value)


EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+")
