"""Look an order up: by its number, by a licence key, or in the list by state and day. Never by browsing people."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import msgspec
from django.db.models import Q

from troth.pledge.ids import SHAPE
from troth.shop.licences import secret
from troth.shop.licences.keys import MOST, canonical
from troth.shop.licences.models import Licence, RetiredKey
from troth.shop.orders.models import Order
from troth.shop.payments.models import Payment

PAGE = 50
BEGIN = datetime(1970, 1, 1, tzinfo=UTC)
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


def orders(shown: str, day: date | None = None, before: Mark | None = None) -> tuple[list[Order], bool]:
    """A page of orders, the newest first, and whether there are older ones. `before`: the last of the page before.

    `day`: those of one day (UTC). The next page is sought from a row, so the thousandth costs what the first does.
    """
    rows = Order.objects.filter(SHOWN.get(shown, Q()))
    if day is not None:
        begins = datetime(day.year, day.month, day.day, tzinfo=UTC)
        rows = rows.filter(made_at__gte=begins, made_at__lt=begins + timedelta(days=1))
    if before is not None:
        rows = rows.filter(made_at__lte=before.at).exclude(made_at=before.at, ref__lte=before.name)
    found = list(rows.order_by("-made_at", "ref")[: PAGE + 1])
    return found[:PAGE], len(found) > PAGE


class Mark(msgspec.Struct, frozen=True):
    """The last row of a page, as the address of the next one names it: its time and its id."""

    at: datetime
    name: str

    def __str__(self) -> str:
        return f"{(self.at - BEGIN) // timedelta(microseconds=1)}.{self.name}"

    @classmethod
    def read(cls, text: str) -> Mark | None:
        """None for what is no mark: then the list begins anew."""
        micro, _, name = text.partition(".")
        if not SHAPE.match(name) or not micro.isascii() or not micro.isdigit() or len(micro) > 16:
            return None
        return cls(BEGIN + timedelta(microseconds=int(micro)), name)


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
