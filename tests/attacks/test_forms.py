"""Every field of every form, found by walking the pages, takes whatever bytes: no fault, nothing left behind."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from urllib.parse import quote_plus

import pytest
from django.conf import settings
from django.urls import reverse

from tests.attacks.visiting import NEEDLE, OURS, PAYLOADS, in_clear, patterns, rows, send
from tests.campaign import FULL, draws
from tests.house import House
from tests.storefront.conftest import Browser
from tests.storefront.page import Page, read
from tests.storefront.test_buying import ALICE, approve
from troth.shop.catalogue.models import Edition
from troth.shop.orders.models import Order

SIGN_UP = {"name": "Alice Example", "email": "alice@b.example", "password": "heron and lantern", "postcode": "LS1 4AP"}
TYPED = SIGN_UP | ALICE | {"old": "heron and lantern", "billing_name": "A. Example", "company": "Elm Ltd"}
HIDDEN = {"csrfmiddlewaretoken"}  # tried by test_origins.py


@pytest.fixture
def signed_in(house: House, basket: Browser) -> Browser:
    """Somebody with an account, an unpaid order and something in the basket."""
    basket.send("/register", SIGN_UP, 200)
    basket.send("/checkout", ALICE | {"billing_name": "A. Example"}, 303)
    return basket


def pages_with_forms(browser: Browser) -> Iterator[tuple[str, Page]]:
    """Every page that the registry names and this browser may see, and the order's own."""
    plain = [reverse(one.name) for one in patterns() if not one.pattern.converters and "hook" not in one.name]
    of_orders = [reverse("order", args=[ref]) for ref in Order.objects.values_list("pk", flat=True)]
    mailed = [reverse("recover_finish", args=["A" * 22, "B" * 32]), reverse("confirm", args=["A" * 22, "B" * 32])]
    for path in [*plain, *of_orders, *mailed, "/p/field-guide"]:
        answer = browser.get(path)
        if answer.status_code == 200 and answer["Content-Type"].startswith("text/html"):
            yield path, read(answer)


def forms(browser: Browser) -> dict[tuple[str, str], dict[str, str]]:
    """(page, where it is sent) -> its fields, filled as a person would."""
    found = {}
    for path, page in pages_with_forms(browser):
        for action, fields in zip(page.actions, page.forms, strict=True):
            if "csrfmiddlewaretoken" in fields or action == "/basket":
                found[path, action or path] = {name: TYPED.get(name, value) for name, value in fields.items()}
    return found


def test_the_walk_finds_the_shops_forms(signed_in: Browser) -> None:
    known = {action for _, action in forms(signed_in)} | {action for _, action in forms(Browser())}
    order = Order.objects.get()
    assert known >= {
        "/register", "/sign-in", "/sign-out", "/recover", "/checkout", "/basket", "/account/email", "/account/password",
        f"/orders/{order.ref}/pay",
    }  # fmt: skip
    assert any(action.startswith("/recover/") for action in known)
    assert any(action.startswith("/confirm/") for action in known)


@pytest.mark.soak
@pytest.mark.parametrize("who", ["signed in", "signed out"])
def test_no_bytes_in_any_field_break_anything(
    house: House, signed_in: Browser, edition: Edition, who: str, capfd: pytest.CaptureFixture[str]
) -> None:
    browser, draw, tried = signed_in, draws(f"fields {who}"), 0
    if who == "signed out":
        browser = Browser()
        send(browser, "/basket", {"action": "add", "edition": str(edition.pk)})
    capfd.readouterr()
    for (page, action), filled in forms(browser).items():
        for field in filled.keys() - HIDDEN:
            for what in PAYLOADS if FULL else draw.sample(list(PAYLOADS), 8):
                tried += 1
                attempt(
                    house, browser, page, action, filled | {field: PAYLOADS[what]}, f"{action} {field}: {what}", capfd
                )
    assert tried > 100


