"""Look an order up: by its number, by a licence key, or in the list by state. Never by browsing people."""

from __future__ import annotations

from django.db.models import Q

from troth.pledge.ids import SHAPE
from troth.shop.licences import secret
from troth.shop.licences.keys import MOST, canonical
from troth.shop.licences.models import Licence, RetiredKey
from troth.shop.orders.models import Order
from troth.shop.payments.models import Payment

PAGE = 50
# what a list may be narrowed to -> which orders
SHOWN: dict[str, Q] = {
    "": Q(),
    "open": Q(state=Order.OPEN),
    "held": Q(state=Order.HELD),
    "paid": Q(state=Order.PAID),
    "refunded": Q(state=Order.REFUNDED),
    "lapsed": Q(state__in=(Order.CANCELLED, Order.EXPIRED)),
    "review": Q(payments__state=Payment.REVIEW),
    "disputed": Q(payments__disputes__state="open"),
}


def orders(shown: str, page: int) -> tuple[list[Order], bool]:
    """One page of orders, the newest first, and whether there are older ones."""
    rows = Order.objects.filter(SHOWN.get(shown, Q())).order_by("-made_at", "ref")
    begin = (page - 1) * PAGE
    found = list(rows[begin : begin + PAGE + 1])
    return found[:PAGE], len(found) > PAGE


def order(text: str) -> str | None:
    """The number of the order that this number, or this licence key, is of; None if there is none."""
    text = text.strip()
    if SHAPE.match(text.lower()):
        found = Order.found(text.lower())
        return found.ref if found else None
    if not text or len(text) > MOST:
        return None
    key_hash = secret.look_up(canonical(text))
    now = Licence.objects.filter(key_hash=key_hash).values_list("line__order", flat=True).first()
    return now or RetiredKey.objects.filter(key_hash=key_hash).values_list("licence__line__order", flat=True).first()
