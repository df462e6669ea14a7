"""Suspend an order before any provider hears of it, and end that: released, refused, or its time over.

One verb for desk, command line and the worker's errand: `end`. Its buyer gets a letter either way, and the order's
page says why it waits and until when.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from troth.config import Fraud
from troth.pledge import clock
from troth.pledge.due import loop as due
from troth.shop.accounts.models import Contact
from troth.shop.coupons import uses
from troth.shop.delivery import letters
from troth.shop.delivery.models import Letter
from troth.shop.fraud.models import Hold
from troth.shop.fraud.signs import Risk, to_buyer
from troth.shop.journeys import reach
from troth.shop.journeys.write_to import address, url
from troth.shop.licences import stock
from troth.shop.orders.models import Order
from troth.shop.refusal import Refused

MOST = 200  # held orders in a list


def suspicious(risk: Risk) -> bool:
    """Whether an order of this risk waits for somebody's look."""
    most = settings.TROTH.fraud.hold_from
    return 0 < most <= risk.points


def begin(order: Order, risk: Risk) -> bool:
    """Hold an order just written, in its transaction. False if it is no longer open."""
    if not order.put_on_hold():
        return False
    lasts = timedelta(hours=settings.TROTH.fraud.hold_hours)
    until = clock.now() + lasts
    Hold.objects.create(order=order, points=min(risk.points, 999), signs=list(risk.signs), until=until)
    due.add_all(("hold-over", order.ref, lasts.total_seconds()), ("hold-tell", order.ref, 0))
    return True


def release(ref: str, by: str = "") -> None:
    """The order may be paid. Refused where it is not held. `by`: the handle of who looked at it."""
    end(ref, Hold.RELEASED, by)


def refuse(ref: str, by: str = "") -> None:
    """The order ends, and what it took from stock and coupons is there again. Refused where it is not held."""
    end(ref, Hold.REFUSED, by)


def end(ref: str, outcome: str, by: str) -> None:
    """End a hold, once: Refused for whoever comes second."""
    released = outcome == Hold.RELEASED
    with transaction.atomic():
        if not Order.end_hold(ref, Order.OPEN if released else Order.CANCELLED):
            raise Refused(_("This order is not held; somebody may just have looked at it."))
        held = Hold.objects.filter(order=ref, state=Hold.HELD)
        held.update(state=outcome, by=by[:40], ended_at=clock.now())
        due.drop(("hold-over", ref))
        if released:
            due.add("abandon", ref, after=settings.TROTH.policy.abandon_hours * 3600)
        else:
            stock.give_back(ref)
            uses.give_back(ref)
        order = Order.objects.select_related("person").get(pk=ref)
        letters.queue("hold-released" if released else "hold-refused", ref, order.person, order)


def over(ref: str, claim: due.Claim) -> None:
    """The errand: nobody looked at it in time, so it ends as `[fraud] unreviewed` says."""
    try:
        end(ref, Hold.REFUSED if settings.TROTH.fraud.unreviewed == "refuse" else Hold.RELEASED, "")
    except Refused:
        return  # somebody did, meanwhile


def tell(kind: str) -> due.Errand:
    """The letter to the buyer."""

    def write(ref: str, claim: due.Claim) -> None:
        letter = Letter.objects.filter(kind=kind, subject=ref, state=Letter.QUEUED).first()
        order = Order.objects.get(pk=ref)
        contact = Contact.objects.filter(pk=order.contact_id, contact__isnull=False).first()
        if letter and contact:
            link = url(f"/orders/{ref}/key/{reach.order_key(order)}")
            letters.send(letter, address(contact, letter.id), claim, ref=ref, link=link)

    return write


def rules() -> Fraud:
    """The settings by which orders are held."""
    rules: Fraud = settings.TROTH.fraud
    return rules


class Told(msgspec.Struct, frozen=True):
    """What the buyer may read of a hold."""

    reasons: list[object]
    until: datetime
    unreviewed: str  # what becomes of it then, if nobody looked at it


def told(order: Order) -> Told | None:
    """The reasons in plain words, and what happens next; None where there is no hold, or no longer."""
    hold = Hold.objects.filter(order=order.ref).first()
    return Told(to_buyer(hold.signs), hold.until, settings.TROTH.fraud.unreviewed) if hold else None


def waiting() -> list[Hold]:
    """What waits for somebody's look, the oldest first."""
    return list(Hold.objects.filter(state=Hold.HELD).select_related("order").order_by("made_at")[:MOST])
