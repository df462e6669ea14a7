"""Goods as who works here sees them: what is on the shelf and what is not, with prices, versions and sales."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable

import msgspec
from django.conf import settings
from django.db.models import Sum

from troth.shop.catalogue import sound
from troth.shop.catalogue.keeping import lies
from troth.shop.catalogue.models import Draft, Price, Product, Release
from troth.shop.invoices.models import Figure, Invoice
from troth.shop.money import Money

PAGE = 50
MOST_LISTED = 200  # names of an archive that a page shows


class Line(msgspec.Struct, frozen=True):
    """A product in the list. `sold`: pieces, less those that went back; `version`: of its newest release, or ""."""

    slug: str
    name: str
    kind: str
    published: bool
    least: Money | None
    version: str
    drafts: int
    sold: int


def listed(page: int) -> tuple[list[Line], bool]:
    """One page of all goods, in the order of the shelf, and whether there are more. Five queries."""
    start = (page - 1) * PAGE
    rows = list(Product.objects.order_by("position", "slug")[start : start + PAGE + 1])
    slugs = [row.pk for row in rows[:PAGE]]
    currency = settings.TROTH.shop.currency
    prices = Price.objects.filter(edition__product__in=slugs, currency=currency).order_by("-minor")
    least = dict(prices.values_list("edition__product", "minor"))  # the last one of each stays
    newest = dict(Release.objects.filter(product__in=slugs).order_by("-position").values_list("product", "version"))
    drafts: list[str] = list(Draft.objects.filter(product__in=slugs).values_list("product_id", flat=True))
    pieces = sales(slugs)
    lines = [
        Line(
            row.pk, row.name, row.kind, row.published, Money(least[row.pk], currency) if row.pk in least else None,
            newest.get(row.pk, ""), drafts.count(row.pk), pieces.get(row.pk, 0),
        )
        for row in rows[:PAGE]
    ]  # fmt: skip
    return lines, len(rows) > PAGE


def sales(slugs: Iterable[str]) -> dict[str, int]:
    """How many pieces of each were invoiced, less those that were credited whole."""
    rows = Figure.objects.filter(product__in=list(slugs), of=Figure.PRODUCT).exclude(product="")
    found: dict[str, int] = {}
    for product, kind, pieces in (
        rows.values("product", "kind").annotate(sum=Sum("pieces")).values_list("product", "kind", "sum")
    ):
        found[product] = found.get(product, 0) + (-pieces if kind == Invoice.CREDIT else pieces)
    return found


def sold(slug: str) -> int:
    return sales([slug]).get(slug, 0)


def contents(one: Draft | Release) -> tuple[list[tuple[str, int]], int]:
    """The first names in a version's archive with their sizes, and how many files it has; none where it is no zip."""
    try:
        with zipfile.ZipFile(lies(one.file)) as archive:
            entries = [(entry.filename, entry.file_size) for entry in archive.infolist() if not entry.is_dir()]
    except sound.UNREADABLE:
        return [], 0
    return entries[:MOST_LISTED], len(entries)
