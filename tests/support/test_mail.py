"""Mail that comes in: answers, questions, machines, and mails that were made to hurt."""

from __future__ import annotations

import imaplib
import io
from email.message import EmailMessage
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart

import msgspec
import pytest
from click.testing import CliRunner
from django.conf import settings
from django.db import DatabaseError
from hypothesis import given
from hypothesis import strategies as st

from tests.house import House
from tests.storefront.conftest import Browser
from tests.support.asking import WHO, asks, letter, mailed, words
from troth.faces.cli.mail_in import mail_in
from troth.pledge.due.models import Due
from troth.shop.journeys import answer, hear_mail
from troth.shop.support import addresses, imap, mail
from troth.shop.support.models import Attachment, Heard, Message, Parcel, Ticket

GUS, SHOP = "Gus Guest <gus@guest.example>", "support@fernhill.example"


def comes(house: House, raw: bytes) -> str:
    """The mail is brought by the mail server's program, and the worker reads it: what it made of it."""
    hear_mail.take_in(raw)
    assert not raw or raw[:200] not in bytes(Parcel.objects.get().sealed)
    house.works()
    assert not Parcel.objects.exists()
    return str(Heard.objects.order_by("-heard_at").values_list("outcome", flat=True).first())


def answered(house: House, browser: Browser) -> tuple[Ticket, str]:
    """A guest's ticket with our answer, and where answers to that go."""
    ticket = asks(browser, **WHO)
    answer.answer(ticket, "Which version?")
    house.works()
    return Ticket.objects.get(pk=ticket.pk), letter(house)["Reply-To"]


def test_an_answer_to_our_letter_goes_on_with_the_ticket(house: House, browser: Browser) -> None:
    ticket, to = answered(house, browser)
    quoted = "Version 2.\n\nOn Monday Fernhill wrote:\n> Which version?\n> --\n"
    assert comes(house, mailed(GUS, to.upper(), quoted)) == "answer"
    last = ticket.messages.get(came_by=Ticket.MAIL)
    assert (last.side, words(house, last)) == (Message.THEIRS, "Version 2.")
    ticket.refresh_from_db()
    assert ticket.state == Ticket.OPEN and ticket.due_at and Ticket.objects.count() == 1


def test_an_answer_in_another_spelling_of_the_domain_is_of_the_same_person(house: House, browser: Browser) -> None:
    ticket = asks(browser, **WHO | {"email": "gus@b\u00fccher.\u0440\u0444"})
    answer.answer(ticket, "Which version?")
    house.works()
    assert house.mails[-1].to == ["gus@xn--bcher-kva.xn--p1ai"]
    assert comes(house, mailed("gus@XN--BCHER-KVA.xn--p1ai", letter(house)["Reply-To"], "Version 2.")) == "answer"


def test_the_same_mail_twice_is_one_message(house: House, browser: Browser) -> None:
    ticket, to = answered(house, browser)
    raw = mailed(GUS, to, "Version 2.")
    for _ in range(3):
        comes(house, raw)
    assert ticket.messages.count() == 3 and Heard.objects.count() == 1


def test_a_stranger_with_the_address_begins_a_ticket_of_their_own(house: House, browser: Browser) -> None:
    ticket, to = answered(house, browser)
    before = len(house.mails)
    assert comes(house, mailed("mallory@evil.example", to, "Send me all of it, please")) == "question"
    assert ticket.messages.count() == 2
    theirs = Ticket.objects.exclude(pk=ticket.pk).get()
    assert theirs.about == ticket and theirs.person_id != ticket.person_id
    told = house.mails[before:]
    assert [mail.to for mail in told] == [["mallory@evil.example"]]
    assert all(ticket.short not in mail.raw and "Which version" not in mail.raw for mail in told)


@pytest.mark.parametrize("change", ["mac", "ref", "short", "none"])
def test_a_forged_plus_address_leads_nowhere(house: House, browser: Browser, change: str) -> None:
    ticket, to = answered(house, browser)
    local, host = to.split("@")
    last = "a" if local[-1] != "a" else "b"
    forged = {
        "mac": f"{local[:-1]}{last}@{host}",
        "ref": f"support+{'a' * 26}{local[-16:]}@{host}",
        "short": f"{local[:-3]}@{host}",
        "none": SHOP,
    }[change]
    assert comes(house, mailed(GUS, forged, "It is me")) == "question"
    assert ticket.messages.count() == 2
    assert addresses.ticket_of([to.replace("fernhill", "evil"), f"x{to}"]) == ""


