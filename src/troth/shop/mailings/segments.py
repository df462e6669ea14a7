"""Segments: to whom a mailing goes, by what they bought and by nothing else. No opens, no clicks, no guesses."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from troth.pledge.vault.models import Person
from troth.shop.orders.models import Order, OrderLine
from troth.shop.refusal import Refused


class Segment(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """All that is given has to fit one paid line; nothing given: everybody who may be told."""

    product: str = ""  # its slug
    edition: str = ""  # its code, of that product
    bought_since: date | None = None
    bought_before: date | None = None
    updates_end_from: date | None = None
    updates_end_to: date | None = None

    @property
    def is_everybody(self) -> bool:
        return not msgspec.to_builtins(self)


def read(kept: dict[str, Any]) -> Segment:
    """A segment from its row. Refused for one that is none."""
    try:
        return msgspec.convert(kept, Segment)
    except msgspec.ValidationError:
        raise Refused(_("A segment has product, edition, and days written as 2026-11-30; please look at it.")) from None


def write(segment: Segment) -> dict[str, Any]:
    if segment.edition and not segment.product:
        raise Refused(_("An edition is one of a product; name the product as well."))
    kept: dict[str, Any] = msgspec.to_builtins(segment)
    return kept


def persons(segment: Segment) -> QuerySet[Person]:
    """Who bought accordingly, whether or not they may be written to."""
    everybody = Person.objects.filter(taken_at__isnull=False)
    if segment.is_everybody:
        return everybody
    return everybody.filter(pk__in=_lines(segment).values("order__person"))


def _lines(segment: Segment) -> QuerySet[OrderLine]:
    wanted = Q(order__state=Order.PAID, ended="")
    for value, name in (
        (segment.product, "edition__product"),
        (segment.edition, "edition__code"),
        (segment.bought_since, "order__paid_at__date__gte"),
        (segment.bought_before, "order__paid_at__date__lt"),
        (segment.updates_end_from, "licences__updates_until__gte"),
        (segment.updates_end_to, "licences__updates_until__lte"),
    ):
        if value:
            wanted &= Q(**{name: value})
    return OrderLine.objects.filter(wanted)
