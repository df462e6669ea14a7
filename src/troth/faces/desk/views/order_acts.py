"""What is done to an order from its page: each view calls the verb that the command line calls, and comes back."""

from __future__ import annotations

from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from troth.faces.desk.answers import word
from troth.faces.desk.forms_of_orders import ExtendForm
from troth.faces.desk.guards import open_to
from troth.faces.storefront.guards import See
from troth.pledge.ids import SHAPE
from troth.shop.journeys import cancel as cancelling
from troth.shop.journeys import extend as extending
from troth.shop.journeys import redeliver, settle
from troth.shop.orders.models import Order
from troth.shop.payments import gateways
from troth.shop.refusal import Refused


@require_POST
@open_to("support", "billing")
def letter(request: HttpRequest, ref: str) -> HttpResponse:
    """The letter with the goods, once more."""
    order = found(ref)
    return done(request, order, lambda: redeliver.ask(order))


@require_POST
@open_to("support")
def extend(request: HttpRequest, ref: str) -> HttpResponse:
    order, form = found(ref), ExtendForm(request.POST)
    if not form.is_valid():
        sentence = _("Type how many days, or how many times more: 366 and 100 at most.")
        return _no(request, order, sentence)
    given = form.cleaned_data
    return done(
        request,
        order,
        lambda: extending.extend(
            order, given["grant"], days=given["days"] or 0, times=given["times"] or 0, before=given["before"]
        ),
    )


@require_POST
@open_to("support", "billing")
def cancel(request: HttpRequest, ref: str) -> HttpResponse:
    order = found(ref)
    return done(request, order, lambda: cancelling.cancel(order))


@require_POST
@open_to("support", "billing")
def ask(request: HttpRequest, ref: str) -> HttpResponse:
    """Ask the providers of this order's payments now, instead of when it is due; its page shows what they said."""
    order = found(ref)
    for one in order.payments.exclude(provider=gateways.TRANSFER).order_by("made_at"):
        settle.look(one)
    return See(reverse("desk_order", args=[order.ref]))


def found(ref: str) -> Order:
    order = Order.found(ref) if SHAPE.match(ref) else None
    if order is None:
        raise Http404
    return order


def done(request: HttpRequest, order: Order, verb: Callable[[], object]) -> HttpResponse:
    """Do it, and back to the order; its no as a page of its own."""
    try:
        verb()
    except Refused as no:
        sentence = str(no.sentence)
    else:
        return See(reverse("desk_order", args=[order.ref]))
    return _no(request, order, sentence)


def _no(request: HttpRequest, order: Order, sentence: str) -> HttpResponse:
    back = reverse("desk_order", args=[order.ref])
    return word(request, _("That does not work"), sentence, status=400, href=back, label=_("To the order"))
