"""To withdraw from a purchase: say so, confirm it. A page that can be found without an account, as the law wants."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from troth.faces.storefront.answers import page, word
from troth.faces.storefront.forms import fields
from troth.faces.storefront.forms.base import ShopForm
from troth.faces.storefront.guards import See
from troth.faces.storefront.views import errors
from troth.faces.storefront.views.orders import reachable
from troth.shop.journeys import withdraw
from troth.shop.refusal import Refused

form_page = require_http_methods(["GET", "HEAD", "POST"])


def _looks_like_one(number: str) -> None:
    """By its first letters alone, the same for known and unknown ones: an invoice's number is soon mistaken for it."""
    if not number.lower().startswith("ord_"):
        sentence = gettext_lazy("An order's number begins with ord_; it stands in the letter's link to the order.")
        raise ValidationError(sentence, "pattern")


class NumberForm(ShopForm):
    order = fields.Text(
        gettext_lazy("Order number"),
        40,
        _looks_like_one,
        hint=gettext_lazy("It begins with ord_ and stands in every letter about the order."),
    )

    def clean_order(self) -> str:
        return str(self.cleaned_data["order"]).strip().lower()


@form_page
def ask(request: HttpRequest) -> HttpResponse:
    """/withdraw: by the order's number. The same answer for every number, known or not."""
    form = NumberForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return page(request, "withdraw.html", _terms() | {"form": form}, 400 if request.method == "POST" else 200)
    withdraw.ask(form.cleaned_data["order"])
    return word(
        request,
        _("Look into your mailbox"),
        _("If we know the number, a letter comes to the mailbox that the order was made with. "
          "One press there confirms your withdrawal; it counts from this moment."),
        _("Nothing there? Look at the number, and into the folder for unwanted mail."),
    )  # fmt: skip


@form_page
def of_order(request: HttpRequest, ref: str) -> HttpResponse:
    """/orders/…/withdraw: who may see the order may withdraw: what the right is, then a button."""
    order = reachable(request, ref)
    if order is None:
        return errors.no_such_order(request)
    fault: object = ""
    if request.method == "POST":
        try:
            return See(withdraw.page_of(withdraw.declare(order)))
        except Refused as no:
            fault = no.sentence
    told = {"order": order, "right": withdraw.right(order), "fault": fault}
    return page(request, "order_withdraw.html", _terms() | told, 400 if fault else 200)


@form_page
def view(request: HttpRequest, ref: str, token: str) -> HttpResponse:
    """/withdrawals/…: confirm it, or read what it came to. The address itself is what authorises."""
    found = withdraw.found(ref, token)
    if found is None:
        return errors.not_found(request)
    if request.method == "POST":
        withdraw.confirm(found)
        return See(request.path)
    told = {"withdrawal": found, "right": withdraw.right(found.order, found.asked_at)}
    return page(request, "withdrawal.html", _terms() | told)


def _terms() -> dict[str, int]:
    return {"days": settings.TROTH.shop.withdrawal_days}
