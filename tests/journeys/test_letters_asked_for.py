"""Anybody may type anybody's address into a form: neither is a mailbox filled by it, nor the owner's own link lost."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import settings

from tests.house import SITE, House
from tests.storefront.conftest import ORIGIN, Browser
from troth.pledge.rights.models import Erasure
from troth.shop.accounts.models import Account
from troth.shop.delivery import often
from troth.shop.journeys import recover, register, send_again
from troth.shop.journeys.write_to import AN_HOUR

ALICE, BOB = "alice@b.example", "bob@c.example"
PASSWORD = "heron and lantern"


@pytest.fixture(autouse=True)
def alice(house: House) -> None:
    settings.TROTH.home.mkdir(exist_ok=True)
    register.register("Alice", ALICE, "heron and lantern", "LS1 4AP")
    house.works()


def links(house: House, path: str) -> list[tuple[str, str]]:
    return [found for mail in house.mails for found in re.findall(rf"{SITE}/{path}/(\S+)/(\S+)", mail.text)]


@pytest.mark.parametrize("path", ["recover", "erase"])
def test_an_hour_brings_so_many_letters_and_the_next_one_more(house: House, path: str) -> None:
    answers = {Browser().send(f"/{path}", {"email": ALICE}, 200).content[-2000:] for _ in range(AN_HOUR + 3)}
    house.works()
    assert len(answers) == 1, "nobody learns that it was enough"
    assert 1 <= len(links(house, path)) <= AN_HOUR
    before = len(links(house, path))
    house.works(later=timedelta(hours=1, minutes=1))
    Browser().send(f"/{path}", {"email": ALICE}, 200)
    house.works()
    assert len(links(house, path)) == before + 1


def test_the_owner_chooses_a_password_by_any_of_them(house: House) -> None:
    for _ in range(AN_HOUR + 3):
        Browser().send("/recover", {"email": ALICE}, 200)
        house.works()
    sent = links(house, "recover")
    assert len(sent) == AN_HOUR
    assert recover.finish(*sent[0], "copper kettle moon").person_ref == Account.objects.get().pk


def test_the_owners_link_to_be_forgotten_stays_good(house: House) -> None:
    for _ in range(AN_HOUR + 3):
        Browser().send("/erase", {"email": ALICE}, 200)
        house.works()
    sent = links(house, "erase")
    assert len(sent) == AN_HOUR
    path = "/erase/" + "/".join(sent[-1])
    browser = Browser()
    browser.post(path, browser.page(path).forms[0], HTTP_ORIGIN=ORIGIN)
    assert Erasure.objects.filter(state=Erasure.WAITING).count() == 1


def registers(number: int) -> None:
    given = {"name": f"Stranger {number}", "email": BOB.swapcase() if number % 2 else BOB, "password": PASSWORD}
    assert Browser().send("/register", given | {"postcode": "LS1 4AP"}, 200)


def asks(number: int) -> None:
    given = {"name": "Stranger", "email": BOB, "text": f"Question {number}", "subject": "A question"}
    assert Browser().send("/contact", given, 303)


def moves(number: int) -> None:
    """Somebody with an account types a mailbox of somebody else's as their new one."""
    browser = Browser()
    browser.send("/sign-in", {"email": ALICE, "password": PASSWORD}, 303)
    assert browser.send("/account/email", {"email": BOB, "password": PASSWORD}, 200)


@pytest.mark.parametrize("tries", [registers, asks, moves])
def test_no_form_fills_a_mailbox_that_somebody_typed(house: House, tries: Callable[[int], None]) -> None:
    house.stock(AN_HOUR + 5)
    before = len(house.mails)
    for number in range(AN_HOUR + 3):
        tries(number)
        house.works()
    sent = [mail for mail in house.mails[before:] if mail.to[0].lower() == BOB]
    assert len(sent) == AN_HOUR
    assert not [line for line in house.due() if line.partition(" ")[0] in ("confirm", "ticket-received")]
    assert not send_again.stuck(), "nobody has to see to what was not sent on purpose"
    register.register("Carol", "carol@b.example", PASSWORD, "LS1 4AP")
    house.works()
    assert house.mails[-1].to == ["carol@b.example"], "who types another mailbox is written to as ever"
    house.works(later=timedelta(hours=1, minutes=1))
    tries(99)
    house.works()
    assert house.mails[-1].to[0].lower() == BOB


def test_a_letter_that_the_relay_put_off_is_counted_once(house: House) -> None:
    for _ in range(AN_HOUR + 3):
        assert not often.enough(BOB, "let_the_same")
    assert [often.enough(BOB.upper(), f"let_{number}") for number in range(AN_HOUR)] == [False] * (AN_HOUR - 1) + [True]
