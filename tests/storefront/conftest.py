"""A visitor's browser before a small shelf, and every page read for faults as it goes by."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client

from tests.storefront.page import Page, read
from troth.shop.catalogue import shelf
from troth.shop.catalogue.models import Edition
from troth.shop.clauses import BY_ID

ORIGIN = "http://127.0.0.1:8000"


class Browser(Client):
    """Sends what browsers send with a form, and refuses to look at a page that is not well made."""

    def __init__(self) -> None:
        super().__init__(enforce_csrf_checks=True, HTTP_HOST="127.0.0.1:8000")

    def page(self, path: str, status: int = 200) -> Page:
        return self._read(self.get(path), status)

    def send(self, path: str, fields: dict[str, str], status: int | None = None, form: str | None = None) -> object:
        """Fill in the form with this action on the page at `path`, and send it as a browser does."""
        page = self.page(path)
        action = form if form is not None else path
        filled = page.form(action if action in page.actions else "")
        answer = self.post(action or path, filled | fields, HTTP_ORIGIN=ORIGIN, HTTP_SEC_FETCH_SITE="same-origin")
        if status is not None:
            assert answer.status_code == status, Page(answer.content.decode()).text
        return answer

    def _read(self, response: object, status: int) -> Page:
        page = read(response)
        assert (response.status_code, page.faults) == (status, []), page.text  # type: ignore[attr-defined]
        linked = {a["href"].partition("#")[2] for a in page.all("a") if a["href"].startswith("/privacy#")}
        assert linked <= BY_ID.keys()  # no link to a promise that is not given
        return page


@pytest.fixture
def browser() -> Browser:
    settings.TROTH.home.mkdir(exist_ok=True)
    shelf.changed()
    return Browser()


@pytest.fixture
def basket(browser: Browser, edition: Edition) -> Browser:
    """A browser with one thing in its basket."""
    answer = browser.post("/basket", {"action": "add", "edition": edition.pk}, HTTP_ORIGIN=ORIGIN)
    assert answer.status_code == 303
    return browser
