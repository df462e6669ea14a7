"""Services: given with the delivery, shown with the order and in the account, used up by the hour.

When a line is paid back or disputed its service ends with it, and comes back when a dispute is won: that is read from
the line (journeys/access.py) at every use and stands nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

import msgspec
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils.translation import gettext_lazy as _

from troth.pledge import clock, returning
from troth.pledge.policy.cards import holds_card_number
from troth.shop.accounts.models import Claim
from troth.shop.catalogue.models import Product
from troth.shop.entitlements.models import Entitlement, Work
from troth.shop.journeys.licence import months_later
from troth.shop.orders.models import Order, OrderLine
from troth.shop.refusal import Refused

MOST_WORDS = 80
HOUR = 60


class Done(msgspec.Struct, frozen=True):
    minutes: int
    what: str
    done_at: datetime


class Shown(msgspec.Struct, frozen=True):
    """A service as its buyer and who helps them read it. Minutes; 0 of 0 where it has no hours."""

    id: str
    order: str
    name: str
    begins: date
    until: date | None
    minutes: int
    left: int
    works: tuple[Done, ...]
    ended: bool  # its price was paid back, or is disputed

    @property
    def over(self) -> bool:
        return self.until is not None and self.until < clock.now().date()

    @property
    def in_force(self) -> bool:
        """Whether its buyer may ask for help under it today."""
        return not self.ended and not self.over and (self.left > 0 or not self.minutes)


def give(lines: Iterable[OrderLine]) -> None:
    """Services for the lines of a paid order, once. Needs a transaction; lines have edition and product at hand."""
    today, made = clock.now().date(), []
    for line in lines:
        edition = line.edition
        if edition.product.kind == Product.SERVICE:
            months = edition.support_months * line.quantity
            until = months_later(today, months) if months else None
            made.append(Entitlement(line=line, begins=today, until=until, minutes=edition.hours * HOUR * line.quantity))
    if made:
        returning.insert(Entitlement, made)


def of(order: Order) -> list[Shown]:
    """The services of an order, for who may see it."""
    return _shown(Entitlement.objects.filter(line__order=order))


def of_person(person: str) -> list[Shown]:
    """The services that a person may use today, for their account and for who answers their questions."""
    mine = Entitlement.objects.filter(line__order__person__in=Claim.persons_of(person), line__ended="")
    return [one for one in _shown(mine.order_by("-begins", "id")[:100]) if one.in_force]


def use(order: Order, line: int, minutes: int, what: str = "") -> Entitlement:
    """Spend time of a line (its number on the order, from 1). One conditional update: never more than is left.

    `what` is shown to the buyer and stands in clear. Refused where the line is no service with hours, has ended, has
    less left, or the words look like somebody's address or card.
    """
    what = _harmless(what)
    with transaction.atomic():
        Order.objects.select_for_update().get(pk=order.pk)  # a refund at the same moment comes before or after
        lines = list(order.lines.order_by("pk"))
        service = Entitlement.objects.filter(line=lines[line - 1]).first() if 1 <= line <= len(lines) else None
        if service is None or not service.minutes:
            raise Refused(_("This line has no hours; the lines of an order are numbered from 1, as on its page."))
        order.refresh_from_db(fields=["state"])
        if lines[line - 1].ended or order.state != Order.PAID:
            raise Refused(_("This service has ended: its price was paid back, or is disputed."))
        if service.until is not None and service.until < clock.now().date():
            raise Refused(_("The time of this service is over; its buyer may buy it again."))
        left = Entitlement.objects.filter(pk=service.pk, minutes__gte=F("used") + minutes)
        if minutes < 1 or left.update(used=F("used") + minutes) != 1:
            raise Refused(_("That is more than is left of this service, or no time at all."))
        Work.objects.create(entitlement=service, minutes=minutes, what=what)
    service.refresh_from_db()
    return service


def read_hours(text: str) -> int:
    """Minutes, of hours as people write them: 1.5, 0.25. Refused for what is none."""
    try:
        minutes = Decimal(text) * HOUR if re.fullmatch(r"[0-9]{1,4}([.][0-9]{1,4})?", text) else Decimal(0)
    except InvalidOperation:
        minutes = Decimal(0)
    if minutes != minutes.to_integral_value() or minutes < 1:
        raise Refused(_("Write hours such as 1.5 or 0.25."))
    return int(minutes)


def hours(minutes: int) -> str:
    """Minutes as hours, as short as it goes: 1.5."""
    text = f"{Decimal(minutes) / HOUR:.2f}"
    return text.rstrip("0").rstrip(".")


def _harmless(what: str) -> str:
    words = " ".join(what.split())
    if len(words) > MOST_WORDS or not words.isprintable():
        raise Refused(_("Say what it was for in at most 80 characters."))
    if "@" in words or holds_card_number(words):
        raise Refused(_("These words stand in clear, so leave names, addresses and numbers of cards out."))
    return words


def _shown(found: QuerySet[Entitlement]) -> list[Shown]:
    services = list(found.select_related("line__order").prefetch_related("works"))
    return [
        Shown(
            one.id,
            one.line.order_id,
            one.line.name,
            one.begins,
            one.until,
            one.minutes,
            one.left,
            tuple(Done(work.minutes, work.what, work.done_at) for work in one.works.all()),
            bool(one.line.ended) or one.line.order.state != Order.PAID,
        )
        for one in services
    ]
