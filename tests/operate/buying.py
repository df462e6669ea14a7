"""Somebody who found the shop: buys in a browser, reads the letter, types what it says into a PHP project."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.composer.project import Project
from tests.processes.running import until
from troth.pledge.policy.visitor import Visitor

PATIENCE = 60.0  # seconds; the machine may be busy
BILL = {
    "name": "Ada Finch", "email": "ada@buyer.example", "street": "9 Alder Lane", "billing_postcode": "10115",
    "city": "Berlin", "country": "DE", "billing_name": "Ada Finch",
}  # fmt: skip


def buy(shop: str, slug: str, provider: str = "skrill") -> str:
    """The order's reference, once its page says that it is paid."""
    browser = Visitor(shop)
    try:
        browser.submit(f"/p/{slug}", {}, form="basket")
        until(lambda: _stocked(shop), PATIENCE)
        paying = browser.send(browser.get("/checkout"), {**BILL, "provider": provider}, form="checkout")
        assert urlsplit(paying.url).netloc != urlsplit(shop).netloc, paying.text
        back = browser.send(paying, {}, form={"paypal": "approve", "skrill": "pay"}[provider])
        ref = urlsplit(back.url).path.split("/")[2]
        until(lambda: '<h2 id="state">Paid</h2>' in browser.get(f"/orders/{ref}").text, PATIENCE)
        return ref
    finally:
        browser.close()


def _stocked(shop: str) -> bool:
    """Whether the worker has put keys in stock; a shop that opened just now says 503 until it has."""
    told = re.search(r"troth_blanks (\d+)", httpx.get(f"{shop}/metrics", trust_env=False, timeout=30).text)
    return told is not None and int(told[1]) > 0


def letter(mailbox: str) -> str:
    """The text of the one letter that brings the product. The marker customer of the checks gets letters beside it."""
    came = until(lambda: [one for one in _mails(mailbox) if "/download/" in one["text"] and _is_ours(one)], PATIENCE)
    assert len(came) == 1, [one["subject"] for one in came]
    return str(came[0]["text"])


def _is_ours(mail: dict[str, Any]) -> bool:
    return bool(mail["to"] == [BILL["email"]])


def _mails(mailbox: str) -> list[Any]:
    mails: list[Any] = json.loads(httpx.get(f"{mailbox.rstrip('/')}.json", trust_env=False, timeout=30).text)
    return mails


def installs(folder: Path, text: str, package: str) -> str:
    """The version that Composer installs in a new project when the letter's lines are typed."""
    project = Project(folder)
    code, said = project.types(text)
    assert code == 0, said
    return project.has(package)
