"""A day at the desk, by who works there: a question comes by mail with a card number in it, money of one line goes
back, a delivery that no mailbox took is put right and sent again, and the owner releases a version."""

from __future__ import annotations

import io
import re
import subprocess
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser import pictures, steps
from tests.browser.steps import Person
from tests.browser.test_desk import Colleague, invited_by_command
from tests.processes.running import free_port
from tests.shape.tree import ROOT
from troth.faces.cli.demo.stage import Stage

pytestmark = pytest.mark.browser
CARD = "4111 1111 1111 1111"
SUPPORT = "help@fernhill.example"
BOUNCED = """To: {to}
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

There is no such mailbox.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.buyer.example

Final-Recipient: rfc822; somebody@buyer.example
Action: failed
Status: 5.1.1
--b--
"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A demo that hears mail: questions, and what comes back."""
    stage = Stage(tmp_path_factory.mktemp("day"), free_port())
    stage.environ |= {"TROTH_SUPPORT_ADDRESS": SUPPORT, "TROTH_MAIL_BOUNCES": "bounces@fernhill.example"}
    with stage:
        yield stage


def comes_in(demo: Stage, mail: str) -> None:
    """The mail server hands a mail to the shop's program."""
    subprocess.run(demo.command("mail-in"), env=demo.environ, input=mail.encode(), check=True)


def hired(demo: Stage, owner: Colleague, browser: Page, *roles: str) -> Colleague:
    page, one = owner.page, Colleague(browser, demo, owner.where)
    page.goto(f"{demo.shop}/desk/colleagues/invite")
    for role in roles:
        page.get_by_role("checkbox", name=role).check()
    steps.follow(page, "button", "Make the invitation")
    one.join(page.locator("code.licence-key").inner_text())
    page.goto(f"{demo.shop}/desk/colleagues")
    steps.follow(page, "link", f"Change {one.person.name}")
    steps.follow(page, "button", "Attest")
    return one


def test_a_day_at_the_desk(page: Page, demo: Stage, chromium: Browser, tmp_path: Path) -> None:
    where = pictures.folder(tmp_path)
    lost, twice, gus = Person(), Person(), Person()
    order = steps.buy(page, demo, lost, "paypal").rpartition("/")[2]
    page.context.clear_cookies()
    steps.fill_basket(page, demo, "back-office-set")
    steps.begin(page, demo, twice, "paypal")
    two_lines = steps.approve(page, demo, "paypal").rpartition("/")[2]
    steps.wait_for_downloads(page)
    page.context.clear_cookies()
    (letter,) = steps.until(lambda: steps.mails(demo, lost.email), "no letter came")
    comes_in(demo, BOUNCED.format(to=letter["sender"]))
    comes_in(
        demo,
        f"From: {gus.name} <{gus.email}>\nTo: {SUPPORT}\nSubject: Which PHP?\n"
        f"Message-ID: <{gus.mark}@buyer.example>\n\n"
        f"Does it run with PHP 8.4? My card is {CARD}, please charge it.\n",
    )
    owner = Colleague(page, demo, where)
    owner.join(invited_by_command(demo))
    with ExitStack() as stack:
        contexts = [
            stack.enter_context(chromium.new_context(viewport={"width": 1280, "height": 900})) for _ in range(2)
        ]
        for context in contexts:
            context.set_default_timeout(60_000)
        cashier = hired(demo, owner, contexts[0].new_page(), "Billing")
        support = hired(demo, owner, contexts[1].new_page(), "Support")
        answers(support, gus)
        puts_right(support, lost, order)
        gives_back(cashier, two_lines)
        releases(owner)
        assert owner.faults + cashier.faults + support.faults == []


