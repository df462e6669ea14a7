"""Letters about tickets: that a question came, and our answers. Run by the worker.

An answer stands in its letter, or only a link to it, as [support] letters says. What the customer wrote is never sent
back: a letter that goes astray tells nobody what was asked.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings

from troth.pledge.due import loop as due
from troth.pledge.vault.classes import Contact as ContactData
from troth.pledge.vault.door import door
from troth.shop.accounts.models import Contact
from troth.shop.delivery import letters
from troth.shop.delivery.models import Letter
from troth.shop.journeys.write_to import asked, too_often, url
from troth.shop.support import addresses
from troth.shop.support.models import Message, Ticket

TEXT = "text"


def received(ref: str, claim: due.Claim) -> None:
    """To a guest: we have your question, this is the way back to it, and until when we answer."""
    letter = Letter.objects.filter(kind="ticket-received", subject=ref).first()
    ticket = Ticket.objects.filter(pk=ref).select_related("person").first()
    if ticket is None or letter is None or letter.state == Letter.SENT:
        return
    _send(letter, ticket, claim, due_at=ticket.due_at, masked=ticket.messages.filter(masked__gt=0).exists())


def answered(message_id: str, claim: due.Claim) -> None:
    """Our answer. A ticket that was forgotten in the meantime needs none."""
    letter = Letter.objects.filter(kind="ticket-answer", subject=message_id).first()
    message = Message.objects.filter(pk=message_id, side=Message.OURS).select_related("ticket__person").first()
    if message is None or letter is None or letter.state == Letter.SENT:
        return
    attached = message.attachments.count()
    _send(letter, message.ticket, claim, message, attached=attached, solved=message.ticket.state == Ticket.SOLVED)


def _send(letter: Letter, ticket: Ticket, claim: due.Claim, message: Message | None = None, **words: Any) -> None:
    contact = Contact.objects.filter(person=ticket.person, state=Contact.CURRENT, contact__isnull=False).first()
    if contact is None:
        return
    sealed = [contact.contact]
    if message is not None and settings.TROTH.support.letters == TEXT:
        sealed.append(message.words)
    opened = asked(lambda: door().open(sealed, purpose="notice", job=ticket.ref))
    to: ContactData = opened[0]
    if message is None and too_often(letter, to):
        return  # our answer brings the link as well
    invite = asked(lambda: door().redeem(ref=ticket.person_id, kind="invite", mailbox=to.email))
    if invite.kind == "astray":
        raise due.Again("astray", give_up=True)
    letters.send(
        letter,
        to,
        claim,
        addresses.reply_to(ticket),
        short=ticket.short,
        answer=opened[1].text if len(opened) > 1 else "",
        link=url(f"/tickets/{ticket.ref}/key/{addresses.key(ticket)}"),
        invite=url(f"/recover/{invite.ticket}/{invite.secret}") if invite.kind == "invite" else "",
        by_mail=bool(addresses.reply_to(ticket)),
        **words,
    )
