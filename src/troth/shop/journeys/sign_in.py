"""Sign in: the keeper compares the password; the shop learns a reference or one sentence."""

from __future__ import annotations

from django.utils.translation import gettext as _

from troth.pledge.vault.door import KeeperRefused, door
from troth.shop.accounts.session import SignedIn, signed_in
from troth.shop.refusal import Refused


def sign_in(email: str, password: str, device: str = "") -> SignedIn:
    """Refused with one sentence for known and unknown addresses alike; KeeperAway if nobody can tell now.

    `device`: what this browser was given when somebody signed in with it. After some failures each further one must
    wait longer: at a browser that is known counted by itself, so that nobody locks the owner out by guessing.
    """
    session, wait = None, 0
    try:
        session = door().sign_in(email, password, device)
    except KeeperRefused as refused:
        wait = refused.after if refused.code in ("later", "budget") else 0
    if wait:
        raise Refused(
            _("Too many attempts: try again in %(seconds)d seconds, or choose a new password by a letter.")
            % {"seconds": wait}
        )
    if session is None:
        raise Refused(_("E-mail and password do not fit together; try again or choose a new password."))
    return signed_in(session)
