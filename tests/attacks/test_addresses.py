"""Addresses, cookies, methods, hosts and headers of any kind: an answer below 500, and nobody else's things."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from django.conf import settings
from django.urls import URLPattern

from tests.attacks.visiting import look, patterns, rows, send
from tests.house import House
from tests.storefront.conftest import ORIGIN, Browser
from tests.storefront.test_buying import ALICE, approve
from troth.shop.catalogue.models import Release
from troth.shop.delivery import links
from troth.shop.delivery.models import Grant
from troth.shop.orders.models import Order

ODD = [
    "", "0", "-1", "1", str(2**31), str(2**63), str(2**64), "9" * 5000, "NaN", "1e309", "%00", "x%00y",
    "%ED%A0%80", "%FF%FE",
    "%C0%AE%C0%AE%2F", "..%2F..%2Fetc%2Fpasswd", "%2e%2e/%2e%2e/web.key", "....//....//troth.toml", "%252e%252e%252f",
    "..%5c..%5cweb.key", "%0d%0aSet-Cookie:%20a=b", "{{7*7}}", "${7*7}", "%27%20OR%201=1--", "<script>",
    "%E2%80%AE", "a" * 5000,
    "per_" + "a" * 26, "ord_" + "a" * 26, "gra_" + "a" * 26, "ORD_" + "A" * 26, "ord_" + "a" * 26 + "%0a",
    "file:///etc/passwd", ";ls",
]  # fmt: skip
ASKED = ("page", "q", "kind", "show", "next", "token", "transaction_id", "msid")
SAFE_AND_NOT = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "ZQ"]


def addresses(pattern: URLPattern) -> list[str]:
    """A pattern's path with each odd thing in each of its places, and in the query."""
    route, names = str(pattern.pattern), list(pattern.pattern.converters)
    if not names:
        return [f"/{route}?" + "&".join(f"{name}={odd}" for name in ASKED) for odd in ODD]
    found = []
    for name in names:
        for odd in ODD:
            path = route
            for other, converter in pattern.pattern.converters.items():
                usual = "1" if type(converter).__name__ == "IntConverter" else "x"
                kind = next(
                    part for part in path.split("<") if part.partition(">")[0].split(":")[-1] == other
                ).partition(">")[0]
                path = path.replace(f"<{kind}>", odd if other == name else usual)
            found.append(f"/{path}")
            found.append(f"/{path}?s={odd}")
    return found


@pytest.mark.parametrize("pattern", patterns(), ids=lambda pattern: pattern.name)
def test_odd_addresses_are_answered(house: House, paid: Order, mallory: Browser, pattern: URLPattern) -> None:
    before = rows()
    for address in addresses(pattern):
        for browser in (mallory, Browser()):
            answer = look(browser, address)
            assert answer.status_code < 500, address
            assert "Set-Cookie" not in answer.headers
            assert b"root:" not in b"".join(answer)
            assert "alice" not in answer.headers.get("Location", "")
    after = rows()
    assert {table for table in before if before[table] != after[table]} <= {"accounts_session"}


def test_a_signature_of_any_length_is_refused(paid: Order) -> None:
    grant, release = Grant.objects.get(), Release.objects.get()
    for signature in ("f" * 20_000 + ".x", "-1.x", "f" * 20_000, "0x1.y", ".", "é.é", "\u0661.x", " 1.x", "1e9.x"):
        answer = look(Browser(), f"/download/{grant.id}/{release.pk}?s={quote(signature)}")
        assert answer.status_code == 403, signature[:10]


@pytest.mark.parametrize("method", SAFE_AND_NOT)
def test_methods_that_a_page_has_not_change_nothing(house: House, paid: Order, mallory: Browser, method: str) -> None:
    answers = {200, 303, 400, 401, 403, 404, 405, 415}
    before = rows()
    mallory.raise_request_exception = False
    for pattern in patterns():
        path = addresses(pattern)[2].partition("?")[0]
        for origin in ({}, {"HTTP_ORIGIN": "https://evil.example"}):
            answer = mallory.generic(method, path, b"", **origin)
            assert answer.status_code in answers, (method, path)
    after = rows()
    for hook in ("payments_providerevent",):
        before.pop(hook), after.pop(hook)
    assert after == before


