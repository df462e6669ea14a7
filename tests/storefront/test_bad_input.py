"""Every field of every form refuses what makes no sense: 4xx, one sentence, nothing written, nothing in the log."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from django.apps import apps

from tests.house import House
from tests.storefront.conftest import ORIGIN, Browser
from tests.storefront.page import read
from tests.storefront.test_buying import ALICE

CARD = "4111 1111 1111 1111"
LONG = "Zz" * 5000
UNREADABLE = {
    "NUL": "Ali\0ce",
    "a control": "Ali\x1bce",
    "a line break": "Alice\r\nBcc: x@b.example",
    "turned": "Ali\u202ece",
    "binary": "Ali\ufffd\ufffdce",
    "half a pair": "Ali\ud800ce",
}
CARDS = {
    "a card": CARD,
    "a card, full width": "".join(chr(0xFF10 + int(d)) for d in "4111111111111111"),
    "a card, joined unseen": "\u200d".join("4111111111111111"),
    "a card in Arabic digits": "".join(chr(0x660 + int(d)) for d in "378282246310005"),
}
SENSELESS = {
    "2^63": str(2**63),
    "negative": "-1",
    "markup": "<script>alert(1)</script>",
    "blank": "   ",
}
EVERYWHERE = {"long": LONG} | UNREADABLE | CARDS
SIGN_UP = {"name": "Alice Example", "email": "alice@b.example", "password": "heron and lantern", "postcode": "LS1 4AP"}
FORMS = {
    "/register": (SIGN_UP, {"password"}, set()),
    "/sign-in": ({"email": "a@b.example", "password": "heron and lantern"}, {"password"}, set()),
    "/recover": ({"email": "a@b.example"}, set(), set()),
    "/checkout": (
        ALICE | {"password": "heron and lantern", "postcode": "LS1 4AP"}
        | {"company": "Elm Ltd", "vat_number": "GB123456789", "billing_name": "A. Example"},
        {"password"},
        {"company", "vat_number", "billing_name", "password", "postcode"},
    ),
    "/account/email": ({"email": "new@b.example", "password": "heron and lantern"}, {"password"}, set()),
    "/account/password": ({"old": "heron and lantern", "password": "copper kettle moon"}, {"old", "password"}, set()),
}  # fmt: skip
CASES = [
    pytest.param(path, field, field in passwords, field in optional, id=f"{path} {field}")
    for path, (fields, passwords, optional) in FORMS.items()
    for field in fields
]


def rows() -> dict[str, int]:
    return {model.__name__: model._default_manager.count() for model in apps.get_models()}


@pytest.fixture
def filled(house: House, basket: Browser) -> Browser:
    return basket


@pytest.mark.parametrize(("path", "field", "is_password", "is_optional"), CASES)
def test_refused_with_one_sentence_and_written_nowhere(
    filled: Browser, path: str, field: str, is_password: bool, is_optional: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    if path.startswith("/account"):
        filled.send("/register", SIGN_UP, 200)
    before = rows()
    form = filled.page(path).form(path) | FORMS[path][0]
    for what, value in (EVERYWHERE | ({} if is_password else SENSELESS)).items():
        if what == "blank" and is_optional:
            continue
        answer = raw(filled, path, form | {field: value})
        page = read(answer)
        assert (answer.status_code, page.faults) == (400, []), what
        faulty = [given for tag, given in page.elements if given.get("aria-invalid") == "true"]
        assert [given["name"] for given in faulty] == [field], what
        assert "One thing needs your attention" in page.text, what
        if what in EVERYWHERE:
            assert "value" not in faulty[0], what
        assert ("This looks like a card number" in page.text) == (what in CARDS and field != "country"), what
        written = "".join(capfd.readouterr())
        assert len(value) < 6 or value[:40] not in written, what
        assert "Alice" not in written, what
    assert rows() == before


def raw(browser: Browser, path: str, fields: dict[str, str]) -> object:
    """Send a form with whatever bytes; halves of surrogate pairs too."""
    body = urlencode({key: text.encode("utf-8", "surrogatepass") for key, text in fields.items()})
    return browser.post(path, body, content_type="application/x-www-form-urlencoded", HTTP_ORIGIN=ORIGIN)


def test_a_choice_that_is_none_is_refused(filled: Browser) -> None:
    before = rows()
    for field, value in {"country": "XX", "provider": "cash"}.items():
        answer = filled.send("/checkout", ALICE | {field: value}, 400)
        assert "One thing needs your attention" in read(answer).text
    assert rows() == before


def test_names_of_the_world_are_welcome(house: House, filled: Browser) -> None:
    for number, name in enumerate(("José Ñandú", "שרה כהן", "محمد علی", "李小龍", "O'Brien-Smith", "Ng")):
        house.stock(1)
        answer = Browser().send("/register", SIGN_UP | {"name": name, "email": f"u{number}@b.example"})
        assert answer.status_code == 200, read(answer).text


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("short", "10 to 200 characters"),
        ("password123", "many people use this one"),
        ("alice@b.example", "less like your name"),
        ("Alice Example 1", "less like your name"),
    ],
)
def test_easy_passwords_are_refused(filled: Browser, password: str, words: str) -> None:
    before = rows()
    for path, fields in (("/register", SIGN_UP), ("/checkout", ALICE)):
        page = read(filled.send(path, fields | {"password": password}, 400))
        assert words in page.text, path
        (typed,) = [given for given in page.all("input") if given.get("name") == "password"]
        assert "value" not in typed
    assert rows() == before
