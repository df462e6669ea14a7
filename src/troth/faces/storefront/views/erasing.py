"""To be forgotten: ask, prove it, look how far it is, cancel while that is possible. No page here names anybody."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from troth.faces.storefront.answers import page, word
from troth.faces.storefront.forms.accounts import PasswordForm, RecoverForm
from troth.faces.storefront.guards import See, answers_for_the_keeper, for_the_signed_in
from troth.faces.storefront.views import errors
from troth.faces.storefront.views.orders import reachable
from troth.pledge.rights.models import Erasure
from troth.shop.journeys import erase
from troth.shop.refusal import Refused

form_page = require_http_methods(["GET", "HEAD", "POST"])


@form_page
@sensitive_post_parameters()
@for_the_signed_in
@answers_for_the_keeper
def own(request: HttpRequest) -> HttpResponse:
    """/account/erase: by the password, or by a link to the mailbox on file."""
    person = request.who.person_ref  # type: ignore[attr-defined]
    going = erase.under_way(person)
    if going is not None:
        return See(erase.page_of(going))
    if request.method == "POST" and "link" in request.POST:
        erase.ask_for(person)
        return _look_into_your_mailbox(request)
    form = PasswordForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            capability = request.who.capability  # type: ignore[attr-defined]
            return See(erase.page_of(erase.by_password(person, capability, form.cleaned_data["password"])))
        except Refused as no:
            form.refuse(no)
    return page(request, "account_erase.html", _terms() | {"form": form}, 400 if request.method == "POST" else 200)


@form_page
@answers_for_the_keeper
def ask(request: HttpRequest) -> HttpResponse:
    """/erase: for whoever cannot sign in. The same answer for every address, known or not."""
    form = RecoverForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return page(request, "erase.html", _terms() | {"form": form}, 400 if request.method == "POST" else 200)
    erase.ask(form.cleaned_data["email"])
    return _look_into_your_mailbox(request)


@form_page
@answers_for_the_keeper
def of_order(request: HttpRequest, ref: str) -> HttpResponse:
    """/orders/…/erase: for guests. Who may see the order may ask; the mailbox it was ordered with decides."""
    order = reachable(request, ref)
    if order is None:
        return errors.no_such_order(request)
    if request.method != "POST":
        return page(request, "order_erase.html", _terms() | {"order": order})
    erase.ask_for(order.person_id)
    return _look_into_your_mailbox(request)


@form_page
@answers_for_the_keeper
def prove(request: HttpRequest, ticket: str, secret: str) -> HttpResponse:
    """GET changes nothing, since mail programs look at links by themselves; the button does."""
    if request.method != "POST":
        return page(request, "erase_prove.html", _terms())
    try:
        return See(erase.page_of(erase.prove(ticket, secret)))
    except Refused as no:
        return word(
            request, _("This link is over"), str(no.sentence), href=reverse("erase"), label=_("Ask for the letter")
        )


@form_page
def receipt(request: HttpRequest, ref: str, token: str) -> HttpResponse:
    """/erasures/…: how far it is, and in the end the receipt. The address itself is what authorises."""
    erasure = erase.found(ref, token)
    if erasure is None:
        return errors.not_found(request)
    if request.method == "POST" and erase.cancel(erasure):
        return See(request.path)
    erasure.refresh_from_db()
    return page(request, "erasure.html", _terms() | {"erasure": erasure, "erased": erasure.state in Erasure.ERASED})


def _look_into_your_mailbox(request: HttpRequest) -> HttpResponse:
    return word(
        request,
        _("Look into your mailbox"),
        _("If we know the address, a letter with a link comes in a minute. Nothing happens before you follow it."),
        _("Nothing there? Look at the spelling, and into the folder for unwanted mail."),
    )


def _terms() -> dict[str, int]:
    """What the pages say beforehand: hours to cancel, years that tax law keeps a bill."""
    policy = settings.TROTH.policy
    return {"window_hours": policy.erase_window, "tax_years": policy.tax_years}
