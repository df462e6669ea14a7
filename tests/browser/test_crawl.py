"""Every page that a link leads to, opened in Chromium: none of them asks anybody else for anything (P2, P7, P13, P14).

The fixture `page` counts the requests. Here it is seen to that no kind of page is left out.
"""

from __future__ import annotations

import re
from collections import Counter
from urllib.parse import urldefrag, urlsplit

import pytest
from django.urls import Resolver404, resolve
from playwright.sync_api import Page

from tests.browser.steps import Person, buy, link, mails, register
from troth.faces.cli.demo.stage import Stage
from troth.faces.urls import urlpatterns

pytestmark = pytest.mark.browser
OF_A_KIND = 2
# Kinds of addresses no link leads to, by their names, each with the reason why a crawl cannot or need not open it.
NOT_PAGES = {
    "posted to, or answered by a redirect": r"^(order_pay|order_licence_replace|sign_out|account_passkey_(add|remove)|"
    r"ticket_close|return_\w+|hook_\w+|sign_in_passkey|account_export|renew)$",
    "no page: programs, files, proofs": r"^(licence_\w+|composer\w*|ledger_(checkpoint|key|tile)|privacy_json|sitemap|"
    r"robots|feed|metrics|healthz|security_txt|gpc_json|static|media|download|invoice_pdf|order_licence|order_key|"
    r"ticket_key|ticket_file|receipt|privacy_proof|text|text_version|\w+_version|transparency_(json|csv))$",
    "pages of other walks": r"^(unsubscribe|order_invoice|erase_prove|erasure|recover_finish|claim|"
    r"withdrawal|order_account|ticket|order_withdraw|confirm)$",
    "the desk has its own": r"^desk",
}


def kind_of(address: str) -> str:
    try:
        return resolve(urlsplit(address).path).url_name or ""
    except Resolver404:
        return ""


def links(page: Page) -> list[str]:
    found: list[str] = page.eval_on_selector_all("a[href]", "all => all.map(one => one.href)")
    return [urldefrag(one).url for one in found]


def crawl(page: Page, home: str, waiting: list[str]) -> Counter[str]:
    """Open every page of this shop that can be reached from `waiting`, some of each kind; how many of each kind."""
    opened, seen = Counter[str](), set[str]()
    while waiting:
        address = waiting.pop(0)
        kind = kind_of(address)
        if address in seen or not address.startswith(f"{home}/") or opened[kind] >= OF_A_KIND or kind == "sign_out":
            continue
        seen.add(address)
        answer = page.request.get(address)
        told = answer.headers
        if "text/html" not in told.get("content-type", "") or "attachment" in told.get("content-disposition", ""):
            continue
        page.goto(address)
        opened[kind] += 1
        waiting += links(page)
    return opened


def test_no_page_asks_anybody_else(page: Page, demo: Stage) -> None:
    guest, member = Person(), Person()
    order = buy(page, demo, guest, "skrill")
    letters = [re.findall(rf"{demo.shop}\S+", mail["text"]) for mail in mails(demo, guest.email)]
    by_letter = [one.rstrip(".,)") for found in letters for one in found]
    opened = crawl(page, demo.shop, [f"{demo.shop}/", order, *by_letter])
    register(page, demo, member)
    page.goto(link(demo, member.email, "/confirm/"))
    page.get_by_role("button").first.click()
    opened += crawl(page, demo.shop, [f"{demo.shop}/account", f"{demo.shop}/checkout", f"{demo.shop}/register"])
    everything = {one.name for one in urlpatterns if one.name}
    left_out = {name for name in everything - set(opened) if not any(re.match(r, name) for r in NOT_PAGES.values())}
    assert left_out == set()
    assert sum(opened.values()) > 40