class TestHosts:
    @pytest.mark.parametrize(
        "host",
        [
            "evil.example",
            "127.0.0.1:8000@evil.example",
            "evil.example:8000",
            "127.0.0.1.evil.example",
            "",
            "x" * 5000,
            "[::1",
            "a b",
            "127.0.0.1/x",
        ],
    )
    def test_another_host_gets_no_page(self, house: House, host: str) -> None:
        for path in ("/", "/p/field-guide", "/sign-in", "/privacy", "/basket"):
            assert look(Browser(), path).status_code < 500
            assert look(Browser(), path, HTTP_HOST=host).status_code == 400, path

    def test_what_proxies_claim_is_not_believed(self, house: House, basket: Browser) -> None:
        evil = {
            "HTTP_X_FORWARDED_HOST": "evil.example",
            "HTTP_X_FORWARDED_PROTO": "https",
            "HTTP_FORWARDED": "host=evil.example",
        }
        answer = send(basket, "/checkout", basket.page("/checkout").form("/checkout") | ALICE, **evil)
        assert answer.status_code == 303
        send(Browser(), "/recover", Browser().page("/recover").form("/recover") | {"email": ALICE["email"]}, **evil)
        basket.get(approve(house, Order.objects.get()), **evil)
        house.works()
        assert house.mails
        for mail in house.mails:
            assert "evil.example" not in mail.raw
            assert f"{ORIGIN}/" in mail.text
        assert look(Browser(), "/metrics", REMOTE_ADDR="203.0.113.9").status_code == 404
        assert look(Browser(), "/metrics", HTTP_X_FORWARDED_FOR="127.0.0.1").status_code == 404


class TestRanges:
    RANGES = [
        "bytes=", "bytes=-", "bytes=--1", "bytes=5-2", "bytes=0-0,1-1",
        "bytes=" + ",".join("0-" for _ in range(5000)), "bytes=-0",
        "bytes=99999999999999999999-", "bytes=0-99999999999999999999", "bytes=1e3-", "bytes=\u0661-",
        "items=0-1", "bytes=0x1-", "bytes= 0-1",
        "bytes=22-22", "bytes=-999", "bytes=0-" + "9" * 5000, "", "\0", "bytes=-5-",
    ]  # fmt: skip

    def test_ranges_of_any_kind_give_the_file_or_a_clear_no(self, paid: Order) -> None:
        (link,) = links.of(paid)
        release = Release.objects.get()
        whole = (settings.FILES_ROOT / release.file).read_bytes()
        for wanted in self.RANGES:
            answer = look(Browser(), link.url, HTTP_RANGE=wanted)
            body = b"".join(answer)
            assert answer.status_code in (200, 206, 416), wanted
            if answer.status_code == 206:
                start, end = answer["Content-Range"].removeprefix("bytes ").partition("/")[0].split("-")
                assert body == whole[int(start) : int(end) + 1], wanted
            else:
                assert body == (whole if answer.status_code == 200 else b""), wanted
        assert Grant.objects.get().used == 1

    def test_counting_cannot_be_passed_by(self, paid: Order) -> None:
        (link,) = links.of(paid)
        Grant.objects.update(used=Grant.objects.get().limit)
        for headers in ({}, {"HTTP_RANGE": "bytes=0-"}, {"HTTP_RANGE": "bytes=0-0", "HTTP_IF_RANGE": '"x"'}):
            assert look(Browser(), link.url, **headers).status_code == 403
        assert look(Browser(), link.url, HTTP_RANGE="bytes=99-").status_code in (403, 416)
