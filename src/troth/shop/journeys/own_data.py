"""Own data: people read what they gave about themselves. Each looking is noted once a session and class."""

from __future__ import annotations

import msgspec
from django.utils.translation import gettext_lazy as _

from troth.pledge.vault.door import KeeperRefused, door
from troth.shop.accounts.models import Contact, Locality
from troth.shop.refusal import Refused


class Mine(msgspec.Struct, frozen=True):
    name: str
    email: str
    postcode: str

    def __repr__(self) -> str:
        return "<own data>"


def show(person_ref: str, capability: str, job: str = "own-data") -> Mine:
    """Open one's own contact and postcode. Refused if the session has ended; KeeperAway.

    `job`: "prefill" where it is done for a first bill (P4). The keeper opens no postcode without its owner's contact.
    """
    contact = Contact.objects.get(person=person_ref, state=Contact.CURRENT)
    locality = Locality.objects.filter(person=person_ref).first()
    sealed = [contact.contact] + ([locality.locality] if locality else [])
    try:
        values = door().open(sealed, purpose="account", job=job, capability=capability)
    except KeeperRefused:
        values = []
    if not values:
        raise Refused(_("Your session has ended; please sign in again."))
    return Mine(values[0].name, values[0].email, values[1].postcode if locality else "")
