"""Redirect: the letter with the goods came back, its customer told us where it should go, and somebody at the desk
puts that address in place, within their job on this customer.

Only for a guest: who has an account changes the address themselves, with their password (change_email.py). The former
row stays as an old one, as with every change; a letter to the former mailbox says that it was changed. The keeper
looks at the job itself, notes it where the customer reads it, and from then on makes links for the new mailbox alone;
those that went to the former one are over: to the order, its invoice, its downloads, to an account.
"""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from troth.pledge import clock
from troth.pledge.due import loop as due
from troth.pledge.office import messages as office
from troth.pledge.vault.classes import Contact as ContactData
from troth.pledge.vault.fields import seal
from troth.shop.accounts.models import Account, Claim, Contact
from troth.shop.delivery import letters
from troth.shop.delivery.models import Grant, Letter, grant_id
from troth.shop.journeys import redeliver
from troth.shop.journeys.desk import ask
from troth.shop.journeys.job import opened
from troth.shop.journeys.write_to import address, url
from troth.shop.orders.models import Order
from troth.shop.refusal import Refused

KIND = "redirected"
RETURNED = (Letter.FAILED, Letter.BOUNCED)


def came_back(order: Order) -> Letter | None:
    """The latest letter with this order's goods, if no mailbox took it."""
    latest = order.letters.filter(kind__in=("deliver", redeliver.KIND)).order_by("-queued_at", "-id").first()
    return latest if latest is not None and latest.state in RETURNED else None


def put_right(order: Order, capability: str, job: office.Job, email: str) -> None:
    """Put this address in place of the one that takes no mail, and send the goods there. Opens the former, noted.

    Refused if nothing came back, for who has an account, or where somebody else was first; KeeperAway.
    """
    former = order.contact
    _refuse(order, former)
    (known,) = opened(capability, job, [former.contact])
    if known.email.casefold() == email.casefold():
        raise Refused(_("That is the address that took no mail; ask the customer for another."), "email")
    _move(order, capability, job, known.email, email)
    try:
        with transaction.atomic():
            if Contact.objects.filter(pk=former.pk, state=Contact.CURRENT).update(state=Contact.OLD) != 1:
                raise IntegrityError
            row = Contact(person=former.person, state=Contact.CURRENT)
            seal(row, "contact", ContactData(known.name, email))
            row.save(force_insert=True)
            Order.objects.filter(pk=order.pk, contact=former).update(contact=row, moved_at=clock.now())
            for (granted,) in Grant.objects.filter(line__order=order).values_list("id"):
                Grant.objects.filter(pk=granted).update(id=grant_id())  # a link carries it
            letters.queue(redeliver.KIND, row.id, former.person, order)
            letters.queue(KIND, former.id, former.person, order)
    except IntegrityError:
        first = False
    else:
        first = True
    if not first:
        raise Refused(_("Somebody changed this address just now; look at the job again."))


def _move(order: Order, capability: str, job: office.Job, former: str, email: str) -> None:
    """Where somebody else was first with another address, theirs may stand with the keeper: then the goods go without
    any link to an order or an account, as long as no mailbox of this customer's is known."""
    question = office.Redirect(capability, job.id, order.person_id, former, email)
    try:
        ask(question, office.Done, "email")
    except Refused as refused:
        if getattr(refused, "code", "") != "astray":
            raise


def _refuse(order: Order, former: Contact) -> None:
    redeliver.refuse_undeliverable(order)
    if came_back(order) is None:
        raise Refused(_("No letter about this order came back, so its address stays."))
    account = Account.objects.filter(person=order.person_id).exists()
    if account or Claim.objects.filter(guest=order.person_id).exists():
        raise Refused(_("They have an account: they change the address there themselves, with their password."))


def tell(subject: str, claim: due.Claim) -> None:
    """The errand: to the former mailbox, in case somebody reads it after all."""
    letter = Letter.objects.filter(kind=KIND, subject=subject, state=Letter.QUEUED).first()
    former = Contact.objects.select_related("person").filter(pk=subject, contact__isnull=False).first()
    if letter is not None and former is not None:
        letters.send(letter, address(former, letter.id), claim, link=url("/contact"))
