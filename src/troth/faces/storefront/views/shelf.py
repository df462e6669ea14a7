"""The list of goods and the page of one: the same for everybody."""

from __future__ import annotations

import unicodedata
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from troth.faces.jinja import media
from troth.faces.storefront.answers import page
from troth.faces.storefront.product_data import described
from troth.shop.catalogue import shelf


def kind_names() -> dict[str, str]:
    return {"module": _("Module"), "bundle": _("Bundle"), "service": _("Service")}


def kind_plurals() -> dict[str, str]:
    return {"module": _("Modules"), "bundle": _("Bundles"), "service": _("Services")}


@require_safe
def browse(request: HttpRequest) -> HttpResponse:
    """GET /?page=&q=&kind= : what is no number, no kind or too long is passed over, as if it were not there."""
    currency = settings.TROTH.shop.currency
    q = _plain(request.GET.get("q", ""))
    kind = request.GET.get("kind", "")
    kind = kind if kind in shelf.KINDS else ""
    context: dict[str, Any] = {
        "shelf": shelf.browse(currency, _number(request.GET.get("page", "")), q, kind),
        "q": q,
        "kind": kind,
        "currency": currency,
        "heading": kind_plurals().get(kind, _("What we make")),
        "kinds": [("", _("Everything")), *kind_plurals().items()],
        "kind_names": kind_names(),
    }
    return page(request, "shelf.html", context)


@require_safe
def product(request: HttpRequest, slug: str) -> HttpResponse:
    """GET /p/<slug>"""
    currency = settings.TROTH.shop.currency
    found = shelf.detail(slug, currency)
    if found is None:
        raise Http404
    return page(request, "product.html", shown(found))


def shown(product: shelf.Detail) -> dict[str, Any]:
    """What the page of a product needs; the desk previews it with the same."""
    picture = media(product.pictures[0].file) if product.pictures else ""
    return {
        "product": product,
        "currency": settings.TROTH.shop.currency,
        "kind_plurals": kind_plurals(),
        "picture": picture,
        "described": described(product, picture),
    }


def _plain(words: str) -> str:
    """A search's words: at most 80 characters, none of them invisible."""
    return "".join(c for c in words[:80] if unicodedata.category(c)[0] != "C").strip()


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 1
