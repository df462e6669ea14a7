"""A walk past every page that a buyer can meet. Each stop yields its name while the page stands there."""

from __future__ import annotations

from collections.abc import Iterator

from playwright.sync_api import Page

from tests.browser import steps
from tests.browser.steps import Person
from troth.faces.cli.demo.stage import Stage

STILL = {
    "register": "/register", "sign-in": "/sign-in", "recover": "/recover", "privacy": "/privacy", "terms": "/terms",
    "contact": "/contact", "erase": "/erase", "ledger-verify": "/ledger/verify", "basket-empty": "/basket",
    "error": "/there-is-no-such-page",
}  # fmt: skip


def walk(page: Page, demo: Stage) -> Iterator[str]:
    """All of it, as somebody new: look around, buy as a guest, register, look at the account."""
    yield from _look_around(page, demo)
    guest = Person()
    yield from _buy(page, demo, guest)
    yield from _belong(page, demo)
    yield from _read_letters(page, demo, guest)


def _look_around(page: Page, demo: Stage) -> Iterator[str]:
    page.goto(f"{demo.shop}/")
    yield "shelf"
    page.get_by_label("Search the shop").fill("heliotrope")
    steps.follow(page, "button", "Search")
    yield "search-empty"
    page.goto(f"{demo.shop}/p/{steps.SLUG}")
    yield "product"
    page.goto(f"{demo.shop}/p/back-office-set")
    yield "product-bundle"
    for name, path in STILL.items():
        page.goto(f"{demo.shop}{path}")
        yield name


def _buy(page: Page, demo: Stage, person: Person) -> Iterator[str]:
    steps.fill_basket(page, demo, "back-office-set")
    steps.fill_basket(page, demo)
    yield "basket"
    steps.follow(page, "link", "Go to checkout")
    yield "checkout"
    steps.field(page, "name").fill("4111 1111 1111 1111")
    steps.field(page, "email").fill("ada@buyer")
    steps.field(page, "address-level2").fill("<Wells>")
    page.locator("form.form").evaluate("form => form.noValidate = true")
    steps.follow(page, "button", "Order and pay")
    page.get_by_role("alert").wait_for()
    yield "checkout-errors"
    steps.fill_checkout(page, person, "skrill")
    steps.order(page)
    yield "pay-skrill"
    steps.follow(page, "button", "Cancel")
    page.wait_for_url(f"{demo.shop}/orders/*")
    yield "order-open"
    steps.follow(page, "button", "Pay with PayPal")
    page.get_by_text("Sandbox: no real money").wait_for()
    yield "pay-paypal"
    steps.approve(page, demo, "paypal")
    steps.wait_for_downloads(page)
    yield "order-paid"
    order = page.url
    page.goto(steps.link(demo, person.email, "/recover/"))
    yield "choose-password"
    page.goto(order)
    steps.follow(page, "link", "Be forgotten")
    yield "order-erase"
    steps.follow(page, "button", "Send the link")
    page.goto(steps.link(demo, person.email, "/erase/"))
    yield "erase-prove"
    steps.follow(page, "button", "Forget me")
    yield "erasure-waiting"


def _belong(page: Page, demo: Stage) -> Iterator[str]:
    person = Person()
    steps.register(page, demo, person)
    yield "welcome"
    page.goto(f"{demo.shop}/account")
    yield "account-new"
    page.goto(steps.link(demo, person.email, "/confirm/"))
    yield "confirm"
    steps.follow(page, "button", "Yes, it is my address")
    steps.fill_basket(page, demo)
    steps.follow(page, "link", "Go to checkout")
    yield "checkout-known"
    steps.fill_bill(page, person)
    steps.field(page, "billing name").fill(person.name)
    steps.order(page)
    steps.approve(page, demo, "paypal")
    steps.wait_for_downloads(page)
    page.goto(f"{demo.shop}/account?show=me")
    yield "account"
    for name in ("email", "erase", "password", "privacy"):
        page.goto(f"{demo.shop}/account/{name}")
        yield f"account-{name}"


def _read_letters(page: Page, demo: Stage, person: Person) -> Iterator[str]:
    letter = steps.until(lambda: steps.mails(demo, person.email), "no letter came")[-1]
    page.goto(demo.mailbox)
    yield "mailbox"
    page.goto(f"{demo.mailbox.rstrip('/')}/{letter['number']}")
    yield "mailbox-letter"
    page.set_content(letter["html"])
    yield "letter"
