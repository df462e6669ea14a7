"""Uses of coupons: taken with the order, given back when it lapses. Each count is one conditional update.

All of them belong into the caller's transaction, together with what they are about.
"""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import F, Q
from django.utils.translation import gettext as _

from troth.pledge import returning
from troth.shop.coupons.models import Coupon, Use
from troth.shop.coupons.offer import used_up
from troth.shop.orders.models import Order
from troth.shop.refusal import Refused


def take(order: Order, persons: Collection[str]) -> None:
    """A use for a new order. `persons`: all references under which this customer is known to have bought.

    Refused where none is left, or this customer had theirs.
    """
    # The count first: the row is locked until the commit, so that no coupon is ended or used up in between.
    left = Coupon.objects.filter(Q(limit__isnull=True) | Q(used__lt=F("limit")), pk=order.coupon)
    raised = returning.update(left, used=F("used") + 1)
    if not raised:
        raise Refused(used_up())
    once = raised[0].once
    use = Use(
        order=order,
        coupon_id=order.coupon,
        once_person=order.person_id if once else None,
        once_viewer=order.viewer if once else None,
    )
    earlier = once and Use.objects.filter(coupon=order.coupon, once_person__in=persons).exists()
    if earlier or not returning.insert(Use, [use]):
        raise Refused(_("You used this coupon with an order before; take it out, or pay that order if it is not paid."))


def give_back(order_ref: str) -> None:
    """The use of an order that nobody paid is free again. Said twice it is given back once."""
    for coupon in list(Use.objects.filter(order=order_ref).values_list("coupon", flat=True)):
        gone, _tables = Use.objects.filter(order=order_ref).delete()
        Coupon.objects.filter(pk=coupon).update(used=F("used") - gone)


def refunded(order: Order) -> None:
    """All of an order was paid back: its use is free again if the coupon was made so."""
    if order.coupon and Coupon.objects.filter(pk=order.coupon, again=True).exists():
        give_back(order.ref)


def must_have(order: Order) -> None:
    """Refused where an order that lapsed cannot be paid at its price any more: its use went to somebody else."""
    if not order.coupon or Use.objects.filter(order=order).exists():
        return
    if not Coupon.objects.filter(Q(limit__isnull=True) | Q(used__lt=F("limit")), pk=order.coupon).exists():
        raise Refused(_("This order's coupon has been used up since it lapsed; order again without it."))


def keep(order: Order) -> None:
    """A paid order has its use, also one whose money came after it lapsed: a price that was paid stands.

    Only then may a coupon be used more often than it is for; the count says so.
    """
    if returning.insert(Use, [Use(order=order, coupon_id=order.coupon)]):
        Coupon.objects.filter(pk=order.coupon).update(used=F("used") + 1)
