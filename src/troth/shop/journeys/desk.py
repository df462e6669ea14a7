"""Come to the desk and leave it: password, then a second factor, always. The keeper verifies both and gives a session.

A session is the keeper's capability in a cookie of the desk's own; no table knows it. With every page the keeper says
who sits there, in which roles now, and which jobs of theirs are open.
"""

from __future__ import annotations

import base64
from typing import TypeVar
from urllib.parse import quote, urlencode

import msgspec
from django.conf import settings

from troth.pledge.office import messages as office
from troth.pledge.vault.door import KeeperRefused, door
from troth.shop.accounts.session import SignedIn
from troth.shop.journeys import sign_in as signing
from troth.shop.staff import no

Answer = TypeVar("Answer", bound=office.Answer)


def ask(question: office.Question, wanted: type[Answer], field: str = "") -> Answer:
    """What the keeper's office answers. Refused with one sentence (and the keeper's `code`); KeeperAway."""
    try:
        return door().at_desk(question, wanted)
    except KeeperRefused as refused:
        sentence = no.said(refused, field)
    raise sentence


class App(msgspec.Struct, frozen=True):
    """What goes into an authenticator app. Shown once, in one page."""

    secret: str  # base32
    link: str  # otpauth://, which a telephone opens with its app

    def __repr__(self) -> str:
        return "<app>"


def sign_in(email: str, password: str, device: str = "") -> SignedIn:
    """The first of two steps: the customer's own sign-in, good for nothing at the desk by itself."""
    return signing.sign_in(email, password, device)


def plant(own: str) -> App:
    """A new secret for one's app. Refused for who has a second factor: only a new invitation replaces it."""
    raw = ask(office.Plant(own), office.Planted).secret
    secret = base64.b32encode(raw).decode()
    # https://github.com/google/google-authenticator/wiki/Key-Uri-Format
    issuer = settings.TROTH.shop.name
    return App(secret, f"otpauth://totp/{quote(issuer)}:desk?{urlencode({'secret': secret, 'issuer': issuer})}")


def enter(own: str, code: str) -> office.Entered:
    """A session at the desk; with the first code of an app also recovery codes, told this once."""
    return ask(office.Enter(own, code), office.Entered, "code")


def renew(capability: str, code: str) -> str:
    """Proof of the second factor just now, for five minutes."""
    return ask(office.Renew(capability, code), office.Entered, "code").fresh


def seat(capability: str, fresh: str) -> office.Seat | None:
    """Who sits there now; None for nobody. KeeperAway."""
    try:
        return door().at_desk(office.Me(capability, fresh), office.Seat) if capability else None
    except KeeperRefused:
        return None


def leave(capability: str) -> None:
    """From now on nobody sits at the desk with this, whoever kept a copy."""
    try:
        door().at_desk(office.Leave(capability), office.Done)
    except KeeperRefused:
        pass  # it was over before
