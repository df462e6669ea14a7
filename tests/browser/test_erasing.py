"""To be forgotten, as a person does it: with a password or by a link, without scripts, and with a way back."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser import steps
from tests.browser.steps import Person
from troth.faces.cli.demo.stage import Stage

pytestmark = pytest.mark.browser


@pytest.fixture
def scripts() -> bool:
    return False


def test_by_password_and_back_again(page: Page, demo: Stage) -> None:
    person = Person()
    steps.register(page, demo, person)
    page.goto(f"{demo.shop}/account/privacy")
    steps.follow(page, "link", "Be forgotten: have everything erased")
    steps.field(page, "current-password").fill("another password altogether")
    steps.follow(page, "button", "Forget me")
    assert page.get_by_role("alert").is_visible()
    steps.field(page, "current-password").fill(person.password)
    steps.follow(page, "button", "Forget me")
    page.get_by_role("heading", name="You will be forgotten").wait_for()
    assert page.url == steps.link(demo, person.email, "/erasures/")
    page.goto(f"{demo.shop}/account?show=me")
    assert person.name not in page.content()  # nothing is opened in the meantime
    steps.follow(page, "link", "See until when, or cancel it")
    steps.follow(page, "button", "Cancel it, keep my data")
    page.get_by_role("heading", name="Nothing is being forgotten").wait_for()

    def opens_again() -> bool:
        page.goto(f"{demo.shop}/account?show=me")
        return page.get_by_text(person.name, exact=True).count() == 1

    steps.until(opens_again, "the account does not open again")


def test_by_a_link_from_an_order_without_an_account(page: Page, demo: Stage) -> None:
    person = Person()
    steps.buy(page, demo, person, "skrill")
    steps.follow(page, "link", "Be forgotten")
    steps.follow(page, "button", "Send the link")
    page.get_by_role("heading", name="Look into your mailbox").wait_for()
    page.goto(steps.link(demo, person.email, "/erase/"))
    steps.follow(page, "button", "Forget me")
    page.get_by_role("heading", name="You will be forgotten").wait_for()
    assert page.get_by_role("button", name="Cancel it, keep my data").is_visible()
