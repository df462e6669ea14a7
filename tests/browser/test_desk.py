"""A morning at the desk: the first owner comes by the command, invites support, who takes a case up and closes it."""

from __future__ import annotations

import base64
import re
import subprocess
import time
from pathlib import Path

import pyrage
import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from playwright.sync_api import Browser, Page

from tests.browser import goods_walk, pictures, steps
from tests.browser.steps import Person
from tests.browser.test_pages import inaccessible, too_wide
from troth.faces.cli.demo.stage import Stage

pytestmark = pytest.mark.browser


class Colleague:
    """Somebody at the desk, with a browser and an app of their own."""

    def __init__(self, page: Page, demo: Stage, where: Path) -> None:
        self.page, self.demo, self.where, self.person = page, demo, where, Person()
        self.secret, self.used = b"", 0
        self.faults: list[str] = []
        steps.register(page, demo, self.person)

    def join(self, link: str) -> None:
        self.page.goto(link)
        steps.field(self.page, "email").fill(self.person.email)
        steps.field(self.page, "current-password").fill(self.person.password)
        steps.field(self.page, "nickname").fill(self.person.name)
        self.look("desk-join")
        steps.follow(self.page, "button", "Join")
        key = self.page.locator("code.licence-key").inner_text()
        self.secret = base64.b32decode("".join(key.split()))
        self.look("desk-app")
        self.types("Sign in")
        steps.follow(self.page, "link", "I have kept them")

    def types(self, button: str) -> None:
        """A code of one's app; each is good once, so that the next half minute may have to come first."""

        def next_one() -> int:
            now = int(time.time()) // 30 + 1  # the keeper takes that of a step later as well
            return now if now > self.used else 0

        self.used = steps.until(next_one, "no new code came", 45)
        steps.field(self.page, "one-time-code").fill(TOTP(self.secret, 6, SHA1(), 30).generate(self.used * 30).decode())
        steps.follow(self.page, "button", button)

    def look(self, name: str) -> None:
        """Look at the page as it is: a picture, and whatever is wrong with it."""
        found = inaccessible(self.page) + too_wide(self.page)
        self.faults += [f"{name}: {fault}" for fault in found]
        if self.where == pictures.SCREENS:
            pictures.take(self.page, self.where, name)


def invited_by_command(demo: Stage) -> str:
    command = demo.command("staff", "invite", "--owner")
    done = subprocess.run(command, env=demo.environ, capture_output=True, text=True, check=True)
    return re.findall(r"http\S+/desk/join/\S+", done.stdout)[0]


def test_a_morning_at_the_desk(page: Page, demo: Stage, chromium: Browser, tmp_path: Path) -> None:
    where = pictures.folder(tmp_path)
    alice = Person()
    ref = steps.buy(page, demo, alice, "paypal").rpartition("/")[2]
    page.context.clear_cookies()
    owner = Colleague(page, demo, where)
    owner.join(invited_by_command(demo))
    page.goto(f"{demo.shop}/desk/colleagues")
    steps.follow(page, "link", "Invite somebody")
    page.get_by_role("checkbox", name="Support").check()
    owner.look("desk-invite")
    steps.follow(page, "button", "Make the invitation")
    link = page.locator("code.licence-key").inner_text()
    with chromium.new_context(viewport={"width": 1280, "height": 900}) as context:
        support = Colleague(context.new_page(), demo, where)
        support.join(link)
        assert "has no power" in support.page.content()
        page.goto(f"{demo.shop}/desk/colleagues")
        owner.look("desk-colleagues")
        steps.follow(page, "link", f"Change {support.person.name}")
        owner.look("desk-colleague")
        steps.follow(page, "button", "Attest")
        works(support, alice, ref)
    writes_to_customers(owner)
    answers_who_asks_by_law(owner, ref, alice)
    goods_walk.walk(owner, tmp_path)
    assert owner.faults + support.faults == []


