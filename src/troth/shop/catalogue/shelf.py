"""What the pages of the shop show: a list of goods, one product. Few queries, plain structs, nothing about a person."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import msgspec
from django.conf import settings
from django.db.models import Count, FilteredRelation, Min, OuterRef, Q, Subquery

from troth.shop.catalogue.models import Picture, Product, Release

PAGE = 24
KINDS = (Product.MODULE, Product.BUNDLE, Product.SERVICE)


class Card(msgspec.Struct, frozen=True):
    """A product in the list. `minor` is its lowest price, None where nothing is for sale in this currency."""

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
    """One page of the list, 24 to a page; a page beyond the last is the last. Three queries at most."""
    goods = Product.objects.filter(published=True)
    if kind:
        goods = goods.filter(kind=kind)
    for word in q.split()[:8]:
        goods = goods.filter(Q(name__icontains=word) | Q(tagline__icontains=word) | Q(summary__icontains=word))
    total = goods.count()
    pages = max(1, -(-total // PAGE))
    page = min(max(1, page), pages)
    priced = Q(editions__prices__currency=currency)
    listed = (
        goods.annotate(
            minor=Min("editions__prices__minor", filter=priced),
            offers=Count("editions__prices", filter=priced),
        )
        .values_list("slug", "name", "tagline", "kind", "minor", "offers")
        .order_by("position", "slug")
    )
    rows = list(listed[(page - 1) * PAGE : page * PAGE]) if total else []
    covers = _covers([row[0] for row in rows]) if rows else {}
    return Shelf([Card(*row, *covers.get(row[0], ())) for row in rows], total, page, pages)


def _covers(slugs: list[str]) -> dict[str, tuple[str, int, int]]:
    """The first picture of each product."""
    first = Picture.objects.filter(product=OuterRef("product")).order_by("position", "id").values("id")[:1]
    rows = Picture.objects.filter(product__in=slugs, id=Subquery(first))
    return {row[0]: row[1:] for row in rows.values_list("product_id", "file", "width", "height")}


_PRODUCT = ("slug", "kind", "name", "tagline", "summary", "description", "compatibility", "package")
_OFFER = ("editions__id", "editions__name", "editions__terms", "editions__support_months", "priced__minor")


def detail(slug: str, currency: str) -> Detail | None:
    """One product with all that its page shows; None if it is not on the shelf. Four queries at most."""
    rows = _with_offers(slug, currency)
    if not rows:
        return None
    product, split = rows[0], len(_PRODUCT)
    bundle = product[1] == Product.BUNDLE
    related = Product.objects.filter(published=True).filter(Q(part_of=slug) if bundle else Q(includes=slug))
    return Detail(
        **dict(zip(_PRODUCT, product, strict=False)),
        offers=[Offer(*row[split:]) for row in rows if row[-1] is not None],
        pictures=[Shot(*row) for row in Picture.objects.filter(product=slug).values_list(*Shot.__struct_fields__)],
        releases=[] if bundle else _versions(slug),
        related=[Mention(*row) for row in related.values_list(*Mention.__struct_fields__)],
    )


def _with_offers(slug: str, currency: str) -> list[tuple[Any, ...]]:
    """The product beside each of its editions: one query for both, the product's columns repeated."""
    goods = Product.objects.filter(slug=slug, published=True).annotate(
        priced=FilteredRelation("editions__prices", condition=Q(editions__prices__currency=currency))
    )
    return list(goods.order_by("editions__position", "editions__id").values_list(*_PRODUCT, *_OFFER))


def _versions(slug: str) -> list[Version]:
    rows = Release.objects.filter(product=slug).values_list(*Version.__struct_fields__)
    return [Version(*row) for row in rows]
