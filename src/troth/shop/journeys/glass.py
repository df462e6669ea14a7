"""Break-glass is told to the owners: by a letter, besides the entry in the ledger and the banner at the desk."""

from __future__ import annotations

from troth.pledge.due import loop as due
from troth.shop.accounts.models import Contact
from troth.shop.delivery import letters
from troth.shop.delivery.models import Letter
from troth.shop.journeys.write_to import address, url


def tell(subject: str, claim: due.Claim) -> None:
    """The errand: one letter to one owner. Its row was written with the job; it does not name the customer."""
    letter = Letter.objects.filter(kind="break-glass", subject=subject, state=Letter.QUEUED).first()
    contact = letter and Contact.objects.filter(person=letter.person_id, state=Contact.CURRENT).first()
    if letter and contact and contact.contact is not None:
        letters.send(letter, address(contact, letter.id), claim, link=url("/desk/"))
