"""What does not end by itself as it should, and the button that mends it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from troth.faces.desk.answers import page, word
from troth.faces.desk.guards import open_to
from troth.faces.desk.views.orders import READERS
from troth.faces.storefront.guards import See
from troth.shop.journeys import stuck
from troth.shop.refusal import Refused


@require_safe
@open_to(*READERS)
def listing(request: HttpRequest) -> HttpResponse:
    roles = request.desk.roles  # type: ignore[attr-defined]
    context = {
        "found": stuck.found(),
        "may_send": bool({"support", "billing"} & roles),
        "may_run": bool({"support", "billing", "owner"} & roles),
    }
    return page(request, "stuck.html", context)


@require_POST
@open_to("support", "billing", "owner")
def again(request: HttpRequest, row: str) -> HttpResponse:
    """Let the worker try what was given up, now."""
    try:
        stuck.again(row)
    except Refused as no:
        sentence = str(no.sentence)
    else:
        return See(reverse("desk_stuck"))
    back = reverse("desk_stuck")
    return word(request, _("That does not work"), sentence, status=400, href=back, label=_("To what is stuck"))
