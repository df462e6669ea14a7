"""Anybody may type anybody's address into a form: neither is a mailbox filled by it, nor the owner's own link lost."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.conf import settings

from tests.house import SITE, House
from tests.storefront.conftest import ORIGIN, Browser
from troth.pledge.rights.models import Erasure
from troth.shop.accounts.models import Account
from troth.shop.journeys import recover, register
from troth.shop.journeys.write_to import AN_HOUR

ALICE = "alice@b.example"


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
