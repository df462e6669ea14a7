"""The shop's own look: whatever an owner chooses can be read, and nothing that they put there runs or fetches."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.conf import settings
from django.template import engines
from hypothesis import example, given
from hypothesis import settings as patient
from hypothesis import strategies as st

from tests.house import House
from tests.storefront.conftest import Browser
from tests.storefront.test_public_pages import PAIRS, palettes
from troth import config
from troth.config import ConfigError
from troth.faces.storefront import assets, drawing
from troth.tones import contrast, tones

COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")
HOSTILE = """<?xml version="1.0"?>
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:i="http://inkscape.example"
  viewBox="0 0 400 100" onload="alert(1)" i:version="1">
  <script>alert(1)</script><style>@import url(https://font.example/x.css);</style><style>.a{fill:#123456}</style>
  <foreignObject><iframe xmlns="http://www.w3.org/1999/xhtml" src="https://a.example"/></foreignObject>
  <image href="https://pixel.example/1.gif"/><use href="https://b.example/#a"/><use xlink:href="#kept"/>
  <a href="javascript:alert(1)"><path d="M0 0"/></a><animate attributeName="href" values="javascript:alert(1)"/>
  <rect id="kept" class="a" width="9" height="9" fill="url(#paint)" style="fill:url(https://c.example/x)" onclick="x"/>
</svg>"""


def png(width: int, height: int) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", head), (b"IDAT", zlib.compress((b"\0" + b"\x80" * 3 * width) * height)), (b"IEND", b"")]
    chunks = (
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.fixture
def dressed() -> Iterator[Any]:
    """Give the shop another look, as after a start."""
    before = settings.TROTH

    def dress(**shop: str) -> None:
        settings.TROTH = msgspec.structs.replace(
            settings.TROTH, shop=msgspec.structs.replace(settings.TROTH.shop, **shop)
        )
        forget()

    def forget() -> None:
        assets.forget()
        for name in ("_engines", "templates"):
            engines.__dict__.pop(name, None)
        engines.__init__()

    yield dress
    settings.TROTH = before
    forget()


def logo(name: str, content: bytes) -> str:
    (settings.TROTH.home / name).write_bytes(content)
    return name


@patient(deadline=None)
@given(COLOURS)
@example("#1f5c46")
@example("#000000")
@example("#ffffff")
def test_every_colour_is_refused_or_can_be_read(colour: str) -> None:
    try:
        found = tones(colour)
    except ValueError as error:
        found = tones(str(error).rpartition(" ")[2].rstrip("."))  # what it advises instead
    for name, ours in palettes().items():
        palette = ours | found[name]
        for front, back, least in PAIRS:
            assert contrast(palette[front], palette[back]) >= least, (name, front, back)


@pytest.mark.parametrize(
    ("accent", "why"),
    [("#ffd700", "1.1 to 1, and text needs 4.5; take a darker tone, such as #"), ("red", "must be a colour such as")],
)
def test_a_colour_that_cannot_be_used_is_one_sentence_with_its_line(tmp_path: Path, accent: str, why: str) -> None:
    (tmp_path / "troth.toml").write_text(f'[shop]\nname = "X"\naccent = "{accent}"\n')
    with pytest.raises(ConfigError) as told:
        config.load(tmp_path, environ={})
    (line,) = told.value.lines
    assert "line 3: [shop] accent" in line and why in line


def test_a_shop_wears_its_colour_in_one_cached_stylesheet(house: House, dressed: Any, browser: Browser) -> None:
    before = assets.asset("troth.css")
    dressed(accent="#7b1fa2")
    address = assets.asset("troth.css")
    assert address != before and browser.get(before).status_code == 404
    css = browser.get(address).content.decode()
    light, dark = css.rsplit("@media", 1)
    assert light.rindex("--accent:#7b1fa2;") > light.index("--accent: #1f5c46;")
    assert f"--accent:{tones('#7b1fa2')['dark']['accent']};" in dark
    page = browser.get("/")
    assert address in page.content.decode()
    assert b'fill="#7b1fa2"' in browser.get(assets.asset("mark.svg")).content


def test_a_drawing_draws_and_does_nothing_else(house: House, dressed: Any, browser: Browser) -> None:
    dressed(logo=logo("logo.svg", HOSTILE.encode()), name="Quince & Co")
    (shown,) = [image for image in browser.page("/").all("img") if "logo" in image.get("class", "")]
    assert (shown["alt"], shown["width"], shown["height"]) == ("Quince & Co", "256", "64")
    answer = browser.get(shown["src"])
    assert answer["Content-Type"] == "image/svg+xml" and "sandbox" in answer["Content-Security-Policy"]
    served = answer.content.decode()
    for word in (
        "script",
        "alert",
        "https://",
        "foreign",
        "image",
        "onclick",
        "onload",
        "animate",
        "import",
        "inkscape",
    ):
        assert word not in served.replace("http://www.w3.org", ""), word
    for word in ('viewBox="0 0 400 100"', "#123456", "url(#paint)", 'href="#kept"', "<rect"):
        assert word in served, word
    assert drawing._svg(served.encode()).content == answer.content  # and again the same


def test_a_picture_beside_the_name_and_another_for_the_dark(house: House, dressed: Any, browser: Browser) -> None:
    dressed(logo=logo("logo.png", png(40, 40)), logo_dark=logo("night.png", png(40, 41)), name="Quince")
    page = browser.page("/")
    (shown,) = [image for image in page.all("img") if "logo" in image.get("class", "")]
    assert shown["alt"] == "" and "Quince" in page.text
    (night,) = page.all("source")
    assert night["media"] == "(prefers-color-scheme: dark)"
    for address in (shown["src"], night["srcset"]):
        assert browser.get(address)["Content-Type"] == "image/png"


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.svg", b"<svg", "is no drawing that can be read"),
        ("b.svg", b'<svg xmlns="http://www.w3.org/2000/svg"/>', "says nowhere how wide"),
        ("c.svg", b"<html/>", "is no SVG drawing"),
        ("d.svg", b'<!DOCTYPE svg [<!ENTITY a "b">]><svg xmlns="http://www.w3.org/2000/svg">&a;</svg>',
         "is no drawing"),
        ("e.png", b"GIF89a", "must be an SVG, PNG or WebP"),
        ("f.webp", b"RIFF0000WEBPxxxx", "is no WebP picture"),
        ("g.png", b"", "is empty or larger"),
        ("../outside.png", png(2, 2), "must lie in the shop's folder"),
    ],
)  # fmt: skip
def test_a_logo_that_is_none_stops_the_start_with_a_sentence(dressed: Any, name: str, content: bytes, why: str) -> None:
    shop = settings.TROTH
    told = msgspec.structs.replace(shop, shop=msgspec.structs.replace(shop.shop, logo=logo(name, content)))
    with pytest.raises(ConfigError, match=re.escape(f"[shop] logo {why}")):
        drawing.refuse_unusable(told)
    (shop.home / name).unlink()
    with pytest.raises(ConfigError):
        drawing.refuse_unusable(told)
    drawing.refuse_unusable(shop)


def test_the_sizes_of_webp_pictures_are_read() -> None:
    extended = (
        b"RIFF\0\0\0\0WEBPVP8X" + b"\x0a\0\0\0" + bytes(4) + (99).to_bytes(3, "little") + (49).to_bytes(3, "little")
    )
    lossless = b"RIFF\0\0\0\0WEBPVP8L" + bytes(4) + b"\x2f" + (99 | 49 << 14).to_bytes(4, "little")
    simple = b"RIFF\0\0\0\0WEBPVP8 " + bytes(4) + bytes(3) + b"\x9d\x01\x2a" + struct.pack("<HH", 100, 50)
    assert [drawing._webp(one) for one in (extended, lossless, simple)] == [(100, 50)] * 3


def test_the_foot_of_each_page_has_the_owners_words(house: House, dressed: Any, browser: Browser) -> None:
    dressed(footer="Made in **Quince**, [read on](https://quince.example). <script>x</script>")
    page = browser.get("/").content.decode()
    assert "Made in <strong>Quince</strong>" in page and "&lt;script&gt;" in page
    assert '<a href="https://quince.example">read on</a>' in page
