"""The roster: who works here, in which roles, until when. Changes are the owner's, with a second factor of just now."""

from __future__ import annotations

from datetime import timedelta

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from troth.faces.desk.answers import page
from troth.faces.desk.forms import AttestForm, RolesForm
from troth.faces.desk.guards import open_to
from troth.faces.storefront.guards import See
from troth.pledge import clock
from troth.shop.journeys import roster
from troth.shop.refusal import Refused

form_page = require_http_methods(["GET", "HEAD", "POST"])
STATES = frozenset({"suspended", "active", "ended", "reviewed"})


@require_safe
@open_to("officer", "owner")
def listing(request: HttpRequest) -> HttpResponse:
    seat = request.desk  # type: ignore[attr-defined]
    return page(
        request, "colleagues.html", {"lines": roster.colleagues(seat.capability), "owner": "owner" in seat.roles}
    )


@form_page
@open_to("owner", fresh=True)
def invite(request: HttpRequest) -> HttpResponse:
    form = RolesForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        seat, given = request.desk, form.cleaned_data  # type: ignore[attr-defined]
        link = roster.invite(seat.capability, seat.fresh, given["roles"], given["kind"])
        return page(request, "invited.html", {"link": link})
    return page(request, "invite.html", {"form": form}, 400 if request.method == "POST" else 200)


@form_page
@open_to("owner", fresh=True)
def view(request: HttpRequest, ref: str) -> HttpResponse:
    """A colleague, and the form by which the owner attests them."""
    seat = request.desk  # type: ignore[attr-defined]
    line = next((one for one in roster.colleagues(seat.capability) if one.ref == ref), None)
    if line is None:
        raise Http404
    if request.method != "POST":
        until = line.until or clock.now() + timedelta(days=365)
        form = AttestForm(initial={"roles": line.roles, "kind": line.kind, "until": until.date().isoformat()})
        return page(request, "colleague.html", {"form": form, "line": line})
    form = AttestForm(request.POST)
    if form.is_valid():
        given = form.cleaned_data
        try:
            roster.attest(seat.capability, seat.fresh, ref, given["roles"], given["kind"], given["until"])
        except Refused as no:
            form.refuse(no)
        else:
            return See(reverse("desk_colleagues"))
    return page(request, "colleague.html", {"form": form, "line": line}, 400)


@require_POST
@open_to("owner", fresh=True)
def put(request: HttpRequest, ref: str) -> HttpResponse:
    seat, state = request.desk, request.POST.get("state", "")  # type: ignore[attr-defined]
    if state not in STATES:
        raise Refused(_("Choose what is to become of this account with one of the buttons."))
    roster.put(seat.capability, seat.fresh, ref, state)
    return See(reverse("desk_colleagues"))
