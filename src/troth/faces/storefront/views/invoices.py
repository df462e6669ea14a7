"""Invoices, as a page and as a PDF: by the link in the letter, without a cookie, or by who is signed in."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from troth.faces.storefront.answers import page
from troth.faces.storefront.views import errors
from troth.shop.journeys import invoice as journey
from troth.shop.journeys import standby
from troth.shop.refusal import Refused


@require_safe
def view(request: HttpRequest, invoice: str) -> HttpResponse:
    """GET /invoice/<id>, from a letter with ?s=…: the invoice as a page, to read and to print."""
    signature = request.GET.get("s", "")
    try:
        said = journey.page(invoice, signature, _capability(request))
    except Refused as no:
        return _kept(errors.refused(request, str(no.sentence), 403))
    except standby.Late:
        return _late(request)
    return _kept(page(request, "invoice.html", {"said": said, "invoice": invoice, "signature": signature}))


@require_safe
def paper(request: HttpRequest, invoice: str) -> HttpResponse:
    """GET /invoice/<id>.pdf, from a letter with ?s=…"""
    try:
        number, document = journey.pdf(invoice, request.GET.get("s", ""), _capability(request))
    except Refused as no:
        return _kept(errors.refused(request, str(no.sentence), 403))
    except standby.Late:
        return _late(request)
    response = HttpResponse(document, content_type="application/pdf")
    name = number.replace("/", "-").replace(" ", "-")
    response.headers["Content-Disposition"] = content_disposition_header(True, f"{name}.pdf") or "attachment"
    return _kept(response)


def _capability(request: HttpRequest) -> str:
    return request.who.capability or ""  # type: ignore[attr-defined]


def _late(request: HttpRequest) -> HttpResponse:
    sentence = _("Your invoice is still being made; please load this page again in a moment.")
    response = errors.refused(request, sentence, 503)
    response.headers["Retry-After"] = "5"
    return _kept(response)


def _kept(response: HttpResponse) -> HttpResponse:
    """In no cache: an address stands in it."""
    response.headers["Cache-Control"] = "private, no-store"
    return response
