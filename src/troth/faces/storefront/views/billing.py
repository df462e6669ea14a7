"""/orders/<ref>/invoice: have an invoice written anew, with a company on it. For who is signed in and was billed."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from troth.faces.storefront.answers import page
from troth.faces.storefront.forms.billing import BillingForm
from troth.faces.storefront.guards import See, answers_for_the_keeper, for_the_signed_in
from troth.faces.storefront.views import errors
from troth.pledge.ids import SHAPE
from troth.shop.journeys import bill_anew
from troth.shop.orders.models import Order
from troth.shop.refusal import Refused


@require_http_methods(["GET", "HEAD", "POST"])
@for_the_signed_in
@answers_for_the_keeper
def of_order(request: HttpRequest, ref: str) -> HttpResponse:
    """GET shows the form, empty: nothing is opened for it. POST bills anew: 303 to the order, with its papers."""
    who = request.who  # type: ignore[attr-defined]
    order = Order.found(ref) if SHAPE.match(ref) else None
    if order is None or order.person_id != who.person_ref:
        return errors.no_such_order(request)
    standing = bill_anew.standing(order)
    if standing is None:
        return See(reverse("order", args=[ref]))
    form = BillingForm(request.POST if request.method == "POST" else None, {"time": str(standing.time)})
    if request.method == "POST" and form.is_valid():
        try:
            address = form.billing(standing.country)
            bill_anew.bill_anew(order, who.capability, address, form.cleaned_data["time"])
        except Refused as no:
            form.refuse(no)
        else:
            return See(reverse("order", args=[ref]))
    context = {"form": form, "order": order, "standing": standing}
    return page(request, "order_invoice.html", context, 400 if request.method == "POST" else 200)