def attempt(
    house: House, browser: Browser, page: str, action: str, fields: dict, what: str, capfd: pytest.CaptureFixture[str]
) -> None:
    before = rows()
    answer = send(browser, action, fields)
    said = "".join(capfd.readouterr())
    assert answer.status_code < 500, (what, said)
    assert NEEDLE not in said, what
    assert "alice" not in said.lower(), what
    if answer.status_code >= 400:
        assert rows() == before, what
        shown = answer.content.decode()
        assert "<script>" not in shown, what
        assert f'{NEEDLE}" onfocus' not in shown, what
        assert "49" not in shown.partition(NEEDLE)[2][:2], what
    else:
        assert in_clear(NEEDLE) == set(), what
        house.stock(1)


def test_fields_that_no_form_has_change_nothing(house: House, basket: Browser) -> None:
    stranger = "per_" + "a" * 26
    evil = {
        "total": "1", "total_minor": "1", "price": "0.01", "unit_minor": "1", "currency": "JPY", "state": "paid",
        "paid_at": "2020-01-01", "person": stranger, "person_ref": stranger, "viewer": "x", "ref": "ord_" + "b" * 26,
        "contact": "x", "billing": "x", "epoch": "99", "is_staff": "1", "role": "worker", "capability": "x",
        "next": "//evil.example",
    }  # fmt: skip
    fields = basket.page("/checkout").form("/checkout") | ALICE | evil
    assert send(basket, "/checkout", fields).status_code == 303
    order = Order.objects.get()
    assert (order.total_minor, order.currency, order.state, order.paid_at) == (4900, "EUR", Order.OPEN, None)
    assert order.person_id != stranger
    assert order.ref != evil["ref"]
    assert [line.unit_minor for line in order.lines.all()] == [4900]


def test_a_field_sent_twice_is_no_way_past_the_checks(house: House, basket: Browser) -> None:
    fields = basket.page("/checkout").form("/checkout") | ALICE
    before = rows()
    for field in ALICE:
        for value in ("4111 1111 1111 1111", "<script>", "x\0y"):
            body = "&".join(f"{key}={quote_plus(text)}" for key, text in [*fields.items(), (field, value)])
            answer = send(basket, "/checkout", body.encode())
            assert answer.status_code == 400, (field, value)
    assert rows() == before


def test_each_missing_field_is_told(house: House, basket: Browser) -> None:
    whole = basket.page("/checkout").form("/checkout") | ALICE
    before = rows()
    for field in ALICE.keys() | {"provider"}:
        answer = send(basket, "/checkout", {key: text for key, text in whole.items() if key != field})
        assert answer.status_code == 400, field
        assert "One thing needs your attention" in read(answer).text, field
    assert send(basket, "/checkout", {"csrfmiddlewaretoken": whole["csrfmiddlewaretoken"]}).status_code == 400
    assert rows() == before


