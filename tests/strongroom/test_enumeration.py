"""Nobody learns whether a mailbox is known: the answers to known and unknown ones are the same to the byte."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.faults.shopping import Purchase
from tests.house import House
from tests.storefront.conftest import ORIGIN, Browser
from troth.shop.catalogue.models import Edition
from troth.shop.journeys import confirm, register

PASSWORD = "heron and lantern"
ASKED = {
    "/register": {"name": "Somebody", "password": "copper kettle moon", "postcode": "LS1 4AP"},
    "/sign-in": {"password": "not the password"},
    "/recover": {},
    "/erase": {},
}
UNKNOWN = "nobody@b.example"


@pytest.fixture
def known(house: House, edition: Edition) -> dict[str, str]:
    """Mailboxes of every kind of person there is, all as long as the unknown one."""
    house.stock(12)
    register.register("Ada", "unseen@b.example", PASSWORD, "LS1 4AP")
    register.register("Ben", "proved@b.example", PASSWORD, "LS1 4AP")
    house.works()
    letters = [mail.text for mail in house.mails if "proved@b.example" in mail.to[0]]
    assert confirm.confirm(*re.findall(r"/confirm/(\S+)/(\S+)", letters[0])[0])
    guest = Purchase(house, edition, "paypal")
    guest.email = "bought@b.example"
    guest.complete()
    return {"registered": "unseen@b.example", "confirmed": "proved@b.example", "bought": "bought@b.example"}


def answer(path: str, email: str) -> dict[str, Any]:
    """All that comes back of the form at `path`, with what differs by chance taken out."""
    browser = Browser()
    form = browser.page(path).form(path) | ASKED[path] | {"email": email}
    got = browser.post(path, form, HTTP_ORIGIN=ORIGIN, HTTP_SEC_FETCH_SITE="same-origin")
    body = got.content.decode().replace(email, "…")
    body = re.sub(r'(name="csrfmiddlewaretoken" value=")[^"]{64}', r"\1", body)
    return {
        "status": got.status_code,
        "headers": {name: value for name, value in got.items() if name not in ("Date", "Content-Length")},
        "length": len(got.content) - got.content.count(email.encode()) * len(email),
        "body": body,
        "cookies": sorted((name, len(one.value), *shape(one)) for name, one in got.cookies.items()),
    }  # fmt: skip


def shape(morsel: Any) -> tuple[tuple[str, str], ...]:
    """A cookie's attributes; its end only as how long it lasts."""
    return tuple((name, str(value)) for name, value in morsel.items() if name != "expires")


@pytest.mark.parametrize("path", ASKED)
def test_the_answers_are_alike(house: House, known: dict[str, str], path: str) -> None:
    unknown = answer(path, UNKNOWN)
    assert unknown["status"] in (200, 400)
    for kind, email in known.items():
        assert answer(path, email) == unknown, kind


@pytest.mark.parametrize("path", ["/recover", "/erase", "/sign-in"])
def test_only_a_known_mailbox_hears_of_it_and_by_mail_alone(house: House, known: dict[str, str], path: str) -> None:
    house.works()
    before = len(house.mails)
    for email in (*known.values(), UNKNOWN):
        answer(path, email)
    house.works()
    heard = sorted(mail.to[0] for mail in house.mails[before:])
    assert heard == (sorted(known.values()) if path != "/sign-in" else [])


def test_who_registers_gets_one_letter_whether_the_mailbox_is_known_or_not(house: House, known: dict[str, str]) -> None:
    house.works()
    before = len(house.mails)
    for email in (known["registered"], known["confirmed"], UNKNOWN):
        answer("/register", email)
    house.works()
    heard = sorted(mail.to[0] for mail in house.mails[before:])
    assert heard == sorted([known["registered"], known["confirmed"], UNKNOWN])


def test_what_a_newcomer_sees_of_their_account_is_alike(house: House, known: dict[str, str]) -> None:
    """Whoever registers with somebody else's mailbox is let in as any newcomer is, into an account of nobody else."""

    def account(email: str) -> list[str]:
        browser = Browser()
        browser.send("/register", ASKED["/register"] | {"email": email}, 200)
        pages = [browser.page(path).text for path in ("/account", "/account?show=me", "/account/privacy")]
        return [re.sub(r"\d+|per_\w+", "#", text.replace(email, "…")) for text in pages]

    fresh = account(UNKNOWN)
    for kind, email in known.items():
        assert account(email) == fresh, kind
