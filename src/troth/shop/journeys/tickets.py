"""A customer's tickets: which there are, what stands in one, a file of it. Opened by their own capability and noted.

Who came by the mailed link alone sees states and dates: our answers are in the letters, and what lies sealed opens for
nobody who has not signed in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec
from django.db.models import QuerySet
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext_lazy as _

from troth.pledge.ids import SHAPE
from troth.pledge.office.messages import Job
from troth.pledge.vault.classes import Enclosure, Words
from troth.pledge.vault.door import KeeperRefused, door
from troth.pledge.vault.fields import Sealed
from troth.shop.accounts.models import Claim, Contact
from troth.shop.journeys import job as jobs
from troth.shop.refusal import Refused
from troth.shop.support import addresses, files
from troth.shop.support.models import Attachment, Message, Ticket

LISTED = 30
PAGE = 20  # messages on one page
AT_ONCE, BYTES_AT_ONCE = 49, 600_000  # sealed values in one question to the keeper, beside the contact
ENDED = _("Your session has ended; please sign in again.")


class File(msgspec.Struct, frozen=True):
    id: str
    size: int
    name: str = ""  # "": not opened


class Shown(msgspec.Struct, frozen=True):
    """A message as its page shows it; `text` is None where it was not opened."""

    id: str
    side: str
    made_at: datetime
    masked: int
    files: list[File]
    text: str | None = None
    subject: str = ""

    def __repr__(self) -> str:
        return "<message>"


def of(person_ref: str) -> QuerySet[Ticket]:
    """A person's tickets, and those of guests whom they claimed, the newest first."""
    return Ticket.objects.filter(person__in=Claim.persons_of(person_ref), merged_into=None).order_by("-touched_at")


WAITS: dict[str, tuple[str, ...]] = {
    "": Ticket.OURS,
    "waiting": (Ticket.WAITING,),
    "solved": (Ticket.SOLVED,),
    "closed": (Ticket.CLOSED,),
}


def waiting(shown: str, page: int) -> tuple[list[Ticket], bool]:
    """A page of the tickets whose turn it is, those that are due first, and whether there are more."""
    rows = Ticket.objects.filter(state__in=WAITS.get(shown, Ticket.OURS), merged_into=None).select_related("product")
    rows = rows.order_by("due_at", "pk") if shown not in WAITS or not shown else rows.order_by("-touched_at", "pk")
    start = (page - 1) * LISTED
    listed = list(rows[start : start + LISTED + 1])
    return listed[:LISTED], len(listed) > LISTED


def others(ticket: Ticket, persons: Sequence[str]) -> list[Ticket]:
    """What else these persons, who are one customer, have asked."""
    rows = Ticket.objects.filter(person__in=persons, merged_into=None).exclude(pk=ticket.pk)
    return list(rows.order_by("-touched_at")[:LISTED])


def found(ref: str) -> Ticket | None:
    return Ticket.objects.select_related("person").filter(pk=ref).first() if SHAPE.match(ref) else None


def owns(ticket: Ticket, person_ref: str | None) -> bool:
    return bool(person_ref) and ticket.person_id in Claim.persons_of(person_ref or "")


def by_key(ticket: Ticket, key: str) -> bool:
    """Whether this is the key of the mailed link."""
    return constant_time_compare(key, addresses.key(ticket))


def came_by_key(ticket: Ticket, cookie: str | None) -> bool:
    return bool(cookie) and constant_time_compare(cookie or "", addresses.cookie(ticket))


def closed_view(ticket: Ticket) -> list[Shown]:
    """The messages without their words."""
    return _shown(_messages(ticket, "", notes=False), {})


def read(ticket: Ticket, person_ref: str, capability: str, before: str = "") -> tuple[list[Shown], bool]:
    """The newest messages before the one named, and whether there are older ones. Refused if the session has ended."""
    rows = _messages(ticket, before, notes=False)
    more, rows = len(rows) > PAGE, rows[:PAGE]
    mine = Contact.objects.get(person=person_ref, state=Contact.CURRENT).contact
    opened = _open(_sealed(rows), "account", ticket.ref, capability, mine)
    return _shown(rows, opened), more