MULTIPART = "multipart/form-data; boundary=b"
PART = b'--b\r\nContent-Disposition: form-data; name="name"\r\n'
BODIES = {
    "a thousand fields": (b"&".join(b"a%d=1" % n for n in range(1000)), None),
    "a million pairs": (b"&" * 400_000, None),
    "too long": (b"name=" + b"A" * 600_000, None),
    "JSON": (b'{"name": "Alice"}', "application/json"),
    "nested JSON": (b"[" * 100_000, "application/json"),
    "text": (b"name=Alice", "text/plain"),
    "no type": (b"name=Alice", ""),
    "odd type": (b"name=Alice", "application/x-www-form-urlencoded; charset=utf-7"),
    "unknown charset": (b"name=Alice", "application/x-www-form-urlencoded; charset=zq"),
    "multipart without a boundary": (b"x", "multipart/form-data"),
    "multipart that is none": (b"x" * 1000, "multipart/form-data; boundary=b"),
    "multipart cut off": (PART + b"\r\nAli", MULTIPART),
    "multipart, transfer encoding": (
        PART + b"Content-Transfer-Encoding: base64\r\n\r\n!!!!\r\n--b--\r\n",
        MULTIPART,
    ),
    "boundary of another script": (b"x", "multipart/form-data; boundary=\xe9\xff"),
    "many parts": (
        b"".join(b'--b\r\nContent-Disposition: form-data; name="a%d"\r\n\r\n1\r\n' % n for n in range(1000)) + b"--b--",
        "multipart/form-data; boundary=b",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", BODIES)
@pytest.mark.parametrize(
    "path", ["/register", "/sign-in", "/checkout", "/basket", "/recover", "/hooks/paypal", "/hooks/skrill"]
)
def test_bodies_of_any_kind_are_refused(house: House, basket: Browser, path: str, what: str) -> None:
    basket.get("/register")  # a token to go with it
    body, kind = BODIES[what]
    before = rows()
    token = basket.cookies["troth_csrf"].value
    answer = send(basket, path, body, **({} if kind is None else {"content_type": kind}), HTTP_X_CSRFTOKEN=token)
    assert 400 <= answer.status_code < 500, what
    after = rows()
    if path.startswith("/hooks/"):  # a message that nobody signed is noted once, without its text
        after.pop("payments_providerevent"), before.pop("payments_providerevent")
    assert after == before


def test_an_upload_is_written_nowhere(house: House, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """No form takes files, so none is ever put into a temporary one, not for the time of a request either."""
    opened: list[str] = []
    monkeypatch.setattr(tempfile, "_mkstemp_inner", lambda *_: opened.append("x"))
    form = browser.page("/register").form("/register")
    parts = [
        b'Content-Disposition: form-data; name="%s"\r\n\r\n%s' % (k.encode(), v.encode())
        for k, v in (form | SIGN_UP).items()
    ]
    parts.append(
        b'Content-Disposition: form-data; name="name"; filename="card.txt"\r\n\r\n4111 1111 1111 1111' + b" " * 100_000
    )
    body = b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + b"--b--\r\n"
    browser.raise_request_exception = False
    answer = browser.generic("POST", "/register", body, "multipart/form-data; boundary=b", **OURS)
    assert answer.status_code < 500
    assert opened == []
    assert in_clear("4111 1111") == set()


def test_a_choice_of_somebody_elses_address_is_refused(house: House, signed_in: Browser, edition: Edition) -> None:
    theirs = Order.objects.get().billing_id
    mallory = Browser()
    mallory.post("/basket", {"action": "add", "edition": edition.pk}, **OURS)
    mallory.send("/register", SIGN_UP | {"name": "Mallory", "email": "m@evil.example"}, 200)
    before = rows()
    fields = mallory.page("/checkout").form("/checkout") | ALICE | {"earlier": theirs}
    assert send(mallory, "/checkout", fields).status_code in (303, 400)
    assert Order.objects.filter(billing=theirs).count() == 1
    if rows() != before:
        assert (
            Order.objects.exclude(billing=theirs).get().billing.person_id != Order.objects.get(billing=theirs).person_id
        )


def test_what_was_typed_is_shown_as_text(house: House, browser: Browser) -> None:
    typed = SIGN_UP | {"name": 'x" autofocus onfocus="alert(1)', "email": "no address {{7*7}} <b>", "postcode": "''"}
    page = browser.send("/register", typed, 400)
    shown = page.content.decode()
    assert 'onfocus="alert(1)' not in shown
    assert "<b>" not in shown.partition("<main")[2]
    assert read(page).faults == []


def test_settings_refuse_what_no_form_needs() -> None:
    assert settings.FILE_UPLOAD_HANDLERS == []
    assert settings.DATA_UPLOAD_MAX_MEMORY_SIZE <= 1 << 20


def test_the_letter_shows_an_odd_name_as_text(house: House, basket: Browser) -> None:
    odd = 'Zoë {{7*7}} %s O\'Brien & "Co"'
    basket.send("/checkout", ALICE | {"name": odd}, 303)
    basket.get(approve(house, Order.objects.get()))
    house.works()
    (mail,) = house.mails
    assert odd in mail.text
    assert "&amp; &#34;Co&#34;" in mail.html
    assert [name for name, _ in mail.headers].count("To") == 1
