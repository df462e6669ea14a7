"""Pages for everybody: no cookie, kept for some seconds, checked by their tags, held by their headers."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import msgspec
import pytest
from django.conf import settings
from django.test import RequestFactory

from tests.house import House
from tests.storefront.conftest import ORIGIN, Browser
from troth import config
from troth.faces.storefront import assets, headers, origin, pagecache
from troth.shop.catalogue import shelf
from troth.shop.catalogue.models import Edition, Product
from troth.shop.orders.models import Basket

PUBLIC = ("/", "/p/field-guide", "/terms", "/?q=guide")


@pytest.mark.parametrize("path", PUBLIC)
def test_a_public_page_sets_no_cookie_and_revalidates(
    house: House, browser: Browser, edition: Edition, path: str
) -> None:
    first = browser.get(path)
    assert first.status_code == 200
    assert not first.cookies
    assert not first.has_header("Vary")
    assert first["Cache-Control"] == "public, max-age=60"
    tag = first["ETag"]
    assert re.fullmatch(r'"[0-9a-f]{32}"', tag)
    for given in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = browser.get(path, HTTP_IF_NONE_MATCH=given)
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag)
    assert browser.get(path, HTTP_IF_NONE_MATCH='"other"').content == first.content
    head = browser.head(path)
    assert (head.status_code, head.content, head["Content-Length"]) == (200, b"", str(len(first.content)))


def test_a_kept_page_asks_no_database(
    house: House, browser: Browser, edition: Edition, django_assert_num_queries
) -> None:
    first = browser.get("/p/field-guide")
    with django_assert_num_queries(0):
        assert browser.get("/p/field-guide").content == first.content


def test_a_change_of_the_catalogue_shows_at_once(house: House, browser: Browser, edition: Edition) -> None:
    browser.page("/p/field-guide")
    Product.objects.update(name="Pocket Guide")
    assert "Field Guide" in browser.page("/p/field-guide").text
    before = shelf.stamp().stat().st_mtime_ns
    shelf.changed()
    os.utime(shelf.stamp(), ns=(before + 1, before + 1))
    assert "Pocket Guide" in browser.page("/p/field-guide").text


def test_a_kept_page_ends_by_itself(house: House, browser: Browser, edition: Edition, monkeypatch) -> None:
    browser.page("/p/field-guide")
    Product.objects.update(name="Pocket Guide")
    now = time.monotonic()
    monkeypatch.setattr(pagecache.time, "monotonic", lambda: now + pagecache.FRESH_SECONDS + 1)
    assert "Pocket Guide" in browser.page("/p/field-guide").text


def test_no_other_page_is_kept(house: House, basket: Browser) -> None:
    for path in ("/basket", "/checkout", "/register", "/sign-in", "/privacy", "/nowhere", "/p/nowhere"):
        answer = basket.get(path)
        assert answer["Cache-Control"] == "no-store", path
        assert not answer.has_header("ETag"), path


def test_memory_is_bounded(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pagecache, "MOST_PAGES", 3)
    from django.http import HttpResponse

    cache = pagecache.PageCache(lambda request: HttpResponse(b"x" * 100))
    for number in range(10):
        cache(RequestFactory().get(f"/?q={number}", HTTP_HOST="127.0.0.1"))
    assert (len(cache.pages), cache.bytes) == (3, 300)
    monkeypatch.setattr(pagecache, "MOST_BYTES", 150)
    cache(RequestFactory().get("/?q=more", HTTP_HOST="127.0.0.1"))
    assert (len(cache.pages), cache.bytes) == (1, 100)
    for odd in ("/?utm=1", "/?q=" + "x" * 400):
        cache(RequestFactory().get(odd, HTTP_HOST="127.0.0.1"))
    assert len(cache.pages) == 1


def test_what_sets_a_cookie_or_differs_is_never_kept() -> None:
    from django.http import HttpResponse

    def personal(request):
        response = HttpResponse(b"yours")
        response.set_cookie("a", "b")
        return response

    for answer in (personal, lambda request: HttpResponse(b"", headers={"Vary": "Cookie"}),
                   lambda request: HttpResponse(b"", status=500)):  # fmt: skip
        cache = pagecache.PageCache(answer)
        cache(RequestFactory().get("/", HTTP_HOST="127.0.0.1"))
        assert not cache.pages


@pytest.mark.parametrize("path", ["/", "/basket", "/nowhere", "/privacy.json", "/healthz"])
def test_headers_hold_the_browser(house: House, browser: Browser, path: str) -> None:
    for _ in range(2):  # made, then kept
        answer = browser.get(path)
        policy = answer["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; ")
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Referrer-Policy"] == "same-origin"
        assert "geolocation=()" in answer["Permissions-Policy"]
        assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
        assert not answer.has_header("Strict-Transport-Security")


def test_pages_that_lead_to_a_payment_name_it(house: House, basket: Browser) -> None:
    policy = basket.get("/checkout")["Content-Security-Policy"]
    (form_action,) = re.findall(r"form-action ([^;]*)", policy)
    assert set(form_action.split()) == {"'self'", *headers.payment_origins()}
    assert "http://127.0.0.1:*" in form_action.split()  # a look-alike's page may have another port than its API
    live = msgspec.structs.replace(settings.TROTH.paypal, base_url="https://api-m.paypal.com")
    settings.TROTH = msgspec.structs.replace(settings.TROTH, paypal=live, skrill=config.Skrill())
    assert headers.payment_origins() == ["https://pay.skrill.com", "https://www.paypal.com"]


def test_https_is_kept_to(house: House) -> None:
    web = msgspec.structs.replace(settings.TROTH.web, public_url="https://shop.example")
    settings.TROTH = msgspec.structs.replace(settings.TROTH, web=web)
    assert "Strict-Transport-Security" in headers.SafeHeaders(lambda request: None).fixed


def test_a_foreign_host_gets_no_page(house: House, browser: Browser) -> None:
    browser.get("/")
    for path in ("/", "/basket"):
        assert browser.get(path, HTTP_HOST="evil.example").status_code == 400


FOREIGN = [
    {"HTTP_ORIGIN": "https://evil.example"},
    {"HTTP_ORIGIN": "null"},
    {"HTTP_SEC_FETCH_SITE": "cross-site", "HTTP_ORIGIN": ORIGIN},
    {"HTTP_SEC_FETCH_SITE": "same-site"},
    {"HTTP_SEC_FETCH_SITE": "none"},
    {"HTTP_REFERER": "https://evil.example/page"},
    {"HTTP_ORIGIN": ORIGIN + ".evil.example"},
    {"HTTP_ORIGIN": ORIGIN.replace("http:", "https:")},
]


@pytest.mark.parametrize("given", FOREIGN, ids=str)
def test_what_other_sites_send_changes_nothing(house: House, browser: Browser, edition: Edition, given: dict) -> None:
    for path in ("/basket", "/register", "/sign-out"):
        answer = browser.post(path, {"action": "add", "edition": edition.pk}, **given)
        assert answer.status_code == 403
        assert "did not come from our own pages" in answer.content.decode()
    assert not Basket.objects.exists()


def test_our_own_forms_pass(house: House, browser: Browser, edition: Edition) -> None:
    for given in (
        {"HTTP_SEC_FETCH_SITE": "same-origin"},
        {"HTTP_ORIGIN": ORIGIN},
        {"HTTP_REFERER": ORIGIN + "/p/x"},
        {},
    ):
        assert browser.post("/basket", {"action": "add", "edition": edition.pk}, **given).status_code == 303


def test_a_live_shop_knows_its_public_origin_only(house: House, rf: RequestFactory) -> None:
    shop = msgspec.structs.replace(settings.TROTH.shop, mode="live")
    web = msgspec.structs.replace(settings.TROTH.web, public_url="https://shop.example")
    settings.TROTH = msgspec.structs.replace(settings.TROTH, shop=shop, web=web)
    assert origin.from_our_pages(rf.post("/basket", HTTP_ORIGIN="https://shop.example"))
    assert not origin.from_our_pages(rf.post("/basket", HTTP_ORIGIN="http://127.0.0.1", HTTP_HOST="127.0.0.1"))


def test_all_other_forms_need_their_token(house: House, basket: Browser, edition: Edition) -> None:
    fields = {"action": "remove", "edition": edition.pk}
    for path in ("/basket", "/checkout", "/register", "/sign-in", "/sign-out", "/recover", "/contact", "/confirm/a/b"):
        assert basket.post(path, fields, HTTP_ORIGIN=ORIGIN).status_code == 403, path


def test_the_basket_cookie_opens_nothing_in_the_table(house: House, basket: Browser) -> None:
    cookie = basket.cookies["troth_basket"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert len(cookie.value) == 43
    assert Basket.objects.get().key_hash != cookie.value
    assert set(basket.cookies) == {"troth_basket"}


def test_what_machines_ask(house: House, browser: Browser) -> None:
    text = browser.get("/.well-known/security.txt")
    assert text["Content-Type"] == "text/plain; charset=utf-8"
    assert b"Contact: mailto:hello@fernhill.example" in text.content
    assert re.search(rb"^Expires: \d{4}-\d\d-\d\dT00:00:00Z$", text.content, re.MULTILINE)
    assert browser.get("/.well-known/gpc.json").json()["gpc"] is True
    assert browser.get("/healthz").content == b"ok\n"
    assert b"troth_orders_paid 0" in browser.get("/metrics").content
    assert browser.get("/metrics", HTTP_X_FORWARDED_FOR="192.0.2.7").status_code == 404
    assert browser.get("/metrics", REMOTE_ADDR="192.0.2.7").status_code == 404


# WCAG 2.2, 1.4.3 and 1.4.11: text 4.5 to 1, the borders of fields 3 to 1.
PAIRS = [
    ("ink", "paper", 4.5), ("ink", "card", 4.5), ("muted", "paper", 4.5), ("muted", "card", 4.5),
    ("accent", "paper", 4.5), ("accent", "card", 4.5), ("accent", "accent-soft", 4.5), ("on-accent", "accent", 4.5),
    ("on-accent", "accent-strong", 4.5), ("accent-strong", "accent-soft", 4.5), ("wait", "wait-soft", 4.5),
    ("bad", "bad-soft", 4.5), ("bad", "paper", 4.5), ("ink", "accent-soft", 4.5), ("ink", "wait-soft", 4.5),
    ("ink", "bad-soft", 4.5), ("accent", "bad-soft", 4.5), ("accent", "wait-soft", 4.5), ("muted", "accent-soft", 4.5),
    ("field-line", "paper", 3), ("field-line", "card", 3),
]  # fmt: skip


def palettes() -> dict[str, dict[str, str]]:
    css = Path(settings.STATIC_DIR / "troth.css").read_text()
    light, dark = css.split("@media (prefers-color-scheme: dark)")[:2]
    found = {
        name: dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", part))
        for name, part in (("light", light), ("dark", dark))
    }
    return {"light": found["light"], "dark": found["light"] | found["dark"]}


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("name", ["light", "dark"])
def test_the_palette_can_be_read(name: str) -> None:
    palette = palettes()[name]
    for front, back, least in PAIRS:
        lighter, darker = sorted((luminance(palette[front]), luminance(palette[back])), reverse=True)
        assert (lighter + 0.05) / (darker + 0.05) >= least, (front, back)


def test_the_stylesheet_loads_nothing_from_elsewhere(house: House, browser: Browser) -> None:
    answer = browser.get(assets.asset("troth.css"))
    assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer["Content-Type"] == "text/css; charset=utf-8"
    for word in ("@import", "url(", "http"):
        assert word not in answer.content.decode()
