"""How others find the shop: sitemap, robots.txt, and a feed of releases. The same for everybody, about goods alone."""

from __future__ import annotations

from datetime import UTC, datetime, time

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from troth.faces.storefront.answers import page
from troth.faces.storefront.views import texts
from troth.shop.catalogue.models import Product, Release

NEWEST = 30
# Pages of one visitor, addresses that authorise, and what only programs ask: of no use to a search engine.
PRIVATE = ("/account", "/basket", "/checkout", "/claim/", "/confirm/", "/desk/", "/download/", "/erase", "/erasures/",
           "/invoice/", "/orders/", "/recover", "/return/", "/tickets/", "/withdrawals/")  # fmt: skip


@require_safe
def sitemap(request: HttpRequest) -> HttpResponse:
    """GET /sitemap.xml (sitemaps.org, protocol 0.9): pages that anybody may read."""
    goods = Product.objects.filter(published=True).order_by("position", "slug").values_list("slug", "updated_at")
    pages = [{"path": reverse("product", args=[slug]), "at": changed} for slug, changed in goods]
    still = [reverse(name) for name in ("shelf", "privacy", "contact")] + [href for href, _title in texts.links()]
    context = {"still": still, "pages": pages, "site": _site()}
    return _xml(request, "sitemap.xml", context, "application/xml")


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """GET /robots.txt (RFC 9309). A courtesy: what is private is guarded, not hidden."""
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in PRIVATE), f"Sitemap: {_site()}{reverse('sitemap')}"]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


@require_safe
def feed(request: HttpRequest) -> HttpResponse:
    """GET /feed.atom (RFC 4287): the newest releases of what is on the shelf."""
    found = Release.objects.filter(product__published=True).order_by("-released_on", "-pk").select_related("product")
    releases = list(found[:NEWEST])
    newest = max((release.released_on for release in releases), default=None)
    updated = datetime.combine(newest, time(), UTC) if newest else datetime(2000, 1, 1, tzinfo=UTC)
    context = {"releases": releases, "updated": updated, "site": _site(), "title": _("New versions")}
    return _xml(request, "feed.atom", context, "application/atom+xml")


def _xml(request: HttpRequest, template: str, context: dict[str, object], kind: str) -> HttpResponse:
    response = page(request, f"{template}.html", context)  # named .html: escaped as the pages are
    response.headers["Content-Type"] = f"{kind}; charset=utf-8"
    return response


def _site() -> str:
    return settings.TROTH.web.public_url.rstrip("/")
