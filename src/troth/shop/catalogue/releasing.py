"""Versions of a product: looked into, kept as a draft, released, taken back. Command line and desk call the same.

A draft is seen by who works here alone; released it becomes a version that never changes. Each verb is whole or not at
all, raises Refused with a sentence where it cannot be, and tells kept pages afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from troth.pledge import clock
from troth.shop.catalogue import archive, shelf, sound
from troth.shop.catalogue.keeping import keep
from troth.shop.catalogue.models import Draft, Product, Release
from troth.shop.refusal import Refused

VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+-]*")
SAME = ("file", "size", "sha256", "sha1", "manifest", "changes", "requires")  # of a release as of its draft
MOST_LINES = 100  # of what is new


def draft(
    slug: str, version: str, source: Path, changes: Iterable[str] = (), requires: str = "", came_in: bool = False
) -> Draft:
    """Look into the file at `source`, copy it, and keep it as a version that is not released yet.

    Refused where the file is not sound or Composer could not install it, and for a version that is there, or is a
    draft: what was looked at is what will be released. OSError where it cannot be kept.
    `came_in`: at the desk, whose process may not write beside what was brought on the server.
    """
    row, lines = _module(slug), list(changes)
    _must(row, version, lines, requires)
    described = _examined(source, row.package, version)
    root = settings.UPLOADS_ROOT if came_in else settings.FILES_ROOT
    kept = keep(source, root, f"{row.slug}-{version}{''.join(source.suffixes[-1:]).lower()}")
    name = f"{root.name}/{kept.name}" if came_in else kept.name
    try:
        with transaction.atomic():
            return Draft.objects.create(
                product=row, version=version, file=name, size=kept.size, sha256=kept.sha256, sha1=described.sha1,
                manifest=described.manifest if row.package else {}, changes=lines, requires=requires,
            )  # fmt: skip
    except IntegrityError:
        raise _drafted_already() from None


def put_out(slug: str, version: str, sha256: str = "") -> Release:
    """Release a draft: from here on who may update gets it, and Composer lists it.

    `sha256`: of the draft that was looked at; refused where it is another one by now.
    """
    row = _module(slug)
    day: date = clock.now().date()
    try:
        with transaction.atomic():
            made = Draft.objects.select_for_update().filter(product=row, version=version).first()
            if made is None or sha256 not in ("", made.sha256):
                raise Refused(_("This draft is gone, or another one; look at the product again."), "version")
            _still_as_described(row, made)
            row.releases.update(position=F("position") + 1)
            same = {key: getattr(made, key) for key in SAME}
            released = Release.objects.create(product=row, version=version, released_on=day, **same)
            made.delete()
            Product.objects.filter(pk=row.pk).update(updated_at=clock.now())
    except IntegrityError:
        raise _there_already() from None
    shelf.changed()
    return released


def drop(slug: str, version: str) -> bool:
    """Throw a draft away. False where there is none."""
    return Draft.objects.filter(product=slug, version=version).delete()[0] > 0


def release(slug: str, version: str, source: Path, changes: Iterable[str] = (), requires: str = "") -> Release:
    """Both at once: a new version of a product, with the file at `source`. Refused and OSError as of a draft."""
    made = draft(slug, version, source, changes, requires)
    return put_out(slug, version, made.sha256)


def recall(slug: str, version: str) -> None:
    """Take a release back: nobody fetches it any more. Refused for the last one of a product on the shelf."""
    row = _module(slug)
    with transaction.atomic():
        Product.objects.select_for_update().get(pk=row.pk)
        if not row.releases.filter(version=version).delete()[0]:
            raise Refused(_("There is no such release."), "version")
        if row.published and row.kind == Product.MODULE and not row.releases.exists():
            raise Refused(_("It is the only release; withdraw the product, or release another version first."))
    shelf.changed()


def _module(slug: str) -> Product:
    row = Product.objects.filter(slug=slug).first()
    if row is None:
        raise Refused(_("There is no such product."), "slug")
    if row.kind != Product.MODULE:
        raise Refused(_("Only a module has releases; a bundle has those of its modules."), "kind")
    return row


def _must(row: Product, version: str, changes: list[str], requires: str) -> None:
    if not VERSION.fullmatch(version) or len(version) > 40:
        raise Refused(_("A version is letters, digits and . + - such as 1.0.0, at most 40."), "version")
    if len(changes) > MOST_LINES or any(len(line) > 500 for line in changes):
        raise Refused(_("What is new has at most 100 lines of at most 500 letters."), "changes")
    if len(requires) > 200:
        raise Refused(_("What it needs is one line of at most 200 letters."), "requires")
    if row.releases.filter(version=version).exists():
        raise _there_already()
    if row.drafts.filter(version=version).exists():
        raise _drafted_already()


def _still_as_described(row: Product, made: Draft) -> None:
    """The product's name for Composer may have changed since its draft was looked into."""
    described = archive.Described(made.manifest, made.sha1)
    why = archive.wrong(described, row.package, made.version) if row.package else ""
    if why:
        raise Refused(_("The file {why}.").format(why=why), "file")


def _examined(source: Path, package: str, version: str) -> archive.Described:
    why = sound.unsound(source)
    if not why:
        try:
            described = archive.describe(source)
        except ValueError as error:
            why = str(error)
        else:
            why = archive.wrong(described, package, version) if package else ""
    if why:
        raise Refused(_("The file {why}.").format(why=why), "file")
    return described


def _there_already() -> Refused:
    return Refused(_("This version was released before; a release never changes, so choose a new number."), "version")


def _drafted_already() -> Refused:
    return Refused(_("There is a draft of this version; release it, or throw it away first."), "version")
