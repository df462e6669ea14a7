"""A name that somebody typed is a name in our letters: no header, no second mailbox, no words of their own."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage

import pytest
from django.conf import settings

from tests.house import House
from tests.storefront.conftest import Browser
from troth.shop.delivery import post

BOB = "bob@c.example"
HARM = [
    "=?utf-8?q?Ada=0D=0ABcc:_carol=40d.example=0D=0A=0D=0ABuy_this?=",
    "=?utf-8?q?Ada=0ASubject:_You_have_won?=",
    "Ada =?utf-8?b?QQ0KQmNjOiBjYXJvbEBkLmV4YW1wbGU=?=",
    "=?utf-8?q?Ada=00?=",
    "x =?utf-8?q?a=22_=3Ccarol=40d=2Eexample=3E=2C?=",
    "==??utf-8?q?=E2=80=AEadA?=",
    '"Ada", carol@d.example',
    "Ada; carol@d.example:",
    "a\\",
]


@pytest.mark.parametrize("name", HARM)
@pytest.mark.parametrize("form", ["register", "contact"])
def test_a_typed_name_is_a_name(house: House, browser: Browser, form: str, name: str) -> None:
    given = {
        "register": {"password": "heron and lantern", "postcode": "LS1 4AP"},
        "contact": {"text": "Does it run on 3.2?", "subject": name},
    }[form]
    browser.send(f"/{form}", {"name": name, "email": BOB} | given, {"register": 200, "contact": 303}[form])
    house.works()
    (sent,) = house.mails
    read = email.message_from_string(sent.raw, policy=email.policy.default)
    assert (sent.to, [one.addr_spec for one in read["To"].addresses]) == ([BOB], [BOB])
    assert read["To"].addresses[0].display_name.replace("= ?", "=?") == name
    assert read["Bcc"] is None
    assert read.get_all("Subject") == [read["Subject"]]
    assert "won" not in read["Subject"]
    assert read.get_content_type() == "multipart/alternative"


def test_a_letter_with_a_header_of_two_lines_does_not_leave(house: House) -> None:
    letter = EmailMessage()
    letter["From"], letter["To"] = "shop@fernhill.example", BOB
    letter["X-Order"] = "=?utf-8?q?a=0D=0ABcc:_carol=40d.example?="
    letter.set_content("words")
    with pytest.raises(post.Undelivered) as no:
        post.send(settings.TROTH.mail, letter)
    assert (no.value.code, no.value.final) == ("unsendable", True)
    assert not house.mails
