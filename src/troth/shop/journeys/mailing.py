"""Mailing: one text to many, by the owner's wish. What the owner does is here; how it leaves is in mail_out.py."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from django.conf import settings
from django.db import transaction
from django.db.models import Count, QuerySet
from django.utils.translation import gettext_lazy as _

from troth.pledge import clock
from troth.pledge.due import loop as due
from troth.pledge.due.models import Due
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
    """Have one copy sent to the owner's own address, [shop] contact_email, marked as a test. Refused where the shop
    has none. The worker sends it, as only the worker may reach the relay."""
    if not settings.TROTH.shop.contact_email:
        raise Refused(_("Set [shop] contact_email: the test goes there."))
    due.hasten("mailing-test", mailing.id)


def test_under_way(mailing: Mailing) -> str | None:
    """Why the test has not left yet, as a code ("": it is just due); None where none is to leave."""
    row = Due.objects.filter(kind="mailing-test", subject=mailing.id).first()
    return row.last_code if row is not None else None


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


def sheets() -> list[Sheet]:
    """All of them, the newest first."""
    return _sheets(Mailing.objects.order_by("-made_at"))


def sheet(mailing: Mailing) -> Sheet:
    (one,) = _sheets(Mailing.objects.filter(pk=mailing.pk))
    return one


def _sheets(mailings: QuerySet[Mailing]) -> list[Sheet]:
    counted: dict[str, dict[str, int]] = {}
    copies = Recipient.objects.filter(mailing__in=mailings.order_by()).values_list("mailing", "state")
    for ref, state, number in copies.annotate(n=Count("pk")):
        counted.setdefault(ref, {})[state] = number
    return [
        Sheet(
            one.id, one.title, one.kind, one.state, one.begins_at,
            reach(one) if one.state == Mailing.DRAFT else None, counted.get(one.id, {}),
        )
        for one in mailings
    ]  # fmt: skip


def found(mailing_id: str) -> Mailing:
    """Refused where there is none."""
    row = Mailing.objects.filter(pk=mailing_id).first()
    if row is None:
        raise Refused(_("There is no such mailing; its id looks like mai_…"))
    return row


def _part(letter: Any, kind: str) -> str:
    return str(letter.get_body(preferencelist=(kind,)).get_content())
