"""Where somebody is signed in: each browser is listed, and ends alone, with the others, or with the password."""

from __future__ import annotations

import re

from tests.house import House
from tests.storefront.conftest import ORIGIN, Browser
from troth.faces.storefront.sessions import stored
from troth.pledge.rights.models import Erasure
from troth.shop.accounts.models import Session
from troth.shop.journeys import erase, register

ALICE = {"email": "alice@b.example", "password": "heron and lantern"}
MALLORY = {"email": "mallory@b.example", "password": "copper kettle moon"}


def signed_in(who: dict[str, str]) -> Browser:
    browser = Browser()
    browser.send("/sign-in", who, 303)
    return browser


def is_in(browser: Browser) -> bool:
    return browser.get("/account").status_code == 200


def here(browser: Browser) -> str:
    return stored(browser.cookies["troth_session"].value)


def people(house: House) -> None:
    for who in (ALICE, MALLORY):
        register.register("Somebody", who["email"], who["password"], "LS1 4AP")
    house.works()


def listed(browser: Browser) -> list[str]:
    return re.findall(r'name="browser" value="(\w+)"', browser.get("/account/browsers").content.decode())


def test_one_is_ended_and_the_others_stay(house: House) -> None:
    people(house)
    first, second, third = (signed_in(ALICE) for _ in range(3))
    assert set(listed(first)) == {here(first), here(second), here(third)}
    first.send("/account/browsers", {"browser": here(second)}, 303)
    assert [is_in(one) for one in (first, second, third)] == [True, False, True]
    first.send("/account/browsers", {"browser": here(second)}, 303)  # again: gone is gone
    assert len(listed(third)) == 2


def test_all_others_end_at_once(house: House) -> None:
    people(house)
    browsers, mallory = [signed_in(ALICE) for _ in range(3)], signed_in(MALLORY)
    browsers[1].send("/account/browsers", {"browser": ""}, 303)  # the last form: no field at all
    assert [is_in(one) for one in (*browsers, mallory)] == [False, True, False, True]


def test_ending_the_browser_at_hand_signs_out(house: House) -> None:
    people(house)
    alice = signed_in(ALICE)
    answer = alice.send("/account/browsers", {"browser": here(alice)}, 303)
    assert (answer["Location"], is_in(alice)) == ("/", False)
    assert alice.cookies["troth_cap"].value == ""


def test_nobody_ends_or_sees_anothers(house: House) -> None:
    people(house)
    alice, mallory = signed_in(ALICE), signed_in(MALLORY)
    for which in (here(alice), "", "x" * 40, "\u0660" * 40, "'; --"):
        mallory.send("/account/browsers", {"browser": which}, 303)
    assert is_in(alice) and here(alice) not in listed(mallory)
    answer = Browser().post("/account/browsers", {"browser": here(alice)}, HTTP_ORIGIN=ORIGIN)
    assert answer.status_code == 403
    assert is_in(alice)


def test_a_new_password_ends_all_of_them(house: House) -> None:
    people(house)
    first, second = signed_in(ALICE), signed_in(ALICE)
    first.send("/account/password", {"old": ALICE["password"], "password": "violet anchor nine"}, 303)
    assert [is_in(first), is_in(second), len(listed(first))] == [True, False, 1]


def test_the_table_has_no_key_that_would_sign_anybody_in(house: House) -> None:
    people(house)
    alice = signed_in(ALICE)
    (row,) = Session.objects.all()
    secret = alice.cookies["troth_session"].value
    assert secret not in (row.session_key, row.session_data)
    thief = Browser()
    thief.cookies["troth_session"] = row.session_key[:32]
    assert not is_in(thief)


def test_sessions_end_with_who_is_forgotten(house: House) -> None:
    people(house)
    alice = signed_in(ALICE)
    person = Session.objects.get().account_id
    with house.as_worker():
        erase.at_once(person, Erasure.BY_OWNER)
    house.works()
    assert not Session.objects.exists() and not is_in(alice)
