"""Remind: before updates or support end, a letter says so, once 30 and once 7 days before.

It is about what its reader bought. `[selling] reminders` says whether it goes to all of them (service), to those who
may be written to about news (marketing), or to nobody (off); `_may` alone decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import msgspec
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, Model, OuterRef, QuerySet

from troth.pledge import clock, returning
from troth.pledge.due import loop as due
from troth.shop.accounts.models import Contact
from troth.shop.delivery import letters
from troth.shop.delivery.models import Letter
from troth.shop.entitlements.models import Entitlement
from troth.shop.journeys import erase
from troth.shop.journeys.write_to import address, letter_to, url
from troth.shop.licences.models import Licence
from troth.shop.mailings import consent
from troth.shop.orders.models import Order
from troth.shop.renewals import offer
from troth.shop.renewals.models import Reminder

DAYS = (30, 7)
SLICE = 500  # of each kind at a time
EVERY = 3600


class Ending(msgspec.Struct, frozen=True):
    """What ends, and where more of it is to be had."""

    person: str
    name: str
    until: date
    link: str


def plan(subject: str, claim: due.Claim) -> None:
    """The periodic errand: letters for what ends within 30 days, and within 7."""
    if settings.TROTH.selling.reminders == "off":
        return
    today = clock.now().date()
    for days, after in zip(DAYS, (*DAYS[1:], -1), strict=True):
        begin, end = today + timedelta(days=after + 1), today + timedelta(days=days)
        for about, until in _ending(days, begin, end):
            reminder = Reminder(about=about, until=until, days=days)
            with transaction.atomic():
                if returning.insert(Reminder, [reminder]):
                    due.add("remind", reminder.id)


def remind(reminder_id: str, claim: due.Claim) -> None:
    """The letter, unless it was renewed, ended, or its reader is not to be written to. Raises due.Again."""
    reminder = Reminder.objects.get(pk=reminder_id)
    ending = _licence(reminder) or _service(reminder)
    if ending is None or reminder.until < clock.now().date() or not _may(ending.person):
        return
    contact = Contact.objects.select_related("person").filter(person=ending.person, state=Contact.CURRENT).first()
    if contact is None or contact.contact is None or erase.under_way(ending.person):
        return
    letter = letter_to("renew", reminder.id, contact)
    if letter.state == Letter.QUEUED:
        letters.send(letter, address(contact, letter.id), claim, ending=ending)


def _may(person: str) -> bool:
    """The one place that decides whether somebody is reminded."""
    if settings.TROTH.selling.reminders == "marketing":
        return consent.standing(person).may
    return settings.TROTH.selling.reminders == "service"


def _ending(days: int, begin: date, end: date) -> Iterator[tuple[str, date]]:
    """Licences that can be renewed, and services: those that end in these days and had no such letter yet."""
    licences = Licence.objects.filter(
        updates_until__range=(begin, end), revoked_at__isnull=True, line__ended="", line__order__state=Order.PAID,
        line__edition__prices__currency=settings.TROTH.shop.currency,
        line__edition__prices__renewal_minor__isnull=False,
    )  # fmt: skip
    yield from _unwritten(licences, "updates_until", days)
    services = Entitlement.objects.filter(until__range=(begin, end), line__ended="", line__order__state=Order.PAID)
    yield from _unwritten(services, "until", days)


def _unwritten(rows: QuerySet[Model], until: str, days: int) -> list[tuple[str, date]]:
    written = Reminder.objects.filter(about=OuterRef("id"), until=OuterRef(until), days=days)
    return list(rows.filter(~Exists(written)).order_by(until, "id").values_list("id", until)[:SLICE])


def _licence(reminder: Reminder) -> Ending | None:
    found = Licence.objects.filter(pk=reminder.about, updates_until=reminder.until).select_related("line__order")
    one = found.first()
    told = offer.of([one]).get(one.id) if one else None
    if one is None or told is None:
        return None
    return Ending(one.line.order.person_id, one.line.name, reminder.until, url(offer.path(one.id)))


def _service(reminder: Reminder) -> Ending | None:
    found = Entitlement.objects.filter(
        pk=reminder.about, until=reminder.until, line__ended="", line__order__state=Order.PAID
    )
    one = found.select_related("line__order", "line__edition").first()
    if one is None:
        return None
    page = url(f"/p/{one.line.edition.product_id}")
    return Ending(one.line.order.person_id, one.line.name, reminder.until, page)
