"""Claim: what somebody bought as a guest becomes their account's, by the link in the letter that brought it.

The keeper links the two persons, and from then on the account's capability opens the guest's records as well; nothing
is moved or sealed anew. The row here follows; a death between the two is mended by following the link once more.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from troth.pledge.vault.door import KeeperRefused, door
from troth.shop.accounts.models import Claim
from troth.shop.refusal import Refused

WHY = {
    "taken": _("This purchase belongs to an account already."),
    "capability": _("Your session has ended; please sign in again."),
}


def claim(person_ref: str, capability: str, ticket: str, secret: str) -> None:
    """Put a guest's purchases into the account of who is signed in. Done again it changes nothing.

    Refused if the link is over, or the purchase is another account's; KeeperAway.
    """
    guest, why = "", ""
    try:
        guest = door().claim(ticket, secret, capability)
    except KeeperRefused as refused:
        why = refused.code
    if not guest:
        raise Refused(WHY.get(why, _("This link is over; the letter with your purchase has another one.")))
    Claim.objects.get_or_create(guest_id=guest, defaults={"account_id": person_ref})
