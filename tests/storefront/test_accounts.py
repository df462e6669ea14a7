"""Register, confirm, sign in and out, recover, change: through the pages and the letters."""

from __future__ import annotations

import html
import re

import pytest

from tests.house import House
from tests.storefront.conftest import ORIGIN, Browser
from tests.storefront.page import read
from troth.pledge.vault import door as doors
from troth.shop.accounts.models import Account
from troth.shop.catalogue.models import Edition
from troth.shop.clauses import CLAUSES
from troth.shop.holdings import PEOPLE

ALICE = {"name": "Alice Example", "email": "alice@b.example", "password": "heron and lantern", "postcode": "LS1 4AP"}
CREDENTIALS = {"email": "alice@b.example", "password": "heron and lantern"}


@pytest.fixture
def alice(house: House, browser: Browser) -> Browser:
    browser.send("/register", ALICE, 200)
    return browser


def link(house: House, path: str) -> str:
    """The latest letter's link to this kind of page."""
    house.works()
    found = [match for mail in house.mails for match in re.findall(rf"{ORIGIN}(/{path}/\S+)", mail.text)]
    return found[-1]


def test_registering_signs_in_and_the_letter_confirms(house: House, alice: Browser) -> None:
    assert "not confirmed yet" in alice.page("/account").text
    confirm = link(house, "confirm")
    stranger = Browser()  # the mail program may be another browser
    assert "Yes, it is my address" in stranger.page(confirm).text
    assert Account.objects.get().confirmed_at is None
    form = stranger.page(confirm).forms[0]
    done = stranger.post(confirm, form, HTTP_ORIGIN=ORIGIN)
    assert "is confirmed" in read(done).text
    assert "not confirmed yet" not in alice.page("/account").text
    assert "This link is over" in read(stranger.post(confirm, stranger.page(confirm).forms[0], HTTP_ORIGIN=ORIGIN)).text


def test_an_account_page_opens_nothing_unless_asked(house: House, alice: Browser) -> None:
    before = house.worker.attest()
    page = alice.page("/account")
    for word in ("Alice", "alice@b.example", "LS1 4AP"):
        assert word not in page.text
    assert house.worker.attest() == before
    shown = alice.page("/account?show=me")
    for word in ("Alice Example", "alice@b.example", "LS1 4AP", "noted that in the ledger"):
        assert word in shown.text
    assert house.worker.attest() != before
    held = alice.page("/account/privacy")
    assert "Counted, not opened" in held.text
    assert "Alice" not in held.text


def test_the_page_of_what_is_held_tells_each_table_of_a_person(house: House, alice: Browser) -> None:
    page = alice.get("/account/privacy").content.decode()
    there, rest = page.split("<details", 1)
    for holding in PEOPLE:
        counted = holding.person and holding.rows(Account.objects.get().person_id).exists()
        why = html.escape(str(holding.why)).replace("&#x27;", "&#39;")
        tells = counted and (holding.sealed() or holding.about)
        assert f">{why}<" in there if tells else f"<li>{why}{' (' if counted else ''}" in rest, holding.table
    assert "postcode: sealed, opened only to show it to you, for a lawful disclosure" in there
    assert "In clear: the version of the policy you read" in there


def test_signing_out_and_in(house: House, alice: Browser) -> None:
    old = alice.cookies["troth_session"].value
    alice.send("/account", {}, 303, form="/sign-out")
    assert alice.get("/account")["Location"] == "/sign-in?next=account"
    for path in ("/account/email", "/account/password", "/account/privacy", "/account?show=me"):
        assert alice.get(path).status_code == 303
    wrong = read(alice.send("/sign-in", CREDENTIALS | {"password": "something else"}, 400))
    unknown = read(alice.send("/sign-in", CREDENTIALS | {"email": "nobody@b.example"}, 400))
    assert "do not fit together" in wrong.text
    assert wrong.text == unknown.text
    signed = alice.send("/sign-in?next=checkout", CREDENTIALS, 303, form="/sign-in")
    assert signed["Location"] == "/checkout"
    capability = alice.cookies["troth_cap"]
    assert capability["httponly"]
    assert capability["samesite"] == "Lax"
    assert alice.cookies["troth_session"].value != old
    evil = alice.send("/sign-in?next=//evil.example", CREDENTIALS, 303, form="/sign-in")
    assert evil["Location"] == "/account"


def test_the_session_holds_a_reference_and_an_epoch_only(house: House, alice: Browser) -> None:
    assert set(alice.session.keys()) == {"person", "epoch"}
    assert alice.session["person"] == Account.objects.get().pk


