"""Bounce: what comes back. A mailbox that takes no mail, or complains, is sent no more mailings; a letter about an
order or an account that came back waits for somebody at the desk.

Reports about delivery are RFC 3464, complaints RFC 5965. Both are known by the address they come back to, which holds
the letter's id and a hash of ours (VERP), so that nobody can have somebody else's mailings stopped, or their letters
told as lost. Complaints come to one address for all, and have what was sent with them: the same tag is in its
envelope's sender there, or the link that stops mailings is, which has a hash of ours too. Of the message nothing is
kept but a code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import Message
from email.parser import HeaderParser
from email.utils import getaddresses

from django.conf import settings

from troth.pledge import clock
from troth.pledge.rights.models import Consent
from troth.shop.delivery.models import Letter
from troth.shop.journeys import choose
from troth.shop.mailings.models import Mailing, Recipient

WHERE = ("Delivered-To", "X-Original-To", "Envelope-To", "To")
SENT_FROM = ("Original-Mail-From", "Return-Path")
LINK = re.compile(r"/unsubscribe/([a-z0-9_]{1,60})/([0-9a-f]{1,80})(\?topic=releases)?>")  # choose.page_of
STATUS = re.compile(r"([245])\.\d{1,3}\.\d{1,3}")
DELIVERED = (Recipient.SENT, Recipient.UNSURE, Recipient.SENDING)


def heard(message: Message) -> str:
    """Take notice of a message that came in: "bounced", "complained", "noted" for one about a letter of ours that says
    nothing final; "" for a message that is about none, which somebody else may want to read."""
    complaint = message.get_content_type() == "multipart/report" and _reports(message) == "feedback-report"
    tags = list(_tags(message, WHERE))
    if complaint:
        tags += [tag for sent in _complained_of(message) for tag in _tags(sent, SENT_FROM)]
    row = next(filter(None, map(Recipient.by_bounce_tag, tags)), None)
    if row is None and complaint and _stopped_by_link(message):
        return Recipient.COMPLAINED
    if row is None:
        letter = next(filter(None, map(Letter.by_bounce_tag, tags)), None)
        return _came_back(letter, message) if letter is not None else ""
    if complaint:
        _end(row, Recipient.COMPLAINED, "complaint")
        choose.stop(row.person_id, Consent.OBJECTED, "complaint")
        if row.mailing.kind == Mailing.RELEASE:
            choose.releases(row.person_id, False, "complaint")
        return Recipient.COMPLAINED
    code = _final(message)
    if not code:
        return "noted"
    _end(row, Recipient.BOUNCED, f"dsn-{code}")
    if code.startswith("5.1.") and row.mailing.kind == Mailing.NEWS:  # no such mailbox (RFC 3463, section 3.2)
        choose.stop(row.person_id, Consent.WITHDRAWN, "mailbox")
    return Recipient.BOUNCED


def _came_back(letter: Letter, message: Message) -> str:
    code = _final(message)
    if not code:
        return "noted"
    Letter.objects.filter(pk=letter.pk, state=Letter.SENT).update(state=Letter.BOUNCED, last_code=f"dsn-{code}")
    return Letter.BOUNCED


def _end(row: Recipient, state: str, code: str) -> None:
    now = clock.now()
    Recipient.objects.filter(pk=row.pk, state__in=DELIVERED).update(state=state, last_code=code, ended_at=now)


def _reports(message: Message) -> str:
    return str(message.get_param("report-type", "")).lower()


def _complained_of(report: Message) -> Iterator[Message]:
    """What a complaint says of the mail that it is about, and that mail's own header fields (RFC 5965, section 2)."""
    for part in report.walk():
        if part is not report:
            yield part
        raw = part.get_payload(decode=True) if part.get_content_type() == "text/rfc822-headers" else None
        if isinstance(raw, bytes):
            yield HeaderParser().parsestr(raw.decode("utf-8", "replace"))


def _stopped_by_link(report: Message) -> bool:
    """Follow the link to stop mailings in the mail that a complaint is about, if it is one of ours."""
    for sent in _complained_of(report):
        link = LINK.search("".join(str(sent.get("List-Unsubscribe", "")).split()))
        if link and (person_ref := choose.found(link[1], link[2])):
            choose.news(person_ref, False, "complaint")
            if link[3]:
                choose.releases(person_ref, False, "complaint")
            return True
    return False


def _tags(message: Message, fields: tuple[str, ...]) -> Iterator[str]:
    """Of each address with a tag in these header fields: the tag."""
    name, at, host = settings.TROTH.mail.bounces.lower().partition("@")
    if not at:
        return
    for header in fields:
        for _name, address in getaddresses([str(value) for value in message.get_all(header, [])]):
            local, _at, domain = address.lower().partition("@")
            if domain == host and local.startswith(f"{name}+"):
                yield local.removeprefix(f"{name}+")


def _final(message: Message) -> str:
    """The status of a report that says the letter will never arrive (action failed, class 5); else ""."""
    for part in message.walk():
        if part.get_content_type() != "message/delivery-status" or not isinstance(part.get_payload(), list):
            continue
        for fields in part.get_payload():
            if not isinstance(fields, Message) or str(fields.get("Action", "")).strip().lower() != "failed":
                continue
            found = STATUS.search(str(fields.get("Status", "")))
            if found and found[1] == "5":
                return found[0]
    return ""
