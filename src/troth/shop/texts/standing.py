"""The texts that count now, and what counted before. A changed file counts from the next start of the web process."""

from __future__ import annotations

from functools import cache

import msgspec
from django.conf import settings
from django.db import IntegrityError, transaction

from troth.law_texts import REQUIRED, Text, files, place, read, text_of
from troth.shop.texts import drafts
from troth.shop.texts.models import Publication


class Published(msgspec.Struct, frozen=True):
    """A text with the time of its publication, and whether it is the one that counts now."""

    text: Text
    row: Publication
    current: bool


@cache
def texts() -> dict[str, Text]:
    """By name: those of the shop's folder, and drafts of the required ones where they are missing (in test mode: a
    live shop does not start without). Read once a process; ConfigError where one cannot be read."""
    config = settings.TROTH
    found = {path.stem: read(path) for path in files(config.home)}
    missing = {name: drafts.draft(name, config.shop) for name in REQUIRED if name not in found}
    every = missing | found
    return {name: every[name] for name in sorted(every, key=place)}


def terms_version() -> str:
    """The version of the terms that an order is made under."""
    return texts()["terms"].version


def publish() -> list[Publication]:
    """Write down each text that says something else than when it was last published. Once, however many ask."""
    latest: dict[str, Publication] = {}
    for row in Publication.objects.order_by("number"):
        latest[row.name] = row
    made = (_published(text, latest.get(text.name)) for text in texts().values())
    return [row for row in made if row is not None]


def _published(text: Text, latest: Publication | None) -> Publication | None:
    if latest is not None and latest.version == text.version:
        return None
    number = latest.number + 1 if latest else 1
    try:
        with transaction.atomic():
            return Publication.objects.create(name=text.name, number=number, version=text.version, text=text.whole)
    except IntegrityError:
        return None  # another process was first


@cache
def announce() -> None:
    """Publish once a process, before anybody is asked to agree to anything."""
    publish()


def current(name: str) -> Published | None:
    """The text that counts now; None if the shop has none of this name."""
    text = texts().get(name)
    if text is None:
        return None
    row = Publication.objects.filter(name=name).order_by("-number").first()
    if row is None or row.version != text.version:
        publish()
        row = Publication.objects.filter(name=name, version=text.version).latest("number")
    return Published(text, row, current=True)


def version(name: str, version: str) -> Published | None:
    """A text as it was, by its version; None if it was never published."""
    now = texts().get(name)
    if now is not None and now.version == version:
        return current(name)
    row = Publication.objects.filter(name=name, version=version).order_by("-number").first()
    return None if row is None else Published(text_of(name, row.text), row, current=False)


def history(name: str) -> list[Publication]:
    """All publications of a text, the newest first."""
    return list(Publication.objects.filter(name=name).order_by("-number"))
