"""An order's licences: as signed files, and with a key that can be replaced."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from troth.faces.storefront.guards import See
from troth.faces.storefront.views import errors, orders
from troth.shop.journeys import activate, licence
from troth.shop.licences.standing import NoLicence
from troth.shop.orders.models import Order
from troth.shop.refusal import Refused


@require_safe
def signed_file(request: HttpRequest, ref: str, name: str) -> HttpResponse:
    """GET /orders/<ref>/licences/<id>.json: for who may see the order."""
    order = orders.reachable(request, ref)
    if order is None:
        return errors.no_such_order(request)
    try:
        body = activate.signed_file(_of(order, name).key)
    except NoLicence as no:
        return errors.refused(request, str(no.sentence), 403)
    headers = {"Content-Disposition": 'attachment; filename="licence.json"'}
    return HttpResponse(body, content_type="application/json", headers=headers)


@require_POST
def replace(request: HttpRequest, ref: str, name: str) -> HttpResponse:
    """POST /orders/<ref>/licences/<id>/replace: 303 to the order's page, which shows the new key."""
    order = orders.reachable(request, ref)
    if order is None:
        return errors.no_such_order(request)
    try:
        licence.rotate(_of(order, name).id)
    except Refused as no:
        return orders.show(request, order, no.sentence, 409)
    return See(reverse("order", args=[order.ref]))


def _of(order: Order, name: str) -> licence.Shown:
    """That licence of this order; 404 for any other one."""
    for one in licence.of(order):
        if one.id == name:
            return one
    raise Http404
