"""Change the e-mail address or the password: needs the session's capability and the password.

The new address is sealed as a waiting row while it is typed; both mailboxes get a letter; the one that answers decides.
Sealed rows are replaced, never moved: the waiting row becomes current, the former one old.
"""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from troth.pledge.due import loop as due
from troth.pledge.vault.classes import Contact as ContactData
from troth.pledge.vault.door import KeeperRefused, door
from troth.pledge.vault.fields import seal
from troth.shop.accounts import passwords
from troth.shop.accounts.models import Contact
from troth.shop.accounts.session import SignedIn, signed_in
from troth.shop.journeys import choose
from troth.shop.refusal import Refused


def ask(person_ref: str, capability: str, password: str, new_email: str) -> None:
    """Make the letters to both mailboxes due. Refused for a wrong password; KeeperAway."""
    current = Contact.objects.select_related("person").get(person=person_ref, state=Contact.CURRENT)
    try:
        ticket = door().change_mailbox(capability, password, new_email)
        (known,) = door().open([current.contact], purpose="account", job="change-email", capability=capability)
    except KeeperRefused:
        known = None
    if known is None:
        raise Refused(_("This is not your present password; type it again."), "password")
    with transaction.atomic():
        # Whoever corrects the name waits for this transaction, or we for theirs: the row below bears the name as well.
        if Contact.objects.filter(pk=current.pk, state=Contact.CURRENT).update(state=Contact.CURRENT) != 1:
            raise Refused(_("Something else changed your data just now; please look at it and send it again."))
        Contact.objects.filter(person=person_ref, state=Contact.WAITING).update(state=Contact.OLD)
        waiting = Contact(person=current.person, state=Contact.WAITING)
        seal(waiting, "contact", ContactData(known.name, new_email))
        waiting.save(force_insert=True)
        due.add("change", f"{waiting.pk}:{ticket}")


def password(person_ref: str, capability: str, old: str, new: str) -> SignedIn:
    """Set a new password; every other session is over. Refused for a wrong or too easy one; KeeperAway."""
    passwords.check(new, "", "")
    try:
        session = door().change_password(capability, old, new)
    except KeeperRefused:
        session = None
    if session is None or session.ref != person_ref:
        raise Refused(_("This is not your present password; type it again."), "old")
    return signed_in(session)


def flip(person_ref: str) -> None:
    """The waiting address is in use from now on. Done again it changes nothing."""
    with transaction.atomic():
        waiting = Contact.objects.filter(person=person_ref, state=Contact.WAITING).first()
        if waiting is None:
            return
        Contact.objects.filter(person=person_ref, state=Contact.CURRENT).update(state=Contact.OLD)
        Contact.objects.filter(pk=waiting.pk).update(state=Contact.CURRENT)
        choose.moved(person_ref)
