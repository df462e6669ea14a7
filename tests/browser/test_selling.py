"""Coupons, what costs nothing, services and renewals, as a buyer meets them; each page looked at as it goes by."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser import steps
from tests.browser.steps import Person
from tests.browser.test_pages import inaccessible, too_wide
from troth.faces.cli.demo.stage import Stage

pytestmark = pytest.mark.browser


@pytest.fixture
def look(page: Page) -> Callable[[str], None]:
    def sees(name: str) -> None:
        assert (name, inaccessible(page) + too_wide(page)) == (name, [])

    return sees


def test_a_coupon_from_the_basket_to_the_order(page: Page, demo: Stage, look: Callable[[str], None]) -> None:
    steps.fill_basket(page, demo)
    page.get_by_label("Coupon code").fill("NONESUCH")
    steps.follow(page, "button", "Apply")
    assert "There is no such coupon here" in page.get_by_role("alert").inner_text()
    page.get_by_label("Coupon code").fill("fern20")
    steps.follow(page, "button", "Apply")
    assert page.get_by_text("Coupon FERN20").count() == 1
    assert page.get_by_text("39.20").count() == 1
    look("basket-coupon")
    steps.follow(page, "button", "Take the coupon out")
    assert page.get_by_text("39.20").count() == 0
    page.get_by_label("Coupon code").fill("FERN20")
    page.keyboard.press("Enter")
    page.get_by_text("Coupon FERN20").wait_for()
    steps.follow(page, "link", "Go to checkout")
    steps.fill_checkout(page, Person(), "skrill")
    steps.order(page)
    assert page.get_by_text("39.20").count() >= 1
    steps.approve(page, demo, "skrill")
    steps.wait_for_downloads(page)
    assert page.get_by_text("off the list price").count() == 1


def test_what_costs_nothing_asks_for_nothing_more_than_where_to_send_it(
    page: Page, demo: Stage, look: Callable[[str], None]
) -> None:
    person = Person()
    page.goto(f"{demo.shop}/p/shop-facts")
    assert page.locator(".choice .price").inner_text() == "Free"
    steps.fill_basket(page, demo, "shop-facts")
    steps.follow(page, "link", "Go to checkout")
    assert steps.field(page, "country").count() == 0
    assert page.get_by_label("PayPal").count() == 0
    look("checkout-free")
    steps.field(page, "name").fill(person.name)
    steps.field(page, "email").fill(person.email)
    steps.follow(page, "button", "Order free of charge")
    steps.until(lambda: page.reload() and page.get_by_role("link", name="Download ").count(), "no download")
    assert steps.state(page) == "Nothing to pay"
    assert page.get_by_text("Nothing was paid, so there is no invoice").count() == 1
    with page.expect_download() as begun:
        page.get_by_role("link", name="Download Shop Facts").click()
    assert Path(begun.value.path()).stat().st_size > 1000
    page.goto(steps.link(demo, person.email, "/orders/"))


def test_a_service_shows_its_hours_and_a_licence_its_renewal(
    page: Page, demo: Stage, look: Callable[[str], None]
) -> None:
    steps.fill_basket(page, demo, "installation-and-care")
    steps.fill_basket(page, demo)
    steps.follow(page, "link", "Go to checkout")
    steps.fill_checkout(page, Person(), "paypal")
    steps.order(page)
    steps.approve(page, demo, "paypal")
    steps.wait_for_downloads(page)
    assert page.get_by_text("4 of 4 hours left").count() == 1
    look("order-service")
    steps.follow(page, "link", "Renew Order Notes")
    look("renew")
    steps.follow(page, "button", "Add to basket")
    assert page.get_by_text("Renewal: Single shop").count() == 1
    assert page.get_by_label("Quantity of Order Notes").count() == 0
