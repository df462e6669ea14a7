"""Somebody who buys, as a browser would, and keeps the evidence of each step.

Nothing here knows the shop's code: pages, the mailbox and the provider's books are read over HTTP.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
import msgspec

from troth.pledge.policy.visitor import Page, Stuck, Visitor

PATIENCE = 30.0  # seconds for payment, messages and letter
BUTTONS = {"paypal": "approve", "skrill": "pay"}
NAMES = {"paypal": "PayPal", "skrill": "Skrill"}
Came = TypeVar("Came")


class Failed(Exception):
    """A step did not come out as it should; the text says which, in one sentence."""


class Evidence(msgspec.Struct, frozen=True):
    step: str
    shown: str


class Buyer:
    """One person, one purchase. `typed` is everything personal that went into the forms."""

    def __init__(self, shop: str, mailbox: str, control: str, sums: Path, provider: str) -> None:
        self.shop, self.provider, self.ref = shop, provider, ""
        self._mailbox, self._control, self._sums = mailbox, control, sums
        self._browser = Visitor(shop)
        mark = secrets.token_hex(4)
        self.email = f"ada.{mark}@buyer.example"
        self._person = {"name": f"Ada {mark.title()}", "street": f"{mark} Lane 12", "city": f"Upper {mark.title()}"}
        self.typed = [self.email, *self._person.values()]

    def buy(self, slug: str) -> Iterator[Evidence]:
        """Basket to product. Raises Failed, naming the step."""
        yield self._step("basket", lambda: self._fill_basket(slug))
        yield self._step("checkout", self._check_out)
        yield self._step("payment page", self._approve)
        yield self._step("paid", self._wait_until_paid)
        yield self._step("letter", self._wait_for_letter)
        yield self._step("download", self._download)
        yield self._step("invoice", self._invoice)
        self._browser.close()

    def _step(self, name: str, act: Callable[[], str]) -> Evidence:
        try:
            return Evidence(name, act())
        except Failed as failed:
            raise Failed(f"{NAMES[self.provider]}, {name}: {failed}") from None
        except Stuck as stuck:
            raise Failed(f"{NAMES[self.provider]}, {name}: {stuck}.") from None
        except httpx.HTTPError as error:
            raise Failed(f"{NAMES[self.provider]}, {name}: no answer ({type(error).__name__}).") from None

    def _fill_basket(self, slug: str) -> str:
        page = _good(self._browser.submit(f"/p/{slug}", {}, form="basket"))
        return f"{slug}, now at {urlsplit(page.url).path}"

    def _check_out(self) -> str:
        typed = {
            "name": self._person["name"],
            "email": self.email,
            "street": self._person["street"],
            "billing_postcode": "10115",
            "city": self._person["city"],
            "country": "DE",
            "billing_name": self._person["name"],
            "provider": self.provider,
        }
        until = time.monotonic() + PATIENCE
        page = self._browser.send(self._browser.get("/checkout"), typed, form="checkout")
        while page.status == 503 and time.monotonic() < until:  # a shop that just started has no fresh keys yet
            time.sleep(1)
            page = self._browser.send(self._browser.get("/checkout"), typed, form="checkout")
        self._paying = _good(page)
        if urlsplit(self._paying.url).netloc == urlsplit(self.shop).netloc:
            raise Failed(f"the checkout led to {urlsplit(self._paying.url).path}, not to the provider.")
        return f"sent to {NAMES[self.provider]}'s page, {urlsplit(self._paying.url).path}"

    def _approve(self) -> str:
        back = _good(self._browser.send(self._paying, {}, form=BUTTONS[self.provider]))
        where = urlsplit(back.url).path
        if not where.startswith("/orders/"):
            raise Failed(f"the provider led back to {where}, not to the order.")
        self.ref = where.split("/")[2]
        return f"approved; order {self.ref}"

    def _wait_until_paid(self) -> str:
        def state() -> str:
            page = _good(self._browser.get(f"/orders/{self.ref}"))
            found = re.search(r'<h2 id="state">([^<]*)</h2>', page.text)
            return found[1] if found and found[1] == "Paid" else ""

        shown = until(state, "the order's page does not say that it is paid.")
        return f"the order's page says \"{shown}\"; {NAMES[self.provider]}'s books: {self._in_the_books()}"

    def _in_the_books(self) -> str:
        """Status and references as the provider has them."""
        kept = [book for book in self._ask(f"{self._control}books")[self.provider] if self._is_ours(book)]
        if len(kept) != 1:
            raise Failed(f"the provider has {len(kept)} payments for this order.")
        told = [
            f"{key} {kept[0][key]}" for key in ("status", "id", "transaction_id", "mb_transaction_id") if key in kept[0]
        ]
        return ", ".join(told)

    def _is_ours(self, book: dict[str, Any]) -> bool:
        return self.ref in msgspec.json.encode(book).decode()

    def _wait_for_letter(self) -> str:
        mine = until(self._letters, "no letter with a link to the product has arrived.")
        time.sleep(0.5)  # a second copy would come right after
        if len(self._letters()) != 1:
            raise Failed(f"{len(self._letters())} letters came for one order.")
        self._letter = mine[0]
        return f"one letter, Message-ID {self._letter['message_id']}"

    def _letters(self) -> list[dict[str, Any]]:
        mails = self._ask(f"{self._mailbox.rstrip('/')}.json")
        return [mail for mail in mails if self.email in mail["to"] and "/download/" in mail["text"]]

    def _download(self) -> str:
        """By the link in the letter alone: another browser, without a cookie."""
        link = re.search(r"https?://\S+/download/\S+", self._letter["text"])
        assert link is not None  # _letters looked for it
        answer = httpx.get(link[0], timeout=20, trust_env=False)
        if answer.status_code != 200:
            raise Failed(f"the link in the letter answers {answer.status_code}.")
        name = re.search(r'filename="?([^";]+)', answer.headers.get("content-disposition", ""))
        digest = hashlib.sha256(answer.content).hexdigest()
        if name is None or f"{digest}  files/{name[1]}" not in self._sums.read_text().splitlines():
            raise Failed("what came is not the file that was released.")
        return f"{name[1]}, {len(answer.content)} bytes, SHA-256 {digest}, as released"

    def _invoice(self) -> str:
        """Page and PDF by the letter's link alone: the worker makes them, and keeps a hash."""
        link = re.search(r"https?://\S+/invoice/\S+", self._letter["text"])
        if link is None:
            raise Failed("the letter has no link to an invoice.")
        page, paper = (httpx.get(url, timeout=20, trust_env=False) for url in (link[0], link[0].replace("?", ".pdf?")))
        if page.status_code != 200 or self._person["street"] not in page.text:
            raise Failed(f"the invoice answers {page.status_code}, or does not bear the address.")
        if paper.status_code != 200 or not paper.content.startswith(b"%PDF-"):
            raise Failed(f"the invoice's PDF answers {paper.status_code}.")
        name = re.search(r'filename="?([^";]+)', paper.headers.get("content-disposition", ""))
        digest = hashlib.sha256(paper.content).hexdigest()
        return f"{name[1] if name else 'PDF'}, {len(paper.content)} bytes, SHA-256 {digest}"

    def _ask(self, url: str) -> Any:
        answer = httpx.get(url, timeout=20, trust_env=False)
        if answer.status_code != 200:
            raise Failed(f"{urlsplit(url).path} answers {answer.status_code}.")
        return answer.json()


def _good(page: Page) -> Page:
    if page.status >= 400:
        raise Failed(f"{urlsplit(page.url).path} answers {page.status}.")
    return page


def until(what: Callable[[], Came], otherwise: str) -> Came:
    """What `what` returns once it is true. Failed with `otherwise` after PATIENCE."""
    deadline = time.monotonic() + PATIENCE
    while not (came := what()):
        if time.monotonic() > deadline:
            raise Failed(otherwise)
        time.sleep(0.2)
    return came