def works(support: Colleague, alice: Person, ref: str) -> None:
    page, shop = support.page, support.demo.shop
    page.goto(f"{shop}/desk/orders")
    support.look("desk-orders")
    page.get_by_role("searchbox").fill(ref)
    steps.follow(page, "button", "Find")
    assert alice.mark not in page.content()
    support.look("desk-order")
    steps.follow(page, "button", "Take it up")
    assert page.get_by_text(alice.email).is_visible()
    assert alice.street not in page.content()
    support.look("desk-job")
    job = page.url
    page.goto(f"{shop}/desk/")
    support.look("desk-home")
    page.goto(job)
    steps.follow(page, "button", "Close the job")
    page.goto(job)
    assert page.get_by_role("heading", name="This job is not open").is_visible()
    assert alice.mark not in page.content()


def writes_to_customers(owner: Colleague) -> None:
    page, shop = owner.page, owner.demo.shop
    page.goto(f"{shop}/desk/mailings")
    steps.follow(page, "link", "Write a mailing")
    page.get_by_label("Subject").fill("Order Notes 2 is here")
    page.get_by_label("Text", exact=True).fill(
        "Order Notes has a **new version**.\n\n- notes on each line\n- faster lists\n\n"
        "[See what is new](https://fernhill.example/p/order-notes)"
    )
    page.get_by_label("Who bought").select_option(label="Order Notes")
    owner.look("desk-mailing-write")
    steps.follow(page, "button", "Keep and look at it")
    owner.look("desk-mailing")
    mailing = page.url
    assert ">See what is new</a>" in page.request.get(f"{mailing}/letter").text()
    steps.follow(page, "link", "Let it begin")
    if "/desk/again" in page.url:  # it took more than five minutes to come here
        owner.types("Go on")
    owner.look("desk-mailing-send")
    steps.follow(page, "button", "Write to them")
    steps.until(lambda: page.reload() and page.locator("h1 .tag").inner_text() == "done", "the mailing does not end")
    page.goto(f"{shop}/desk/mailings")
    owner.look("desk-mailings")


def answers_who_asks_by_law(owner: Colleague, ref: str, alice: Person) -> None:
    page, shop = owner.page, owner.demo.shop
    page.goto(f"{shop}/desk/disclosures")
    owner.look("desk-disclosures")
    steps.follow(page, "link", "A document came")
    if "/desk/again" in page.url:
        owner.types("Go on")
    page.get_by_role("radio", name="(a)").check()
    page.get_by_role("checkbox", name="a court order").check()
    page.locator("#f-reasons").fill("It orders it.")
    page.locator("#f-authority").fill("A court")
    page.locator("#f-called").fill("At noon, by the number in the register.")
    page.locator("#f-country").fill("DE")
    page.locator("#f-recipient").fill(str(pyrage.x25519.Identity.generate().to_public()))
    page.get_by_role("checkbox", name="contact: name").check()
    page.get_by_role("checkbox", name="billing address: city").check()
    page.locator("#f-since").fill("2020-01-01")
    page.locator("#f-until").fill("2099-01-01")
    page.locator("#f-enclosed").set_input_files({"name": "a.txt", "mimeType": "text/plain", "buffer": b"Order."})
    owner.look("desk-disclosure-new")
    steps.follow(page, "button", "Begin the case")
    steps.follow(page, "link", "Narrow it")
    page.locator("#f-who").fill(ref)
    page.get_by_role("checkbox", name="billing address: city").check()
    for box in page.get_by_role("checkbox").all()[-4:]:
        box.check()
    owner.look("desk-disclosure-narrow")
    steps.follow(page, "button", "Put it up for approval")
    steps.follow(page, "button", "I approve exactly this")
    assert page.get_by_text("1 of 2 have approved").is_visible() and alice.mark not in page.content()
    owner.look("desk-disclosure")
    page.goto(f"{shop}/transparency")
    assert page.get_by_text("not decided yet").is_visible()
    owner.look("transparency")
