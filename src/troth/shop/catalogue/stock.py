"""Puts goods on the shelf: reads a catalogue.toml with its files and makes the shop's tables say the same.

`load(folder)` takes a folder as `python goods/build.py` writes it: catalogue.toml (its head describes every key) and
below it the archives and pictures that it names. Loading twice changes nothing the second time. What is no longer
named leaves the shelf but stays in old orders; a release that is no longer named can no longer be fetched.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from django.conf import settings
from django.db import transaction

from troth.pledge import clock
from troth.shop.catalogue import archive, shelf
from troth.shop.catalogue.keeping import Kept, keep
from troth.shop.catalogue.models import Edition, Picture, Price, Product, Release
from troth.shop.money import CURRENCIES, Money

Slug = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
Line = Annotated[str, msgspec.Meta(max_length=200)]
Pixels = Annotated[int, msgspec.Meta(ge=1, le=10_000)]


class StockError(Exception):
    """The catalogue cannot be loaded; `lines` has one clear sentence for each thing to mend. Nothing was changed."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


class Section(msgspec.Struct, forbid_unknown_fields=True):
    title: Name
    text: list[str]
    code: list[str]
    points: list[str] = msgspec.field(name="list")


class EditionIn(msgspec.Struct, forbid_unknown_fields=True):
    code: Slug
    name: Name
    note: Line
    price: dict[str, str]
    renewal: dict[str, str] = {}  # what the same months of updates cost once more
    hours: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 0  # of work; services only
    sites: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 1  # 0: as many as they like
    updates: Annotated[int, msgspec.Meta(ge=0, le=1200)] = 12  # months; 0: without end


class ReleaseIn(msgspec.Struct, forbid_unknown_fields=True):
    version: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z][0-9A-Za-z.+-]*$", max_length=40)]
    file: str
    requires: Line
    changes: list[str]
    day: date = msgspec.field(name="date")


class PictureIn(msgspec.Struct, forbid_unknown_fields=True):
    file: str
    alt: Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
    width: Pixels
    height: Pixels


class ProductIn(msgspec.Struct, forbid_unknown_fields=True):
    slug: Slug
    kind: Literal["module", "bundle", "service"]
    name: Name
    tagline: Line
    summary: str
    package: Annotated[str, msgspec.Meta(max_length=120)]
    members: list[Slug]
    months: Annotated[int, msgspec.Meta(ge=0, le=120)]
    compatibility: list[str]
    section: list[Section] = []
    edition: list[EditionIn] = []
    release: list[ReleaseIn] = []
    picture: list[PictureIn] = []


class Catalogue(msgspec.Struct):
    product: list[ProductIn]


class Loaded(msgspec.Struct, frozen=True):
    """How many of each now stand on the shelf."""

    products: int
    releases: int
    pictures: int


def load(folder: Path) -> Loaded:
    """Make the shelf say what folder/catalogue.toml says. StockError if it cannot be read or contradicts itself."""
    goods = read(folder)
    files = {
        name: keep(folder / name, root)
        for product in goods
        for root, name in [
            *((settings.FILES_ROOT, release.file) for release in product.release),
            *((settings.MEDIA_ROOT, picture.file) for picture in product.picture),
        ]
    }
    with transaction.atomic():
        for position, product in enumerate(goods):
            _shelve(product, position, files)
        for product in goods:
            row = Product.objects.get(slug=product.slug)
            row.includes.set(Product.objects.filter(slug__in=product.members))
        Product.objects.exclude(slug__in=[product.slug for product in goods]).update(published=False)
    shelf.changed()
    return Loaded(len(goods), sum(len(p.release) for p in goods), sum(len(p.picture) for p in goods))


def read(folder: Path) -> list[ProductIn]:
    """The catalogue, checked against itself and the files beside it."""
    path = folder / "catalogue.toml"
    try:
        catalogue = msgspec.convert(tomllib.loads(path.read_text("utf-8")), Catalogue)
    except FileNotFoundError:
        raise StockError([f"{path} is missing."]) from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise StockError([f"{path}: {error}."]) from None
    wrong = list(_senseless(catalogue.product, folder))
    if wrong:
        raise StockError([f"{path}: {line}" for line in wrong])
    return catalogue.product


