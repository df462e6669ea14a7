"""Nor do addresses that lead to somebody tell: what is guessed about a known person is answered as what is invented.

Whom a link is about, whether its person is known, and whether it was ever good: forged, invented and foreign ones get
the same answer to the byte, with or without a session, and nobody gets a letter.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.house import House
from tests.mailings.test_consent import buys
from tests.storefront.conftest import ORIGIN, Browser
from tests.strongroom.test_enumeration import shape
from troth.pledge.ids import new_id
from troth.shop.catalogue.models import Edition
from troth.shop.journeys import choose
from troth.shop.mailings.models import preferences_key
from troth.shop.orders.models import Order

SENT = {"HTTP_ORIGIN": ORIGIN, "HTTP_SEC_FETCH_SITE": "same-origin"}
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def orders(house: House, edition: Edition) -> list[Order]:
    """Two guests' orders, delivered."""
    house.stock(12)
    return [buys(house, edition, email=email) for email in ("known@b.example", "other@b.example")]


def member(email: str = "member@b.example") -> Browser:
    browser = Browser()
    given = {"name": "Cy", "email": email, "password": "heron and lantern", "postcode": "LS1 4AP"}
    browser.send("/register", given, 200)
    return browser


def answer(browser: Browser, path: str, fields: dict[str, str] | None) -> dict[str, Any]:
    """All that comes back from `path`, looked at or sent `fields`; the path and what differs by chance taken out."""
    got = browser.get(path) if fields is None else browser.post(path, fields, **SENT)
    body = got.content.decode().replace(path, "…")
    body = re.sub(r'(name="csrfmiddlewaretoken" value=")[^"]{64}', r"\1", body)
    return {
        "status": got.status_code,
        "headers": {name: value.replace(path, "…") for name, value in got.items() if name != "Date"},
        "body": body,
        "cookies": sorted((name, len(one.value), *shape(one)) for name, one in got.cookies.items()),
    }


def heard_nothing(house: House, before: int) -> bool:
    house.works()
    return len(house.mails) == before


@pytest.mark.parametrize("fields", [None, ONE_CLICK, {"stop": "1"}], ids=["looked at", "one click", "form"])
def test_unsubscribe(house: House, orders: list[Order], fields: dict[str, str] | None) -> None:
    before, (known, other), invented = len(house.mails), [order.person_id for order in orders], new_id("per")
    tried = {
        "forged": f"/unsubscribe/{known}/{'0' * 40}",
        "another's": f"/unsubscribe/{known}/{preferences_key(other)}",
        "cut short": f"/unsubscribe/{known}/{preferences_key(known)[:-1]}",
        "no key": f"/unsubscribe/{known}/x",
    }
    unknown = answer(Browser(), f"/unsubscribe/{invented}/{'0' * 40}", fields)
    assert unknown["status"] == 404
    for what, path in tried.items():
        assert answer(Browser(), path, fields) == unknown, what
    assert answer(Browser(), choose.page_of(known), fields)["status"] in (200, 303)  # its own key does open it
    assert heard_nothing(house, before)


def test_claim(house: House, orders: list[Order]) -> None:
    """A link of somebody's letter with a secret of one's own, one of another's, and an invented link."""
    links = [re.findall(r"/claim/(\S+)/(\S+)", mail.text) for mail in house.mails]
    (ticket, secret), (_, others) = [found[0] for found in links if found]
    browser, made_up = member(), "A" * len(secret)
    house.works()
    before = len(house.mails)
    for fields in (None, {"csrfmiddlewaretoken": _token(browser, f"/claim/{ticket}/{secret}")}):
        unknown = answer(browser, f"/claim/{_turned(ticket)}/{made_up}", fields)
        for path in (f"/claim/{ticket}/{made_up}", f"/claim/{ticket}/{others}", f"/claim/{_turned(ticket)}/{secret}"):
            assert answer(browser, path, fields) == unknown
    assert answer(browser, f"/claim/{ticket}/{secret}", fields)["status"] == 303  # the guesses did not use it up
    assert heard_nothing(house, before)


def test_who_lost_the_account_learns_nothing_by_a_guessed_link(house: House, orders: list[Order]) -> None:
    """Seeing and taking along what is held, without the account: by a link to the mailbox on file, or not at all."""
    house.works()
    before = len(house.mails)
    stranger = Browser()
    fields = {"csrfmiddlewaretoken": _token(stranger, "/withdraw")}
    assert answer(stranger, "/account/privacy/export", fields)["status"] == 303  # to sign in first, whoever asks
    known, invented = orders[0].ref, new_id("ord")
    for page in ("", "/withdraw", "/erase", "/ask", "/key/" + "0" * 40):
        assert answer(stranger, f"/orders/{known}{page}", None) == answer(stranger, f"/orders/{invented}{page}", None)
    assert heard_nothing(house, before)


def test_withdrawal_by_number_answers_alike(house: House, orders: list[Order]) -> None:
    house.works()
    browser, before = Browser(), len(house.mails)
    token = _token(browser, "/withdraw")
    told = [
        answer(browser, "/withdraw", {"order": ref, "csrfmiddlewaretoken": token})
        for ref in (new_id("ord"), orders[0].ref, orders[0].ref, new_id("ord"))
    ]
    assert told[0]["status"] == 200
    assert told == [told[0]] * 4
    house.works()
    assert [mail.to for mail in house.mails[before:]] == [["known@b.example"]]  # it alone, once


def _token(browser: Browser, path: str) -> str:
    return str(re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', browser.get(path).content.decode())[1])


def _turned(ticket: str) -> str:
    """A ticket of the same shape that was never made."""
    return ticket[:-8] + ticket[-8:][::-1] if ticket[-8:] != ticket[-8:][::-1] else ticket[:-1] + "0"
