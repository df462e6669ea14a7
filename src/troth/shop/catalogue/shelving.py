"""Goods, one at a time: added, described, given editions and prices, put on the shelf and taken from it.

Command line and desk call the same verbs. Each is whole or not at all, raises Refused with a sentence where it cannot
be, and tells kept pages afterwards. Their versions are releasing.py's; `troth stock` (stock.py) is for a whole
catalogue in a folder.
"""

from __future__ import annotations

import re
from datetime import datetime

import msgspec
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from troth.pledge import clock
from troth.shop.catalogue import prose, shelf
from troth.shop.catalogue.models import Edition, Price, Product
from troth.shop.money import LARGEST_MINOR, Money
from troth.shop.refusal import Refused

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
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
    """A way to buy it. `sites` and `update_months` of 0 are without limit; `renewal`: what the same months cost once
    more, None where it is not to be renewed; `hours` of work, of services alone."""

    price: Money
    code: str = "single"
    name: str = "Single site"
    terms: str = ""
    sites: int = 1
    update_months: int = 12
    support_months: int = 0
    hours: int = 0
    renewal: Money | None = None


class Texts(msgspec.Struct, frozen=True):
    """What a product's page says. `description` as prose.blocks reads it; `compatibility`: lines, of what it needs."""

    name: str
    tagline: str
    summary: str
    description: str
    compatibility: list[str]
    package: str = ""


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


def describe(slug: str, said: Texts, seen: datetime) -> None:
    """Say other things of a product. `seen`: its `updated_at` when it was read; refused where it changed since."""
    row = _product(slug)
    _must_be_said(said)
    values = msgspec.structs.asdict(said) | {"description": prose.blocks(said.description)}
    same = Product.objects.filter(pk=row.pk, updated_at=seen)
    if not same.update(**values, updated_at=clock.now()):
        raise Refused(_("Somebody changed this product meanwhile; look at it again, then change what is left."))
    shelf.changed()


def stop(slug: str, code: str, currency: str) -> None:
    """Sell an edition no more in a currency. Orders and licences stay; refused for the last that is sold."""
    row = _product(slug)
    with transaction.atomic():
        Product.objects.select_for_update().get(pk=row.pk)
        if not Price.objects.filter(edition__product=row, edition__code=code, currency=currency).delete()[0]:
            raise Refused(_("This edition is not sold in this currency."), "code")
        if row.published and not _is_sold(row):
            raise Refused(_("It is the only way to buy this product; withdraw the product, or add another first."))
    shelf.changed()


def offer(slug: str, edition: NewEdition) -> Edition:
    """Sell a product in this edition at this price, from now on. Orders keep the price they were made at."""
    _must_be_edition(edition)
    row = _product(slug)
    with transaction.atomic():
        made = _put(row, edition)
        Product.objects.filter(pk=row.pk).update(updated_at=clock.now())
    shelf.changed()
    return made


def publish(slug: str) -> bool:
    """Put a product on the shelf. False where it stood there. Refused while nobody could buy or get it."""
    row = _product(slug)
    if not _is_sold(row):
        raise Refused(_("It has no price in the shop's currency yet: give it an edition first."), "price")
    if row.kind == Product.MODULE and not row.releases.exists():
        raise Refused(_("It has no release yet: there would be nothing to deliver."), "release")
    if row.kind == Product.BUNDLE and not row.includes.exists():
        raise Refused(_("It holds no module yet; `troth stock` says in catalogue.toml which ones."), "kind")
    return _shown(row, True)


def withdraw(slug: str) -> bool:
    """Take a product from the shelf. False where it was not there. Who bought it keeps what they have."""
    return _shown(_product(slug), False)


def _shown(row: Product, published: bool) -> bool:
    changed = Product.objects.filter(pk=row.pk, published=not published)
    first = changed.update(published=published, updated_at=clock.now()) == 1
    shelf.changed()
    return first


def _is_sold(row: Product) -> bool:
    return Price.objects.filter(edition__product=row, currency=settings.TROTH.shop.currency).exists()


def _put(row: Product, given: NewEdition) -> Edition:
    keys = ("name", "terms", "sites", "update_months", "support_months", "hours")
    values = {key: getattr(given, key) for key in keys}
    last = row.editions.aggregate(last=Max("position"))["last"]
    first = {**values, "position": 0 if last is None else last + 1}
    made, _new = Edition.objects.update_or_create(product=row, code=given.code, defaults=values, create_defaults=first)
    prices = {"minor": given.price.minor, "renewal_minor": given.renewal.minor if given.renewal else None}
    Price.objects.update_or_create(edition=made, currency=given.price.currency, defaults=prices)
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
    if given.kind not in shelf.KINDS:
        raise Refused(_("A product is a module, a bundle or a service."), "kind")
    _must_be_said(Texts(given.name, given.tagline, given.summary, "", [], given.package))
    _must_be_edition(edition)


def _must_be_said(said: Texts) -> None:
    if not said.name.strip() or len(said.name) > 80:
        raise Refused(_("A product needs a name, of at most 80 letters."), "name")
    if len(said.tagline) > 200:
        raise Refused(_("The tagline has at most 200 letters."), "tagline")
    if len(said.summary) > 4000:
        raise Refused(_("The summary has at most 4,000 letters."), "summary")
    if len(said.description) > 40_000:
        raise Refused(_("The description has at most 40,000 letters."), "description")
    if len(said.compatibility) > 40 or any(len(line) > 200 for line in said.compatibility):
        raise Refused(_("What it works with has at most 40 lines of at most 200 letters."), "compatibility")
    if said.package and not (len(said.package) <= 120 and PACKAGE.fullmatch(said.package)):
        raise Refused(_("A package's name is vendor/name in small letters."), "package")


def _must_be_edition(edition: NewEdition) -> None:
    if not SLUG.fullmatch(edition.code) or len(edition.code) > 40:
        raise Refused(_("An edition's code is small letters, digits and hyphens, at most 40."), "code")
    if not edition.name.strip() or len(edition.name) > 80:
        raise Refused(_("An edition needs a name, of at most 80 letters."), "name")
    if not 0 <= edition.sites <= 10_000 or not 0 <= edition.update_months <= 1200:
        raise Refused(_("Sites and months of updates are whole numbers; 0 means without limit."), "sites")
    if len(edition.terms) > 200:
        raise Refused(_("The terms have at most 200 letters."), "terms")
    if not 0 <= edition.support_months <= 120 or not 0 <= edition.hours <= 10_000:
        raise Refused(_("Months of support and hours of work are whole numbers; 0 means none."), "support_months")
    if not 0 <= edition.price.minor <= LARGEST_MINOR:
        raise Refused(_("A price is not less than nothing."), "price")
    if edition.renewal and (edition.renewal.currency != edition.price.currency or edition.renewal.minor < 0):
        raise Refused(_("The price of a renewal is not less than nothing, and in the same currency."), "renewal")
