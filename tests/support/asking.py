"""People who ask, the colleague who answers, and the letters between them."""

from __future__ import annotations

import re
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from tests.house import House
from tests.storefront.conftest import Browser
from troth.pledge.vault.door import door
from troth.shop.support.models import Message, Ticket

ALICE = {"name": "Alice Example", "email": "alice@b.example", "password": "long-enough-7", "postcode": "LS1 4AP"}
WHO = {"name": "Gus Guest", "email": "gus@guest.example"}
ASKED = {"subject": "Stock", "text": "Why is the stock wrong?"}


def member(house: House) -> Browser:
    """Alice, registered and signed in."""
    browser = Browser()
    browser.send("/register", ALICE, 200)
    house.works()
    house.mails.clear()
    return browser


def asks(browser: Browser, *, status: int = 303, path: str = "/contact", **more: Any) -> Ticket | None:
    """Fill in the contact form and send it."""
    answer = browser.send(path, ASKED | more, status)
    found = re.search(r"/tickets/(\w+)", answer["Location"]) if status == 303 else None
    return Ticket.objects.get(pk=found[1]) if found else None


def upload(name: str, content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, "application/x-made-up")


def words(house: House, message: Message) -> str:
    """What a message says, as the worker may open it."""
    with house.as_worker():
        return str(door().open([message.words], purpose="notice", job=message.ticket_id)[0].text)


def letter(house: House, number: int = -1) -> EmailMessage:
    parsed = BytesParser(policy=default).parsebytes(house.mails[number].raw.encode())
    assert isinstance(parsed, EmailMessage)
    return parsed


def link(house: House, number: int = -1) -> str:
    """The way back to the ticket that stands in a letter."""
    found = re.search(r"/tickets/\w+/key/\w+", house.mails[number].text)
    assert found
    return found[0]


def mailed(sender: str, to: str, text: str, **headers: str) -> bytes:
    """A mail as somebody's program makes it."""
    message = EmailMessage()
    message["From"], message["To"] = sender, to
    message["Subject"] = headers.pop("Subject", "A question")
    message["Message-ID"] = headers.pop("Message_ID", f"<{abs(hash((sender, to, text)))}@guest.example>")
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message.as_bytes()
