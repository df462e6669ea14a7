"""/orders/…/account: for guests who want to see, take along or correct what is held of them."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from troth.faces.storefront.answers import page, word
from troth.faces.storefront.views import errors
from troth.faces.storefront.views.orders import reachable
from troth.shop.journeys import invite


@require_http_methods(["GET", "HEAD", "POST"])
def of_order(request: HttpRequest, ref: str) -> HttpResponse:
    """Who may see the order may ask; the mailbox it was ordered with decides."""
    order = reachable(request, ref)
    if order is None:
        return errors.no_such_order(request)
    if request.method != "POST":
        return page(request, "order_account.html", {"order": order})
    invite.ask(order)
    return word(
        request,
        _("Look into your mailbox"),
        _("A letter with a link goes to the address of this order. Choose a password there: you are a customer with "
          "an account then, and see, take along, correct or erase everything yourself."),
        section="",
    )  # fmt: skip
