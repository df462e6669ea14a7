"""Buying in a browser: with either provider, by keyboard alone, without scripts, and after a change of mind."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser import steps
from tests.browser.steps import PROVIDERS, Person
from troth.faces.cli.demo.stage import Stage

pytestmark = pytest.mark.browser
TOO_MANY_TABS = 60


def released(demo: Stage) -> set[tuple[str, str]]:
    """(SHA-256, name) of every file that was built to be sold."""
    lines = (demo.goods / "SHA256SUMS").read_text().splitlines()
    return {(line.split()[0], Path(line.split()[1]).name) for line in lines}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_is_bought_can_be_downloaded_as_it_was_released(page: Page, demo: Stage, provider: str) -> None:
    person = Person()
    steps.begin(page, demo, person, provider)
    assert page.get_by_text("49 EUR").or_(page.get_by_text("49.00 EUR")).count() == 1
    assert person.name not in page.content() and person.email not in page.content()
    steps.approve(page, demo, provider)
    steps.wait_for_downloads(page)
    with page.expect_download() as begun:
        page.get_by_role("link", name="Download Order Notes").click()
    file = Path(begun.value.path())
    assert (hashlib.sha256(file.read_bytes()).hexdigest(), begun.value.suggested_filename) in released(demo)
    assert len([mail for mail in steps.mails(demo, person.email) if "/download/" in mail["text"]]) == 1


def test_the_mailed_links_work_in_another_browser(page: Page, demo: Stage) -> None:
    person = Person()
    address = steps.buy(page, demo, person, "paypal")
    page.context.clear_cookies()
    answer = page.goto(address)
    assert answer is not None and answer.status == 404  # a reference identifies, and never authorises
    page.goto(steps.link(demo, person.email, "/orders/"))
    assert (page.url, steps.state(page)) == (address, "Paid")
    with page.expect_download() as begun:
        page.get_by_role("link", name="Download Order Notes").click()
    assert begun.value.failure() is None


@pytest.mark.parametrize(("first", "other"), [("paypal", "skrill"), ("skrill", "paypal")])
def test_who_cancels_can_pay_with_the_other_provider(page: Page, demo: Stage, first: str, other: str) -> None:
    person = Person()
    steps.begin(page, demo, person, first)
    steps.follow(page, "button", "Cancel")
    page.wait_for_url(f"{demo.shop}/orders/*")
    assert steps.state(page) in ("Not paid yet", f"We are asking {PROVIDERS[first]}", "The payment was cancelled")
    assert page.get_by_role("link", name="Download ").count() == 0
    steps.follow(page, "button", f"Pay with {PROVIDERS[other]}")
    page.get_by_text("Sandbox: no real money").wait_for()
    steps.approve(page, demo, other)
    steps.wait_for_downloads(page)
    page.goto(f"{demo.shop}/basket")
    assert page.get_by_text("Nothing in it yet.").is_visible()


@pytest.mark.parametrize("scripts", [False])
def test_everything_works_without_scripts(page: Page, demo: Stage) -> None:
    steps.buy(page, demo, Person(), "skrill")
    with page.expect_download() as begun:
        page.get_by_role("link", name="Download Order Notes").click()
    assert begun.value.failure() is None


def test_a_purchase_by_keyboard_alone(page: Page, demo: Stage) -> None:
    person = Person()
    keys = page.keyboard
    page.goto(f"{demo.shop}/")
    keys.press("Tab")
    assert focused(page) == "Skip to the content"
    keys.press("Enter")
    press(page, "Order Notes")
    press(page, "Add to basket")
    press(page, "Go to checkout")
    page.wait_for_url("**/checkout")
    for token, text in {"name": person.name, "email": person.email, "street-address": person.street}.items():
        tab_to(page, lambda token=token: attribute(page, "autocomplete") == token)
        keys.type(text)
    for text in ("10115", person.city, "Germany"):  # in the order in which they are met
        keys.press("Tab")
        keys.type(text)
    tab_to(page, lambda: attribute(page, "value") == "paypal")
    keys.press("ArrowDown")
    assert attribute(page, "value") == "skrill"
    press(page, "Order and pay")
    page.get_by_text("Sandbox: no real money").wait_for()
    press(page, "Pay")
    page.wait_for_url(f"{demo.shop}/orders/*")
    steps.wait_for_downloads(page)


def press(page: Page, name: str) -> None:
    """Tab to the link or button whose name begins so, see the focus, press Enter."""
    tab_to(page, lambda: focused(page).startswith(name))
    assert page.evaluate(SHOWN), f"the focus on {name} cannot be seen"
    with page.expect_navigation():
        page.keyboard.press("Enter")


# A focus is seen by its outline, on the element or on the card around it.
SHOWN = """[document.activeElement, document.activeElement.closest('.good')].some(
    element => element && getComputedStyle(element).outlineStyle !== 'none')"""


def tab_to(page: Page, there: Callable[[], bool]) -> None:
    for _ in range(TOO_MANY_TABS):
        page.keyboard.press("Tab")
        if there():
            return
    raise AssertionError(f"not reached with {TOO_MANY_TABS} tabs")


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.innerText.trim()"))


def attribute(page: Page, name: str) -> str:
    return str(page.evaluate("name => document.activeElement.getAttribute(name)", name))
