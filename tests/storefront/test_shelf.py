"""The list, a product's page, and the importer that fills them: what a visitor sees, and in how few queries."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.shape.tree import ROOT
from tests.storefront.conftest import Browser
from troth.faces.storefront import pagecache
from troth.shop.catalogue import shelf, stock
from troth.shop.catalogue.models import Edition, Picture, Price, Product, Release


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample goods as their own script builds them."""
    out = tmp_path_factory.mktemp("goods")
    subprocess.run([sys.executable, ROOT / "goods" / "build.py", out], check=True, capture_output=True)
    return out


@pytest.fixture
def goods(db: None, built: Path) -> Iterator[stock.Loaded]:
    yield stock.load(built)
    shelf.changed()


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pagecache, "FRESH_SECONDS", -1)


def many(count: int) -> None:
    for number in range(count):
        product = Product.objects.create(
            slug=f"thing-{number}", kind="module", name=f"Thing {number:02}", summary="s", tagline="t", published=True,
            position=number,
        )  # fmt: skip
        for place, minor in enumerate((4900, 9900)):
            edition = Edition.objects.create(product=product, code=f"e{place}", name="Single", position=place)
            Price.objects.create(edition=edition, currency="EUR", minor=minor)
        for place in range(2):
            file = f"{number}-{place}.svg"
            Picture.objects.create(product=product, file=file, alt="a", width=3, height=2, position=place)


def test_what_has_no_picture_yet_shows_its_letter(db: None, browser: Browser) -> None:
    many(2)
    Picture.objects.filter(product="thing-1").delete()
    shelf.changed()
    cover = re.findall(r'good-cover">(.*?)</div>', browser.get("/").content.decode())
    assert [("<img" in one, ">T</span>" in one) for one in cover] == [(True, False), (False, True)]


def test_the_shelf_shows_what_is_for_sale(goods: stock.Loaded, browser: Browser) -> None:
    page = browser.page("/")
    assert page.text.count("€") == goods.products - 1 == 7  # one costs nothing
    assert "from €49.00" in page.text
    links = {a["href"] for a in page.all("a")}
    assert {f"/p/{product.slug}" for product in Product.objects.all()} <= links
    assert len(page.all("img")) == goods.products
    names = [product.name for product in Product.objects.order_by("position")]
    assert [page.text.index(f"{name} ") for name in names] == sorted(page.text.index(f"{name} ") for name in names)


def test_a_product_tells_all_about_itself(goods: stock.Loaded, browser: Browser) -> None:
    page = browser.page("/p/order-notes")
    for words in ("Single shop", "€49.00", "Unlimited", "1.2.0", "28 September 2026", "composer require", "PHP 8.1"):
        assert words in page.text
    assert "/p/back-office-set" in {a["href"] for a in page.all("a")}
    bundle = browser.page("/p/back-office-set")
    assert {"/p/order-notes", "/p/stock-sentinel", "/p/cron-watch"} <= {a["href"] for a in bundle.all("a")}
    service = browser.page("/p/installation-and-care")
    assert "3 months of support" in service.text
    for picture in page.all("img"):
        shown = browser.get(picture["src"])
        assert (shown.status_code, shown["Content-Type"]) == (200, "image/svg+xml")
        assert "sandbox" in shown["Content-Security-Policy"]
        assert b"<svg" in b"".join(shown)


def test_search_and_kinds(goods: stock.Loaded, browser: Browser) -> None:
    assert "2 results for “cron”" in browser.page("/?q=cron").text
    assert "1 result for “cron heartbeat”" in browser.page("/?q=cron+heartbeat&kind=module").text
    assert "/p/cron-watch" in {a["href"] for a in browser.page("/?q=CRON").all("a")}
    kinds = browser.page("/?kind=service").all("article")
    assert len(kinds) == 1
    assert "Nothing here by that name" in browser.page("/?q=zebra").text
    for odd in (
        "/?kind=nonsense&page=-1",
        "/?page=99999999999999999999",
        "/?page=abc",
        "/?q=%00%ff",
        "/?q=" + "x" * 5000,
    ):
        browser.page(odd)
    assert "<script>" not in browser.get("/?q=<script>alert(1)</script>").content.decode()


def test_24_to_a_page(db: None, browser: Browser) -> None:
    many(30)
    first, second, beyond = browser.page("/"), browser.page("/?page=2"), browser.page("/?page=9")
    assert (len(first.all("article")), len(second.all("article")), len(beyond.all("article"))) == (24, 6, 6)
    assert "/?page=2" in {a["href"] for a in first.all("a")}
    assert "Page 2 of 2" in second.text


