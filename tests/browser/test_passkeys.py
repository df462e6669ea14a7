"""A passkey from its making to its end, in Chromium with an authenticator of its own, at a shop that has a name."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import CDPSession, Page, sync_playwright

from tests.browser import steps
from tests.browser.conftest import CHROMIUM, QUIET
from tests.browser.steps import Person
from tests.browser.test_pages import inaccessible, too_wide
from tests.browser.watched import Watched
from tests.processes.running import free_port
from troth.faces.cli.demo.stage import Stage

pytestmark = pytest.mark.browser
DEVICE = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
    "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A demo at a name: browsers keep no passkeys for 127.0.0.1."""
    stage = Stage(tmp_path_factory.mktemp("named"), free_port())
    stage.shop = f"http://localhost:{stage.port}"
    with stage:
        yield stage


@pytest.fixture
def page(named: Stage) -> Iterator[Page]:
    if CHROMIUM is None:
        pytest.skip("there is no Chromium here; install it, or name one in TROTH_CHROMIUM")
    quiet = [option.replace("EXCLUDE 127.0.0.1", "EXCLUDE 127.0.0.1, EXCLUDE localhost") for option in QUIET]
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*quiet, *as_root])
        context = browser.new_context()
        context.set_default_timeout(60_000)
        watched = Watched(context)
        yield context.new_page()
        browser.close()
    assert watched.asked and watched.elsewhere(named.shop, named.control) == []
    assert watched.faults() == []


@pytest.fixture
def device(page: Page) -> tuple[CDPSession, str]:
    """An authenticator in the browser (Chrome DevTools Protocol, domain WebAuthn)."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    return session, session.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})["authenticatorId"]


def test_add_sign_out_sign_in_remove_and_be_refused(page: Page, named: Stage, device: tuple[CDPSession, str]) -> None:
    person, (session, name) = Person(), device
    steps.register(page, named, person)
    page.goto(steps.link(named, person.email, "/confirm/"))
    steps.follow(page, "button", "Yes, it is my address")
    page.goto(f"{named.shop}/account/passkeys")
    steps.follow(page, "link", "Add a passkey")
    assert inaccessible(page) + too_wide(page) == []
    steps.field(page, "current-password").fill(person.password)
    page.get_by_role("button", name="Add a passkey").click()
    page.wait_for_url(f"{named.shop}/account/passkeys")
    assert page.get_by_text("Added on").count() == 1
    assert inaccessible(page) + too_wide(page) == []
    (kept,) = session.send("WebAuthn.getCredentials", {"authenticatorId": name})["credentials"]
    assert (kept["isResidentCredential"], kept["rpId"]) == (True, "localhost")
    assert person.mark not in str(kept)  # what the device shows of the account names nobody
    steps.until(lambda: "A passkey was added" in str(steps.mails(named, person.email)), "no letter about it")

    sign_in(page, named)
    page.wait_for_url(f"{named.shop}/account")
    page.goto(f"{named.shop}/account?show=me")
    assert page.get_by_text(person.email).is_visible()

    page.goto(f"{named.shop}/account/passkeys")
    steps.follow(page, "button", "Remove")
    assert page.get_by_text("You have none yet").is_visible()
    sign_in(page, named)
    page.get_by_text("This passkey is not known here").wait_for()


def test_who_has_no_passkey_is_told_so(page: Page, named: Stage, device: tuple[CDPSession, str]) -> None:
    session, name = device
    session.send("WebAuthn.setUserVerified", {"authenticatorId": name, "isUserVerified": False})
    page.goto(f"{named.shop}/sign-in")
    assert inaccessible(page) + too_wide(page) == []
    steps.follow(page, "button", "Sign in with a passkey")
    assert inaccessible(page) + too_wide(page) == []
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_text("Your browser did not do it").wait_for()


def sign_in(page: Page, named: Stage) -> None:
    """From wherever somebody is signed in: out, and in again by passkey."""
    page.goto(f"{named.shop}/account")
    steps.follow(page, "button", "Sign out")
    page.goto(f"{named.shop}/sign-in")
    steps.follow(page, "button", "Sign in with a passkey")
    page.get_by_role("button", name="Use a passkey").click()
