"""Passkeys: add one to one's account, list and remove them, sign in with one. The keeper verifies; see pledge/passkeys.

A letter tells the person whenever one was added or removed, so that nobody does it behind their back.
"""

from __future__ import annotations

import base64
import ipaddress
from contextlib import suppress
from datetime import UTC, datetime
from urllib.parse import urlsplit

import msgspec
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from troth.pledge.ids import new_id, to_bytes
from troth.pledge.vault.door import KeeperRefused, door
from troth.pledge.vault.models import Person
from troth.shop.accounts.session import SignedIn, signed_in
from troth.shop.delivery.letters import queue
from troth.shop.refusal import Refused


class Passkey(msgspec.Struct, frozen=True):
    id: str
    made_at: datetime


class Challenge(msgspec.Struct, frozen=True):
    """What the page hands to the browser. `user`: the person's reference, base64url; no name of theirs."""

    challenge: str
    user: str = ""
    known: str = ""  # ids of the passkeys that they have, with spaces between


def possible() -> bool:
    """Whether browsers do this here: at a name (not a number), by TLS or on the own machine (Web Authentication, 5)."""
    site = urlsplit(settings.TROTH.web.public_url)
    with suppress(ValueError):
        ipaddress.ip_address(site.hostname or "")
        return False
    return site.scheme == "https" or site.hostname == "localhost"


def mine(capability: str) -> list[Passkey]:
    """Refused when one has to sign in again; KeeperAway."""
    try:
        found = door().passkeys(capability)
    except KeeperRefused:
        found = None
    if found is None:
        raise Refused(_("Sign in again to see your passkeys."))
    return [Passkey(name, datetime.fromtimestamp(made, UTC)) for name, made in found]


def to_add(person_ref: str, capability: str) -> Challenge:
    """A challenge for a new passkey. Refused when one has to sign in again; KeeperAway."""
    known = " ".join(one.id for one in mine(capability))
    user = base64.urlsafe_b64encode(to_bytes(person_ref)).decode().rstrip("=")
    return Challenge(door().challenge(), user, known)


def to_sign_in() -> Challenge:
    return Challenge(door().challenge())


def add(person_ref: str, capability: str, password: str, challenge: str, shown: str) -> None:
    """Refused with one sentence where the password does not fit or the passkey was not made here; KeeperAway."""
    no = None
    try:
        door().add_passkey(capability, password, challenge, shown)
    except KeeperRefused as refused:
        no = refused
    if no is not None:
        raise _sentence(no)
    _tell("passkey-added", person_ref)


def remove(person_ref: str, capability: str, passkey: str) -> None:
    """Removed again it is as gone as before. Refused when one has to sign in again; KeeperAway."""
    had = any(one.id == passkey for one in mine(capability))
    try:
        door().remove_passkey(capability, passkey)
    except KeeperRefused:
        had = False
    if had:
        _tell("passkey-removed", person_ref)


def sign_in(challenge: str, shown: str) -> SignedIn:
    """Refused with one sentence, whatever the reason; KeeperAway."""
    session = None
    try:
        session = door().sign_in_by_passkey(challenge, shown)
    except KeeperRefused:
        pass
    if session is None:
        raise Refused(_("This passkey is not known here, or it took too long: try again, or sign in by password."))
    return signed_in(session)


def _tell(kind: str, person_ref: str) -> None:
    with transaction.atomic():
        queue(kind, new_id("let"), Person.objects.get(pk=person_ref))


def _sentence(refused: KeeperRefused) -> Refused:
    if refused.code == "credentials":
        return Refused(_("This is not your present password; type it again."), "password")
    if refused.code in ("later", "budget"):
        text = _("Too many attempts: try again in %(seconds)d seconds.") % {"seconds": refused.after}
        return Refused(text, "password")
    if refused.code == "unproved":
        return Refused(_("Confirm your e-mail address first: the link is in our letter."))
    if refused.code == "many":
        return Refused(_("You have as many passkeys as can be kept: remove one first."))
    return Refused(_("This passkey could not be added: it is here already, or it took too long. Try again."))
