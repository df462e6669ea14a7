"""Letters: how far each got, by kind, state and order. No address, no text: neither is kept with a letter."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from troth.faces.desk.answers import page, word
from troth.faces.desk.guards import open_to
from troth.faces.desk.views.orders import READERS
from troth.faces.storefront.guards import See
from troth.shop import ways_out
from troth.shop.journeys import send_again
from troth.shop.journeys.look_up import Mark
from troth.shop.refusal import Refused
from troth.shop.staff.short import code


@require_safe
@open_to(*READERS)
def listing(request: HttpRequest) -> HttpResponse:
    state, kind = request.GET.get("state", ""), request.GET.get("kind", "")
    state = state if state in send_again.STATES else ""
    kind = kind if kind in ways_out.LETTERS else ""
    found, more = send_again.listed(state, kind, Mark.read(request.GET.get("before", "")))
    last = found[-1].letter if found and more else None
    context = {
        "letters": [(one, code(one.letter.person_id)) for one in found],
        "states": ("", *send_again.STATES),
        "state": state,
        "kinds": sorted(ways_out.LETTERS),
        "kind": kind,
        "older": str(Mark(last.queued_at, last.id)) if last else "",
    }
    return page(request, "mails.html", context)


@require_POST
@open_to("support", "billing")
def again(request: HttpRequest, letter: str) -> HttpResponse:
    """Send it once more: the verb is the same from here, from the list of stuck things and from an order."""
    try:
        send_again.letter(letter)
    except Refused as no:
        sentence = str(no.sentence)
    else:
        return See(reverse("desk_mails"))
    back = reverse("desk_mails")
    return word(request, _("That does not work"), sentence, status=400, href=back, label=_("To the letters"))