def test_without_the_capability_nothing_is_opened(house: House, alice: Browser) -> None:
    del alice.cookies["troth_cap"]
    assert alice.get("/account?show=me")["Location"] == "/sign-in?next=account"


def test_a_new_password_ends_every_other_session(house: House, alice: Browser) -> None:
    elsewhere = Browser()
    elsewhere.send("/sign-in", CREDENTIALS, 303)
    wrong = alice.send("/account/password", {"old": "not that one", "password": "copper kettle moon"}, 400)
    assert "not your present password" in read(wrong).text
    alice.send("/account/password", {"old": "heron and lantern", "password": "copper kettle moon"}, 303)
    assert alice.get("/account").status_code == 200
    assert elsewhere.get("/account").status_code == 303
    assert Browser().send("/sign-in", CREDENTIALS, 400)
    assert Browser().send("/sign-in", CREDENTIALS | {"password": "copper kettle moon"}, 303)


def test_recovering_says_the_same_to_everybody(house: House, alice: Browser) -> None:
    known = read(Browser().send("/recover", {"email": "alice@b.example"}, 200))
    unknown = read(Browser().send("/recover", {"email": "nobody@b.example"}, 200))
    assert known.text == unknown.text
    path = link(house, "recover")
    assert [mail.to for mail in house.mails].count(["nobody@b.example"]) == 0
    lost = Browser()
    short = lost.send(path, {"password": "short"}, 400, form="")
    assert "10 to 200 characters" in read(short).text
    assert (
        lost.post(path, lost.page(path).forms[0] | {"password": "copper kettle moon"}, HTTP_ORIGIN=ORIGIN).status_code
        == 303
    )
    assert lost.get("/account").status_code == 200
    assert alice.get("/account").status_code == 303


def test_changing_the_address_needs_password_and_the_new_mailbox(house: House, alice: Browser) -> None:
    refused = alice.send("/account/email", {"email": "new@b.example", "password": "not that one"}, 400)
    assert "not your present password" in read(refused).text
    alice.send("/account/email", {"email": "new@b.example", "password": "heron and lantern"}, 200)
    assert "alice@b.example" in alice.page("/account?show=me").text
    path = link(house, "confirm")
    alice.post(path, alice.page(path).forms[0], HTTP_ORIGIN=ORIGIN)
    again = Browser()
    again.send("/sign-in", CREDENTIALS | {"email": "new@b.example"}, 303)
    assert "new@b.example" in again.page("/account?show=me").text


def test_registering_again_never_says_that_the_address_is_known(house: House, alice: Browser) -> None:
    second = Browser().send("/register", ALICE | {"password": "copper kettle moon"}, 200)
    assert "A letter with a link" in read(second).text
    Browser().send("/sign-in", CREDENTIALS, 303)


def test_while_the_keeper_is_away_nothing_is_lost(house: House, basket: Browser, edition: Edition) -> None:
    def dead(body: bytes) -> bytes:
        raise ConnectionError

    signing = basket.page("/sign-in").form("/sign-in") | CREDENTIALS
    doors.use(doors.Door(dead))
    away = basket.post("/sign-in", signing, HTTP_ORIGIN=ORIGIN)
    page = read(away)
    assert (away.status_code, page.faults, away["Retry-After"]) == (503, [], "60")
    assert "Nothing is lost" in page.text
    basket.send("/register", ALICE, 200)
    assert Account.objects.count() == 1
    assert "/sign-in" in basket.get("/account")["Location"]


def test_the_promises_stand_with_their_state(house: House, browser: Browser) -> None:
    page = browser.page("/privacy")
    told = browser.get("/privacy.json").json()
    assert {promise["id"] for promise in told["promises"]} >= {"P1", "P2", "P4", "P6", "P7", "P8", "P15", "P16"}
    for promise in told["promises"]:
        assert promise["words"] in page.text
        assert promise["id"] in {given.get("id") for _, given in page.elements}
        assert promise["state"] == "unknown"  # nothing was checked yet, and unknown never shows as holding
    assert f"{len(CLAUSES)} unknown" in page.text


def test_name_and_postcode_prefill_the_first_bill_and_that_is_noted(
    house: House, alice: Browser, edition: Edition
) -> None:
    alice.post("/basket", {"action": "add", "edition": edition.pk}, HTTP_ORIGIN=ORIGIN)
    filled = alice.page("/checkout").form("/checkout")
    assert (filled["billing_name"], filled["billing_postcode"]) == ("Alice Example", "LS1 4AP")
    assert "your bill, which it prefills" in alice.page("/account/privacy").text

    def dead(body: bytes) -> bytes:
        raise ConnectionError

    doors.use(doors.Door(dead))
    assert alice.page("/checkout").form("/checkout")["billing_postcode"] == ""
