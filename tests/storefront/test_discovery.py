"""How others find the shop: what search engines, readers of feeds and messengers are told, and what they are not."""

from __future__ import annotations

import json
import re
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest

from tests.house import SITE, House
from tests.storefront.conftest import Browser
from troth.shop.catalogue.models import Edition, Product, Release

ATOM = "{http://www.w3.org/2005/Atom}"
MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")  # RFC 3339


def atom_faults(document: bytes) -> list[str]:
    """What RFC 4287 wants of a feed (sections 4.1.1, 4.1.2) and this one does not have."""
    feed = ElementTree.fromstring(document)
    faults = [] if feed.tag == f"{ATOM}feed" else ["no feed"]
    entries = feed.findall(f"{ATOM}entry")
    for place in (feed, *entries):
        for name in ("id", "title", "updated"):
            if len(place.findall(f"{ATOM}{name}")) != 1:
                faults.append(f"{place.tag}: one {name}")
        faults += [
            f"no time: {stamp.text}"
            for name in ("updated", "published")
            for stamp in place.findall(f"{ATOM}{name}")
            if not STAMP.fullmatch(stamp.text or "")
        ]
        if not urlsplit(place.findtext(f"{ATOM}id") or "").scheme:
            faults.append("an id is a whole IRI")
        kinds = [(link.get("rel"), link.get("type"), link.get("hreflang")) for link in place.findall(f"{ATOM}link")]
        faults += [f"{kind} twice" for kind in kinds if kind[0] == "alternate" and kinds.count(kind) > 1]
    if feed.find(f"{ATOM}author/{ATOM}name") is None:
        faults.append("no author")
    ids = [entry.findtext(f"{ATOM}id") for entry in entries]
    return faults + ["an id twice"] * (len(ids) != len(set(ids)))


def test_the_feed_is_atom_and_has_the_newest_release_first(house: House, browser: Browser, edition: Edition) -> None:
    Release.objects.create(
        product=edition.product, version="1.1.0", released_on="2026-11-20", file="x", size=1, sha256="",
        changes=["Now with <maps> & more"],
    )  # fmt: skip
    hidden = Product.objects.create(slug="hidden", kind="module", name="Hidden", tagline="t", summary="s")
    Release.objects.create(product=hidden, version="1.0", released_on="2026-11-21", file="y", size=1, sha256="")
    answer = browser.get("/feed.atom")
    assert answer["Content-Type"] == "application/atom+xml; charset=utf-8"
    assert not answer.cookies and answer["ETag"]
    assert atom_faults(answer.content) == []
    feed = ElementTree.fromstring(answer.content)
    titles = [entry.findtext(f"{ATOM}title") for entry in feed.findall(f"{ATOM}entry")]
    assert titles == ["Field Guide 1.1.0", "Field Guide 1.0.0"]
    assert feed.findtext(f"{ATOM}updated") == "2026-11-20T00:00:00Z"
    assert feed.findtext(f"{ATOM}entry/{ATOM}summary") == "Now with <maps> & more"
    for link in feed.iter(f"{ATOM}link"):
        assert browser.get(link.get("href").removeprefix(SITE)).status_code == 200, link.get("href")
    (told,) = [link for link in browser.page("/").all("link") if link.get("rel") == "alternate"]
    assert told["href"] == "/feed.atom"


def test_the_eyes_of_this_test_are_open() -> None:
    bad = b'<feed xmlns="http://www.w3.org/2005/Atom"><id>x</id><title/><updated>today</updated><entry/></feed>'
    assert len(atom_faults(bad)) >= 6


def test_an_empty_shelf_has_a_feed_too(house: House, browser: Browser) -> None:
    assert atom_faults(browser.get("/feed.atom").content) == []


def test_the_sitemap_names_public_pages_alone(house: House, browser: Browser, edition: Edition) -> None:
    Product.objects.create(slug="hidden", kind="module", name="Hidden", tagline="t", summary="s")
    answer = browser.get("/sitemap.xml")
    root = ElementTree.fromstring(answer.content)
    places = [url.findtext(f"{MAP}loc") for url in root]
    assert f"{SITE}/p/field-guide" in places and f"{SITE}/terms" in places and f"{SITE}/p/hidden" not in places
    assert all(STAMP.fullmatch(stamp.text) for stamp in root.iter(f"{MAP}lastmod"))
    robots = browser.get("/robots.txt").content.decode()
    assert f"Sitemap: {SITE}/sitemap.xml" in robots
    shut = re.findall(r"^Disallow: (\S+)$", robots, re.MULTILINE)
    for place in places:
        path = place.removeprefix(SITE)
        assert browser.get(path).status_code == 200, path
        assert not any(path.startswith(one) for one in shut), path


def test_a_product_is_told_to_machines(house: House, browser: Browser, edition: Edition) -> None:
    Product.objects.update(tagline='Says "</script><script>alert(1)</script>" & means it')
    source = browser.get("/p/field-guide").content.decode()
    (block,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', source, re.DOTALL)
    told = json.loads(block)
    assert (told["@type"], told["name"], told["url"]) == ("Product", "Field Guide", f"{SITE}/p/field-guide")
    assert told["description"] == 'Says "</script><script>alert(1)</script>" & means it'
    (offer,) = told["offers"]
    assert (offer["price"], offer["priceCurrency"]) == ("49.00", "EUR")
    assert told["image"].startswith(SITE) and browser.get(told["image"].removeprefix(SITE)).status_code == 200
    assert source.count("<script") == 1
    page = browser.page("/p/field-guide")
    meta = {one["property"]: one["content"] for one in page.all("meta") if "property" in one}
    assert meta["og:title"] == "Field Guide" and meta["og:url"] == f"{SITE}/p/field-guide"
    assert all(urlsplit(meta[name]).netloc in ("", urlsplit(SITE).netloc) for name in meta if name != "og:description")


@pytest.mark.parametrize(
    ("path", "place"),
    [("/", "/"), ("/?q=guide", "/"), ("/?kind=module&page=1", "/?kind=module"), ("/p/field-guide", "/p/field-guide"),
     ("/terms", "/terms")],
)  # fmt: skip
def test_a_public_page_names_its_one_address(
    house: House, browser: Browser, edition: Edition, path: str, place: str
) -> None:
    (link,) = [link for link in browser.page(path).all("link") if link.get("rel") == "canonical"]
    assert link["href"] == SITE + place
