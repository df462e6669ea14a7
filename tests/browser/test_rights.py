"""One customer's rights from beginning to end: register, buy, object, take everything along, see who looked, be
forgotten; and then come back as a stranger, whose mailbox still wants no news."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser import pictures, steps
from tests.browser.steps import Person
from tests.browser.test_pages import inaccessible, too_wide
from tests.marker.looking import look
from tests.processes.running import free_port
from troth.faces.cli.demo.stage import Stage

pytestmark = pytest.mark.browser
AGAIN = "earlier to write no news. That still holds"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A demo of its own, in which whoever wants to be forgotten is so at once."""
    stage = Stage(tmp_path_factory.mktemp("demo"), free_port())
    stage.environ["TROTH_POLICY_ERASE_WINDOW"] = "0"
    with stage:
        yield stage


class Walk:
    """What somebody does, and whatever is wrong with the pages on their way."""

    def __init__(self, page: Page, demo: Stage, where: Path) -> None:
        self.page, self.demo, self.where, self.person = page, demo, where, Person()
        self.faults: list[str] = []

    def look(self, name: str) -> None:
        self.faults += [f"{name}: {fault}" for fault in inaccessible(self.page) + too_wide(self.page)]
        if self.where == pictures.SCREENS:
            pictures.take(self.page, self.where, name)

    def opens(self, path: str) -> None:
        self.page.goto(f"{self.demo.shop}{path}")

    def belongs(self, confirmed: int) -> None:
        """Register, and confirm by the letter that came after `confirmed` others."""
        steps.register(self.page, self.demo, self.person)
        letters = steps.until(
            lambda: [mail for mail in self._letters() if "/confirm/" in mail["text"]][confirmed:], "no letter came"
        )
        link = next(word for word in letters[0]["text"].split() if "/confirm/" in word)
        self.page.goto(link)
        steps.follow(self.page, "button", "Yes, it is my address")

    def buys(self) -> None:
        steps.fill_basket(self.page, self.demo)
        steps.follow(self.page, "link", "Go to checkout")
        steps.fill_bill(self.page, self.person)
        steps.field(self.page, "billing name").fill(self.person.name)
        steps.order(self.page)
        steps.approve(self.page, self.demo, "paypal")
        steps.wait_for_downloads(self.page)

    def takes_along(self, folder: Path) -> dict[str, str]:
        """The texts of the archive that everything comes in."""
        with self.page.expect_download() as coming:
            self.page.get_by_role("button", name="Download everything").click()
        coming.value.save_as(folder / "everything.zip")
        with zipfile.ZipFile(folder / "everything.zip") as archive:
            return {
                name: archive.read(name).decode() for name in archive.namelist() if name.endswith((".html", ".json"))
            }

    def _letters(self) -> list[dict[str, str]]:
        return steps.mails(self.demo, self.person.email)


def test_a_customer_uses_every_right_and_comes_back_as_a_stranger(page: Page, demo: Stage, tmp_path: Path) -> None:
    walk = Walk(page, demo, pictures.folder(tmp_path))
    person = walk.person
    walk.belongs(0)
    walk.buys()
    has_a_company_on_the_invoice(walk)
    objects(walk)
    sees_where_they_are_signed_in(walk)
    texts = sees_and_takes_along(walk, tmp_path)
    for value in (person.name, person.email, person.street, person.city, "10115"):
        assert all(any(value in text for name, text in texts.items() if name.endswith(end)) for end in ("html", "json"))
    is_forgotten(walk)
    assert look(demo.folder, person.mark).hits == set()
    page.context.clear_cookies()
    walk.belongs(1)
    walk.opens("/account")
    assert page.get_by_role("link", name="Order of ").count() == 0  # a stranger
    walk.buys()
    sees_that_the_objection_holds(walk)
    assert walk.faults == []


def has_a_company_on_the_invoice(walk: Walk) -> None:
    page = walk.page
    steps.follow(page, "link", "Have it written to a company")
    steps.field(page, "organization").fill("Heron GmbH")
    steps.field(page, "billing name").fill(walk.person.name)
    steps.field(page, "street-address").fill(walk.person.street)
    steps.field(page, "postal-code").fill("10115")
    steps.field(page, "address-level2").fill(walk.person.city)
    walk.look("order-invoice")
    steps.follow(page, "button", "Write it anew")
    papers = page.locator("section[aria-labelledby=invoices] li")
    assert papers.count() == 3
    steps.follow(page, "link", papers.last.inner_text())
    assert page.get_by_text("Heron GmbH").count()


def sees_where_they_are_signed_in(walk: Walk) -> None:
    walk.opens("/account")
    steps.follow(walk.page, "link", "Where you are signed in")
    assert walk.page.locator("main li").filter(has_text="this browser").count() == 1
    walk.look("account-browsers")


def objects(walk: Walk) -> None:
    page = walk.page
    walk.opens("/account/mails")
    assert page.get_by_label("News: new products").is_checked()  # who buys is told at the checkout
    steps.follow(page, "button", "Stop both")
    assert page.get_by_text("You asked us to write no news").is_visible()
    walk.look("account-mails-objected")


def sees_and_takes_along(walk: Walk, folder: Path) -> dict[str, str]:
    """The page of all that is held, with who looked; and the archive."""
    walk.opens("/account/privacy")
    looks = walk.page.locator("section[aria-labelledby=looks] tbody tr")
    assert looks.filter(has_text="to send you what you bought").count()
    walk.look("account-privacy-bought")
    texts = walk.takes_along(folder)
    assert json.loads(next(text for name, text in texts.items() if name.endswith(".json")))
    walk.opens("/account/privacy")
    assert looks.count()
    return texts


def is_forgotten(walk: Walk) -> None:
    page = walk.page
    walk.opens("/account/erase")
    steps.field(page, "current-password").fill(walk.person.password)
    steps.follow(page, "button", "Forget me")

    def forgotten() -> bool:
        page.reload()
        return page.get_by_role("heading", name="You are forgotten").count() == 1

    steps.until(forgotten, "nobody is forgotten")
    assert page.get_by_text("Keys deleted").is_visible()
    assert walk.person.mark not in page.content()
    walk.look("receipt")


def sees_that_the_objection_holds(walk: Walk) -> None:
    def shown() -> bool:
        walk.opens("/account/mails")
        return walk.page.get_by_text(AGAIN).count() == 1

    steps.until(shown, "the objection of before is not shown")
    assert not walk.page.get_by_label("News: new products").is_checked()
    walk.look("account-mails-again")
