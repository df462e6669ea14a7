"""Becoming somebody in the shop: register and confirm, sign out and in, come back as a guest who chose a password."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser import steps
from tests.browser.steps import Person
from troth.faces.cli.demo.stage import Stage

pytestmark = pytest.mark.browser
UNCONFIRMED = "Your e-mail address is not confirmed yet"


def sign_in(page: Page, demo: Stage, email: str, password: str) -> None:
    page.goto(f"{demo.shop}/sign-in")
    steps.field(page, "email").or_(steps.field(page, "username")).fill(email)
    steps.field(page, "current-password").fill(password)
    steps.follow(page, "button", "Sign in")


def test_register_and_confirm_by_the_mailed_link(page: Page, demo: Stage) -> None:
    person = Person()
    steps.register(page, demo, person)
    page.goto(f"{demo.shop}/account")
    assert page.get_by_text(UNCONFIRMED).is_visible()
    page.goto(steps.link(demo, person.email, "/confirm/"))
    steps.follow(page, "button", "Yes, it is my address")
    page.get_by_text("Your e-mail address is confirmed.").wait_for()
    page.goto(f"{demo.shop}/account")
    assert page.get_by_text(UNCONFIRMED).count() == 0
    assert person.name not in page.content()  # nothing is opened that nobody asked for
    steps.follow(page, "link", "Open and show them")
    for mine in (person.name, person.email, "10115"):
        assert page.get_by_text(mine, exact=True).is_visible()


def test_sign_out_and_in_again(page: Page, demo: Stage) -> None:
    person = Person()
    steps.register(page, demo, person)
    page.goto(f"{demo.shop}/account")
    steps.follow(page, "button", "Sign out")
    page.wait_for_url(f"{demo.shop}/")
    page.goto(f"{demo.shop}/account")
    assert page.url.startswith(f"{demo.shop}/sign-in")
    sign_in(page, demo, person.email, "another password altogether")
    assert page.get_by_role("alert").is_visible()
    sign_in(page, demo, person.email, person.password)
    page.get_by_role("heading", name="Your account").wait_for()


def test_a_guest_chooses_a_password_and_finds_the_order(page: Page, demo: Stage) -> None:
    person = Person()
    address = steps.buy(page, demo, person, "paypal")
    page.context.clear_cookies()
    page.goto(steps.link(demo, person.email, "/recover/"))
    steps.field(page, "new-password").fill(person.password)
    steps.follow(page, "button", "Save it and sign in")
    page.wait_for_url(f"{demo.shop}/account")
    steps.follow(page, "link", "Order of ")
    assert (page.url, steps.state(page)) == (address, "Paid")
    page.context.clear_cookies()
    sign_in(page, demo, person.email, person.password)
    page.get_by_role("heading", name="Your account").wait_for()


def test_who_is_signed_in_buys_with_an_address_used_before(page: Page, demo: Stage) -> None:
    person = Person()
    steps.register(page, demo, person)
    for time in ("first", "second"):
        steps.fill_basket(page, demo)
        steps.follow(page, "link", "Go to checkout")
        assert steps.field(page, "email").count() == 0
        if time == "first":
            steps.fill_bill(page, person)
            steps.field(page, "billing name").fill(person.name)
        steps.order(page)
        steps.approve(page, demo, "paypal")
        steps.wait_for_downloads(page)
    page.goto(f"{demo.shop}/account")
    assert page.get_by_role("link", name="Order of ").count() == 2
