"""Chromium before a demo of its own: real processes, a real browser, and nothing of the shop's code in between.

`page` is a browser without a past. Whatever it did is looked at when the test ends: each request, each word in the
console. One demo serves all tests of a test process; each test buys under names of its own.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.watched import Watched
from tests.processes.running import free_port
from troth.faces.cli.demo.stage import Stage

CHROMIUM = os.environ.get("TROTH_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--font-render-hinting=none",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # whatever it may want elsewhere, it does not get
    "--no-first-run",
]


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The demo as `troth demo` runs it, for as long as this test process lasts."""
    with Stage(tmp_path_factory.mktemp("demo"), free_port()) as stage:
        yield stage


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser for a file's tests: not longer, since Django refuses to work beside Playwright's event loop."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium here; install it, or name one in TROTH_CHROMIUM")
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, *as_root])
        yield browser
        browser.close()


@pytest.fixture
def scripts() -> bool:
    """Whether the browser runs scripts."""
    return True


@pytest.fixture
def page(demo: Stage, chromium: Browser, scripts: bool) -> Iterator[Page]:
    """A page of a browser without a past. Afterwards: nothing was asked of anybody else, and nothing went wrong."""
    context = chromium.new_context(java_script_enabled=scripts, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(60_000)
    watched = Watched(context)
    yield context.new_page()
    context.close()
    assert watched.asked, "the browser asked for nothing at all"
    assert watched.elsewhere(demo.shop, demo.control) == []
    assert watched.faults() == []
