"""Pages that hardly change: contact, and what machines ask about a site."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from troth.faces.storefront.answers import page
from troth.pledge import clock


@require_safe
def security_txt(request: HttpRequest) -> HttpResponse:
    """RFC 9116. It expires in half a year from now: as long as the shop answers, the contact is good."""
    shop = settings.TROTH.shop
    public = settings.TROTH.web.public_url.rstrip("/")
    contact = f"mailto:{shop.contact_email}" if shop.contact_email else public + reverse("contact")
    expires = (clock.now() + timedelta(days=182)).replace(hour=0, minute=0, second=0, microsecond=0)
    lines = [
        f"Contact: {contact}",
        f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}",
        f"Preferred-Languages: {shop.language}",
        f"Canonical: {public}{reverse('security_txt')}",
    ]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


@require_safe
def gpc_json(request: HttpRequest) -> JsonResponse:
    """Global Privacy Control (W3C draft, "GPC support resource"): honoured, as nothing is ever sold or shared."""
    return JsonResponse({"gpc": True, "lastUpdate": "2026-11-22"})
