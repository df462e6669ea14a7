"""What the pages of the shop show: a list of goods, one product. Few queries, plain structs, nothing about a person."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import msgspec
from django.conf import settings
from django.db.models import Count, FilteredRelation, Min, Q, QuerySet

from troth.pledge.prepared import Prepared
from troth.shop.catalogue.models import Picture, Price, Product, Release

PAGE = 24
KINDS = (Product.MODULE, Product.BUNDLE, Product.SERVICE)


class Card(msgspec.Struct, frozen=True):
    """A product in the list. `minor` is its lowest price, 0: free; None where nothing is for sale in this currency."""

    slug: str
    name: str
    tagline: str
    kind: str
    minor: int | None
    editions: int
    picture: str = ""
    width: int = 0
    height: int = 0


class Shelf(msgspec.Struct, frozen=True):
    cards: list[Card]
    total: int
    page: int
    pages: int


class Offer(msgspec.Struct, frozen=True):
    """An edition with its price in the shop's currency."""

    id: int
    name: str
    terms: str
    support_months: int
    minor: int


class Shot(msgspec.Struct, frozen=True):
    file: str
    alt: str
    width: int
    height: int


class Version(msgspec.Struct, frozen=True):
    version: str
    released_on: date
    size: int
    requires: str
    changes: list[str]


class Mention(msgspec.Struct, frozen=True):
    slug: str
    name: str
    tagline: str


class Detail(msgspec.Struct, frozen=True):
    slug: str
    kind: str
    name: str
    tagline: str
    summary: str
    description: list[dict[str, Any]]
    compatibility: list[str]
    package: str
    offers: list[Offer]
    pictures: list[Shot]
    releases: list[Version]
    related: list[Mention]  # what a bundle holds, or the bundles that hold a product


def stamp() -> Path:
    """The file whose time says when the catalogue last changed."""
    return Path(settings.TROTH.home) / "catalogue.stamp"


def changed() -> None:
    """Tell every process that kept pages are out of date. Whoever changes the catalogue calls this after the commit."""
    stamp().touch()


def browse(currency: str, page: int = 1, q: str = "", kind: str = "") -> Shelf:
    """One page of the list, 24 to a page; a page beyond the last is the last. Four queries at most."""
    goods = Product.objects.filter(published=True)
    if kind:
        goods = goods.filter(kind=kind)
    for word in q.split()[:8]:
        goods = goods.filter(Q(name__icontains=word) | Q(tagline__icontains=word) | Q(summary__icontains=word))
    total = goods.count()
    pages = max(1, -(-total // PAGE))
    page = min(max(1, page), pages)
    listed = goods.values_list("slug", "name", "tagline", "kind").order_by("position", "slug")
    rows = list(listed[(page - 1) * PAGE : page * PAGE]) if total else []
    return Shelf(_cards(rows, currency), total, page, pages)


def _cards(rows: list[tuple[str, str, str, str]], currency: str) -> list[Card]:
    """The products with lowest price, number of editions and cover: two queries for all of them."""
    if not rows:
        return []
    slugs = [rows[min(number, len(rows) - 1)][0] for number in range(PAGE)]  # the last one fills the other gaps
    prices: dict[str, tuple[int | None, int]] = {slug: (low, count) for slug, low, count in _prices(currency, *slugs)}
    covers = {slug: cover for slug, *cover in reversed(_pictures(*slugs))}  # the first one of each stays
    return [Card(*row, *prices.get(row[0], (None, 0)), *covers.get(row[0], ())) for row in rows]


_prices = Prepared(
    lambda currency, *slugs: (
        Price.objects.filter(currency=currency, edition__product__in=slugs)
        .values("edition__product")
        .annotate(low=Min("minor"), count=Count("id"))
        .values_list("edition__product", "low", "count")
    ),
    gaps=1 + PAGE,
)
_pictures = Prepared(
    lambda *slugs: (
        Picture.objects.filter(product__in=slugs)
        .order_by("position", "id")
        .values_list("product_id", "file", "width", "height")
    ),
    gaps=PAGE,
)

_PRODUCT = ("slug", "kind", "name", "tagline", "summary", "description", "compatibility", "package")
_OFFER = ("editions__id", "editions__name", "editions__terms", "editions__support_months", "priced__minor")


def detail(slug: str, currency: str) -> Detail | None:
    """One product with all that its page shows; None if it is not on the shelf. Four queries at most."""
    return _told(slug, _with_offers(currency, slug))


def preview(slug: str, currency: str) -> Detail | None:
    """The same, whether or not it stands on the shelf: for who works here."""
    return _told(slug, list(_offered(slug, currency)))


def _told(slug: str, rows: list[tuple[Any, ...]]) -> Detail | None:
    if not rows:
        return None
    product, split = rows[0], len(_PRODUCT)
    bundle = product[1] == Product.BUNDLE
    related = _held_by(slug) if bundle else _bundles_with(slug)
    return Detail(
        **dict(zip(_PRODUCT, product, strict=False)),
        offers=[Offer(*row[split:]) for row in rows if row[-1] is not None],
        pictures=[Shot(*row) for row in _shots(slug)],
        releases=[] if bundle else [Version(*row) for row in _versions(slug)],
        related=[Mention(*row) for row in related],
    )


# The product beside each of its editions: one query for both, the product's columns repeated.
def _offered(slug: Any, currency: Any, **more: bool) -> QuerySet[Product, tuple[Any, ...]]:
    return (
        Product.objects.filter(slug=slug, **more)
        .annotate(priced=FilteredRelation("editions__prices", condition=Q(editions__prices__currency=currency)))
        .order_by("editions__position", "editions__id")
        .values_list(*_PRODUCT, *_OFFER)
    )


_with_offers = Prepared(lambda currency, slug: _offered(slug, currency, published=True), gaps=2)
_shots = Prepared(lambda slug: Picture.objects.filter(product=slug).values_list(*Shot.__struct_fields__), gaps=1)
_versions = Prepared(lambda slug: Release.objects.filter(product=slug).values_list(*Version.__struct_fields__), gaps=1)
_held_by = Prepared(lambda slug: _mentions().filter(part_of=slug), gaps=1)
_bundles_with = Prepared(lambda slug: _mentions().filter(includes=slug), gaps=1)


def _mentions() -> QuerySet[Product, tuple[Any, ...]]:
    return Product.objects.filter(published=True).values_list(*Mention.__struct_fields__)
