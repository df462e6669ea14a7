"""Letters: queued as a row with what causes them, written when they are sent, kept by nobody.

Each has one Message-ID for ever, so that a second copy (a worker died between the relay's answer and our note of it)
is recognised as the same letter. Text and HTML carry the same links.
"""

from __future__ import annotations

from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jinja2
from django.conf import settings
from django.db.models import F
from django.utils import translation
from django.utils.crypto import salted_hmac

from troth.pledge import clock, fault, returning
from troth.pledge.due import loop as due
from troth.pledge.vault.classes import Contact as ContactData
from troth.pledge.vault.models import Person
from troth.shop import written
from troth.shop.delivery import post
from troth.shop.delivery.models import Letter
from troth.shop.orders.models import Order
from troth.tones import ACCENT

OURS = Path(__file__).parent / "letters"
_shipped = jinja2.FileSystemLoader(OURS)
_owners = jinja2.FileSystemLoader(settings.TROTH.home / "templates" / "letters")
TEMPLATES = jinja2.Environment(
    loader=jinja2.ChoiceLoader([_owners, _shipped, jinja2.PrefixLoader({"shipped": _shipped})]),
    autoescape=jinja2.select_autoescape(["html"]),
    undefined=jinja2.StrictUndefined,
    extensions=["jinja2.ext.i18n"],
    trim_blocks=True,
    lstrip_blocks=True,
)
TEMPLATES.install_gettext_callables(  # type: ignore[attr-defined]
    translation.gettext, translation.ngettext, newstyle=True
)
TEMPLATES.globals["accent"] = settings.TROTH.shop.accent or ACCENT
TEMPLATES.filters |= {"date": written.day, "datetime": written.moment}


def queue(kind: str, subject: str, person: Person, order: Order | None = None) -> None:
    """Make a letter due, in the caller's transaction. The same kind about the same subject is one letter."""
    Letter.objects.bulk_create([Letter(kind=kind, subject=subject, person=person, order=order)], ignore_conflicts=True)
    due.add(kind, subject)


def of_order(kind: str, order: Order) -> Letter:
    """The letter of this kind about an order, which has one: made now, or as far as it got before."""
    letter = Letter(kind=kind, subject=order.ref, person_id=order.person_id, order=order)
    if returning.insert(Letter, [letter]):
        return letter
    return Letter.objects.get(kind=kind, subject=order.ref)


def send(letter: Letter, to: ContactData, claim: due.Claim, reply_to: str = "", /, **words: Any) -> None:
    """Write and send. Raises due.Again with a code; a letter that never can be sent is marked failed, and given up.

    `reply_to`: where an answer to it goes, if not to its sender.
    """
    message = write(letter, to, **words)
    if reply_to:
        message["Reply-To"] = Address(addr_spec=reply_to)
    if not claim.still_mine():
        raise due.Again("late", 0)
    fault.here("send.fenced", letter.kind)
    try:
        post.send(settings.TROTH.mail, message, sender=_envelope(letter))
        fault.here("send.sent", letter.kind)
    except post.Undelivered as trouble:
        state = Letter.FAILED if trouble.final else Letter.QUEUED
        Letter.objects.filter(pk=letter.pk).exclude(state=Letter.SENT).update(
            state=state, attempts=F("attempts") + 1, last_code=trouble.code
        )
        again = due.Again(trouble.code, give_up=trouble.final)
    else:
        Letter.objects.filter(pk=letter.pk).update(
            state=Letter.SENT, sent_at=clock.now(), attempts=F("attempts") + 1, last_code=""
        )
        fault.here("send.noted", letter.kind)
        return
    raise again


def write(letter: Letter, to: ContactData, **words: Any) -> EmailMessage:
    """The letter as it leaves: text and HTML, one Message-ID for ever."""
    message = compose(letter.kind, to, **words)
    message["Date"] = format_datetime(letter.queued_at)
    message["Message-ID"] = message_id(letter)
    message["Auto-Submitted"] = "auto-generated"
    return message


def compose(kind: str, to: ContactData, **words: Any) -> EmailMessage:
    """What the templates of this kind say to somebody, as text and HTML. Date and Message-ID are the caller's."""
    shop = settings.TROTH.shop
    site = settings.TROTH.web.public_url.rstrip("/")
    with translation.override(settings.LANGUAGE_CODE):
        said = {"name": to.name, "shop": shop, "site": site, **words}
        subject = TEMPLATES.get_template(f"{kind}.subject.txt").render(said).strip()
        text = TEMPLATES.get_template(f"{kind}.txt").render(said)
        html = TEMPLATES.get_template(f"{kind}.html").render(said, subject=subject)
    message = EmailMessage()
    message["Subject"] = as_typed(subject)
    message["From"] = sender()
    message["To"] = Address(display_name=as_typed(to.name), addr_spec=to.email)
    message.set_content(text)
    message.add_alternative(html, subtype="html")
    return message


def as_typed(text: str) -> str:
    """One line of a header that says what somebody typed. An encoded word in it (RFC 2047) stays what it looks like:
    Python's headers would read it, line breaks and all, and what follows were headers and words of theirs."""
    return " ".join(text.replace("=?", "= ?").split())


def _envelope(letter: Letter) -> str:
    """Where it comes back to if no mailbox takes it: an address for each letter, where the shop has one for that."""
    name, at, host = settings.TROTH.mail.bounces.partition("@")
    return f"{name}+{letter.bounce_tag}@{host}" if at else ""


def message_id(letter: Letter) -> str:
    host = urlsplit(settings.TROTH.web.public_url).hostname
    return f"<{salted_hmac('troth.letter', letter.id, algorithm='sha256').hexdigest()[:32]}@{host}>"


def sender() -> Address:
    """Who the shop's letters come from."""
    config = settings.TROTH
    host = urlsplit(config.web.public_url).hostname
    address = config.mail.sender or config.shop.contact_email or f"shop@{host}"
    return Address(display_name=config.shop.name, addr_spec=address)
