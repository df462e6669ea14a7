"""A person who wants the product and does not give up: presses reload and "pay" until the page says that it is theirs.

Buys through the shop's pages and the provider's, over HTTP, knowing nothing of the shop's code. What the person saw is
the outside log against which the shop's books are checked.
"""

from __future__ import annotations

import random
import secrets
import time
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec

from troth.pledge.policy.visitor import Page, Stuck, Visitor
from troth.sandbox import Sandbox

PATIENCE = 60.0  # seconds for any one thing
RELOAD = 0.15
BUTTONS = {"paypal": "approve", "skrill": "pay"}


class Seen(msgspec.Struct):
    """What a buyer knows in the end. `ref` is "" where they never saw an order."""

    provider: str
    email: str
    closes: bool  # shuts the provider's page instead of coming back
    ref: str = ""
    paid: bool = False  # pressed the provider's button
    thanked: bool = False  # the page said "it is yours"
    linked: bool = False  # and had something to download
    reloads: int = 0
    trouble: str = ""


class Stubborn(httpx.BaseTransport):
    """Sends the same request again where the line breaks or the shop answers 5xx, as reloading does."""

    def __init__(self, seen: Seen) -> None:
        self._http, self._seen = httpx.HTTPTransport(), seen

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        until = time.monotonic() + PATIENCE
        while True:
            try:
                answer = self._http.handle_request(request)
                answer.read()
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code < 500:
                return answer
            if time.monotonic() > until:
                raise Stuck(f"{request.url.path} gave {answer.status_code if answer else 'no answer'} for a minute")
            self._seen.reloads += 1
            time.sleep(RELOAD)

    def close(self) -> None:
        self._http.close()


class Buyer:
    def __init__(self, base: str, sandbox: Sandbox, draw: random.Random) -> None:
        email = f"{secrets.token_hex(8)}@buyer.example"
        self.seen = Seen(draw.choice(list(BUTTONS)), email, closes=draw.random() < 0.4)
        self._sandbox, self._password = sandbox, draw.choice(["", "heron and lantern"])
        self._page = Visitor(base, httpx.Client(transport=Stubborn(self.seen), timeout=20, trust_env=False))

    def buys(self) -> Seen:
        try:
            self._to_the_end()
        except (Stuck, httpx.HTTPError) as trouble:
            self.seen.trouble = f"{type(trouble).__name__}: {trouble}"
        finally:
            self._page.close()
        return self.seen

    def _to_the_end(self) -> None:
        until = time.monotonic() + PATIENCE
        self._page.submit("/p/field-guide", {}, form="basket")
        page = self._orders()
        while self._is_ours(page):  # "Nothing has been charged": the order's page, or the form with a sentence
            if time.monotonic() > until:
                raise Stuck(f"{urlsplit(page.url).path} never led to {self.seen.provider}")
            page = self._again(page)
        self._pays(page)

    def _orders(self) -> Page:
        """Fill the checkout's form and send it."""
        who = {"name": "Alice Example", "email": self.seen.email, "password": self._password}
        where = {"street": "1 Elm Row", "city": "Leeds", "billing_postcode": "LS1 4AP", "country": "GB"}
        values = who | where | {"postcode": "LS1 4AP" if self._password else "", "provider": self.seen.provider}
        return self._page.send(self._page.get("/checkout"), values, form="checkout")

    def _again(self, page: Page) -> Page:
        time.sleep(RELOAD)
        self.seen.reloads += 1
        path = urlsplit(page.url).path
        if not path.startswith("/orders/"):
            return self._orders()
        page = self._page.get(path)
        offers = any("/pay" in form.action for form in page.forms)
        return self._page.send(page, {}, form=self.seen.provider) if offers else page

    def _pays(self, page: Page) -> None:
        """Press the provider's button; come back, or close the page and look at the order later."""
        self.seen.paid = True
        if self.seen.closes:
            address = parse_qs(urlsplit(page.url).query)
            if self.seen.provider == "paypal":
                self._sandbox.paypal.approve(address["token"][0])
            else:
                self._sandbox.skrill.pay(address["sid"][0])
            return
        page = self._page.send(page, {}, form=BUTTONS[self.seen.provider])
        self.seen.ref = urlsplit(page.url).path.split("/")[2]
        until = time.monotonic() + PATIENCE
        while not (self.seen.thanked and self.seen.linked) and time.monotonic() < until:
            self.seen.thanked = self.seen.thanked or "it is yours" in page.text
            self.seen.linked = self.seen.linked or "/download/" in page.text
            time.sleep(RELOAD)
            page = self._page.get(f"/orders/{self.seen.ref}")

    def _is_ours(self, page: Page) -> bool:
        return urlsplit(page.url).netloc == urlsplit(self._page.base).netloc
