"""A mailbox whose domain can be written in several ways is one mailbox: of one person, with one objection."""

from __future__ import annotations

import doctest
import re

import pytest

from tests.house import SITE, House
from tests.storefront.conftest import Browser
from troth.pledge.vault.door import door
from troth.shop import mailboxes
from troth.shop.accounts.models import Account, Contact

PASSWORD = "heron and lantern"
ASCII = "ada@xn--bcher-kva.example"
SPELLINGS = ["ada@bücher.example", "ada@BÜCHER.example", "ada@bu\u0308cher.example", "ada@XN--BCHER-KVA.Example"]


def register(email: str) -> None:
    given = {"name": "Ada", "email": email, "password": PASSWORD, "postcode": "LS1 4AP"}
    assert Browser().send("/register", given).status_code == 200


@pytest.mark.parametrize("typed", SPELLINGS)
def test_every_relay_takes_the_letter(house: House, typed: str) -> None:
    register(typed)
    house.works()
    assert [mail.to for mail in house.mails] == [[ASCII]]
    with house.as_worker():
        (told,) = door().open([Contact.objects.get().contact], purpose="notice", job="test")
    assert told.email == ASCII


def test_who_registered_in_one_spelling_signs_in_with_another(house: House) -> None:
    register(SPELLINGS[0])
    house.works()
    for typed in (*SPELLINGS, ASCII):
        browser = Browser()
        answer = browser.send("/sign-in", {"email": typed, "password": PASSWORD})
        assert (answer.status_code, browser.get("/account").status_code) == (303, 200), typed


def test_who_registers_again_in_another_spelling_gets_the_letter_that_says_so(house: House) -> None:
    register(SPELLINGS[0])
    house.works()
    (path,) = re.findall(rf"{SITE}(/confirm/\S+)", house.mails[0].text)
    Browser().send(path, {}, 200)
    register(SPELLINGS[1])
    house.works()
    assert house.mails[-1].to == [ASCII]
    assert "already has an account" in house.mails[-1].text


@pytest.mark.parametrize(
    "typed",
    [
        "ada@[127.0.0.1]",
        "ada@localhost",
        "ada@b.example.",
        "ada@bü\u2024cher..example",
        "ada@-ü.example",
        "ä@b.example",
        "=?utf-8?q?x?=@b.example",
        '"=?utf-8?q?x?="@b.example',
        '"\\ "@b.example',
        '""@b.example',
        '"..a"@b.example',
        "a" * 65 + "@b.example",
    ],
)
def test_what_is_no_mailbox_on_the_internet_gets_a_sentence(house: House, typed: str) -> None:
    given = {"name": "Ada", "email": typed, "password": PASSWORD, "postcode": "LS1 4AP"}
    answer = Browser().send("/register", given, 400)
    assert "it should look like name@example.org" in answer.content.decode()
    assert not Account.objects.exists()


def test_the_examples() -> None:
    assert doctest.testmod(mailboxes).failed == 0
