"""Mailings: written and looked at by who keeps the catalogue, let go by an owner with a second factor of just now.

No page of them shows anybody: a mailing knows numbers, and whom it may reach the customers decide.
"""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from troth.faces.desk.answers import page
from troth.faces.desk.forms_of_mailings import MailingForm, SendForm, filled
from troth.faces.desk.guards import open_to
from troth.faces.storefront.guards import See
from troth.shop.journeys import mailing
from troth.shop.mailings import segments
from troth.shop.refusal import Refused

WRITERS = ("catalogue", "owner")
# The letter's own styles, nothing fetched, nothing run; and no page frames it (W3C CSP 3).
LETTER = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'; sandbox"
form_page = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
@open_to(*WRITERS)
def listing(request: HttpRequest) -> HttpResponse:
    return page(request, "mailings.html", {"sheets": mailing.sheets()})


@form_page
@open_to(*WRITERS)
def write(request: HttpRequest) -> HttpResponse:
    return _written(request, "")


@form_page
@open_to(*WRITERS)
def change(request: HttpRequest, ref: str) -> HttpResponse:
    return _written(request, ref)


@require_safe
@open_to(*WRITERS)
def view(request: HttpRequest, ref: str) -> HttpResponse:
    """How it will look, whom it would reach, how far it is, and what may be done with it."""
    found = mailing.found(ref)
    context = {
        "sheet": mailing.sheet(found),
        "shown": mailing.preview(found),
        "test": mailing.test_under_way(found),
        "mailbox": settings.TROTH.shop.contact_email,
        "per_domain": settings.TROTH.mail.per_domain,
        "owner": "owner" in request.desk.roles,  # type: ignore[attr-defined]
    }
    return page(request, "mailing.html", context)


@require_safe
@open_to(*WRITERS)
def letter(request: HttpRequest, ref: str) -> HttpResponse:
    """The HTML part as it leaves, shown as a mail program does: styles, and nothing else."""
    response = HttpResponse(mailing.preview(mailing.found(ref)).html)
    response.headers["Content-Security-Policy"] = LETTER
    response.headers["X-Robots-Tag"] = "noindex"
    return response


@require_POST
@open_to(*WRITERS)
def put(request: HttpRequest, ref: str) -> HttpResponse:
    """A test to the shop's own address; or stop."""
    found, what = mailing.found(ref), request.POST.get("do", "")
    acts = {"test": mailing.test, "stop": mailing.stop}
    if what not in acts:
        raise Refused(_("Choose what is to be done with one of the buttons."))
    acts[what](found)
    return See(reverse("desk_mailing", args=[ref]))


@form_page
@open_to("owner", fresh=True)
def send(request: HttpRequest, ref: str) -> HttpResponse:
    """Let it begin, now or then, once it was said to how many."""
    found = mailing.found(ref)
    form = SendForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            mailing.send(found, form.cleaned_data["at"])
        except Refused as no:
            form.refuse(no)
        else:
            return See(reverse("desk_mailing", args=[ref]))
    context = {"form": form, "sheet": mailing.sheet(found), "reach": mailing.reach(found)}
    return page(request, "mailing_send.html", context, 400 if request.method == "POST" else 200)


def _written(request: HttpRequest, ref: str) -> HttpResponse:
    """The form, of a new mailing or of a draft; what comes back is a draft."""
    former = mailing.found(ref) if ref else None
    begins = filled(former.title, former.text, segments.read(former.segment)) if former else {}
    form = MailingForm(request.POST if request.method == "POST" else None, begins)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            if former:
                made = mailing.change(former, given["title"], given["text"], form.segment)
            else:
                made = mailing.compose(given["title"], given["text"], form.segment)
        except Refused as no:
            form.refuse(no)
        else:
            return See(reverse("desk_mailing", args=[made.id]))
    return page(
        request, "mailing_write.html", {"form": form, "former": former}, 400 if request.method == "POST" else 200
    )
