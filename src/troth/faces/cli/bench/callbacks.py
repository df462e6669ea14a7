"""How soon a provider's message is answered while a hundred come each second, and how soon its order is settled."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable
from http.client import HTTPConnection
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx

from troth.faces.cli.bench.customer import Customer
from troth.faces.cli.bench.load import WrongAnswer
from troth.faces.cli.bench.shop import Shop
from troth.faces.cli.bench.table import Row

A_SECOND = 100  # messages
LINES = 8  # connections that they come over
NAMES = {"paypal": "PayPal", "skrill": "Skrill"}
PATIENCE = 20.0  # seconds until an order must be settled


class Size(NamedTuple):
    seconds: float  # of a hundred messages each
    orders: int  # whose buyers do not come back


FULL, QUICK = Size(60.0, 20), Size(0.5, 1)


class Answered(NamedTuple):
    """Milliseconds until the answer: of the middle one, and of the 99th of a hundred."""

    middle: float
    of_99: float


def rows(shop: Shop, customer: Customer, size: Size, told: Callable[[str], object]) -> list[Row]:
    """What `troth bench` shows of it."""
    found = []
    for provider in ("skrill", "paypal"):
        told(f"a hundred messages a second, {provider}")
        answered = measure(shop, customer, provider, size.seconds)
        found += [
            Row(f"a message from {NAMES[provider]}, 100 a second, 99 of 100 within", "ms", answered.of_99, 50),
            Row("  the middle one", "ms", answered.middle),
        ]
    told("messages whose buyers do not come back")
    took = sorted(customer.pays_and_leaves(PATIENCE) for _ in range(size.orders))
    customer.wait_for_letters()
    return [*found, Row("from Skrill's message to the paid order, the slowest", "s", took[-1], 2)]


def measure(shop: Shop, customer: Customer, provider: str, seconds: float) -> Answered:
    """Messages that were genuine and new once, sent again and again: each is verified, and found to be known."""
    customer.buy(provider)
    customer.wait_for_letters()
    post = _posts(shop, provider)[-1]
    took = _send(urlsplit(shop.shop).netloc, post, seconds)
    took.sort()
    return Answered(took[len(took) // 2], took[int(len(took) * 0.99)])


def _posts(shop: Shop, provider: str) -> list[dict[str, Any]]:
    """What the look-alike has told the shop, with its bytes."""
    found = httpx.get(f"{shop.control}posts", timeout=20, trust_env=False).json()
    return list(found[provider])


def _send(netloc: str, post: dict[str, Any], seconds: float) -> list[float]:
    """One after the other on each line, at its own times: a slow answer does not slow down who comes next."""
    body, path = base64.b64decode(post["body"]), urlsplit(post["url"]).path
    took: list[float] = []
    wrong: list[int] = []
    begin = time.monotonic() + 0.2

    def line(number: int) -> None:
        connection = HTTPConnection(netloc, timeout=20)
        for place in range(number, int(seconds * A_SECOND), LINES):
            due = begin + place / A_SECOND
            time.sleep(max(0.0, due - time.monotonic()))
            connection.request("POST", path, body, post["headers"])
            answer = connection.getresponse()
            answer.read()
            took.append((time.monotonic() - due) * 1000)  # from when it was due: waiting counts
            if answer.status != 200:
                wrong.append(answer.status)
        connection.close()

    threads = [threading.Thread(target=line, args=(number,)) for number in range(LINES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise WrongAnswer(f"{len(wrong)} of {len(took)} messages were answered {wrong[0]}, not 200.")
    return took
