"""A job on a customer: take it, see what its purpose opens, close it. Nobody here reads a person outside of one.

The keeper has the job's row that counts, checks it with every opening and notes that opening first. The row here is
for lists: an id, why, and when.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from django.db import transaction
from django.db.models import F, OuterRef, Subquery

from troth.pledge import clock
from troth.pledge.due import loop as due
from troth.pledge.ids import new_id
from troth.pledge.office import messages as office
from troth.pledge.office import policy
from troth.pledge.vault.classes import Billing as BillingData
from troth.pledge.vault.classes import Contact as ContactData
from troth.pledge.vault.door import KeeperRefused, door
from troth.pledge.vault.fields import Sealed
from troth.pledge.vault.models import Person
from troth.shop.accounts.models import Contact
from troth.shop.delivery.letters import queue
from troth.shop.delivery.models import Letter
from troth.shop.journeys.desk import ask
from troth.shop.orders.models import Billing, Order
from troth.shop.staff import no
from troth.shop.staff.models import Job
from troth.shop.support.models import Ticket

PURPOSES = {"question": "support", "delivery": "support", "rights": "support", "payment": "support", "invoice": "bill"}
PURPOSES["disclosure"] = "support"  # on the case itself, which is nobody: its papers
HOURS = {"1": 1, "8": 8, "72": 72, "336": 336}  # how long a job may be taken for
MOST_SHOWN = 20  # contacts, addresses, orders of one customer on the page of a job


def take(capability: str, *, why: str, hours: int, about: str = "", ref: str = "", mailbox: str = "") -> office.Job:
    """A job on the customer behind a reference, or with exactly this mailbox. Refused; KeeperAway."""
    return _take(capability, why, PURPOSES[why], clock.now() + timedelta(hours=hours), about, ref, mailbox)


def break_glass(capability: str, fresh: str, *, about: str, ref: str) -> office.Job:
    """Whatever one's role: an hour on one customer, for support. The ledger says so, and the owners get a letter."""
    until = clock.now() + timedelta(hours=1)
    return _take(capability, Job.GLASS, "support", until, about, ref, "", fresh=fresh, loud=True)


def _take(
    capability: str, why: str, purpose: str, until: datetime, about: str, ref: str, mailbox: str, **more: Any
) -> office.Job:
    seat = ask(office.Me(capability), office.Seat)
    job, reason = new_id("job"), hashlib.sha256(f"{why} {about}".encode()).digest()
    question = office.Take(capability, job, purpose, reason, int(until.timestamp()), ref, mailbox, **more)
    taken = ask(question, office.Taken)
    with transaction.atomic():
        Job.objects.create(
            id=job, member_id=seat.colleague.ref, person_id=taken.job.persons[0], purpose=purpose, why=why,
            about=about, loud=taken.job.loud, role=_role(seat, purpose, taken.job), until=_time(taken.job.until),
        )  # fmt: skip
        for owner in Person.objects.filter(pk__in=taken.owners):
            queue("break-glass", new_id("let"), owner)
    if taken.job.loud:
        due.hasten("check", "P17")
    return taken.job


def close(capability: str, job: str) -> None:
    """Nothing opens by it from now on. Closed again it is as closed as before. KeeperAway; Refused without a seat."""
    ask(office.Close(capability, job), office.Done)
    Job.objects.filter(pk=job, closed_at__isnull=True).update(closed_at=clock.now())


class Customer(msgspec.Struct, frozen=True):
    """What a job's purpose opens of its customer, and what they bought, which is nobody's secret here."""

    contacts: list[ContactData]
    bills: list[BillingData]
    orders: list[Order]
    tickets: list[Ticket]  # open, where the job is to answer
    lost: list[Order]  # whose goods no mailbox took, where the job is to answer

    def __repr__(self) -> str:
        return "<customer>"


def customer(capability: str, job: office.Job) -> Customer:
    """Open what this job is for. Each call is noted in the ledger, where its customer sees it. Refused; KeeperAway."""
    contacts: list[ContactData] = []
    bills: list[BillingData] = []
    if job.purpose == "support":
        kept = Contact.objects.filter(person__in=job.persons, state=Contact.CURRENT, contact__isnull=False)
        contacts = opened(capability, job, [row.contact for row in kept.order_by("pk")[:MOST_SHOWN]])
    if job.purpose == "bill":
        rows = Billing.objects.filter(person__in=job.persons, billing__isnull=False).order_by("-made_at")
        bills = opened(capability, job, [row.billing for row in rows[:MOST_SHOWN]])
    orders = Order.objects.filter(person__in=job.persons).order_by("-made_at")[:MOST_SHOWN]
    if job.purpose != "support":
        return Customer(contacts, bills, list(orders), [], [])
    asked = Ticket.objects.filter(person__in=job.persons).exclude(state=Ticket.CLOSED).order_by("-made_at")
    return Customer(contacts, bills, list(orders), list(asked[:MOST_SHOWN]), _lost(job.persons))


def _lost(persons: Sequence[str]) -> list[Order]:
    """Paid orders whose latest letter with the goods was refused, or came back."""
    goods = Letter.objects.filter(order=OuterRef("pk"), kind__in=("deliver", "redeliver"))
    latest = goods.order_by("-queued_at", "-id").values("state")[:1]
    rows = Order.objects.filter(person__in=persons, state=Order.PAID).annotate(letter=Subquery(latest))
    return list(rows.filter(letter__in=(Letter.FAILED, Letter.BOUNCED)).order_by("-made_at")[:MOST_SHOWN])


def opened(capability: str, job: office.Job, sealed: Sequence[Sealed]) -> list[Any]:
    """The values behind these columns of the job's customer, for the job's purpose; in order. Refused; KeeperAway.

    The one way in which anything at the desk is opened: one question, so one entry for each person in it.
    """
    if not sealed:
        return []
    try:
        values = door().open(sealed, purpose=job.purpose, job=job.id, capability=capability)
    except KeeperRefused as refused:
        sentence = no.said(refused)
    else:
        Job.objects.filter(pk=job.id).update(openings=F("openings") + 1)  # for the reports; the ledger has each
        return values
    raise sentence


def history(capability: str, roles: Sequence[str]) -> list[Job]:
    """The latest jobs: of everybody for owner and privacy officer, else one's own."""
    seat = ask(office.Me(capability), office.Seat)
    rows = Job.objects.select_related("member").order_by("-taken_at")
    if not {"owner", "officer"} & set(roles):
        rows = rows.filter(member=seat.colleague.ref)
    return list(rows[:50])


def _role(seat: office.Seat, purpose: str, job: office.Job) -> str:
    """In which of their roles it opens, as the keeper decides it."""
    granting = (role for role in seat.roles if purpose in policy.GRANTS.get(role, {}))
    return policy.BREAK_GLASS if job.loud else next(granting, "")


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
