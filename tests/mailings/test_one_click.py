"""One click stops the news, judged by a receiver's library that is not ours (listunsub) and by dkimpy.

What a mail program does: verify the signature, read the two headers, POST what they say, without cookie or redirect
(RFC 8058, sections 3 and 4).
"""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage
from typing import Literal

import dkim
import listunsub
import msgspec
import pytest
from django.conf import settings
from django.test import Client

from tests.house import House
from tests.mailings.conftest import Reader, mail
from tests.mailings.test_consent import sent
from troth.pledge.rights.models import Consent
from troth.shop.delivery import signature
from troth.shop.journeys import choose
from troth.shop.mailings import consent

SHOP = "https://fernhill.example"


@pytest.fixture
def letter(house: House, reader: Reader) -> tuple[bytes, str, str]:
    """A mailing's letter as a relay would have it, the record of the key that signed it, and its reader."""
    alice = reader("alice@b.example")
    key, before = signature.make_key(), settings.TROTH
    with mail(dkim_key=key):
        site = msgspec.structs.replace(before.web, public_url=SHOP)
        settings.TROTH = msgspec.structs.replace(settings.TROTH, web=site)
        sent(house)
    settings.TROTH = before
    raw = house.mails[0].raw.encode().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return raw, signature.record(key, "troth", "fernhill.example")[1], alice.person_id


def parsed(raw: bytes) -> EmailMessage:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def problems(raw: bytes) -> list[str]:
    """What the library has against it, by the library's codes."""
    message = parsed(raw)
    found = listunsub.audit(
        [str(value) for value in message.get_all("List-Unsubscribe", [])],
        [str(value) for value in message.get_all("List-Unsubscribe-Post", [])],
        dkim_signatures=[str(value) for value in message.get_all("DKIM-Signature", [])],
    )
    return [problem.code for problem in found]


def test_a_receivers_library_finds_nothing_to_say_against_it(letter: tuple[bytes, str, str]) -> None:
    raw, _record, _reader = letter
    assert problems(raw) == []
    assert problems(raw.replace(b"List-Unsubscribe-Post: ", b"X-Post: ")) == ["missing-post"]
    assert problems(raw.replace(b"=One-Click", b"=Two-Click")) == ["invalid-post"]
    assert problems(raw.replace(b"<https://", b"<http://")) == ["no-https"]
    assert problems(raw.replace(b"DKIM-Signature: ", b"X-Signature: ")) == ["missing-dkim"]
    uncovered = raw.replace(b":list-unsubscribe-post;", b";")
    assert problems(uncovered) == ["dkim-not-covering"]


def test_the_address_of_the_click_leaves_as_it_is(letter: tuple[bytes, str, str]) -> None:
    """In the bytes: mail programs do not decode words here, as Python's own parser would."""
    raw, _record, reader = letter
    (line,) = [line for line in raw.split(b"\r\n") if line.startswith(b"List-Unsubscribe:")]
    assert line.startswith(f"List-Unsubscribe: <{SHOP}/unsubscribe/{reader}/".encode())
    assert line.endswith(b">")
    assert len(line) > 78  # what Python would have encoded


@pytest.mark.parametrize("form", ["multipart", "urlencoded"])
def test_its_click_without_cookies_or_detours_stops_the_news(
    letter: tuple[bytes, str, str], form: Literal["multipart", "urlencoded"]
) -> None:
    raw, record, reader = letter
    message = parsed(raw)
    verified = dkim.verify(raw, dnsfunc=lambda _name, timeout=5: record.encode())
    action = listunsub.choose(
        str(message["List-Unsubscribe"]), str(message["List-Unsubscribe-Post"]), dkim_verified=verified
    )
    assert action is not None
    assert action.kind == "one-click"
    request = listunsub.one_click_request(action.uri, form=form)
    path = request.url.removeprefix(SHOP)
    assert path.startswith("/unsubscribe/")
    strange = Client(enforce_csrf_checks=True)  # no cookie, no token, no page of ours before it
    assert strange.get(path).status_code == 200
    assert consent.standing(reader).may
    answer = Client(enforce_csrf_checks=True).post(path, request.body, content_type=request.content_type)
    assert (answer.status_code, answer.cookies.output()) == (200, "")
    assert consent.standing(reader).what == Consent.OBJECTED


def test_the_next_letter_is_stopped_by_the_same_address_again(letter: tuple[bytes, str, str]) -> None:
    """Section 3.1: the address alone says whose it is, for as long as there are letters that have it."""
    raw, _record, reader = letter
    (address,) = listunsub.parse(str(parsed(raw)["List-Unsubscribe"]), strict=True)
    request = listunsub.one_click_request(address)
    for _time in range(2):
        choose.news(reader, True, "account")
        assert consent.standing(reader).may
        Client().post(request.url.removeprefix(SHOP), request.body, content_type=request.content_type)
        assert consent.standing(reader).what == Consent.OBJECTED
