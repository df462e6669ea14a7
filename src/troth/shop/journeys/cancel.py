"""Cancel: an order that nobody has paid is let go by somebody at the desk, before it lapses by itself.

The providers are asked first, as before an order lapses (watch.py): money that came, or is on its way, keeps it.
Money that comes later still counts: then the order is paid after all.
"""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from troth.pledge.due import loop as due
from troth.shop.coupons import uses
from troth.shop.journeys import settle
from troth.shop.licences import stock
from troth.shop.orders.models import Order
from troth.shop.payments.models import Payment
from troth.shop.refusal import Refused

UNSURE = ("down", "refused", "not-offered")


def cancel(order: Order) -> None:
    """Refused where it is not open any more, a provider holds money for it, or cannot be asked now."""
    for payment in order.payments.exclude(state__in=Payment.SETTLED):
        if settle.look(payment) in UNSURE:
            raise Refused(_("The payment provider cannot be asked now; try again, or let the order lapse by itself."))
    if order.payments.filter(state__in=(Payment.PENDING, Payment.REVIEW)).exists():
        raise Refused(_("The payment provider holds money for this order; it cannot be cancelled before that ends."))
    with transaction.atomic():
        if Order.objects.filter(pk=order.pk, state=Order.OPEN).update(state=Order.CANCELLED) != 1:
            raise Refused(_("This order is not open any more; look at it again."))
        stock.give_back(order.ref)
        uses.give_back(order.ref)
        due.drop(("abandon", order.ref))
