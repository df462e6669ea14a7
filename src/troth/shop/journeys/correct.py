"""Correct: name and postcode as their owner says they are. The e-mail address has a way of its own (change_email.py).

Sealed rows are replaced, never moved: the former name stays as an old row until its person is forgotten, since letters
and papers of that time bear it. While a new address waits for its mailbox the name stays: that row bears it too, nobody
may open it before its mailbox is proved, and it would bring the former name back. What invoices say is not altered: the
next bill is written with a new address.
"""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from troth.pledge.vault.classes import Contact as ContactData
from troth.pledge.vault.classes import Locality as LocalityData
from troth.pledge.vault.door import KeeperRefused, door
from troth.pledge.vault.fields import seal
from troth.shop.accounts.models import Contact, Locality
from troth.shop.journeys import erase
from troth.shop.refusal import Refused

WAITS = _(
    "Your new e-mail address waits for you to follow the link in its letter. Do that first, or wait a day until the "
    "link is over; then change your name."
)


def correct(person_ref: str, capability: str, name: str, postcode: str) -> None:
    """Put these in place of the present ones; no postcode ends it. Refused if the session has ended, while they are
    being forgotten, where another change came first, or a new address waits while the name changes; KeeperAway."""
    if erase.under_way(person_ref) is not None:
        raise Refused(_("You asked to be forgotten: cancel that before you change anything."))
    known, current = _opened(person_ref, capability)
    try:
        with transaction.atomic():
            if known.name != name:
                if Contact.objects.filter(pk=current.pk, state=Contact.CURRENT).update(state=Contact.OLD) != 1:
                    raise IntegrityError
                if Contact.objects.filter(person=person_ref, state=Contact.WAITING).exists():
                    raise Refused(WAITS)
                _put(current, ContactData(name, known.email))
            Locality.objects.filter(person=person_ref).delete()
            if postcode:
                locality = Locality(person=current.person)
                seal(locality, "locality", LocalityData(postcode))
                locality.save(force_insert=True)
    except IntegrityError:
        again = True
    else:
        again = False
    if again:
        raise Refused(_("Something else changed your data just now; please look at it and send it again."))


def _opened(person_ref: str, capability: str) -> tuple[ContactData, Contact]:
    """The present contact, by its owner's capability: the keeper knows whose it is, and notes it."""
    current = Contact.objects.select_related("person").get(person=person_ref, state=Contact.CURRENT)
    try:
        (known,) = door().open([current.contact], purpose="account", job="correct", capability=capability)
    except KeeperRefused:
        known = None
    if not isinstance(known, ContactData):
        raise Refused(_("Your session has ended; please sign in again."))
    return known, current


def _put(former: Contact, data: ContactData) -> None:
    """Whether their mailbox was followed stays known: it is the same one."""
    row = Contact(person=former.person, state=Contact.CURRENT, followed_at=former.followed_at)
    seal(row, "contact", data)
    row.save(force_insert=True)
