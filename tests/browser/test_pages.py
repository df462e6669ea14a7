"""Every page on the walk: for those who see little, on the narrowest screen, and as pictures to look at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser import pictures, scenes
from troth.faces.cli.demo.stage import Stage

pytestmark = pytest.mark.browser
LARGEST = 300_000  # bytes
SERIOUS = ("serious", "critical")


def along(page: Page, demo: Stage, look: Callable[[str], list[str]]) -> list[str]:
    """What `look` finds fault with at each stop of the walk."""
    return [f"{name}: {fault}" for name in scenes.walk(page, demo) for fault in look(name)]


def inaccessible(page: Page) -> list[str]:
    """What axe-core holds to be serious or critical: everything by day, what the look changes by night."""
    found = []
    for look, options in {"light": {}, "dark": {"runOnly": ["color-contrast"]}}.items():
        page.emulate_media(color_scheme=look)
        for fault in Axe().run(page, options=options | {"resultTypes": ["violations"]}).response["violations"]:
            if fault["impact"] in SERIOUS:
                found.append(f"{look}, {fault['id']}: {[node['html'][:120] for node in fault['nodes']]}")
    return found


# Elements that stick out, those that scroll by themselves and what is in them aside.
OUTSIDE = """() => {
  const edge = document.documentElement.clientWidth + 0.5
  const alone = e => e.closest('pre, .table-wrap, iframe')
  const out = [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > edge && !alone(e))
  return (document.documentElement.scrollWidth > edge || out.length)
    ? [`${document.documentElement.scrollWidth} px`, ...out.map(e => e.outerHTML.slice(0, 100))].slice(0, 4) : []
}"""


def too_wide(page: Page) -> list[str]:
    page.set_viewport_size({"width": 320, "height": 640})
    found: list[str] = page.evaluate(OUTSIDE)
    page.set_viewport_size({"width": 1280, "height": 900})
    return found


def test_every_page_is_accessible_in_light_and_dark_and_fits_320_px(page: Page, demo: Stage) -> None:
    assert along(page, demo, lambda _: inaccessible(page) + too_wide(page)) == []


def test_the_eyes_of_these_tests_are_open(page: Page, demo: Stage) -> None:
    page.goto(f"{demo.shop}/sign-in")
    assert inaccessible(page) == [] and too_wide(page) == []
    page.locator("main label").first.evaluate("label => label.remove()")
    page.locator("h1").evaluate("h1 => { h1.style.width = '600px'; h1.style.color = '#ccc' }")
    told = "\n".join(inaccessible(page))
    assert "label" in told and "color-contrast" in told
    assert too_wide(page) != []


def test_the_pages_have_their_pictures(page: Page, demo: Stage, tmp_path: Path) -> None:
    folder = pictures.folder(tmp_path)
    walked = (name for name in scenes.walk(page, demo) if name in pictures.KEPT)
    made = [picture for name in walked for picture in pictures.take(page, folder, name)]
    assert {path.name for path in made} == {
        f"{name}-{width}-{look}.png" for name in pictures.KEPT for width in pictures.WIDTHS for look in pictures.LOOKS
    }
    assert {path.name: path.stat().st_size for path in made if path.stat().st_size > LARGEST} == {}
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in made)