def _senseless(goods: list[ProductIn], folder: Path) -> Iterator[str]:
    """What is well formed and still wrong."""
    slugs = [product.slug for product in goods]
    for slug in sorted({slug for slug in slugs if slugs.count(slug) > 1}):
        yield f"{slug} stands there twice."
    for product in goods:
        for member in product.members:
            if member not in slugs or member == product.slug:
                yield f"{product.slug} has the member {member}, which is no other product."
        for what, names in (
            ("edition", [edition.code for edition in product.edition]),
            ("release", [release.version for release in product.release]),
        ):
            if len(names) != len(set(names)):
                yield f"{product.slug} has the same {what} twice."
        for edition in product.edition:
            for currency, amount in edition.price.items():
                if not _is_price(amount, currency):
                    yield f"{product.slug}, edition {edition.code}: {amount!r} is no price in {currency}."
            for currency, amount in edition.renewal.items():
                if not _is_price(amount, currency) or currency not in edition.price or not edition.updates:
                    yield (
                        f"{product.slug}, edition {edition.code}: the renewal for {amount!r} {currency} needs a price "
                        "in this currency beside it, and updates that end."
                    )
            if edition.hours and product.kind != "service":
                yield f"{product.slug}, edition {edition.code}: only services have hours."
        for file in [release.file for release in product.release] + [picture.file for picture in product.picture]:
            if not _below(folder, file):
                yield f"{product.slug} names {file}, which is not there."
        yield from _not_for_composer(product, folder)


def _not_for_composer(product: ProductIn, folder: Path) -> Iterator[str]:
    """Archives of a product with a Composer name that Composer could not install."""
    for release in product.release if product.package else ():
        if _below(folder, release.file):
            try:
                why = archive.wrong(archive.describe(folder / release.file), product.package, release.version)
            except ValueError as error:
                why = str(error)
            if why:
                yield f"{product.slug}: {release.file} {why}."


def _is_price(amount: str, currency: str) -> bool:
    if currency not in CURRENCIES:
        return False
    try:
        return Money.parse(amount, currency).minor >= 0
    except ValueError:
        return False


def _below(folder: Path, name: str) -> bool:
    path = (folder / name).resolve()
    return path.is_relative_to(folder.resolve()) and path.is_file()


def _shelve(product: ProductIn, position: int, files: dict[str, Kept]) -> None:
    values = {
        "kind": product.kind,
        "name": product.name,
        "tagline": product.tagline,
        "summary": product.summary,
        "description": list(_blocks(product.section)),
        "compatibility": product.compatibility,
        "package": product.package,
        "published": True,
        "position": position,
    }
    row, made = Product.objects.get_or_create(slug=product.slug, defaults=values)
    if not made and any(getattr(row, key) != value for key, value in values.items()):
        Product.objects.filter(pk=row.pk).update(**values, updated_at=clock.now())
    _editions(row, product)
    _releases(row, product, files)
    _pictures(row, product, files)


def _blocks(sections: list[Section]) -> Iterator[dict[str, Any]]:
    for section in sections:
        yield {"heading": section.title}
        yield from ({"text": paragraph} for paragraph in section.text)
        if section.points:
            yield {"list": section.points}
        if section.code:
            yield {"code": section.code}


def _editions(row: Product, product: ProductIn) -> None:
    """Editions keep their ids, as baskets and orders refer to them. One that has left the catalogue loses its price."""
    for position, given in enumerate(product.edition):
        edition, _ = Edition.objects.update_or_create(
            product=row,
            code=given.code,
            defaults={
                "name": given.name,
                "terms": given.note,
                "hours": given.hours,
                "support_months": product.months,
                "sites": given.sites,
                "update_months": given.updates,
                "position": position,
            },
        )
        edition.prices.exclude(currency__in=given.price).delete()
        for currency, amount in given.price.items():
            minor = Money.parse(amount, currency).minor
            again = given.renewal.get(currency)
            values = {"minor": minor, "renewal_minor": Money.parse(again, currency).minor if again else None}
            Price.objects.update_or_create(edition=edition, currency=currency, defaults=values)
    codes = [edition.code for edition in product.edition]
    Price.objects.filter(edition__product=row).exclude(edition__code__in=codes).delete()


def _releases(row: Product, product: ProductIn, files: dict[str, Kept]) -> None:
    for position, given in enumerate(product.release):
        kept = files[given.file]
        described = archive.describe(settings.FILES_ROOT / kept.name)
        Release.objects.update_or_create(
            product=row,
            version=given.version,
            defaults={
                "released_on": given.day,
                "file": kept.name,
                "size": kept.size,
                "sha256": kept.sha256,
                "sha1": described.sha1,
                "manifest": described.manifest if product.package else {},
                "changes": given.changes,
                "requires": given.requires,
                "position": position,
            },
        )
    row.releases.exclude(version__in=[release.version for release in product.release]).delete()


def _pictures(row: Product, product: ProductIn, files: dict[str, Kept]) -> None:
    row.pictures.all().delete()
    Picture.objects.bulk_create(
        Picture(
            product=row,
            file=files[given.file].name,
            alt=given.alt,
            width=given.width,
            height=given.height,
            position=position,
        )
        for position, given in enumerate(product.picture)
    )