def answers(support: Colleague, gus: Person) -> None:
    page, demo = support.page, support.demo

    def there() -> bool:
        page.goto(f"{demo.shop}/desk/tickets")
        return page.locator("tbody a").count() > 0

    steps.until(there, "the question is not listed")
    assert gus.mark not in page.content()
    support.look("desk-tickets")
    page.goto(page.locator("tbody a").first.evaluate("link => link.href"))
    steps.follow(page, "button", "Take it up")
    words = page.locator(".as-written").first.inner_text()
    assert "PHP 8.4" in words
    assert CARD not in words
    assert "1111 1111" not in page.content()
    assert page.get_by_text("A card number was made unreadable").is_visible()
    page.locator("main textarea").fill(
        "It does. Please never send a card number: PayPal and Skrill take it themselves."
    )
    support.look("desk-job-ticket")
    steps.follow(page, "button", "Answer", exact=True)
    told = steps.until(lambda: [one for one in steps.mails(demo, gus.email) if "It does." in one["text"]], "no answer")
    assert CARD not in told[0]["text"]
    received = steps.mails(demo, gus.email)[0]["text"]
    assert "card number" in received  # the kind sentence, at once


def puts_right(support: Colleague, lost: Person, order: str) -> None:
    page, demo, right = support.page, support.demo, Person()

    def there() -> bool:
        page.goto(f"{demo.shop}/desk/stuck")
        return page.locator(f'a[href$="{order}"]').count() > 0

    steps.until(there, "what came back is not listed")
    support.look("desk-stuck")
    page.goto(f"{demo.shop}/desk/mails?state=bounced")
    support.look("desk-mails")
    page.goto(f"{demo.shop}/desk/orders/{order}")
    support.look("desk-order-lost")
    steps.follow(page, "button", "Take it up")
    support.look("desk-job-lost")
    steps.follow(page, "link", "Put the address right")
    assert lost.mark not in page.content()
    steps.field(page, "email").fill(right.email)
    support.look("desk-redirect")
    steps.follow(page, "button", "Put it right, and send")
    (goods,) = steps.until(lambda: steps.mails(demo, right.email), "the goods did not arrive")
    assert "/download/gra_" in goods["text"]
    assert f"/orders/{order}/key/" in goods["text"]  # links of its own, which the former mailbox never saw
    page.goto(f"{demo.shop}/desk/stuck")
    assert page.locator(f'a[href$="{order}"]').count() == 0


def gives_back(cashier: Colleague, order: str) -> None:
    page, demo = cashier.page, cashier.demo
    page.context.clear_cookies(name="troth_desk_fresh")  # five minutes later
    page.goto(f"{demo.shop}/desk/orders/{order}")
    steps.follow(page, "link", "Give money back")
    cashier.types("Go on")
    page.get_by_role("radio").first.check()
    cashier.look("desk-refund")
    steps.follow(page, "button", "Give it back")

    def done() -> bool:
        page.reload()
        return page.get_by_text("Money back: done").count() > 0

    steps.until(done, "the money did not go back")
    cashier.look("desk-order-refunded")
    assert page.locator("td", has_text=re.compile("^refunded$")).count() == 1
    assert page.locator("td", has_text=re.compile("^open$")).count() == 1


def releases(owner: Colleague) -> None:
    page, demo = owner.page, owner.demo
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("README.md", "Order Notes, the tenth")
        told = (ROOT / "goods/modules/order-notes/1.1.0/composer.json").read_text("utf-8")
        made.writestr("composer.json", told.replace("1.1.0", "10.0.0"))
    page.goto(f"{demo.shop}/desk/products/{steps.SLUG}")
    owner.look("desk-product")
    steps.follow(page, "link", "Upload a version")
    page.get_by_label("Version").fill("10.0.0")
    page.get_by_label("What is new").fill("Runs with PHP 8.4")
    page.locator("input[type=file]").set_input_files(
        {"name": "order-notes.zip", "mimeType": "application/zip", "buffer": archive.getvalue()}
    )
    steps.follow(page, "button", "Upload and look into it")
    owner.look("desk-release-draft")
    steps.follow(page, "link", "Release it")
    if "/desk/again" in page.url:
        owner.types("Go on")
    steps.follow(page, "button", "Release 10.0.0")
    owner.look("desk-release")

    def is_out() -> bool:  # pages that are kept in memory are made anew within seconds
        page.goto(f"{demo.shop}/p/{steps.SLUG}")
        return "10.0.0" in page.content()

    steps.until(is_out, "the product's page shows the new version")
