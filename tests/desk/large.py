"""A shop with many customers and orders: copies of one that was bought, paid and delivered, with their own references.

What is sealed is copied as it lies, and opens for nobody; lists, sums and searches through it are as long as in a shop
of that size.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from django.db import connection, models

from troth.pledge.ids import new_id
from troth.shop.accounts.models import Account, Contact
from troth.shop.delivery.models import Grant, Letter
from troth.shop.invoices.models import Invoice
from troth.shop.licences.models import Licence
from troth.shop.orders.models import Billing, Order

SLICE = 2000
EACH = 3  # orders of a customer
YEARS = 3


class Parts:
    """What hangs on the order that is copied, read once."""

    def __init__(self, order: Order) -> None:
        self.order, self.line, self.payment = order, order.lines.get(), order.payments.get()
        self.letter = Letter.objects.filter(order=order).first()
        self.grant = Grant.objects.filter(line=self.line).first()
        self.licence = Licence.objects.filter(line=self.line).first()
        self.invoice = Invoice.objects.get(order=order)


def swell(order: Order, orders: int) -> None:
    """Make `orders` more like it, of a third as many customers, over the last three years."""
    parts = Parts(order)
    if connection.vendor == "sqlite":  # all of it is one transaction of a test: keep it in memory, not in the log
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA cache_size = -4000000")
    step = timedelta(days=YEARS * 365) / orders
    numbers = itertools.count(10_000)
    for first in range(0, orders, SLICE):
        made: dict[type[models.Model], list[models.Model]] = {}
        for number in range(first, min(first + SLICE, orders), EACH):
            for one in _customer(parts, order.made_at - step * (orders - number), numbers):
                made.setdefault(type(one), []).append(one)
        for model, rows in made.items():
            model._default_manager.bulk_create(rows)


def _customer(parts: Parts, at: datetime, numbers: Iterator[int]) -> Iterator[models.Model]:
    order = parts.order
    yield (person := _like(order.person, ref=new_id("per"), made_at=at, taken_at=at))
    yield (contact := _like(order.contact, id=new_id("con"), person_id=person.ref, made_at=at))
    yield (billing := _like(order.billing, id=new_id("bil"), person_id=person.ref, made_at=at))
    yield Account(person_id=person.ref, confirmed_at=at, made_at=at)
    for _ in range(EACH):
        yield from _order(parts, contact, billing, at, next(numbers))


def _order(parts: Parts, contact: Contact, billing: Billing, at: datetime, number: int) -> Iterator[models.Model]:
    of = {"person_id": contact.person_id}
    ref = new_id("ord")
    where = {"contact_id": contact.id, "billing_id": billing.id, "once": None, "made_at": at, "paid_at": at}
    yield _like(parts.order, ref=ref, **of, **where)
    line_id = 10**9 + number
    yield _like(parts.line, id=line_id, order_id=ref)
    payment = {"id": new_id("pay"), "provider_ref": f"R{number}", "capture_ref": f"C{number}"}
    yield _like(parts.payment, order_id=ref, made_at=at, settled_at=at, **payment)
    yield _like(parts.letter, id=new_id("let"), subject=ref, order_id=ref, queued_at=at, sent_at=at, **of)
    yield _like(parts.grant, id=new_id("gra"), line_id=line_id, made_at=at)
    if parts.licence is not None:
        key_hash = sha256(b"%d" % number).hexdigest()
        yield _like(parts.licence, id=new_id("lic"), line_id=line_id, key_hash=key_hash, issued_at=at)
    paper = {
        "id": new_id("inv"),
        "number": f"L-{number}",
        "sequence": number,
        "issued_at": at,
        "cause": f"pay {number}",
    }
    yield _like(parts.invoice, order_id=ref, billing_id=billing.id, **paper, **of)


_read: dict[tuple[type[models.Model], object], dict[str, Any]] = {}


def _like(row: Any, **other: Any) -> Any:
    """The same row with some values of its own, not saved."""
    known = _read.setdefault(
        (type(row), row.pk), {field.attname: row.__dict__[field.attname] for field in row._meta.concrete_fields}
    )
    return type(row)(**{**known, **other})
