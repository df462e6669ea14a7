"""A person's own pages. They show orders by reference and open nothing of the person unless asked to."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from troth.faces.storefront.answers import page, word
from troth.faces.storefront.forms.accounts import ChangeEmailForm, ChangePasswordForm
from troth.faces.storefront.guards import See, answers_for_the_keeper, for_the_signed_in, to_sign_in
from troth.faces.storefront.signed_in import enter
from troth.pledge.keeper.messages import NEWEST
from troth.pledge.vault.door import KeeperAway
from troth.shop.accounts.models import Account, Claim
from troth.shop.journeys import change_email, download, entitlement, erase, held, invoice, licence, own_data, who_looked
from troth.shop.orders.models import Order, OrderLine
from troth.shop.refusal import Refused

form_page = require_http_methods(["GET", "HEAD", "POST"])
MOST_ORDERS = 100


@require_safe
@for_the_signed_in
@answers_for_the_keeper
def account(request: HttpRequest) -> HttpResponse:
    """GET /account; with ?show=me name, address and postcode are opened too, which the ledger notes."""
    who = request.who  # type: ignore[attr-defined]
    mine, going = None, erase.under_way(who.person_ref)
    if request.GET.get("show") == "me" and going is None:
        try:
            mine = own_data.show(who.person_ref, who.capability)
        except Refused:
            return to_sign_in(request)  # the capability has ended before the session
    context = {
        "orders": _orders(who.person_ref),
        "state_names": {
            Order.OPEN: _("Not paid yet"),
            Order.HELD: _("Being looked at"),
            Order.PAID: _("Paid"),
            Order.CANCELLED: _("Cancelled"),
            Order.EXPIRED: _("Lapsed"),
            Order.REFUNDED: _("Paid back"),
        },
        "mine": mine,
        "downloads": download.of_person(who.person_ref),
        "licences": (mine_too := licence.of_person(who.person_ref)),
        "composer": licence.commands(mine_too),
        "services": entitlement.of_person(who.person_ref),
        "erasing": erase.page_of(going) if going else "",
        "confirmed": Account.objects.filter(pk=who.person_ref, confirmed_at__isnull=False).exists(),
    }
    return page(request, "account.html", context)


def _orders(person: str) -> list[dict[str, Any]]:
    """The latest orders with their items' names and their invoices: three queries."""
    orders = list(Order.objects.filter(person__in=Claim.persons_of(person)).order_by("-made_at")[:MOST_ORDERS])
    names: dict[str, list[str]] = {}
    lines = OrderLine.objects.filter(order__in=orders).order_by("pk")
    for ref, name in lines.values_list("order_id", "name"):
        names.setdefault(ref, []).append(name)
    invoices = invoice.of_each(orders)
    return [
        {
            "ref": order.ref,
            "made_at": order.made_at,
            "total": order.total,
            "state": order.state,
            "names": "; ".join(names.get(order.ref, [])),
            "invoices": invoices.get(order.ref, []),
        }
        for order in orders
    ]


@form_page
@sensitive_post_parameters()
@for_the_signed_in
@answers_for_the_keeper
def email(request: HttpRequest) -> HttpResponse:
    who = request.who  # type: ignore[attr-defined]
    form = ChangeEmailForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            change_email.ask(who.person_ref, who.capability, form.cleaned_data["password"], form.cleaned_data["email"])
        except Refused as no:
            form.refuse(no)
        else:
            return word(
                request,
                _("Look into your new mailbox"),
                _("We have sent a link there. Once you have followed it, the new address is in use."),
                _("The old one gets a letter too, so that nobody changes it behind your back."),
                href=reverse("account"),
                label=_("To your account"),
            )
    return page(request, "account_email.html", {"form": form}, 400 if request.method == "POST" else 200)


@form_page
@sensitive_post_parameters()
@for_the_signed_in
@answers_for_the_keeper
def password(request: HttpRequest) -> HttpResponse:
    who = request.who  # type: ignore[attr-defined]
    form = ChangePasswordForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            signed = change_email.password(who.person_ref, who.capability, given["old"], given["password"])
        except Refused as no:
            form.refuse(no)
        else:
            response = See(reverse("account"))
            enter(request, response, signed)
            return response
    return page(request, "account_password.html", {"form": form}, 400 if request.method == "POST" else 200)


@require_safe
@for_the_signed_in
def privacy(request: HttpRequest) -> HttpResponse:
    """What is held, table by table, and who looked at it: counted and listed, opened by nobody. ?before=<n>: older."""
    context = {"held": held.held(request.who.person_ref)} | _looks(request)  # type: ignore[attr-defined]
    return page(request, "account_privacy.html", context)


def _looks(request: HttpRequest) -> dict[str, Any]:
    """A page of entries about this person, newest first; `untold` says why there is none to be shown."""
    asked = request.GET.get("before", "")
    before = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 19 else NEWEST
    who = request.who  # type: ignore[attr-defined]
    try:
        looks, more = who_looked.looks(who.person_ref, who.capability, before)
    except Refused as no:
        return {"untold": no.sentence}
    except KeeperAway:
        return {"untold": _("The part of the shop that keeps this list is starting; look again in a minute.")}
    return {"looks": looks, "older": looks[-1].seq if more else None, "newest": before == NEWEST}