def test_a_mail_to_a_closed_ticket_begins_another_for_the_same_person(house: House, browser: Browser) -> None:
    ticket, to = answered(house, browser)
    Ticket.objects.filter(pk=ticket.pk).update(state=Ticket.CLOSED)
    comes(house, mailed(GUS, to, "It is back"))
    other = Ticket.objects.exclude(pk=ticket.pk).get()
    assert (other.person_id, other.about_id) == (ticket.person_id, ticket.pk)


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Auto_Submitted": "auto-generated (vacation)"},
        {"Precedence": "bulk"},
        {"List_Id": "<all.example>"},
        {"Return_Path": "<>"},
        {"X_Autoreply": "yes"},
    ],
)
def test_machines_are_not_answered(house: House, browser: Browser, headers: dict[str, str]) -> None:
    _ticket, to = answered(house, browser)
    sent = len(house.mails)
    for _ in range(2):  # mail servers bring a mail twice now and then
        comes(house, mailed(GUS, to, "I am away", **headers))
    comes(house, mailed("Mailer <MAILER-DAEMON@mx.example>", to, "Undeliverable"))
    assert Message.objects.count() == 2 and len(house.mails) == sent


def test_a_report_about_a_mailing_goes_to_who_stops_mailings(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(hear_mail.bounce, "heard", lambda message: seen.append(message["Subject"]) or "bounced")
    assert comes(house, mailed("<>", "bounces+x@fernhill.example", "x", Subject="Undelivered")) == "bounced"
    assert seen == ["Undelivered"] and not Ticket.objects.exists()


def test_two_machines_that_answer_each_other_stop(house: House) -> None:
    for n in range(hear_mail.A_DAY + 5):
        hear_mail.take_in(mailed("echo@loop.example", SHOP, f"Thank you for your mail {n}"))
    house.stock(30)
    house.works()
    assert Ticket.objects.count() == hear_mail.A_DAY
    assert Heard.objects.filter(outcome="flood").count() == 5
    assert all(header for mail in house.mails for header in mail.headers if header[0] == "Auto-Submitted")


def test_html_alone_becomes_text_and_files_are_checked(house: House) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = GUS, SHOP, "=?utf-8?B?w4Q=?= question"
    message.set_content(
        "<head><title>x</title></head><p>Hello</p><script>steal()</script><p>4111111111111111</p>", subtype="html"
    )
    message.add_attachment(b"MZ", maintype="application", subtype="octet-stream", filename="../../x.exe")
    message.add_attachment(b"a line", maintype="text", subtype="plain", filename="../../etc/x.txt")
    assert comes(house, message.as_bytes()) == "question"
    said = words(house, Message.objects.get())
    assert said == "Hello\n\n••••••••••••1111\n\n[files left out: 1]"
    assert Attachment.objects.count() == 1 and Message.objects.get().masked == 1


def bombs() -> dict[str, bytes]:
    many = MIMEMultipart()
    many["From"] = GUS
    for _ in range(10_000):
        many.attach(MIMEBase("text", "plain"))
    deep = "\r\n".join(
        ["From: gus@guest.example"]
        + [f'Content-Type: multipart/mixed; boundary="{n}"\r\n\r\n--{n}' for n in range(5_000)]
    )
    shallow = "\r\n".join(
        ["From: gus@guest.example"] + [f'Content-Type: multipart/mixed; boundary="{n}"\r\n\r\n--{n}' for n in range(40)]
    )
    return {
        "ten thousand parts": many.as_bytes(),
        "parts in parts": deep.encode(),
        "forty deep": shallow.encode(),
        "a thousand headers": b"".join(b"X-%d: 1\r\n" % n for n in range(1000)) + b"From: gus@guest.example\r\n\r\nx",
        "no sender": b"Subject: x\r\n\r\nx",
        "two senders": b"From: a@b.example, c@d.example\r\n\r\nx",
        "a sender with a line break": b"From: =?utf-8?q?a=40b=2Eexample=0ABcc=3A_c?=\r\n\r\nx",
        "nothing": b"",
    }


@pytest.mark.parametrize("name", list(bombs()))
def test_a_mail_made_to_hurt_is_put_away(house: House, name: str) -> None:
    comes(house, bombs()[name])
    assert not Ticket.objects.exists() and not Due.objects.filter(kind="mail").exists()


def test_a_mail_that_is_too_large_is_not_taken(house: House) -> None:
    with pytest.raises(mail.Unreadable):
        hear_mail.take_in(bytes(hear_mail.largest() + 1))


@given(st.binary(max_size=4000))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    try:
        mail.read(mail.parse(b"From: gus@guest.example\r\n" + raw, 10_000))
    except mail.Unreadable as why:
        assert str(why) in ("large", "complex", "from")


def test_headers_of_our_letters_hold_nothing_that_a_stranger_put_in(house: House) -> None:
    evil = "=?utf-8?q?Gus=0D=0ABcc=3A_eve=40evil=2Eexample?= <gus@guest.example>"
    raw = mailed(GUS, SHOP, "x").replace(b"From: Gus Guest <gus@guest.example>", f"From: {evil}".encode())
    assert comes(house, raw) == "question"
    assert house.mails[0].to == ["gus@guest.example"] and letter(house)["Bcc"] is None


def test_the_mail_servers_program_takes_a_mail(house: House) -> None:
    assert CliRunner().invoke(mail_in, input=mailed(GUS, SHOP, "x")).exit_code == 0
    house.works()
    assert Ticket.objects.count() == 1
    assert CliRunner().invoke(mail_in, input=bytes(hear_mail.largest() + 1)).exit_code == 65


def test_the_mail_server_keeps_what_cannot_be_taken_now(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_args: object, **_more: object) -> None:
        raise DatabaseError("gus@guest.example")

    monkeypatch.setattr(Parcel, "save", away)
    run = CliRunner().invoke(mail_in, input=mailed(GUS, SHOP, "x"))
    assert (run.exit_code, "gus" in run.output) == (75, False)


class Server(imaplib.IMAP4):
    """A mailbox in memory, spoken to through imaplib's own methods."""

    held: dict[bytes, bytes]
    removed: list[str]

    def __init__(self, host: str, port: int, timeout: int) -> None:
        assert (host, port) == ("127.0.0.1", 1143)

    def login(self, user: str, password: str) -> None:
        if password != "sesame":
            raise imaplib.IMAP4.error("no: gus@guest.example")

    def select(self, folder: str) -> None:
        assert folder == "INBOX"

    def uid(self, what: str, *more: str) -> tuple[str, list[object]]:
        if what == "SEARCH":
            return "OK", [b" ".join(self.held)]
        if what == "FETCH":
            return "OK", [(b"1", self.held[more[0].encode()]), b")"]
        self.removed.append(more[0])
        return "OK", []

    def expunge(self) -> None:
        for number in self.removed:
            self.held.pop(number.encode())

    def shutdown(self) -> None:
        pass


def test_a_mailbox_elsewhere_is_emptied_into_tickets(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    Server.held, Server.removed = {b"7": mailed(GUS, SHOP, "one"), b"9": mailed(GUS, SHOP, "two")}, []
    monkeypatch.setattr(imaplib, "IMAP4", Server)
    support = msgspec.structs.replace(
        settings.TROTH.support, imap_url="imap://shop@127.0.0.1:1143/INBOX", imap_password="sesame"
    )
    settings.TROTH = msgspec.structs.replace(settings.TROTH, support=support)
    hear_mail.fetch("shop", None)
    house.works()
    assert Ticket.objects.count() == 2 and not Server.held
    with pytest.raises(imap.MailboxAway) as away:
        imap.fetch(msgspec.structs.replace(support, imap_password="no"), 9, io.BytesIO().write)
    assert str(away.value) == "imap-refused" and "gus" not in repr(away.value.__context__)
