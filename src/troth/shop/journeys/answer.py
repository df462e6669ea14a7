"""Answer: what we do about a ticket. Each is one verb, whoever asks for it: the desk, a command, a check."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from troth.pledge import clock
from troth.shop.accounts.models import Claim
from troth.shop.delivery.letters import queue
from troth.shop.refusal import Refused
from troth.shop.support.files import Intake
from troth.shop.support.models import Message, Ticket
from troth.shop.support.writing import write

OVER = _("This ticket is closed, or somebody was quicker; look at it again.")
NOT_ONE = _("Only tickets of one customer can become one; these are of two.")


def take(ticket: Ticket) -> bool:
    """Somebody is at it. False if somebody was before."""
    return ticket.move((Ticket.NEW,), Ticket.OPEN)


def answer(
    ticket: Ticket, text: str, by: str = "", *, attached: Sequence[Intake] = (), solves: bool = False
) -> Message:
    """Answer; the letter is due in the same transaction. `by`: the colleague's reference. Refused once it is closed."""
    after = Ticket.SOLVED if solves else Ticket.WAITING
    with transaction.atomic():
        if not ticket.move(Ticket.GOES_ON, after, answered_at=ticket.answered_at or clock.now(), due_at=None):
            raise Refused(OVER)
        message = write(ticket, Message.OURS, text, attached=attached, by=by)
        queue("ticket-answer", message.id, ticket.person)
    return message


def note(ticket: Ticket, text: str, by: str = "") -> Message:
    """For ourselves: sealed to the customer like the rest of the ticket, on none of their pages, in their export."""
    with transaction.atomic():
        return write(ticket, Message.NOTE, text, by=by)


def solve(ticket: Ticket) -> bool:
    """Nothing is left to do. The customer may still say otherwise. False if it was solved or closed before."""
    return ticket.move((Ticket.NEW, Ticket.OPEN, Ticket.WAITING), Ticket.SOLVED, due_at=None)


def merge(ticket: Ticket, into: Ticket) -> None:
    """Two tickets about one thing become one: the messages of the first go to the second. Refused for another person's,
    since each message is sealed to its own person, and for one that is closed."""
    if ticket.pk == into.pk or not _same_customer(ticket, into):
        raise Refused(NOT_ONE)
    with transaction.atomic():
        ends = {"closed_at": clock.now(), "due_at": None, "merged_into": into}
        owed = min((one.due_at for one in (ticket, into) if one.due_at), default=None)
        if not ticket.move(Ticket.GOES_ON, Ticket.CLOSED, **ends):
            raise Refused(OVER)
        if not into.move((Ticket.NEW, Ticket.OPEN), Ticket.OPEN, due_at=owed) and not into.move(
            (Ticket.WAITING, Ticket.SOLVED), Ticket.OPEN if owed else Ticket.WAITING, due_at=owed
        ):
            raise Refused(OVER)
        Message.objects.filter(ticket=ticket).update(ticket=into)


def _same_customer(one: Ticket, other: Ticket) -> bool:
    if one.person_id == other.person_id:
        return True
    owners = dict(
        Claim.objects.filter(guest__in=(one.person_id, other.person_id)).values_list("guest_id", "account_id")
    )
    return owners.get(one.person_id, one.person_id) == owners.get(other.person_id, other.person_id)
