"""Mailing: one text to many, by the owner's wish. What the owner does is here; how it leaves is in mail_out.py."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from django.db import transaction
from django.db.models import Count
from django.utils.translation import gettext_lazy as _

from troth.pledge import clock
from troth.pledge.due import loop as due
from troth.shop.journeys import mail_out
from troth.shop.mailings import markup, segments
from troth.shop.mailings.models import Mailing, Recipient
from troth.shop.mailings.segments import Segment
from troth.shop.refusal import Refused


class Sheet(msgspec.Struct, frozen=True):
    """A mailing as its owner sees it. `reach`: how many may be written to now; `counts`: how far its copies got."""

    id: str
    title: str
    kind: str
    state: str
    begins_at: datetime | None
    reach: int | None
    counts: dict[str, int]


class Preview(msgspec.Struct, frozen=True):
    subject: str
    text: str
    html: str
    reach: int


def compose(title: str, text: str, segment: Segment) -> Mailing:
    """A draft. Refused, in one sentence, for a title or text that no letter carries."""
    if not title.strip() or len(title) > 120 or len(title.splitlines()) != 1:
        raise Refused(_("Give the mailing a title of one line and at most 120 letters."), "title")
    markup.check(text)
    return Mailing.objects.create(title=title.strip(), text=text, segment=segments.write(segment))


def change(mailing: Mailing, title: str, text: str, segment: Segment) -> Mailing:
    """The draft anew, as another one; the former goes. Refused once it was scheduled."""
    made = compose(title, text, segment)
    if not Mailing.objects.filter(pk=mailing.pk, state=Mailing.DRAFT).delete()[0]:
        made.delete()
        raise Refused(_("This mailing is on its way already; write another one."))
    return made


def preview(mailing: Mailing) -> Preview:
    """How it will look, to somebody called as the shop is, and how many it would reach now."""
    letter = mail_out.sample(mailing)
    return Preview(str(letter["Subject"]), _part(letter, "plain"), _part(letter, "html"), reach(mailing))


def reach(mailing: Mailing) -> int:
    return mail_out.audience(mailing).count()


def test(mailing: Mailing) -> None:
    """One copy to the owner's own address, [shop] contact_email, marked as a test. Raises post.Undelivered; Refused
    where the shop has no address."""
    mail_out.send_sample(mailing)


def send(mailing: Mailing, at: datetime | None = None) -> None:
    """Let it begin, now or then. Refused if it did before."""
    begins = max(at or clock.now(), clock.now())
    with transaction.atomic():
        if not mailing.move((Mailing.DRAFT, Mailing.STOPPED), Mailing.SCHEDULED, begins_at=begins):
            raise Refused(_("This mailing is on its way already, or done."))
        due.add("mailing", mailing.id, after=(begins - clock.now()).total_seconds())


def stop(mailing: Mailing) -> None:
    """No further copy leaves; `send` goes on where it stopped. Refused if it is not under way."""
    with transaction.atomic():
        if not mailing.move((Mailing.SCHEDULED, Mailing.SENDING), Mailing.STOPPED):
            raise Refused(_("This mailing is not under way."))
        due.drop(("mailing", mailing.id))


def sheets(count_reach: bool = True) -> list[Sheet]:
    """All of them, the newest first."""
    counted: dict[str, dict[str, int]] = {}
    for ref, state, number in Recipient.objects.values_list("mailing", "state").annotate(n=Count("pk")):
        counted.setdefault(ref, {})[state] = number
    return [
        Sheet(
            one.id, one.title, one.kind, one.state, one.begins_at,
            reach(one) if count_reach and one.state == Mailing.DRAFT else None, counted.get(one.id, {}),
        )
        for one in Mailing.objects.order_by("-made_at")
    ]  # fmt: skip


def found(mailing_id: str) -> Mailing:
    """Refused where there is none."""
    row = Mailing.objects.filter(pk=mailing_id).first()
    if row is None:
        raise Refused(_("There is no such mailing; its id looks like mai_…"))
    return row


def _part(letter: Any, kind: str) -> str:
    return str(letter.get_body(preferencelist=(kind,)).get_content())
