"""Letters about an account: confirm an address, set a new password, change an address. Run by the worker."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from django.conf import settings

from troth.pledge import clock
from troth.pledge.due import loop as due
from troth.pledge.vault.classes import Contact as ContactData
from troth.pledge.vault.door import KeeperAway, KeeperRefused, door
from troth.shop.accounts.models import Contact
from troth.shop.delivery import letters, often
from troth.shop.delivery.models import Letter
from troth.shop.journeys.change_email import flip

Answer = TypeVar("Answer")
LOOK_AGAIN = 1800  # seconds between looks at a change that waits for its mailbox
AN_HOUR = often.AN_HOUR  # to one person as to one mailbox: letters with a link that anybody may ask for
ENROLLING = timedelta(seconds=30)  # how long registering may take to reach the keeper, after its commit


def confirm(person_ref: str, claim: due.Claim) -> None:
    """The letter after registering. A mailbox that has an account already hears that instead."""
    contact = Contact.objects.select_related("person").get(person=person_ref, state=Contact.CURRENT)
    letter = letter_to("confirm", person_ref, contact)
    if letter.state == Letter.SENT:
        return
    to = address(contact, person_ref)
    if too_often(letter, to):
        return
    redeemed = asked(lambda: door().redeem(ref=person_ref, kind="confirm", mailbox=to.email))
    if redeemed.kind == "nothing" and clock.now() - letter.queued_at < ENROLLING:
        raise due.Again("enrolling", 1)  # we were quicker than the journey that made this due
    if redeemed.kind == "nothing":  # the keeper was away when this person registered: let them set a password
        redeemed = asked(lambda: door().redeem(ref=person_ref, kind="invite", mailbox=to.email))
    if redeemed.kind == "astray":
        raise due.Again("astray", give_up=True)
    if redeemed.kind == "taken":
        letter.kind = "taken"
        letters.send(letter, to, claim, link=url("/recover"))
        return
    path = "recover" if redeemed.kind == "invite" else "confirm"
    letters.send(letter, to, claim, link=url(f"/{path}/{redeemed.ticket}/{redeemed.secret}"))


def recover(ticket: str, claim: due.Claim) -> None:
    """The letter with a link to choose a new password, if the ticket is somebody's who did not just get some."""
    asked_for = asked(lambda: door().redeem(ticket=ticket, kind="peek"))
    if asked_for.kind != "recover":
        return
    contact = Contact.objects.select_related("person").get(person=asked_for.ref, state=Contact.CURRENT)
    others = Letter.objects.filter(kind="recover", person=asked_for.ref).exclude(subject=ticket)
    if others.filter(queued_at__gt=clock.now() - timedelta(hours=1)).count() >= AN_HOUR:
        return  # the links of those are good
    letter = letter_to("recover", ticket, contact)
    if letter.state != Letter.SENT:
        to = address(contact, letter.id)
        redeemed = asked(lambda: door().redeem(ticket=ticket, mailbox=to.email))
        if redeemed.kind != "recover":
            raise due.Again(redeemed.kind, give_up=True)
        letters.send(letter, to, claim, link=url(f"/recover/{ticket}/{redeemed.secret}"))


def invite(subject: str, claim: due.Claim) -> None:
    """The letter with which a guest chooses a password, and has an account with all that an account can ask for."""
    letter = Letter.objects.select_related("order").filter(kind="invite", subject=subject, state=Letter.QUEUED).first()
    if letter is None:
        return
    person = letter.person_id
    contact = Contact.objects.filter(person=person, state=Contact.CURRENT, contact__isnull=False).first()
    if contact is None:
        return
    to = address(contact, letter.id)
    redeemed = asked(lambda: door().redeem(ref=person, kind="invite", mailbox=to.email))
    if redeemed.kind == "astray":
        raise due.Again("astray", give_up=True)
    path = f"/recover/{redeemed.ticket}/{redeemed.secret}" if redeemed.kind == "invite" else "/recover"
    letters.send(letter, to, claim, link=url(path))


def change(subject: str, claim: due.Claim) -> None:
    """Letters to both mailboxes; then look now and then whether the new one answered, and finish a change that did."""
    contact_id, _, ticket = subject.partition(":")
    waiting = Contact.objects.select_related("person").get(pk=contact_id)
    state = asked(lambda: door().redeem(ticket=ticket, kind="peek")).kind
    if state == "changed" and waiting.state == Contact.WAITING:
        flip(waiting.person_id)
    if state == "changed" or waiting.state != Contact.WAITING:  # done; or another address was typed since
        return
    if state != "change":
        Contact.objects.filter(pk=contact_id, state=Contact.WAITING).update(state=Contact.OLD)
        return
    former = Contact.objects.select_related("person").get(person=waiting.person_id, state=Contact.CURRENT)
    warning = letter_to("changing", contact_id, former)
    if warning.state == Letter.QUEUED:
        letters.send(warning, address(former, contact_id), claim, link=url("/recover"))
    letter = letter_to("change", contact_id, waiting)
    if letter.state == Letter.QUEUED:
        to = address(waiting, contact_id)
        if too_often(letter, to):
            Contact.objects.filter(pk=contact_id, state=Contact.WAITING).update(state=Contact.OLD)
            return
        redeemed = asked(lambda: door().redeem(ticket=ticket, mailbox=to.email))
        if redeemed.kind != "change":
            raise due.Again(redeemed.kind, give_up=True)
        letters.send(letter, to, claim, link=url(f"/confirm/{ticket}/{redeemed.secret}"))
    raise due.Again("waits for the mailbox", LOOK_AGAIN)


def passkey(kind: str) -> due.Errand:
    """The letter that a passkey was added or removed. Its row is there with what made it due, or is gone again."""

    def tell(subject: str, claim: due.Claim) -> None:
        letter = Letter.objects.filter(kind=kind, subject=subject, state=Letter.QUEUED).first()
        contact = letter and Contact.objects.filter(person=letter.person_id, state=Contact.CURRENT).first()
        if letter and contact and contact.contact is not None:
            letters.send(
                letter, address(contact, letter.id), claim, link=url("/account/passkeys"), recover=url("/recover")
            )

    return tell


def letter_to(kind: str, subject: str, contact: Contact) -> Letter:
    letter, _ = Letter.objects.get_or_create(kind=kind, subject=subject, defaults={"person": contact.person})
    return letter


def too_often(letter: Letter, to: ContactData) -> bool:
    """Whether this mailbox was written to enough, whoever typed it into forms: then this letter is not sent, and the
    row says so."""
    if not often.enough(to.email, letter.id):
        return False
    Letter.objects.filter(pk=letter.pk).exclude(state=Letter.SENT).update(state=Letter.FAILED, last_code=often.CODE)
    return True


def address(contact: Contact, job: str) -> ContactData:
    (to,) = asked(lambda: door().open([contact.contact], purpose="notice", job=job))
    assert isinstance(to, ContactData)
    return to


def asked(question: Callable[[], Answer]) -> Answer:
    """The keeper's answer, or due.Again with its code."""
    try:
        return question()
    except KeeperAway:
        again = due.Again("keeper-away", 5)
    except KeeperRefused as refused:
        again = due.Again(f"keeper-{refused.code}")
    raise again


def url(path: str) -> str:
    return f"{settings.TROTH.web.public_url.rstrip('/')}{path}"
