"""Passkeys through the pages, the device in software: add, sign in, remove; letters; what each page may load."""

from __future__ import annotations

import msgspec
import pytest
from django.conf import settings
from django.http import HttpResponse

from tests.house import House
from tests.pledge.authenticator import SITE, Authenticator
from tests.storefront.conftest import ORIGIN, Browser
from tests.storefront.test_accounts import ALICE
from troth.pledge.ids import to_bytes
from troth.shop.accounts.models import Account
from troth.shop.journeys import passkeys

PASSWORD = ALICE["password"]


@pytest.fixture
def shop(house: House) -> House:
    """At a name, where browsers keep passkeys; the keeper's site is the same."""
    web = msgspec.structs.replace(settings.TROTH.web, public_url=SITE)
    settings.TROTH = msgspec.structs.replace(settings.TROTH, web=web)  # the house puts its own back
    return house


@pytest.fixture
def alice(shop: House, browser: Browser) -> Browser:
    browser.send("/register", ALICE, 200)
    return browser


@pytest.fixture
def device(alice: Browser, shop: House) -> Authenticator:
    """Added by Alice, whose address is confirmed."""
    confirm(shop, alice)
    made = Authenticator(to_bytes(Account.objects.get().pk))
    assert add(alice, made).status_code == 303
    return made


def confirm(shop: House, browser: Browser) -> None:
    shop.works()
    path = shop.mails[-1].text.partition(SITE)[2].split()[0]
    assert browser.send(path, {}, 200)


def add(browser: Browser, made: Authenticator, password: str = PASSWORD) -> HttpResponse:
    page = browser.page("/account/passkeys/add")
    form = page.form("/account/passkeys/add")
    given = form | {"passkey": made.made(form["challenge"]), "password": password}
    return browser.post("/account/passkeys/add", given, HTTP_ORIGIN=ORIGIN)


def sign_in(browser: Browser, made: Authenticator) -> HttpResponse:
    page = browser._read(browser.send("/sign-in", {}, 200, form="/sign-in/passkey"), 200)
    form = page.form("/sign-in/passkey")
    return browser.post("/sign-in/passkey", form | {"passkey": made.shown(form["challenge"])}, HTTP_ORIGIN=ORIGIN)


def test_added_used_removed_and_told_by_letter(shop: House, alice: Browser, device: Authenticator) -> None:
    shop.works()
    assert "A passkey was added" in shop.mails[-1].subject
    assert f"{SITE}/account/passkeys" in shop.mails[-1].text
    alice.send("/account", {}, 303, form="/sign-out")
    assert alice.get("/account").status_code == 303
    assert sign_in(alice, device)["Location"] == "/account"
    assert "alice@b.example" in alice.page("/account?show=me").text
    alice.send("/account/passkeys", {}, 303, form="/account/passkeys/remove")
    assert "You have none yet" in alice.page("/account/passkeys").text
    shop.works()
    assert "A passkey was removed" in shop.mails[-1].subject
    letters = len(shop.mails)
    alice.post("/account/passkeys/remove", {"passkey": "none"}, HTTP_ORIGIN=ORIGIN)
    shop.works()
    assert len(shop.mails) == letters
    alice.send("/account", {}, 303, form="/sign-out")
    no = sign_in(alice, device)
    assert no.status_code == 400
    assert "is not known here" in no.content.decode()


def test_another_browser_signs_in_and_replays_nothing(shop: House, alice: Browser, device: Authenticator) -> None:
    other = Browser()
    page = other._read(other.send("/sign-in", {}, 200, form="/sign-in/passkey"), 200)
    given = page.form("/sign-in/passkey")
    given["passkey"] = device.shown(given["challenge"])
    assert other.post("/sign-in/passkey", given, HTTP_ORIGIN=ORIGIN).status_code == 303
    thief = Browser()
    thief.page("/sign-in")
    given["csrfmiddlewaretoken"] = thief.page("/sign-in").form("/sign-in")["csrfmiddlewaretoken"]
    assert thief.post("/sign-in/passkey", given, HTTP_ORIGIN=ORIGIN).status_code == 400
    assert thief.get("/account").status_code == 303


def test_a_wrong_password_an_unconfirmed_address_and_an_empty_form(shop: House, alice: Browser) -> None:
    made = Authenticator(to_bytes(Account.objects.get().pk))
    assert "Confirm your e-mail address first" in add(alice, made).content.decode()
    confirm(shop, alice)
    wrong = add(alice, made, "another one altogether")
    assert (wrong.status_code, "not your present password" in wrong.content.decode()) == (400, True)
    empty = alice.send("/account/passkeys/add", {"password": PASSWORD}, 400)
    assert "showed no passkey" in empty.content.decode()
    assert "You have none yet" in alice.page("/account/passkeys").text


def test_only_these_pages_may_run_a_script_and_it_is_our_own(alice: Browser, device: Authenticator) -> None:
    for path in ("/", "/account", "/account/passkeys", "/privacy", "/register", "/account/password"):
        assert "script-src" not in alice.get(path)["Content-Security-Policy"]
    for path in ("/sign-in", "/account/passkeys/add"):
        answer = alice.get(path)
        assert answer["Content-Security-Policy"].endswith("; script-src 'self'")
        (script,) = [tag["src"] for tag in alice.page(path).all("script")]
        served = alice.get(script)
        assert served["Content-Type"].startswith("text/javascript")
        assert b"navigator.credentials" in served.getvalue()
    assert alice.get("/sign-in/passkey")["Location"] == "/sign-in"


@pytest.mark.parametrize(
    ("address", "works"),
    [("https://shop.example", True), ("http://localhost:8000", True), ("http://shop.example", False),
     ("http://127.0.0.1:8000", False), ("https://192.0.2.1", False), ("https://[2001:db8::1]", False)],
)  # fmt: skip
def test_where_browsers_keep_none_none_are_offered(house: House, browser: Browser, address: str, works: bool) -> None:
    web = msgspec.structs.replace(settings.TROTH.web, public_url=address)
    settings.TROTH = msgspec.structs.replace(settings.TROTH, web=web)
    assert passkeys.possible() is works
    assert ("Sign in with a passkey" in browser.page("/sign-in").text) is works
