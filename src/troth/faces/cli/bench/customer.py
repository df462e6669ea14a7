"""A customer the shop knows: registers with a first purchase, then buys again and again, signed in."""

from __future__ import annotations

import re
import secrets
import time
from urllib.parse import urlsplit

from troth.faces.cli.bench.load import WrongAnswer
from troth.faces.cli.bench.shop import Shop
from troth.pledge.policy.visitor import Page, Visitor

BUTTONS = {"paypal": "approve", "skrill": "pay"}
PATIENCE = 30.0  # seconds for payment and letter


class Customer:
    """A browser's worth of cookies, and how many letters with a product are to come."""

    def __init__(self, shop: Shop) -> None:
        self._shop, self._browser, self._bought = shop, Visitor(shop.shop), 0
        self._mark = secrets.token_hex(6)
        self.email = f"ada.{self._mark}@buyer.example"
        self._pages = 0

    def register(self) -> None:
        """By a first purchase with a password."""
        person = {
            "name": "Ada Bench",
            "email": self.email,
            "street": "Fern Lane 12",
            "billing_postcode": "10115",
            "city": "Upper Fern",
            "country": "DE",
            "billing_name": "Ada Bench",
            "password": secrets.token_urlsafe(16),
            "postcode": "10115",
        }
        self._buy("paypal", person)
        self.wait_for_letters()
        if "Ada" in self._get("/account").text or not self._get("/account").url.endswith("/account"):
            raise WrongAnswer("The customer is not signed in after registering.")

    def buy(self, provider: str) -> None:
        """List, product, basket, checkout with the address of the last time, the provider's page, the order's page."""
        self._get(f"/?{self._fresh()}")
        self._buy(provider, {})

    def pays_and_leaves(self, patience: float) -> float:
        """Pay at Skrill and never come back: seconds from the payment until the order's page says that it is paid."""
        product = self._get(f"/p/order-notes?{self._fresh()}")
        _good(self._browser.send(product, {}, form="basket"))
        paying = _good(self._browser.send(self._get("/checkout"), {"provider": "skrill"}, form="checkout"))
        ref, session = re.search(r"ord_[a-z2-7]{26}", paying.text), re.search(r"sid=([0-9a-f]{32})", paying.url)
        if ref is None or session is None:
            raise WrongAnswer("Skrill's page names no order or no session.")
        self._bought += 1
        self._shop.press("skrill/pay", sid=session[1])
        began = time.monotonic()
        while "Thank you" not in self._get(f"/orders/{ref[0]}").text:
            if time.monotonic() - began > patience:
                raise WrongAnswer("An order whose buyer did not come back was not settled in time.")
            time.sleep(0.05)
        return time.monotonic() - began

    def wait_for_letters(self) -> None:
        """Until one letter has come for each purchase."""
        deadline = time.monotonic() + PATIENCE
        while (came := self._letters()) != self._bought:
            if came > self._bought or time.monotonic() > deadline:
                raise WrongAnswer(f"{came} letters came for {self._bought} purchases.")
            time.sleep(0.25)

    def close(self) -> None:
        self._browser.close()

    def _buy(self, provider: str, person: dict[str, str]) -> None:
        product = self._get(f"/p/order-notes?{self._fresh()}")
        _good(self._browser.send(product, {}, form="basket"))
        paying = _good(self._browser.send(self._get("/checkout"), {**person, "provider": provider}, form="checkout"))
        if urlsplit(paying.url).netloc == urlsplit(self._shop.shop).netloc:
            raise WrongAnswer(f"The checkout led to {urlsplit(paying.url).path}, not to the provider.")
        back = _good(self._browser.send(paying, {}, form=BUTTONS[provider]))
        self._bought += 1
        state = re.search(r'<h2 id="state">([^<]*)</h2>', back.text)
        if not urlsplit(back.url).path.startswith("/orders/") or not state:
            raise WrongAnswer(f"The provider led back to {urlsplit(back.url).path}, not to the order.")

    def _get(self, path: str) -> Page:
        return _good(self._browser.get(path))

    def _fresh(self) -> str:
        """A query that no kept page has: this page is made anew."""
        self._pages += 1
        return f"fresh={self._mark}{self._pages}"

    def _letters(self) -> int:
        mails = self._shop.ask(f"{self._shop.mailbox.rstrip('/')}.json")
        return sum(self.email in mail["to"] and "/download/" in mail["text"] for mail in mails)


def _good(page: Page) -> Page:
    if page.status >= 400:
        raise WrongAnswer(f"{urlsplit(page.url).path} answers {page.status}.")
    return page
