"""Templates of the owner: they win, they are escaped, and a broken one neither starts a shop nor breaks a page."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator

import pytest
from click.testing import CliRunner
from django.conf import settings
from django.template import engines

from tests.house import House
from tests.storefront.conftest import Browser
from troth.faces.cli.templates import templates as command
from troth.faces.storefront import overrides
from troth.shop.catalogue.models import Edition, Product
from troth.shop.delivery import letters

Write = Callable[[str, str], None]


@pytest.fixture
def write() -> Iterator[Write]:
    """Put a template of the owner's into the shop's folder, as before a start."""
    folder = settings.TROTH.home / "templates"

    def forget() -> None:
        overrides.any_of.cache_clear()
        letters.TEMPLATES.cache.clear()
        for name in ("jinja2", "shipped"):
            engines[name].env.cache.clear()

    def put(name: str, text: str) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
        forget()

    yield put
    shutil.rmtree(folder, ignore_errors=True)
    forget()


def told() -> tuple[int, str]:
    done = CliRunner().invoke(command, [])
    return done.exit_code, done.output


def test_a_template_of_the_owner_wins_and_is_escaped(
    house: House, browser: Browser, edition: Edition, write: Write
) -> None:
    write(
        "storefront/product.html",
        '{% extends "shipped/storefront/product.html" %}{% block title %}Mine: {{ product.name }}{% endblock %}',
    )
    Product.objects.update(name="<Field> & Guide")
    source = browser.get("/p/field-guide").content.decode()
    assert "<title>Mine: &lt;Field&gt; &amp; Guide" in source and "Add to basket" in source
    assert told() == (0, "1 templates of your own can be used.\n")


def test_a_letter_of_the_owner_wins(house: House, write: Write) -> None:
    write("letters/foot.txt", "Yours, Quince\n")
    assert letters.TEMPLATES.get_template("foot.txt").render() == "Yours, Quince"
    assert told()[0] == 0


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("storefront/shelf.html", "{% block main %}", "cannot be used, line 1: Unexpected end of template"),
        ("storefront/shelf.html", "\n{{ q | shout }}", "cannot be used, line 2: No filter named 'shout'"),
        (
            "storefront/shelf.html",
            '{% extends "storefront/bsae.html" %}',
            "takes storefront/bsae.html, which there",
        ),
        ("storefront/shelf.html", "{{ prodcut }}", "uses prodcut, which this page is not given"),
        ("storefront/parts/mine.html", "{{ nonsense }}", "uses nonsense, which this page is not given"),
        ("letters/deliver.txt", "{{ licenses }}", "uses licenses, which this page is not given"),
    ],
)
def test_a_broken_template_is_one_sentence(house: House, write: Write, name: str, text: str, why: str) -> None:
    write(name, text)
    code, output = told()
    assert code == 1 and f"templates/{name} {why}" in output and output.count("\n") == 1


def test_what_breaks_with_data_alone_falls_back_to_ours(
    house: House, browser: Browser, edition: Edition, write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    write("storefront/product.html", "<h1>{{ product.nmae }}</h1>")
    assert told()[0] == 0
    page = browser.page("/p/field-guide")
    assert "Field Guide" in page.text and "Add to basket" in page.text
    assert "a template of the owner's failed" in caplog.text


def test_without_templates_of_the_owner_a_fault_of_ours_is_told(house: House, write: Write) -> None:
    from django.test import RequestFactory
    from jinja2 import UndefinedError

    from troth.faces.storefront.answers import page

    with pytest.raises(UndefinedError):
        page(RequestFactory().get("/"), "product.html", {})
