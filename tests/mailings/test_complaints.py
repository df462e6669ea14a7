"""Complaints as mailbox providers send them: to one address for all, with the mail that it is about (RFC 5965)."""

from __future__ import annotations

import email
import email.message

import pytest

from tests.house import House
from tests.mailings.conftest import Reader, mail, states
from tests.mailings.test_consent import sent
from troth.pledge.rights.models import Consent
from troth.shop.journeys import bounce
from troth.shop.mailings import consent

BOUNCES = "bounces@fernhill.example"
REPORT = """From: <feedback@mx.b.example>
To: complaints@fernhill.example
Subject: FW: News
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary=b

--b
Content-Type: text/plain

This is an abuse report for a mail that we got from you.
--b
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: Feedback/1.0
Version: 1
{fields}
--b
Content-Type: {kind}

{original}
--b--
"""


def complaint(original: str = "", fields: str = "", kind: str = "message/rfc822") -> email.message.Message:
    return email.message_from_string(REPORT.format(original=original, fields=fields, kind=kind))


def original(house: House, *names: str) -> str:
    """Of the mail that was sent: these header fields, as a provider that takes out the mailbox sends them on."""
    told = {name.lower(): value for name, value in house.mails[-1].headers} | {
        "return-path": f"<{house.mails[-1].sender}>"
    }
    return "".join(f"{name}: {told[name.lower()]}\n" for name in names) + "Subject: News\n\nwords\n"


@pytest.mark.parametrize("by", ["envelope", "return-path", "link", "header fields alone"])
def test_one_that_comes_to_another_address_is_an_objection(house: House, reader: Reader, by: str) -> None:
    alice = reader("alice@b.example")
    with mail(bounces=BOUNCES):
        made = sent(house)
        back = house.mails[-1].sender
        heard = {
            "envelope": lambda: complaint("Subject: News\n\n", f"Original-Mail-From: <{back}>"),
            "return-path": lambda: complaint(original(house, "Return-Path")),
            "link": lambda: complaint(original(house, "List-Unsubscribe")),
            "header fields alone": lambda: complaint(original(house, "List-Unsubscribe"), kind="text/rfc822-headers"),
        }[by]()
        assert bounce.heard(heard) == "complained"
    house.works()
    assert consent.standing(alice.person_id).what == Consent.OBJECTED
    if by in ("envelope", "return-path"):
        assert states(made) == {"complained": 1}
    assert states(sent(house)) == {}


def test_one_of_somebodys_own_making_stops_nobody(house: House, reader: Reader) -> None:
    alice = reader("alice@b.example")
    with mail(bounces=BOUNCES):
        sent(house)
        back = house.mails[-1].sender
        link = f"List-Unsubscribe: <http://127.0.0.1:8000/unsubscribe/{alice.person_id}/{'0' * 40}>\n\n"
        forged = back.partition("-")[0] + "-000000000000@fernhill.example"
        for made in (complaint(link), complaint("", f"Original-Mail-From: <{forged}>"), complaint()):
            assert bounce.heard(made) == ""
    assert consent.standing(alice.person_id).may


def test_what_was_forwarded_as_no_complaint_is_none(house: House, reader: Reader) -> None:
    """A mail that brings one of ours along, to show it to somebody, stops nothing."""
    alice = reader("alice@b.example")
    with mail(bounces=BOUNCES):
        sent(house)
        shown = complaint(original(house, "List-Unsubscribe"))
        shown.set_param("report-type", "disposition-notification")
        assert bounce.heard(shown) == ""
    assert consent.standing(alice.person_id).may
