"""Links that were mailed earlier end with what they were mailed about: a new password, another mailbox."""

import re

import pytest

from tests.house import House
from tests.storefront.conftest import ORIGIN, Browser
from troth.pledge.rights.models import Erasure

OLD, NEW = "alice@b.example", "new@b.example"
PASSWORD, OTHER = "heron and lantern", "copper kettle moon"
ALICE = {"name": "Alice Example", "email": OLD, "password": PASSWORD, "postcode": "LS1 4AP"}


@pytest.fixture
def alice(house: House, browser: Browser) -> Browser:
    browser.send("/register", ALICE, 200)
    follow(house, "confirm", OLD)
    return browser


def linked(house: House, path: str, mailbox: str) -> list[str]:
    """The links to this kind of page that a mailbox got, the latest last."""
    house.works()
    mine = [mail.text for mail in house.mails if mailbox in mail.to]
    return [found for text in mine for found in re.findall(rf"{ORIGIN}(/{path}/\S+)", text)]


def follow(house: House, path: str, mailbox: str, which: int = -1) -> None:
    press(linked(house, path, mailbox)[which])


def press(path: str, **typed: str) -> None:
    """Follow a link in a browser that knows nobody, and press its button."""
    browser = Browser()
    browser.post(path, browser.page(path).forms[0] | typed, HTTP_ORIGIN=ORIGIN)


def move_to(alice: Browser, mailbox: str) -> None:
    alice.send("/account/email", {"email": mailbox, "password": PASSWORD}, 200)


def signs_in(mailbox: str, password: str) -> bool:
    form = {"email": mailbox, "password": password}
    browser = Browser()
    answer = browser.post("/sign-in", browser.page("/sign-in").form("/sign-in") | form, HTTP_ORIGIN=ORIGIN)
    return answer.status_code == 303


@pytest.mark.parametrize("by", ["recover", "account"])
def test_a_new_password_ends_a_change_of_mailbox_that_somebody_else_began(
    house: House, alice: Browser, by: str
) -> None:
    """As the letter about the change says to do: who knew the password has a link of their own in hand by then."""
    move_to(alice, "mallory@b.example")
    (theirs,) = linked(house, "confirm", "mallory@b.example")
    if by == "recover":
        Browser().send("/recover", {"email": OLD}, 200)
        press(linked(house, "recover", OLD)[-1], password=OTHER)
    else:
        alice.send("/account/password", {"old": PASSWORD, "password": OTHER}, 303)
    press(theirs)
    house.works()
    assert signs_in(OLD, OTHER)
    assert not signs_in("mallory@b.example", OTHER)


def test_of_two_changes_the_later_one_counts(house: House, alice: Browser) -> None:
    """A mailbox that was mistyped is somebody's: their link is over once the right one was typed."""
    move_to(alice, "nwe@b.example")
    (mistyped,) = linked(house, "confirm", "nwe@b.example")
    move_to(alice, NEW)
    (right,) = linked(house, "confirm", NEW)
    press(mistyped)
    assert not signs_in("nwe@b.example", PASSWORD)
    assert signs_in(OLD, PASSWORD)
    press(right)
    assert signs_in(NEW, PASSWORD)
    again = Browser()
    again.send("/sign-in", {"email": NEW, "password": PASSWORD}, 303)
    assert NEW in again.page("/account?show=me").text


@pytest.mark.parametrize("path", ["recover", "erase"])
def test_links_in_the_former_mailbox_are_over_once_another_is_proved(house: House, alice: Browser, path: str) -> None:
    Browser().send(f"/{path}", {"email": OLD}, 200)
    former = linked(house, path, OLD)[-1]
    move_to(alice, NEW)
    follow(house, "confirm", NEW)
    press(former, **({"password": OTHER} if path == "recover" else {}))
    house.works()
    assert signs_in(NEW, PASSWORD)
    assert not Erasure.objects.filter(state=Erasure.WAITING).exists()
    Browser().send("/recover", {"email": NEW}, 200)
    assert linked(house, "recover", NEW), "the new mailbox is the one that links go to"


def test_of_two_links_to_a_new_password_the_other_is_over(house: House, alice: Browser) -> None:
    for _ in range(2):
        Browser().send("/recover", {"email": OLD}, 200)
    first, second = linked(house, "recover", OLD)
    press(second, password=OTHER)
    press(first, password="another one again")
    assert signs_in(OLD, OTHER)
