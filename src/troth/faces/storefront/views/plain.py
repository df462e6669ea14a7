"""What machines ask about a site."""

from __future__ import annotations

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from troth.faces.storefront import gpc
from troth.pledge import clock
from troth.shop.support import security_txt as making


@require_safe
def security_txt(request: HttpRequest) -> HttpResponse:
    """RFC 9116."""
    return HttpResponse(making.text(settings.TROTH, clock.now()), content_type="text/plain; charset=utf-8")


@require_safe
def gpc_json(request: HttpRequest) -> JsonResponse:
    """Global Privacy Control (W3C draft, "GPC support resource"): honoured, as nothing is ever sold or shared."""
    return JsonResponse(msgspec.to_builtins(gpc.Support(gpc=True)))
