"""Come to the desk and leave it: password, then a second factor, always. The keeper verifies both and gives a session.

A session is the keeper's capability in a cookie of the desk's own; no table knows it. With every page the keeper says
who sits there, in which roles now, and which jobs of theirs are open.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import quote, urlencode

import msgspec
import segno
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
    picture: str  # the link as a QR code, an element of SVG

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
    link = f"otpauth://totp/{quote(issuer)}:desk?{urlencode({'secret': secret, 'issuer': issuer})}"
    return App(secret, link, segno.make(link, micro=False).svg_inline(scale=5, border=4, light="#fff"))


class Factor(msgspec.Struct, frozen=True):
    """What somebody showed: a code of an app or for recovery, or a passkey and the challenge that it answers."""

    code: str = ""
    challenge: str = ""
    passkey: str = ""

    def __repr__(self) -> str:
        return "<factor>"


class Passkey(msgspec.Struct, frozen=True):
    id: str
    made_at: datetime
    counts: bool  # at the desk


def enter(own: str, factor: Factor) -> office.Entered:
    """A session at the desk; with the first code of an app also recovery codes, told this once."""
    return ask(office.Enter(own, factor.code, factor.challenge, factor.passkey), office.Entered, "code")


def renew(capability: str, factor: Factor) -> str:
    """Proof of the second factor just now, for five minutes."""
    asked = office.Renew(capability, factor.code, factor.challenge, factor.passkey)
    return ask(asked, office.Entered, "code").fresh


def passkeys(capability: str) -> list[Passkey]:
    """Those of one's own account, oldest first."""
    found = ask(office.Passkeys(capability), office.Known).passkeys
    return [Passkey(name, datetime.fromtimestamp(made, UTC), counts) for name, made, counts in found]


def count(capability: str, fresh: str, passkey: str, counts: bool) -> None:
    """Let a passkey of one's own count as the second factor from now on, or no longer. Refused without another one."""
    ask(office.Count(capability, fresh, passkey, counts), office.Done)


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
