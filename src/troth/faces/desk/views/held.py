"""Held orders: why each waits, what stood against it, until when; release or refuse it. Opens nobody.

Who looks sees the signs and their points, never an address: it lies sealed, and a decision needs none.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from troth.faces.desk.answers import page
from troth.faces.desk.guards import open_to
from troth.faces.storefront.guards import See
from troth.faces.storefront.views import errors
from troth.shop.fraud.signs import to_us
from troth.shop.journeys import suspend
from troth.shop.staff.short import code

READERS = ("billing", "owner")


@require_safe
@open_to(*READERS)
def listing(request: HttpRequest) -> HttpResponse:
    found = [(hold, code(hold.order.person_id), to_us(hold.signs)) for hold in suspend.waiting()]
    return page(request, "held.html", {"held": found, "rules": suspend.rules()})


@require_POST
@open_to(*READERS)
def put(request: HttpRequest, ref: str) -> HttpResponse:
    """do=release or do=refuse. Refused where somebody was first."""
    verb = {"release": suspend.release, "refuse": suspend.refuse}.get(request.POST.get("do", ""))
    if verb is None:
        return errors.bad_request(request)
    verb(ref, request.desk.told.colleague.ref)  # type: ignore[attr-defined]
    return See(reverse("desk_held"))
