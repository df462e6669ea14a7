"""A shop with another name, logo and colour: as easy to read as ours, wide and narrow, light and dark."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser import pictures, steps
from tests.browser.test_pages import LARGEST, inaccessible, too_wide
from tests.browser.watched import Watched
from tests.processes.running import free_port
from troth.faces.cli.demo import stage

pytestmark = pytest.mark.browser
LOGO = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 52 52">
<path fill="{0}" d="M26 2c13 0 22 10 22 24 0 15-9 24-22 24S4 41 4 26C4 12 13 2 26 2z"/>
<path fill="none" stroke="{1}" stroke-width="4" stroke-linecap="round" d="M27 12c-7 8-8 18-2 28M27 24l9-6"/></svg>"""


class Quince(stage.Stage):
    """The demo, in other clothes."""

    shop_section = stage.SHOP | {
        "name": "Quince & Daughters",
        "tagline": "Extensions that mind their own business",
        "legal_name": "Quince & Daughters GmbH (a demo)",
        "accent": "#6d3fc0",
        "logo": "quince.svg",
        "logo_dark": "quince-dark.svg",
        "footer": "Made in a small house with a **large tree**. [How we keep our word](/privacy)",
    }

    def _settings(self, sandbox: dict[str, Any]) -> Any:
        settings = super()._settings(sandbox)
        (self.home / "quince.svg").write_text(LOGO.format("#6d3fc0", "#fffefb"))
        (self.home / "quince-dark.svg").write_text(LOGO.format("#cdb2ff", "#1b1220"))
        return settings


@pytest.fixture
def quince(tmp_path: Path) -> Iterator[Quince]:
    with Quince(tmp_path / "quince", free_port()) as running:
        yield running


def stops(page: Page, shop: Quince) -> Iterator[str]:
    page.goto(f"{shop.shop}/")
    yield "quince-shelf"
    steps.fill_basket(page, shop)
    page.goto(f"{shop.shop}/p/{steps.SLUG}")
    yield "quince-product"
    page.goto(f"{shop.shop}/checkout")
    yield "quince-checkout"


def test_another_look_has_its_pictures_and_can_be_read(quince: Quince, chromium: Browser, tmp_path: Path) -> None:
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(60_000)
    watched, page = Watched(context), context.new_page()
    folder, made, found = pictures.folder(tmp_path), [], []
    for name in stops(page, quince):
        assert page.get_by_role("link", name="Quince & Daughters").first.is_visible()
        found += [f"{name}: {fault}" for fault in inaccessible(page) + too_wide(page)]
        made += pictures.take(page, folder, name)
    context.close()
    assert found == [] and watched.faults() == [] and watched.elsewhere(quince.shop, quince.control) == []
    assert len(made) == 12 and all(path.stat().st_size <= LARGEST for path in made)
