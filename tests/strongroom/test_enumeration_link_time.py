"""Nor do guessed links tell by how long an answer takes: about somebody who is known, and about nobody, in turns.

Whoever has a link has its secret of 128 random bits; here somebody has all but that: a customer's reference, the number
of their order, the first half of their link. Nobody is asked by mailbox at these doors, and an export is asked for by
who is signed in alone, or through the link to an order or an account (/recover is in test_enumeration_time.py).
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from statistics import median
from typing import NamedTuple

import httpx
import pytest

from tests.campaign import FULL, draws, rounds
from tests.processes import running
from tests.strongroom.test_enumeration_time import ROUNDS, alike, auc
from troth.faces.cli.bench.shop import Shop
from troth.pledge.ids import new_id
from troth.pledge.policy.visitor import Page, Visitor

pytestmark = [pytest.mark.processes, pytest.mark.soak]
PAIRS = rounds(4, 300)
MANY_DIGITS = "0" * 40
GUEST = {
    "name": "Ada Guest", "street": "Fern Lane 12", "billing_postcode": "10115", "city": "Upper Fern",
    "country": "DE", "billing_name": "Ada Guest",
}  # fmt: skip


class Known(NamedTuple):
    """What somebody may have seen of a guest's letter: all but the secrets in it."""

    order: str
    person: str
    ticket: str  # of the link that would put the purchase into an account
    secret_length: int


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with Shop(tmp_path_factory.mktemp("links") / "shop", running.free_port(), 5) as shop:
        shop.settle_down()
        yield shop


@pytest.fixture(scope="module")
def known(shop: Shop) -> list[Known]:
    return [_buys(shop, f"guest{number}@buyer.example") for number in range(rounds(2, 6))]


@pytest.fixture(scope="module")
def member(shop: Shop) -> Iterator[Visitor]:
    """Somebody with an account, who may claim what a guest bought."""
    visitor = Visitor(shop.shop)
    given = {"name": "Cy", "email": "cy@member.example", "password": "heron and lantern", "postcode": "LS1 4AP"}
    _good(visitor.submit("/register", given))
    yield visitor
    visitor.close()


def _buys(shop: Shop, email: str) -> Known:
    """A guest's purchase, until its letter has come."""
    browser = Visitor(shop.shop)
    _good(browser.submit("/p/order-notes", {}, form="basket"))
    paying = _good(browser.submit("/checkout", GUEST | {"email": email, "provider": "paypal"}, form="checkout"))
    _good(browser.send(paying, {}, form="approve"))
    browser.close()
    letter = running.until(lambda: _letter(shop, email))
    ticket, secret = re.findall(r"/claim/([^/\s]+)/([^/\s]+)", letter)[0]
    order = re.findall(r"ord_\w{26}", letter)[0]
    return Known(order, _buyer(shop, order), ticket, len(secret))


def _buyer(shop: Shop, order: str) -> str:
    """Their reference: this letter does not show it, one with a link to end mailings does."""
    with closing(sqlite3.connect(f"file:{shop.home}/data/main.sqlite3?mode=ro", uri=True)) as db:
        return str(db.execute("SELECT person_id FROM orders_order WHERE ref = ?", [order]).fetchone()[0])


def _letter(shop: Shop, email: str) -> str:
    mails = shop.ask(f"{shop.mailbox.rstrip('/')}.json")
    return next((mail["text"] for mail in mails if email in mail["to"] and "/claim/" in mail["text"]), "")


def _good(page: Page) -> Page:
    assert page.status < 400, page.text
    return page


def _turned(ticket: str) -> str:
    """A ticket of the same shape that was never made."""
    return ticket[:-8] + ("a" * 8 if ticket[-8:] != "a" * 8 else "b" * 8)


def _paths(one: Known) -> dict[str, tuple[str, str]]:
    """For each door the path about somebody, and the same about nobody."""
    guess, no_order, nobody = "A" * one.secret_length, new_id("ord"), new_id("per")
    return {
        "claim": (f"/claim/{one.ticket}/{guess}", f"/claim/{_turned(one.ticket)}/{guess}"),
        "recover": (f"/recover/{one.ticket}/{guess}", f"/recover/{_turned(one.ticket)}/{guess}"),
        "unsubscribe": (f"/unsubscribe/{one.person}/{MANY_DIGITS}", f"/unsubscribe/{nobody}/{MANY_DIGITS}"),
        "order": (f"/orders/{one.order}", f"/orders/{no_order}"),
        "order's key": (f"/orders/{one.order}/key/{MANY_DIGITS}", f"/orders/{no_order}/key/{MANY_DIGITS}"),
        "erase": (f"/orders/{one.order}/erase", f"/orders/{no_order}/erase"),
    }


SENT = {"unsubscribe": {"List-Unsubscribe": "One-Click"}, "claim": {}, "recover": {"password": "heron and lantern 2"}}


@pytest.mark.parametrize("door", ["claim", "recover", "unsubscribe", "order", "order's key", "erase"])
def test_the_time_of_a_guessed_link_is_alike(
    shop: Shop, known: list[Known], member: Visitor, door: str, record_property: Callable[[str, object], None]
) -> None:
    told = list(_compared(shop, known, member, door))
    record_property("table", "\n".join(line for line, _ in told))
    assert not FULL or [line for line, is_alike in told if not is_alike] == []


def _compared(shop: Shop, known: list[Known], member: Visitor, door: str) -> Iterator[tuple[str, bool]]:
    """Of each round at this door: what came of it, and whether it tells nothing."""
    draw, paths = draws(f"time of {door}"), [_paths(one)[door] for one in known]
    client: httpx.Client = member._http if door == "claim" else httpx.Client(trust_env=False, timeout=20)
    ask = _asking(client, shop.shop, door, paths[0][0])
    for number in range(ROUNDS):
        taken: dict[bool, list[float]] = {True: [], False: []}
        statuses = set()
        for turn in range(PAIRS):
            for is_known in draw.sample([True, False], 2):
                began = time.perf_counter()
                answer = ask(paths[turn % len(paths)][0 if is_known else 1])
                taken[is_known].append((time.perf_counter() - began) * 1000)
                statuses.add(answer.status_code)
        assert len(statuses) == 1, (door, statuses)
        difference, chance = median(taken[True]) - median(taken[False]), auc(taken[True], taken[False])
        line = f"{door} round {number + 1}: {statuses.pop()}, {difference:+.2f} ms, AUC {chance:.3f}"
        yield line, alike(taken[True], taken[False])
    if client is not member._http:
        client.close()


def _asking(client: httpx.Client, shop: str, door: str, path: str) -> Callable[[str], httpx.Response]:
    """How this door is knocked at: looked at, or its form sent, by who is signed in where it asks for that."""
    if door not in SENT:
        return lambda path: client.get(shop + path)
    given, headers = dict(SENT[door]), {"Origin": shop, "Sec-Fetch-Site": "same-origin"}
    if door != "unsubscribe":
        page = client.get(shop + path).text
        given["csrfmiddlewaretoken"] = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[0]
    return lambda path: client.post(shop + path, data=given, headers=headers)
