"""Sign in: the keeper compares the password; the shop learns a reference or one sentence."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from troth.pledge.vault.door import KeeperRefused, door
from troth.shop.accounts.session import SignedIn, signed_in
from troth.shop.refusal import Refused


def sign_in(email: str, password: str) -> SignedIn:
    """Refused with one sentence for every reason; KeeperAway if nobody can tell now."""
    try:
        session = door().sign_in(email, password)
    except KeeperRefused:
        session = None
    if session is None:
        raise Refused(_("E-mail and password do not fit together; try again or choose a new password."))
    return signed_in(session)
