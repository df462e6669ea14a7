"""What people do in a browser, step by step, finding their way by labels and names as they would."""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Callable
from typing import Any, Literal, TypeVar

import httpx
import msgspec
from playwright.sync_api import Locator, Page

from troth.faces.cli.demo.stage import Stage

SLUG = "order-notes"
PATIENCE = 60.0  # seconds; the machine may be busy
BUTTONS = {"paypal": "Approve", "skrill": "Pay"}
PROVIDERS = {"paypal": "PayPal", "skrill": "Skrill"}
Came = TypeVar("Came")


def _mark() -> str:
    return secrets.token_hex(4)


class Person(msgspec.Struct, frozen=True):
    """Somebody whose every value occurs once in the world."""

    mark: str = msgspec.field(default_factory=_mark)

    @property
    def name(self) -> str:
        return f"Ada Q{self.mark}"

    @property
    def email(self) -> str:
        return f"ada.q{self.mark}@buyer.example"

    @property
    def street(self) -> str:
        return f"Q{self.mark} Lane 12"

    @property
    def city(self) -> str:
        return f"Q{self.mark} Wells"

    @property
    def password(self) -> str:
        return f"heron {self.mark} lantern"


def until(what: Callable[[], Came], why: str, patience: float = PATIENCE) -> Came:
    """What `what` returns once it is true."""
    deadline = time.monotonic() + patience
    while not (came := what()):
        assert time.monotonic() < deadline, f"waited {patience:.0f} s: {why}"
        time.sleep(0.15)
    return came


def read(url: str) -> str:
    return httpx.get(url, timeout=20, trust_env=False).text


def mails(demo: Stage, email: str) -> list[dict[str, Any]]:
    """The letters to one address, oldest first."""
    every = json.loads(read(f"{demo.mailbox.rstrip('/')}.json"))
    return [mail for mail in every if email in mail["to"]]


def link(demo: Stage, email: str, path: str) -> str:
    """The first link below `path` in any letter to the address, once it is there."""

    def find() -> str:
        found = [re.search(rf"{demo.shop}{path}\S+", mail["text"]) for mail in mails(demo, email)]
        return next((match[0] for match in found if match), "")

    return until(find, f"no letter with a link to {path}")


def field(page: Page, token: str) -> Locator:
    """The field that a browser would fill with this, by the standard's autocomplete token."""
    return page.locator(f'main [autocomplete="{token}"]')


def follow(page: Page, role: Literal["button", "link"], name: str, exact: bool = False) -> None:
    """Press a button or link, and wait for the page that it leads to."""
    with page.expect_navigation():
        page.get_by_role(role, name=name, exact=exact).click()


def fill_basket(page: Page, demo: Stage, slug: str = SLUG) -> None:
    page.goto(f"{demo.shop}/p/{slug}")
    follow(page, "button", "Add to basket")


def fill_checkout(page: Page, person: Person, provider: str) -> None:
    """As a guest."""
    field(page, "name").fill(person.name)
    field(page, "email").fill(person.email)
    fill_bill(page, person)
    page.get_by_role("radio", name=PROVIDERS[provider]).check()


def fill_bill(page: Page, person: Person) -> None:
    field(page, "street-address").fill(person.street)
    field(page, "postal-code").fill("10115")
    field(page, "address-level2").fill(person.city)
    field(page, "country").select_option("DE")


def order(page: Page) -> None:
    """From the filled checkout to the provider's page."""
    follow(page, "button", "Order and pay")
    page.get_by_text("Sandbox: no real money").wait_for()


def begin(page: Page, demo: Stage, person: Person, provider: str) -> None:
    """From the shelf to the provider's page."""
    fill_basket(page, demo)
    follow(page, "link", "Go to checkout")
    fill_checkout(page, person, provider)
    order(page)


def approve(page: Page, demo: Stage, provider: str) -> str:
    """Pay on the provider's page; the order's page once the browser is back there."""
    follow(page, "button", BUTTONS[provider], exact=True)
    page.wait_for_url(f"{demo.shop}/orders/*")
    return page.url


def state(page: Page) -> str:
    """What the order's page says, in its heading."""
    return page.locator("#state").inner_text()


def wait_for_downloads(page: Page) -> None:
    """Reload the order's page, as a buyer would, until it says paid and has the links."""

    def there() -> bool:
        if page.get_by_role("link", name="Download ").count():
            return True
        page.reload()
        return False

    until(there, f"the order's page says: {state(page)}")
    assert state(page) == "Paid"


def buy(page: Page, demo: Stage, person: Person, provider: str) -> str:
    """A whole purchase by a guest; returns the order's address."""
    begin(page, demo, person, provider)
    address = approve(page, demo, provider)
    wait_for_downloads(page)
    return address


def register(page: Page, demo: Stage, person: Person) -> None:
    page.goto(f"{demo.shop}/register")
    field(page, "name").fill(person.name)
    field(page, "email").fill(person.email)
    field(page, "new-password").fill(person.password)
    field(page, "postal-code").fill("10115")
    follow(page, "button", "Register")
    page.get_by_role("heading", name="Welcome").wait_for()
