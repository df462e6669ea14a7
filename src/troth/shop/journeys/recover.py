"""Recover: a new password by a letter to the mailbox on file.

Web passes on what was typed and gets a ticket, for known and unknown mailboxes alike. What it is good for only the
worker learns, which opens the address and mails the link; ticket, secret and new password come back through web.
"""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from troth.pledge.due import loop as due
from troth.pledge.vault.door import KeeperRefused, door
from troth.shop import policy_version
from troth.shop.accounts import passwords
from troth.shop.accounts.models import Account
from troth.shop.accounts.session import SignedIn, signed_in
from troth.shop.journeys.confirm import confirmed
from troth.shop.refusal import Refused


def ask(email: str) -> None:
    """Make a letter due if the mailbox is known; nobody can tell from outside whether it was. KeeperAway."""
    try:
        ticket = door().recover(email)
    except KeeperRefused:
        return  # not even shaped like a mailbox: the same silence
    due.add("recover", ticket)


def finish(ticket: str, secret: str, password: str) -> SignedIn:
    """Set the password and sign in; every older session is over. Refused if the link is over or was used."""
    passwords.check(password, "", "")
    try:
        proved = door().prove(ticket, secret, password)
    except KeeperRefused:
        proved = None
    if proved is None:
        raise Refused(_("This link is over or was used; ask for a new one."))
    with transaction.atomic():
        # A guest who chooses a password becomes an account here.
        Account.objects.get_or_create(
            person_id=proved.session.ref, defaults={"policy_version": policy_version.current()}
        )
        confirmed(proved.session.ref)
    return signed_in(proved.session)
