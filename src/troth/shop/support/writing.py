"""Write a message into a ticket: masked, sealed, with its files. Inside the caller's transaction."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from troth.pledge.vault.classes import Words
from troth.pledge.vault.fields import seal
from troth.shop.refusal import Refused
from troth.shop.support import files
from troth.shop.support.masking import mask_both
from troth.shop.support.models import Message, Ticket

LONGEST, LONGEST_SUBJECT = 20_000, 200  # characters
EMPTY = _("Please write something.")
LONG = _("That is too long for one message; please send the rest as a text file.")
_KEPT = "\n\t"
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")


def readable(text: str) -> str:
    """NFC, line breaks of one kind, without controls and without marks that turn the direction of writing."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    kept = (one for one in text if one in _KEPT or (unicodedata.category(one) not in ("Cc", "Cs", "Co", "Cn")))
    return "".join(one for one in kept if one not in _TURNING).strip()


def write(
    ticket: Ticket,
    side: str,
    text: str,
    subject: str = "",
    *,
    attached: Sequence[files.Intake] = (),
    came_by: str = Ticket.WEB,
    by: str = "",
) -> Message:
    """One more message. Refused: nothing, or too much."""
    text, subject = readable(text), " ".join(readable(subject).split())
    if not text:
        raise Refused(EMPTY, "text")
    if len(text) > LONGEST or len(subject) > LONGEST_SUBJECT:
        raise Refused(LONG, "text")
    subject, text, masked = mask_both(subject, text)
    message = Message(ticket=ticket, person=ticket.person, side=side, came_by=came_by, by=by, masked=masked)
    seal(message, "words", Words(text, subject))
    message.save(force_insert=True)
    files.keep(message, attached)
    return message