def test_few_queries(goods: stock.Loaded, browser: Browser) -> None:
    many(24)
    for path in ("/", "/?page=2", "/?q=order&kind=module", "/p/order-notes", "/p/back-office-set", "/p/thing-3"):
        with CaptureQueriesContext(connection) as queries:
            browser.page(path)
        assert len(queries) <= 4, path


def test_an_empty_shop_says_so(db: None, browser: Browser) -> None:
    assert "still empty" in browser.page("/").text
    browser.page("/p/nothing", 404)


def test_what_has_no_price_here_is_not_offered(goods: stock.Loaded, browser: Browser) -> None:
    Price.objects.filter(edition__product="order-notes", currency="EUR").delete()
    page = browser.page("/p/order-notes")
    assert "Not for sale at present" in page.text
    assert "/basket" not in page.actions


def test_loading_twice_changes_nothing(goods: stock.Loaded, built: Path) -> None:
    def ids() -> list[list[object]]:
        tables = (Product.objects.values_list("pk", "updated_at"), Edition.objects.values_list("pk", "name"))
        return [sorted(table) for table in (*tables, Release.objects.values_list("pk", "sha256"))]

    before = ids()
    assert stock.load(built) == goods
    assert ids() == before
    for release in Release.objects.all():
        assert (settings.FILES_ROOT / release.file).stat().st_size == release.size


def test_what_left_the_catalogue_leaves_the_shelf(
    goods: stock.Loaded, built: Path, tmp_path: Path, browser: Browser
) -> None:
    folder = tmp_path / "goods"
    shutil.copytree(built, folder)
    text = (folder / "catalogue.toml").read_text()
    head, *products = text.split("[[product]]\n")
    kept = [
        product for product in products if 'slug = "cron-watch"' not in product and 'kind = "bundle"' not in product
    ]
    kept = [_without_last_release(product) for product in kept]
    (folder / "catalogue.toml").write_text("[[product]]\n".join([head, *kept]))
    stock.load(folder)
    browser.page("/p/cron-watch", 404)
    assert set(Release.objects.filter(product="order-notes").values_list("version", flat=True)) == {
        "1.2.0", "1.1.0",
    }  # fmt: skip


def _without_last_release(product: str) -> str:
    head, *releases = product.split("[[product.release]]\n")
    if not releases:
        return product
    after = releases[-1].partition("[[product.picture]]")
    return "[[product.release]]\n".join([head, *releases[:-1]]) + after[1] + after[2]


BREAKS = {
    'slug = "cron-watch"': ('slug = "order-notes"', "stands there twice"),
    'EUR = "39.00"': ('EUR = "39.001"', "is no price in EUR"),
    'USD = "43.00"': ('XYZ = "43.00"', "is no price in XYZ"),
    'file = "pictures/cron-watch-cover.svg"': ('file = "../web.key"', "which is not there"),
    'kind = "service"': ('kind = "toy"', "Invalid enum value"),
    'tagline = "One letter': ('tagline = 3 # "One letter', "Expected `str`"),
    "months = 3": ("months = 3\nmood = 1", "unknown field"),
    'members = ["order-notes"': ('members = ["nobody"', "which is no other product"),
    'package = "fernhill/module-order-notes"': (
        'package = "fernhill/other"',
        "it is another package than fernhill/other",
    ),
    "files/fernhill-stock-sentinel-1.1.0.zip": (
        "files/fernhill-stock-sentinel-1.0.0.zip",
        "it is another version than 1.1.0",
    ),
}


@pytest.mark.parametrize("old", BREAKS)
def test_a_catalogue_that_makes_no_sense_changes_nothing(built: Path, tmp_path: Path, old: str, db: None) -> None:
    folder = tmp_path / "goods"
    shutil.copytree(built, folder)
    text = (folder / "catalogue.toml").read_text()
    new, words = BREAKS[old]
    assert old in text
    (folder / "catalogue.toml").write_text(text.replace(old, new, 1))
    with pytest.raises(stock.StockError, match=words):
        stock.load(folder)
    assert not Product.objects.exists()


def test_a_missing_or_unreadable_catalogue(tmp_path: Path, db: None) -> None:
    with pytest.raises(stock.StockError, match="is missing"):
        stock.load(tmp_path)
    (tmp_path / "catalogue.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(stock.StockError):
        stock.load(tmp_path)


def test_media_and_static_give_nothing_else_away(browser: Browser) -> None:
    for path in ("/media/../web.key", "/media/%2e%2e/web.key", "/media/%00.svg", "/media/", "/static/troth.css",
                 "/static/..%2fsettings.py", "/media/../../etc/passwd.svg"):  # fmt: skip
        assert browser.get(path).status_code == 404, path
    (settings.MEDIA_ROOT / "page.html").write_text("<h1>no</h1>")
    assert browser.get("/media/page.html").status_code == 404