def read_in_job(ticket: Ticket, capability: str, job: Job, before: str = "") -> tuple[list[Shown], bool]:
    """The same for a colleague who has a job on this customer, our own notes included. Refused without one."""
    rows = _messages(ticket, before, notes=True)
    more, rows = len(rows) > PAGE, rows[:PAGE]
    opened: dict[str, Any] = {}
    for some in _slices(_sealed(rows)):
        values = jobs.opened(capability, job, [sealed for _, sealed in some])
        opened |= dict(zip((name for name, _ in some), values, strict=True))
    return _shown(rows, opened), more


def file(ticket: Ticket, attachment: str, person_ref: str, capability: str) -> tuple[Enclosure, int, Iterator[bytes]]:
    """One's own file: what it is, its size, its content. Refused where there is none, or the session has ended."""
    row = _attachment(ticket, attachment, notes=False)
    mine = Contact.objects.get(person=person_ref, state=Contact.CURRENT).contact
    opened = _open([(row.id, row.enclosure)], "account", ticket.ref, capability, mine)
    return opened[row.id], row.size, files.contents(row, opened[row.id])


def file_in_job(ticket: Ticket, attachment: str, capability: str, job: Job) -> tuple[Enclosure, int, Iterator[bytes]]:
    row = _attachment(ticket, attachment, notes=True)
    (enclosure,) = jobs.opened(capability, job, [row.enclosure])
    return enclosure, row.size, files.contents(row, enclosure)


def _attachment(ticket: Ticket, attachment: str, *, notes: bool) -> Attachment:
    rows = Attachment.objects.filter(message__ticket=ticket, pk=attachment if SHAPE.match(attachment) else "")
    row = (rows if notes else rows.exclude(message__side=Message.NOTE)).first()
    if row is None:
        raise Refused(_("There is no such file in this conversation."))
    return row


def _messages(ticket: Ticket, before: str, *, notes: bool) -> list[Message]:
    rows = ticket.messages.prefetch_related("attachments").order_by("-made_at", "-pk")
    if not notes:
        rows = rows.exclude(side=Message.NOTE)
    if SHAPE.match(before):
        last = ticket.messages.filter(pk=before).first()
        rows = rows.filter(made_at__lt=last.made_at) if last else rows
    return list(rows[: PAGE + 1])


def _sealed(rows: Sequence[Message]) -> list[tuple[str, Sealed]]:
    found = [(row.id, row.words) for row in rows]
    return found + [(one.id, one.enclosure) for row in rows for one in row.attachments.all()]


def _open(sealed: list[tuple[str, Sealed]], purpose: str, job: str, capability: str, contact: Sealed) -> dict[str, Any]:
    """By the customer's own capability, which the keeper believes beside their own contact only."""
    opened: dict[str, Any] = {}
    try:
        for some in _slices(sealed):
            ask = [contact, *(value for _, value in some)]
            values = door().open(ask, purpose=purpose, job=job, capability=capability)
            opened |= dict(zip((name for name, _ in some), values[1:], strict=True))
    except KeeperRefused:
        opened = {}
    if not opened:
        raise Refused(ENDED)
    return opened


def _slices(sealed: list[tuple[str, Sealed]]) -> Iterator[list[tuple[str, Sealed]]]:
    """As many at a time as one question to the keeper holds."""
    some: list[tuple[str, Sealed]] = []
    size = 0
    for one in sealed:
        length = len(one[1].ciphertext)
        if some and (len(some) == AT_ONCE or size + length > BYTES_AT_ONCE):
            yield some
            some, size = [], 0
        some.append(one)
        size += length
    if some:
        yield some


def _shown(rows: Sequence[Message], opened: dict[str, Any]) -> list[Shown]:
    shown = []
    for row in rows:
        words: Words | None = opened.get(row.id)
        attached = [File(one.id, one.size, getattr(opened.get(one.id), "name", "")) for one in row.attachments.all()]
        text, subject = (words.text, words.subject) if words else (None, "")
        shown.append(Shown(row.id, row.side, row.made_at, row.masked, attached, text, subject))
    return shown
