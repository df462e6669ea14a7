"""Ask: a question becomes a ticket, and what its asker adds becomes messages of it. By web or by mail, the same.

Everything is written in one main transaction, without the keeper: a stranger gets keys from stock, as a buyer does,
and is a guest from then on. The letter that says so is due in the same transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from troth.pledge import clock
from troth.pledge.vault.models import Person
from troth.shop.accounts import newcomer
from troth.shop.accounts.models import Account, Claim
from troth.shop.catalogue.models import Product
from troth.shop.delivery.letters import queue
from troth.shop.journeys import erase
from troth.shop.orders.models import Order
from troth.shop.refusal import Refused
from troth.shop.support.files import Intake
from troth.shop.support.models import Message, Ticket
from troth.shop.support.writing import write

GOING = _("You asked to be forgotten, and nothing of yours is opened until then. Cancel that first, then write to us.")
OVER = _("This conversation is closed; please begin a new one.")


class Stranger(msgspec.Struct, frozen=True):
    """Somebody who says who they are."""

    name: str
    email: str

    def __repr__(self) -> str:
        return "<stranger>"


class Question(msgspec.Struct, frozen=True):
    """`order`, `product`: what it is about, as far as known. `once`: the form's mark; sent twice it is one ticket."""

    text: str
    subject: str = ""
    order: str = ""
    product: str = ""
    attached: Sequence[Intake] = ()
    once: str = ""
    came_by: str = Ticket.WEB
    about: Ticket | None = None

    def __repr__(self) -> str:
        return "<question>"


def ask(who: Stranger | str, question: Question) -> Ticket:
    """Open a ticket for a stranger, or for the person of this reference. Refused for an empty or too long text; NoBlank
    where no keys are in stock."""
    if isinstance(who, str) and erase.under_way(who):
        raise Refused(GOING)
    try:
        with transaction.atomic():
            return _open(who, question)
    except IntegrityError:
        earlier = Ticket.objects.filter(once=question.once).first() if question.once else None
        if earlier is None:
            raise
        return earlier


def add(
    ticket: Ticket, text: str, *, attached: Sequence[Intake] = (), came_by: str = Ticket.WEB, subject: str = ""
) -> Message:
    """The customer says more: it is our turn again. Refused once the ticket is closed."""
    if erase.under_way(ticket.person_id):
        raise Refused(GOING)
    with transaction.atomic():
        owed = {} if ticket.due_at else {"due_at": promised()}
        still_new = ticket.move((Ticket.NEW,), Ticket.NEW, **owed)
        if not still_new and not ticket.move((Ticket.OPEN, Ticket.WAITING, Ticket.SOLVED), Ticket.OPEN, **owed):
            raise Refused(OVER)
        return write(ticket, Message.THEIRS, text, subject, attached=attached, came_by=came_by)


def close(ticket: Ticket) -> bool:
    """The customer needs nothing more. False if it was closed before."""
    return ticket.move(Ticket.GOES_ON, Ticket.CLOSED, closed_at=clock.now(), due_at=None)


def promised() -> datetime:
    """Until when a question of now is to be answered."""
    return clock.now() + timedelta(days=settings.TROTH.policy.answer_days)


def _open(who: Stranger | str, question: Question) -> Ticket:
    person = Person.objects.get(pk=who) if isinstance(who, str) else newcomer.make(who.name, who.email)[0]
    theirs = Order.objects.filter(ref=question.order, person__in=Claim.persons_of(person.ref))
    ticket = Ticket.objects.create(
        person=person,
        order=theirs.first() if question.order else None,
        product=Product.objects.filter(slug=question.product, published=True).first() if question.product else None,
        came_by=question.came_by,
        once=question.once or None,
        due_at=promised(),
        about=question.about,
    )
    write(
        ticket,
        Message.THEIRS,
        question.text,
        question.subject,
        attached=question.attached,
        came_by=question.came_by,
    )
    if not Account.objects.filter(pk=person.ref).exists():
        queue("ticket-received", ticket.ref, person)  # the link in it is a guest's only way back
    return ticket
