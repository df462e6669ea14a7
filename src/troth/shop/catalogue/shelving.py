"""Goods, one at a time: added, given editions and releases, put on the shelf and taken from it.

Command line and desk call the same verbs. Each is whole or not at all, raises Refused with a sentence where it cannot
be, and tells kept pages afterwards. `troth stock` (stock.py) is for a whole catalogue in a folder.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import msgspec
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Max
from django.utils.translation import gettext_lazy as _

from troth.pledge import clock
from troth.shop.catalogue import archive, shelf, sound
from troth.shop.catalogue.keeping import keep
from troth.shop.catalogue.models import Edition, Price, Product, Release
from troth.shop.money import Money
from troth.shop.refusal import Refused

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+-]*")
PACKAGE = re.compile(r"[a-z0-9]([_.-]?[a-z0-9]+)*/[a-z0-9](([_.]|-{1,2})?[a-z0-9]+)*")  # getcomposer.org, schema


class NewProduct(msgspec.Struct, frozen=True):
    """What is said of a product when it is added. `package`: its name for Composer, "" for none."""

    slug: str
    name: str
    kind: str = Product.MODULE
    tagline: str = ""
    summary: str = ""
    package: str = ""


class NewEdition(msgspec.Struct, frozen=True):
    """A way to buy it. `sites` and `update_months` of 0 are without limit."""

    price: Money
    code: str = "single"
    name: str = "Single site"
    terms: str = ""
    sites: int = 1
    update_months: int = 12


def add(given: NewProduct, edition: NewEdition) -> Product:
    """A product with its first edition, not yet on the shelf. Its slug is its address, for good."""
    _must(given, edition)
    try:
        with transaction.atomic():
            last = Product.objects.aggregate(last=Max("position"))["last"]
            values = msgspec.structs.asdict(given)
            row = Product.objects.create(**values, position=0 if last is None else last + 1, published=False)
            _put(row, edition)
    except IntegrityError:
        raise Refused(_("There is a product of this name already; choose another."), "slug") from None
    return row


def offer(slug: str, edition: NewEdition) -> Edition:
    """Sell a product in this edition at this price, from now on. Orders keep the price they were made at."""
    _must_be_edition(edition)
    row = _product(slug)
    with transaction.atomic():
        made = _put(row, edition)
    shelf.changed()
    return made


def release(slug: str, version: str, source: Path, changes: Iterable[str] = (), requires: str = "") -> Release:
    """A new version of a product, with the file at `source`, which is looked into first and copied.

    From here on who may update gets it, and Composer lists it. Refused where the file is not sound or Composer could
    not install it, and for a version that is there: what was released never changes. OSError where it cannot be kept.
    """
    row = _product(slug)
    if row.kind != Product.MODULE:
        raise Refused(_("Only a module has releases; a bundle has those of its modules."), "kind")
    if not VERSION.fullmatch(version) or len(version) > 40:
        raise Refused(_("A version is letters, digits and . + - such as 1.0.0, at most 40."), "version")
    if row.releases.filter(version=version).exists():
        raise _there_already()
    described = _examined(source, row.package, version)
    kept = keep(source, settings.FILES_ROOT, f"{row.slug}-{version}{''.join(source.suffixes[-1:]).lower()}")
    day: date = clock.now().date()
    try:
        with transaction.atomic():
            row.releases.update(position=F("position") + 1)
            made = Release.objects.create(
                product=row, version=version, released_on=day, file=kept.name, size=kept.size, sha256=kept.sha256,
                sha1=described.sha1, manifest=described.manifest if row.package else {}, changes=list(changes),
                requires=requires,
            )  # fmt: skip
            Product.objects.filter(pk=row.pk).update(updated_at=clock.now())
    except IntegrityError:
        raise _there_already() from None
    shelf.changed()
    return made


def publish(slug: str) -> bool:
    """Put a product on the shelf. False where it stood there. Refused while nobody could buy or get it."""
    row = _product(slug)
    if not Price.objects.filter(edition__product=row, currency=settings.TROTH.shop.currency).exists():
        raise Refused(_("It has no price in the shop's currency yet: give it an edition first."), "price")
    if row.kind == Product.MODULE and not row.releases.exists():
        raise Refused(_("It has no release yet: there would be nothing to deliver."), "release")
    return _shown(row, True)


def withdraw(slug: str) -> bool:
    """Take a product from the shelf. False where it was not there. Who bought it keeps what they have."""
    return _shown(_product(slug), False)


def recall(slug: str, version: str) -> None:
    """Take a release back: nobody fetches it any more. Refused for the last one of a product on the shelf."""
    row = _product(slug)
    with transaction.atomic():
        Product.objects.select_for_update().get(pk=row.pk)
        if not row.releases.filter(version=version).delete()[0]:
            raise Refused(_("There is no such release."), "version")
        if row.published and row.kind == Product.MODULE and not row.releases.exists():
            raise Refused(_("It is the only release; withdraw the product, or release another version first."))
    shelf.changed()


def _shown(row: Product, published: bool) -> bool:
    changed = Product.objects.filter(pk=row.pk, published=not published)
    first = changed.update(published=published, updated_at=clock.now()) == 1
    shelf.changed()
    return first


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


def _put(row: Product, given: NewEdition) -> Edition:
    values = {key: getattr(given, key) for key in ("name", "terms", "sites", "update_months")}
    last = row.editions.aggregate(last=Max("position"))["last"]
    first = {**values, "position": 0 if last is None else last + 1}
    made, _new = Edition.objects.update_or_create(product=row, code=given.code, defaults=values, create_defaults=first)
    Price.objects.update_or_create(edition=made, currency=given.price.currency, defaults={"minor": given.price.minor})
    return made


def _product(slug: str) -> Product:
    row = Product.objects.filter(slug=slug).first()
    if row is None:
        raise Refused(_("There is no such product."), "slug")
    return row


def _must(given: NewProduct, edition: NewEdition) -> None:
    """Refused for what no product can be called or cost."""
    if not SLUG.fullmatch(given.slug) or len(given.slug) > 40:
        raise Refused(_("A product's address is small letters, digits and hyphens, at most 40."), "slug")
    if not given.name.strip() or len(given.name) > 80:
        raise Refused(_("A product needs a name, of at most 80 letters."), "name")
    if len(given.tagline) > 200:
        raise Refused(_("The tagline has at most 200 letters."), "tagline")
    if given.kind not in shelf.KINDS:
        raise Refused(_("A product is a module, a bundle or a service."), "kind")
    if given.package and not PACKAGE.fullmatch(given.package):
        raise Refused(_("A package's name is vendor/name in small letters."), "package")
    _must_be_edition(edition)


def _must_be_edition(edition: NewEdition) -> None:
    if not SLUG.fullmatch(edition.code) or len(edition.code) > 40:
        raise Refused(_("An edition's code is small letters, digits and hyphens, at most 40."), "code")
    if not edition.name.strip() or len(edition.name) > 80:
        raise Refused(_("An edition needs a name, of at most 80 letters."), "name")
    if not 0 <= edition.sites <= 10_000 or not 0 <= edition.update_months <= 1200:
        raise Refused(_("Sites and months of updates are whole numbers; 0 means without limit."), "sites")
    if edition.price.minor < 0:
        raise Refused(_("A price is not less than nothing."), "price")


def _there_already() -> Refused:
    return Refused(_("This version was released before; a release never changes, so choose a new number."), "version")
