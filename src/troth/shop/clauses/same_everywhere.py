"""Where somebody comes from changes nothing that they are shown: two visitors of two countries, page by page (P11)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing

from troth.pledge.policy.clause import Finding, broken, gap, holds
from troth.pledge.policy.probe import Probe
from troth.pledge.policy.visitor import Page, Stuck, Visitor
from troth.shop.catalogue.models import Product
from troth.shop.clauses import mutations

# Addresses of two public name services, in the United States and in the Netherlands; nothing is sent there.
PLACES = ("8.8.8.8", "193.0.14.129")
OPEN = ("/", "/register", "/contact", "/terms")
OF_ONE_VISIT = re.compile(r'<input type="hidden"[^>]*>|nonce="[^"]*"')  # random, and so never the same


def pages_are_the_same_everywhere(probe: Probe) -> Iterator[Finding]:
    if "127.0.0.1" not in probe.config.web.proxies:
        yield gap("nobody here may say from where a visitor comes, so no two visitors of two countries were compared")
        return
    with closing(probe.site.newcomer()) as one, closing(probe.site.newcomer()) as other:
        one.comes_from, other.comes_from = PLACES
        seen = list(zip(_seen(one, probe), _seen(other, probe), strict=True))
    for path in dict.fromkeys(path for (path, first), (_, second) in seen if _said(first) != _said(second)):
        yield broken(f"{path} is another page for who comes from another country")
    yield holds(f"{len(seen)} pages, asked for from two countries: the same, word by word")


def _seen(visitor: Visitor, probe: Probe) -> Iterator[tuple[str, Page]]:
    """Public pages; in test mode with a product in the basket, up to the checkout."""
    for path in OPEN:
        yield path, visitor.get(path)
    slug = Product.objects.filter(published=True).order_by("pk").values_list("slug", flat=True).first()
    if slug is None:
        return
    yield f"/p/{slug}", visitor.get(f"/p/{slug}")
    if probe.config.live:
        return  # no invented baskets there
    try:
        visitor.submit(f"/p/{slug}", {}, form="basket")
    except Stuck:
        return  # not for sale just now
    yield "/basket", visitor.get("/basket")
    yield "/checkout", visitor.get("/checkout")


def _said(page: Page) -> tuple[int, str]:
    return page.status, OF_ONE_VISIT.sub("", page.text)


def told_where_they_are() -> AbstractContextManager[None]:
    """Mutant: the checkout shows to each visitor what it knows of where they are."""
    known = '<p class="hint">{{ request.META.get("HTTP_X_FORWARDED_FOR", "") }}</p></form>'
    return mutations.page_edited("checkout.html", lambda source: source.replace("</form>", known, 1))
